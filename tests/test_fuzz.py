"""Every kind of file that the user did not write with this kit, damaged at random: it is read, or refused in one line; nothing else.

`CONLIPA_FUZZ=2000 pytest tests/test_fuzz.py` tries so many inputs of each kind; a plain run tries a few. The places are listed in CONTRIBUTING.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conlipa.dataset_scripts.g2p.letter_map import read_letter_map
from conlipa.dataset_scripts.quality.error_rates import read_dictionary
from conlipa.dataset_scripts.wikiann.convert import convert
from conlipa.dataset_scripts.wikiann.foreign import read_foreign
from conlipa.dataset_scripts.wikiann.transcribe import transcribe_shard
from conlipa.dataset_scripts.wikiann.wikiann import Folder
from conlipa.errors import ConlipaError
from conlipa.hub_cards.plan import plan
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.encoder import load_tagger
from conlipa.modeling.evaluation.prediction_file import scored
from conlipa.modeling.inference.export import export
from conlipa.modeling.inference.lexicon import known_in, lexicon_of
from conlipa.modeling.inference.loading import load_backend, temperature
from conlipa.modeling.pretrained import load_adapter
from conlipa.modeling.recipe_file import read_recipe
from conlipa.space import documents
from tests.conftest import ROOT

INPUTS = int(os.environ.get("CONLIPA_FUZZ", "10"))
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    2**31,
    10**400,
    0.5,
    float("nan"),
    float("inf"),
    "",
    "a",
    "../x",
    "\x00",
    "९",
    "ʃ" * 999,
    [],
    {},
    [[[]]],
    {"a": [1]},
]
MARKS = ["\0", "\n", "\r", "\t", '"', ",", "{", "]", ":", "-", "I-PER", "B-", "\u2028", "\ufeff", "9" * 5000, " "]
BYTES = [b"\xff\xfe", *(mark.encode() for mark in MARKS)]


class Kind:
    """One kind of file: where a good one comes from, and who reads it."""

    def __init__(self, good: Callable[[Path, Path], Path], read: Callable[[Path, Path], Any]) -> None:
        """`good(release, folder)`: write a good file (and what belongs to it) under the folder; `read(file, folder)`: what the kit does with it."""
        self.good, self.read = good, read


def copied(part: str, name: str) -> Callable[[Path, Path], Path]:
    return lambda release, folder: Path(shutil.copytree(release / part, folder / part)) / name


def written(name: str, content: str) -> Callable[[Path, Path], Path]:
    def write(release: Path, folder: Path) -> Path:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
        return folder / name

    return write


def corpus_in_parquet(release: Path, folder: Path) -> Path:
    shutil.copytree(release / "wikiann-ipa" / "tgk", folder / "corpus" / "tgk")
    return folder / "corpus" / "tgk" / "validation.parquet"


def texts_in_parquet(release: Path, folder: Path) -> Path:
    rows = Corpus("sample").split("tgk", "validation").select_columns(["tokens"])
    rows.to_parquet(folder / "in.parquet")
    return folder / "in.parquet"


def onnx_file(release: Path, folder: Path) -> Path:
    export(str(release / "tiny-ner"), None, folder / "model.onnx")
    return folder / "model.onnx"


def whole_release(name: str) -> Callable[[Path, Path], Path]:
    return lambda release, folder: Path(shutil.copytree(release, folder / "release")) / name


def transcribed(file: Path, folder: Path) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out").mkdir()
    transcribe_shard(file, folder / "out" / "one.parquet", "tgk", "auto")


def with_adapter(file: Path, folder: Path) -> None:
    load_adapter(load_tagger(str(folder / "tiny-ner"))[0], str(folder / "tiny-ner"), str(folder / "tiny-ipac"))


def adapter(name: str) -> Callable[[Path, Path], Path]:
    def copy(release: Path, folder: Path) -> Path:
        shutil.copytree(release / "tiny-ner", folder / "tiny-ner")
        return Path(shutil.copytree(release / "tiny-ipac", folder / "tiny-ipac")) / name

    return copy


TAGGED = [("Душанбе", "B-LOC"), ("—", "O"), ("пойтахт", "O"), ("Садриддин", "B-PER"), ("Айнӣ", "I-PER")]
TSV = "".join(f"{token}\t{tag}\n" for token, tag in TAGGED) + "\n"
JSONL = '{"tokens": ["a", "b"], "ner_tags": ["B-PER", "O"]}\n' * 3
MINI = (ROOT / "modeling" / "recipes" / "mini.yaml").read_text(encoding="utf-8")
KINDS = {
    "recipe": Kind(written("r.yaml", MINI), lambda f, _: read_recipe(str(f))),
    "letter table": Kind(written("t.csv", "Orth,Phon\na,a\nsh,ʃ\nch,tʃ\nñ,ɲ\nʻ,ʔ\nh,\n"), lambda f, _: read_letter_map(f)),
    "corpus": Kind(written("c/tgk/dev.tsv", TSV * 3), lambda _, folder: Folder(folder / "c").sentences("tgk", "validation")),
    "CoNLL": Kind(written("c.conll", TSV.replace("\t", " X Y ") * 3), lambda f, _: convert(read_foreign(f, None, None), {"MISC": "O"})),
    "JSON Lines": Kind(written("c.jsonl", JSONL), lambda f, _: convert(read_foreign(f, None, None), {})),
    "uploaded table": Kind(written("t.csv", 'id;text\n1;"Anna; and\nBen"\n2;Oslo\n' * 3), lambda f, _: documents.texts(f, "text")),
    "uploaded JSON Lines": Kind(written("t.jsonl", '{"n": 1, "text": "Oslo"}\n' * 3), lambda f, _: documents.texts(f, "text")),
    "predictions": Kind(
        lambda release, folder: written("p.tsv", _labels("tgk"))(release, folder), lambda f, _: scored(f, Corpus("sample"), ["tgk"], "validation")
    ),
    "dictionary": Kind(written("tgk.tsv", "китоб\tk i t o b\n# x\nоб\to b\n"), lambda f, _: read_dictionary(f)),
    "config.json": Kind(copied("tiny-ner", "config.json"), lambda f, _: load_tagger(str(f.parent))),
    "tokenizer.json": Kind(copied("tiny-ner", "tokenizer.json"), lambda f, _: load_tagger(str(f.parent))),
    "tokenizer_config.json": Kind(copied("tiny-ner", "tokenizer_config.json"), lambda f, _: load_tagger(str(f.parent))),
    "model.safetensors": Kind(copied("tiny-ner", "model.safetensors"), lambda f, _: load_tagger(str(f.parent))),
    "adapter_config.json": Kind(adapter("adapter_config.json"), with_adapter),
    "adapter_model.safetensors": Kind(adapter("adapter_model.safetensors"), with_adapter),
    "calibration.json": Kind(
        written("calibration.json", '{"temperature": 1.5, "ece_before": 3.0}'), lambda f, folder: temperature(str(folder), None)
    ),
    "words.json": Kind(
        written("words.json", '{"language": "kir", "names": {"Ош": "LOC", "Ош тоосу": "LOC"}, "others": ["келди", "бийик"]}'),
        lambda f, folder: known_in("kir", lexicon_of(folder)),
    ),
    "model.onnx": Kind(onnx_file, lambda f, _: load_backend(str(f))),
    "release.json": Kind(whole_release("release.json"), lambda f, _: plan(f.parent, "someone")),
    "card": Kind(whole_release("tiny-ner/README.md"), lambda f, folder: plan(folder / "release", "someone")),
    "parquet of a release": Kind(corpus_in_parquet, lambda f, folder: Corpus(str(folder / "corpus")).split("tgk", "validation")),
    "parquet to transcribe": Kind(texts_in_parquet, transcribed),
}


def _labels(lang: str) -> str:
    rows = Corpus("sample").split(lang, "validation")
    return "".join("".join(f"{token}\tO\n" for token in tokens) + "\n" for tokens in rows["tokens"])


def damaged(good: bytes, draw: random.Random) -> bytes:
    """The content with one to three changes: of its bytes, or, where it is JSON or YAML, of one value somewhere in it."""
    if draw.random() < 0.5:
        for load, dump in ((json.loads, json.dumps), (yaml.safe_load, yaml.safe_dump)):
            try:
                tree = load(good.decode())
            except (ValueError, yaml.YAMLError):
                continue
            if isinstance(tree, dict):
                _replace(tree, draw)
                return str(dump(tree)).encode("utf-8", "surrogatepass")
    content = bytearray(good)
    for _ in range(draw.randint(1, 3)):
        start = draw.randrange(len(content) + 1) if draw.random() < 0.5 else draw.randrange(min(400, len(content) + 1))
        stop = min(len(content), start + draw.choice([0, 1, 2, 8, 100, len(content)]))
        content[start:stop] = draw.choice([b"", draw.choice(BYTES), draw.randbytes(draw.randint(1, 9)), bytes(content[start:stop]) * 2])
    return bytes(content)


def _replace(tree: Any, draw: random.Random) -> None:
    """Another value somewhere in nested mappings and lists."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = draw.choice(keys) if keys else None
    if key is not None and isinstance(tree[key], dict | list) and tree[key] and draw.random() < 0.7:
        _replace(tree[key], draw)
    elif key is not None:
        tree[key] = draw.choice(VALUES)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_read_or_refused_in_one_line(name: str, tiny_release: Path, tmp_path: Path) -> None:
    kind = KINDS[name]
    file = kind.good(tiny_release, tmp_path)
    good = file.read_bytes()
    kind.read(file, tmp_path)
    refused = 0
    for number in range(INPUTS):
        content = damaged(good, random.Random(f"{name} {number}"))
        file.write_bytes(content)
        try:
            kind.read(file, tmp_path)
        except ConlipaError:
            refused += 1
        except BaseException as error:  # panics of Rust are no `Exception`
            pytest.fail(f"input {number} of {name!r}: {type(error).__name__}: {str(error)[:500]}")
    print(f"{name}: {INPUTS} inputs, {refused} refused")
    assert refused or INPUTS < 10


def test_an_error_is_one_line_whatever_the_file_put_into_it() -> None:
    error = ConlipaError("file.csv: \n\x1b[31m" + "9" * 10**6 + " is no number")
    assert str(error).startswith("file.csv:")
    assert str(error).endswith("9 is no number")
    assert len(str(error)) == 400
    assert str(error).isprintable()


def test_damage_is_damage() -> None:
    good = b'{"a": 1, "b": [1, 2, {"c": 3}]}'
    assert len({damaged(good, random.Random(number)) for number in range(50)} - {good}) > 20
