"""`modeling/train.py` with sharded weights on CPU processes, which Accelerate shards on accelerators alone: it is told that it may.

    python -m torch.distributed.run --standalone --nproc_per_node 2 tests/fsdp_on_cpu.py ner --profile ... [--stop-at STEP]

`--stop-at`: every process ends there, without a word.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from accelerate import state
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

from conlipa.modeling import train
from conlipa.modeling.training.loop import Run

_begin = state.AcceleratorState.__init__


def begin_sharded(self: Any, *arguments: Any, **more: Any) -> None:
    """As Accelerate does with several GPUs."""
    _begin(self, *arguments, **more)
    if self.distributed_type == DistributedType.MULTI_CPU:
        self.fsdp_plugin = FullyShardedDataParallelPlugin(
            fsdp_version=2, auto_wrap_policy="transformer_based_wrap", transformer_cls_names_to_wrap=["RobertaLayer"], reshard_after_forward=True
        )
        self.distributed_type = DistributedType.FSDP


def end_at(last: int) -> None:
    """Kill this process when so many steps are through."""
    step = Run.step

    def stopping(self: Run, parts: Any) -> Any:
        if self.number == last:
            os._exit(9)
        return step(self, parts)

    Run.step = stopping  # type: ignore[method-assign]


if __name__ == "__main__":
    if "--stop-at" in sys.argv:
        at = sys.argv.index("--stop-at")
        end_at(int(sys.argv[at + 1]))
        del sys.argv[at : at + 2]
    state.AcceleratorState.__init__ = begin_sharded  # type: ignore[method-assign]
    train.main()
