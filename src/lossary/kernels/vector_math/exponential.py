"""exp, expm1 and tanh for one double, without branches.

x = k ln 2 + r with k a whole number and |r| <= ln(2)/2; then e^x = 2^k (1 + r + r^2 q(r)).
``python -m tests.remez exponential`` prints q.
"""

from lossary.kernels.vector_math.machine import (
    bits_of,
    from_bits,
    fused,
    magnitude,
    polynomial,
    select,
    vectorisable,
    with_sign_of,
)

LOG2_E = 1.4426950408889634
HALF_LOG2_E = LOG2_E / 2
# ln 2 = LN2_HIGH + LN2_LOW to 2^-102. LN2_HIGH ends after 42 bits, so that k LN2_HIGH is exact.
LN2_HIGH = 0.6931471805598903
LN2_LOW = 5.497923018708371e-14
# Adding 1.5 2^52 leaves the nearest whole number in the low bits of the sum.
ROUNDER = 1.5 * 2.0**52
# The biases turn those low bits into exponents of doubles with no further addition.
BIASED_ROUNDER = ROUNDER + 1023
TWICE_BIASED_ROUNDER = ROUNDER + 2046
# e^x overflows above 709.79 and is below half the smallest double below -745.14.
HIGHEST, LOWEST = 710.0, -746.0

# (e^r - 1 - r) / r^2 on |r| <= 1.0001 ln(2)/2, degree 10: error of
# expm1(r) below 2^-59.9 of itself.
TAIL = (
    0.5,
    0.16666666666666677,
    0.04166666666666651,
    0.008333333333321691,
    0.001388888888896242,
    0.00019841269885965157,
    2.4801587172396634e-05,
    2.755724437506242e-06,
    2.755740278788795e-07,
    2.5108978577669386e-08,
    2.0875279975745012e-09,
)

tail_of_exp = polynomial(TAIL)


@vectorisable
def exp_of_sum(x: float, low: float) -> float:
    """Return e^(x + low) for x from LOWEST to HIGHEST, NaN included, and |low| below 2^-40."""
    shifted = fused(x, LOG2_E, TWICE_BIASED_ROUNDER)
    halved = fused(x, HALF_LOG2_E, BIASED_ROUNDER)
    k = shifted - TWICE_BIASED_ROUNDER
    r_high = fused(k, -LN2_HIGH, x)
    r_low = fused(k, -LN2_LOW, low)
    r = r_high + r_low
    small = fused(r * r, tail_of_exp(r), r_low)
    high = 1.0 + r_high
    mantissa = high + (small + (r_high - (high - 1.0)))
    # 2^k in two factors: neither overflows nor rounds, whatever k is.
    first = from_bits(bits_of(halved) << 52)
    second = from_bits((bits_of(shifted) - bits_of(halved)) << 52)
    return mantissa * first * second


@vectorisable
def exp(x: float) -> float:
    """Return e^x: 0.65 ulp; the last rounding alone decides subnormal results."""
    bounded = select(x > HIGHEST, HIGHEST, x)
    return exp_of_sum(select(bounded < LOWEST, LOWEST, bounded), 0.0)


@vectorisable
def expm1(x: float) -> float:
    """Return e^x - 1: 1 ulp, also near 0."""
    bounded = select(x > HIGHEST, HIGHEST, x)
    bounded = select(bounded < -40.0, -40.0, bounded)  # there e^x - 1 rounds to -1
    shifted = fused(bounded, LOG2_E, BIASED_ROUNDER - 1.0)
    k = shifted - (BIASED_ROUNDER - 1.0)
    r_high = fused(k, -LN2_HIGH, bounded)
    r_low = k * -LN2_LOW
    r = r_high + r_low
    small = fused(r * r, tail_of_exp(r), r_low)
    # Half the result, since 2^1024 is no double: 2^(k-1) (1 + r_high + small) - 1/2.
    scale = from_bits(bits_of(shifted) << 52)
    shift = scale - 0.5
    high = fused(scale, r_high, shift)
    low = fused(scale, small, fused(scale, r_high, shift - high))
    result = 2.0 * (high + low)
    return select(magnitude(x) < 2.0**-54, x, result)  # subnormal x, and the sign of 0


@vectorisable
def tanh(x: float) -> float:
    """Return the hyperbolic tangent: 0.75 ulp."""
    # With t = e^(-2|x|) - 1: tanh |x| = -t / (2 + t), whose parts have no cancellation.
    bounded = select(magnitude(x) > 20.0, 20.0, magnitude(x))
    shifted = fused(bounded, -2.0 * LOG2_E, BIASED_ROUNDER)
    k = shifted - BIASED_ROUNDER
    r_high = fused(k, -LN2_HIGH, -2.0 * bounded)
    r_low = k * -LN2_LOW
    r = r_high + r_low
    small = fused(r * r, tail_of_exp(r), r_low)
    scale = from_bits(bits_of(shifted) << 52)
    shift = scale - 1.0
    high = fused(scale, r_high, shift)
    shift_low = scale - (shift + 1.0)  # what 2^k - 1 lost where k < -53
    low = fused(scale, small, fused(scale, r_high, shift - high) + shift_low)
    t = high + low
    t_low = low - (t - high)
    below = 2.0 + t
    below_low = t - (below - 2.0)
    reciprocal = 1.0 / below
    quotient = t * reciprocal
    rest = fused(-quotient, below, t) + fused(-quotient, below_low + t_low, t_low)
    result = with_sign_of(fused(rest, reciprocal, quotient), x)
    return select(magnitude(x) < 2.0**-28, x, result)
