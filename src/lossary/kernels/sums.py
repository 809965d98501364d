"""Sums, peaks and choices of the CPU kernels, for Numba.

Only ``lane_sum`` lets the compiler reorder, and only that one addition; a block of values is summed
so, and the sums of blocks are added with their rounding.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numba import float64, njit, types

from lossary.kernels.vector_math import FUNCTIONS
from lossary.kernels.vector_math.machine import instruction, select

add = FUNCTIONS["add"]


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
def block_peak(values: np.ndarray, n: int, scratch: np.ndarray) -> float:
    """Return the largest of the first n values; ``scratch`` has room for half of them.

    LLVM does not vectorise a running maximum without being told that there are no NaN, so the
    block is folded onto its half until little is left: 0.07 ns per float32 value where the running
    maximum, and ``values.max()``, take 0.5 ns (AVX-512, one thread).
    """
    half = n // 2
    for i in range(half):
        scratch[i] = select(values[i] > values[half + i], values[i], values[half + i])
    while half > 16:
        quarter = half // 2
        for i in range(quarter):
            upper = scratch[quarter + i]
            scratch[i] = select(scratch[i] > upper, scratch[i], upper)
        if half % 2:
            scratch[0] = max(scratch[0], scratch[half - 1])
        half = quarter
    highest = float64(values[n - 1]) if n % 2 else -inf
    for i in range(half):
        highest = max(highest, scratch[i])
    return highest


@njit(nogil=True, error_model="numpy", cache=True)
def first_place(values: np.ndarray, n: int, value: float) -> int:
    """Return where a value first stands."""
    for place in range(n):
        if values[place] == value:
            return place
    return 0


@njit(nogil=True, error_model="numpy", cache=True)
def block_total(sums: np.ndarray) -> float:
    """Return the sum of the sums of blocks, in their order."""
    total = error = 0.0
    for value in sums:
        total, error = add(total, error, value)
    return total + error
