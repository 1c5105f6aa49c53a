from __future__ import annotations

from pathlib import Path

import pytest
from datasets import load_dataset

import conlipa
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError, UsageError
from tests.conftest import run

CONFIGS = ["all", "extra", *GROUPS["all"], *GROUPS["extra"]]


@pytest.mark.parametrize("config", CONFIGS)
def test_conlipa_loads_offline(config: str) -> None:
    pairs = load_dataset("conlipa", config, split="train")
    expected = sum(len(read_pairs(pairs_path(iso))) for iso in GROUPS.get(config, [config]))
    assert len(pairs) == expected
    assert pairs.column_names == ["language", "target", "english", "target_ipa", "english_ipa", "origin", "similarity"]
    assert all(pairs["target_ipa"])


def test_conlipa_s_default_is_the_ten_languages() -> None:
    assert set(load_dataset("conlipa", split="train")["language"]) == set(GROUPS["all"])


def test_conlipa_streams_and_loads_in_two_processes() -> None:
    streamed = list(load_dataset("conlipa", "all", split="train", streaming=True))
    parallel = load_dataset("conlipa", "all", split="train", num_proc=2)
    assert streamed == list(parallel)
    assert streamed == list(load_dataset("conlipa", "all", split="train"))


def test_an_unknown_config_is_refused() -> None:
    with pytest.raises(ValueError, match="BuilderConfig 'xyz' not found"):
        load_dataset("conlipa", "xyz")


@pytest.mark.parametrize(("name", "config"), [("wikiann_ipa", "eng"), ("conlipa", "kat")])
def test_files_of_the_user_are_not_answered_with_built_in_data(name: str, config: str) -> None:
    for files in ("my.tsv", {"train": "my.tsv"}):
        with pytest.raises(UsageError, match=rf"{name}: expected no data_files; .* data_dir="):
            load_dataset(name, config, data_files=files)


def test_wikiann_ipa_of_the_sample() -> None:
    sinhala = load_dataset("wikiann_ipa", "sin", split="validation")
    assert len(sinhala) == 80
    assert sinhala.features["ner_tags"].feature.names == LABELS
    for row in sinhala:
        assert len(row["tokens"]) == len(row["ner_tags"]) == len(row["ipa_tokens"])
        assert all(ipa and "  " not in ipa for ipa in row["ipa_tokens"])


def test_wikiann_ipa_of_a_folder_follows_its_content(tmp_path: Path) -> None:
    (tmp_path / "tur").mkdir()
    file = tmp_path / "tur" / "dev.tsv"
    for city, ipa in (("Ankara", "a n k a ɾ a"), ("Adana", "a d a n a")):
        file.write_text(f"{city}\tB-LOC\n(\tO\n1999\tO\n", encoding="utf-8")
        (row,) = load_dataset("wikiann_ipa", "tur", data_dir=str(tmp_path), split="validation")
        assert row == {"tokens": [city, "(", "1999"], "ner_tags": [5, 0, 0], "ipa_tokens": [ipa, "(", "1 9 9 9"]}


def test_wikiann_ipa_streams_and_loads_in_two_processes() -> None:
    plain = list(load_dataset("wikiann_ipa", "tgk", split="validation"))
    assert list(load_dataset("wikiann_ipa", "tgk", split="validation", streaming=True)) == plain
    assert list(load_dataset("wikiann_ipa", "tgk", split="validation", num_proc=2)) == plain


def test_loading_works_in_a_fresh_process_without_network() -> None:
    code = "import conlipa; from datasets import load_dataset; print(len(load_dataset('conlipa', 'kat', split='train')))"
    assert run("-c", code, env={"HF_HUB_OFFLINE": "1"}).stdout.strip() == str(len(read_pairs(pairs_path("kat"))))


def test_the_public_functions_load_what_load_dataset_loads(tmp_path: Path) -> None:
    assert list(conlipa.load_pairs("kat")) == list(load_dataset("conlipa", "kat", split="train"))
    assert set(conlipa.load_pairs()["language"]) == set(GROUPS["all"])
    assert list(conlipa.load_wikiann_ipa("tgk")["validation"]) == list(load_dataset("wikiann_ipa", "tgk", split="validation"))
    (tmp_path / "tur").mkdir()
    (tmp_path / "tur" / "test.tsv").write_text("Ankara\tB-LOC\n", encoding="utf-8")
    read = conlipa.load_wikiann_ipa("tur", data_dir=str(tmp_path))
    assert {split: list(rows) for split, rows in read.items()} == {"test": [{"tokens": ["Ankara"], "ner_tags": [5], "ipa_tokens": ["a n k a ɾ a"]}]}


def test_the_public_functions_say_what_is_wrong_in_one_line() -> None:
    with pytest.raises(UsageError, match="conlipa has no 'kro'; did you mean kor"):
        conlipa.load_pairs("kro")
    with pytest.raises(UsageError, match="unknown language 'sim'"):
        conlipa.load_wikiann_ipa("sim")
    with pytest.raises(ConlipaError, match="no validation split of French"):
        conlipa.load_wikiann_ipa("fra")


IN_THREADS = """
import conlipa, importlib.util, threading
def ask(number):
    importlib.util.find_spec("datasets")
    if number % 2:
        import datasets
threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
"""


@pytest.mark.parametrize(
    "before",
    [
        "import datasets; import conlipa",
        "import conlipa; import datasets",
        "import conlipa, importlib.util; specs = [importlib.util.find_spec('datasets') for _ in range(3)]; assert all(specs)",
        "import conlipa; from transformers import Trainer",
        IN_THREADS,
    ],
    ids=["datasets first", "conlipa first", "find_spec", "transformers", "threads"],
)
def test_both_names_are_known_however_datasets_is_first_touched(before: str) -> None:
    check = """
import inspect, sys
from datasets import load_dataset_builder
assert load_dataset_builder("conlipa", "kat").info.features and load_dataset_builder("wikiann_ipa", "sin").info.features
import datasets
assert "_when" not in repr(sys.meta_path).lower()  # no trace of it is left
assert inspect.getsource(datasets) and type(datasets.__loader__) is type(inspect.__loader__)
"""
    run("-c", before + check)


def test_another_version_of_datasets_can_still_be_imported() -> None:
    code = """
import warnings
warnings.simplefilter("error", UserWarning)
import conlipa, datasets.packaged_modules as packaged_modules
known = packaged_modules._PACKAGED_DATASETS_MODULES
del packaged_modules._PACKAGED_DATASETS_MODULES
try:
    conlipa.register()
except conlipa.ConlipaError as error:
    print(error)
"""
    assert "use conlipa.load_pairs()" in run("-c", code).stdout


def test_an_upgraded_engine_is_not_answered_from_an_old_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    from conlipa.dataset_scripts import tables

    before = tables.digest.__wrapped__()
    assert tables.digest.__wrapped__() == before
    monkeypatch.setattr(tables, "version", lambda name: "99" if name == "epitran" else "1")
    upgraded = tables.digest.__wrapped__()
    monkeypatch.setattr(tables, "version", lambda name: "1")
    assert len({before, upgraded, tables.digest.__wrapped__()}) == 3
