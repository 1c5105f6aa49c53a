"""Muon, on stacks: matrices of one shape are orthogonalised together, in a few large products instead of many small ones."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from conlipa.modeling.inference.prediction import has_bf16

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration, as torch.optim.Muon has them."""
_ITERATIONS, _MOMENTUM, _EPSILON = 5, 0.95, 1e-7
_RMS = 0.2
"""Updates are as long as AdamW's are (`adjust_lr_fn="match_rms_adamw"`)."""


class StackedMuon(Optimizer):
    """The update of `torch.optim.Muon(..., adjust_lr_fn="match_rms_adamw")`, with its state's names; a step launches a tenth of the kernels."""

    def __init__(self, matrices: Iterable[torch.Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of all matrices that have a gradient."""
        for group in self.param_groups:
            with_gradient = [p for p in group["params"] if p.grad is not None]
            for p in with_gradient:
                if not self.state[p]:
                    self.state[p]["momentum_buffer"] = torch.zeros_like(p)
            gradients = [p.grad for p in with_gradient]
            momenta = [self.state[p]["momentum_buffer"] for p in with_gradient]
            torch._foreach_lerp_(momenta, gradients, 1 - _MOMENTUM)
            updates = torch._foreach_lerp(gradients, momenta, _MOMENTUM)  # Nesterov's look ahead
            torch._foreach_mul_(with_gradient, 1 - group["lr"] * group["weight_decay"])
            by_shape: dict[torch.Size, list[int]] = defaultdict(list)
            for number, p in enumerate(with_gradient):
                by_shape[p.shape].append(number)
            for shape, numbers in by_shape.items():
                made = orthogonal([updates[i] for i in numbers])
                rate = group["lr"] * _RMS * math.sqrt(max(shape))
                torch._foreach_add_([with_gradient[i] for i in numbers], list(made.unbind()), alpha=-rate)


def orthogonal(matrices: Sequence[torch.Tensor]) -> torch.Tensor:
    """(matrices, rows, columns) of matrices of one shape, with singular values near 1.

    Computed in bfloat16, as torch's Muon does; in float32 where the processor has none.
    """
    a, b, c = _COEFFICIENTS
    first = matrices[0]
    x = first.new_empty((len(matrices), *first.shape), dtype=torch.bfloat16 if has_bf16(first.device) else first.dtype)
    torch._foreach_copy_(list(x.unbind()), list(matrices))
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=_EPSILON)
    tall = x.shape[1] > x.shape[2]  # the smaller of the two products; nothing is transposed in memory
    for _ in range(_ITERATIONS):
        gram = torch.bmm(x.mT, x) if tall else torch.bmm(x, x.mT)
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, x, polynomial, beta=a) if tall else torch.baddbmm(x, polynomial, x, beta=a)
    return x
