"""Names that CLDR has: found in text as people write it, and a prior on the labels, never a verdict."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa import Tagger
from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.known_names import KnownNames, known_names
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.tables import rows
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.evaluation.evaluation import tagged
from conlipa.modeling.inference.entities import spans
from conlipa.modeling.inference.name_prior import RAISE, RAISE_OTHER, among_tokens, raised
from conlipa.modeling.inference.packaged import packaged
from tests.conftest import conlipa

PIECES = ["New", "York", "new york", "Guinea", "-", "Bissau", "the", "UNITED", "Kingdom", "\u200d", "Türkiye", ",", "Papua"]
VISIT = "Angela Merkel visited Tokyo on Monday to meet Shinzo Abe at the United Nations."


def found(text: str, names: KnownNames) -> list[tuple[str, str]]:
    there = words(text)
    hits = names.find(text, [(word.start, word.end) for word in there])
    return [(text[there[span[0]].start : there[span[-1]].end], kind) for span, kind in hits]


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("eng", VISIT, [("Tokyo", "LOC"), ("United Nations", "ORG")]),
        (
            "eng",
            "From NEW YORK to Guinea-Bissau and Myanmar; a turkey, the world",
            [("NEW YORK", "LOC"), ("Guinea-Bissau", "LOC"), ("Myanmar", "LOC")],
        ),
        ("deu", "im Vereinigten Königreich, in Großbritannien? Vereinigtes  Königreich", [("Vereinigtes  Königreich", "LOC")]),
        ("amh", "አዲስ አበባ ኢትዮጵያ ውስጥ", [("አዲስ አበባ", "LOC"), ("ኢትዮጵያ", "LOC")]),
        ("jpn", "日本の東京", [("日本", "LOC"), ("東京", "LOC")]),
        ("kat", "თბილისი საქართველო", [("თბილისი", "LOC"), ("საქართველო", "LOC")]),  # small to Unicode, and without capitals in text
        ("kin", "Umuryango w'Abibumbye, Rwanda na Kigali", [("Rwanda", "LOC"), ("Kigali", "LOC")]),  # CLDR has hardly a word of it
        ("uzb", "Ўзбекистон, Oʻzbekiston", [("Ўзбекистон", "LOC"), ("Oʻzbekiston", "LOC")]),  # of the two scripts that it is written in
        ("aii", "ܒܓܕܕ", []),
        ("zul", "i-Albania neNingizimu Afrika", [("i-Albania", "LOC")]),  # small letters before the name's own
        ("uzb", "O'zbekiston; Oʻzbekistonda", [("O'zbekiston", "LOC"), ("Oʻzbekistonda", "LOC")]),
        ("tur", "TÜRKİYE, Türkiye'nin", [("TÜRKİYE", "LOC"), ("Türkiye'nin", "LOC")]),
        ("kir", "Кыргызстанда, Бишкектен жана Түштүк Африкага", [("Кыргызстанда", "LOC"), ("Бишкектен", "LOC"), ("Түштүк Африкага", "LOC")]),
        ("eng", "Romeo of Nigeria, a Parisian, Polandball", [("Nigeria", "LOC")]),  # names as English has them take no ending
        ("ita", "Francesca, Francesco, France; Kenya", [("France", "LOC"), ("Kenya", "LOC")]),
        ("tur", "İstanbul'da, İstanbulda", [("İstanbul'da", "LOC"), ("İstanbulda", "LOC")]),
        ("eng", "Nigeria's coast, London’s", [("Nigeria's", "LOC"), ("London’s", "LOC")]),
        (
            "deu",
            "Deutschlands Küste, der Italiener und die Ukrainerin, ein Israeli in den Niederlanden",
            [("Deutschlands", "LOC"), ("Niederlanden", "LOC")],
        ),
        ("fra", "un Italien, Algériens, l’Italie; Italie", [("Italie", "LOC")]),
        ("hin", "जापानी कंपनी जापान में", [("जापान", "LOC")]),  # Japanese: an ending that makes another word
        ("ara", "الحكومة العراقية في العراق: دعم مالي", [("العراق", "LOC")]),  # Iraqi; financial, as Mali is written
        ("amh", "ኢትዮጵያውያን በኢትዮጵያ፣ ኢትዮጵያን", [("ኢትዮጵያን", "LOC")]),
        ("nld", "een Amerikaans schip, het Nederlands elftal, Amerika's", [("Amerika's", "LOC")]),
        ("fas", "فیلم ایتالیایی از ایتالیا", [("ایتالیا", "LOC")]),
        ("kor", "프랑스에서 미국은 중국인이 일본어를 수단으로", [("프랑스에서", "LOC"), ("미국은", "LOC")]),  # particles stand after any name
        ("ceb", "Dili ko sa Manila", [("Manila", "LOC")]),  # not; the capital of East Timor
        ("eng", "Reunion of friends", []),
    ],
)
def test_names_are_found_as_people_write_them(lang: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text, known_names(lang)) == expected


def test_every_language_has_its_countries_but_those_that_cldr_lacks() -> None:
    few = {iso for iso in languages() if len(known_names(iso).names) < 300}
    assert few == {"aii", "san", "ava", "kbd", "lez"}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["New", "York", "new york", "Guinea", "-", "Bissau", "the", "UNITED", "Kingdom", "\u200d", "Türkiye", ",", "Papua"]),
        max_size=12,
    )
)
def test_what_is_found_is_a_name_and_none_overlap(pieces: list[str]) -> None:
    text, names, end = " ".join(pieces), known_names("eng"), 0
    there = words(text)
    for span, kind in names.find(text, [(word.start, word.end) for word in there]):
        assert span[0] >= end
        end = span[-1] + 1
        folded = "".join(text[there[span[0]].start : there[span[-1]].end].replace("\u200d", "").casefold().split())
        assert any(names.names.get(folded[: len(folded) - ending]) == kind for ending in range(4))
    tokens = [piece for piece in pieces if piece != "\u200d"]
    assert all(span[0] >= 0 and span[-1] < len(tokens) for span, _ in among_tokens(names, tokens))


@pytest.mark.parametrize("row", rows("ordinary.csv"), ids=lambda row: f"{row['language']}-{row['name']}")
def test_an_ordinary_word_is_no_name_of_its_language(row: dict[str, str]) -> None:
    assert row["meaning"]
    assert not found(row["name"], known_names(row["language"]))
    assert len(known_names(row["language"]).names) > 300


@pytest.mark.parametrize("row", rows("endings.csv"), ids=lambda row: row["language"])
def test_endings_are_of_a_language_and_short_enough_to_be_asked_for(row: dict[str, str]) -> None:
    endings = row["other_words"].split() + row["short_names"].split()
    assert row["language"] in languages()
    assert endings
    assert len(set(endings)) == len(endings)
    assert all(len(ending) <= 3 for ending in endings)


def test_english_names_that_are_said_later_take_no_ending_either() -> None:
    names = known_names("eng").with_more({"Japan": "LOC", "Osaka": "LOC"}, [])
    assert found("Japanese, a Japanner, Osakan, Osaka's Japan", names) == [("Osaka's", "LOC"), ("Japan", "LOC")]


def test_what_is_said_later_counts() -> None:
    names = known_names("eng").with_more({"van Gogh": "PER", "a b c d e f g h": "ORG"}, ["Georgia", "russian"])
    assert found("van Gogh met Georgia, a Russian, in Russia. A b c d e f g h", names) == [
        ("van Gogh", "PER"),
        ("Georgia", "O"),
        ("Russian", "O"),
        ("Russia", "LOC"),
        ("A b c d e f g h", "ORG"),
    ]
    assert not found("posted on x", KnownNames({}).with_more({"x": "ORG"}, []))  # too short to be known, in small letters too
    assert found("Georgia", known_names("eng")) == [("Georgia", "LOC")]


def scores(*labels: str) -> tuple[np.ndarray[Any, Any], dict[str, list[int]]]:
    """Two positions a word, the label of each a little ahead of all others."""
    logits = np.zeros((2 * len(labels), len(LABELS)), np.float32)
    for number, label in enumerate(labels):
        logits[2 * number : 2 * number + 2, LABELS.index(label)] = 1
    return logits, {"word_ids": [number for number in range(len(labels)) for _ in range(2)]}


@pytest.mark.parametrize(
    ("labels", "span", "expected"),
    [
        (("O", "O", "O"), range(1, 2), ["O", "B-LOC", "O"]),
        (("O", "O", "O"), range(1, 3), ["O", "B-LOC", "I-LOC"]),
        (("O", "B-PER", "O"), range(1, 2), ["O", "B-LOC", "O"]),  # all of a name that was found
        (("B-ORG", "I-ORG", "O"), range(1, 2), ["B-ORG", "I-ORG", "O"]),  # Bank of China
        (("B-PER", "O", "O"), range(0, 2), ["B-PER", "O", "O"]),
    ],
)
def test_a_name_that_stands_alone_gets_its_label(labels: tuple[str, ...], span: range, expected: list[str]) -> None:
    logits, example = scores(*labels)
    before = logits.copy()
    after = raised(logits, example, [(span, "LOC")])
    assert [LABELS[number] for number in after[::2].argmax(-1)] == expected
    assert (logits == before).all()
    assert (after != before).sum() == (2 * len(span) if labels != tuple(expected) else 0)


def test_it_is_no_verdict_and_what_the_encoder_did_not_get_stays() -> None:
    logits, example = scores("O", "O")
    logits[2:, 0] = RAISE + 2
    assert (raised(logits, example, [(range(1, 2), "LOC")]).argmax(-1) == 0).all()
    assert (raised(logits, example, [(range(1, 3), "LOC"), (range(7, 8), "LOC")]) == logits).all()


def test_a_word_that_is_no_name_says_so_a_little() -> None:
    logits, example = scores("B-PER", "B-ORG", "O")
    after = raised(logits, example, [(range(0, 1), "O"), (range(1, 2), "LOC")])
    assert (after - logits)[:, 0].tolist() == [RAISE_OTHER] * 2 + [0] * 4
    assert LABELS[after[2].argmax()] == "B-LOC"


def test_the_tagger_knows_them_unless_told_otherwise() -> None:
    known, alone = (
        {entity["text"]: entity for entity in json.loads(conlipa("tag", "--lang", "eng", *option, stdin=VISIT).stdout)["entities"]}
        for option in ([], ["--no-known-names"])
    )
    assert {text: entity["label"] for text, entity in known.items()} == {
        "Angela Merkel": "PER",
        "Tokyo": "LOC",
        "Shinzo Abe": "PER",
        "United Nations": "ORG",
    }
    assert known["Angela Merkel"] == alone["Angela Merkel"]
    assert known["United Nations"]["score"] > alone["United Nations"]["score"]


def test_to_evaluate_with_them_is_to_tag_with_them() -> None:
    loaded, corpus = load_adapted(*packaged("mini")), Corpus("sample")
    with_names, alone = (tagged(*loaded, corpus, "tgk", "validation", 60, known=known).predicted_words for known in (known_names("tgk"), None))
    assert with_names != alone
    tagger = Tagger.from_pretrained(lang="tgk", backend="torch")
    for tokens, said in zip(corpus.split("tgk", "validation")["tokens"][:60], with_names, strict=True):
        ends = list(accumulate(len(token) + 1 for token in tokens))
        own = {(ends[at[0]] - len(tokens[at[0]]) - 1, ends[at[-1]] - 1, kind) for kind, at in spans(said)}
        assert {(entity.start, entity.end, entity.label) for entity in tagger(" ".join(tokens))} == own
