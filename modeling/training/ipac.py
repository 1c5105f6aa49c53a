"""Stage 2, IPAC: symmetric InfoNCE on loanword pairs, through LoRA and a projection that is dropped afterwards."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import PartialState
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

from conlipa.atomic_files import write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import MAX_LENGTH
from conlipa.modeling.data.batches import token_batch
from conlipa.modeling.data.loanwords import Loanwords
from conlipa.modeling.data.packed_corpus import PackedCorpus
from conlipa.modeling.data.sentences import Sentences
from conlipa.modeling.encoder import attention_of, input_kind_of, load_tagger, max_length, with_short_attention
from conlipa.modeling.inference.phoneme_ids import remembered
from conlipa.modeling.recipe import GRAPHEMES, Ipac, LabelBias, Ner, Recipe
from conlipa.modeling.training.ner import Batch, Terms, logits_of, tagging_loss

if TYPE_CHECKING:
    from conlipa.modeling.data.corpus import Corpus

TARGETS = r".*encoder\.layer\.\d+\..*\b(query|key|value|dense)"
"""Query, key, value and every dense of the encoder layers; named, as `all-linear` would wrap the tagging head twice."""


def adapted(model: Any, settings: Ipac) -> Any:
    """The model frozen, with a trainable LoRA adapter (section 5.3)."""
    config = LoraConfig(r=settings.lora_rank, lora_alpha=settings.lora_alpha, lora_dropout=settings.lora_dropout, target_modules=TARGETS, bias="none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers in its old words
        return get_peft_model(model, config)


def projection(recipe: Recipe, hidden_size: int | None = None) -> nn.Linear:
    """hidden to 64, with bias; gone at inference."""
    return nn.Linear(hidden_size or recipe.encoder.hidden_size, recipe.ipac.projection)


def info_nce(
    english: torch.Tensor,
    target: torch.Tensor,
    temperature: float,
    same: torch.Tensor | None = None,
    own: torch.Tensor | None = None,
    positive: bool = False,
) -> torch.Tensor:
    """Equations (1) and (2): symmetric InfoNCE with in-batch negatives.

    Args:
        english, target: (N, d), row i of one belongs to row i of the other.
        same: (N, N) booleans, True off the diagonal where two rows share their English word; None: all rows are negatives of each other.
        own: the rows to take the mean over (those of this process); None: all.
        positive: rows of `same` are positives (the mean of their log-probabilities); otherwise no part of the softmax.
    """
    with torch.autocast(english.device.type, enabled=False):  # in bfloat16 a logit of 10 is known to a sixteenth
        logits = english.float() @ target.float().T / temperature
    rows = torch.arange(len(logits), device=logits.device) if own is None else own
    if same is not None and positive:
        wanted = (same | torch.eye(len(logits), dtype=torch.bool, device=logits.device)).float()
        wanted = wanted / wanted.sum(1, keepdim=True)  # `same` is symmetric: the weights serve both directions
        forward = nn.functional.cross_entropy(logits[rows], wanted[rows])
        backward = nn.functional.cross_entropy(logits.T[rows], wanted[rows])
        return (forward + backward) / 2
    if same is not None:
        logits = logits.masked_fill(same, float("-inf"))
    forward = nn.functional.cross_entropy(logits[rows], rows)
    backward = nn.functional.cross_entropy(logits.T[rows], rows)
    return (forward + backward) / 2


class IpacModule(nn.Module):
    """Adapted tagger and projection; the forward pass gives embeddings of words, or the loss of a NER batch."""

    bias: torch.Tensor

    def __init__(self, model: Any, head: nn.Linear, settings: Ipac, bias: LabelBias | None = None) -> None:
        """`bias`: that of stage 1, which the replayed sentences are not to take back."""
        super().__init__()
        self.model, self.head, self.settings = model, head, settings
        self.register_buffer("bias", torch.tensor((bias or LabelBias()).of_labels()), persistent=False)

    def embed(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(N, length) ids to (N, 64)."""
        body = self.model.base_model.model.base_model  # below the tagging head, with its adapter
        hidden = body(input_ids=input_ids, attention_mask=attention_of(body, attention_mask)).last_hidden_state
        pooled = pool(hidden, attention_mask, self.settings.pooling)
        projected = self.head(pooled)
        return nn.functional.normalize(projected.float(), dim=-1) if self.settings.normalise else projected.float()

    def forward(self, batch: Batch) -> Terms:
        """The contrastive term, and that of the replayed sentences where there are any."""
        english, target = self.embed(batch["input_ids"], batch["attention_mask"]).chunk(2)
        english, target, words, own = _gathered(english, target, batch["english"])
        same = None
        if self.settings.shared_english != "negative":
            same = (words[:, None] == words[None, :]) & ~torch.eye(len(words), dtype=torch.bool, device=words.device)
        loss = info_nce(english, target, self.settings.temperature, same, own, self.settings.shared_english == "positive")
        terms = [(loss * len(own), torch.full((), len(own), device=english.device))]  # a copy from Python's number would wait for the device
        replay = {name.removeprefix("replay_"): tensor for name, tensor in batch.items() if name.startswith("replay_")}
        if replay:
            total, positions = tagging_loss(logits_of(self.model, replay), replay["labels"], self.bias)
            terms.append((self.settings.replay_weight * total, positions))
        return terms


def pool(hidden: torch.Tensor, attention_mask: torch.Tensor, how: str) -> torch.Tensor:
    """(N, length, hidden) to (N, hidden): the mean over positions that are no padding, or the first position."""
    if how == "first":
        return hidden[:, 0]
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)


