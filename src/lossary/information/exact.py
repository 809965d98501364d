"""Error-free sums and products, and the one kernel that every divergence goes through.

A *pair* ``(high, low)`` is an unevaluated sum of two float64 numbers, about 32 digits. Pairs are
needed where two nearly equal numbers are subtracted: a divergence is of the order of the *square*
of the difference of its arguments, so the error of a rounded difference would show twice over.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossary.information.units import Array, Unit

Pair = tuple[Any, Any]

# Within this relative difference (p - q) / (p + q) the logarithm of p / q is a short series.
NEAR = 0.33
# atanh(v) - v = v^3 (1/3 + v^2/5 + v^4/7 + ...); 0.33^34 / 37 < 2^-57 of the first term
ATANH_TERMS = tuple(1 / (2 * k + 3) for k in reversed(range(17)))


def two_sum(a: Any, b: Any) -> Pair:
    """a + b without rounding error (Knuth 1969, TAOCP 2, 4.2.2 theorem B)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Any, b: Any) -> Pair:
    """a * b without rounding error (Dekker 1971), for factors of moderate size."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _halves(x: Any) -> Pair:
    shifted = x * 134217729.0  # 2^27 + 1: splits 53 bits into 26 and 26 (Veltkamp)
    high = shifted - (shifted - x)
    return high, x - high


def _pair_product(a: Pair, b: Pair) -> Pair:
    high, low = two_product(a[0], b[0])
    return high, low + (a[0] * b[1] + a[1] * b[0])


def pair_of(x: Any) -> Pair:
    """A float64 array as a pair."""
    high = np.asarray(x, dtype=np.float64)
    return high, np.zeros_like(high)


def pair_sum(*rows: Array) -> Pair:
    """Sums of several arrays together along the last axis, which is kept, as pairs.

    Halves are added until one number is left, and the errors of each step beside them, so that the
    result depends on the row alone, not on the batch that it stands in.
    """
    high = np.concatenate(rows, axis=-1)
    low = np.zeros_like(high)
    with np.errstate(invalid="ignore"):  # an infinite term has no rounding error
        while high.shape[-1] > 1:
            half = high.shape[-1] // 2
            rest = high[..., 2 * half :], low[..., 2 * half :]
            total, error = two_sum(high[..., :half], high[..., half : 2 * half])
            error = error + low[..., :half] + low[..., half : 2 * half]
            high, low = (np.concatenate(p, axis=-1) for p in ((total, rest[0]), (error, rest[1])))
        total, error = two_sum(high, low)
    finite = np.isfinite(high)
    return np.where(finite, total, high), np.where(finite, error, 0.0)


def row_sum(*rows: Array) -> Array:
    """Sums of several arrays together along the last axis, which is kept, rounded once.

    Example
        >>> row_sum(np.array([1e16, 1.0, -1e16]))
        array([1.])
    """
    return pair_sum(*rows)[0]


def divergence(
    p: Array, q: Array, above: tuple[Pair, Pair], below: tuple[Pair, Pair], unit: Unit
) -> Array:
    """Sum over the last axis of p log(p / q), to a few ulp also where p is close to q.

    ``p`` and ``q`` are distributions, rounded; their ratio is given in exact terms as
    ``above[0] * above[1] / (below[0] * below[1])``. The sum of p log(p/q) cancels down to second
    order in p - q. The sum of its Bregman form p log(p/q) - p + q is the same number, because both
    distributions sum to one, and has no negative term. Where p and q are close it is evaluated from
    v = (p - q) / (p + q), with log(p/q) = 2 atanh(v), as in Loader 2000, "Fast and accurate
    computation of binomial probabilities".
    """
    v, log_ratio = _relative_difference(above, below, unit)
    near = np.abs(v) < NEAR
    square = v * v
    series = np.polyval(ATANH_TERMS, np.where(near, square, 0.0))
    close = (square * (p + q) + 2 * p * v * square * series) / unit.nats
    with np.errstate(invalid="ignore"):
        direct = np.where(p > 0, p * log_ratio, 0.0)
    zero = np.zeros_like(v)
    linear = row_sum(np.where(near, 0.0, q), np.where(near, 0.0, -p)) / unit.nats
    return row_sum(np.where(near, close, zero), np.where(near, zero, direct), linear)[..., 0]


def _relative_difference(
    above: tuple[Pair, Pair], below: tuple[Pair, Pair], unit: Unit
) -> tuple[Array, Array]:
    """(a - b) / (a + b) and log(a / b) of two products a and b, 0 where both are 0."""
    a, a_exponent = _scaled_product(*above)
    b, b_exponent = _scaled_product(*below)
    exponent = a_exponent - b_exponent
    # Products between 1/4 and 1, and powers of two beside them: nothing can overflow or vanish.
    shift = np.clip(exponent, -60, 60)
    b_high, b_low = np.ldexp(b[0], -shift), np.ldexp(b[1], -shift)
    high, low = two_sum(a[0], -b_high)
    total = a[0] + b_high
    both_zero = total == 0
    v = (high + (low + (a[1] - b_low))) / np.where(both_zero, 1.0, total)
    return v, np.where(both_zero, 0.0, _log_quotient(a[0], b[0], exponent, unit))


def _scaled_product(first: Pair, second: Pair) -> tuple[Pair, Array]:
    (x, x_exponent), (y, y_exponent) = _scaled(first), _scaled(second)
    return _pair_product(x, y), x_exponent + y_exponent


def _scaled(x: Pair) -> tuple[Pair, Array]:
    mantissa, exponent = np.frexp(x[0])
    return (mantissa, np.ldexp(x[1], -exponent)), exponent


def _log_quotient(a: Array, b: Array, exponent: Array, unit: Unit) -> Array:
    """log(a / b * 2^exponent), infinite where one of them is zero."""
    small = np.abs(exponent) < 900
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = a / b
        return np.where(
            small,
            unit.log(np.ldexp(quotient, np.where(small, exponent, 0))),
            unit.log(quotient) + exponent * (math.log(2) / unit.nats),
        )
