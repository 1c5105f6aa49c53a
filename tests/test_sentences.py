"""Source sentences: of the languages that are there, a capped draw an epoch, the same batch for the same step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.sentences import Sentences, source_languages
from conlipa.modeling.recipe import Augmentation, Ner
from conlipa.modeling.tokenizer import phoneme_tokenizer

TOKENIZER = phoneme_tokenizer()


def sentences(settings: Ner, max_length: int = 128) -> Sentences:
    return Sentences(Corpus("sample"), ["eng"], settings, TOKENIZER, max_length)


def test_missing_source_languages_are_told_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert source_languages(Corpus("sample"), ["fin", "eng"]) == ["eng"]
    assert "trained without 1 of 2 source languages, not in sample: fin" in capsys.readouterr().err
    with pytest.raises(ConlipaError, match="no train split of any source language"):
        source_languages(Corpus("sample"), ["fin"])


def test_an_epoch_takes_at_most_the_cap_and_another_draw_each_time() -> None:
    made = sentences(Ner(sentences_per_language=100))
    first, second = (sorted(i for batch in made.epoch(epoch, 32, 0) for i in batch) for epoch in (0, 1))
    assert len(first) == len(set(first)) == 100
    assert first != second
    assert first == sorted(i for batch in sentences(Ner(sentences_per_language=100)).epoch(0, 32, 0) for i in batch)
    assert sum(map(len, sentences(Ner()).epoch(0, 32, 0))) == len(made.lengths)


def test_a_batch_depends_on_its_step_alone() -> None:
    settings = Ner(augmentation=Augmentation(share=1.0, noise=0.2, drop=0.1, shuffle=0.5, swap=0.3))
    made, again = sentences(settings), sentences(settings)
    batch = made.batch([3, 14, 15], step=7)
    assert all((batch[name] == again.batch([3, 14, 15], step=7)[name]).all() for name in batch)
    other = made.batch([3, 14, 15], step=8)
    assert batch["input_ids"].shape != other["input_ids"].shape or (batch["input_ids"] != other["input_ids"]).any()
    # The share of a second process is augmented as in the whole batch.
    alone = made.batch([14], step=7)["input_ids"][0]
    alone = alone[alone != TOKENIZER.pad_token_id]
    assert (batch["input_ids"][1, : len(alone)] == alone).all()


def test_without_augmentation_the_sentences_are_as_they_are() -> None:
    plain, off = sentences(Ner()), sentences(replace(Ner(), augmentation=Augmentation(noise=0.5)))
    assert (plain.batch([0, 1], 0)["input_ids"] == off.batch([0, 1], 9)["input_ids"]).all()


def test_augmentation_is_refused_where_it_would_mistake_the_ids() -> None:
    other = phoneme_tokenizer()
    other.add_tokens(["another"])
    with pytest.raises(ConlipaError, match=r"ner\.augmentation knows the kit's own phonemes"):
        Sentences(Corpus("sample"), ["eng"], Ner(augmentation=Augmentation(share=0.5)), other, 128)
    assert Sentences(Corpus("sample"), ["eng"], Ner(), other, 128).lengths


def test_what_was_changed_comes_with_a_batch_that_is_to_be_guessed() -> None:
    wear = Augmentation(share=0.5, noise=0.2, mask=0.2)
    plain, guessed = sentences(Ner(augmentation=wear)).batch(range(20), 3), sentences(Ner(augmentation=wear, denoise_weight=1.0)).batch(range(20), 3)
    assert set(guessed) - set(plain) == {"originals"}
    assert all((plain[name] == guessed[name]).all() for name in plain)
    assert guessed["originals"].shape == guessed["input_ids"].shape
    untouched = (guessed["originals"] == -100).all(-1)
    assert untouched.any()
    assert not untouched.all()


def test_encoded_sentences_are_memory_mapped() -> None:
    assert sentences(Ner()).rows.cache_files
