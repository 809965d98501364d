"""Elementary functions for Triton, in float32 and float64, with errors below about one ulp.

Triton's own ``exp`` of a float32 multiplies by log2(e) and asks the processor for 2^x: the rounding
of the product alone is worth up to 60 ulp. Its ``log1p``, ``expm1`` and ``tanh`` exist only where
CUDA's library does, so not in the interpreter. These are the algorithms of ``vector_math``, spelled
in what every Triton target has: fused multiply-adds and whole numbers.

Coefficients come from the fits of ``tests.remez``; those for float32 have a lower degree.
"""

# To Triton a plain number is a tensor or a constexpr as well.
# pyright: reportArgumentType=false, reportAssignmentType=false
# Triton compiles one branch of an if on dtypes, but only where the other is an else.
# ruff: noqa: RET505

from __future__ import annotations

import triton
import triton.language as tl

__all__ = [
    "add",
    "exp",
    "exp_of_half",
    "expm1",
    "log",
    "log1p",
    "log1p_unit",
    "maximum",
    "minimum",
    "power",
    "power_of_positive",
    "sign",
    "sqrt",
    "tanh",
]

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
TWO_THIRDS_64, TWO_THIRDS_LOW_64 = tl.constexpr(2 / 3), tl.constexpr(3.700743415417188e-17)
TWO_THIRDS_32 = tl.constexpr(0.6666666865348816)
TWO_THIRDS_LOW_32 = tl.constexpr(-1.9868215517249155e-08)


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


