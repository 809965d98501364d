"""Which engine computes a call: the array library's own operations, or a fused kernel."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from math import prod

from lossary.engine.arguments import Call

__all__ = ["ENGINES", "chosen", "obstacle", "using"]

ENGINES = ("auto", "array", "fused")

CUTOFF = 1 << 15
"""Elements below which ``auto`` takes the array library: compiling and calling a kernel costs more.

``lossary bench`` measures where the two cross.
"""

_chosen: ContextVar[str] = ContextVar("engine", default="auto")


@contextmanager
def using(*, engine: str) -> Iterator[None]:
    """Compute with one engine inside the ``with`` block, in this thread or task.

    ``array`` is the array library's own operations, ``fused`` a kernel wherever one can run, and
    ``auto``, the default, a kernel where it pays.

    >>> import lossary as L
    >>> with L.using(engine="array"):
    ...     print(L.huber([3.0], [0.0]))
    2.5
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(map(repr, ENGINES))}, got {engine!r}")
    token = _chosen.set(engine)
    try:
        yield
    finally:
        _chosen.reset(token)


def chosen() -> str:
    """Return the engine that ``using`` has chosen here."""
    return _chosen.get()


def obstacle(call: Call) -> str | None:
    """Return why the array library computes this call, or None if a kernel may."""
    if _chosen.get() == "array":
        return "engine='array' is chosen"
    size = prod(n or 0 for n in call.library.shape(call.prediction))
    if size == 0:
        return "there are no elements"
    if _chosen.get() == "auto" and size < CUTOFF:
        return f"{size} elements are fewer than {CUTOFF}, where a kernel begins to pay"
    return _without_numba()


@cache
def _without_numba() -> str | None:
    """Return what is wrong with Numba here, if anything is."""
    if find_spec("numba") is None:
        return 'Numba is not installed: pip install "lossary[cpu]"'
    try:
        importlib.import_module("numba")
    except ImportError as error:  # such as a NumPy that it does not know
        return f"Numba cannot be imported: {error}"
    return None
