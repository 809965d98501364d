"""The calls that a diagnosis looks at: what was computed at some points, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lossary import calculus
from lossary.accuracy.bars import bar
from lossary.accuracy.causes import undefined
from lossary.accuracy.exact import context, numbers
from lossary.accuracy.local import exact_nodes
from lossary.accuracy.measure import gradient_of, values_of
from lossary.accuracy.oracle import Kink
from lossary.accuracy.samples import Batch
from lossary.accuracy.truth import truths, ulps_of
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.definition import Definition
from lossary.formula import Expression, walk
from lossary.render.lowering import lower

Array = np.ndarray

CHECKED = 24  # results of a quantity that are not finite and are compared with the truth


@dataclass(eq=False)
class Computed:
    """One call with the error of each row, in one quantity: the value, or a gradient."""

    definition: Definition
    batch: Batch
    name: str | None
    found: Array
    truth: list[Any]
    dtype: str

    @property
    def what(self) -> str:
        """The quantity, in words."""
        return "value" if self.name is None else f"gradient by {self.name}"

    @cached_property
    def absent(self) -> frozenset[str]:
        """The parameters that are None."""
        return frozenset(n for n, v in self.batch.parameters.items() if v is None)

    @cached_property
    def expression(self) -> Expression:
        """What is computed."""
        value = self.definition.expression(self.absent)
        if self.name is None:
            return value
        return calculus.gradient(value, self.definition.variable(self.name))

    @cached_property
    def errors(self) -> Array:
        """The largest error of each row; NaN where the formula is no number, or has a corner."""
        truth = [known(t) for row in self.truth for t in numbers(row)]
        errors = ulps_of(self.found, truth, self.dtype)
        errors = np.where(np.isnan(errors), -1, errors).reshape(len(self.truth), -1).max(axis=1)
        for row in np.flatnonzero(errors == np.inf):
            if self._is_beyond_precision(int(row)):
                errors[row] = -1
        return np.where(errors < 0, np.nan, errors)

    def _is_beyond_precision(self, row: int) -> bool:
        """Whether a formula is infinite only because no precision tells 1 - exp(-1e30) from 1."""
        finite = np.isfinite(self.found.reshape(len(self.truth), -1)[row]).all()
        infinite = any(
            t is not None and not isinstance(t, Kink) and context().isinf(t)
            for t in numbers(self.truth[row])
        )
        forms = (self.expression, lower(self.expression)) if finite and infinite else ()
        return any(_exact(form, self.point(row)) is not None for form in forms)

    def beside_largest(self, row: int) -> float:
        """Return the error of a row in units of the last place of its largest entry."""
        m, form = context(), FORMATS[self.dtype]
        truth = [known(t) for t in numbers(self.truth[row])]
        pairs = [
            (float(x), t)
            for x, t in zip(self.found.reshape(len(self.truth), -1)[row], truth, strict=True)
            if t is not None and not isinstance(t, Kink)
        ]
        largest = max(abs(t) for _, t in pairs)
        return max(ulps(float(largest + m.mpf(x) - t), largest, form) for x, t in pairs)

    @cached_property
    def undefined(self) -> Array:
        """The rows at which neither the formula nor what is computed is a number."""
        rows = self.found.reshape(len(self.truth), -1)
        return np.array(
            [
                any(_is_nan(t) and x != x for t, x in zip(numbers(ts), row, strict=True))  # noqa: PLR0124
                for ts, row in zip(self.truth, rows, strict=True)
            ]
        )

    @property
    def least(self) -> float:
        """The bar: what an exponential may amplify is left out of it."""
        return max(4.0, bar(self.definition, "float32", self.batch.parameters))

    def point(self, row: int) -> dict[str, Any]:
        """Return the arguments of a row."""
        return {n: v for n, v in self.batch.point(row).items() if v is not None}

    def arrays(self, rows: Sequence[int]) -> dict[str, Array]:
        """Return the arguments of some rows, with the classes, or 1, last."""
        found = {}
        for name, x in self.batch.arrays.items():
            found[name] = x[list(rows)].reshape(len(rows), x.shape[-1] if x.ndim > 1 else 1)
            if not self.definition.domains[name].integer:
                found[name] = found[name].astype(np.float64)
        for name, value in self.batch.parameters.items():
            if value is not None:
                row = np.atleast_1d(np.asarray(value, dtype=np.float64))
                found[name] = np.broadcast_to(row, (len(rows), len(row)))
        return found

    @property
    def classes(self) -> int:
        """The length of a row, or 1."""
        widths = [x.shape[-1] for x in self.arrays([0]).values()]
        return max(widths)


def _is_nan(t: Any) -> bool:
    return t is not None and not isinstance(t, Kink) and bool(t != t)  # noqa: PLR0124


def known(t: Any) -> Any:
    """Return None in place of what is no number: a formula makes no promise there."""
    return None if _is_nan(t) else t


def sampled(
    definition: Definition, name: str | None, dtype: str, size: int, seed: int
) -> Iterator[Computed]:
    """Yield calls over the whole domain, in one quantity."""
    for t in truths(definition, dtype, size, seed):
        truth = t.values if name is None else t.gradients[name]
        yield Computed(
            definition, t.batch, name, _computed(definition, t.batch, name), truth, dtype
        )


def _computed(definition: Any, batch: Batch, name: str | None) -> Array:
    if name is None:
        return values_of(definition, "numpy", batch)
    return gradient_of(definition, "numpy", batch, name)


def not_finite(
    definition: Definition, name: str | None, dtype: str, ends: Sequence[Batch]
) -> Iterator[Computed]:
    """Yield calls of the rows whose results are not finite, NaN first."""
    most = max(2, CHECKED // len(ends))
    for batch in ends:
        found = _computed(definition, batch, name).reshape(batch.rows, -1)
        order = np.argsort(~np.isnan(found).any(axis=1), kind="stable")
        rows = [i for i in order if not np.isfinite(found[i]).all()][:most]
        if not rows:
            continue
        part = Batch({n: x[rows] for n, x in batch.arrays.items()}, batch.parameters, batch.kind)
        sample = Computed(definition, part, name, found[rows], [], dtype)
        for row in range(len(rows)):
            truth = _exact(sample.expression, sample.point(row))
            if truth is None and np.isnan(found[rows[row]]).any() and _is_undefined(sample, row):
                truth = context().nan
            entries = numbers(truth)
            width = found.shape[-1] // len(entries)
            sample.truth.append(entries * width if len(entries) * width > 1 else truth)
        yield sample


def _exact(expression: Expression, point: dict[str, Any]) -> Any:
    found = exact_nodes(tuple(walk(expression)), point)
    return None if found is None else found[expression]


def _is_undefined(sample: Computed, row: int) -> bool:
    """Whether the formula is no number at a row."""
    meaning = sample.definition.meaning(sample.absent)
    return undefined(meaning, sample.point(row)) is not None
