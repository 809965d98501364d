"""Where accuracy is measured: inputs from each argument's set over the whole range of a type.

A third of the numbers is uniform in [-110, 110], where exponentials matter; a third log-uniform
over ±[1e-45, 1e38]; the rest is special (zeros, ones, subnormals, the ends) or of ordinary size.
Beside these batches ``over the range`` stand two other kinds: ``where parts cancel``, with a second
argument that nearly cancels the first, the hardest inputs that a loss has; and ``subnormal``, which
some libraries flush to zero. Everything follows from the seed.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossary.accuracy.drawing import ELEMENTS, Array, Random, limits_of, rows_of
from lossary.definition import Argument, Definition
from lossary.domain import Domain

CLASSES = (2, 3, 10, 20)
RANGE, CANCELLING, SUBNORMAL = "over the range", "where parts cancel", "subnormal"
EXTREME = "at the ends of the type"

# Values of hyper-parameters beside the default, by domain; others take the domain's own samples.
PARAMETERS: Mapping[str, tuple[Any, ...]] = {
    "NonNegative": (0.0, 0.5, 1.0, 2.0, 5.0),
    "Positive": (1.0, 0.25, 3.0, 100.0),
    "Unit": (0.25, 0.75),
    "Real": (0.0, 1.0, -0.5),
}


@dataclass(frozen=True)
class Batch:
    """One call: arrays by argument name, class axis last, and hyper-parameters."""

    arrays: dict[str, Array]
    parameters: dict[str, Any]
    kind: str = RANGE

    @property
    def rows(self) -> int:
        """The number of values of the loss."""
        return min(len(x) for x in self.arrays.values())

    @property
    def length(self) -> int:
        """How many numbers a row has; 1 of elements."""
        return max(x.shape[1] if x.ndim > 1 else 1 for x in self.arrays.values())

    def point(self, row: int) -> dict[str, Any]:
        """Return one element or row as plain numbers."""
        point = {name: x[row].tolist() for name, x in self.arrays.items()}
        return point | self.parameters

    def every(self, step: int) -> Batch:
        """Return every so many rows."""
        return replace(self, arrays={name: x[::step] for name, x in self.arrays.items()})


def settings(definition: Definition) -> list[dict[str, Any]]:
    """Return the hyper-parameters at their defaults, then each in turn at other values."""
    choices = {a.name: _choices(a) for a in definition.parameters}
    usual = {name: values[0] for name, values in choices.items()}
    found = [usual]
    for name, values in choices.items():
        found += [{**usual, name: value} for value in values[1:]]
    return found


def _choices(argument: Argument) -> list[Any]:
    """Return the default and other values; a tuple stands for one number per class."""
    if argument.domain.class_axis:
        return [argument.default, argument.domain.inside]
    usual = PARAMETERS.get(argument.domain.name, argument.domain.inside)
    start = [] if argument.required else [argument.default]
    return list(dict.fromkeys([*start, *usual]))


def batches(definition: Definition, dtype: str, size: int = 400, seed: int = 0) -> list[Batch]:
    """Return calls with about ``size`` numbers in all; half of them at the default parameters."""
    random = np.random.default_rng([seed, zlib.crc32(f"{definition.name} {dtype}".encode())])
    chosen = settings(definition)
    shares = [1.0] if len(chosen) == 1 else [0.5] + [0.5 / (len(chosen) - 1)] * (len(chosen) - 1)
    draw = _rows if definition.class_axis else _elements
    parts = {RANGE: 0.8, CANCELLING: 0.2 if _can_cancel(definition) else 0.0, SUBNORMAL: 0.05}
    found: list[Batch] = []
    for parameters, share in zip(chosen, shares, strict=True):
        for kind, part in parts.items():
            if not part or (kind == SUBNORMAL and parameters is not chosen[0]):
                continue
            batch = Batch({}, parameters, kind)
            found += draw(definition, batch, random, np.dtype(_kind(dtype)), size * share * part)
    return found


def extremes(definition: Definition, dtype: str, size: int, seed: int = 0) -> list[Batch]:
    """Return calls whose numbers go to both ends of the type: where results may not be finite."""
    random = np.random.default_rng([seed, 1])
    found = []
    for batch in batches(definition, dtype, size, seed):
        arrays = {a.name: _stretched(random, batch.arrays[a.name], a) for a in definition.inputs}
        found.append(Batch(arrays, batch.parameters, EXTREME))
    return found


def _stretched(random: Random, x: Array, argument: Argument) -> Array:
    if argument.domain.integer or argument.domain.mass:
        return x
    wide = x.astype(np.float64)
    top = math.log10(float(limits_of(x.dtype).max))
    with np.errstate(all="ignore"):
        scaled = (wide * 10.0 ** random.uniform(-top, top, x.shape)).astype(x.dtype)
        fits = np.isfinite(scaled) & np.asarray(argument.domain.contains(scaled))
    return arranged(argument.domain, np.where(fits & (random.random(x.shape) < 0.5), scaled, x))


def _can_cancel(definition: Definition) -> bool:
    return any(a.domain.continuous for a in definition.inputs[1:])


def _kind(dtype: str) -> Any:
    if dtype == "bfloat16":
        import ml_dtypes  # comes with JAX and TensorFlow, which have bfloat16

        return ml_dtypes.bfloat16
    return dtype


def arranged(domain: Domain, rows: Array) -> Array:
    """Swap the numbers of rows that the set asks for in ascending order."""
    found = np.array(rows)
    for i, j in domain.ascending:
        low, high = rows[..., i], rows[..., j]
        found[..., i], found[..., j] = np.where(high < low, [high, low], [low, high])
    return found


def _elements(
    definition: Definition, batch: Batch, random: Random, dtype: np.dtype, size: float
) -> list[Batch]:
    n = _count(size, 8)
    arrays = batch.arrays
    for argument in definition.inputs:
        draw = ELEMENTS.get(argument.domain.name)
        x = draw(random, n, dtype) if draw else random.choice(argument.domain.inside, n)
        if batch.kind == CANCELLING and argument.domain.continuous and arrays:
            first = next(iter(arrays.values())).astype(np.float64)
            x = _near(random, first, x, argument, batch.parameters)
        x = _inside(random, x, argument, dtype)
        arrays[argument.name] = _subnormal(random, x, argument, batch.kind)
    return [batch]


def _count(size: float, least: int) -> int:
    """Return a power of two near the size: libraries that compile for each shape see fewer."""
    return max(least, 2 ** round(math.log2(size)))


def _near(
    random: Random, first: Array, x: Array, argument: Argument, parameters: Mapping[str, Any]
) -> Array:
    """Return second arguments that nearly cancel the first, in each way that a loss can have it."""
    with np.errstate(all="ignore"):
        growth = np.exp(np.clip(first, -745.0, 709.0))
        share = np.where(first < 0, growth / (1 + growth), 1 / (1 + np.exp(-abs(first))))
        candidates = [first, growth, growth / first, share, -first]
        sizes = [v for v in parameters.values() if v is not None]
        candidates += [first + v for v in sizes] + [first - v for v in sizes]
        chosen = np.choose(random.choice(len(candidates), len(x)), candidates)
        chosen = chosen * (1 + random.choice([0, 0, 2.0**-52, 2.0**-23, 2.0**-8], len(x)))
        return np.where(argument.domain.contains(chosen), chosen, x)


def _inside(random: Random, x: Array, argument: Argument, dtype: np.dtype) -> Array:
    """Round to the type, and replace what falls outside the domain there."""
    if argument.domain.integer:
        return x.astype(np.int64)
    with np.errstate(all="ignore"):
        x = x.astype(dtype)
        bad = ~np.asarray(argument.domain.contains(x.astype(np.float64)))
        if argument.domain.name == "Logits":
            bad |= np.isinf(x.astype(np.float64))  # overflow of the type; see _exclude for -inf
    allowed = np.array(argument.domain.inside).astype(dtype)
    return np.where(bad, random.choice(allowed.astype(np.float64), x.shape).astype(dtype), x)


def _subnormal(random: Random, x: Array, argument: Argument, kind: str) -> Array:
    """Bring half of the numbers below the smallest normal one, or take such numbers out."""
    if argument.domain.integer:
        return x
    if kind == SUBNORMAL and argument.domain.mass == "sum":
        x = np.eye(x.shape[-1], dtype=x.dtype)[random.integers(x.shape[-1], size=len(x))]
    tiny = float(limits_of(x.dtype).tiny)
    wide = x.astype(np.float64)
    if kind == SUBNORMAL:
        replaced = random.random(x.shape) < 0.5
        small = tiny * random.uniform(0, 1, x.shape) * random.choice([-1.0, 1.0], x.shape)
    else:
        replaced = (wide != 0) & (abs(wide) < tiny)
        small = np.zeros(x.shape)
    small = small.astype(x.dtype)
    with np.errstate(all="ignore"):
        fits = np.asarray(argument.domain.contains(small.astype(np.float64)))
    usual = np.array(argument.domain.neutral).astype(x.dtype)
    if kind == SUBNORMAL:
        return np.where(fits & ((x == 0) if argument.domain.mass else replaced), small, x)
    return np.where(replaced, np.where(fits, small, usual), x)


# Rows with a class axis.


def _rows(
    definition: Definition, batch: Batch, random: Random, dtype: np.dtype, size: float
) -> list[Batch]:
    found = []
    usual = batch.kind != SUBNORMAL and batch.parameters == settings(definition)[0]
    chosen = CLASSES if usual else CLASSES[:1] if batch.kind == SUBNORMAL else CLASSES[:2]
    if definition.entries:
        chosen = (len(definition.entries),)
    for classes in chosen:
        n = _count(size / len(chosen) / classes, 2)
        arrays: dict[str, Array] = {}
        for argument in definition.inputs:
            near = next(iter(arrays.values()), None) if batch.kind == CANCELLING else None
            x = rows_of(random, n, classes, dtype, argument, near)
            x = _inside(random, x, argument, dtype)
            x = _subnormal(random, x, argument, batch.kind)
            arrays[argument.name] = arranged(argument.domain, x)
        _exclude(random, definition, arrays)
        parameters = {
            name: np.resize(value, classes) if isinstance(value, tuple) else value
            for name, value in batch.parameters.items()
        }
        found.append(Batch(arrays, parameters, batch.kind))
    return found


def _exclude(random: Random, definition: Definition, arrays: dict[str, Array]) -> None:
    """Exclude classes without target mass in a fifth of the rows of logits."""
    first, *others = definition.inputs
    if first.domain.name != "Logits" or not others:
        return
    logits, target = arrays[first.name], arrays[others[0].name]
    n, classes = logits.shape
    free = (np.arange(classes) != target[:, None]) if target.ndim == 1 else (target == 0)
    chosen = free & (random.random((n, classes)) < 0.5) & (random.random((n, 1)) < 0.2)
    arrays[first.name] = np.where(chosen, np.array(-np.inf).astype(logits.dtype), logits)
