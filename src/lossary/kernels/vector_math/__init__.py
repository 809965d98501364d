"""Elementary functions of one double that vectorise inside a Numba loop.

Numba calls the C library for ``math.exp`` and its kin, element by element; these functions are
straight lines of arithmetic.
"""

from lossary.kernels.elementary import (
    error_function,
    exponential,
    gamma,
    logarithm,
    plain,
    powers,
    spelled,
)
from lossary.kernels.vector_math.halves import (
    bfloat16_to_float64,
    float16_to_float64,
    float64_to_bfloat16,
    float64_to_float16,
)
from lossary.kernels.vector_math.machine import DOUBLES, vectorisable

__all__ = [
    "FUNCTIONS",
    "bfloat16_to_float64",
    "float16_to_float64",
    "float64_to_bfloat16",
    "float64_to_float16",
]

_MODULES = (plain, exponential, logarithm, powers, error_function, gamma)

FUNCTIONS = spelled(__name__, _MODULES, DOUBLES.words(), vectorisable)
globals().update(FUNCTIONS)
