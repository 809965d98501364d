"""The same functions for values that have digits to spare: about half the time of the exact ones.

float32 and the half types are computed in doubles, and the results rounded to 24 bits or fewer. A
relative error of 2^-42 cannot be seen there, so these functions use shorter polynomials, one word
for ln 2 and no second word for anything. They are relative near their zeros, keep every infinity
and NaN, and differ from the exact ones only where no float32 is: log takes a subnormal double for
garbage, log1p holds below 2^1022, exp is 0 below -708.4, exp and expm1 are inf above 709.43, and a
zero may lose its sign. power and lgamma are for x >= 0 and give NaN below.
"""

from lossary.kernels.vector_math.plain import absolute, floor, maximum, minimum, sign, sqrt
from lossary.kernels.vector_math.spare_elementary import (
    exp,
    expm1,
    log,
    log1p,
    log1p_unit,
    power,
    tanh,
)
from lossary.kernels.vector_math.spare_special import erf, lgamma

__all__ = [
    "absolute",
    "erf",
    "exp",
    "expm1",
    "floor",
    "lgamma",
    "log",
    "log1p",
    "log1p_unit",
    "maximum",
    "minimum",
    "power",
    "sign",
    "sqrt",
    "tanh",
]
