"""The report as a user makes it: its numbers are those of other commands and of the papers, its page stands alone, and a kill leaves no trace."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from conlipa.atomic_files import write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.evaluation.evaluation import evaluate, tagged
from conlipa.modeling.evaluation.metrics import entity_f1, paper_f1
from conlipa.modeling.evaluation.papers import cases, row, table
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.inference.prediction import has_bf16
from conlipa.modeling.recipe_file import read_recipe, with_ipac
from conlipa.modeling.report import __main__ as command
from conlipa.modeling.report import claims, main_results
from conlipa.modeling.report.claims import Claim
from conlipa.modeling.report.kept import Kept
from conlipa.modeling.report.measured import runs_of
from conlipa.modeling.report.page import html
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.studies.ablation import read_study
from conlipa.modeling.studies.runs import seeded
from tests.conftest import ROOT, TINY, begun, run, running_until

SMALL = TINY.replace("batch_size: 64", "batch_size: 128").replace("{korean_pairs", "{languages: [swa], korean_pairs")
"""A recipe whose stage 2 takes a second, however many Korean pairs a study wants: it has none."""
SECTIONS = "main,korean,control"
SEEDS, SENTENCES = 2, 5
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""So that in one process or two the sums come in one order."""


class Made:
    """A finished report of the tiny model on the built-in sample."""

    def __init__(self, release: Path, folder: Path) -> None:
        self.ner, self.adapter, self.out = release / "tiny-ner", release / "tiny-ipac", folder / "out"
        self.recipe, self.baseline = folder / "small.yaml", folder / "stage1.json"
        self.recipe.write_text(SMALL, encoding="utf-8")

    def options(self, out: Path, **more: object) -> list[str]:
        named = {"profile": self.recipe, "model": self.ner, "adapter": self.adapter, "seeds": SEEDS, "sentences": SENTENCES, "only": SECTIONS}
        chosen = {**named, "out": out, **more}
        return [part for name, value in chosen.items() for part in (f"--{name}", str(value))]

    def inputs(self, **more: object) -> Inputs:
        return command.inputs_of(command.parser().parse_args(self.options(self.out, **more)))

    def numbers(self, key: str) -> Any:
        return json.loads((self.out / f"{key}.json").read_text(encoding="utf-8"))

    def text(self, name: str) -> str:
        return (self.out / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    report = Made(tiny_release, tmp_path_factory.mktemp("report"))
    write_json(evaluate(str(report.ner), None, Corpus("sample"), None, "validation"), report.baseline)
    run("-m", "conlipa.modeling.report", *report.options(report.out, baseline=f"stage1={report.baseline}"), env=ONE_THREAD)
    return report


def tables(markdown: str) -> list[list[dict[str, str]]]:
    """Each table of a Markdown text, a row as heading → cell."""
    found: list[list[list[str]]] = [[]]
    for line in markdown.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [[dict(zip(lines[0], cells, strict=True)) for cells in lines[2:]] for lines in found if lines]


def test_main_results_are_those_of_conlipa_evaluate(made: Made) -> None:
    before = json.loads(made.baseline.read_text(encoding="utf-8"))
    after = evaluate(str(made.ner), str(made.adapter), Corpus("sample"), None, "validation")
    found = made.numbers("main")["cases"]
    assert set(found) == {"1", "2", "3"}
    for case, numbers in found.items():
        langs = numbers["languages"]
        assert langs == [iso for iso in cases()[case] if iso in before["languages"]]
        for score in ("paper_f1", "entity_f1"):
            for when, theirs in (("before", before), ("after", after)):
                own = numbers[score][when]
                assert own["average"]["value"] == pytest.approx(mean(theirs["languages"][iso][score] for iso in langs))
                for iso in langs:
                    value = own["languages"][iso]
                    assert value["value"] == pytest.approx(theirs["languages"][iso][score])
                    assert value["low"] <= value["value"] <= value["high"]
            difference = numbers[score]["difference"]
            assert difference["difference"] == pytest.approx(
                numbers[score]["after"]["average"]["value"] - numbers[score]["before"]["average"]["value"]
            )
            assert difference["low"] < difference["high"]


def test_the_papers_columns_are_theirs_and_a_baseline_has_its_own(made: Made) -> None:
    summary, _, case_2, *_ = tables(made.text("main.md"))
    langs = made.numbers("main")["cases"]["2"]["languages"]
    by_label = {cells["language"]: cells for cells in case_2}
    for model, name in (("mBERT", "zero_shot_3"), ("CANINE", "zero_shot_3"), ("XPhoneBERT", "zero_shot_3"), ("CONLIPA", "ipac_2")):
        printed = row(name, "2", model)
        for cells in case_2[: len(langs)]:
            iso = cells["language"].partition("(")[2].rstrip(")")
            assert float(cells[f"papers' {model}"]) == printed.values[iso]
            assert cells["before paper_f1"].split()[0] == cells["stage1 paper_f1"]
        same = mean(printed.values[iso] for iso in langs)
        assert by_label["**AVG**, same languages"][f"papers' {model}"] == f"{same:.2f}"
        assert by_label["**AVG** as printed"][f"papers' {model}"] == f"{printed.average:.2f}"
        (line,) = (cells for cells in summary if cells["case"] == "2" and cells["score"] == "paper_f1")
        assert line[f"papers' {model}, same languages"] == f"{same:.2f}"
    xlm_r = tables(made.text("main.md"))[-1]
    (printed,) = (found for found in table("zero_shot_4") if found.case == "3" and found.model == "XLM-R")
    assert {cells["language"][-4:-1]: float(cells["papers' XLM-R"]) for cells in xlm_r if "(" in cells["language"]}.items() <= printed.values.items()


def test_a_study_counts_what_its_adapters_say(made: Made) -> None:
    inputs, found = made.inputs(), made.numbers("korean")
    assert found["sentences"] == SENTENCES
    arms = {"none": None, "16": {"korean_pairs": 16}}
    for arm, settings in arms.items():
        for seed in range(SEEDS if settings else 1):
            adapter = runs_of(inputs).adapter(seeded(with_ipac(inputs.recipe, settings, Path()), seed)) if settings else None
            model, tokenizer = load_adapted(inputs.ner, str(adapter) if adapter else None)
            for iso in ("sin", "uzb"):
                said = tagged(model, tokenizer, inputs.corpus, iso, "validation", SENTENCES, bf16=has_bf16())
                scores = found["arms"][arm]
                assert scores["paper_f1"]["languages"][iso][seed] == pytest.approx(paper_f1(said.positions, said.predicted_positions))
                assert scores["entity_f1"]["languages"][iso][seed] == pytest.approx(entity_f1(said.words, said.predicted_words))
    scores = found["arms"]["16"]["paper_f1"]
    assert scores["mean"] == pytest.approx(mean(value for values in scores["languages"].values() for value in values))
    theirs, _ = tables(made.text("korean.md"))
    langs = [iso for iso in cases()["3"] if iso in found["languages"]]
    for cells in theirs:
        printed = row("ipac_9", "3", "XPhoneBERT" if cells["Korean pairs"] == "none" else f"Korean-{cells['Korean pairs']}")
        assert cells["papers' Case 3"] == f"{mean(printed.values[iso] for iso in langs):.2f}"
        assert cells["papers' Case 3, as printed"] == f"{printed.average:.2f}"


def test_arms_of_the_same_settings_are_one_run(made: Made) -> None:
    records = list((made.out / "work" / "runs").glob("*/training.json"))
    own = read_recipe(str(made.recipe)).ipac.korean_pairs
    different = {64, *map(int, read_study("korean").arms.keys() - {"none"})} - {own}
    assert len(records) == SEEDS * (len(different) + len(read_study("control").arms) - 1)


def test_the_page_stands_alone(made: Made) -> None:
    page = made.text("report.html")
    assert not re.findall(r"<(?:script|link|img|iframe|object)\b", page)
    assert all(target.startswith("#") for target in re.findall(r"\b(?:src|href)=\"([^\"]*)\"", page))
    assert "@import" not in page
    assert page.count("<svg ") == 1
    assert (
        page.count("<table>") == page.count('<div class="scroll"><table>') == sum(len(tables(made.text(f"{key}.md"))) for key in SECTIONS.split(","))
    )
    for key in SECTIONS.split(","):
        assert f'<section id="{key}">' in page
        assert f'href="#{key}"' in page
        assert made.text(f"{key}.md").strip() in made.text("report.md")
    assert str(made.out) not in page + made.text("report.md")


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    assert "<script>" not in html("<script>alert(1)</script>", {})


def test_a_section_is_kept_for_what_it_was_made_from_alone(made: Made) -> None:
    inputs = made.inputs(baseline=f"stage1={made.baseline}")
    assert isinstance(Kept(inputs).read("main"), Section)
    assert Kept(inputs).read("embedding") is None
    for other in (replace(inputs, seeds=3), replace(inputs, sentences=6), replace(inputs, adapter=inputs.ner), replace(inputs, baselines={})):
        assert Kept(other).read("main") is None


def test_claims_are_lines_of_what_the_studies_measured(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "CLAIMS", (Claim("IPAC raises F1", "control", "true pairs", ("none",)),))
    memory = made.out / "work" / claims.COSINE
    unmeasured = claims.section(made.inputs())
    assert "not measured" in unmeasured.body
    claims.keep_cosines(made.inputs(), {"eng-ori": {"before": [0.5] * 10, "after": [[0.6] * 10, [0.62] * 10]}})
    lines = tables(claims.section(made.inputs()).body)[0]
    memory.unlink()
    study = made.numbers("control")["arms"]["true pairs"]
    assert [cells["score"] for cells in lines] == ["paper_f1", "entity_f1", "cosine"]
    for cells in lines[:2]:
        assert cells["effect"] == f"{study[cells['score']]['difference']['difference']:+.2f}"
    assert lines[2]["verdict"] == "**holds**"
    assert lines[2]["effect"] == "+11.00"
    assert lines[2]["papers' effect"] == "+1.84"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"only": "main,koreans"}, 2, "--only koreans: no such section; did you mean korean?"),
        ({"seeds": 0}, 2, "--seeds is 0; at least 1"),
        ({"jobs": 0}, 2, "--jobs is 0; at least 1"),
        ({"profile": "minni"}, 2, "unknown profile 'minni'; did you mean mini"),
        ({"baseline": "nothing"}, 2, "expected NAME=FILE"),
        ({"baseline": "x=/nowhere.json"}, 1, "/nowhere.json: cannot be read"),
        ({"baseline": f"x={ROOT / 'pyproject.toml'}"}, 1, "is no JSON of `conlipa evaluate --json`"),
        ({"corpus": "/nowhere"}, 1, "/nowhere: no such corpus folder"),
        ({"model": "/nowhere"}, 1, "/nowhere: no such model folder"),
        ({"adapter": "/nowhere"}, 1, "/nowhere: no such adapter folder"),
    ],
)
def test_a_bad_argument_is_told_in_one_line(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: dict[str, str], code: int, said: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["conlipa.modeling.report", *made.options(tmp_path / "out", **options)])
    with pytest.raises(SystemExit) as ended:
        command.main()
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == code
    assert line.startswith("conlipa: error: ")
    assert said in line
    assert not (tmp_path / "out").exists()


