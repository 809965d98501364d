"""Triton's spelling of the machine words; constants are those of a format, put in by ``spelled``.

``FLOAT`` and ``INTEGER`` are its numbers and their bits, ``SIGN`` is the bit of the sign.
"""

# To Triton a plain number is a tensor or a constexpr as well, and so is a type.
# pyright: reportArgumentType=false, reportUndefinedVariable=false
# Triton compiles one branch of an if on dtypes, but only where the other is an else.
# ruff: noqa: F821, RET505

from __future__ import annotations

import triton.language as tl


def fused(a: tl.tensor, b: tl.tensor, c: tl.tensor) -> tl.tensor:
    """Return a b + c with one rounding."""
    return tl.fma(a, b, c)


def select(condition: tl.tensor, chosen: tl.tensor, otherwise: tl.tensor) -> tl.tensor:
    """Return one of two numbers."""
    return tl.where(condition, chosen, otherwise)


def clamped(x: tl.tensor, low: tl.tensor, high: tl.tensor) -> tl.tensor:
    """Return x moved between two plain numbers; NaN stays."""
    return tl.clamp(x, low, high, propagate_nan=tl.PropagateNan.ALL)


def bits_of(x: tl.tensor) -> tl.tensor:
    """Return the bits of a number."""
    return x.to(INTEGER, bitcast=True)


def from_bits(bits: tl.tensor) -> tl.tensor:
    """Return the number with these bits."""
    return bits.to(FLOAT, bitcast=True)


def shifted_down(bits: tl.tensor, count: tl.tensor) -> tl.tensor:
    """Shift right; the sign bit is not set, or the result of no use."""
    return bits >> count


def magnitude(x: tl.tensor) -> tl.tensor:
    """Return |x|."""
    return tl.abs(x)


def rounded_down(x: tl.tensor) -> tl.tensor:
    """Return the largest whole number that is not above x."""
    return tl.floor(x)


def square_root(x: tl.tensor) -> tl.tensor:
    """Return the square root, rounded correctly; Triton's float32 ``sqrt`` is an approximation."""
    if x.dtype == tl.float64:
        return tl.sqrt(x)
    else:
        return tl.sqrt_rn(x)


def with_sign_of(x: tl.tensor, y: tl.tensor) -> tl.tensor:
    """Return |x| with the sign of y."""
    return from_bits((bits_of(x) & ~SIGN) | (bits_of(y) & SIGN))


def exp_of_half(x: tl.tensor) -> tl.tensor:
    """Return e^x for float32 arithmetic on halves: to 2 ulp, by the processor's own 2^x."""
    bounded = clamped(x, LOWEST, HIGHEST)
    whole = bounded * LOG2_E
    # What rounding the product and log2(e) has cost.
    error = fused(bounded, LOG2_E_LOW, fused(bounded, LOG2_E, -whole))
    # The processor's 2^x knows no subnormal numbers.
    low = whole < -64.0
    size = tl.exp2(tl.where(low, whole + 64.0, whole)) * fused(error, LN2, 1.0)
    return size * tl.where(low, 5.421010862427522e-20, 1.0)
