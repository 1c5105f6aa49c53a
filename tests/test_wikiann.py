from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from conlipa import hub, load_wikiann_ipa
from conlipa.dataset_scripts.g2p.words import SYMBOL, runs
from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.tables import digest
from conlipa.dataset_scripts.wikiann import wikiann
from conlipa.dataset_scripts.wikiann.wikiann import LABELS, Folder, source
from conlipa.dataset_scripts.wikiann.wikiann_ipa import WikiannIpa
from conlipa.errors import ConlipaError

GOOD = "Paris\tB-LOC\nis\tO\n\nGerd\tB-PER\nMüller\tI-PER\n\n"


def folder(tmp_path: Path, text: str, lang: str = "eng", name: str = "train") -> Path:
    (tmp_path / lang).mkdir(exist_ok=True)
    (tmp_path / lang / f"{name}.tsv").write_text(text, encoding="utf-8", newline="")
    return tmp_path


def test_labels_are_wikianns_in_order() -> None:
    assert LABELS == ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


@pytest.mark.parametrize("text", [GOOD, GOOD.rstrip("\n"), GOOD.replace("\n", "\r\n"), "\n\n" + GOOD])
def test_sentences_end_at_blank_lines(tmp_path: Path, text: str) -> None:
    sentences = Folder(folder(tmp_path, text)).sentences("eng", "train")
    assert [s.tokens for s in sentences] == [["Paris", "is"], ["Gerd", "Müller"]]
    assert [s.tags for s in sentences] == [["B-LOC", "O"], ["B-PER", "I-PER"]]


def test_a_line_separator_inside_a_token_ends_no_line(tmp_path: Path) -> None:
    (sentence,) = Folder(folder(tmp_path, "a\u2028b\tO\n")).sentences("eng", "train")
    assert sentence.tokens == ["a\u2028b"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Paris\tB-LOC\nis O\n", r"train\.tsv:2: no tab between token and tag: 'is O'"),
        ("Paris\tB-LOC\n\nis\tB-LCO\n", r"train\.tsv:3: unknown tag 'B-LCO'; did you mean B-LOC"),
        ("", r"train\.tsv: holds no sentence"),
    ],
)
def test_bad_lines_are_told_with_file_and_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConlipaError, match=reason):
        Folder(folder(tmp_path, text)).sentences("eng", "train")


def test_bytes_that_are_no_utf8_are_told_with_their_line(tmp_path: Path) -> None:
    folder(tmp_path, GOOD)
    (tmp_path / "eng" / "train.tsv").write_bytes(b"Paris\tB-LOC\n\xff\xfe\tO\n")
    with pytest.raises(ConlipaError, match=r"train\.tsv:\d: not UTF-8"):
        Folder(tmp_path).sentences("eng", "train")


def test_an_inside_tag_without_a_beginning_is_kept_and_counted_and_refused_when_strict(tmp_path: Path) -> None:
    path = folder(tmp_path, "the\tO\nParis\tI-LOC\n\nGerd\tB-PER\nBank\tI-ORG\n")
    loose = Folder(path)
    assert [s.tags for s in loose.sentences("eng", "train")] == [["O", "I-LOC"], ["B-PER", "I-ORG"]]
    assert loose.orphans["eng/train"] == 2
    with pytest.raises(ConlipaError, match=r"train\.tsv:2: I-LOC continues no entity"):
        Folder(path, strict=True).sentences("eng", "train")


def test_a_missing_or_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ConlipaError, match="no such corpus folder"):
        Folder(tmp_path / "nowhere")
    with pytest.raises(ConlipaError, match="holds no ISO639-3"):
        Folder(tmp_path)


def test_wikiann_of_the_hub_is_read_from_the_cache_where_the_hub_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(repo: str) -> None:
        raise ConlipaError(f"{repo} is out of reach")

    def absent(*_: str, **__: str) -> None:
        raise ValueError("nothing in the cache")

    monkeypatch.setattr(wikiann, "need_hub", unreachable)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: [{"tokens": ["Dushanbe"], "ner_tags": [5]}, {"tokens": [], "ner_tags": []}])
    assert [(one.tokens, one.tags) for one in wikiann.Hub().sentences("tgk", "train")] == [(["Dushanbe"], ["B-LOC"])]
    monkeypatch.setattr(datasets, "load_dataset", absent)
    with pytest.raises(ConlipaError, match="is out of reach"):
        wikiann.Hub().sentences("tgk", "train")
    monkeypatch.setattr(wikiann, "need_hub", lambda repo: None)
    with pytest.raises(ConlipaError, match=r"Tajik \(tgk\) cannot be had \(nothing in the cache\)"):
        wikiann.Hub().sentences("tgk", "train")


