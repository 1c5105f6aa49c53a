"""`conlipa adapt`: a few tagged sentences in, a PEFT repo with its card out."""

from __future__ import annotations

import copy
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from conlipa import Tagger
from conlipa.dataset_scripts.known_names import known_names
from conlipa.dataset_scripts.wikiann.foreign import Columns
from conlipa.errors import ConlipaError
from conlipa.modeling.adaptation.adapt import HALF_WAY, _alone, _fitted_to, _scores, adapt
from conlipa.modeling.adaptation.stage import AdaptStage
from conlipa.modeling.adaptation.tagged_file import read_tagged_file
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.lexicon import Lexicon, known_in, lexicon_of
from conlipa.modeling.inference.loading import temperature
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.inference.reasons import LISTED
from conlipa.modeling.records import trained_on
from tests import conftest
from tests.conftest import ROOT, begun, running_until

TRY = """
import json, sys
from peft import AutoPeftModelForTokenClassification
model = AutoPeftModelForTokenClassification.from_pretrained(sys.argv[1])
print(json.dumps([model.config.num_labels, model.peft_config["default"].base_model_name_or_path]))
"""


def conll(path: Path, sentences: int) -> Path:
    """The first sentences of the sample, as a user writes them."""
    rows = Corpus("sample").split("eng", "train").select(range(sentences))
    names = rows.features["ner_tags"].feature.names
    blocks = ("".join(f"{token}\t{names[tag]}\n" for token, tag in zip(row["tokens"], row["ner_tags"], strict=True)) for row in rows)
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


