"""exp, expm1 and tanh, without branches.

x = k ln 2 + r with k a whole number and |r| <= ln(2)/2; then e^x = 2^k (1 + r + r^2 q(r)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *


def reduced(x: float, low: float, k: float) -> tuple[float, float]:
    """Return r, exact, and e^(r + its rest) - 1 - r, where r and rest are x + low - k ln 2."""
    r_high = fused(k, -LN2_HIGH, x)
    r_low = fused(k, -LN2_LOW, low)
    r = r_high + r_low
    return r_high, fused(r * r, tail_of_exp(r), r_low)


def mantissa_of_exp(r_high: float, small: float) -> float:
    """Return 1 + r_high + small, rounded once."""
    high = 1.0 + r_high
    return high + (small + (r_high - (high - 1.0)))


def exp_of_sum(x: float, low: float) -> float:
    """Return e^(x + low) for x from LOWEST to HIGHEST, NaN included, and a low within rounding."""
    shifted = fused(x, LOG2_E, TWICE_BIASED_ROUNDER)
    halved = fused(x, HALF_LOG2_E, BIASED_ROUNDER)
    r_high, small = reduced(x, low, shifted - TWICE_BIASED_ROUNDER)
    mantissa = mantissa_of_exp(r_high, small)
    # 2^k in two factors: neither overflows nor rounds, whatever k is.
    first = from_bits(bits_of(halved) << FRACTION)
    second = from_bits((bits_of(shifted) - bits_of(halved)) << FRACTION)
    return mantissa * first * second


def exp(x: float) -> float:
    """Return e^x: 0.65 ulp; the last rounding alone decides subnormal results."""
    return exp_of_sum(clamped(x, LOWEST, HIGHEST), 0.0)


def exp_difference(x: float, y: float) -> float:
    """Return e^(x - y) for a finite y that x is not above: 0.65 ulp, rounding of x - y and all.

    The power of 2 is taken 2^64 too large, so that it is one normal factor whatever the result is.
    """
    difference = x - y
    own = difference - x
    error = (x - (difference - own)) + (-own - y)
    bounded = clamped(difference, LOWEST, 1.0)
    shifted = fused(bounded, LOG2_E, BIASED_ROUNDER + 64.0)
    # Farther out the result is 0, and -inf has no rounding.
    low = select(magnitude(difference) < 1000.0, error, 0.0)
    r_high, small = reduced(bounded, low, shifted - (BIASED_ROUNDER + 64.0))
    return mantissa_of_exp(r_high, small) * from_bits(bits_of(shifted) << FRACTION) * 2.0**-64


def expm1(x: float) -> float:
    """Return e^x - 1: 1 ulp, also near 0; beside ``exp`` of the same x most of it costs nothing."""
    bounded = clamped(x, LOWEST, HIGHEST)
    k = fused(bounded, LOG2_E, TWICE_BIASED_ROUNDER) - TWICE_BIASED_ROUNDER
    r_high, small = reduced(bounded, 0.0, k)
    # Half the result, since 2^1024 is no double: 2^(k-1) (1 + r_high + small) - 1/2. Below 2^-64
    # the power is not seen.
    shifted = select(k < -64.0, -64.0, k) + (BIASED_ROUNDER - 1.0)
    scale = from_bits(bits_of(shifted) << FRACTION)
    shift = scale - 0.5
    high = fused(scale, r_high, shift)
    low = fused(scale, small, fused(scale, r_high, shift - high))
    result = 2.0 * (high + low)
    return select(magnitude(x) < TINY, x, result)  # subnormal x, and the sign of 0


def tanh(x: float) -> float:
    """Return the hyperbolic tangent: 0.75 ulp."""
    # With t = e^(-2|x|) - 1: tanh |x| = -t / (2 + t), whose parts have no cancellation.
    size = magnitude(x)
    doubled = -2.0 * select(size > FAR, FAR, size)
    shifted = fused(doubled, LOG2_E, BIASED_ROUNDER)
    r_high, small = reduced(doubled, 0.0, shifted - BIASED_ROUNDER)
    scale = from_bits(bits_of(shifted) << FRACTION)
    shift = scale - 1.0
    high = fused(scale, r_high, shift)
    shift_low = scale - (shift + 1.0)  # what 2^k - 1 lost where 2^k is far below 1
    low = fused(scale, small, fused(scale, r_high, shift - high) + shift_low)
    t = high + low
    t_low = low - (t - high)
    below = 2.0 + t
    below_low = t - (below - 2.0)
    reciprocal = 1.0 / below
    quotient = t * reciprocal
    rest = fused(-quotient, below, t) + fused(-quotient, below_low + t_low, t_low)
    result = with_sign_of(fused(rest, reciprocal, quotient), x)
    return select(size < TINY_OF_TANH, x, result)
