"""Recipes: every hyper-parameter of a run, from a YAML file (`modeling/recipes/`)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_type_hints

import yaml

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError, UsageError, nearest

RECIPES = Path(__file__).parent / "recipes"
PHONEMES, MARKED_PHONEMES, GRAPHEMES = "phonemes", "phonemes with case marks", "graphemes"
"""What an encoder reads: its input kind, as its own configuration records it."""
TRACKERS = ("tensorboard", "wandb", "trackio")
"""Where a run may show its losses (by Accelerate)."""


@dataclass(frozen=True)
class Encoder:
    """What is trained: weights of the Hub (`repo`), or a new encoder of this shape."""

    repo: str | None = None
    input: Literal["phonemes", "graphemes"] = "phonemes"
    """Graphemes (the baselines) only with a `repo`, whose tokenizer then cuts the words."""
    case_marks: bool = False
    """A mark `^` before the first phoneme of a capitalised word. Needs `max_positions` for them (194: 128 phonemes, 64 marks, 2)."""
    hidden_size: int = 192
    layers: int = 6
    heads: int = 6
    intermediate_size: int = 768
    dropout: float = 0.1
    max_length: int = 128
    max_positions: int = 130
    vocab_size: int | None = None
    """None: that of the kit's own tokenizer."""
    layer_norm_eps: float = 1e-5
    articulatory: bool = True
    """Embeddings start as a linear map of panphon's features, so that a phoneme never trained on has a meaning."""
    pooler: bool = False
    """Count and carry BERT's unused pooler while training, as the papers' code does."""

    @property
    def input_kind(self) -> str:
        """What the encoder reads: `PHONEMES`, `MARKED_PHONEMES` or `GRAPHEMES`."""
        return MARKED_PHONEMES if self.case_marks else self.input


@dataclass(frozen=True)
class Optimisation:
    """What both stages need; the papers' values are in `paper.yaml`."""

    epochs: int = 10
    batch_size: int = 128
    """Sequences (or pairs) an optimiser step, over all processes."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """Muon: for the matrices of the encoder's layers, AdamW for all else; its steps are as long as AdamW's, so that one learning rate serves both."""
    learning_rate: float = 1e-5
    weight_decay: float = 0.01
    warmup_ratio: float = 0.025
    schedule: Literal["linear", "cosine"] = "linear"
    max_grad_norm: float = 1.0
    precision: Literal["no", "bf16"] = "no"
    checkpoint_every: int = 200
    log_every: int = 10
    """Steps between two losses in the record, and in a tracker."""
    minutes: float | None = None
    """Train for so long instead of for `epochs`, with the schedule fitted to it."""
    ema: float = 0.0
    """Keep a moving average of the weights with this decay, and save it instead of the last step's; 0: none."""
    validate_every: int = 0
    """Steps between two scores on `held_out`; 0: none."""
    held_out: tuple[str, ...] = ("eng",)
    """Languages whose validation sentences are scored; never those of Cases 1 to 3."""
    seed: int = 0


@dataclass(frozen=True)
class Augmentation:
    """How training sentences are changed, all off by default (`augmentation.py`)."""

    share: float = 0.0
    """Of the sentences that are changed at all."""
    noise: float = 0.0
    """Of the phonemes, replaced by an articulatory neighbour."""
    drop: float = 0.0
    """Of the phonemes, left out."""
    mask: float = 0.0
    """Of the phonemes, masked."""
    shuffle: float = 0.0
    """Of the sentences, whose entities and other words come in another order."""
    swap: float = 0.0
    """Of the entities, replaced by one of the same type from any source language."""
    final_stop: float = 0.0
    """Of the sentences, whose final full stop, question or exclamation mark is left out."""


