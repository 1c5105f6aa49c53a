"""The phoneme tokenizer: a stock `PreTrainedTokenizerFast`, one id a phoneme.

    <s> p p p ▁ p p </s>

A phoneme outside the vocabulary is folded to the articulatorily nearest one inside it, and a typographic symbol to
its ASCII form. The folding is written into the tokenizer's own file, so that `AutoTokenizer` alone folds as the kit does.
"""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from anyascii import anyascii
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from conlipa.dataset_scripts.g2p.ipa import AFFRICATES, CONSONANTS, VOWELS, is_ipa
from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR
from conlipa.modeling.alignment import MAX_LENGTH

MASK = "<mask>"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", MASK]

_MODIFIED = {
    "ʰ": ["p", "t", "ʈ", "c", "k", "q", "ts", "tʃ", "tɕ", "tʂ"],
    "ʱ": ["b", "d", "ɖ", "ɡ", "dʒ"],
    "ʼ": ["p", "t", "k", "q", "s", "ts", "tʃ"],
    "ʷ": ["k", "ɡ", "q", "x", "h"],
    "ʲ": [*"pbtdkɡmnszlrfvxʃɾ", "ts", "dz", "tʃ"],
    "ˤ": [*"tdszðl", "ts", "dz"],
    "\u0303": list("aeiouɛɔəɐɑæɪʊ"),
}
"""Which letters have an id of their own with which modifier: what the languages of the table contrast."""


@cache
def phonemes() -> list[str]:
    """The phonemes that have an id and an embedding of their own."""
    return [*VOWELS, *CONSONANTS, *AFFRICATES, *(letter + modifier for modifier, letters in _MODIFIED.items() for letter in letters)]


@cache
def vocabulary() -> dict[str, int]:
    """Every token that has an id."""
    own = [*SPECIAL, WORD_SEPARATOR, *phonemes(), *string.digits, *string.punctuation]
    return {token: number for number, token in enumerate(own)}


def size() -> int:
    """The number of ids."""
    return len(vocabulary())


def _folding() -> normalizers.Normalizer:
    """What has no id of its own, as what is nearest to it: a dozen rules for phonemes, one a symbol for the rest.

    A letter with a modifier that the vocabulary does not pair it with is articulatorily nearest to the letter alone.
    """
    modifiers = f"[{''.join(_MODIFIED)}]"
    rules = [normalizers.Replace(Regex(f"(?<={modifiers}){modifiers}"), "")]
    rules += [normalizers.Replace(Regex(f"(?<!{'|'.join(letters)}){modifier}"), "") for modifier, letters in _MODIFIED.items()]
    by_symbol: dict[str, list[str]] = {}
    for character, ascii_form in _ascii_symbols():
        by_symbol.setdefault(ascii_form, []).append(character)
    rules += [normalizers.Replace(Regex(f"[{''.join(characters)}]"), symbol) for symbol, characters in sorted(by_symbol.items())]
    return normalizers.Sequence(rules)


def _ascii_symbols() -> Iterator[tuple[str, str]]:
    """“ as ", – as -, ٣ as 3: punctuation and digits of any script with their ASCII form, where that is one character."""
    for character in map(chr, range(0x80, 0x10000)):
        if unicodedata.category(character) == "Nd":
            yield character, str(unicodedata.decimal(character))
        elif unicodedata.category(character)[0] == "P" and (ascii_form := anyascii(character)) in set(string.punctuation):
            yield character, ascii_form


def phoneme_tokenizer(max_length: int = MAX_LENGTH) -> PreTrainedTokenizerFast:
    """A new tokenizer of the kit's own phonemes, ready to be saved beside a model."""
    vocab = vocabulary()
    backend = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    backend.normalizer = _folding()
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", vocab["<s>"]), ("</s>", vocab["</s>"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=MASK,
        model_max_length=max_length,
    )


@dataclass
class Folding:
    """What a tokenizer makes of phonemes and symbols, counted."""

    total: int = 0
    folded: Counter[tuple[str, str]] = field(default_factory=Counter)
    """`(phoneme, what it is folded to)`."""
    unknown_phonemes: Counter[str] = field(default_factory=Counter)
    unknown_symbols: Counter[str] = field(default_factory=Counter)


def folding(tokenizer: Any, ipa: Iterable[str]) -> Folding:
    """Which phonemes of IPA strings (phonemes separated by one space) the tokenizer folds, and which become `<unk>`."""
    report = Folding()
    normalizer = tokenizer.backend_tokenizer.normalizer
    for phoneme, count in Counter(phoneme for line in ipa for phoneme in line.split(" ")).items():
        report.total += count
        folded = normalizer.normalize_str(phoneme) if normalizer else phoneme
        if folded != phoneme:
            report.folded[phoneme, folded] += count
        if tokenizer.convert_tokens_to_ids(folded) == tokenizer.unk_token_id:
            (report.unknown_phonemes if is_ipa(phoneme) else report.unknown_symbols)[phoneme] += count
    return report