def _gathered(english: torch.Tensor, target: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Embeddings of all processes, with gradients, and the rows that are this one's."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()) or torch.distributed.get_world_size() == 1:
        return english, target, ids, torch.arange(len(ids), device=ids.device)
    from accelerate.utils import gather
    from torch.distributed.nn import functional as with_gradients

    english, target = (torch.cat(tuple(with_gradients.all_gather(tensor))) for tensor in (english, target))  # type: ignore[no-untyped-call]
    own = torch.arange(len(ids), device=ids.device) + torch.distributed.get_rank() * len(ids)
    return english, target, gather(ids), own


def with_tagging_head(folder: Path, head: Any) -> None:
    """Make a saved adapter one of a token classifier, with the head that stage 2 left as it was.

    So `AutoPeftModelForTokenClassification` loads it too, which expects a head beside the adapter.
    """
    path, settings = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    own = {f"base_model.model.classifier.{name}": tensor.detach().cpu().clone().contiguous() for name, tensor in head.state_dict().items()}
    save_file({**load_file(path), **own}, path, metadata={"format": "pt"})
    raw = json.loads(settings.read_text(encoding="utf-8"))
    raw |= {"task_type": "TOKEN_CLS", "modules_to_save": ["classifier"], "inference_mode": True}
    write_json(raw, settings)


class IpacStage:
    """What the loop trains in stage 2."""

    name = "ipac"

    def __init__(
        self, recipe: Recipe, ner: str, corpus: Corpus | PackedCorpus | None = None, languages: Sequence[str] = (), base_name: str | None = None
    ) -> None:
        """`ner`: the model folder of stage 1; `corpus`, `languages`: for NER replay; `base_name`: what the adapter calls its base model."""
        self.settings: Ipac = recipe.ipac
        self.processes = PartialState().num_processes
        model, self.tokenizer = load_tagger(ner)
        model.name_or_path = base_name or ner
        with_short_attention(model).train()
        self.module = IpacModule(adapted(model, recipe.ipac), projection(recipe, model.config.hidden_size), recipe.ipac, recipe.ner.label_bias)
        self.module.model.peft_config["default"].base_model_name_or_path = base_name or ner
        self.loanwords = Loanwords(recipe.ipac)
        self.replay: Sentences | None = None
        longest, kind = min(recipe.encoder.max_length, max_length(self.tokenizer)), input_kind_of(model)
        # Before the pairs: a tokenizer that has cut something is another one for a packed corpus.
        if recipe.ipac.replay_weight and corpus is not None:
            self.replay = Sentences(corpus, languages, _in_one_part(recipe.ner), self.tokenizer, longest, kind)
            self.replay.check_rows(self.processes)
        reader, sides = (self.tokenizer, ("english", "target")) if kind == GRAPHEMES else (remembered(self.tokenizer), ("english_ipa", "target_ipa"))
        self.pairs = [
            tuple(reader(str(row[side]), truncation=True, max_length=longest)["input_ids"] for side in sides) for row in self.loanwords.rows
        ]

    def batches(self, epoch: int) -> list[list[int]]:
        """Pairs are short: no bucketing by length."""
        full, processes = self.loanwords.epoch(epoch), self.processes
        if any(len(batch) % processes for batch in full):
            raise ConlipaError(
                f"ipac: batches of {len(full[0])} pairs cannot be shared evenly by {processes} processes; set ipac.batch_size to a multiple"
            )
        if self.replay:
            size, seed, offset = self.settings.replay_batch_size, self.settings.seed, len(self.pairs)  # sentences are numbered on from the pairs
            first = self.replay.epoch(epoch, size, seed)
            if all(len(sentences) < processes for sentences in first):
                raise ConlipaError(
                    f"ipac: no batch of replayed sentences has a row for each of {processes} processes; set ipac.replay_batch_size higher"
                )
            more = (self.replay.epoch(turn, size, seed) for turn in count(epoch + self.settings.epochs, self.settings.epochs))
            drawn = chain(first, chain.from_iterable(more))
            replay = (sentences for sentences in drawn if len(sentences) >= processes)
            full = [[*batch, *(offset + i for i in sentences)] for batch, sentences in zip(full, replay, strict=False)]
        return full

    def collate(self, indices: Sequence[int]) -> Batch:
        pairs = [i for i in indices if i < len(self.pairs)]
        rows = [{"input_ids": self.pairs[i][side]} for side in (0, 1) for i in pairs]
        batch = token_batch(rows, self.tokenizer.pad_token_id)
        batch["english"] = torch.tensor([self.loanwords.english_ids[i] for i in pairs])
        sentences = [i - len(self.pairs) for i in indices if i >= len(self.pairs)]
        if self.replay and sentences:
            batch |= {f"replay_{name}": tensor for name, tensor in self.replay.batch(sentences).items()}
        return batch

    def save(self, folder: Path) -> None:
        """The adapter alone: the projection is of no use at inference."""
        self.module.model.save_pretrained(folder, save_embedding_layers=False)  # peft would look its base up on the Hub
        with_tagging_head(folder, self.module.model.base_model.model.classifier)


def _in_one_part(settings: Ner) -> Ner:
    """Settings of batches that go through the model at once, each as large as one of the parts was."""
    positions = settings.batch_positions
    return replace(settings, accumulate=1, batch_positions=positions and max(MAX_LENGTH, positions // settings.accumulate))
