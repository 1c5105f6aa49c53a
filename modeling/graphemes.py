"""Words in their own letters as model inputs: the baselines of the papers (mBERT, CANINE, XLM-R)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conlipa.modeling.alignment import NO_WORD, OUTSIDE, inside


def encode_graphemes(tokenizer: Any, words: Sequence[str], labels: Sequence[int] | None, max_length: int) -> dict[str, list[int]]:
    """One sentence as `input_ids`, `labels` and `word_ids`, each as long as the other, at most `max_length`.

    Every piece of a word has its label, as in the first paper (section 4.2): a `B-X` word labels its first piece `B-X` and the
    others `I-X`. A tokenizer without pieces (CANINE: one id a character) has a space between words, which is `O`.
    """
    if tokenizer.is_fast:
        encoding = tokenizer(list(words), is_split_into_words=True, truncation=True, max_length=max_length)
        input_ids, word_ids = encoding["input_ids"], [NO_WORD if word is None else word for word in encoding.word_ids()]
    else:
        (space,) = tokenizer(" ", add_special_tokens=False)["input_ids"]
        input_ids, word_ids = [], []
        for number, word in enumerate(words):
            characters = tokenizer(word, add_special_tokens=False)["input_ids"]
            input_ids += [*([space] if number else []), *characters]
            word_ids += [*([NO_WORD] if number else []), *[number] * len(characters)]
        room = max_length - 2
        input_ids = [tokenizer.cls_token_id, *input_ids[:room], tokenizer.sep_token_id]
        word_ids = [NO_WORD, *word_ids[:room], NO_WORD]
    label_ids, previous = [], NO_WORD
    for number in word_ids:
        label = labels[number] if labels is not None and number != NO_WORD else OUTSIDE
        label_ids.append(label if number != previous else inside(label))
        previous = number
    return {"input_ids": list(input_ids), "labels": label_ids, "word_ids": word_ids}
