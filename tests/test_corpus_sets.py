"""`--corpus`: several folders, several sets of a language, titles and running text side by side."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conlipa.cli import _parser
from conlipa.dataset_scripts.wikiann.places import Place, places
from conlipa.dataset_scripts.wikiann.wikiann import Folder, source
from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.train import parser as training
from tests.conftest import complaint, conlipa


def put(folder: Path, name: str, *cities: str, split: str = "dev") -> Path:
    """A set of one-word sentences."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / f"{split}.tsv").write_text("".join(f"{city}\tB-LOC\n\n" for city in cities), encoding="utf-8")
    return folder


@pytest.fixture
def titles(tmp_path: Path) -> Path:
    put(tmp_path / "titles", "tgk", "Хуҷанд")
    return put(tmp_path / "titles", "tur", "Ankara", "İzmir")


@pytest.fixture
def running(tmp_path: Path) -> Path:
    for name, city in (("tur_10", "Van"), ("tur", "Adana"), ("tur_2", "Bursa"), ("tuk", "Mary")):
        put(tmp_path / "running", name, city)
    return put(tmp_path / "running", "tur_x", "Sivas")


def said(*folders: Path | str) -> str:
    return os.pathsep.join(map(str, folders))


def test_all_places_that_have_a_language_count(titles: Path, running: Path) -> None:
    joined = source(said(titles, f"running={running}"))
    assert isinstance(joined, Folder)
    assert joined.languages("validation") == [iso for iso in joined.languages() if iso in ("tgk", "tur", "tuk")]
    assert [(each.name, each.kind, each.path) for each in joined.sets("tur", "validation")] == [
        ("tur", "titles", titles / "tur" / "dev.tsv"),
        ("tur", "running", running / "tur" / "dev.tsv"),
        ("tur_2", "running", running / "tur_2" / "dev.tsv"),
        ("tur_10", "running", running / "tur_10" / "dev.tsv"),
    ]
    assert joined.sets("tur", "train") == []
    assert [s.tokens[0] for s in joined.sentences("tur", "validation")] == ["Ankara", "İzmir", "Adana", "Bursa", "Van"]


def test_the_fingerprint_follows_every_set(titles: Path, running: Path) -> None:
    def now() -> list[str]:
        return [source(said(titles, f"running={running}")).fingerprint("tur"), Corpus(said(titles, f"running={running}")).fingerprint()]

    before = now()
    put(running, "tur_10", "Muş")
    assert not set(before) & set(now())


def test_a_corpus_gives_each_kind_by_itself_or_all(titles: Path, running: Path) -> None:
    corpus = Corpus(said(f"titles={titles}", f"running={running}"))
    cities = {kind: [tokens[0] for tokens in corpus.split("tur", "validation", kind)["tokens"]] for kind in (None, *corpus.kinds)}
    assert cities == {
        "titles": ["Ankara", "İzmir"],
        "running": ["Adana", "Bursa", "Van"],
        None: ["Ankara", "İzmir", "Adana", "Bursa", "Van"],
    }
    assert set(corpus.languages("validation", "running")) == {"tur", "tuk"}
    with pytest.raises(ConlipaError, match="no validation split of Tajik"):
        corpus.split("tgk", "validation", "running")
    with pytest.raises(ConlipaError, match="no sentences of the kind 'running'"):
        Corpus(str(titles)).split("tur", "validation", "running")


def test_the_parquet_of_a_release_is_joined_by_running_text(tiny_release: Path, running: Path) -> None:
    corpus = Corpus(said(f"titles={tiny_release / 'wikiann-ipa'}", f"running={running}"))
    alone = Corpus(str(tiny_release / "wikiann-ipa")).split("tur", "validation")
    both = corpus.split("tur", "validation")
    assert both["ipa_tokens"][:] == [*alone["ipa_tokens"][:], ["a d a n a"], ["b u ɾ s a"], ["v a n"]]
    assert both.features == alone.features


def test_a_set_is_excluded_by_the_name_of_its_folder_though_it_is_its_languages_only_one(titles: Path, running: Path) -> None:
    put(running, "tgk_2", "Душанбе")
    found = Corpus(said(f"titles={titles}", f"running={running}")).sets(["tgk", "tur"], "validation")
    assert [(each.kind, each.name, each.among) for each in found] == [
        ("titles", "tgk", None),
        ("titles", "tur", None),
        ("running", "tgk_2", None),
        ("running", "tur", (0, 1)),
        ("running", "tur_2", (1, 2)),
        ("running", "tur_10", (2, 3)),
    ]


@pytest.mark.parametrize("option", ["--corpus", "--wikiann"])
def test_evaluate_scores_a_language_by_its_kind(titles: Path, running: Path, tmp_path: Path, option: str) -> None:
    where = said(running) if option == "--wikiann" else said(f"titles={titles}", f"running={running}")
    done = conlipa("evaluate", "--model", "mini", option, where, "--langs", "tur", "--json", str(tmp_path / "o.json"))
    scores = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    if option == "--wikiann":
        assert scores["languages"]["tur"]["n"] == 3
        assert "running" not in scores
    else:
        assert (scores["languages"]["tur"]["n"], scores["running"]["languages"]["tur"]["n"]) == (2, 3)
        assert done.stdout.index("(tur)") < done.stdout.index("running:") < done.stdout.rindex("(tur)")


def test_evaluate_finds_a_language_that_has_running_text_alone(titles: Path, running: Path) -> None:
    where = said(f"titles={titles}", f"running={running}")
    done = conlipa("evaluate", "--model", "mini", "--corpus", where, "--langs", "tuk").stdout
    assert done.startswith("running:")
    assert "| Turkmen (tuk) | 1 |" in done
    assert "no validation split of Sinhala (sin)" in complaint("evaluate", "--model", "mini", "--corpus", where, "--langs", "tuk,sin", code=1)


def test_running_text_alone_is_not_released(running: Path, tmp_path: Path) -> None:
    assert "has running text alone" in complaint("release", "--corpus", f"running={running}", "--out", str(tmp_path / "out"), code=1)
    assert not (tmp_path / "out").exists()


def test_what_names_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = [tmp_path / f"a{os.pathsep}b", tmp_path / "kind=x"]
    for folder in odd:
        folder.mkdir()
        assert places(str(folder)) == (Place(str(folder)),)
    assert places(None) == places("") == places("sample") == (Place("sample"),)
    assert places(f"running=sample{os.pathsep}a") == (Place("sample", "running"), Place("a"))
    with pytest.raises(UsageError, match="nor kind of sentences 'runing'; did you mean running"):
        places("runing=a")
    with pytest.raises(UsageError, match="a: is named twice"):
        places(f"titles=a{os.pathsep}running=a")


def test_the_hub_stands_alone_in_a_data_dir() -> None:
    with pytest.raises(UsageError, match="hub stands alone here"):
        source(f"sample{os.pathsep}hub")


def test_every_command_has_both_names() -> None:
    commands = [["release"], ["evaluate", "--model", "tests"], ["train.py", "ner", "--dry-run"]]
    for name in ("--corpus", "--wikiann"):
        for first, *more in commands:
            arguments = (training() if first == "train.py" else _parser()).parse_args([*([first] if first != "train.py" else []), *more, name, "A"])
            assert arguments.corpus == "A"
