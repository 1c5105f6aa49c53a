"""CharsiuG2P (Zhu et al. 2022): one ByT5 that reads words of a hundred languages, from the Hub through transformers.

It is the G2P of the second paper. Its name is `charsiu:CODE`, or `charsiu:CODE@FOLDER` for a copy of the model in a
folder. `charsiu.csv` lists the model's codes, with the language of the table that each one serves; Uzbek, whose training
dictionary its authors withdrew, and Kurdish, which it knows in another script, serve none. No language's own chain holds
the engine, as it needs the Hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conlipa.concurrency import once, one_torch_thread_after_fork
from conlipa.dataset_scripts.g2p.stamps import split_stamp
from conlipa.dataset_scripts.tables import rows
from conlipa.errors import ConlipaError, nearest
from conlipa.foreign import from_folder
from conlipa.hub import need_hub

REPO = "charsiu/g2p_multilingual_byT5_small_100"
REVISION = "refs/pr/1"
"""Where the Hub's own converter has put the weights as safetensors; the main branch holds a pickle."""
_BATCH = 64
_LONGEST_WORD = 60
"""Letters; longer words the model has never seen."""
_LONGEST_IPA = 160
"""Bytes, at two or three a phoneme."""


def engines(iso: str) -> tuple[str, ...]:
    """The engine's name for a language, none where the model does not know it."""
    return tuple(f"charsiu:{row['code']}" for row in rows("charsiu.csv") if row["iso"] == iso)


class Charsiu:
    """The reader of one language."""

    def __init__(self, code: str) -> None:
        """`code`: also with a folder, and a stamp (`stamps.py`).

        Raises:
            ConlipaError: an unknown code, the Hub is out of reach, or the folder holds no such model.
        """
        name, stamp = split_stamp(code)
        self.code, _, place = name.partition("@")
        known = [row["code"] for row in rows("charsiu.csv")]
        if self.code not in known:
            raise ConlipaError(f"CharsiuG2P has no language code '{self.code}'{nearest(self.code, known)}")
        self._model, self._tokenizer = _model(place, stamp)

    def transcribe(self, words: Sequence[str]) -> list[str]:
        """Greedy, in batches of words of similar length; nothing for a word too long."""
        one_torch_thread_after_fork()
        found = dict.fromkeys(words, "")
        todo = sorted((word for word in found if len(word) <= _LONGEST_WORD), key=lambda word: len(word.encode()))
        for start in range(0, len(todo), _BATCH):
            batch = todo[start : start + _BATCH]
            found.update(zip(batch, self._generate(batch), strict=True))
        return [found[word] for word in words]

    def _generate(self, batch: list[str]) -> list[str]:
        prompts = [f"<{self.code}>: {word}" for word in batch]
        inputs = self._tokenizer(prompts, padding=True, add_special_tokens=False, return_tensors="pt").to(self._model.device)
        ids = self._model.generate(**inputs, num_beams=1, do_sample=False, max_new_tokens=_LONGEST_IPA)
        ipa: list[str] = self._tokenizer.batch_decode(ids, skip_special_tokens=True)
        return ipa


@once
def _model(folder: str, _: str) -> tuple[Any, Any]:
    """Model and tokenizer, which serve every language, made once for each stamp; ByT5's bytes need no vocabulary file."""
    from huggingface_hub import try_to_load_from_cache

    if folder and not (Path(folder) / "config.json").is_file():
        raise ConlipaError(f"{folder}: no model folder (config.json is missing)")
    if not folder and not isinstance(try_to_load_from_cache(REPO, "model.safetensors", revision=REVISION), str):
        need_hub(REPO)
    import torch  # slow to import: only when the model is there
    from transformers import ByT5Tokenizer, T5ForConditionalGeneration

    where = folder or REPO
    model, report = from_folder(
        T5ForConditionalGeneration, where, where, revision=None if folder else REVISION, use_safetensors=True, output_loading_info=True
    )
    if lacking := sorted(report["missing_keys"]) + [str(each) for each in report["mismatched_keys"]]:
        raise ConlipaError(f"{where}: weights are missing, or of another shape: {', '.join(lacking[:3])}")
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), ByT5Tokenizer()
