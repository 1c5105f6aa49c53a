"""What a tagger asks of whatever runs its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Backend(Protocol):
    """What scores phonemes: torch (`torch_backend.py`) or onnxruntime (`onnx_backend.py`)."""

    temperature: float
    """Divides the logits, so that the probabilities are calibrated (`calibration.py`); 1 where that has not been done."""

    @property
    def tokenizer(self) -> Any:
        """Phonemes separated by spaces to ids: a tokenizer of `transformers` or `tokenizers`."""
        ...

    @property
    def max_length(self) -> int:
        """Positions of a window, its two ends included."""
        ...

    @property
    def case_marks(self) -> bool:
        """Whether the model reads case marks."""
        ...

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> Sequence[NDArray[np.float32]]:
        """(positions, labels) logits of each example; they do not depend on the other examples."""
        ...