def test_a_profile_that_the_model_was_not_trained_by_is_refused_before_any_work(tmp_path: Path) -> None:
    def begun_with(*options: str) -> Inputs:
        return command.inputs_of(command.parser().parse_args(["--out", str(tmp_path / "out"), *options]))

    ner, adapter = packaged("mini-en")
    english = ["--model", ner, "--adapter", str(adapter)]
    with pytest.raises(ConlipaError, match=r"ner: was trained by a recipe whose name is conlipa-mini-en, .* \(--profile mini-en, "):
        begun_with(*english)
    with pytest.raises(ConlipaError, match=r"whose encoder\.layers is 6, and with --profile mini-en and --set it is 2"):
        begun_with(*english, "--profile", "mini-en", "--set", "encoder.layers=2", "--set", "ipac.epochs=1")
    assert begun_with(*english, "--profile", "mini-en", "--set", "ipac.epochs=1").recipe.name == "conlipa-mini-en"
    assert begun_with().recipe.name == "conlipa-mini"
    assert not (tmp_path / "out").exists()


def test_the_tutorials_commands_name_the_profile_of_their_model() -> None:
    text = (ROOT / "docs" / "tutorials" / "reproduce.md").read_text(encoding="utf-8")
    studies = [line for line in text.splitlines() if line.startswith("python -m conlipa.modeling.")]
    assert len(studies) == 3
    for line in studies:
        named = dict(re.findall(r"--(profile|model|ner) (\S+)", line))
        assert (named.get("model") or named["ner"]).endswith(f"/{read_recipe(named['profile']).name}-ner")