def test_an_inside_tag_of_the_hub_is_counted_and_refused_when_strict(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"tokens": ["a"], "ner_tags": [0]}, {"tokens": ["b", "c"], "ner_tags": [0, 6]}]
    monkeypatch.setattr(wikiann, "need_hub", lambda repo: None)
    monkeypatch.setattr(wikiann.Hub, "languages", lambda self, split=None: ["tgk"])
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: rows)
    monkeypatch.setattr(datasets.logging.get_logger("datasets"), "propagate", True)
    with pytest.raises(ConlipaError, match=r"unimelb-nlp/wikiann: tgk train, row 2: I-LOC continues no entity"):
        load_wikiann_ipa("tgk", data_dir="hub", strict=True)
    assert len(load_wikiann_ipa("tgk", data_dir="hub")["train"]) == 2
    assert "tgk train: 1 I- tags continue no entity (kept)" in caplog.text


def test_a_proxy_of_the_system_is_left_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(hub, "getproxies", dict)
    with pytest.raises(ConlipaError, match="cannot be reached"):
        hub.need_hub("someone/model")
    monkeypatch.setattr(hub, "getproxies", lambda: {"all": "http://127.0.0.1:8"})
    hub.need_hub("someone/model")


def test_what_is_asked_for_in_two_ways_is_transcribed_once() -> None:
    def place(**config: object) -> str:
        return str(WikiannIpa(config_name="tgk", hash=digest(), **config).cache_dir)

    assert place() == place(engine="auto", strict=False) == place(data_dir="sample", strict=False)
    assert len({place(), place(strict=True), place(engine="epitran")}) == 3


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    before = Folder(folder(tmp_path, GOOD)).fingerprint("eng")
    assert before == Folder(tmp_path).fingerprint("eng")
    folder(tmp_path, GOOD.replace("Gerd", "Gerda"))
    assert before != Folder(tmp_path).fingerprint("eng")


def test_the_sample_is_as_large_as_it_says() -> None:
    sample = source("sample")
    assert len(sample.sentences("eng", "train")) >= 2000
    assert len(sample.sentences("eng", "validation")) >= 300
    others = [iso for iso in sample.languages("validation") if iso != "eng"]
    assert len(others) >= 10
    assert len({language(iso).script for iso in others}) >= 5
    assert all(len(sample.sentences(iso, "validation")) >= 60 for iso in others)


def test_the_sample_is_in_each_language_s_own_script() -> None:
    for iso in source("sample").languages("validation"):
        scripts = [script for s in source("sample").sentences(iso, "validation") for t in s.tokens for _, script in runs(t) if script != SYMBOL]
        assert scripts.count(language(iso).script) / len(scripts) > 0.9, iso


def test_the_sample_has_no_sentence_in_both_train_and_validation() -> None:
    train, validation = (source("sample").sentences("eng", split) for split in ("train", "validation"))
    assert not {tuple(s.tokens) for s in train} & {tuple(s.tokens) for s in validation}


def test_the_sample_is_what_its_generator_makes() -> None:
    import yaml

    from conlipa.dataset_scripts.tables import FOLDER
    from conlipa.dataset_scripts.wikiann.make_sample import sentences

    patterns = yaml.safe_load((FOLDER / "sample" / "patterns.yaml").read_text(encoding="utf-8"))
    for lang in ("tgk", "eng"):
        for name, made in sentences(lang, patterns[lang]).items():
            text = "\n".join("".join(f"{token}\t{tag}\n" for token, tag in tagged) for tagged in made)
            assert (FOLDER / "sample" / lang / f"{name}.tsv").read_text(encoding="utf-8") == text + "\n"


def test_orphans_of_the_real_data_are_counted(wikiann_folder: Path) -> None:
    real, sources = Folder(wikiann_folder), Folder(wikiann_folder.with_name("wikiann_sources"))
    for split in ("train", "validation", "test"):
        real.sentences("cmn", split)
    for split in ("train", "validation"):
        sources.sentences("jpn", split)
    assert sum(real.orphans.values()) + sum(sources.orphans.values()) == 2368
