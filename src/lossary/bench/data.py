"""The numbers of a case, which are the same for all who take part."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from lossary.bench import digits, trees
from lossary.bench.work import (
    BOOSTING,
    CLASS_WEIGHT,
    IGNORED,
    MASK,
    SEQUENCES,
    TRAINING,
    WEIGHT,
    Case,
    Data,
)


def draw(case: Case, seed: int = 0) -> Data:
    """Return the data of a case; equal seeds give equal data."""
    random = np.random.default_rng([seed, *case.shape])
    if case.linear:
        return _linear(random, case)
    if case.kind == TRAINING:
        return digits.draw(seed)
    if case.kind == BOOSTING:
        return trees.draw(case, seed)
    if case.kind == SEQUENCES:
        return _sequences(random, case.shape)
    prediction = _normal(random, case.shape)
    prediction *= 2
    keep = None
    if case.ignored:
        keep = random.random(case.shape[0]) >= case.ignored
        keep[0] = True
    target = _TARGETS[case.loss](random, case.shape)
    if keep is not None and not case.soft:
        target = np.where(keep, target, IGNORED)
    if case.dtype == "bfloat16":
        prediction = _rounded(prediction)
        target = _rounded(target) if target.dtype.kind == "f" else target
    extra = _EXTRA[case.option](random, case.shape, case.shape[:-1] if case.rowwise else case.shape)
    return Data(prediction, target, keep, extra=extra)


Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
DrawExtra = Callable[[np.random.Generator, tuple[int, ...], tuple[int, ...]], Any]


# More numbers than this are repeated: drawing them would take longer than computing with them.
DRAWN = 1 << 24


def _repeated(few: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return few.reshape(shape) if few.size == prod(shape) else np.resize(few, shape)


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    few = random.standard_normal(min(DRAWN, prod(shape)), dtype=np.float32)
    return _repeated(few, shape)


def _binary(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.integers(0, 2, shape, dtype=np.int8).astype(np.float32)


def _count(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.integers(0, 10, shape, dtype=np.int8).astype(np.float32)


def _label(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.integers(0, shape[-1], shape[:-1])


def _simplex(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    few = random.standard_exponential(min(DRAWN, prod(shape)), dtype=np.float32)
    weights = _repeated(few, shape)
    weights /= weights.sum(-1, keepdims=True)
    return weights


_TARGETS: dict[str, Draw] = {
    "squared_error": _normal,
    "huber": _normal,
    "binary_cross_entropy": _binary,
    "focal": _binary,
    "poisson": _count,
    "cross_entropy": _label,
    "soft_cross_entropy": _simplex,
}


def _mask(random: np.random.Generator, shape: tuple[int, ...], kept: tuple[int, ...]) -> np.ndarray:
    found = random.random(kept) < 0.7
    found[0] = True
    return found


_EXTRA: dict[str, DrawExtra] = {
    "": lambda random, shape, kept: None,
    WEIGHT: lambda random, shape, kept: random.uniform(0.5, 1.5, kept).astype(np.float32),
    MASK: _mask,
    CLASS_WEIGHT: lambda random, shape, kept: random.uniform(0.5, 1.5, shape[-1:]).astype(
        np.float32
    ),
}


def _linear(random: np.random.Generator, case: Case) -> Data:
    rows, width, classes = case.shape
    hidden = _normal(random, (rows, width))
    weight = _normal(random, (classes, width)) / np.float32(width**0.5)
    if case.dtype == "bfloat16":
        hidden, weight = _rounded(hidden), _rounded(weight)
    return Data(hidden, random.integers(0, classes, rows), weight=weight)


def _sequences(random: np.random.Generator, shape: tuple[int, ...]) -> Data:
    """Return logits of frames, and a label for eight of them: class 0 is the blank."""
    count, frames, classes = shape
    return Data(_normal(random, shape), random.integers(1, classes, (count, frames // 8)))


def _rounded(x: np.ndarray) -> np.ndarray:
    """Return float32 numbers rounded to the nearest bfloat16, ties to even."""
    bits = x.view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)).view(np.float32)
