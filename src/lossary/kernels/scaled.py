"""Probabilities of any size: a mantissa and a power of two, side by side.

A product of thousands of probabilities is far below the smallest double. Its logarithm is not, but
a sum of logarithms costs two functions and the digits of a large number; here a sum costs shifts.
The mantissa is 0, or from 1 up to 2; the power is a whole number in a double, -inf for 0.
"""

from __future__ import annotations

from math import inf, log, log1p

from lossary.kernels.vector_math import FUNCTIONS
from lossary.kernels.vector_math.machine import bits_of, from_bits, select, vectorisable

exp = FUNCTIONS["exp"]

LEAST = -1.7e308
"""Stands for the power of 0 in differences, which would be NaN between infinities."""

_SMALL = -1000.0
_ROUNDER = 1023.0 + 3 * 2.0**51
_ONE, _FRACTION, _HIGH = 0x3FF0000000000000, 0x000FFFFFFFFFFFFF, 0x4330000000000000
LN2 = 0.6931471805599453
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # 32 bits, and the rest


@vectorisable
def power_of_two(k: float) -> float:
    """Return 2^k for a whole k up to 0; 0 below 2^-1000."""
    return from_bits(bits_of(select(k < _SMALL, -1023.0, k) + _ROUNDER) << 52)


@vectorisable
def mantissa_of(x: float) -> float:
    """Return x over its power of two, for x >= 0."""
    return select(x > 0.0, from_bits((bits_of(x) & _FRACTION) | _ONE), 0.0)


@vectorisable
def power_of(x: float) -> float:
    """Return which power of two that is."""
    # Bits of an exponent become a whole number below 2^52, without an instruction that converts.
    return select(x > 0.0, from_bits((bits_of(x) >> 52) | _HIGH) - (2.0**52 + 1023.0), -inf)


@vectorisable
def scaled_exp(x: float) -> tuple[float, float]:
    """Return e^x for x <= 0 as a number and a power of two, which is 0 for what a double holds."""
    far = select(x < -600.0, 1.0, 0.0)
    bounded = select(x < LEAST, LEAST, x)
    k = far * ((bounded * (1 / LN2) + 3 * 2.0**51) - 3 * 2.0**51)
    k = select(bounded < -1e15, bounded * (1 / LN2), k)  # where no digit is left below 1
    rest = select(bounded < -1e15, 0.0, (bounded - k * _LN2_HIGH) - k * _LN2_LOW)
    return select(x == -inf, 0.0, exp(rest)), k


@vectorisable
def log_of(mantissa: float, power: float) -> float:
    """Return the logarithm."""
    return log(mantissa) + power * LN2 if mantissa > 0.0 else -inf


@vectorisable
def surprise_of_rest(rest: float) -> float:
    """Return -log(1 - rest)."""
    return -log1p(-rest)
