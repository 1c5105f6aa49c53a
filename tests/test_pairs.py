from __future__ import annotations

import json
from pathlib import Path

import pytest

from conlipa.dataset_scripts.g2p.similarity import similarity
from conlipa.dataset_scripts.languages import language, languages
from conlipa.dataset_scripts.loanwords.builder import GROUPS, paper_size
from conlipa.dataset_scripts.loanwords.hangul import hangul, loanword
from conlipa.dataset_scripts.loanwords.korean_pairs import PAPER_SIZE
from conlipa.dataset_scripts.loanwords.pairs import COLUMNS, HELD_OUT, pairs_path, read_pairs, rebuild
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.errors import ConlipaError
from tests.conftest import run

ALL = [iso for group in GROUPS.values() for iso in group]
LEAST = {"cmn": 100, "kor": 1500} | dict.fromkeys(GROUPS["extra"], 60)


@pytest.mark.parametrize("lang", ALL)
def test_pair_files_are_clean_and_large_enough(lang: str) -> None:
    rows = read_pairs(pairs_path(lang))  # checks every field of every row
    attested = [row for row in rows if row["origin"] == "attested"]
    assert len(attested) >= LEAST.get(lang, 200)
    assert {row["language"] for row in rows} == {lang}
    assert len({row["target"] for row in attested}) == len(attested)
    assert not {str(row["english"]).lower() for row in rows} & HELD_OUT


@pytest.mark.parametrize("lang", ALL)
def test_rebuilding_changes_nothing(lang: str, tmp_path: Path) -> None:
    copy = tmp_path / f"{lang}.tsv"
    copy.write_bytes(pairs_path(lang).read_bytes())
    rebuild(copy)
    assert copy.read_bytes() == pairs_path(lang).read_bytes()


def test_extra_languages_are_none_of_the_test_languages() -> None:
    assert len(GROUPS["extra"]) >= 10
    assert all(language(iso).case == "extra" for iso in GROUPS["extra"])
    assert not {language(iso).family for iso in GROUPS["extra"]} & {language(iso).family for iso in GROUPS["all"]}


def test_twenty_names_are_held_out() -> None:
    assert len(HELD_OUT) == 20


