"""What a contestant is: a name, what it needs, and how it gets ready for a case."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.bench.work import BOOSTING, GRADIENT, SEQUENCES, TRAINING, VALUE, Case, Data


class UnavailableError(Exception):
    """A contestant cannot take part; the message says why."""


def _nothing() -> None:
    """Wait for nothing: the step is done when it returns."""


@dataclass(frozen=True)
class Prepared:
    """A contestant that is ready for one case.

    ``step`` computes value and gradient once, and ``outcome`` turns what it returned into a number
    and a NumPy array: those of the mean. ``around`` is entered before
    the clock starts; ``wait`` returns when the device has finished. ``fresh`` says that each step
    returns a gradient in memory of its own.
    """

    step: Callable[[], Any]
    outcome: Callable[[Any], tuple[float, np.ndarray]]
    around: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    wait: Callable[[], None] = _nothing
    fresh: bool = True


Prepare = Callable[[Case, Data, int], Prepared | None]


@dataclass(frozen=True)
class Contestant:
    """Someone who computes losses: ``prepare`` returns None where it has no such loss.

    ``train`` and ``boost`` prepare whole trainings, of a network or of trees, and ``value`` the
    loss alone, for those who have a way of their own to do so, and ``sequences`` those of whole
    sequences. ``compiles`` says that the first call takes longer than others.
    """

    name: str
    about: str
    modules: tuple[str, ...]
    prepare: Prepare
    ours: bool = False
    compiles: bool = False
    train: Prepare | None = None
    value: Prepare | None = None
    boost: Prepare | None = None
    sequences: Prepare | None = None

    def prepared(self, case: Case, data: Data, threads: int) -> Prepared | None:
        """Return what computes a case of any kind, or None."""
        way = {
            GRADIENT: self.prepare, TRAINING: self.train, VALUE: self.value, BOOSTING: self.boost,
            SEQUENCES: self.sequences,
        }[case.kind]  # fmt: skip
        return way(case, data, threads) if way else None

    def missing(self) -> str:
        """Return why it cannot take part at all, or nothing.

        >>> Contestant("x", "", ("no_such_module",), lambda *_: None).missing()
        'not installed: no_such_module'
        """
        absent = [name for name in self.modules if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else ""
