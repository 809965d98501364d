"""exp, expm1, tanh, log, log1p and power for doubles that have digits to spare.

float32 and the half types are computed in doubles, and the results rounded to 24 bits or fewer. A
relative error of 2^-42 cannot be seen there, so these functions use shorter polynomials, one word
for ln 2 and no second word for anything: about half the time of the exact ones. They are relative
near their zeros, keep every infinity and NaN, and differ from the exact ones only where no float32
is: log takes a subnormal double for garbage, log1p holds below 2^1022, exp is 0 below -708.4, exp
and expm1 are inf above 709.43, and a zero may lose its sign. power and lgamma are for x >= 0 and
give NaN below.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from lossary.kernels.elementary.logarithm import ROOT_TWO_LESS_ONE, biased_exponent, fraction_of

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *


def expm1_of_rest(r: float) -> float:
    """Return e^r - 1 for |r| <= ln(2)/2."""
    return fused(tail_of_exp(r), r * r, r)


def halved_exponential(x: float) -> tuple[float, float]:
    """Return 2^(k-1) and e^r - 1, so that e^x is twice 2^(k-1) e^r: 2^1024 is no double.

    exp and expm1 of one argument share this; the compiler computes it once.
    """
    bounded = clamped(x, -708.4, 710.0)  # at the lower end k = -1022 and 2^(k-1) reads 0
    shifted = fused(bounded, LOG2_E, BIASED_ROUNDER - 1.0)
    rest = expm1_of_rest(fused(shifted - (BIASED_ROUNDER - 1.0), -LN2, bounded))
    return from_bits(bits_of(shifted) << FRACTION), rest


def exp(x: float) -> float:
    """Return e^x to 2^-42."""
    scale, rest = halved_exponential(x)
    half = fused(scale, rest, scale)
    return half + half


def exp_of_sum(x: float, low: float) -> float:
    """Return e^x: here a rounding is not seen."""
    return exp(x)


def expm1(x: float) -> float:
    """Return e^x - 1 to 2^-42 of itself."""
    scale, rest = halved_exponential(x)
    half = fused(scale, rest, scale - 0.5)
    return half + half


def tanh(x: float) -> float:
    """Return the hyperbolic tangent to 2^-42 of itself."""
    # With t = e^(-2|x|) - 1: tanh |x| = -t / (2 + t), whose parts have no cancellation.
    bounded = select(magnitude(x) > FAR, FAR, magnitude(x))
    shifted = fused(bounded, -2.0 * LOG2_E, BIASED_ROUNDER)
    rest = expm1_of_rest(fused(shifted - BIASED_ROUNDER, -LN2, -2.0 * bounded))
    scale = from_bits(bits_of(shifted) << FRACTION)
    t = fused(scale, rest, scale - 1.0)
    return with_sign_of(t / (2.0 + t), x)


def log_of_parts(f: float, k: float) -> float:
    """Return log(2^k (1 + f)) for f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = f / (2.0 + f)
    z = s * s
    return fused(k, LN2, s * fused(z, series_of_log(z), 2.0))


def log(x: float) -> float:
    """Return the natural logarithm to 2^-42 of itself, for x that is no subnormal double."""
    centred = bits_of(x) + CENTRING
    k = biased_exponent(centred) - LARGE_BIAS
    finite = select(x < inf, log_of_parts(fraction_of(centred), k), x)
    return select(x > 0.0, finite, select(x == 0.0, -inf, inf - inf))


def log1p(x: float) -> float:
    """Return log(1 + x) to 2^-42 of itself, for x below 2^1022."""
    u = 1.0 + x
    centred = bits_of(u) + CENTRING
    k = biased_exponent(centred) - LARGE_BIAS
    # 1 + f = 2^-k (1 + x), from x rather than from u, which has lost the last digits of a small x.
    down = from_bits(REFLECTION - (centred & ~SIGNIFICAND))
    f = fused(x, down, down - 1.0)
    finite = select(x < inf, log_of_parts(f, k), x)
    return select(x > -1.0, finite, select(x == -1.0, -inf, inf - inf))


def log1p_unit(x: float) -> float:
    """Return log(1 + x) to 2^-42 of itself for 0 <= x <= 1, such as e^-|z|; NaN stays."""
    upper = x > ROOT_TWO_LESS_ONE
    f = select(upper, fused(0.5, x, -0.5), x)
    return log_of_parts(f, select(upper, 1.0, 0.0))


def power(x: float, y: float) -> float:
    """Return x^y for x >= 0, to 2^-42 (1 + |y log x|): C's pow for 0, 1 and inf; NaN for x < 0."""
    return select((x == 1.0) | (y == 0.0), 1.0, exp(y * log(x)))
