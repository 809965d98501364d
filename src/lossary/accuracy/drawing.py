"""Numbers of each set, drawn over the whole range of a type: one by one, or as rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossary.definition import Argument

Random = np.random.Generator
Array = np.ndarray


def limits_of(dtype: np.dtype) -> Any:
    """Return what NumPy tells of a type, bfloat16 included."""
    if dtype.kind == "V":
        import ml_dtypes

        return ml_dtypes.finfo(dtype)
    return np.finfo(dtype)


def specials(dtype: np.dtype) -> Array:
    """Return the numbers at which formulas break."""
    limits = limits_of(dtype)
    sizes = [
        *(float(limits.smallest_subnormal), float(limits.tiny), float(limits.eps), 0.5, 2.0),
        *(1.0, 1.0 - float(limits.epsneg), 1.0 + float(limits.eps)),
        *(17.0, 87.0, 104.0, 1e4, 1e20, 3.4028234663852886e38, float(limits.max)),
    ]
    sizes = [s for s in sizes if s <= min(float(limits.max), 3.5e38)]
    return np.array([0.0, -0.0, *sizes, *(-s for s in sizes)])


def _numbers(random: Random, n: int, dtype: np.dtype) -> Array:
    """Return numbers over the whole range, as float64."""
    scale = 10.0 ** random.uniform(-45, 38, n) * random.choice([-1.0, 1.0], n)
    special = random.choice(specials(dtype), n)
    kinds = random.choice(4, n, p=[0.35, 0.35, 0.15, 0.15])
    usual, small = random.uniform(-110, 110, n), random.uniform(-4, 4, n)
    return np.choose(kinds, [usual, scale, special, small])


def _shares(random: Random, n: int, dtype: np.dtype) -> Array:
    """Return numbers in [0, 1]: half of them 0 or 1, the others close to both ends or between."""
    small = 10.0 ** random.uniform(-45, 0, n)
    kinds = random.choice(5, n, p=[0.25, 0.25, 0.2, 0.15, 0.15])
    parts = [np.zeros(n), np.ones(n), random.uniform(0, 1, n), small, 1 - small]
    return np.choose(kinds, parts)


# One element of each domain, by name.
ELEMENTS: dict[str, Callable[[Random, int, np.dtype], Array]] = {
    "Real": _numbers,
    "NonZero": _numbers,
    "NonNegative": lambda r, n, d: abs(_numbers(r, n, d)),
    "Positive": lambda r, n, d: abs(_numbers(r, n, d)),
    "Negative": lambda r, n, d: -abs(_numbers(r, n, d)),
    "Logit": lambda r, n, d: np.where(
        r.random(n) < 0.03, r.choice([-np.inf, np.inf], n), _numbers(r, n, d)
    ),
    "AboveMinusOne": lambda r, n, d: np.where(
        r.random(n) < 0.2, _shares(r, n, d) - 1, abs(_numbers(r, n, d))
    ),
    "Unit": _shares,
    "OpenUnit": _shares,
    "Cosine": lambda r, n, d: 2 * _shares(r, n, d) - 1,
    "Cosines": lambda r, n, d: 2 * _shares(r, n, d) - 1,
    "Angle": lambda r, n, d: np.pi * (2 * _shares(r, n, d) - 1),
    "Exponent": lambda r, n, d: 1 + abs(_numbers(r, n, d)),
    "Binary": lambda r, n, d: r.choice([0.0, 1.0], n),
    "Sign": lambda r, n, d: r.choice([-1.0, 1.0], n),
    "Group": lambda r, n, d: r.integers(-2, 3, n).astype(np.float64),
    "Groups": lambda r, n, d: r.integers(-2, 3, n).astype(np.float64),
    "Count": lambda r, n, d: np.floor(10.0 ** r.uniform(0, 4, n)) - 1,
}


def rows_of(
    random: Random, n: int, classes: int, dtype: np.dtype, argument: Argument, near: Array | None
) -> Array:
    """Return rows of a set, or a number for each; beside ``near`` ones that nearly cancel."""
    domain = argument.domain
    if domain.integer:
        return random.integers(0, classes, n)
    if not domain.class_axis:
        return ELEMENTS[domain.name](random, n, dtype)
    if domain.name in ELEMENTS:
        each = ELEMENTS[domain.name](random, n * classes, dtype).reshape(n, classes)
        if near is None or not domain.continuous:
            return each
        return _nearly(random, each, near.astype(np.float64))
    if domain.name == "Binaries":
        return random.choice([0.0, 1.0], (n, classes))
    if not domain.continuous:
        return random.choice(domain.inside, (n, classes))
    if domain.mass:
        shares = np.stack([_simplex(random, classes, _row(near, i)) for i in range(n)])
        with np.errstate(divide="ignore"):
            return shares if domain.mass == "sum" else np.log(shares)
    draw = _box if domain.ascending else _vector
    return np.stack([draw(random, classes, dtype, _row(near, i)) for i in range(n)])


def _nearly(random: Random, each: Array, first: Array) -> Array:
    """Return the first numbers, or nearly, at most positions."""
    moved = first * (1 + random.choice([0, 0, 1e-9, 1e-3], first.shape))
    return np.where(random.random(first.shape) < 0.1, each, moved)


def _row(x: Array | None, i: int) -> Array | None:
    return None if x is None else x[i].astype(np.float64)


def _vector(random: Random, classes: int, dtype: np.dtype, first: Array | None) -> Array:
    """Return a row of numbers; beside a first row one that is nearly a multiple of it."""
    if first is not None:
        scale = random.choice([1.0, 1.0, -1.0, 0.5, 3.0])
        noise = random.choice([0, 1e-12, 1e-6, 1e-3]) * random.normal(size=classes)
        return scale * first * (1 + noise)
    kind = random.integers(8)
    if kind == 0:
        return _numbers(random, classes, dtype)
    if kind == 1:
        return 10.0 ** random.uniform(-45, 38, classes) * random.choice([-1.0, 1.0], classes)
    if kind == 2:
        return random.uniform(-110, 110, classes)
    if kind == 3:  # one class far ahead of the others
        x = random.normal(size=classes)
        x[random.integers(classes)] += 10 ** random.uniform(0, 2)
        return x
    if kind == 4:  # ties
        return random.choice([0.0, 1.0, -3.0], classes)
    if kind == 5:
        return np.eye(classes)[random.integers(classes)] * 10.0 ** random.uniform(-30, 30)
    return random.normal(size=classes) * random.choice([1.0, 10.0, 1e-3])


def _box(random: Random, classes: int, dtype: np.dtype, first: Array | None) -> Array:
    """Return corners in any order; beside a first box ones that are moved by a part of its size."""
    if first is None:
        return _vector(random, classes, dtype, None)
    size = np.tile(first[classes // 2 :] - first[: classes // 2], 2)
    return first + random.choice([0, 1e-12, 1e-6, 1e-3, 0.3]) * size * random.normal(size=classes)


def _simplex(random: Random, classes: int, first: Array | None) -> Array:
    """Return a distribution; beside a first row the same one, or nearly."""
    if first is not None:
        noise = random.choice([0, 1e-9, 1e-3]) * random.normal(size=classes)
        return _normal(_distribution(first) * (1 + noise))
    kind = random.integers(4)
    if kind == 0:
        return np.eye(classes)[random.integers(classes)]
    x = random.normal(size=classes) * random.choice([0.1, 1.0, 10.0, 30.0])
    mass = np.exp(x - x.max())
    if kind == 3:
        mass[random.random(classes) < 0.5] = 0
    return _normal(mass) if mass.any() else np.full(classes, 1 / classes)


def _distribution(first: Array) -> Array:
    """Read a row as probabilities, log-probabilities or logits."""
    if (first >= 0).all() and abs(first.sum() - 1) < 0.1:
        return first
    return np.exp(np.clip(first - first.max(), -700, 0))


def _normal(mass: Array) -> Array:
    mass = abs(mass)
    return mass / mass.sum() if mass.sum() > 0 else np.full(len(mass), 1 / len(mass))
