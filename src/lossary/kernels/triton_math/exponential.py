"""exp, expm1 and tanh: x = k ln 2 + r with k whole, and e^x = 2^k (1 + r + r^2 q(r))."""

# To Triton a plain number is a tensor or a constexpr as well.
# pyright: reportArgumentType=false, reportAssignmentType=false
# Triton compiles one branch of an if on dtypes, but only where the other is an else.
# ruff: noqa: RET505

from __future__ import annotations

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1.4426950408889634)
LOG2_E_LOW = tl.constexpr(1.925963033500919e-08)  # log2(e) beyond the digits of a float32
LN2 = tl.constexpr(0.6931471805599453)
HALF_LOG2_E = tl.constexpr(0.7213475204444817)
# ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
LN2_HIGH_64, LN2_LOW_64 = tl.constexpr(0.6931471805598903), tl.constexpr(5.497923018708371e-14)
LN2_HIGH_32, LN2_LOW_32 = tl.constexpr(0.693145751953125), tl.constexpr(1.428606765330187e-06)
# Adding these leaves the nearest whole number in the low bits of the sum.
ROUNDER_64, ROUNDER_32 = tl.constexpr(6755399441055744.0), tl.constexpr(12582912.0)
BIAS_64, BIAS_32 = tl.constexpr(1023), tl.constexpr(127)
# Where exponentials over- and underflow, and where e^x - 1 is -1.
HIGHEST_64, LOWEST_64, FLAT_64 = tl.constexpr(710.0), tl.constexpr(-746.0), tl.constexpr(-40.0)
HIGHEST_32, LOWEST_32, FLAT_32 = tl.constexpr(89.0), tl.constexpr(-104.0), tl.constexpr(-20.0)


@triton.jit
def power_of_two(shifted: tl.tensor) -> tl.tensor:
    """Return 2^k for the whole number k + bias in the low bits of ``shifted``."""
    if shifted.dtype == tl.float64:
        return (shifted.to(tl.int64, bitcast=True) << 52).to(tl.float64, bitcast=True)
    else:
        return (shifted.to(tl.int32, bitcast=True) << 23).to(tl.float32, bitcast=True)


@triton.jit
def rest_of_power(whole: tl.tensor, half: tl.tensor) -> tl.tensor:
    """Return 2^(k - h) for the whole numbers k + 2 bias and h + bias in the low bits."""
    if whole.dtype == tl.float64:
        bits = whole.to(tl.int64, bitcast=True) - half.to(tl.int64, bitcast=True)
        return (bits << 52).to(tl.float64, bitcast=True)
    else:
        bits = whole.to(tl.int32, bitcast=True) - half.to(tl.int32, bitcast=True)
        return (bits << 23).to(tl.float32, bitcast=True)


@triton.jit
def tail_of_exp(r: tl.tensor) -> tl.tensor:
    """Return (e^r - 1 - r) / r^2 for |r| <= ln(2)/2."""
    r2 = r * r
    if r.dtype == tl.float64:
        r4 = r2 * r2
        low = tl.fma(
            tl.fma(r, 0.008333333333321691, 0.04166666666666651),
            r2,
            tl.fma(r, 0.16666666666666677, 0.5),
        )
        middle = tl.fma(
            tl.fma(r, 2.755724437506242e-06, 2.4801587172396634e-05),
            r2,
            tl.fma(r, 0.00019841269885965157, 0.001388888888896242),
        )
        high = tl.fma(
            r2, 2.0875279975745012e-09, tl.fma(r, 2.5108978577669386e-08, 2.755740278788795e-07)
        )
        return tl.fma(tl.fma(high, r4, middle), r4, low)
    else:
        low = tl.fma(r, 0.1666666567325592, 0.5)
        middle = tl.fma(r, 0.008333389647305012, 0.041666362434625626)
        high = tl.fma(r, 0.00019845907809212804, 0.001394062303006649)
        return tl.fma(tl.fma(high, r2, middle), r2, low)


@triton.jit
def reduced(x: tl.tensor, low: tl.tensor, k: tl.tensor) -> tuple[tl.tensor, tl.tensor]:
    """Return r_high, exact, and r_low + (e^r - 1 - r) for r_high + r_low = x + low - k ln 2."""
    if x.dtype == tl.float64:
        r_high, r_low = tl.fma(k, -LN2_HIGH_64, x), tl.fma(k, -LN2_LOW_64, low)
    else:
        r_high, r_low = tl.fma(k, -LN2_HIGH_32, x), tl.fma(k, -LN2_LOW_32, low)
    r = r_high + r_low
    return r_high, tl.fma(r * r, tail_of_exp(r), r_low)


