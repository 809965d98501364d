"""Elementary functions for Triton, in float32 and float64, with errors below about one ulp.

Triton's own ``exp`` of a float32 multiplies by log2(e) and asks the processor for 2^x: the rounding
of the product alone is worth up to 60 ulp. Its ``log1p``, ``expm1`` and ``tanh`` exist only where
CUDA's library does, so not in the interpreter. These are the algorithms of ``vector_math``, spelled
in what every Triton target has: fused multiply-adds and whole numbers.

Coefficients come from the fits of ``tests.remez``; those for float32 have a lower degree.
"""

from __future__ import annotations

from lossary.kernels.triton_math.exponential import exp, exp_of_half, expm1, tanh
from lossary.kernels.triton_math.logarithm import log, log1p, log1p_unit
from lossary.kernels.triton_math.plain import add, maximum, minimum, sign, sqrt
from lossary.kernels.triton_math.powers import power, power_of_positive

__all__ = [
    "add",
    "exp",
    "exp_of_half",
    "expm1",
    "log",
    "log1p",
    "log1p_unit",
    "maximum",
    "minimum",
    "power",
    "power_of_positive",
    "sign",
    "sqrt",
    "tanh",
]