@triton.jit
def split(x: tl.tensor) -> tuple[tl.tensor, tl.tensor]:
    """Return f and k such that x = 2^k (1 + f), for finite x > 0, and the bits of 2^k."""
    if x.dtype == tl.float64:
        small = x < 2.2250738585072014e-308
        scaled = tl.where(small, x * 18014398509481984.0, x)
        centred = scaled.to(tl.int64, bitcast=True) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
        exponent = (centred >> 52) - 1023
        m = ((centred & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD).to(tl.float64, bitcast=True)
        return m - 1.0, exponent.to(tl.float64) - tl.where(small, 54.0, 0.0)
    else:
        small = x < 1.1754943508222875e-38
        scaled = tl.where(small, x * 33554432.0, x)
        centred = scaled.to(tl.int32, bitcast=True) + (0x3F800000 - 0x3F3504F3)
        exponent = (centred >> 23) - 127
        m = ((centred & 0x7FFFFF) + 0x3F3504F3).to(tl.float32, bitcast=True)
        return m - 1.0, exponent.to(tl.float32) - tl.where(small, 25.0, 0.0)


@triton.jit
def beyond_first_order(f: tl.tensor) -> tl.tensor:
    """Return log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = f / (f + 2.0)
    z = s * s
    if f.dtype == tl.float64:
        w = z * z
        low = tl.fma(
            tl.fma(z, 0.2222219855075209, 0.28571428742592064),
            w,
            tl.fma(z, 0.3999999999941384, 0.6666666666666734),
        )
        high = tl.fma(w, 0.14796297310088835, tl.fma(z, 0.15314017361424206, 0.18183565559870568))
        series = z * tl.fma(high, w * w, low)
    else:
        series = z * tl.fma(
            tl.fma(z, 0.29872027039527893, 0.39977532625198364), z, 0.6666677594184875
        )
    half_square = 0.5 * f * f
    return tl.fma(s, half_square + series, -half_square)


@triton.jit
def with_power(f: tl.tensor, k: tl.tensor, rest: tl.tensor) -> tl.tensor:
    """Return k ln 2 + log(1 + f), with a rest that belongs to f."""
    if f.dtype == tl.float64:
        from_power = k * LN2_HIGH_64
        high = from_power + f
        low = tl.fma(k, LN2_LOW_64, (f - (high - from_power)) + rest)
    else:
        from_power = k * LN2_HIGH_32
        high = from_power + f
        low = tl.fma(k, LN2_LOW_32, (f - (high - from_power)) + rest)
    return high + (low + beyond_first_order(f))


@triton.jit
def log(x: tl.tensor) -> tl.tensor:
    """Return the natural logarithm; -inf at 0, NaN below."""
    f, k = split(x)
    finite = tl.where(x < float("inf"), with_power(f, k, 0.0), x)
    return tl.where(x > 0.0, finite, tl.where(x == 0.0, float("-inf"), float("nan")))


@triton.jit
def log1p(x: tl.tensor) -> tl.tensor:
    """Return log(1 + x), also near 0; -inf at -1, NaN below."""
    u = x + 1.0
    # 1 + x = u + lost exactly (the two-sum of Knuth, which needs no order of the two).
    part = u - x
    lost = (1.0 - part) + (x - (u - part))
    coarse, k = split(u)
    double: tl.constexpr = x.dtype == tl.float64
    rounder: tl.constexpr = ROUNDER_64 if double else ROUNDER_32
    bias: tl.constexpr = BIAS_64 if double else BIAS_32
    largest: tl.constexpr = BIAS_64 - 1 if double else BIAS_32 - 1
    # Where 1 + x is so large that 2^-k would be no normal number, what was lost is nothing.
    fine = lost * tl.where(k < largest, power_of_two(-k + (rounder + bias)), 0.0)
    f = coarse + fine
    rest = (coarse - f) + fine
    finite = tl.where(x < float("inf"), with_power(f, k, rest), x)
    return tl.where(u > 0.0, finite, tl.where(u == 0.0, float("-inf"), float("nan")))


@triton.jit
def log1p_unit(x: tl.tensor) -> tl.tensor:
    """Return log(1 + x) for x from 0 to 1."""
    near = x < 0.4142135623730951
    f = tl.where(near, x, 0.5 * x - 0.5)
    ln2_high: tl.constexpr = LN2_HIGH_64 if x.dtype == tl.float64 else LN2_HIGH_32
    ln2_low: tl.constexpr = LN2_LOW_64 if x.dtype == tl.float64 else LN2_LOW_32
    high = tl.where(near, f, f + ln2_high)
    low = tl.where(near, 0.0, (f - (high - ln2_high)) + ln2_low)
    return high + (low + beyond_first_order(f))


@triton.jit
def logarithm_in_two(a: tl.tensor) -> tuple[tl.tensor, tl.tensor]:
    """Return log(a), for finite a > 0, as a sum of two numbers: in twice the precision."""
    f, k = split(a)
    # s = f / (2 + f), z = s^2, t = s^3 and c = 2/3 + z p(z), each in two numbers.
    below = f + 2.0
    below_low = f - (below - 2.0)
    reciprocal = 1.0 / below
    s = f * reciprocal
    s_rest = tl.fma(-s, below_low, tl.fma(-s, below, f)) * reciprocal
    # The reciprocal may be a few ulp off; a second step makes s the rounded quotient.
    s_high = s + s_rest
    s_low = s_rest - (s_high - s)
    z = s_high * s_high
    z_low = tl.fma(s_high + s_high, s_low, tl.fma(s_high, s_high, -z))
    t = s_high * z
    t_low = tl.fma(s_low, z, tl.fma(s_high, z_low, tl.fma(s_high, z, -t)))
    if a.dtype == tl.float64:
        w = z * z
        low_part = tl.fma(
            tl.fma(z, 0.1818181887066797, 0.222222222175337),
            w,
            tl.fma(z, 0.28571428571445123, 0.3999999999999998),
        )
        high_part = tl.fma(
            tl.fma(z, 0.11989180039044557, 0.11674798660698399),
            w,
            tl.fma(z, 0.13336318384919915, 0.15384556846301037),
        )
        tail = z * tl.fma(high_part, w * w, low_part)
        c = tail + TWO_THIRDS_64
        c_low = (tail - (c - TWO_THIRDS_64)) + TWO_THIRDS_LOW_64
        from_power, power_low = k * LN2_HIGH_64, k * LN2_LOW_64
    else:
        tail = z * tl.fma(
            tl.fma(z, 0.23418836295604706, 0.28547123074531555), z, 0.40000152587890625
        )
        c = tail + TWO_THIRDS_32
        c_low = (tail - (c - TWO_THIRDS_32)) + TWO_THIRDS_LOW_32
        from_power, power_low = k * LN2_HIGH_32, k * LN2_LOW_32
    cube = t * c
    cube_low = tl.fma(t_low, c, tl.fma(t, c_low, tl.fma(t, c, -cube)))
    twice = s_high + s_high
    first = twice + cube
    first_low = tl.fma(s_low, 2.0, cube_low + (cube - (first - twice)))
    second = from_power + first
    second_low = power_low + (first_low + (first - (second - from_power)))
    high = second + second_low
    return high, second_low - (high - second)


@triton.jit
def power_of_positive(x: tl.tensor, y: tl.tensor) -> tl.tensor:
    """Return x^y for x >= 0, as ``power`` does."""
    x, y = tl.broadcast(x, y)
    infinite = tl.constexpr(float("inf"))
    large = tl.constexpr(1.0715086071862673e301 if x.dtype == tl.float64 else 1.0633823966279327e37)
    y = tl.where(y > large, large, tl.where(y < -large, -large, y))
    high, low = logarithm_in_two(x)
    ordinary = (x > 0.0) & (x < infinite)
    product = y * tl.where(ordinary, high, tl.where(x == 0.0, -infinite, x))
    product_low = tl.fma(y, low, tl.fma(y, high, -product))
    usable = ordinary & (tl.abs(product) < 800.0)  # farther out the power is 0 or inf
    result = exp_of_sum(product, tl.where(usable, product_low, 0.0))
    return tl.where((x == 1.0) | (y == 0.0), 1.0, result)


@triton.jit
def power(x: tl.tensor, y: tl.tensor) -> tl.tensor:
    """Return x^y as C's pow does: NaN for x < 0 and y not whole, 1 for y = 0."""
    x, y = tl.broadcast(x, y)
    size = power_of_positive(tl.abs(x), y)
    whole = tl.floor(y) == y
    odd = whole & (tl.floor(0.5 * y) != 0.5 * y)
    negative = x < 0.0
    signed = tl.where(negative & odd, -size, size)
    undefined = negative & (x > float("-inf")) & (whole == 0)
    return tl.where(undefined, float("nan"), signed)


@triton.jit
def sqrt(x: tl.tensor) -> tl.tensor:
    """Return the square root, rounded correctly; Triton's float32 ``sqrt`` is an approximation."""
    if x.dtype == tl.float64:
        return tl.sqrt(x)
    else:
        return tl.sqrt_rn(x)


@triton.jit
def sign(x: tl.tensor) -> tl.tensor:
    """Return -1, 0 or 1; NaN stays."""
    return tl.where(x > 0.0, 1.0, tl.where(x < 0.0, -1.0, x))


@triton.jit
def maximum(x: tl.tensor, y: tl.tensor) -> tl.tensor:
    """Return the larger; NaN if either is."""
    return tl.where((x >= y) | (x != x), x, y)  # noqa: PLR0124  (NaN)


@triton.jit
def minimum(x: tl.tensor, y: tl.tensor) -> tl.tensor:
    """Return the smaller; NaN if either is."""
    return tl.where((x <= y) | (x != x), x, y)  # noqa: PLR0124  (NaN)


@triton.jit
def add(total: tl.tensor, error: tl.tensor, value: tl.tensor) -> tuple[tl.tensor, tl.tensor]:
    """Add a value, with the rounding kept in ``error`` (Neumaier 1974)."""
    rounded = total + value
    larger = tl.abs(total) >= tl.abs(value)
    lost = tl.where(larger, (total - rounded) + value, (value - rounded) + total)
    return rounded, error + tl.where(tl.abs(rounded) < float("inf"), lost, 0.0)
