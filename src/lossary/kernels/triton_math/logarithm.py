"""log and log1p: x = 2^k (1 + f), s = f / (2 + f), and log(1 + f) = 2 atanh(s)."""

# To Triton a plain number is a tensor or a constexpr as well.
# pyright: reportArgumentType=false, reportAssignmentType=false
# Triton compiles one branch of an if on dtypes, but only where the other is an else.
# ruff: noqa: RET505

from __future__ import annotations

import triton
import triton.language as tl

from lossary.kernels.triton_math.exponential import (
    BIAS_32,
    BIAS_64,
    LN2_HIGH_32,
    LN2_HIGH_64,
    LN2_LOW_32,
    LN2_LOW_64,
    ROUNDER_32,
    ROUNDER_64,
    power_of_two,
)


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