@dataclass(frozen=True)
class LabelBias:
    """What a finished stage 1 adds to the scores of its labels, all off by default.

    On languages that it never saw a tagger says O too often, and continues entities that it should begin; by how much is to be
    found on source languages that a trial leaves out (`docs/trials.md`).
    """

    outside: float = 0.0
    """To O, in logits."""
    begin: float = 0.0
    """To B-PER, B-ORG and B-LOC."""

    def of_labels(self) -> tuple[float, ...]:
        """One a label, in the order of `LABELS`."""
        return tuple(self.outside if label == "O" else self.begin if label.startswith("B-") else 0.0 for label in LABELS)


@dataclass(frozen=True)
class Ner(Optimisation):
    """Stage 1: token classification on source languages."""

    start: str | None = None
    """An earlier run of stage 1 whose model this one starts from: its profile; trained first where it is not there yet."""
    languages: tuple[str, ...] = ("eng",)
    sentences_per_language: int | None = None
    """At most, an epoch; None: all. Large languages then do not drown small ones."""
    batch_positions: int | None = None
    """Phoneme positions of a batch, padding included; None: `batch_size` sentences instead."""
    join: float = 0.0
    """Share of the sentences that come as two of one set in a sequence, where both fit."""
    long_sentences: Literal["cut", "split"] = "cut"
    """What a sentence beyond `max_length` becomes: its beginning, as in the papers, or several sequences."""
    running_share: float = 0.0
    """Share of the batches that are running text, where the corpus has such sets (`--corpus running=DIR`)."""
    exclude: tuple[str, ...] = ()
    """Sets of the corpus that are not trained on, by kind and folder: `running/deu_2`."""
    mark_share: float = 1.0
    """Share of the sentences that keep their case marks (`encoder.case_marks`); the others teach to read text without capitals."""
    label_smoothing: float = 0.0
    accumulate: int = 1
    """Parts that a batch goes through the model in, where it is too large for the memory at once."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    tag_weight: float = 1.0
    """Weight of the loss of the labels; 0: pretraining, by `denoise_weight` alone."""
    denoise_weight: float = 0.0
    """Weight of the loss of guessing what the phonemes that augmentation changed or masked had been."""
    label_bias: LabelBias = field(default_factory=LabelBias)


@dataclass(frozen=True)
class Ipac(Optimisation):
    """Stage 2: contrastive learning on CONLIPA."""

    korean_pairs: int | None = 512
    temperature: float = 0.1
    projection: int = 64
    pooling: Literal["mean", "first"] = "mean"
    normalise: bool = True
    lora_rank: int = 8
    lora_alpha: int = 32
    lora_dropout: float = 0.1
    shared_english: Literal["negative", "masked", "positive"] = "negative"
    """Pairs with the same English word in a batch: each other's negatives (as the paper has it), left out of them, or positives too."""
    languages: tuple[str, ...] | None = None
    """Of the pairs; None: the ten of CONLIPA."""
    extra: bool = False
    """The pairs of the languages beyond the paper as well."""
    balanced: bool = False
    """As many pairs of each language; otherwise as they come."""
    hard_negatives: float = 0.0
    """Share of the words that meet one in their batch that sounds like them."""
    shuffled: bool = False
    """The control: English words given to other loanwords."""
    replay_weight: float = 0.0
    """Weight of a NER batch of stage 1's languages beside each batch of pairs; 0: none."""
    replay_batch_size: int = 32


@dataclass(frozen=True)
class Recipe:
    """One profile: `mini`, `paper`, or a user's own file."""

    name: str
    encoder: Encoder = field(default_factory=Encoder)
    ner: Ner = field(default_factory=Ner)
    ipac: Ipac = field(default_factory=Ipac)

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def recorded_recipe(path: Path, raw: dict[str, Any]) -> Recipe:
    """The recipe that a release's manifest holds; `path` is the file named in a complaint."""
    kinds = {"encoder": Encoder, "ner": Ner, "ipac": Ipac}
    return Recipe(raw["name"], **{key: _section(path, key, kind, raw[key]) for key, kind in kinds.items()})


