"""What a device does at best, to hold what the product does against it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch


def multiplication_rate(bf16: bool) -> float:
    """Floating-point operations a second of a product of two large matrices on the GPU, or the CPU where there is none; the best of ten."""
    gpu = torch.cuda.is_available()
    size = 8192 if gpu else 2048
    matrix = torch.randn(size, size, device="cuda" if gpu else "cpu").to(torch.bfloat16 if bf16 else torch.float32)

    def product() -> None:
        matrix @ matrix
        if gpu:
            torch.cuda.synchronize()

    return float(2 * size**3 / min(seconds(product) for _ in range(10)))


def seconds(run: Callable[[], Any]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
