"""The everyday sentences: five in each language, with names marked; and what a tagger's scores on them mean."""

from __future__ import annotations

from collections import Counter

from conlipa.dataset_scripts.everyday import KINDS, Everyday, everyday, unmarked
from conlipa.dataset_scripts.languages import by_case, language
from conlipa.modeling.evaluation.everyday import compared, groups, measured, table, whole_words
from conlipa.modeling.inference.entities import Entity


def test_marks_become_spans() -> None:
    text, spans = unmarked("[Ana|PER] met [the Bank|ORG] in [Oslo|LOC].")
    assert text == "Ana met the Bank in Oslo."
    assert [(text[start:end], label) for start, end, label in spans] == [("Ana", "PER"), ("the Bank", "ORG"), ("Oslo", "LOC")]
    assert unmarked("no name") == ("no name", ())


def test_each_language_has_five_sentences_with_all_kinds_of_names() -> None:
    expected = by_case("source", "1", "2", "3", "conlipa")
    for iso in expected:
        own = [sentence for sentence in everyday() if sentence.language == iso]
        assert Counter(sentence.kind for sentence in own) == Counter(dict(zip(KINDS, (2, 2, 1), strict=True))), iso
        labels = Counter(label for sentence in own for *_, label in sentence.spans)
        assert labels["PER"] >= 2, iso
        assert labels["LOC"] >= 2, iso
        assert labels["ORG"] >= 1, iso
    assert len(everyday()) == 5 * len(expected)
    assert len({sentence.text for sentence in everyday()}) == len(everyday())


def test_names_begin_and_end_where_words_do_or_at_an_apostrophe_or_hyphen() -> None:
    joiners = "'’ʼ‘-"
    for sentence in everyday():
        for (start, end, _), (first, last, _) in zip(sentence.spans, whole_words(sentence), strict=True):
            if language(sentence.language).script in ("Hani", "Thai", "Khmr"):
                continue  # written without spaces
            assert start == first or sentence.text[start - 1] in joiners, (sentence.language, sentence.text[first:last])
            assert end == last or sentence.text[end] in joiners, (sentence.language, sentence.text[first:last])


def test_a_name_counts_with_the_whole_words_that_it_is_in() -> None:
    sentence = Everyday("mlt", "news", *unmarked("Ġie f'[Malta|LOC] ilbieraħ."))
    assert [sentence.text[start:end] for start, end, _ in whole_words(sentence)] == ["f'Malta"]


def test_a_name_counts_when_span_and_label_are_right() -> None:
    sentence = next(each for each in everyday() if each.language == "eng" and len(each.spans) == 2)
    (start, end, label), second = sentence.spans
    right = Entity(start, end, sentence.text[start:end], label, 0.9)
    wrong = Entity(second[0], second[1], "", "ORG" if second[2] != "ORG" else "PER", 0.9)
    assert compared(sentence, [right, wrong]) == Counter(sentences=1, names=2, found=2, right=1)
    assert "cased scripts" in groups(sentence, {"eng"})
    assert "languages trained on" in groups(sentence, {"eng"})


def test_a_tagger_that_finds_all_has_all_and_the_widest_groups_come_first() -> None:
    marked = {sentence.text: sentence for sentence in everyday()}

    def perfect(text: str, lang: str) -> list[Entity]:
        return [Entity(start, end, text[start:end], label, 1.0) for start, end, label in whole_words(marked[text])]

    scores = measured(perfect, lambda text, lang: [], {"eng"})
    assert list(scores)[:3] == ["all", "cased scripts", "uncased scripts"]
    assert all((row["recall"], row["precision"], row["f1"]) == (100.0, 100.0, 100.0) for row in scores.values())
    assert scores["all"]["sentences"] == scores["cased scripts"]["sentences"] + scores["uncased scripts"]["sentences"] == len(everyday())
    assert scores["languages trained on"]["sentences"] == 5
    nothing = measured(lambda text, lang: [], perfect, {"eng"})
    assert {(row["recall"], row["f1_alone"]) for row in nothing.values()} == {(0.0, 100.0)}
    assert table(scores).splitlines()[2].startswith("| all | 220 |")
