"""What the machine can move: a copy and a triad over arrays as large as those of a case.

They run in turns with the contestants, on the same number of threads, and the fastest of several
ways counts: NumPy on one thread, NumPy in slices on all threads, PyTorch.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.bench.contestant import Prepared
from lossary.bench.work import Case

COPY, TRIAD = "copy", "triad"
SLICES = 4  # per thread, so that one that is held up does not hold up the rest


@dataclass(frozen=True)
class Limit:
    """The time that moving arrays of a case's size takes, and who moved them."""

    pattern: str
    by: str
    seconds: float
    low: float
    high: float
    bytes: int

    @property
    def bandwidth(self) -> float:
        """Bytes per second."""
        return self.bytes / self.seconds

    def time_for(self, count: int) -> float:
        """Return the seconds in which a number of bytes moves."""
        return count / self.bandwidth


def pattern(case: Case) -> str:
    """Return what a case is compared with: one array read and one written, or two and one."""
    return COPY if case.arrays == 2 else TRIAD


def movers(kind: str, size: int, threads: int, pool: Executor) -> Iterator[tuple[str, Prepared]]:
    """Yield the ways to move arrays of ``size`` bytes in a CPU's memory."""
    count = max(1, size // 4)
    a, b, c = (np.full(count, value, np.float32) for value in (0.0, 1.0, 2.0))
    yield "NumPy", _prepared(lambda: _numpy(kind, a, b, c))
    if threads > 1 and size >= 1 << 18:
        edges = np.linspace(0, count, threads * SLICES + 1).astype(int)
        parts = [slice(low, high) for low, high in itertools.pairwise(edges)]

        def spread() -> None:
            list(pool.map(lambda part: _numpy(kind, a[part], b[part], c[part]), parts))

        yield "NumPy threads", _prepared(spread)
    if importlib.util.find_spec("torch"):
        import torch

        ta, tb, tc = map(torch.from_numpy, (a, b, c))
        yield "torch", _prepared(lambda: _torch(kind, ta, tb, tc))


def device_movers(kind: str, size: int) -> Iterator[tuple[str, Prepared]]:
    """Yield the ways to move arrays in a GPU's memory."""
    import torch

    a, b, c = (torch.full((max(1, size // 4),), value, device="cuda") for value in (0.0, 1.0, 2.0))
    step = lambda: _torch(kind, a, b, c)  # noqa: E731
    yield "torch", Prepared(step, _nothing, wait=torch.cuda.synchronize)


def _numpy(kind: str, a: Any, b: Any, c: Any) -> None:
    # Adding moves what a STREAM triad moves, which NumPy has no single operation for.
    np.copyto(a, b) if kind == COPY else np.add(b, c, out=a)


def _torch(kind: str, a: Any, b: Any, c: Any) -> None:
    import torch

    a.copy_(b) if kind == COPY else torch.add(b, c, alpha=3, out=a)


def _prepared(step: Callable[[], Any]) -> Prepared:
    return Prepared(step, _nothing)


def _nothing(result: Any) -> tuple[float, np.ndarray]:
    """Moving has no outcome to compare."""
    raise NotImplementedError
