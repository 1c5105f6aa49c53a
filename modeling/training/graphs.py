"""Forward and backward as CUDA graphs, one for each shape of a batch: the GPU does not wait for Python to launch a thousand small kernels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import nn

Part = dict[str, torch.Tensor]
Shapes = tuple[tuple[str, torch.Size], ...]
_OFTEN = 4
"""Times that a shape is met before it has a graph, which takes memory: the last batch of a width has another number of rows in each epoch."""


class GraphedGradients:
    """Adds the gradients of a batch to the parameters, as the function that it was made from does."""

    def __init__(self, module: nn.Module, gradients_of: Callable[[Part], torch.Tensor]) -> None:
        """`gradients_of`: runs forward and backward on the device, without waiting for it, and gives the loss, detached."""
        self.gradients_of = gradients_of
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.pool = torch.cuda.graph_pool_handle()
        self.met: Counter[Shapes] = Counter()
        self.made: dict[Shapes, tuple[torch.cuda.CUDAGraph, Part, torch.Tensor]] = {}

    def __call__(self, part: Part) -> torch.Tensor:
        """The loss of a part; its gradients are in place when the device comes to it."""
        key = tuple((name, tensor.shape) for name, tensor in part.items())
        if key not in self.made:
            self.met[key] += 1
            if self.met[key] < _OFTEN:
                return self.gradients_of(part)
            self.made[key] = self._captured({name: tensor.clone() for name, tensor in part.items()})
        graph, inputs, loss = self.made[key]
        for name, tensor in part.items():
            inputs[name].copy_(tensor)
        graph.replay()
        return loss

    def _captured(self, inputs: Part) -> tuple[torch.cuda.CUDAGraph, Part, torch.Tensor]:
        """A graph whose gradients are added to tensors that stay where they are."""
        if not self.made:
            self._warm_up(inputs)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, capture_error_mode="thread_local"):  # another thread pins batches meanwhile
            loss = self.gradients_of(inputs)
        return graph, inputs, loss

    def _warm_up(self, inputs: Part) -> None:
        """Run on a stream of its own, so that what libraries make at their first call is made before, and the gradients have their place."""
        stream: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.random.fork_rng(devices=[torch.cuda.current_device()]), torch.cuda.stream(stream):  # what is dropped out does not change by it
            for _ in range(3):
                self.gradients_of(inputs)
        torch.cuda.current_stream().wait_stream(stream)
        for p in self.parameters:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
            p.grad.zero_()