ROW = ["fin", "auto", "auto", "a u t o", "ɔ t o ʊ", "attested", "0.7"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW[:-1], "expected 7 columns"),
        (["xxx", *ROW[1:]], "unknown language 'xxx'"),
        (["fin", "авто", *ROW[2:]], "'авто': 'а' is of the script Cyrl, expected Latn"),
        (["fin", "auto2", *ROW[2:]], "'2' is no letter"),
        ([*ROW[:3], "", *ROW[4:]], "target_ipa is empty"),
        ([*ROW[:3], "a 7 o", *ROW[4:]], "target_ipa holds what is not a valid IPA phoneme: '7'"),
        ([*ROW[:3], "aa", *ROW[4:]], "not a valid IPA phoneme: 'aa'"),
        ([*ROW[:5], "guessed", "0.5"], "origin is 'guessed'"),
        ([*ROW[:6], "1.5"], "similarity is '1.5'"),
        ([*ROW[:6], "high"], "similarity is 'high'"),
        ([*ROW[:2], "London", *ROW[3:]], "held out for evaluation"),
        (ROW, "stands on line 2 already"),
    ],
)
def test_a_malformed_row_is_told_with_file_and_line(tmp_path: Path, row: list[str], reason: str) -> None:
    path = tmp_path / "fin.tsv"
    path.write_text("\n".join("\t".join(fields) for fields in (COLUMNS, ROW, row)) + "\n", encoding="utf-8")
    with pytest.raises(ConlipaError) as caught:
        read_pairs(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("row", ["fin\tauto\tauto", "fin\tauto", "fin\tauto\tauto\t\t\tattested"])
def test_a_row_with_too_few_tabs_is_told_before_anything_is_rebuilt(tmp_path: Path, row: str) -> None:
    path = tmp_path / "fin.tsv"
    path.write_text("\n".join(["\t".join(COLUMNS), "\t".join(ROW), "", row]) + "\n", encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ConlipaError, match=r"fin\.tsv:4: expected 7 columns \(language, .*\), got \d$"):
        rebuild(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_column_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "fin.tsv"
    path.write_text("target\tenglish\nauto\tauto\n", encoding="utf-8")
    with pytest.raises(ConlipaError, match=r"fin\.tsv:1: expected the columns language, target"):
        read_pairs(path)


@pytest.mark.parametrize("module", ["loanwords.pairs", "loanwords.pair_proof", "loanwords.korean_pairs"])
def test_a_bad_pair_file_is_one_line_of_each_command(module: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tsv"
    broken.write_text("no columns\n", encoding="utf-8")
    code = f"""
import runpy
from pathlib import Path
from conlipa.dataset_scripts.loanwords import groups
groups.pairs_path = lambda lang: Path({str(broken)!r})
runpy.run_module("conlipa.dataset_scripts.{module}", run_name="__main__")
"""
    done = run("-c", code, code=1, fresh=True)
    assert done.stderr == f"conlipa: error: {broken}:1: expected the columns {', '.join(COLUMNS)}, separated by tabs\n"


@pytest.mark.parametrize(("content", "reason"), [(b"", "expected the columns"), (b"\xff\xfe\x00", "not UTF-8"), (b"gr\xfcn\n", "not UTF-8")])
def test_pairs_or_words_that_are_no_text(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "kor.tsv"
    path.write_bytes(content)
    with pytest.raises(ConlipaError, match=rf"kor\.tsv:1: {reason}"):
        read_pairs(path)


def test_korean_words_that_are_no_text_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes(b"gr\xfcn\n")
    for name, reason in (("words.txt", "words.txt:1: not UTF-8"), ("none.txt", "No such file")):
        done = run("-m", "conlipa.dataset_scripts.loanwords.korean_pairs", tmp_path / name, code=1, fresh=True)
        assert done.stderr.startswith("conlipa: error: ")
        assert reason in done.stderr
        assert done.stderr.count("\n") == 1


def test_similarity_is_one_for_the_same_word_and_falls_with_distance() -> None:
    assert similarity("k æ t", "k æ t") == 1.0
    assert similarity("b æ t", "p æ t") > similarity("b æ t", "s u n")
    assert 0.0 <= similarity("a", "k ɹ ɪ s m ə s") < 0.2
    assert similarity("kʰ ɯ l i s ɯ m a s ɯ", "k ɹ ɪ s m ə s") > 0.6 > similarity("kʰ ʌ p i", "k ɹ ɪ s m ə s")
    assert similarity("", "") == 0.0
    assert similarity("a i s ▁ k r i m", "a i s k r i m") == 1.0


def test_paper_size_takes_512_korean_pairs_and_all_others() -> None:
    rows = paper_size(kor=512, seed=1)
    per_language = {iso: sum(row["language"] == iso for row in rows) for iso in GROUPS["all"]}
    assert per_language.pop("kor") == 512
    assert per_language == {iso: len(read_pairs(pairs_path(iso))) for iso in per_language}
    assert rows == paper_size(kor=512, seed=1)
    assert rows != paper_size(kor=512, seed=2)
    assert len(paper_size(kor=None)) == sum(len(read_pairs(pairs_path(iso))) for iso in GROUPS["all"])


def test_every_extra_language_with_pairs_is_in_the_table() -> None:
    assert set(ALL) <= set(languages())


def test_the_proof_is_of_these_pairs_and_holds() -> None:
    from conlipa.dataset_scripts.loanwords.pair_proof import prove

    proof = json.loads((FOLDER / "pairs" / "proof.json").read_text(encoding="utf-8"))["languages"]
    assert list(proof) == ALL
    for lang, row in proof.items():
        assert row["pairs"] == len(read_pairs(pairs_path(lang)))
        assert row["auc"] >= (0.90 if lang == "cmn" or lang in GROUPS["extra"] else 0.95), lang
    assert prove("swa") == proof["swa"]


def test_a_single_pair_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from conlipa.dataset_scripts.loanwords import pair_proof

    path = tmp_path / "swa.tsv"
    path.write_text("\n".join(pairs_path("swa").read_text(encoding="utf-8").splitlines()[:2]) + "\n", encoding="utf-8")
    monkeypatch.setattr(pair_proof, "pairs_path", lambda lang: path)
    with pytest.raises(ConlipaError, match=r"swa\.tsv: expected two pairs or more, found 1"):
        pair_proof.prove("swa")


def test_shuffling_leaves_no_pair_together() -> None:
    from conlipa.dataset_scripts.loanwords.pair_proof import shuffled

    rows = [dict(zip(COLUMNS, ROW, strict=True)) | {"english_ipa": ipa} for ipa in ("a u t o", "k k k")]
    assert shuffled(rows)[0] < 1.0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("gap", "갭"), ("cat", "캣"), ("book", "북"), ("apt", "앱트"), ("act", "액트"), ("stamp", "스탬프"), ("cape", "케이프"), ("nest", "네스트"), ("part", "파트"),
        ("desk", "데스크"), ("make", "메이크"), ("apple", "애플"), ("chipmunk", "치프멍크"), ("bulb", "벌브"),
        ("land", "랜드"), ("zigzag", "지그재그"), ("lobster", "로브스터"), ("kidnap", "키드냅"), ("signal", "시그널"), ("mask", "마스크"), ("olive", "올리브"),
        ("flash", "플래시"), ("shrub", "슈러브"), ("shopping", "쇼핑"), ("vision", "비전"), ("switch", "스위치"), ("bridge", "브리지"),
        ("steam", "스팀"), ("corn", "콘"), ("ring", "링"), ("hotel", "호텔"), ("pulp", "펄프"), ("slide", "슬라이드"), ("film", "필름"), ("helm", "헬름"),
        ("team", "팀"), ("time", "타임"), ("house", "하우스"), ("skate", "스케이트"), ("oil", "오일"), ("boat", "보트"), ("word", "워드"), ("want", "원트"),
        ("wag", "왜그"), ("west", "웨스트"), ("witch", "위치"), ("wool", "울"), ("swing", "스윙"), ("twist", "트위스트"), ("penguin", "펭귄"), 
        ("yard", "야드"), ("yellow", "옐로"), ("year", "이어"), ("union", "유니언"), ("battalion", "버탤리언"), ("hanging", "행잉"), ("Hamlet", "햄릿"),
    ],
)  # fmt: skip
def test_the_orthographys_own_examples(english: str, korean: str) -> None:
    assert loanword([english]) == [korean]


@pytest.mark.parametrize(
    ("phonemes", "korean"),
    [("m æ t ɹ ɪ s", "매트리스"), ("s ɪ k n ɪ s", "시크니스"), ("ɡ ɹ æ f", "그래프"), ("h w ɪ s l", "휘슬"), ("h ɛ n l i", "헨리")],
)
def test_its_examples_that_espeak_reads_otherwise(phonemes: str, korean: str) -> None:
    assert hangul(phonemes.split()) == korean


def test_transcribed_korean_is_what_the_orthography_writes() -> None:
    rows = [row for row in read_pairs(pairs_path("kor")) if row["origin"] == "transcribed"]
    assert len(rows) >= 3000
    assert len(read_pairs(pairs_path("kor"))) <= PAPER_SIZE
    assert loanword([str(row["english"]) for row in rows]) == [row["target"] for row in rows]
