"""The phoneme encoder with its tagging head: a stock RoBERTa, new from a recipe or pretrained from the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn.utils import parametrize
from transformers import RobertaConfig, RobertaForTokenClassification, RobertaModel
from transformers.masking_utils import create_bidirectional_mask

from conlipa.dataset_scripts.g2p.ipa import is_ipa
from conlipa.dataset_scripts.g2p.similarity import features
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError
from conlipa.foreign import one_line
from conlipa.modeling.alignment import MOST_MARKS
from conlipa.modeling.pretrained import load_adapter, load_encoder, load_model, load_tokenizer
from conlipa.modeling.recipe import GRAPHEMES, MARKED_PHONEMES, PHONEMES, Encoder, LabelBias
from conlipa.modeling.tokenizer import phoneme_tokenizer, size, vocabulary

_INPUT_KIND = "conlipa_input"
"""Where a model's own configuration says what it reads."""
_PHONEMES = "a ▁ ts tʃ n"
"""Five ids of any phoneme tokenizer, known or not; others cut the affricates, or drop what is not ASCII."""


def config_of(recipe: Encoder) -> RobertaConfig:
    """The RoBERTa configuration of a recipe, with the seven labels; needs neither weights nor Hub."""
    return RobertaConfig(
        vocab_size=recipe.vocab_size or size(),
        hidden_size=recipe.hidden_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        intermediate_size=recipe.intermediate_size,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=recipe.dropout,
        max_position_embeddings=recipe.max_positions,
        type_vocab_size=1,
        layer_norm_eps=recipe.layer_norm_eps,
        conlipa_input=recipe.input_kind,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )


def new_encoder(recipe: Encoder) -> RobertaForTokenClassification:
    """An encoder with random weights of the recipe's shape."""
    model = RobertaForTokenClassification(config_of(recipe))
    if recipe.pooler:
        model.roberta = _with_pooler(model.config)
    if recipe.articulatory:
        parametrize.register_parametrization(model.roberta.embeddings.word_embeddings, "weight", ArticulatoryEmbedding(recipe.hidden_size))
    return model


def pretrained_encoder(recipe: Encoder) -> tuple[Any, Any]:
    """Encoder and tokenizer for stage 1: of the recipe's Hub repo or folder, or new ones.

    Raises:
        ConlipaError: the Hub cannot be reached, or the repo holds no encoder that can tag, or one of too few positions.
    """
    if not recipe.repo:
        if recipe.input == GRAPHEMES:
            raise ConlipaError("encoder.input is graphemes, which needs encoder.repo: a pretrained model and its tokenizer")
        return new_encoder(recipe), tokenizer_of(recipe)
    tokenizer, model = tokenizer_of(recipe), load_encoder(recipe.repo, recipe.revision)
    setattr(model.config, _INPUT_KIND, recipe.input_kind)
    _check_fit(recipe.repo, model, tokenizer, recipe.max_length)
    if recipe.pooler and hasattr(model, "roberta"):
        body = _with_pooler(model.config)
        body.load_state_dict(model.roberta.state_dict(), strict=False)
        model.roberta = body
    if (pooler := getattr(model.base_model, "pooler", None)) is not None:  # CANINE's: processes would wait for its gradient
        pooler.requires_grad_(False)
    return model, tokenizer


def tokenizer_of(recipe: Encoder) -> Any:
    """The tokenizer of the recipe's Hub repo or folder, or the kit's own.

    Raises:
        ConlipaError: it cannot be loaded, or cuts phonemes where the recipe's input is phonemes.
    """
    if not recipe.repo:
        return phoneme_tokenizer(recipe.max_length)
    tokenizer = load_tokenizer(recipe.repo, recipe.revision)
    if recipe.input != GRAPHEMES:
        _check_phonemes(recipe.repo, tokenizer)
    return tokenizer


def _check_phonemes(where: str, tokenizer: Any) -> None:
    """Raises ConlipaError where a tokenizer does not give one id a phoneme between two ends: labels would stand at other phonemes."""
    with one_line(f"{where}: its tokenizer"):
        given, expected = len(tokenizer(_PHONEMES)["input_ids"]), len(_PHONEMES.split()) + 2
    if given != expected:
        many = f"{given} ids for {_PHONEMES}, expected {expected}, its ends counted"
        raise ConlipaError(f"{where}: its tokenizer gives {many}; is encoder.input graphemes?")


def _with_pooler(config: RobertaConfig) -> RobertaModel:
    """The body with BERT's pooler, which takes no part in tagging: no gradient reaches it."""
    body = RobertaModel(config, add_pooling_layer=True)
    body.pooler.requires_grad_(False)
    return body


