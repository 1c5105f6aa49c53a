"""What the threads of a process share, and what becomes of it in a forked process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_LOCKS: dict[int, Any] = {}
_STARTED_AS = os.getpid()


def process_lock() -> Any:
    """One reentrant lock a process, for what is made once: a fork may copy a lock that another thread holds, and nobody would ever release it."""
    return _LOCKS.setdefault(os.getpid(), threading.RLock())


def held_during_fork(lock: Any) -> Any:
    """`lock`, which a fork waits for: a forked process finds it free, and what it guards whole."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


def has_gpu() -> bool:
    """Whether there is one to use: none where Accelerate is told to use the CPU (`accelerate launch --cpu`); then torch sees none from here on."""
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes", "y", "on", "t"):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    return torch.cuda.is_available()


class once(Generic[_P, _T]):
    """`functools.cache`, but however many threads ask at the same time, each value is made once."""

    def __init__(self, make: Callable[_P, _T]) -> None:
        update_wrapper(self, make)
        self._make = make
        self._made: dict[Any, _T] = {}

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        made, key = self._made, (args, tuple(sorted(kwargs.items())))
        if key not in made:
            with process_lock():
                if key not in made:
                    made[key] = self._make(*args, **kwargs)
        return made[key]

    def cache_clear(self) -> None:
        """Forget all values; who holds one may still use it."""
        self._made = {}

    def __reduce__(self) -> str:
        return str(self.__qualname__)  # type: ignore[attr-defined]  # update_wrapper has set it


def one_torch_thread_after_fork() -> None:
    """In a forked process, let torch compute in the calling thread alone, as `DataLoader` does in its workers.

    The threads of its OpenMP pool do not survive a fork, and it would wait for them for ever.
    """
    if os.getpid() != _STARTED_AS:
        import torch

        if torch.get_num_threads() > 1:
            torch.set_num_threads(1)
