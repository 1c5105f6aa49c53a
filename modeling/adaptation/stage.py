"""What the training loop trains: the LoRA weights and the tagging head of a finished tagger, on a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from conlipa.dataset_scripts.g2p.words import Word
from conlipa.dataset_scripts.known_names import KnownNames
from conlipa.modeling.alignment import word_labels
from conlipa.modeling.data.corpus import encoded
from conlipa.modeling.data.packed import pack
from conlipa.modeling.data.packed_corpus import PackedCorpus, PackedSet, encoding_of
from conlipa.modeling.data.ragged import Integers
from conlipa.modeling.data.sentences import Sentences
from conlipa.modeling.encoder import input_kind_of, load_tagger, max_length, with_short_attention
from conlipa.modeling.inference.lexicon import Lexicon
from conlipa.modeling.inference.name_prior import among_tokens, raised
from conlipa.modeling.inference.prediction import logits
from conlipa.modeling.inference.windows import Spoken, windows
from conlipa.modeling.pretrained import load_adapter
from conlipa.modeling.recipe import Augmentation, Ipac, LabelBias, Ner
from conlipa.modeling.tokenizer import vocabulary
from conlipa.modeling.training.ipac import adapted, with_tagging_head
from conlipa.modeling.training.ner import Batch, NerModule

SETTINGS = Ner(
    epochs=10,
    batch_size=4,
    learning_rate=5e-4,
    weight_decay=0.0,
    warmup_ratio=0.0,
    precision="bf16",
    checkpoint_every=50,
    long_sentences="split",
    mark_share=0.9,
)
OUTSIDE = LabelBias(outside=-1.0)
"""Taken from the scores while training (logit adjustment). Nearly all words of a text are no name: without it, the first thing that a few
sentences teach is to say O everywhere (docs/trials.md)."""
_AUGMENTATION = Augmentation(share=0.5, noise=0.35, drop=0.1, final_stop=0.3)
"""Of phonemes, for encoders with the kit's own. Every other time a sentence sounds as it does, for names come again in other sentences of a text;
otherwise it sounds different each time: what a few names share is learnt besides, capitals and context."""


class AdaptStage:
    """A tagger and the sentences that it is to learn from."""

    name = "adapt"

    def __init__(
        self,
        model: str,
        adapter: str | None,
        rows: Sequence[dict[str, Any]],
        lang: str,
        share: float = 1.0,
        base_name: str | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        """What is trained, and how it is saved.

        Args:
            rows: of the WikiANN-IPA contract.
            adapter: where the new one starts (None: from nothing).
            share: of the way from the weights at the start to the trained ones, where those that are saved lie.
            base_name: what the adapter calls its model (None: `model`).
            lexicon: is saved beside it.
        """
        self.lexicon = lexicon
        tagger, self.tokenizer = load_tagger(model)
        own = self.tokenizer.get_vocab() == vocabulary()
        self.settings = replace(SETTINGS, augmentation=_AUGMENTATION if own else Augmentation())
        with_short_attention(tagger)
        peft = load_adapter(tagger, model, adapter) if adapter else adapted(tagger, Ipac())
        for name, weight in peft.named_parameters():
            weight.requires_grad_(".lora_" in name or (".classifier." in name and ".original_module." not in name))
        peft.peft_config["default"].base_model_name_or_path = base_name or model
        self.module, self.share = NerModule(peft, bias=OUTSIDE), share
        self._start = self._weights()
        self._end: list[torch.Tensor] = []
        length, kind = max_length(self.tokenizer), input_kind_of(tagger)
        examples = encoded(rows, self.tokenizer, 10**6, kind)
        encoding = encoding_of(self.tokenizer, length, kind, split=True)
        packed = PackedCorpus(pack([examples], length), (PackedSet(lang, "running", lang),), encoding, "")
        self.sentences = Sentences(packed, [lang], self.settings, self.tokenizer, length, kind)

    def batches(self, epoch: int) -> list[Integers]:
        return self.sentences.epoch(epoch, self.settings.batch_size, self.settings.seed)

    def collate(self, indices: Integers) -> Batch:
        return self.sentences.batch(indices)

    def _weights(self) -> list[torch.Tensor]:
        return [weight.detach().clone() for weight in self.module.parameters() if weight.requires_grad]

    @torch.no_grad()
    def go_back_to(self, share: float) -> None:
        """Put the weights, once they are trained, so far from those of the start (interpolation of weights: what few examples spoil comes back)."""
        self._end = self._end or self._weights()
        trained = (weight for weight in self.module.parameters() if weight.requires_grad)
        for weight, start, end in zip(trained, self._start, self._end, strict=True):
            weight.copy_(torch.lerp(start.to(weight.device), end.to(weight.device), share))

    def save(self, folder: Path) -> None:
        """A PEFT repo: adapter and tagging head."""
        self.go_back_to(self.share)
        self.module.model.save_pretrained(folder, save_embedding_layers=False)  # peft would look its base up on the Hub
        (folder / "README.md").unlink(missing_ok=True)  # peft's own: an empty form
        head = self.module.model.base_model.model.classifier
        with_tagging_head(folder, getattr(head, "modules_to_save", {"default": head})["default"])
        if self.lexicon:
            self.lexicon.save(folder)

    def labels(self, rows: Sequence[dict[str, Any]], known: KnownNames) -> list[list[int]]:
        """Word labels that the module as it is gives to sentences, long ones in windows; `known` are the names that a tagger would know."""
        model, limit = self.module.model.eval(), max_length(self.tokenizer)
        windowed = [(number, part, own) for number, row in enumerate(rows) for part, own in _windows(row, limit)]
        examples = encoded([part for _, part, _ in windowed], self.tokenizer, limit, input_kind_of(model))
        said: list[list[int]] = [[] for _ in rows]
        scores = logits(model, examples, self.tokenizer.pad_token_id)
        for (number, part, own), example, score in zip(windowed, examples, scores, strict=True):
            scored = raised(score.numpy(), example, among_tokens(known, part["tokens"]))
            labels = word_labels(scored.argmax(-1).tolist(), example["word_ids"], len(part["tokens"]))
            said[number] += labels[own.start : own.stop]
        return said


def _windows(row: dict[str, Any], limit: int) -> Iterator[tuple[dict[str, Any], range]]:
    """A sentence as the tagger takes it: parts that fit the encoder, and which words of each get their labels there."""
    spoken = (Spoken(Word(token, at, at), ipa.split(" ")) for at, (token, ipa) in enumerate(zip(row["tokens"], row["ipa_tokens"], strict=True)))
    for window in windows(spoken, limit):
        first, last = window.words[0].word.start, window.words[-1].word.start
        yield {name: row[name][first : last + 1] for name in ("tokens", "ipa_tokens", "ner_tags")}, window.own
