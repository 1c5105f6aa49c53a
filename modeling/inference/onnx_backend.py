"""The encoder by onnxruntime, from the one file of `conlipa export`: starts in a fraction of torch's time."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from conlipa.errors import ConlipaError

METADATA = "conlipa"
"""Key of the metadata that `conlipa export` writes into the file: tokenizer, length, temperature, what it was made from."""


class OnnxBackend:
    """`backend.Backend` of a file: each window by itself on one core, as many at once as there are cores.

    Nothing is padded, so int8, whose scale is that of all activations of a run, gives a window the same answer in any batch.
    """

    def __init__(self, path: Path) -> None:
        """Raises ConlipaError: no onnxruntime, no such file, or one that `conlipa export` did not write."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ConlipaError(f"{path}: onnxruntime is needed (pip install 'conlipa[onnx]')") from error
        if not path.is_file():
            raise ConlipaError(f"{path}: no such file; `conlipa export` writes one")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        # Its fused addition and normalisation runs at a tenth of the speed of the two apart.
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
            )
            written = json.loads(self._session.get_modelmeta().custom_metadata_map[METADATA])
        except Exception as error:  # onnxruntime's own errors share no public base
            raise ConlipaError(f"{path}: no model that `conlipa export` wrote ({str(error).splitlines()[0]})") from error
        self.made_from: list[str] = written["made_from"]
        self.max_length: int = written["max_length"]
        self.temperature: float = written["temperature"]
        self.tokenizer = Tokenizer.from_str(written["tokenizer"])
        self.tokenizer.enable_truncation(self.max_length)
        self._pool: ThreadPoolExecutor | None = None

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> list[NDArray[np.float32]]:
        if len(examples) < 2:
            return [self._logits(example) for example in examples]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        return list(self._pool.map(self._logits, examples))

    def _logits(self, example: dict[str, list[int]]) -> NDArray[np.float32]:
        ids = np.array([example["input_ids"]], dtype=np.int64)
        scores: NDArray[np.float32] = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
        return scores
