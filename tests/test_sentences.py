"""Source sentences: of the languages that are there, a capped draw an epoch, the same batch for the same rows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from conlipa.dataset_scripts.g2p.capitals import capitals
from conlipa.errors import ConlipaError
from conlipa.modeling.data.batches import by_positions, token_batch, width_of
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.data.sentences import Sentences, source_languages
from conlipa.modeling.recipe import MARKED_PHONEMES, PHONEMES, Augmentation, Ner
from conlipa.modeling.tokenizer import phoneme_tokenizer

TOKENIZER = phoneme_tokenizer()
MARK = TOKENIZER.convert_tokens_to_ids("^")


def sentences(settings: Ner, max_length: int = 128, input_kind: str = PHONEMES) -> Sentences:
    return Sentences(Corpus("sample"), ["eng"], settings, TOKENIZER, max_length, input_kind)


def test_missing_source_languages_are_reported_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert source_languages(Corpus("sample"), ["fin", "eng"]) == ["eng"]
    assert "trained without 1 of 2 source languages, not in sample: fin" in capsys.readouterr().err
    with pytest.raises(ConlipaError, match="no train split of any source language"):
        source_languages(Corpus("sample"), ["fin"])


@pytest.mark.parametrize("kind", [PHONEMES, MARKED_PHONEMES])
def test_a_batch_is_what_the_evaluation_reads(kind: str) -> None:
    rows = Corpus("sample").split("eng", "train").select(range(40))
    expected = token_batch(encoded(rows, TOKENIZER, 128, kind), TOKENIZER.pad_token_id)
    batch = sentences(Ner(), input_kind=kind).batch(range(40))
    assert all(torch.equal(batch[name], expected[name]) for name in expected)


def test_an_epoch_takes_at_most_the_cap_and_another_draw_each_time() -> None:
    made = sentences(Ner(sentences_per_language=100))
    first, second = (np.sort(np.concatenate(made.epoch(epoch, 32, 0))).tolist() for epoch in (0, 1))
    assert len(first) == len(set(first)) == 100
    assert first != second
    assert first == np.sort(np.concatenate(sentences(Ner(sentences_per_language=100)).epoch(0, 32, 0))).tolist()
    assert sum(map(len, sentences(Ner()).epoch(0, 32, 0))) == Corpus("sample").split("eng", "train").num_rows
    of_its_own = Ner(sentences_per_language=100, sentences_of={"eng": 150, "fra": 7})
    assert sum(map(len, sentences(of_its_own).epoch(0, 32, 0))) == 150


def test_an_epoch_takes_a_share_of_the_sentences_without_a_name() -> None:
    tags = Corpus("sample").split("eng", "train")["ner_tags"][:]
    nameless = {number for number, labels in enumerate(tags) if not any(labels)}
    assert nameless
    made = {share: sentences(Ner(nameless_share=share)) for share in (0.0, 0.5, 1.0)}
    taken = {share: set((np.concatenate(each.epoch(0, 32, 0)) % each.numbers).tolist()) for share, each in made.items()}
    assert taken[0.0] == set(range(len(tags))) - nameless
    assert taken[0.0] < taken[0.5] < taken[1.0] == set(range(len(tags)))


def test_batches_by_positions_hold_every_sentence_once_in_few_shapes() -> None:
    lengths = np.random.default_rng(0).integers(3, 128, 50_000)
    batches = list(by_positions(lengths, 2048, np.random.default_rng(1)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(50_000))
    shapes = [(len(batch), int(width_of(lengths[batch]).max())) for batch in batches]
    assert max(rows * width for rows, width in shapes) <= 2048
    assert len(set(shapes)) <= 2 * 128 / 8  # of each width the full batch, and what is left
    assert sum(lengths) / sum(rows * width for rows, width in shapes) > 0.9  # hardly any padding


AS_FOR_MINI = Ner(
    batch_positions=1024, join=0.15, mark_share=0.6, augmentation=Augmentation(share=0.7, drop=0.08, shuffle=0.4, redirect=0.5, final_stop=0.4)
)


def test_augmented_batches_come_in_few_shapes_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    made = sentences(AS_FOR_MINI, input_kind=MARKED_PHONEMES)
    shapes = [tuple(made.batch(batch)["input_ids"].shape) for batch in made.epoch(0, 32, 0)]
    assert max(rows * width for rows, width in shapes) <= 1024
    assert all(width % 8 == 0 for _, width in shapes)
    assert len(set(shapes)) <= 2 * len({width for _, width in shapes})  # of each width the full batch, and what is left


def test_a_batch_draws_its_words_once_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    made = sentences(AS_FOR_MINI, input_kind=MARKED_PHONEMES)
    rows, drawn, chunks = made.epoch(0, 32, 0)[0], [], made.augmenter.chunks
    monkeypatch.setattr(made.augmenter, "chunks", lambda *given: drawn.append(given) or chunks(*given))
    assert made.batch(rows)["input_ids"].shape[1] == width_of(made._most_positions(rows)).max()
    assert len(drawn) == 1  # how long its rows may be is known without


@pytest.mark.parametrize(("settings", "filled"), [(Ner(batch_positions=2048), 0.97), (AS_FOR_MINI, 0.97)])
def test_on_a_cpu_batches_by_positions_are_hardly_padded(settings: Ner, filled: float) -> None:
    made = sentences(settings, input_kind=MARKED_PHONEMES)
    masks = [made.batch(batch)["attention_mask"] for batch in made.epoch(0, 32, 0, exact=True)]
    assert all(mask.sum(1).max() == mask.shape[1] for mask in masks)
    assert max(mask.numel() for mask in masks) <= settings.batch_positions
    assert sum(int(mask.sum()) for mask in masks) / sum(mask.numel() for mask in masks) > filled


def test_a_batch_depends_on_its_rows_alone() -> None:
    settings = Ner(augmentation=Augmentation(share=1.0, noise=0.2, drop=0.1, shuffle=0.5, swap=0.3))
    made, again = sentences(settings), sentences(settings)
    rows = made.drawn([3, 14, 15], 7)
    batch = made.batch(rows)
    assert all((batch[name] == again.batch(rows)[name]).all() for name in batch)
    other = made.batch(made.drawn([3, 14, 15], 8))
    assert batch["input_ids"].shape != other["input_ids"].shape or (batch["input_ids"] != other["input_ids"]).any()
    # The share of a second process is augmented as in the whole batch.
    alone = made.batch(rows[1:2])["input_ids"][0]
    alone = alone[alone != TOKENIZER.pad_token_id]
    assert (batch["input_ids"][1, : len(alone)] == alone).all()


def test_each_epoch_draws_anew() -> None:
    made = sentences(Ner(augmentation=Augmentation(share=1.0, noise=0.2)))
    first, second = (np.concatenate(made.epoch(epoch, 32, 0)) for epoch in (0, 1))
    assert not np.isin(first, second).any()


def test_two_sentences_share_a_row_and_keep_their_labels() -> None:
    made = sentences(Ner(join=1.0))
    rows = np.concatenate(made.epoch(0, 32, 0)) % made.numbers  # without their draw
    joined = rows[rows >= len(made.packed)]
    assert len(joined) > len(rows) / 2
    first, second = int(joined[0] % len(made.packed)), int(joined[0] // len(made.packed) - 1)
    together = {name: tensor[0].tolist() for name, tensor in made.batch(joined[:1]).items()}
    apart = [{name: tensor[0].tolist() for name, tensor in made.batch([number]).items()} for number in (first, second)]
    separator = TOKENIZER.convert_tokens_to_ids("▁")
    assert together["input_ids"] == [*apart[0]["input_ids"][:-1], separator, *apart[1]["input_ids"][1:]]
    assert together["labels"] == [*apart[0]["labels"], *apart[1]["labels"][1:]]


def test_a_long_sentence_is_cut_or_becomes_several_with_all_its_words() -> None:
    cut, split = (sentences(Ner(long_sentences=how), max_length=30) for how in ("cut", "split"))
    whole = sentences(Ner(), max_length=1000)
    assert len(cut.packed) == len(whole.packed) < len(split.packed)
    assert split.packed.ids.tolist() == whole.packed.ids.tolist()
    assert len(cut.packed.ids) < len(whole.packed.ids)
    assert split.batch(range(200))["input_ids"].shape[1] <= 30


def test_a_share_of_the_sentences_keeps_its_case_marks() -> None:
    made = sentences(Ner(mark_share=0.6, sentences_per_language=None), input_kind=MARKED_PHONEMES)
    tokens = Corpus("sample").split("eng", "train")["tokens"][:400]
    with_capitals = [number for number, words in enumerate(tokens) if any(capitals(words))]
    batch = made.batch(with_capitals)
    marks = batch["input_ids"] == MARK
    assert float(marks.any(1).float().mean()) == pytest.approx(0.6, abs=0.1)
    assert (batch["labels"][marks] == -100).all()  # a mark has no label
    kept = marks.any(1).nonzero()[0].item()
    assert int(marks[kept].sum()) == sum(capitals(tokens[with_capitals[kept]]))


def test_a_case_mark_has_the_id_that_the_tokenizer_gives_it() -> None:
    backend = json.loads(TOKENIZER.backend_tokenizer.to_str())
    ids = backend["model"]["vocab"]
    ids["^"], ids["a"] = ids["a"], ids["^"]
    other = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(backend)), **TOKENIZER.special_tokens_map)
    rows = Corpus("sample").split("eng", "train").select(range(40))
    expected = token_batch(encoded(rows, other, 128, MARKED_PHONEMES), other.pad_token_id)
    batch = Sentences(Corpus("sample"), ["eng"], Ner(), other, 128, MARKED_PHONEMES).batch(range(40))
    assert torch.equal(batch["input_ids"], expected["input_ids"])


def test_without_augmentation_the_sentences_are_as_they_are() -> None:
    plain, off = sentences(Ner()), sentences(replace(Ner(), augmentation=Augmentation(noise=0.5)))
    assert (plain.batch([0, 1])["input_ids"] == off.batch(off.drawn([0, 1], 9))["input_ids"]).all()


def test_augmentation_is_refused_where_it_would_mistake_the_ids() -> None:
    other = phoneme_tokenizer()
    other.add_tokens(["another"])
    with pytest.raises(ConlipaError, match=r"ner\.augmentation knows the kit's own phonemes"):
        Sentences(Corpus("sample"), ["eng"], Ner(augmentation=Augmentation(share=0.5)), other, 128)
    assert len(Sentences(Corpus("sample"), ["eng"], Ner(), other, 128).lengths)


def test_what_was_changed_comes_with_a_batch_of_masked_phoneme_prediction() -> None:
    wear = Augmentation(share=0.5, noise=0.2, mask=0.2)
    plain, guessed = sentences(Ner(augmentation=wear)).batch(range(20)), sentences(Ner(augmentation=wear, denoise_weight=1.0)).batch(range(20))
    assert set(guessed) - set(plain) == {"originals"}
    assert all((plain[name] == guessed[name]).all() for name in plain)
    assert guessed["originals"].shape == guessed["input_ids"].shape
    untouched = (guessed["originals"] == -100).all(-1)
    assert untouched.any()
    assert not untouched.all()


def test_to_exclude_all_sets_is_an_error() -> None:
    with pytest.raises(ConlipaError, match=r"ner\.exclude leaves no set of the source languages to train on \(titles/\*\)"):
        Sentences(Corpus("sample"), ["eng"], Ner(exclude=("titles/*",)), phoneme_tokenizer(), 128)


def test_packed_sentences_are_memory_mapped() -> None:
    assert isinstance(sentences(Ner()).packed.ids, np.memmap)
