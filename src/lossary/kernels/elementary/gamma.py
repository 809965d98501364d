"""The logarithm of the gamma function, without branches; doubles only.

* x >= 8: Stirling's (x - 1/2) (log x - 1) + log(2 pi)/2 - 1/2 + s(1/x^2)/x.
* 1.5 <= x < 8: x = y + n with y in [1.5, 2.5); log gamma(y) + log(y (y + 1) ... (x - 1)).
* 0 < x < 1.5: one or two steps up instead: log gamma(x + n) - log(x ...).
* x < 0: log(pi / |x sin(pi x)|) - log gamma(-x).

With w = y - 2, log gamma(2 + w) = w (1 - euler + w ((zeta(2) - 1)/2 + w g(w))) is relative near
both zeros, 1 and 2: there w is exact. The logarithm and the leading terms of the series are sums of
two doubles, since between 1 and 1.5 they cancel by half.
"""

from __future__ import annotations

from math import inf, pi
from typing import TYPE_CHECKING

from lossary.kernels.elementary.logarithm import log
from lossary.kernels.elementary.powers import two_word_logarithm

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *

LARGE = 8.0
HALF_LOG_2PI_LESS_HALF = 0.4189385332046727

ONE_LESS_EULER, ONE_LESS_EULER_LOW = 0.42278433509846713, 4.942915152430645e-18
HALF_ZETA, HALF_ZETA_LOW = 0.3224670334241132, 1.520336175199238e-17


def steps_down(x: float) -> tuple[float, float]:
    """Return y = x - n in [1.5, 2.5) and y (y + 1) ... (x - 1), for x in [1.5, 8)."""
    y, product = x, 1.0
    for _ in range(6):
        more = y >= 2.5
        y = select(more, y - 1.0, y)
        product = select(more, product * y, product)
    return y, product


def near_two(w: float) -> tuple[float, float]:
    """Return log gamma(2 + w) as a sum of two doubles."""
    tail = w * around_two(w)
    bend = HALF_ZETA + tail
    bend_low = HALF_ZETA_LOW + (tail - (bend - HALF_ZETA))
    tilt = w * bend
    tilt_low = fused(w, bend_low, fused(w, bend, -tilt))
    slope = ONE_LESS_EULER + tilt
    slope_low = tilt_low + (tilt - (slope - ONE_LESS_EULER)) + ONE_LESS_EULER_LOW
    value = w * slope
    return value, fused(w, slope_low, fused(w, slope, -value))


def lgamma_of_positive(x: float) -> float:
    """Return log gamma(x) for x >= 0."""
    large, small, tiny = x >= LARGE, x < 1.5, x < 0.5
    y, product = steps_down(x)
    w = select(small, select(tiny, x, x - 1.0), y - 2.0)
    # For x < 1/2 the product is x (x + 1), with what its two roundings lose.
    up = x + 1.0
    twice = x * up
    twice_low = fused(x, x - (up - 1.0), fused(x, up, -twice))
    product = select(small, select(tiny, twice, x), product)
    base = select(large, x, product)
    inverse = 1.0 / base
    logarithm, low = two_word_logarithm(base)
    low = low + select(tiny & (x > 2.0**-100), twice_low * inverse, 0.0)
    # Stirling's factor times (log x - 1), or plus or minus the logarithm of the product.
    factor = select(large, x - 0.5, select(small, -1.0, 1.0))
    logarithm = select(large, logarithm - 1.0, logarithm)
    first = factor * logarithm
    first_low = fused(factor, low, fused(factor, logarithm, -first))
    value, value_low = near_two(w)
    second = select(large, HALF_LOG_2PI_LESS_HALF, value)
    second_low = select(large, inverse * stirling(inverse * inverse), value_low)
    total = first + second
    part = total - first
    lost = (first - (total - part)) + (second - part)
    result = total + (lost + (first_low + second_low))
    # At 0 and where x log x overflows: infinity; NaN stays.
    return select((x > 0.0) & (first < inf), result, select(x >= 0.0, inf, x))


def lgamma(x: float) -> float:
    """Return log |gamma(x)|: 1.1 ulp for x > 0; below, of the larger term of the reflection.

    It is inf at the poles 0, -1, -2, ... and at both infinities.
    """
    size = magnitude(x)
    positive = lgamma_of_positive(size)
    rest = size - rounded_down(size + 0.5)
    reflected = log(pi / (size * magnitude(rest * sine(rest * rest)))) - positive
    reflected = select(size < 2.0**-60, positive, reflected)
    return select(x < 0.0, select((size < inf) & (rest != 0.0), reflected, inf), positive)
