"""Kernels from their texts, here or in a process of their own beside a program.

That process knows nothing of the program: it is told names and texts, and ends with the pipe.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from lossary.kernels import modules

IDLE = 60.0
"""Seconds without work after which the process ends; the next work starts another."""


class Work(NamedTuple):
    """Modules, of which each may import those before it, and a function of the last.

    ``trial`` are the arguments of a call without work, which settles the types: numbers, and
    ``[dtype, rank, writable]`` for an array. A function that says its types itself needs none.
    """

    modules: list[tuple[str, str]]
    function: str
    trial: list[Any]


def numba() -> Any:
    """Return Numba, which is imported whole before any part of it.

    Who imports a part while another thread imports the whole holds what that one waits for, and
    Python then gives both of them half a module.
    """
    return import_module("numba")


def load(work: Work) -> Callable[..., Any]:
    """Return the function, compiled, or loaded from the cache."""
    numba()
    found = [modules.load(name, text) for name, text in work.modules]
    function = getattr(found[-1], work.function)
    if work.trial:
        function(*(_empty(*x) if isinstance(x, list) else x for x in work.trial))
    return function


def _empty(dtype: str, rank: int, writable: bool) -> np.ndarray:
    x = np.empty((0,) * rank, dtype)
    x.flags.writeable = writable
    return x


def main() -> None:
    """Compile what comes as lines of JSON, and answer each with what went wrong, if anything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program's own to answer
    if hasattr(os, "nice"):
        os.nice(5)
    while line := _next_line():
        print(json.dumps(_trouble(Work(*json.loads(line)))), flush=True)  # noqa: T201  (the answer)


def _next_line() -> str:
    """Return the next line; nothing when the program has ended, or has had no work for long."""
    if os.name == "posix" and not select.select([sys.stdin], [], [], IDLE)[0]:
        return ""
    return sys.stdin.readline()


def _trouble(work: Work) -> str:
    try:
        load(work)
    except Exception as error:  # noqa: BLE001  (the program goes on without the kernel)
        return f"{type(error).__name__}: {error}"
    return ""