def completed(recorded: dict[str, Any]) -> dict[str, Any]:
    """A recorded recipe with the defaults of the options that it does not know, as JSON holds them: an older kit had no others."""
    defaults = json.loads(json.dumps(Recipe("").as_dict()))
    return {key: _filled(value, defaults[key]) if isinstance(value, dict) else value for key, value in recorded.items()}


def _filled(known: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    filled = {**defaults, **known}
    return {key: _filled(value, defaults[key]) if isinstance(defaults.get(key), dict) else value for key, value in filled.items()}


def with_ipac(recipe: Recipe, changes: dict[str, Any], where: Path) -> Recipe:
    """The recipe with other settings of stage 2.

    Raises:
        ConlipaError: a key or value that stage 2 does not have; `where` is the file named.
    """
    return dataclasses.replace(recipe, ipac=_section(where, "ipac", Ipac, {**dataclasses.asdict(recipe.ipac), **changes}))


@cache
def profiles() -> tuple[str, ...]:
    """Names of the recipes that come with the kit."""
    return tuple(sorted(path.name.removesuffix(".yaml") for path in RECIPES.iterdir() if path.name.endswith(".yaml")))


def read_recipe(profile: str) -> Recipe:
    """A recipe by its profile name or by the path of a YAML file.

    Raises:
        UsageError: no such profile or file.
        ConlipaError: a key or value that a recipe does not have, with the file and the nearest right one.
    """
    path = Path(profile) if profile.endswith((".yaml", ".yml")) else RECIPES / f"{profile}.yaml"
    if not path.is_file():
        raise UsageError(f"unknown profile '{profile}'{nearest(profile, profiles())} (profiles: {', '.join(profiles())}, or a .yaml file)")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConlipaError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise ConlipaError(f"{path}: expected a mapping of name, encoder, ner, ipac")
    sections = {"encoder": Encoder, "ner": Ner, "ipac": Ipac}
    _check_keys(path, "", raw, ["name", *sections])
    built = {key: _section(path, key, kind, raw.get(key) or {}) for key, kind in sections.items()}
    _check_weights(path, built["ner"])
    return Recipe(name=str(raw.get("name", path.stem)), **built)


def _check_weights(path: Path, ner: Ner) -> None:
    changes = ner.augmentation
    if ner.denoise_weight and not (changes.share and (changes.mask or changes.noise)):
        raise ConlipaError(f"{path}: ner.denoise_weight has nothing to guess: ner.augmentation needs a share, and mask or noise")
    if not (ner.tag_weight or ner.denoise_weight):
        raise ConlipaError(f"{path}: ner.tag_weight and ner.denoise_weight are both 0: there is nothing to learn")


def _check_keys(path: Path, where: str, raw: dict[str, Any], known: list[str]) -> None:
    for key in raw:
        if key not in known:
            raise ConlipaError(f"{path}: unknown key '{where}{key}'{nearest(str(key), known)}")


def _section(path: Path, name: str, kind: Any, raw: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    _check_keys(path, f"{name}.", raw, list(hints))
    values = {}
    for key, value in raw.items():
        if hints[key] is float and isinstance(value, str | int):
            value = _number(path, f"{name}.{key}", value)  # YAML reads 1e-5 as a string
        if isinstance(value, list):
            value = tuple(value)
        if dataclasses.is_dataclass(hints[key]) and isinstance(value, dict):
            value = _section(path, f"{name}.{key}", hints[key], value)
        if not _fits(value, hints[key]):
            raise ConlipaError(f"{path}: {name}.{key} is {value!r}, expected {getattr(hints[key], '__name__', str(hints[key]))}")
        values[key] = value
    return kind(**values)


def _number(path: Path, where: str, value: str | int) -> float:
    try:
        return float(value)
    except ValueError:
        raise ConlipaError(f"{path}: {where} is {value!r}, expected a number") from None


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = getattr(hint, "__origin__", None), getattr(hint, "__args__", ())
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if arguments:
        return any(_fits(value, part) for part in arguments)
    return isinstance(value, hint) and not (hint is int and isinstance(value, bool))
