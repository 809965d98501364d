"""power, without branches: x^y = e^(y log|x|) with the logarithm in two numbers.

A relative error d of the logarithm is a relative error |y log x| d <= 745 d of the power, so the
logarithm needs about 11 bits more than a double has. With s = f / (2 + f) as in ``log``,
log m = 2 s + (2/3) s^3 + s^5 p(s^2): the first two terms are sums of two numbers, the last is one.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from lossary.kernels.elementary.exponential import exp, exp_of_sum
from lossary.kernels.elementary.logarithm import log, split

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *


def two_word_logarithm(x: float) -> tuple[float, float]:
    """Return log(x) as a sum of two numbers, for finite x > 0."""
    f, k = split(x)
    # s = f / (2 + f) in two numbers.
    below = 2.0 + f
    below_low = f - (below - 2.0)
    reciprocal = 1.0 / below
    s = f * reciprocal
    s_low = fused(-s, below_low, fused(-s, below, f)) * reciprocal
    # z = s^2, t = s^3, c = 2/3 + z p(z), each in two numbers.
    z = s * s
    z_low = fused(s + s, s_low, fused(s, s, -z))
    t = s * z
    t_low = fused(s_low, z, fused(s, z_low, fused(s, z, -t)))
    tail = z * series_of_power(z)
    c = tail + TWO_THIRDS
    c_low = (tail - (c - TWO_THIRDS)) + TWO_THIRDS_LOW
    # log m = 2 s + t c
    cube = t * c
    cube_low = fused(t_low, c, fused(t, c_low, fused(t, c, -cube)))
    twice = s + s
    first = twice + cube
    first_low = fused(2.0, s_low, cube_low + (cube - (first - twice)))
    # log x = k ln 2 + log m
    from_power = k * LN2_HIGH
    second = from_power + first
    second_low = fused(k, LN2_LOW, first_low + (first - (second - from_power)))
    high = second + second_low
    return high, second_low - (high - second)


def power_of_size(x: float, y: float) -> float:
    """Return x^y for x >= 0 and finite y, but for 1^NaN and NaN^0."""
    high, low = two_word_logarithm(x)
    finite = select(x < inf, high, x)
    logarithm = select(x > 0.0, finite, select(x == 0.0, -inf, x))
    product = y * logarithm
    low = fused(y, low, fused(y, logarithm, -product))
    bounded = clamped(product, LOWEST, HIGHEST)
    # Farther out the power is 0 or inf, and low may be NaN.
    return exp_of_sum(bounded, select(bounded == product, low, 0.0))


def with_cases_of_power(x: float, y: float, size: float) -> float:
    """Give |x|^y the sign of x^y, and the values of C's pow where e^(y log|x|) says nothing."""
    whole = rounded_down(y) == y
    half = 0.5 * y
    odd = whole & (rounded_down(half) != half)
    signed = with_sign_of(size, select(odd, x, 1.0))
    outside = (x < 0.0) & (x > -inf)
    real = select(outside, select(whole, signed, inf - inf), signed)
    return select(x == 1.0, 1.0, select(y == 0.0, 1.0, real))


def bounded_exponent(y: float) -> float:
    """Return y moved into +-LARGEST_EXPONENT; NaN stays."""
    bounded = select(y > LARGEST_EXPONENT, LARGEST_EXPONENT, y)
    return select(bounded < -LARGEST_EXPONENT, -LARGEST_EXPONENT, bounded)


def power(x: float, y: float) -> float:
    """Return x^y as C's pow does: 0.8 ulp; NaN for x < 0 and y not whole, 1 for y = 0."""
    exponent = bounded_exponent(y)
    return with_cases_of_power(x, exponent, power_of_size(magnitude(x), exponent))


def power_of_positive(x: float, y: float) -> float:
    """Return x^y for x >= 0, as ``power`` does."""
    size = power_of_size(x, bounded_exponent(y))
    return select(x == 1.0, 1.0, select(y == 0.0, 1.0, size))


def power_plain(x: float, y: float) -> float:
    """Return x^y as ``power`` does, to 2^-44 of itself where the result is in float32's range."""
    exponent = bounded_exponent(y)
    return with_cases_of_power(x, exponent, exp(exponent * log(magnitude(x))))
