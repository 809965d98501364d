"""The true values and gradients of a batch, computed once in a process."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lossary.accuracy.exact import numbers
from lossary.accuracy.oracle import Kink, Meaning
from lossary.accuracy.samples import Batch, batches
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.definition import Definition

SPARE = 64  # bits below the smallest subnormal that still decide how a number rounds


@dataclass(frozen=True)
class Truth:
    """A batch with its true values, and the true gradients by the name of the argument."""

    batch: Batch
    values: list[Any]
    gradients: dict[str, list[Any]]


def measured(definition: Definition) -> tuple[str, ...]:
    """Return the arguments whose gradient is measured: the prediction and its equals."""
    return tuple(name for name in definition.differentiable if name != "target")


@lru_cache(maxsize=256)
def truths(
    definition: Definition,
    dtype: str,
    size: int = 400,
    seed: int = 0,
    step: int = 1,
    longest: float = math.inf,
) -> tuple[Truth, ...]:
    """Return the batches of a loss with their truths; with a step, every so many rows of them.

    Rows are no longer than ``longest``.
    """
    chosen = (x.every(step) for x in batches(definition, dtype, size, seed) if x.length <= longest)
    return tuple(_truth(definition, dtype, batch) for batch in chosen)


def _truth(definition: Definition, dtype: str, batch: Batch) -> Truth:
    absent = frozenset(name for name, value in batch.parameters.items() if value is None)
    floor = SPARE - min(FORMATS[dtype].smallest, FORMATS["float32"].smallest)
    meaning = Meaning.of(definition, absent, floor)
    points = [batch.point(row) for row in range(batch.rows)]
    gradients = {
        name: [meaning.gradient(point, name) for point in points] for name in measured(definition)
    }
    return Truth(batch, [meaning.value(point) for point in points], gradients)


def ulps_of(actual: np.ndarray, truth: list[Any], dtype: str) -> np.ndarray:
    """Return the error of each entry; NaN where the truth is a corner or has no limit."""
    form = FORMATS[dtype]
    flat = numbers(truth)
    if actual.size != len(flat):
        raise ValueError(f"{actual.size} numbers for {len(flat)} truths")
    return np.array(
        [
            np.nan if t is None or isinstance(t, Kink) else ulps(float(a), t, form)
            for a, t in zip(actual.ravel(), flat, strict=True)
        ]
    )


def subnormal(truth: list[Any], dtype: str) -> np.ndarray:
    """Return which entries are not 0 but smaller than the smallest normal number."""
    form = FORMATS[dtype]
    tiny = 2.0 ** (form.smallest + form.digits - 1)
    return np.array(
        [t is not None and not isinstance(t, Kink) and 0 < abs(t) < tiny for t in numbers(truth)]
    )
