"""The constants of each format that the functions calculate in: doubles, and float32."""

from __future__ import annotations

from math import inf
from typing import Any

LOG2_E = 1.4426950408889634


def constants(fraction: int, bias: int, **own: float) -> dict[str, Any]:
    """Return what follows from the bits of a fraction and the bias of exponents, and the rest."""
    # Adding 1.5 2^fraction leaves the nearest whole number in the low bits of the sum; with a bias
    # added to it, these low bits are the exponent of a number with no further addition.
    rounder = 1.5 * 2.0**fraction
    one = bias << fraction
    # sqrt(1/2) has the fraction of sqrt(2), one exponent lower.
    root_half = one - (1 << fraction) + int((2**0.5 - 1) * 2.0**fraction)
    return {
        "inf": inf,
        "LOG2_E": LOG2_E,
        "HALF_LOG2_E": LOG2_E / 2,
        "LN2": 0.6931471805599453,
        "BIASED_ROUNDER": rounder + bias,
        "TWICE_BIASED_ROUNDER": rounder + 2 * bias,
        # Below this size e^x - 1 is x.
        "TINY": 2.0 ** -(fraction + 2),
        "FRACTION": fraction,
        "SIGNIFICAND": (1 << fraction) - 1,
        "BITS_OF_ROOT_HALF": root_half,
        "CENTRING": one - root_half,
        # A small whole number in the low bits of 2^fraction is added to it.
        "BITS_OF_LARGE": (bias + fraction) << fraction,
        "LARGE_BIAS": 2.0**fraction + bias,
        # The bits of 2^-e are those of REFLECTION minus the exponent field of 2^e.
        "REFLECTION": 2 * bias << fraction,
        "SMALLEST_NORMAL": 2.0 ** (1 - bias),
        "SUBNORMAL_SHIFT": float(fraction + 2),
        "SUBNORMAL_SCALE": 2.0 ** (fraction + 2),
        **own,
    }


DOUBLE = constants(
    52,
    1023,
    # ln 2 = LN2_HIGH + LN2_LOW to 2^-102. LN2_HIGH ends after 42 bits, so that k LN2_HIGH is exact.
    LN2_HIGH=0.6931471805598903,
    LN2_LOW=5.497923018708371e-14,
    # e^x overflows above 709.79 and is below half the smallest double below -745.14.
    HIGHEST=710.0,
    LOWEST=-746.0,
    # tanh(x) is 1 above FAR, and x below TINY_OF_TANH.
    FAR=20.0,
    TINY_OF_TANH=2.0**-28,
    TWO_THIRDS=2 / 3,
    TWO_THIRDS_LOW=3.700743415417188e-17,
    # Beyond this every power of a number other than 1 over- or underflows; finite, so that 1^inf
    # is 1.
    LARGEST_EXPONENT=2.0**1000,
)
SINGLE = constants(
    23,
    127,
    LOG2_E_LOW=1.925963033500919e-08,  # beyond the digits of a float32
    LN2_HIGH=0.693145751953125,
    LN2_LOW=1.428606765330187e-06,
    HIGHEST=89.0,
    LOWEST=-104.0,
    FAR=10.0,
    TINY_OF_TANH=2.0**-12,
    TWO_THIRDS=0.6666666865348816,
    TWO_THIRDS_LOW=-1.9868215517249155e-08,
    LARGEST_EXPONENT=2.0**123,
)