def conlipa(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return conftest.conlipa(*arguments, code=None)


@pytest.fixture(scope="module")
def fitted(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The adapter, the file that it was made from, and what was printed."""
    folder = tmp_path_factory.mktemp("adapt")
    file = conll(folder / "mine.conll", 10)
    model = Path(shutil.copytree(tiny_release / "tiny-ner", folder / "tiny-ner"))
    (model / "calibration.json").write_text('{"temperature": 1.5}', encoding="utf-8")
    ran = conlipa("adapt", "--corpus", file, "--lang", "eng", "--map", "DRUG=O", "--model", model, "--out", folder / "mine")
    assert ran.returncode == 0, ran.stderr
    return folder / "mine", file, ran.stdout


@pytest.mark.slow
def test_the_adapter_is_a_peft_repo_that_stock_classes_load(fitted: tuple[Path, Path, str]) -> None:
    out, _, _ = fitted
    model = out.parent / "tiny-ner"
    ran = subprocess.run([sys.executable, "-c", TRY, str(out)], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == [7, str(model)]
    tagged = conlipa("tag", "--lang", "eng", "--model", model, "--adapter", out, ROOT / "LICENSE")
    assert tagged.returncode == 0, tagged.stderr
    assert temperature(str(model), str(out)) == 1.5  # of the tagger that was fitted


def loss(out: Path, file: Path, adapter: str | None) -> float:
    """Of the sentences that were fitted, with the adapter or without."""
    _, rows = read_tagged_file(file, "eng", "auto", {"DRUG": "O"})
    stage = AdaptStage(str(out.parent / "tiny-ner"), adapter, rows, "eng")
    with torch.no_grad():
        return sum(float(stage.module(stage.collate(batch))[0][0]) for batch in stage.batches(0))


@pytest.mark.slow
def test_it_learns_and_says_what_that_brings(fitted: tuple[Path, Path, str]) -> None:
    out, file, said = fitted
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    weights = load_file(out / "adapter_model.safetensors")
    assert all(bool(weight.any()) == (record["share"] > 0) for name, weight in weights.items() if "lora_B" in name)  # they begin at zero
    assert record["sentences"] == len(record["fitted_to"]) == 10
    assert record["languages"] == trained_on(str(out.parent / "tiny-ner"))  # of the model, which an adapter on top of this one has as well
    assert record["share"] == 0 or loss(out, file, str(out)) < loss(out, file, None)
    assert record["share"] in (HALF_WAY, 0)
    lexicon = lexicon_of(out)
    assert lexicon
    assert bool(lexicon.names) == (record["share"] > 0)
    assert record["low"] <= record["after"] - record["before"] <= record["high"]
    assert f"{record['before']:.2f} before, {record['after']:.2f} after" in said
    card = (out / "README.md").read_text(encoding="utf-8")
    assert f"| fitted | {record['after']} |" in card
    assert "conlipa adapt --corpus FILE --lang eng --map DRUG=O --model tiny-ner --out mine" in card
    assert not list(out.parent.glob(".mine.adapt"))


def test_the_model_stays_as_it_is_only_where_harm_is_sure() -> None:
    rows = [{"ner_tags": [1]}] * 20

    def share(harmed: int, helped: int = 0) -> float:
        after = [[0]] * harmed + [[1]] * (20 - harmed)
        before = [[1]] * (20 - helped) + [[0]] * helped
        scores = _scores(rows, [{"rows": list(range(20)), "after": after, "before": before}])
        assert scores["low"] <= scores["after"] - scores["before"] <= scores["high"]
        return float(scores["share"])

    assert share(0) == share(0, helped=9) == HALF_WAY  # no change, a gain
    assert share(1) == HALF_WAY  # one name of twenty is chance
    assert share(12) == 0.0


@pytest.mark.slow
def test_weights_go_back_to_where_they_came_from(tiny_release: Path) -> None:
    rows = [{"tokens": ["Anna", "sings"], "ner_tags": [1, 0], "ipa_tokens": ["æ n ə", "s ɪ ŋ z"]}] * 5
    stage = AdaptStage(str(tiny_release / "tiny-ner"), None, rows, "eng")
    trained = {name: weight for name, weight in stage.module.named_parameters() if weight.requires_grad}
    start = {name: weight.detach().clone() for name, weight in trained.items()}
    with torch.no_grad():
        for weight in trained.values():
            weight.add_(1.0)
    for share in (1.0, 0.5, 0.0):
        stage.go_back_to(share)
        assert all(torch.allclose(trained[name], start[name] + share) for name in start)


@pytest.mark.slow
def test_done_it_is_not_done_again_and_takes_nobody_elses_folder(fitted: tuple[Path, Path, str], tmp_path: Path) -> None:
    out, file, said = fitted
    before = (out / "adapter_model.safetensors").stat().st_mtime_ns
    card = (out / "README.md").read_text(encoding="utf-8") + "Mine.\n"
    (out / "README.md").write_text(card, encoding="utf-8")
    common = ("--lang", "eng", "--model", out.parent / "tiny-ner", "--out", out)
    again = conlipa("adapt", "--corpus", file, *common)
    assert (again.returncode, again.stdout) == (0, said)
    assert (out / "adapter_model.safetensors").stat().st_mtime_ns == before
    assert (out / "README.md").read_text(encoding="utf-8") == card
    other = conlipa("adapt", "--corpus", conll(tmp_path / "other.conll", 6), *common)
    assert other.returncode == 1
    assert "holds something else" in other.stderr


@pytest.mark.slow
def test_interrupted_it_goes_on_where_it_was_and_ends_the_same(fitted: tuple[Path, Path, str], tmp_path: Path) -> None:
    whole, file, said = fitted
    command = ("adapt", "--corpus", file, "--lang", "eng", "--model", whole.parent / "tiny-ner", "--out", tmp_path / "mine")
    said_so_far = tmp_path / "err"
    run = begun("-m", "conlipa", *command, stderr=said_so_far)
    running_until(run, lambda: "fold 3" in said_so_far.read_text(encoding="utf-8"))
    run.send_signal(signal.SIGTERM)
    run.wait(300)
    rest = said_so_far.read_text(encoding="utf-8")
    assert run.returncode in (143, -signal.SIGTERM), rest  # within a fold, or between two
    assert not (tmp_path / "mine").exists()
    again = conlipa(*command)
    assert (again.returncode, again.stdout) == (0, said), again.stderr
    assert "fold 2" not in again.stderr
    all_named = all("B-" in sentence for sentence in file.read_text(encoding="utf-8").strip().split("\n\n"))
    assert ("every sentence holds a name" in again.stderr) == all_named
    assert (tmp_path / "mine" / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()


def _named(tag: str, sentences: int) -> str:
    return "".join(f"Anna{'na' * number}\t{tag}\n\n" for number in range(sentences))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (_named("B-PER", 4), "4 sentences, expected 5 to 2,000; tag some more"),
        (_named("B-PER", 4) * 3, "4 sentences, expected 5 to 2,000; tag some more"),  # a sentence held out must not be trained on in a copy
        (_named("O", 8), "0 names are marked, expected at least 5"),
        (_named("X-PER", 8), "mine.conll: types that are none of"),
        ("", "holds no sentence"),
        (_named("B-PER", 8), "cannot be derived from its script: Latn is the script of"),
        ("1\tAnna\tB-PER\n2\tsings\tO\n\n" * 8, "its first column numbers the words; name those of token and tag, as in --columns 2,-1"),
    ],
)
def test_a_file_that_is_not_enough_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "mine.conll").write_text(content, encoding="utf-8")
    with pytest.raises(ConlipaError, match=complaint):
        read_tagged_file(tmp_path / "mine.conll", None, "auto", {})


def test_the_language_is_that_of_the_script(tmp_path: Path) -> None:
    (tmp_path / "mine.conll").write_text("".join(f"ශ්‍රී\tB-LOC\nලංකාව\tI-LOC\n{number}\tO\n\n" for number in range(8)), encoding="utf-8")
    lang, rows = read_tagged_file(tmp_path / "mine.conll", None, "auto", {})
    assert (lang, len(rows)) == ("sin", 8)


def test_bad_input_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.conll").write_text("Anna\tB-GPE\n\n" * 8, encoding="utf-8")
    ran = conlipa("adapt", "--corpus", tmp_path / "mine.conll", "--lang", "eng", "--out", tmp_path / "out")
    assert ran.returncode == 1
    assert "mine.conll: types that are none of LOC, ORG, PER: GPE (8 tokens); say what each becomes, as in --map GPE=O" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.conll"]


def test_columns_numbers_and_comments_are_read_as_asked(tmp_path: Path) -> None:
    blocks = "".join(f"# sent_id = {number}\n1\tAnna{number}\tB-PER\n2\tsings\tO\n\n" for number in range(8))
    (tmp_path / "mine.conll").write_text(blocks, encoding="utf-8")
    _, rows = read_tagged_file(tmp_path / "mine.conll", "eng", "auto", {}, columns=Columns.parse("2,-1"))
    assert [row["tokens"] for row in rows[:2]] == [["Anna0", "sings"], ["Anna1", "sings"]]
    lines = "".join(json.dumps({"tokens": [f"Anna{number}", "sings"], "tags": [1, 0]}) + "\n" for number in range(8))
    (tmp_path / "mine.jsonl").write_text(lines, encoding="utf-8")
    _, rows = read_tagged_file(tmp_path / "mine.jsonl", "eng", "auto", {}, labels=["O", "B-PER"])
    assert rows[0]["ner_tags"] == [1, 0]


def test_a_language_that_the_table_lacks_is_read_by_its_own_letters(tmp_path: Path) -> None:
    (tmp_path / "haw.csv").write_text("Orth,Phon\na,a\nn,n\n", encoding="utf-8")
    (tmp_path / "mine.conll").write_text(_named("B-PER", 8), encoding="utf-8")
    for given, iso in (("haw", "haw"), ("Tajik", "tgk")):
        lang, rows = read_tagged_file(tmp_path / "mine.conll", given, f"map:{tmp_path / 'haw.csv'}", {})
        assert (lang, rows[0]["ipa_tokens"]) == (iso, ["a n a"])


def test_a_long_sentence_is_labelled_to_its_end(tiny_release: Path) -> None:
    row = next(iter(Corpus("sample").split("eng", "train")))
    long = {name: list(row[name]) * 20 for name in ("tokens", "ner_tags", "ipa_tokens")}
    stage = AdaptStage(str(tiny_release / "tiny-ner"), None, [row, long], "eng")
    short_labels, labels = stage.labels([row, long], known_names("eng"))
    assert (len(short_labels), len(labels)) == (len(row["tokens"]), len(long["tokens"]))
    head = stage.module.model.base_model.model.classifier
    with torch.no_grad():
        getattr(head, "modules_to_save", {"default": head})["default"].bias[0] -= 20  # everything is a name
    assert all(stage.labels([long], known_names("eng"))[0])


def test_two_processes_do_not_write_one_folder(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    with _alone(out), pytest.raises(ConlipaError, match="another process is writing it"), _alone(out):
        pass
    assert not list(tmp_path.iterdir())


def test_a_language_that_was_adapted_to_is_no_zero_shot_one(tmp_path: Path) -> None:
    for name, record in (("ner", {"languages": ["eng", "deu"]}), ("ipac", {"languages": ["eng", "deu"]}), ("mine", {"language": "tgk"})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "training.json").write_text(json.dumps(record), encoding="utf-8")
    ner, ipac, mine = (str(tmp_path / name) for name in ("ner", "ipac", "mine"))
    assert trained_on(ner, mine) == ["eng", "deu", "tgk"]
    assert trained_on(ner, ipac) == trained_on(ner) == ["eng", "deu"]
    assert trained_on(str(tmp_path)) == []
    (tmp_path / "training.json").write_text("[", encoding="utf-8")
    with pytest.raises(ConlipaError, match="not JSON"):
        trained_on(str(tmp_path))


def test_the_code_that_pan_x_puts_before_each_token_is_taken_off(tmp_path: Path) -> None:
    file = tmp_path / "mine.conll"
    file.write_text("".join(f"tg:Душанбе{number}\tB-LOC\ntg:шаҳр\tO\n\n" for number in range(6)), encoding="utf-8")
    _, rows = read_tagged_file(file, "tgk", "auto", {})
    assert rows[0]["tokens"] == ["Душанбе0", "шаҳр"]


def test_an_adapter_is_not_put_on_other_weights_than_those_it_was_fitted_to(tmp_path: Path) -> None:
    model, ipac = packaged("mini")
    adapter = Path(shutil.copytree(str(ipac), tmp_path / "adapter"))
    for recorded in (of_folder(model), "someone/model"):  # a name says nothing of the weights
        (adapter / "training.json").write_text(json.dumps({"stage": "adapt", "model": recorded}), encoding="utf-8")
        load_adapted(model, str(adapter))
    (adapter / "training.json").write_text(json.dumps({"stage": "adapt", "model": "0" * 16}), encoding="utf-8")
    with pytest.raises(ConlipaError, match=r"fitted to other weights than those of .*; run `conlipa adapt` again"):
        load_adapted(model, str(adapter))
    (adapter / "training.json").unlink()
    load_adapted(model, str(adapter))


def test_sentences_that_the_starting_adapter_has_seen_are_no_new_ones(tmp_path: Path) -> None:
    rows = [{"tokens": [f"Anna{number}"], "ner_tags": [1], "ipa_tokens": ["æ"]} for number in range(8)]
    adapter, model = tmp_path / "first", packaged("mini")[0]
    adapter.mkdir()
    (adapter / "training.json").write_text(json.dumps({"stage": "adapt", "fitted_to": _fitted_to(model, None, rows[:5])}), encoding="utf-8")
    with pytest.raises(ConlipaError, match=r"first: was fitted to 1 of the 4 sentences already \(.+\)"):
        adapt(model, str(adapter), rows[4:], "eng", tmp_path / "second")
    assert _fitted_to(model, str(adapter), rows[5:]) == sorted(_fitted_to(model, None, rows))  # a third one knows of both


def test_names_that_come_again_are_known_and_words_that_are_none(tmp_path: Path) -> None:
    rows = [
        {"tokens": ["Ада", "Иосиф", "келди", "Ош"], "ner_tags": [1, 2, 0, 5]},
        {"tokens": ["Ош", "тоосу", "бийик", "келди"], "ner_tags": [5, 6, 0, 0]},
    ]
    first = Lexicon("kir", {}, []).and_of(rows[:1])
    assert first == Lexicon("kir", {"Ада Иосиф": "PER", "Ош": "LOC"}, ["келди"])
    both = first.and_of(rows[1:])
    assert both == Lexicon("kir", {"Ада Иосиф": "PER", "Ош": "LOC", "Ош тоосу": "LOC"}, ["бийик", "келди"])
    assert both.and_of([{"tokens": ["Келди"], "ner_tags": [1]}]).others == ["бийик"]  # some word is a name after all
    months = [{"tokens": ["In", "May", "May"], "ner_tags": [0, 0, 1]}, {"tokens": ["Bill", "bill", "may"], "ner_tags": [1, 0, 0]}]
    assert Lexicon("eng", {}, []).and_of(months) == Lexicon("eng", {"Bill": "PER"}, ["In"])  # as often none as a name: neither
    both.save(tmp_path)
    assert lexicon_of(tmp_path) == both
    assert lexicon_of(tmp_path / "none") is None
    found = known_in("kir", lexicon_of(tmp_path)).find("Ош тоосу Келди Бишкек", [(0, 2), (3, 8), (9, 14), (15, 21)])
    assert list(found) == [(range(0, 2), "LOC"), (range(2, 3), "O"), (range(3, 4), "LOC")]
    assert not known_in("kaz", both).others  # of another language
    for damaged in ("[]", '{"language": "kir", "names": {"Ош": "O"}, "others": []}', '{"language": "kir", "names": {}, "others": [1]}'):
        (tmp_path / "words.json").write_text(damaged, encoding="utf-8")
        with pytest.raises(ConlipaError, match=r"words\.json: (damaged|expected a JSON object)"):
            lexicon_of(tmp_path)


def test_a_tagger_with_the_adapter_knows_the_words_of_its_sentences(tmp_path: Path) -> None:
    model, ipac = packaged("mini")
    adapter = Path(shutil.copytree(str(ipac), tmp_path / "mine", ignore=shutil.ignore_patterns("model.onnx")))
    alone = Tagger.from_pretrained(model, str(adapter), "kir")
    Lexicon("kir", {"Зорблакс": "PER"}, ["келди"]).save(adapter)
    fitted = Tagger.from_pretrained(model, str(adapter), "kir")
    fitted.save_pretrained(tmp_path / "whole")
    text, name = "Мен Ошто Зорблакс менен келди", Entity(9, 17, "Зорблакс", "PER", 0.0)  # an ORG to the model
    before = alone.explain(text, name)
    for tagger in (fitted, copy.deepcopy(fitted), Tagger.from_pretrained(str(tmp_path / "whole"), lang="kir")):
        why = tagger.explain(text, name)
        assert why.shares["PER"] > before.shares["PER"]
        assert why.without[LISTED] == pytest.approx(before.shares["PER"], abs=1e-5)
    assert LISTED not in fitted.explain(text, name, "kaz").without  # they are words of one language
    assert Tagger(fitted.backend, "kir", known_names=False).explain(text, name) == before
    other = Entity(24, 29, "келди", "PER", 0.0)
    assert fitted.explain(text, other).shares["O"] > alone.explain(text, other).shares["O"]
