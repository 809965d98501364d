"""bfloat16 and float16, held as 16-bit unsigned integers, to and from doubles, without branches.

A double is rounded to a multiple of its quantum by adding M = 2^52 quanta and reading how many the
sum counts: the addition rounds once, to nearest even. The quantum belongs to the exponent of the
value, but is at least that of the smallest normal half, which makes subnormal halves no exception;
and a count that fills the next binade carries into the exponent by itself.
"""

from math import isnan

import numba
import numpy as np

from lossary.kernels.vector_math.machine import (
    bits_of,
    double_from_single_bits,
    from_bits,
    magnitude,
    select,
    shifted_down,
    vectorisable,
)

SIGN = 0x8000
EXPONENT = 0x7FF << 52


@vectorisable
def sign_bit_of(x: float) -> int:
    """Return the sign of x where a half keeps it."""
    return shifted_down(bits_of(x), 48) & SIGN


@vectorisable
def counted(size: float, smallest_normal: float, rounder: int) -> tuple[int, int]:
    """Return the quanta in ``size`` and the exponent field; ``rounder`` is log2(M / 2^exponent)."""
    normal = select(size < smallest_normal, smallest_normal, size)
    exponent = bits_of(normal) & EXPONENT
    start = exponent + (rounder << 52)
    return bits_of(size + from_bits(start)) - start, exponent


@vectorisable
def float64_to_bfloat16(x: float) -> int:
    """Return the nearest bfloat16 (ties to even) as 16 bits: precision 8, exponents from -126."""
    size = magnitude(x)
    count, exponent = counted(select(size > 2.0**128, 2.0**128, size), 2.0**-126, 52 - 7)
    bits = count + shifted_down(exponent, 52 - 7) - ((1023 - 126) << 7)
    return numba.uint16(select(isnan(x), 0x7FC0, bits) | sign_bit_of(x))


@vectorisable
def float64_to_float16(x: float) -> int:
    """Return the nearest float16 (ties to even) as 16 bits: precision 11, exponents from -14."""
    size = magnitude(x)
    count, exponent = counted(select(size > 2.0**16, 2.0**16, size), 2.0**-14, 52 - 10)
    bits = count + shifted_down(exponent, 52 - 10) - ((1023 - 14) << 10)
    return numba.uint16(select(isnan(x), 0x7E00, bits) | sign_bit_of(x))


@vectorisable
def bfloat16_to_float64(bits: int) -> float:
    """Return the value of a bfloat16: the upper half of a float32."""
    return double_from_single_bits(np.int64(bits) << 16)


@vectorisable
def float16_to_float64(bits: int) -> float:
    """Return the value of a float16."""
    wide = np.int64(bits)
    size = (wide & 0x7FFF) << 42
    normal = from_bits(size + ((1023 - 15) << 52))
    # Read one exponent higher, a subnormal is 2^-14 too large, exactly.
    subnormal = from_bits(size + ((1023 - 14) << 52)) - 2.0**-14
    finite = select(size < (1 << 52), subnormal, normal)
    value = select(size < (31 << 52), finite, from_bits(size | EXPONENT))
    return from_bits(bits_of(value) | ((wide & SIGN) << 48))
