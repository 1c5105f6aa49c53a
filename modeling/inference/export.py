"""A tagger as one ONNX file: the merged encoder, its tokenizer and its temperature."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from conlipa.atomic_files import write_errors
from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.encoder import input_kind_of, load_adapted, max_length
from conlipa.modeling.inference.lexicon import WORDS_FILE, lexicon_of
from conlipa.modeling.inference.loading import temperature
from conlipa.modeling.inference.onnx_backend import METADATA, OnnxBackend
from conlipa.modeling.inference.origin import made_from
from conlipa.modeling.inference.prediction import logits
from conlipa.modeling.recipe import GRAPHEMES, MARKED_PHONEMES

TOLERANCE = {False: 1e-3, True: 0.25}
"""By how much a logit of the file may differ from torch's in float32; of an int8 file, the mean over the probe."""
_PROBE = 32
"""Sentences of random phonemes that are compared."""


class _Logits(nn.Module):
    """A token classifier that returns a plain tensor."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return scores


def export(model: str, adapter: str | None, out: Path, int8: bool = False) -> None:
    """Write a model (and adapter, merged) as ONNX: `input_ids`, `attention_mask` (batch, positions) → `logits` (batch, positions, labels).

    Args:
        int8: weights of the matrix products in eight bits, activations scaled as they come.

    Raises:
        UsageError: `out` is no name of an ONNX file.
        ConlipaError: the extra `onnx` is not installed, the model cannot be loaded, or the file does not answer as torch does.
    """
    if out.suffix != ".onnx" or out.is_dir():  # a tagger takes no other name for a file
        raise UsageError(f"--out {out}: expected the name of a file that ends in .onnx")
    if missing := [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]:
        raise ConlipaError(f"{', '.join(missing)} is needed to write ONNX (pip install 'conlipa[onnx]')")
    loaded, tokenizer = load_adapted(model, adapter)
    if input_kind_of(loaded) == GRAPHEMES:
        raise ConlipaError(f"{model}: reads letters, and a tagger gives it phonemes; `conlipa evaluate` scores such models")
    written = {
        "made_from": made_from(model, adapter),
        "labels": list(loaded.config.id2label.values()),
        "max_length": max_length(tokenizer),
        "temperature": temperature(model, adapter),
        "int8": int8,
        "case_marks": input_kind_of(loaded) == MARKED_PHONEMES,
        "tokenizer": tokenizer.backend_tokenizer.to_str(),
    }
    if lexicon_of(adapter or model):
        print(f"export: {out} does not know the words of {adapter or model}/{WORDS_FILE}", file=sys.stderr)
    with write_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".export", dir=out.parent) as folder:
            file = Path(folder) / "model.onnx"
            with _silence():
                _trace(loaded, file)
                if int8:
                    _quantise(file)
            _describe(file, written)
            _compare(loaded, tokenizer, OnnxBackend(file), int8)
            os.replace(file, out)


@contextmanager
def _silence() -> Iterator[None]:
    """Without the exporters' advice to developers."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _trace(model: Any, file: Path) -> None:
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("positions", max=model.config.max_position_embeddings - 2)}
    ids = torch.full((2, 8), 4)
    model.set_attn_implementation("eager")  # plain matrix products and a softmax: what onnxruntime is fastest at
    torch.onnx.export(
        _Logits(model).eval(),
        (ids, torch.ones_like(ids)),
        str(file),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_shapes=(sizes, sizes),
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def _quantise(file: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(file, file, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8)


def _describe(file: Path, written: dict[str, Any]) -> None:
    import onnx

    graph = onnx.load(file)
    for part in (graph.graph, *graph.graph.node, *graph.graph.value_info, *graph.graph.input, *graph.graph.output, *graph.graph.initializer):
        del part.metadata_props[:]  # where each node came from, with the paths of this machine
        part.doc_string = ""
    onnx.helper.set_model_props(graph, {METADATA: json.dumps(written)})
    onnx.save(graph, file)


def _compare(model: Any, tokenizer: Any, backend: OnnxBackend, int8: bool) -> None:
    """The file against torch, on random phonemes of every length."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.linspace(1, backend.max_length - 2, _PROBE).int().tolist()
    plain = torch.tensor(sorted(set(range(model.config.vocab_size)) - set(tokenizer.all_special_ids)))
    begin, end = tokenizer("")["input_ids"]
    examples = []
    for length in lengths:
        inner = plain[torch.randint(len(plain), (length,), generator=generator)].tolist()
        examples.append({"input_ids": [begin, *inner, end]})
    pairs = zip(backend(examples), logits(model, examples, tokenizer.pad_token_id), strict=True)
    differences = torch.cat([(torch.from_numpy(ours) - theirs).abs().flatten() for ours, theirs in pairs])
    worst = float(differences.mean() if int8 else differences.max())
    if not worst <= TOLERANCE[int8]:
        raise ConlipaError(f"the ONNX file does not answer as torch does: logits differ by {worst:.2g}, expected {TOLERANCE[int8]:g} at most")
