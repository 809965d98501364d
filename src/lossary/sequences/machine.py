"""The kernels of this room: machine code of ``lossary.kernels``, made beside a program."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np

from lossary.engine.selection import chosen, numba_is_there
from lossary.kernels import background, pool
from lossary.kernels.compiling import Work, load

PARALLEL_FROM = 1 << 15
"""Places of all levels from which several threads share the sequences."""

_made: dict[tuple[Any, ...], Callable[..., None]] = {}
_asked: set[tuple[Any, ...]] = set()


def is_there() -> bool:
    """Whether kernels can be made at all."""
    return numba_is_there()


def run(module: str, function: str, sequences: int, work: int, arguments: tuple[Any, ...]) -> bool:
    """Call a kernel on all sequences; False if there is no machine code yet."""
    key = (module, function, *(_kind(x) for x in arguments))
    found = _made.get(key) or _ask(key, module, function, arguments)
    if found is None:
        return False
    pool.run(
        lambda first, last: found(first, last, *arguments),
        sequences,
        pool.workers(work, PARALLEL_FROM),
    )
    return True


def _kind(x: Any) -> Any:
    """Return what machine code depends on."""
    if not isinstance(x, np.ndarray):
        return type(x)
    return x.dtype, x.ndim, x.flags.writeable


def _ask(
    key: tuple[Any, ...], module: str, function: str, arguments: tuple[Any, ...]
) -> Callable[..., None] | None:
    """Have it compiled: at once where that engine was asked for, else beside the program."""
    trial = [
        [x.dtype.name, x.ndim, x.flags.writeable] if isinstance(x, np.ndarray) else x
        for x in arguments
    ]

    def make() -> Work:
        text = (files("lossary.kernels") / f"{module}.py").read_text(encoding="utf-8")
        return Work([(module, text)], function, [0, 0, *trial])

    def then(found: Callable[..., None]) -> None:
        _made[key] = found

    if chosen() == "fused":
        then(load(make()))
    elif key not in _asked:
        _asked.add(key)
        background.ask(make, then)
    background.go_on()
    return _made.get(key)
