"""Memory of large results, lent and taken back: fresh pages cost as much time as the arithmetic.

An array that is handed out has a *lease* as its base. When nobody refers to the array any more, be
it NumPy or a tensor that shares its memory, Python drops the lease, and the lease returns the
memory. So no memory has two owners, whoever keeps a view of it.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextvars import ContextVar
from math import prod
from typing import Any, NamedTuple

import numpy as np

FROM = 1 << 22
"""Bytes from which memory is lent; less comes from the system at no cost worth mentioning."""

_ENVIRONMENT = "LOSSARY_POOL_MIB"
_DEFAULT = 512
_GRAIN = 1 << 21
"""Sizes are rounded up to huge pages, so that results of about one size share memory."""

_LONG = 64
"""Leases after which memory that nobody took goes back to the system."""


class _Idle(NamedTuple):
    memory: np.ndarray
    since: int


lending: ContextVar[bool] = ContextVar("lending", default=True)
"""Whether memory is lent here; ``lossary.using`` says so."""

_idle: deque[_Idle] = deque()
"""Memory that nobody uses, that of longest ago first."""

_lock = threading.RLock()  # a lease may end inside, when Python collects garbage
_leases = 0


class _Lease:
    """The base of an array whose memory comes back."""

    __slots__ = ("__array_interface__", "memory")

    def __init__(self, memory: np.ndarray) -> None:
        self.memory, self.__array_interface__ = memory, memory.__array_interface__

    def __del__(self) -> None:
        if _take_back is not None:  # pyright: ignore[reportUnnecessaryComparison]  # at the end
            _take_back(self.memory)


def blank(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array whose contents are arbitrary."""
    size = prod(shape) * dtype.itemsize
    if size < FROM or not lending.get() or not limit():
        return np.empty(shape, dtype)
    lent = np.asarray(_Lease(_taken(-(-size // _GRAIN) * _GRAIN)))
    return lent[:size].view(dtype).reshape(shape)


def limit() -> int:
    """Return how many bytes may lie idle: LOSSARY_POOL_MIB, 512 by default; 0 lends nothing."""
    own = os.environ.get(_ENVIRONMENT, "")
    if own and not own.isdigit():
        raise ValueError(
            f"{_ENVIRONMENT} must be a whole number of mebibytes, at least 0, got {own!r}\n"
            "hint: 0 takes all memory from the system anew"
        )
    return int(own or _DEFAULT) << 20


def held() -> int:
    """Return how many bytes lie idle."""
    return sum(idle.memory.nbytes for idle in tuple(_idle))


def release_memory() -> int:
    """Give all idle memory back to the system, and return how many bytes that were.

    >>> import lossary
    >>> lossary.release_memory() >= 0
    True
    """
    with _lock:
        size = held()
        _idle.clear()
    return size


def _taken(size: int) -> np.ndarray:
    """Return idle memory of that size, of which the last used is warmest, or fresh memory."""
    global _leases  # noqa: PLW0603  (a clock)
    with _lock:
        _leases += 1
        while _idle and _idle[0].since + _LONG < _leases:
            _idle.popleft()
        for place in range(len(_idle) - 1, -1, -1):
            memory = _idle[place].memory
            if memory.nbytes == size:
                del _idle[place]
                return memory
    return np.empty(size, np.uint8)


def _take_back(memory: np.ndarray) -> None:
    """Keep memory for the next lease, as long as the limit allows."""
    with _lock:
        _idle.append(_Idle(memory, _leases))
        while _idle and held() > limit():
            _idle.popleft()


def _forget() -> None:
    """In a forked child the lock may be held by a thread that is not there."""
    global _lock  # noqa: PLW0603  (a child begins anew)
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
