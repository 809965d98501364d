"""The machine words that elementary functions are written in, declared; each target spells them.

``float`` stands for the numbers of a format and ``int`` for their bits; ``formats`` has the
constants, ``coefficients`` the polynomials. A constant stands behind what it is added to: in front
of a tensor, Triton's interpreter would take the sum for a constant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Of1: TypeAlias = Callable[[float], float]
Of2: TypeAlias = Callable[[float, float], float]
Of3: TypeAlias = Callable[[float, float, float], float]

fused: Of3  # a b + c with one rounding
select: Callable[[bool, float, float], float]  # one of two, both computed and not both plain
clamped: Of3  # x moved between two plain numbers; NaN stays
bits_of: Callable[[float], int]
from_bits: Callable[[int], float]
shifted_down: Callable[[int, int], int]  # of bits without a sign, or the result is of no use
magnitude: Of1
rounded_down: Of1
square_root: Of1  # rounded correctly, of x >= 0
with_sign_of: Of2  # |x| with the sign of y
precise_log: Of1  # log as ``logarithm`` has it, also among the functions of ``spare``

tail_of_exp: Of1
series_of_log: Of1
series_of_power: Of1
near_zero: Of1
log_of_complement: Of1
around_two: Of1
stirling: Of1
sine: Of1

LOG2_E: float
LOG2_E_LOW: float
HALF_LOG2_E: float
LN2: float
LN2_HIGH: float
LN2_LOW: float
BIASED_ROUNDER: float
TWICE_BIASED_ROUNDER: float
HIGHEST: float
LOWEST: float
TINY: float
TINY_OF_TANH: float
FAR: float
FRACTION: int
SIGNIFICAND: int
BITS_OF_ROOT_HALF: int
CENTRING: int
BITS_OF_LARGE: int
LARGE_BIAS: float
REFLECTION: int
SMALLEST_NORMAL: float
SUBNORMAL_SHIFT: float
SUBNORMAL_SCALE: float
TWO_THIRDS: float
TWO_THIRDS_LOW: float
LARGEST_EXPONENT: float
