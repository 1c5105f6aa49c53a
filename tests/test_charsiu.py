"""CharsiuG2P's architecture, small and with random weights: what the engine does around the model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from pyarrow import parquet
from transformers import ByT5Tokenizer, T5Config, T5ForConditionalGeneration

from conlipa import load_wikiann_ipa
from conlipa.dataset_scripts.g2p import charsiu
from conlipa.dataset_scripts.g2p.engines import engine
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.tables import rows
from conlipa.dataset_scripts.wikiann.transcribe import transcribe_corpus
from conlipa.errors import ConlipaError
from tests.conftest import complaint, conlipa

WORDS = ["müzik", "a", "Türkiye", "ev", "a", "İstanbul", "çok", "bilgisayar"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("charsiu"))


def saved(place: Path, seed: int = 0) -> Path:
    """A model of its own in a folder."""
    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=384, d_model=32, d_kv=8, d_ff=64, num_layers=3, num_decoder_layers=1, num_heads=4,
        feed_forward_proj="gated-gelu", decoder_start_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    with torch.no_grad():  # strong weights, and an output of small letters alone
        for parameter in model.parameters():
            parameter.mul_(4)
        letters = ByT5Tokenizer()("abcdefghijklmnopqrstuvwxyz", add_special_tokens=False)["input_ids"]
        model.lm_head.weight[[number for number in range(config.vocab_size) if number not in letters]] = 0
    model.save_pretrained(place)
    return place


@pytest.fixture
def turkish(folder: Path, monkeypatch: pytest.MonkeyPatch) -> charsiu.Charsiu:
    monkeypatch.setattr(charsiu, "_LONGEST_IPA", 12)
    return charsiu.Charsiu(f"tur@{folder}")


def test_batches_give_what_each_word_alone_gives_in_order(turkish: charsiu.Charsiu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charsiu, "_BATCH", 3)
    together = turkish.transcribe(WORDS)
    assert together == [turkish.transcribe([word])[0] for word in WORDS]
    assert len(set(together)) > 1  # random weights, but not the same for every word
    assert turkish.transcribe([]) == []


def test_the_model_gets_each_distinct_word_once_in_its_own_form(turkish: charsiu.Charsiu, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    real = ByT5Tokenizer.__call__

    def spy(self: ByT5Tokenizer, texts: list[str], **options: object) -> object:
        asked.append(texts)
        assert options["add_special_tokens"] is False
        return real(self, texts, **options)

    monkeypatch.setattr(ByT5Tokenizer, "__call__", spy)
    monkeypatch.setattr(charsiu, "_BATCH", 4)
    turkish.transcribe(WORDS)
    assert sorted(text for batch in asked for text in batch) == sorted(f"<tur>: {word}" for word in set(WORDS))
    assert [len(text.encode()) for batch in asked for text in batch] == sorted(len(text.encode()) for batch in asked for text in batch)


def test_a_word_too_long_is_left_to_the_next_engine(turkish: charsiu.Charsiu) -> None:
    assert turkish.transcribe(["x" * 5000, "ev"]) == ["", turkish.transcribe(["ev"])[0]]


def test_the_length_of_what_it_writes_is_capped(turkish: charsiu.Charsiu) -> None:
    assert all(len(ipa.encode()) <= 12 for ipa in turkish.transcribe(WORDS))


def test_it_is_an_engine_like_the_others(folder: Path) -> None:
    name = f"charsiu:tur@{folder}"
    found = Phonemizer("tur", name)(["ev", "1999", "İstanbul'da"])
    assert found[1] == list("1999")
    assert all(found)
    assert engine(name) is engine(name)
    assert conlipa("phonemize", "--lang", "tur", "--engine", name, stdin="ev 1999\n\n").stdout.endswith(" ▁ 1 9 9 9\n\n")


def test_another_model_in_the_folder_is_another_engine(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charsiu, "_LONGEST_IPA", 12)
    corpus, own, name = tmp_path / "corpus", tmp_path / "model", f"charsiu:tur@{tmp_path / 'model'}"
    (corpus / "tur").mkdir(parents=True)
    (corpus / "tur" / "dev.tsv").write_text("".join(f"{word}\tO\n" for word in WORDS), encoding="utf-8")
    parquet.write_table(pa.table({"text": WORDS}), tmp_path / "in.parquet")

    def now() -> list[list[str]]:
        return load_wikiann_ipa("tur", data_dir=str(corpus), engine=name)["validation"]["ipa_tokens"][:]

    shutil.copytree(folder, own)
    before = now()
    assert transcribe_corpus(tmp_path / "in.parquet", tmp_path / "out", "tur", name)["rows"] == len(WORDS)
    assert transcribe_corpus(tmp_path / "in.parquet", tmp_path / "out", "tur", name)["rows"] == 0
    assert now() == before
    saved(own, seed=1)
    after = now()
    assert after != before
    assert after == [[" ".join(phonemes) for phonemes in Phonemizer("tur", f"charsiu:tur@{saved(tmp_path / 'other', seed=1)}")(WORDS)]]
    with pytest.raises(ConlipaError, match="as its model is now; name another --out"):
        transcribe_corpus(tmp_path / "in.parquet", tmp_path / "out", "tur", name)


def test_every_language_that_it_serves_is_in_the_table_once() -> None:
    table = rows("charsiu.csv")
    served = [row["iso"] for row in table if row["iso"]]
    assert len(served) == len(set(served)) > 50
    assert set(served) <= set(languages())
    assert len({row["code"] for row in table}) == len(table) == 100
    assert charsiu.engines("tur") == ("charsiu:tur",)
    assert charsiu.engines("cmn") == ("charsiu:zho-s",)
    assert charsiu.engines("kin") == ()
    assert not [row.iso for row in languages().values() if any(name.startswith("charsiu") for name in row.engines)]


@pytest.mark.parametrize("env", [{"HF_HUB_OFFLINE": "1"}, {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_network_it_says_so(tmp_path: Path, env: dict[str, str]) -> None:
    reason = complaint("phonemize", "--lang", "tur", "--engine", "charsiu", code=1, env={**env, "HF_HOME": str(tmp_path)})
    assert reason.startswith("charsiu/g2p_multilingual_byT5_small_100 is a Hub repo, and")


def test_mistakes_are_errors(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ConlipaError, match=r"Kinyarwanda \(kin\) has no engine 'charsiu' \(it has: epitran:kin-Latn\)"):
        Phonemizer("kin", "charsiu")
    with pytest.raises(ConlipaError, match="CharsiuG2P has no language code 'turr'; did you mean tur"):
        charsiu.Charsiu(f"turr@{folder}")
    with pytest.raises(ConlipaError, match=r"no model folder \(config.json is missing\)"):
        charsiu.Charsiu(f"tur@{tmp_path}")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ConlipaError, match="cannot be loaded"):
        charsiu.Charsiu(f"tur@{tmp_path}")
