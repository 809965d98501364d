"""Sums, peaks and choices of the CPU kernels, for Numba.

A sum in float64 cannot be reordered by the compiler, so the loops spell out 16 lanes: they
vectorise, and the result depends neither on the width of the vectors nor on the threads.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numba import njit

__all__ = ["add", "block_peak", "block_sum", "both", "either", "first_place", "select"]

_LANES = 16


@njit(forceinline=True)
def select(condition, x, y):
    """X where the condition holds, else y."""
    return x if condition else y


@njit(forceinline=True)
def both(x, y):
    """Whether both hold; unlike ``and`` it does not branch."""
    return x & y


@njit(forceinline=True)
def either(x, y):
    """Whether one holds; unlike ``or`` it does not branch."""
    return x | y


@njit(nogil=True, error_model="numpy", cache=True)
def block_sum(values, n):
    """Sum the first n values in 16 lanes."""
    lanes = np.zeros(_LANES)
    whole = n // _LANES * _LANES
    for start in range(0, whole, _LANES):
        for lane in range(_LANES):
            lanes[lane] += values[start + lane]
    for place in range(whole, n):
        lanes[place - whole] += values[place]
    half = _LANES // 2
    while half:
        for lane in range(half):
            lanes[lane] += lanes[lane + half]
        half //= 2
    return lanes[0]


@njit(nogil=True, error_model="numpy", cache=True)
def block_peak(values, n):
    """Return the largest of the first n values."""
    lanes = np.full(_LANES, -inf)
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
def first_place(values, n, value):
    """Return where a value first stands."""
    for place in range(n):
        if values[place] == value:
            return place
    return 0


@njit(forceinline=True)
def add(total, error, value):
    """Add a value, with the rounding kept in ``error`` (Neumaier 1974)."""
    rounded = total + value
    lost = (total - rounded) + value if abs(total) >= abs(value) else (value - rounded) + total
    lost = lost if abs(rounded) < inf else 0.0
    return rounded, error + lost
