"""The encoder by onnxruntime, from the one file of `conlipa export`: starts in a fraction of torch's time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from conlipa.concurrency import process_lock
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.origin import check_unchanged, of_file

METADATA = "conlipa"
"""Key of the metadata that `conlipa export` writes into the file: tokenizer, length, temperature, what it was made from."""

MOST_TEMPERATURE = 1_000_000
_MOST_LENGTH = 1_000_000


class OnnxBackend:
    """`backend.Backend` of a file: each window by itself on one core, as many at once as there are cores. Any thread may call it.

    Nothing is padded, so int8, whose scale is that of all activations of a run, gives a window the same answer in any batch.
    Pickled, it is the file's name and digest.
    """

    def __init__(self, path: Path) -> None:
        """Raises ConlipaError: no onnxruntime, no such file, or one that `conlipa export` did not write."""
        self._path = path
        self._of_process: dict[int, tuple[Any, ThreadPoolExecutor]] = {}
        session, _ = self._running()
        self._path = path.absolute()  # a forked process may work in another folder
        written = _written(path, session)
        self.made_from: list[str] = written["made_from"]
        self.max_length: int = written["max_length"]
        self.temperature: float = written["temperature"]
        self.case_marks: bool = written.get("case_marks", False)
        try:
            self.tokenizer = Tokenizer.from_str(written["tokenizer"])
        except Exception as error:  # what `tokenizers` raises, plainly
            raise ConlipaError(f"{path}: its tokenizer is damaged ({str(error)[:200]})") from error
        self.tokenizer.enable_truncation(self.max_length)

    def _running(self) -> tuple[Any, ThreadPoolExecutor]:
        """Session and threads of this process: those of another do not survive a fork."""
        process = os.getpid()
        if process not in self._of_process:
            with process_lock():
                if process not in self._of_process:
                    self._of_process[process] = _session(self._path), ThreadPoolExecutor(_cores())
        return self._of_process[process]

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> list[NDArray[np.float32]]:
        session, pool = self._running()
        each = map if len(examples) < 2 else pool.map
        return list(each(partial(_logits, session), examples))

    @cached_property
    def _digest(self) -> str:
        return of_file(self._path)

    def __reduce__(self) -> Any:
        return _reopened, (str(self._path), self._digest, self.temperature)


def _reopened(path: str, digest: str, temperature: float) -> OnnxBackend:
    made = OnnxBackend(Path(path))
    check_unchanged(path, [digest], [made._digest])
    made.temperature = temperature
    return made


def _written(path: Path, session: Any) -> dict[str, Any]:
    """What `conlipa export` wrote into the file.

    Raises:
        ConlipaError: it is missing, or one of its values cannot be.
    """
    try:
        written = json.loads(session.get_modelmeta().custom_metadata_map[METADATA])
    except (KeyError, ValueError, RecursionError) as error:
        raise ConlipaError(f"{path}: no model that `conlipa export` wrote (no {METADATA} in its metadata)") from error
    allowed: dict[str, Callable[[Any], bool]] = {
        "made_from": lambda value: isinstance(value, list) and all(isinstance(digest, str) for digest in value),
        "max_length": lambda value: type(value) is int and 4 <= value <= _MOST_LENGTH,
        "temperature": lambda value: type(value) in (int, float) and 0 < value <= MOST_TEMPERATURE,
        "case_marks": lambda value: value in (None, False, True),
        "tokenizer": lambda value: isinstance(value, str),
    }
    for key, good in allowed.items():
        value = written.get(key) if isinstance(written, dict) else None
        if not good(value):
            raise ConlipaError(f"{path}: {key} of its metadata is {str(value)[:60]}, which `conlipa export` does not write; write it anew")
    return dict(written)


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ConlipaError(f"{path}: onnxruntime is needed (pip install 'conlipa[onnx]')") from error
    if not path.is_file():
        raise ConlipaError(f"{path}: no such file; `conlipa export` writes one")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        # Its fused addition and normalisation runs at a tenth of the speed of the two apart.
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"])
    except Exception as error:  # onnxruntime's own errors share no public base
        raise ConlipaError(f"{path}: no model that `conlipa export` wrote ({str(error).splitlines()[0]})") from error


def _cores() -> int:
    """Those that this process may use, where the system tells it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _logits(session: Any, example: dict[str, list[int]]) -> NDArray[np.float32]:
    ids = np.array([example["input_ids"]], dtype=np.int64)
    scores: NDArray[np.float32] = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
    return scores
