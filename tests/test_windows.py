from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.phonemizer import phonemizer
from conlipa.dataset_scripts.g2p.words import Word, words
from conlipa.modeling.inference.windows import Spoken, sentences, text_windows, windows

SIZES = st.lists(st.integers(1, 40), max_size=60)


def spoken(sizes: list[int]) -> list[Spoken]:
    return [Spoken(Word(str(number), number, number + 1), ["a"] * size) for number, size in enumerate(sizes)]


@settings(deadline=None)
@given(SIZES, st.integers(20, 128))
def test_every_word_is_one_windows_own_and_windows_fit(sizes: list[int], limit: int) -> None:
    given_words = spoken(sizes)
    cuts = list(windows(iter(given_words), limit))
    assert [cut.words[number] for cut in cuts for number in cut.own] == given_words
    for cut in cuts:
        assert 0 <= cut.own.start < cut.own.stop <= len(cut.words)
        first = int(cut.words[0].word.text)
        assert cut.words == given_words[first : first + len(cut.words)]
        used = 2 + sum(len(word.phonemes) + 1 for word in cut.words) - 1
        assert used <= limit or len(cut.words) == 1


@settings(deadline=None)
@given(SIZES)
def test_what_fits_is_one_window_whatever_the_limit(sizes: list[int]) -> None:
    limit = max(20, 3 + sum(sizes) + len(sizes))
    assert [cut.words for cut in windows(spoken(sizes), limit)] == ([spoken(sizes)] if sizes else [])


def test_inner_words_have_context_on_both_sides() -> None:
    first, middle, *_ = windows(spoken([5] * 100), 128)
    assert first.own.start == 0
    assert len(first.words) > first.own.stop
    assert 0 < middle.own.start < middle.own.stop < len(middle.words)


@settings(deadline=None)
@given(st.text(st.sampled_from("aB.。\"') \t\n\r\f\x85\u2028\u2029"), max_size=40))
def test_sentences_are_the_text(text: str) -> None:
    parts = list(sentences(text))
    assert "".join(part for _, part in parts) == text
    assert all(text[start : start + len(part)] == part for start, part in parts)


@pytest.mark.parametrize(
    "parts",
    [
        ["One two\n", "three.\n", 'Four ("five.")\n\t', "Six\r\n \r\n", "seven . eight\n"],
        ["It ends here. ", "This does, too ! ", "«And this?» ", "Yes . ", "No."],
        ["Dr. J. R. R. Tolkien of St. Petersburg, the U.S. and 3.5 e.g. this etc. and that"],
        ["One\r", "Two\f", "Three\v", "Four\x85 ", "Five\u2028", "six"],
        ["Tôi sống ở Hà Nội. ", "Anh Nam làm ở Huế. ", "Ngủ ngon."],
        ["Ó lọ. ", "J. Ọ. Awólàlú wá."],
        ["ዛሬ ነው፡፡ ", "አዲስ አበባ፡ ነው።"],
        ["Նա ծնվել է Երևանում: ", "Ժամը 5:30 է, իսկ «ա»: հետո"],
        ["He died in 1914.[2] ", "Paris fell.[3][12] ", "It was [1]. ", "Yes."],
        ["Rome (Italy). ", "Up by 5%. ", 'He said "go". ', "Gone."],
        ["Capt. James Cook met Prof. Marie Curie, Msgr. Knox and Messrs. Smith. ", "They left by the arch. ", "Marie ran."],
        ["Это проф. Иванов и акад. Павлов. ", "Они дома."],
        ["Era la Srta. García con el Excmo. Señor Díaz. ", "Mówił prof. Nowak. ", "Byl to MUDr. Novák."],
        ["ნიკა თბილისში ცხოვრობს. ", "მარიამი ბათუმში მუშაობს! ", "კარგია."],
        ["김민지는 서울에 산다. ", "이철수는 부산에 갔다. ", "끝."],
        ["「北京。」", "上海。 ", "የኢትዮጵያ ዋና ከተማ ናት ። ", "لاہور ہے ۔ ", "ଓଡ଼ିଶା । ", "X"],
    ],
)
def test_sentences_end_at_marks_and_line_breaks(parts: list[str]) -> None:
    assert [part for _, part in sentences("".join(parts))] == parts


@settings(deadline=None)
@given(st.text(max_size=60))
def test_windows_carry_the_words_of_any_text(text: str) -> None:
    transcribe = phonemizer("eng")
    own = [window.words[number].word for window in text_windows(text, transcribe, 20) for number in window.own]
    assert own == words(text)


def test_the_first_window_of_each_sentence_says_so() -> None:
    text = "Ana left. " + "Ben " * 120 + "\nCid came"
    begun = [window.words[window.own.start].word.text for window in text_windows(text, phonemizer("eng"), 60) if window.begins]
    assert begun == ["Ana", "Ben", "Cid"]
