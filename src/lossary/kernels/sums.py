"""Sums, peaks and choices of the CPU kernels, for Numba.

Only ``lane_sum`` lets the compiler reorder, and only that one addition; a block of values is summed
so, and the sums of blocks are added with their rounding.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numba import njit, types

from lossary.kernels.vector_math.machine import instruction, select

__all__ = ["add", "block_peak", "both", "either", "first_place", "lane_sum", "select"]

_LANES = 16


@njit(forceinline=True)
def both(x: bool, y: bool) -> bool:
    """Whether both hold; unlike ``and`` it does not branch."""
    return x & y


@njit(forceinline=True)
def either(x: bool, y: bool) -> bool:
    """Whether one holds; unlike ``or`` it does not branch."""
    return x | y


@instruction
def lane_sum(typing: Any, total: Any, value: Any) -> Any:
    """Return total + value; the compiler may keep a partial sum in each lane of its vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments, flags=("reassoc", "nsz"))

    return types.float64(types.float64, types.float64), generate


@njit(nogil=True, error_model="numpy", cache=True)
def block_peak(values: np.ndarray, n: int) -> float:
    """Return the largest of the first n values."""
    lanes = np.full(_LANES, -inf, values.dtype)
    whole = n // _LANES * _LANES
    for start in range(0, whole, _LANES):
        for lane in range(_LANES):
            value = values[start + lane]
            lanes[lane] = max(lanes[lane], value)
    highest = -inf
    for place in range(whole, n):
        highest = max(highest, values[place])
    for lane in range(_LANES):
        highest = max(highest, lanes[lane])
    return highest


@njit(nogil=True, error_model="numpy", cache=True)
def first_place(values: np.ndarray, n: int, value: float) -> int:
    """Return where a value first stands."""
    for place in range(n):
        if values[place] == value:
            return place
    return 0


@njit(forceinline=True)
def add(total: float, error: float, value: float) -> tuple[float, float]:
    """Add a value, with the rounding kept in ``error`` (Neumaier 1974)."""
    rounded = total + value
    lost = (total - rounded) + value if abs(total) >= abs(value) else (value - rounded) + total
    lost = lost if abs(rounded) < inf else 0.0
    return rounded, error + lost