class ArticulatoryEmbedding(nn.Module):
    """Phoneme embedding = a free vector + a learnt linear map of the phoneme's articulatory features (panphon, 24 of them in {-1, 0, 1}).

    Zero-shot languages have phonemes that English lacks: through its features each one starts near its neighbours.
    Only used while training; what is saved is the sum, a plain embedding matrix.
    """

    features: torch.Tensor

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        known = {number: features(token) for token, number in vocabulary().items() if is_ipa(token)}
        width = max(map(len, known.values()))
        rows = torch.zeros(size(), width)
        for number, values in known.items():
            if values:
                rows[number] = torch.tensor(values, dtype=torch.float32)
        self.register_buffer("features", rows, persistent=False)
        self.weight = nn.Parameter(torch.randn(width, hidden_size) * 0.02)

    def forward(self, free: torch.Tensor) -> torch.Tensor:
        """(vocabulary, hidden) to (vocabulary, hidden)."""
        return free + self.features @ self.weight


def plain_state_dict(model: Any) -> dict[str, torch.Tensor]:
    """The weights as stock `transformers` expects them: no parametrisation, no pooler."""
    state = {name: tensor for name, tensor in model.state_dict().items() if "parametrizations" not in name and not name.startswith("roberta.pooler")}
    if any("parametrizations" in name for name in model.state_dict()):
        state["roberta.embeddings.word_embeddings.weight"] = model.roberta.embeddings.word_embeddings.weight.detach()
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}


def save_tagger(model: Any, tokenizer: Any, folder: Path, bias: LabelBias | None = None) -> None:
    """Write a model folder that stock classes load (safetensors, config, tokenizer); `bias` is added to the classifier's own."""
    plain = type(model)(model.config)
    plain.load_state_dict(plain_state_dict(model))
    if bias:
        plain.classifier.bias.data += torch.tensor(bias.of_labels())
    plain.save_pretrained(folder)
    if tokenizer.is_fast:  # how the last call cut and filled is no part of it
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)


def with_short_attention(model: Any) -> Any:
    """The model, attending by plain matrix products where it runs on a CPU: for 128 positions and fewer faster than by blocks of them."""
    if not torch.cuda.is_available():
        model.set_attn_implementation("eager")
    return model


def attention_of(model: Any, mask: torch.Tensor) -> torch.Tensor:
    """The mask that layers attend by, from a (rows, positions) one.

    Given the latter, `transformers` reads whether it hides anything: on a GPU the one time in a step that Python waits for the device.
    """
    if model.config.model_type == "canine":  # it makes several masks, of characters and of blocks of them, from this one
        return mask
    like = torch.empty(*mask.shape, 1, device=mask.device)
    made = create_bidirectional_mask(config=model.config, inputs_embeds=like, attention_mask=mask, allow_is_bidirectional_skip=False)
    return cast(torch.Tensor, made)


def input_kind_of(model: Any) -> str:
    """`PHONEMES`, `MARKED_PHONEMES` or `GRAPHEMES`: what a model reads."""
    return str(getattr(model.config, _INPUT_KIND, PHONEMES))


def without_case_marks(model: Any) -> None:
    """Have a model read its texts as if they had no capitals."""
    if input_kind_of(model) == MARKED_PHONEMES:
        setattr(model.config, _INPUT_KIND, PHONEMES)


def load_tagger(where: str) -> tuple[Any, Any]:
    """Model and tokenizer from a folder or a Hub repo, in float32, ready to predict.

    Raises:
        ConlipaError: see `pretrained.py`.
    """
    model, tokenizer = load_model(where), load_tokenizer(where)
    _check_fit(where, model, tokenizer)
    return model, tokenizer


def _check_fit(where: str, model: Any, tokenizer: Any, asked: int = 0) -> None:
    """Raises ConlipaError where the tokenizer, or a recipe that asks for so many positions, gives what the model has no embedding for."""
    config = model.config
    if config.pad_token_id is None:
        raise ConlipaError(f"{where}: its configuration has no pad_token_id")
    marks = MOST_MARKS if input_kind_of(model) == MARKED_PHONEMES else 0
    offset = config.pad_token_id + 1 if "roberta" in config.model_type else 0  # RoBERTa counts positions from there
    given = max_length(tokenizer)
    longest = max(given, asked) + marks + offset
    if longest > config.max_position_embeddings:
        giver = "encoder.max_length" if asked > given else "the tokenizer"
        raise ConlipaError(f"{where}: {giver} gives {longest} positions, and the model has {config.max_position_embeddings}")
    if input_kind_of(model) != GRAPHEMES:
        _check_phonemes(where, tokenizer)
    if config.model_type != "canine" and len(tokenizer) > config.vocab_size:
        raise ConlipaError(f"{where}: the tokenizer has {len(tokenizer)} ids, and the model {config.vocab_size}")


def load_adapted(where: str, adapter: str | None, merge: bool = True) -> tuple[Any, Any]:
    """`load_tagger` with a LoRA adapter on top, merged into the weights or not."""
    model, tokenizer = load_tagger(where)
    if adapter is None:
        return model, tokenizer
    adapted = load_adapter(model, where, adapter)
    return (adapted.merge_and_unload() if merge else adapted), tokenizer


def max_length(tokenizer: Any) -> int:
    """Positions a sentence may take: the papers' 128, less where the model has less."""
    return min(128, int(tokenizer.model_max_length))


def count(module: nn.Module) -> int:
    """Number of parameters."""
    return sum(parameter.numel() for parameter in module.parameters())
