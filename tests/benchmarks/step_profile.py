"""What the time of a training step goes to, by `torch.profiler`: operators, reads that make the device wait, and time in which nothing runs.

    python -m tests.benchmarks.step_profile [--corpus DIR | --packed DIR] [--row NAME] [--steps N] [--trace FILE]

The steps are the product's own loop, between two logs. `--trace` writes a timeline for chrome://tracing or Perfetto.
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.modeling.training import loop
from conlipa.quiet import quiet
from tests.benchmarks.paper import ROWS, ForSteps, corpus_of, recipe_of, stage_of

STEP = "training step"
READS = ("aten::_local_scalar_dense", "cudaStreamSynchronize", "cudaDeviceSynchronize")
"""A number read from a tensor, and what that is on a GPU."""
KINDS = {
    "matrix products": r"_?(add|b|baddb)?mm_?",
    "loss": r".*(log_softmax|nll_loss|cross_entropy).*",
    "attention": r".*(softmax|scaled_dot_product|flash).*",
    "normalisation and activation": r".*(layer_norm|gelu).*",
}
"""Names of operators, without `aten::`; the first kind that fits."""


class Profiled(loop.Run):
    """The loop's run, each step of it under its name."""

    def step(self, parts: list[dict[str, torch.Tensor]]) -> torch.Tensor:
        with record_function(STEP):
            return super().step(parts)


def kind_of(operator: str) -> str:
    """The kind of an operator; the rest are copies, sums and the optimisers' arithmetic."""
    name = operator.removeprefix("aten::")
    return next((kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, name)), "other")


def covered(events: Iterable[Any], begin: float, end: float) -> float:
    """Microseconds of a step in which an operator runs."""
    spans = sorted(
        (max(begin, e.time_range.start), min(end, e.time_range.end)) for e in events if e.time_range.end > begin < end > e.time_range.start
    )
    total, reached = 0.0, begin
    for start, stop in spans:
        total += max(0.0, stop - max(start, reached))
        reached = max(reached, stop)
    return total


def waits_for_device(event: Any) -> bool:
    """Whether it is a read that the step waits for; the step counters that the fused AdamW reads lie in the processor's memory."""
    parent = event.cpu_parent
    while parent is not None and parent.name != "aten::_fused_adamw_":
        parent = parent.cpu_parent
    return event.name in READS and parent is None


def table(found: Any, gpu: bool) -> list[str]:
    """The lines of the answer."""
    events = found.events()
    steps = [e for e in events if e.name == STEP and e.device_type == torch.autograd.DeviceType.CPU]
    operators = [e for e in events if (e.device_type.name == "CUDA" if gpu else e.name.startswith("aten::"))]
    whole = sum(e.time_range.elapsed_us() for e in steps)
    busy = sum(covered(operators, e.time_range.start, e.time_range.end) for e in steps)
    reads = sum(s.time_range.start <= e.time_range.start < s.time_range.end for e in events if waits_for_device(e) for s in steps)
    waits = [after.time_range.start - before.time_range.end for before, after in itertools.pairwise(steps)]
    by_kind: Counter[str] = Counter()
    for each in found.key_averages():
        if each.key.startswith("aten::"):
            by_kind[kind_of(each.key)] += each.self_device_time_total if gpu else each.self_cpu_time_total
    lines = [f"- {len(steps)} steps, {whole / len(steps) / 1000:,.1f} ms each; reads from the device in a step: {reads / len(steps):g}"]
    lines += [f"- an operator runs in {100 * busy / whole:.1f}% of a step; between two steps {sum(waits) / len(waits) / 1000:.2f} ms go by"]
    return [
        *lines,
        "",
        "| operators | share |",
        "|---|---:|",
        *(f"| {k} | {v / by_kind.total():.1%} |" for k, v in by_kind.most_common()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus_option(parser)
    parser.add_argument("--packed", type=Path, metavar="DIR")
    parser.add_argument("--row", choices=ROWS, default="mini")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--trace", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    quiet()
    recipe = recipe_of(ROWS[arguments.row], positions=32768)
    gpu = torch.cuda.is_available()
    with TemporaryDirectory() as temporary:
        stage = stage_of(ROWS[arguments.row], recipe, corpus_of(recipe, arguments.packed, arguments.corpus), Path(temporary))
        run = Profiled(ForSteps(stage, 2 * arguments.steps), Path(temporary) / "out", Path(temporary) / "work", {}, None)
        parts = run.parts()
        for _ in range(arguments.steps):  # kernels are chosen in the first ones
            run.step(next(parts))
        with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]) as found:
            for _ in range(arguments.steps):
                run.step(next(parts))
            if gpu:
                torch.cuda.synchronize()
    if arguments.trace:
        found.export_chrome_trace(str(arguments.trace))
    print("\n".join(table(found, gpu)))


if __name__ == "__main__":
    main()