@triton.jit
def exp_of_sum(x: tl.tensor, low: tl.tensor) -> tl.tensor:
    """Return e^(x + low) for any x and a low within its rounding."""
    double: tl.constexpr = x.dtype == tl.float64
    rounder: tl.constexpr = ROUNDER_64 if double else ROUNDER_32
    bias: tl.constexpr = BIAS_64 if double else BIAS_32
    highest: tl.constexpr = HIGHEST_64 if double else HIGHEST_32
    lowest: tl.constexpr = LOWEST_64 if double else LOWEST_32
    bounded = tl.clamp(x, lowest, highest, propagate_nan=tl.PropagateNan.ALL)
    whole = tl.fma(bounded, LOG2_E, rounder + 2 * bias)
    half = tl.fma(bounded, HALF_LOG2_E, rounder + bias)
    r_high, small = reduced(bounded, low, whole - (rounder + 2 * bias))
    high = r_high + 1.0
    mantissa = high + (small + (r_high - (high - 1.0)))
    # 2^k in two factors: neither overflows nor rounds, whatever k is.
    return mantissa * power_of_two(half) * rest_of_power(whole, half)


@triton.jit
def exp(x: tl.tensor) -> tl.tensor:
    """Return e^x; the last rounding alone decides subnormal results."""
    return exp_of_sum(x, 0.0)


@triton.jit
def exp_of_half(x: tl.tensor) -> tl.tensor:
    """Return e^x for float32 arithmetic on halves: to 2 ulp, by the processor's own 2^x."""
    bounded = tl.clamp(x, LOWEST_32, HIGHEST_32, propagate_nan=tl.PropagateNan.ALL)
    whole = bounded * LOG2_E
    # What rounding the product and log2(e) has cost.
    error = tl.fma(bounded, LOG2_E_LOW, tl.fma(bounded, LOG2_E, -whole))
    # The processor's 2^x knows no subnormal numbers.
    low = whole < -64.0
    size = tl.exp2(tl.where(low, whole + 64.0, whole)) * tl.fma(error, LN2, 1.0)
    return size * tl.where(low, 5.421010862427522e-20, 1.0)


@triton.jit
def expm1(x: tl.tensor) -> tl.tensor:
    """Return e^x - 1, also near 0; beside ``exp`` of the same x most of it costs nothing."""
    double: tl.constexpr = x.dtype == tl.float64
    rounder: tl.constexpr = ROUNDER_64 if double else ROUNDER_32
    bias: tl.constexpr = BIAS_64 if double else BIAS_32
    highest: tl.constexpr = HIGHEST_64 if double else HIGHEST_32
    lowest: tl.constexpr = LOWEST_64 if double else LOWEST_32
    tiny = tl.constexpr(5.551115123125783e-17 if double else 2.9802322387695312e-08)
    bounded = tl.clamp(x, lowest, highest, propagate_nan=tl.PropagateNan.ALL)
    k = tl.fma(bounded, LOG2_E, rounder + 2 * bias) - (rounder + 2 * bias)
    r_high, small = reduced(bounded, 0.0, k)
    # Half the result, since 2^128 is no float32: 2^(k-1) (1 + r_high + small) - 1/2.
    scale = power_of_two(tl.maximum(k, -64.0) + (rounder + (bias - 1)))
    shift = scale - 0.5
    high = tl.fma(scale, r_high, shift)
    low = tl.fma(scale, small, tl.fma(scale, r_high, shift - high))
    return tl.where(tl.abs(x) < tiny, x, 2.0 * (high + low))


@triton.jit
def tanh(x: tl.tensor) -> tl.tensor:
    """Return the hyperbolic tangent."""
    double: tl.constexpr = x.dtype == tl.float64
    rounder: tl.constexpr = ROUNDER_64 if double else ROUNDER_32
    bias: tl.constexpr = BIAS_64 if double else BIAS_32
    far = tl.constexpr(20.0 if double else 10.0)
    tiny = tl.constexpr(3.725290298461914e-09 if double else 0.000244140625)
    # With t = e^(-2|x|) - 1: tanh |x| = -t / (2 + t), whose parts have no cancellation.
    size = tl.abs(x)
    doubled = -2.0 * tl.where(size > far, far, size)
    shifted = tl.fma(doubled, LOG2_E, rounder + bias)
    r_high, small = reduced(doubled, 0.0, shifted - (rounder + bias))
    scale = power_of_two(shifted)
    shift = scale - 1.0
    high = tl.fma(scale, r_high, shift)
    shift_low = scale - (shift + 1.0)  # what 2^k - 1 lost where 2^k is far below 1
    low = tl.fma(scale, small, tl.fma(scale, r_high, shift - high) + shift_low)
    t = high + low
    t_low = low - (t - high)
    below = t + 2.0
    below_low = t - (below - 2.0)
    reciprocal = 1.0 / below
    quotient = t * reciprocal
    rest = tl.fma(-quotient, below, t) + tl.fma(-quotient, below_low + t_low, t_low)
    result = tl.fma(rest, reciprocal, quotient)
    return tl.where(size < tiny, x, tl.where(x < 0.0, result, -result))
