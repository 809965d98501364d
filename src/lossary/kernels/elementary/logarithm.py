"""log and log1p, without branches.

x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f); then
log m = log((1+s)/(1-s)) = 2 s + s R = f - (f^2/2 - s (f^2/2 + R)), R = z p(z), z = s^2: in the last
form the leading term f is exact.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *

ROOT_TWO_LESS_ONE = 0.41421356237309503


def beyond_first_order(f: float) -> float:
    """Return log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = f / (2.0 + f)
    z = s * s
    series = z * series_of_log(z)
    half_square = 0.5 * f * f
    return fused(s, half_square + series, -half_square)


def with_power(f: float, k: float, rest: float) -> float:
    """Return k ln 2 + log(1 + f), with a rest that belongs to f."""
    from_power = k * LN2_HIGH
    high = from_power + f
    return high + (fused(k, LN2_LOW, (f - (high - from_power)) + rest) + beyond_first_order(f))


def fraction_of(centred: int) -> float:
    """Return m - 1 from the bits of 2^k m, moved so that their exponent is that of 2^k."""
    return from_bits((centred & SIGNIFICAND) + BITS_OF_ROOT_HALF) - 1.0


def biased_exponent(centred: int) -> float:
    """Return k + LARGE_BIAS: AVX2 has no instruction that makes a double of 64 bits."""
    return from_bits(shifted_down(centred, FRACTION) | BITS_OF_LARGE)


def split(x: float) -> tuple[float, float]:
    """Return f and k such that x = 2^k (1 + f), for finite x > 0, subnormal ones too."""
    subnormal = x < SMALLEST_NORMAL
    centred = bits_of(select(subnormal, x * SUBNORMAL_SCALE, x)) + CENTRING
    biased = biased_exponent(centred)
    k = select(subnormal, biased - (LARGE_BIAS + SUBNORMAL_SHIFT), biased - LARGE_BIAS)
    return fraction_of(centred), k


def log(x: float) -> float:
    """Return the natural logarithm: 0.75 ulp; -inf at 0, NaN below."""
    f, k = split(x)
    # Adding -0 is no addition: it changes nothing, whatever the sign of a zero.
    finite = select(x < inf, with_power(f, k, -0.0), x)
    return select(x > 0.0, finite, select(x == 0.0, -inf, inf - inf))


def log1p(x: float) -> float:
    """Return log(1 + x): 0.85 ulp, also near 0; -inf at -1, NaN below."""
    u = 1.0 + x
    # 1 + x = u + lost exactly (the two-sum of Knuth, which needs no order of the two).
    part = u - x
    lost = (1.0 - part) + (x - (u - part))
    centred = bits_of(u) + CENTRING
    # 2^(1-k): 2^-k would be no normal number for the largest k.
    down = from_bits(-(centred & ~SIGNIFICAND) + (REFLECTION + SIGNIFICAND + 1))
    coarse, fine = fraction_of(centred), lost * (0.5 * down)
    f = coarse + fine
    rest = (coarse - f) + fine
    finite = select(x < inf, with_power(f, biased_exponent(centred) - LARGE_BIAS, rest), x)
    signed = with_sign_of(finite, x)
    return select(u > 0.0, signed, select(u == 0.0, -inf, inf - inf))


def log1p_unit(x: float) -> float:
    """Return log(1 + x) for x from 0 to 1."""
    near = x < ROOT_TWO_LESS_ONE
    f = select(near, x, 0.5 * x - 0.5)
    high = select(near, f, f + LN2_HIGH)
    low = select(near, 0.0, (f - (high - LN2_HIGH)) + LN2_LOW)
    return high + (low + beyond_first_order(f))
