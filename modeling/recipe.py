"""Recipes: every hyper-parameter of a run, from a YAML file (`modeling/recipes/`)."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.loanwords.groups import fault_in
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import nearest
from conlipa.modeling.alignment import MAX_LENGTH, MOST_MARKS
from conlipa.modeling.recipe_values import Languages, Logit, Minutes, Name, Natural, Part, Positive, Precision, Rate, Share, Size, Text, Weight, Whole

PHONEMES, MARKED_PHONEMES, GRAPHEMES = "phonemes", "phonemes with case marks", "graphemes"
"""What an encoder reads: its input kind, as its own configuration records it."""
_MOST_PARAMETERS = 2_000_000_000


_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)
TRACKERS = ("tensorboard", "wandb", "trackio")
"""Where a run may show its losses (by Accelerate)."""


@dataclass(frozen=True, config=_CONFIG)
class Encoder:
    """What is trained: weights of the Hub (`repo`), or a new encoder of this shape."""

    repo: Text | None = None
    revision: Text | None = None
    """Of the repo: a branch, tag, commit or pull request (`refs/pr/2`); None: its main branch."""
    input: Literal["phonemes", "graphemes"] = "phonemes"
    """Graphemes (the baselines) only with a `repo`, whose tokenizer then cuts the words."""
    case_marks: bool = False
    """A mark `^` before the first phoneme of a capitalised word. Needs `max_positions` for them (194: 128 phonemes, 64 marks, 2)."""
    hidden_size: Size = 192
    layers: Annotated[int, Field(strict=True, ge=1, le=200)] = 6
    heads: Size = 6
    intermediate_size: Size = 768
    dropout: Part = 0.1
    max_length: Annotated[int, Field(strict=True, ge=8, le=MAX_LENGTH)] = MAX_LENGTH
    max_positions: Size = 130
    vocab_size: Annotated[int, Field(strict=True, ge=8, le=4_000_000)] | None = None
    """None: that of the kit's own tokenizer."""
    layer_norm_eps: Positive = 1e-5
    articulatory: bool = True
    """Embeddings start as a linear map of panphon's features, so that a phoneme never trained on has a meaning."""
    pooler: bool = False
    """Count and carry BERT's unused pooler while training, as the papers' code does; of RoBERTa alone."""

    @model_validator(mode="after")
    def _fits(self) -> Encoder:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size {self.hidden_size} is not a multiple of heads {self.heads}")
        needed = self.max_length + 2 + (MOST_MARKS if self.case_marks else 0)
        if self.max_positions < needed:
            raise ValueError(f"max_positions is {self.max_positions}, expected at least {needed} for this max_length and these case_marks")
        layer = self.hidden_size * (4 * self.hidden_size + 2 * self.intermediate_size)
        weights = self.layers * layer + (self.vocab_size or 0) * self.hidden_size
        if weights > _MOST_PARAMETERS:
            raise ValueError(f"{weights:,} parameters, expected at most {_MOST_PARAMETERS:,}")
        if self.case_marks and self.input == GRAPHEMES:
            raise ValueError("case_marks are of phonemes; graphemes have their capitals")
        if self.revision and not self.repo:
            raise ValueError("revision is of a repo, and there is none")
        return self

    @property
    def input_kind(self) -> str:
        """What the encoder reads: `PHONEMES`, `MARKED_PHONEMES` or `GRAPHEMES`."""
        return MARKED_PHONEMES if self.case_marks else self.input


