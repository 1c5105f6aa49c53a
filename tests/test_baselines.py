"""The papers' baselines on graphemes: their real architectures (small, from config) through stage 1, evaluation and stage 2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    CanineConfig,
    CanineModel,
    CanineTokenizer,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError
from conlipa.modeling.encoder import load_tagger, pretrained_encoder, save_tagger
from conlipa.modeling.graphemes import encode_graphemes
from conlipa.modeling.recipe import Encoder
from conlipa.modeling.tokenizer import phoneme_tokenizer
from tests.conftest import conlipa, run

OUT, B_LOC, I_LOC, B_PER, I_PER = (LABELS.index(label) for label in ("O", "B-LOC", "I-LOC", "B-PER", "I-PER"))
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,'()-0123456789"
SHAPE: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}


def bert(folder: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Lon", "##don", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocab = folder / "vocab.txt"
    vocab.write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(vocab={word: number for number, word in enumerate(words)}, do_lower_case=False).save_pretrained(folder)
    BertModel(BertConfig(vocab_size=len(words), **SHAPE)).save_pretrained(folder)


def xlm_r(folder: Path) -> None:
    pieces = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")] + [("▁", -1.0), ("▁Lon", -1.5), ("don", -1.5)]
    backend = Tokenizer(models.Unigram([*pieces, *((letter, -3.0) for letter in LETTERS)], unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    special = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=backend, **special).save_pretrained(folder)
    XLMRobertaModel(XLMRobertaConfig(vocab_size=len(pieces) + len(LETTERS), pad_token_id=1, **SHAPE)).save_pretrained(folder)


def canine(folder: Path) -> None:
    CanineTokenizer().save_pretrained(folder)
    CanineModel(CanineConfig(num_hash_buckets=256, local_transformer_stride=8, **SHAPE)).save_pretrained(folder)


MODELS = {"bert": bert, "xlm-r": xlm_r, "canine": canine}


@pytest.fixture
def pretrained(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / str(request.param)
    folder.mkdir()
    MODELS[request.param](folder)
    return folder


@pytest.mark.parametrize("pretrained", MODELS, indirect=True)
def test_every_piece_or_character_has_its_words_label(pretrained: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(pretrained)
    made = encode_graphemes(tokenizer, ["In", "London", "Ann", "."], [OUT, B_LOC, B_PER, OUT], 128)
    labels: dict[int, list[int]] = {}
    for word, label in zip(made["word_ids"], made["labels"], strict=True):
        labels.setdefault(word, []).append(label)
    assert set(labels.pop(-1)) == {OUT}
    assert labels[1] == [B_LOC, *[I_LOC] * (len(labels[1]) - 1)]
    assert labels[2] == [B_PER, *[I_PER] * (len(labels[2]) - 1)]
    assert len(labels[1]) == (6 if pretrained.name == "canine" else 2)
    short = encode_graphemes(tokenizer, ["London"] * 20, [B_LOC] * 20, 16)
    assert len(short["input_ids"]) == len(short["labels"]) == len(short["word_ids"]) == 16


@pytest.mark.parametrize("pretrained", MODELS, indirect=True)
def test_the_papers_pooler_is_carried_by_roberta_alone(pretrained: Path) -> None:
    model, _ = pretrained_encoder(Encoder(repo=str(pretrained), input="graphemes", pooler=True))
    assert any(name.startswith("roberta.pooler") for name, _ in model.named_parameters()) == (pretrained.name == "xlm-r")


def test_googles_first_names_of_weights_are_known(tmp_path: Path) -> None:
    bert(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    named = {
        f"bert.{name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')}": w for name, w in weights.items()
    }
    drawn = {name: torch.rand_like(w) if "LayerNorm" in name else w for name, w in named.items()}
    head = {"cls.predictions.bias": torch.zeros(3), "cls.predictions.transform.LayerNorm.gamma": torch.ones(32)}
    save_file({**drawn, **head}, tmp_path / "model.safetensors", {"format": "pt"})
    model, _ = pretrained_encoder(Encoder(repo=str(tmp_path), input="graphemes"))
    own = model.state_dict()
    old = {name: w for name, w in drawn.items() if name.endswith(("gamma", "beta"))}
    assert len(old) == 6
    assert all(torch.equal(own[name.replace("gamma", "weight").replace("beta", "bias")], w) for name, w in old.items())
    doubled = {"bert.embeddings.LayerNorm.weight": torch.ones(32)}
    save_file({**drawn, **doubled}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConlipaError, match=r"1 weights are unexpected: bert\.embeddings\.LayerNorm\.gamma"):
        pretrained_encoder(Encoder(repo=str(tmp_path), input="graphemes"))


@pytest.mark.slow
@pytest.mark.parametrize("pretrained", MODELS, indirect=True)
def test_a_baseline_is_trained_and_evaluated_as_any_model(pretrained: Path, tmp_path: Path) -> None:
    recipe, out, scores = tmp_path / "recipe.yaml", tmp_path / "ner", tmp_path / "scores.json"
    recipe.write_text(
        f"name: baseline\nencoder: {{repo: {pretrained}, input: graphemes}}\n"
        "ner: {sentences_per_language: 128, epochs: 3, batch_size: 16, learning_rate: 3e-3, log_every: 1}\n"
        "ipac: {languages: [tur, swa], epochs: 1, batch_size: 64, replay_weight: 1.0, learning_rate: 1e-3}\n",
        encoding="utf-8",
    )
    run("modeling/train.py", "ner", "--profile", str(recipe), "--out", str(out))
    conlipa("evaluate", "--model", str(out), "--langs", "eng,swa", "--json", str(scores))
    found = json.loads(scores.read_text(encoding="utf-8"))["languages"]
    assert set(found) == {"eng", "swa"}
    assert 0 < found["eng"]["paper_f1"] < 100
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    losses = [row["loss"] for row in record["loss"]]
    assert sum(losses[-3:]) < sum(losses[:3])
    assert len(losses) == 24
    run("modeling/train.py", "ipac", "--profile", str(recipe), "--ner", str(out), "--out", str(tmp_path / "ipac"))


def phoneme_bert(folder: Path) -> None:
    """As XPhoneBERT lies on the Hub: RoBERTa, and of its tokenizer `tokenizer.json` alone."""
    tokenizer = phoneme_tokenizer()
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    RobertaForMaskedLM(RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=514, type_vocab_size=1, **SHAPE)).save_pretrained(folder)


def test_a_tokenizer_file_alone_is_read_as_it_stands_and_saved_for_stock_classes(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    (tmp_path / "hub").mkdir()
    phoneme_bert(tmp_path / "hub")
    words = "h ə l oʊ ▁ tʃ ɛ ʃ ɹ tʰ"
    expected = phoneme_tokenizer()(words)["input_ids"]
    assert len(expected) == len(words.split()) + 2
    assert AutoTokenizer.from_pretrained(tmp_path / "hub")(words)["input_ids"] != expected  # what transformers makes of it drops phonemes
    model, tokenizer = pretrained_encoder(Encoder(repo=str(tmp_path / "hub")))
    assert tokenizer(words)["input_ids"] == expected
    save_tagger(model, tokenizer, tmp_path / "ner")
    assert AutoTokenizer.from_pretrained(tmp_path / "ner")(words)["input_ids"] == expected
    assert load_tagger(str(tmp_path / "ner"))[1](words)["input_ids"] == expected


def test_a_tokenizer_that_cuts_phonemes_is_refused(tmp_path: Path) -> None:
    bert(tmp_path)
    with pytest.raises(ConlipaError, match=r"its tokenizer gives 8 ids for a ▁ ts tʃ n, expected 7, its ends counted; is encoder\.input graphemes\?"):
        pretrained_encoder(Encoder(repo=str(tmp_path)))


def test_no_process_waits_for_the_gradient_of_a_pooler_that_nothing_reads(tmp_path: Path) -> None:
    canine(tmp_path)
    model, _ = pretrained_encoder(Encoder(repo=str(tmp_path), input="graphemes"))
    assert {parameter.requires_grad for parameter in model.base_model.pooler.parameters()} == {False}
    assert all(parameter.requires_grad for name, parameter in model.named_parameters() if ".pooler." not in name)


def test_graphemes_need_a_pretrained_model(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("name: none\nencoder: {input: graphemes}\n", encoding="utf-8")
    done = run("modeling/train.py", "ner", "--profile", str(recipe), "--out", str(tmp_path / "ner"), code=1)
    assert "conlipa: error: encoder.input is graphemes, which needs encoder.repo" in done.stderr