def test_a_baseline_of_other_sentences_is_refused(made: Made, tmp_path: Path) -> None:
    report = json.loads(made.baseline.read_text(encoding="utf-8"))
    report["languages"]["tuk"]["n"] -= 1
    write_json(report, tmp_path / "other.json")
    with pytest.raises(ConlipaError, match="baseline x: 79 sentences of tuk were evaluated, this corpus has 80"):
        main_results.section(made.inputs(baseline=f"x={tmp_path / 'other.json'}"))


@pytest.mark.slow
def test_killed_and_started_again_by_two_processes_the_report_is_the_same(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["-m", "conlipa.modeling.report", *made.options(out, baseline=f"stage1={made.baseline}", jobs=2, only="main,control")]
    running = begun(*arguments, env=ONE_THREAD)
    running_until(running, lambda: list((out / "work" / "runs").glob("*/training.json")))
    running.kill()
    running.wait()
    assert (out / "main.md").is_file()
    assert not (out / "report.html").exists()
    trained = {path: path.stat().st_mtime_ns for path in (out / "work" / "runs").glob("*/training.json")}
    run(*arguments, env=ONE_THREAD)
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
    for name in ("main.md", "main.json", "control.md", "control.json"):
        assert (out / name).read_bytes() == (made.out / name).read_bytes(), name
