"""What is one instruction or a few: roots, signs, the larger of two, a sum with its rounding."""

# To Triton a plain number is a tensor or a constexpr as well.
# pyright: reportArgumentType=false, reportAssignmentType=false
# Triton compiles one branch of an if on dtypes, but only where the other is an else.
# ruff: noqa: RET505

from __future__ import annotations

import triton
import triton.language as tl


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
