"""Running a recipe: addresses, numbers and threads, without a look at what the numbers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np

from lossary.definition import Argument, Definition
from lossary.engine import forms
from lossary.engine.checking import check_parameter
from lossary.engine.weighing import ignored
from lossary.kernels import openmp, pool

READY = forms.READINESS["openmp"]

_TRIED = 256
"""Values of hyper-parameters that are remembered to lie in their sets."""


Whole = tuple[int, int, int, int, int, int, int]
"""What an entry takes first: rows, classes, rows of a block, the first block and the one after the
last, and where their sums and counts go, 0 for room of its own."""

Cut = tuple[Whole, bool]
"""The whole work for one thread, and whether several may be worth calling."""

Sums = tuple[float, float, float]
"""The weighted sum, what it is divided by, and how many values are wrong."""


@dataclass(slots=True, eq=False)
class Recipe:
    """The machine code of a kind of call, and what is asked of the call's arrays.

    ``entry`` is None until it is compiled. With ``each`` nothing is reduced: the values are an
    array, and the gradients those of each value. ``whole`` says of each input whether it has the
    shape of the prediction; the others have a number for each row. ``extras`` are the options that
    are arrays, ``moving`` the places of the inputs that get a gradient; ``curved`` says that the
    first gets second derivatives too. From ``shared_from`` elements on several threads share the
    work. ``short`` rows are computed side by side.
    """

    definition: Definition
    rows: bool
    whole: tuple[bool, ...]
    moving: tuple[int, ...]
    numbers: tuple[Argument, ...]
    extras: tuple[str, ...]
    ignoring: bool
    each: bool
    averages: bool
    shared_from: int
    curved: bool = False
    short: bool = False
    entry: Callable[..., Sums] | None = None
    team: Callable[..., Sums] | None = None
    gather: Callable[[], None] | None = None
    _steps: dict[int, int] = field(default_factory=dict)
    _tried: set[tuple[str, float]] = field(default_factory=set)

    def run(
        self,
        rows: int,
        classes: int,
        addresses: list[int],
        options: Mapping[str, Any],
        factor: float = 1.0,
    ) -> tuple[float, float] | None:
        """Fill the gradients, and return sum and divisor; None where the long road has to answer.

        ``addresses`` are those of inputs, values (with ``each``), derivatives and extras.
        """
        addresses += self.numbers_of(options)
        return self.begun(self.cut(rows, classes), addresses, factor, self.divisor(options))

    def numbers_of(self, options: Mapping[str, Any]) -> list[Any]:
        """Return the numbers that machine code takes after the addresses; DomainError may come."""
        found: list[Any] = [ignored(options["ignore_index"])] if self.ignoring else []
        return found + self.values(options) if self.numbers else found

    def cut(self, rows: int, classes: int) -> Cut:
        """Return how the work is laid out."""
        step = self._steps.get(classes)
        if step is None:
            step = self._steps[classes] = forms.step_of(classes, self.short)
        shared = READY * rows * (classes or 1) >= self.shared_from
        return (rows, classes, step, 0, -(-rows // step), 0, 0), shared

    def begun(
        self, cut: Cut, given: list[Any], factor: float, divisor: float
    ) -> tuple[float, float] | None:
        """Do the same with addresses and numbers, and work that is laid out."""
        assert self.entry is not None  # noqa: S101  (find returns no other recipe)
        whole, shared = cut
        if shared:
            total, divisor, wrong = self._shared(whole, (*given, factor, divisor))
        else:
            total, divisor, wrong = self.entry(*whole, *given, factor, divisor)
        return None if wrong else (total, divisor)

    def _shared(self, whole: Whole, given: tuple[Any, ...]) -> Sums:
        """Do the same on several threads, where they are worth calling: PyTorch's, or ours."""
        assert self.entry is not None  # noqa: S101  (as above)
        rows, classes, step, _, blocks, *_ = whole
        elements = rows * (classes or 1)
        most = min(pool.threads(), blocks)
        if most > 1 and self.team and (parallel := openmp.parallel()):
            team = min(most, pool.workers(READY * elements, self.shared_from))
            return self.team(parallel, team, rows, classes, step, *given)
        most = min(most, pool.workers(elements, self.shared_from))
        if most < 2:
            return self.entry(*whole, *given)
        return self._by_ours(rows, classes, step, blocks, most, given)

    def _by_ours(
        self, rows: int, classes: int, step: int, blocks: int, most: int, given: tuple[Any, ...]
    ) -> Sums:
        """Do the same on threads of ours."""
        assert self.entry is not None  # noqa: S101  (as above)
        sums, wrong = np.empty(blocks), np.empty(blocks, np.int64)
        rooms = sums.ctypes.data, wrong.ctypes.data
        entry = self.entry
        _, divisor, _ = entry(rows, classes, step, 0, 0, *rooms, *given)
        given = (*given[:-1], divisor)  # the weights are added up once

        def work(first: int, last: int) -> None:
            entry(rows, classes, step, first, last, *rooms, *given)

        pool.run(work, blocks, most)
        return entry(rows, classes, step, blocks, blocks, *rooms, *given)

    @property
    def arity(self) -> tuple[int, int]:
        """How many integers an entry takes after where the sums go, and how many floats."""
        arrays = len(self.whole) + self.each + len(self.moving) + len(self.extras)
        return arrays + self.curved + self.ignoring, len(self.numbers) + 2

    def places(self, shape: Any) -> Any:
        """Return the shape of the values of a loss whose prediction has this one."""
        return shape[:-1] if self.rows else shape

    def fits(self, shape: Any, rows: Any, extras: Mapping[str, Any]) -> bool:
        """Whether the options that are arrays have the shapes that the machine code reads."""
        for name, own in extras.items():
            if own != (shape[-1:] if name == "class_weight" else rows):
                return False
            # A number for each row may be meant for each class: the long road asks.
            if name == "weight" and self.rows and rows == shape[-1:]:
                return False
        return True

    @staticmethod
    def mean(total: float, divisor: float, options: Mapping[str, Any]) -> float:
        """Return the sum over the divisor; a mean of nothing is what the options say."""
        if divisor:
            return total / divisor
        return nan if options.get("empty") == "nan" else 0.0

    def values(self, options: Mapping[str, Any]) -> list[float]:
        """Return the hyper-parameters that machine code takes."""
        return [self._number(a, options) for a in self.numbers]

    def _number(self, argument: Argument, options: Mapping[str, Any]) -> float:
        """Return a hyper-parameter; DomainError if it lies outside its set."""
        value = float(options.get(argument.name, argument.default))
        if (argument.name, value) not in self._tried:
            check_parameter(self.definition, argument, value)
            if len(self._tried) >= _TRIED:
                self._tried.clear()
            self._tried.add((argument.name, value))
        return value

    def divisor(self, options: Mapping[str, Any]) -> float:
        """Return what the sum is divided by; 0 where that is the sum of the weights."""
        if self.averages:
            return 0.0
        if not options or options.get("reduction") == "sum":
            return 1.0
        return float(options.get("denominator") or 1.0)
