"""Threads for the CPU kernels: our own, because Numba's clash with torch's and with forks.

A kernel is a function of a range of blocks that holds no lock while it runs. Each block writes its
own sums, so results do not depend on how many threads share the work.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_ENVIRONMENT = "LOSSARY_NUM_THREADS"

# Enough for the last thread not to be waited for long, few enough to cost nothing.
_SHARES = 4

_lock = threading.Lock()
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def threads() -> int:
    """Return how many threads may work: LOSSARY_NUM_THREADS, else torch's number, else the CPUs."""
    if own := os.environ.get(_ENVIRONMENT):
        if not own.isdigit() or int(own) < 1:
            raise ValueError(f"{_ENVIRONMENT} must be a whole number, at least 1, got {own!r}")
        return int(own)
    if "torch" in sys.modules:
        return sys.modules["torch"].get_num_threads()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers(size: int, shared_from: int) -> int:
    """Return on how many threads work of a size is worth sharing, two from ``shared_from`` on."""
    return 2 * size // shared_from


def run(work: Callable[[int, int], None], blocks: int, most: int) -> None:
    """Call ``work(first, last)`` so that the ranges cover all blocks, on so many threads at most.

    The calling thread takes ranges too: where others come late, or never, it has done their part.
    """
    count = min(threads(), blocks, most) if most > 1 else 1
    if count <= 1:
        work(0, blocks)
        return
    shares = min(count * _SHARES, blocks)
    ranges = deque(pairwise(blocks * share // shares for share in range(shares + 1)))
    job = [work]
    others = _called(count - 1, job, ranges)
    try:
        _take(job, ranges)
    finally:
        for other in others:
            if not other.cancel():
                other.result()
        job.clear()  # a thread that still has to hear of it keeps no array alive


def _called(
    count: int, job: list[Callable[[int, int], None]], ranges: deque[tuple[int, int]]
) -> list[Future[None]]:
    """Call other threads to take ranges; fewer where the interpreter is shutting down."""
    called: list[Future[None]] = []
    with suppress(RuntimeError):
        for _ in range(count):
            called.append(_pool(count).submit(_take, job, ranges))  # noqa: PERF401  (keeps those before an error)
    return called


def _take(job: list[Callable[[int, int], None]], ranges: deque[tuple[int, int]]) -> None:
    """Do what is left of the job, a range at a time."""
    while True:
        try:
            first, last = ranges.popleft()
        except IndexError:
            return
        job[0](first, last)


def _pool(count: int) -> ThreadPoolExecutor:
    """Return the pool of this process: after a fork the parent's threads are gone."""
    key = os.getpid(), count
    with _lock:
        if key not in _pools:
            from concurrent.futures import ThreadPoolExecutor

            _pools[key] = ThreadPoolExecutor(count, thread_name_prefix="lossary")
        return _pools[key]


def _forget() -> None:
    """In a forked child: the lock may have been held, and the pools' threads do not exist."""
    global _lock  # noqa: PLW0603  (a child needs a lock of its own)
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