@dataclass(frozen=True, config=_CONFIG)
class Optimisation:
    """What both stages need; the papers' values are in `paper.yaml`."""

    epochs: Whole = 10
    batch_size: Whole = 128
    """Sequences (or pairs) an optimiser step, over all processes."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """Muon: for the matrices of the encoder's layers, AdamW for all else; its steps are as long as AdamW's, so that one learning rate serves both."""
    learning_rate: Rate = 1e-5
    weight_decay: Weight = 0.01
    warmup_ratio: Part = 0.025
    schedule: Literal["linear", "cosine"] = "linear"
    max_grad_norm: Positive = 1.0
    precision: Precision = "no"
    cuda_graphs: bool = False
    """On one GPU, with `batch_positions`: forward and backward as one graph a shape, so that small models do not wait for Python."""
    compile: bool = False
    """Have torch write kernels for the model, which takes minutes at first: for long runs on a GPU."""
    checkpoint_every: Whole = 200
    log_every: Whole = 10
    """Steps between two losses in the record, and in a tracker."""
    minutes: Minutes | None = None
    """Train for so long instead of for `epochs`, with the schedule fitted to it."""
    ema: Part = 0.0
    """Keep a moving average of the weights with this decay, and save it instead of the last step's; 0: none."""
    validate_every: Natural = 0
    """Steps between two scores on `held_out`; 0: none."""
    held_out: Languages = ("eng",)
    """Languages whose validation sentences are scored; never those of Cases 1 to 3."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 0


@dataclass(frozen=True, config=_CONFIG)
class Augmentation:
    """How training sentences are changed, all off by default (`augmentation.py`)."""

    share: Share = 0.0
    """Of the sentences that are changed at all."""
    noise: Share = 0.0
    """Of the phonemes, replaced by an articulatory neighbour."""
    drop: Part = 0.0
    """Of the phonemes, left out."""
    mask: Share = 0.0
    """Of the phonemes, masked."""
    shuffle: Share = 0.0
    """Of the sentences, whose entities and other words come in another order."""
    swap: Share = 0.0
    """Of the entities that do not stand alone, replaced by one of the same type from any source language; one with capitals where theirs has them."""
    redirect: Share = 0.0
    """Of the sentences that are a name alone, which get before it the word that marks a redirect in one of the Wikipedias (`redirects.py`)."""
    final_stop: Share = 0.0
    """Of the sentences, whose final full stop, question or exclamation mark is left out."""

    @model_validator(mode="after")
    def _leaves_something(self) -> Augmentation:
        if self.noise + self.drop + self.mask > 1:
            raise ValueError("noise, drop and mask together are more than 1")
        return self


@dataclass(frozen=True, config=_CONFIG)
class LabelBias:
    """What a finished stage 1 adds to the scores of its labels, all off by default.

    On languages that it never saw a tagger predicts O too often, and continues entities that it should begin; by how much is to be
    found on source languages that a trial leaves out (`docs/trials.md`).
    """

    outside: Logit = 0.0
    """To O, in logits."""
    begin: Logit = 0.0
    """To B-PER, B-ORG and B-LOC."""

    def of_labels(self) -> tuple[float, ...]:
        """One a label, in the order of `LABELS`."""
        return tuple(self.outside if label == "O" else self.begin if label.startswith("B-") else 0.0 for label in LABELS)


@dataclass(frozen=True, config=_CONFIG)
class Ner(Optimisation):
    """Stage 1: token classification on source languages."""

    start: Text | None = None
    """An earlier run of stage 1 whose model this one starts from: its profile; trained first where it is not there yet.

    With fewer layers than `encoder.layers`, it is grown (`training/depth.py`)."""
    languages: Languages = ("eng",)
    sentences_per_language: Whole | None = None
    """At most, an epoch; None: all. Large languages then do not drown small ones."""
    sentences_of: dict[str, Whole] | None = None
    """The same for the languages named, in its place."""
    batch_positions: Annotated[int, Field(strict=True, ge=MAX_LENGTH, le=100_000_000)] | None = None
    """Phoneme positions of a batch, padding included; None: `batch_size` sentences instead."""
    join: Share = 0.0
    """Share of the sentences that come as two of one set in a sequence, where both fit."""
    long_sentences: Literal["cut", "split"] = "cut"
    """What a sentence beyond `max_length` becomes: its beginning, as in the papers, or several sequences."""
    running_share: Part = 0.0
    """Share of the batches that are running text, where the corpus has such sets (`--corpus running=DIR`)."""
    nameless_share: Share = 1.0
    """Share of the sentences without a name that an epoch takes: in running text more than half are such, and teach one label alone."""
    exclude: tuple[Text, ...] = ()
    """Sets of the corpus that are not trained on, by kind and folder: `running/deu_2`."""
    mark_share: Share = 1.0
    """Share of the sentences that keep their case marks (`encoder.case_marks`); the others teach to read text without capitals."""
    label_smoothing: Part = 0.0
    accumulate: Whole = 1
    """Parts that a batch goes through the model in, where it is too large for the memory at once."""
    augmentation: Augmentation = Field(default_factory=Augmentation)
    tag_weight: Weight = 1.0
    """Weight of the loss of the labels; 0: pretraining, by `denoise_weight` alone."""
    denoise_weight: Weight = 0.0
    """Weight of the loss of predicting what the phonemes that augmentation changed or masked had been."""
    label_bias: LabelBias = Field(default_factory=LabelBias)

    @model_validator(mode="after")
    def _fits(self) -> Ner:
        changes, known = self.augmentation, {*self.languages, *languages()}
        if unknown := next((lang for lang in self.sentences_of or {} if lang not in known), None):
            raise ValueError(f"sentences_of has {unknown[:60]!r}, expected ISO 639-3 codes{nearest(unknown, known)}")
        if self.denoise_weight and not (changes.share and (changes.mask or changes.noise)):
            raise ValueError("denoise_weight has nothing to predict: augmentation needs a share, and mask or noise")
        if not (self.tag_weight or self.denoise_weight):
            raise ValueError("tag_weight and denoise_weight are both 0: there is nothing to learn")
        if self.tag_weight != 1 and not self.denoise_weight:
            raise ValueError("tag_weight weighs the labels against denoise_weight, which is 0")
        if self.cuda_graphs and (self.batch_positions is None or self.accumulate > 1 or self.denoise_weight):
            raise ValueError("cuda_graphs needs batches of few shapes, in one part: batch_positions, and neither accumulate nor denoise_weight")
        return self


@dataclass(frozen=True, config=_CONFIG)
class Ipac(Optimisation):
    """Stage 2: contrastive learning on CONLIPA."""

    korean_pairs: Whole | None = 512
    temperature: Annotated[float, Field(ge=1e-3, le=1e3)] = 0.1
    projection: Size = 64
    pooling: Literal["mean", "first"] = "mean"
    normalise: bool = True
    lora_rank: Size = 8
    lora_alpha: Size = 32
    lora_dropout: Part = 0.1
    shared_english: Literal["negative", "masked", "positive"] = "negative"
    """Pairs with the same English word in a batch: each other's negatives (as the paper has it), left out of them, or positives too."""
    languages: Languages | None = None
    """Of the pairs, each once; None: the ten of CONLIPA."""
    extra: bool = False
    """The pairs of the languages beyond the paper as well."""
    balanced: bool = False
    """As many pairs of each language; otherwise as they come."""
    hard_negatives: Share = 0.0
    """Share of the words that meet one in their batch that sounds like them."""
    shuffled: bool = False
    """The control: English words given to other loanwords."""
    replay_weight: Weight = 0.0
    """Weight of a NER batch of stage 1's languages beside each batch of pairs; 0: none."""
    replay_batch_size: Whole = 32
    """Sentences; where `ner.batch_positions` is given, the NER batches are of as many positions as one of its parts (`ner.accumulate`) instead."""

    @model_validator(mode="after")
    def _fits(self) -> Ipac:
        for name in ("validate_every", "cuda_graphs"):
            if getattr(self, name):
                raise ValueError(f"{name} is of stage 1 alone")
        if fault := fault_in(self.languages or (), self.extra):
            raise ValueError(fault)
        if self.balanced and self.hard_negatives:
            raise ValueError("balanced and hard_negatives do not go together: pairs that come more than once are no negatives of themselves")
        return self


def _of_own_vocabulary(encoder: Encoder) -> Encoder:
    """A new encoder has an embedding for each id of the kit's tokenizer; other tokenizers come with a `repo`."""
    if encoder.vocab_size is None or encoder.repo or encoder.input == GRAPHEMES:
        return encoder
    from conlipa.modeling.tokenizer import size  # slow to import, and hardly a recipe needs it

    if encoder.vocab_size < size() or (encoder.articulatory and encoder.vocab_size != size()):
        wanted = f"{size()}, or null" if encoder.articulatory else f"at least {size()}"
        raise ValueError(f"vocab_size is {encoder.vocab_size}, expected {wanted} for the kit's own tokenizer (articulatory: {encoder.articulatory})")
    return encoder


@dataclass(frozen=True, config=_CONFIG)
class Recipe:
    """One profile: `mini`, `paper`, or a user's own file."""

    name: Name
    encoder: Annotated[Encoder, AfterValidator(_of_own_vocabulary)] = Field(default_factory=Encoder)
    ner: Ner = Field(default_factory=Ner)
    ipac: Ipac = Field(default_factory=Ipac)

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
