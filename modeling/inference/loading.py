"""Which backend runs a model, from what lies in its folders."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

from conlipa.errors import ConlipaError, UsageError, nearest
from conlipa.modeling.inference.backend import Backend
from conlipa.modeling.inference.onnx_backend import MOST_TEMPERATURE, OnnxBackend
from conlipa.modeling.inference.origin import made_from

ONNX_FILE = "model.onnx"
CALIBRATION_FILE = "calibration.json"
BACKENDS = ("auto", "torch", "onnx")


def load_backend(model: str, adapter: str | None = None, backend: str = "auto", device: str | None = None) -> Backend:
    """The backend of a model (and adapter), or of an ONNX file.

    Args:
        device: where torch computes (None: a GPU where there is one); onnxruntime computes on the CPU.

    Raises:
        UsageError: an unknown backend, or one that does not go with the model.
        ConlipaError: something cannot be loaded.
    """
    if backend not in BACKENDS:
        raise UsageError(f"unknown backend '{backend}'{nearest(backend, BACKENDS)} (backends: {', '.join(BACKENDS)})")
    elsewhere = device not in (None, "cpu")
    if elsewhere and (backend == "onnx" or model.endswith(".onnx")):
        raise UsageError(f"device '{device}': onnxruntime computes on the CPU here; take the backend torch")
    if model.endswith(".onnx"):
        if adapter or backend == "torch":
            raise UsageError(f"{model}: an ONNX file is run by onnxruntime and takes no adapter")
        return OnnxBackend(Path(model))
    file = Path(adapter or model) / ONNX_FILE
    if backend == "onnx" or (backend == "auto" and not elsewhere and file.is_file() and find_spec("onnxruntime")):
        made = _opened(file, model, backend)
        if made and made.made_from == made_from(model, adapter):
            made.temperature = temperature(model, adapter)  # that of the file is older
            return made
        if backend == "onnx":
            raise ConlipaError(f"{file}: was made from other weights; write it anew with `conlipa export`")
    from conlipa.modeling.inference.torch_backend import TorchBackend

    loaded = TorchBackend.load(model, adapter, on=device)
    loaded.temperature = temperature(model, adapter)
    return loaded


def _opened(file: Path, model: str, backend: str) -> OnnxBackend | None:
    """The backend of a file beside weights; None, with a word about it, where it is damaged and torch can run the weights."""
    try:
        return OnnxBackend(file)
    except ConlipaError as error:
        if backend == "onnx" or not (Path(model) / "model.safetensors").is_file():
            raise
        print(f"{error}; the weights beside it are run by torch", file=sys.stderr)
        return None


def temperature(model: str, adapter: str | None) -> float:
    """What `python -m conlipa.modeling.inference.calibration` found for a model (and adapter); 1.0 where it was not run.

    Raises:
        ConlipaError: the file is not one that it wrote.
    """
    file = Path(adapter or model) / CALIBRATION_FILE
    if not file.is_file():
        return 1.0
    try:
        written = json.loads(file.read_text(encoding="utf-8"))["temperature"]
        if type(written) not in (int, float):
            raise TypeError(written)
        found = float(written)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ConlipaError(f"{file}: expected JSON with a number at 'temperature'") from error
    if not 0 < found <= MOST_TEMPERATURE:
        raise ConlipaError(f"{file}: temperature is {found}, expected a number above 0, at most {MOST_TEMPERATURE:,}")
    return found
