"""Optimisers and their schedules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from conlipa.modeling.recipe import Optimisation
from conlipa.modeling.training.muon import StackedMuon


def optimizers_of(module: nn.Module, settings: Optimisation) -> list[torch.optim.Optimizer]:
    """AdamW; with Muon, that for the matrices of the encoder's layers, and AdamW for the rest."""
    trainable = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    matrices = {name: p for name, p in trainable if settings.optimizer == "muon" and p.ndim == 2 and ".layer." in name}
    others = [p for name, p in trainable if name not in matrices]
    kept = [p for p in others if p.ndim < 2]  # biases and norms are not decayed
    groups = [{"params": [p for p in others if p.ndim >= 2], "weight_decay": decay}, {"params": kept, "weight_decay": 0.0}]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=rate, fused=True)]
    if matrices:
        optimizers.append(StackedMuon(matrices.values(), lr=rate, weight_decay=decay))
    return optimizers


def set_learning_rates(optimizers: Sequence[Any], settings: Optimisation, done: float, total: int | None) -> None:
    """For the step that begins when `done` of the run is through: up over the warm-up, then down to zero, linearly or along a cosine.

    `total`: the steps of the run, whole ones of which are the warm-up; None for a run by the clock.
    """
    warm_up = settings.warmup_ratio if total is None else min(math.ceil(total * settings.warmup_ratio), total - 1) / max(1, total)
    if done < warm_up:
        factor = done / warm_up
    else:
        left = (1 - done) / max(1e-12, 1 - warm_up)
        factor = left if settings.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * factor
