"""Elementary functions of one double that vectorise inside a Numba loop.

Numba calls the C library for ``math.exp`` and its kin, element by element. These functions are
straight lines of arithmetic, so that LLVM runs a loop over them with whatever vectors the processor
has (AVX2, AVX-512, NEON), and their errors are stated and tested in units in the last place.
"""

from lossary.kernels.vector_math.error_function import erf
from lossary.kernels.vector_math.exponential import exp, expm1, tanh
from lossary.kernels.vector_math.gamma import lgamma
from lossary.kernels.vector_math.halves import (
    bfloat16_to_float64,
    float16_to_float64,
    float64_to_bfloat16,
    float64_to_float16,
)
from lossary.kernels.vector_math.logarithm import log, log1p
from lossary.kernels.vector_math.plain import absolute, floor, maximum, minimum, sign, sqrt
from lossary.kernels.vector_math.powers import power, power_plain

__all__ = [
    "absolute",
    "bfloat16_to_float64",
    "erf",
    "exp",
    "expm1",
    "float16_to_float64",
    "float64_to_bfloat16",
    "float64_to_float16",
    "floor",
    "lgamma",
    "log",
    "log1p",
    "maximum",
    "minimum",
    "power",
    "power_plain",
    "sign",
    "sqrt",
    "tanh",
]
