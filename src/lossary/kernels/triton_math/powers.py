"""Powers as C's pow has them: x^y = e^(y log x) with the logarithm in twice the precision."""

# To Triton a plain number is a tensor or a constexpr as well.
# pyright: reportArgumentType=false, reportAssignmentType=false

from __future__ import annotations

import triton
import triton.language as tl

from lossary.kernels.triton_math.exponential import (
    LN2_HIGH_32,
    LN2_HIGH_64,
    LN2_LOW_32,
    LN2_LOW_64,
    exp_of_sum,
)
from lossary.kernels.triton_math.logarithm import split

TWO_THIRDS_64, TWO_THIRDS_LOW_64 = tl.constexpr(2 / 3), tl.constexpr(3.700743415417188e-17)
TWO_THIRDS_32 = tl.constexpr(0.6666666865348816)
TWO_THIRDS_LOW_32 = tl.constexpr(-1.9868215517249155e-08)


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
