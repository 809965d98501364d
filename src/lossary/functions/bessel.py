"""Modified Bessel functions of the first kind, scaled so that they do not overflow."""

from __future__ import annotations

from math import factorial

from lossary.formula import Expression
from lossary.functions.coefficients import COEFFICIENTS, polynomial
from lossary.functions.vocabulary import absolute, exp, maximum, minimum, named, sign, sqrt, where

_LARGE = 8.0
# I(x) = (x/2)^n sum of (x^2/4)^k / (k! (k + n)!), enough up to 8; no term cancels.
_ZEROTH = [1 / factorial(k) / factorial(k) for k in range(24)]
_FIRST = [1 / factorial(k) / factorial(k + 1) for k in range(24)]


def _far(name: str, size: Expression) -> Expression:
    large = maximum(size, _LARGE)
    return polynomial(COEFFICIENTS[name], 16 / large - 1) / sqrt(large)


@named(
    # The derivative of order 0 is that of order 1; the factor's is the rest.
    slope=lambda x: (i1e(x) - sign(x) * i0e(x),),
)
def i0e(x: Expression) -> Expression:
    """exp(-|x|) times the modified Bessel function of order 0."""
    size = absolute(x)
    half = minimum(size, _LARGE) / 2
    near = exp(-size) * polynomial(_ZEROTH, half * half)
    return where(size < _LARGE, near, _far("bessel of order 0", size))


@named(
    # A quotient by x, which has a limit at 0.
    slope=lambda x: (_first_slope(x),),
)
def i1e(x: Expression) -> Expression:
    """exp(-|x|) times the modified Bessel function of order 1."""
    size = absolute(x)
    half = minimum(size, _LARGE) / 2
    near = exp(-size) * (half * polynomial(_FIRST, half * half))
    return sign(x) * where(size < _LARGE, near, _far("bessel of order 1", size))


def _first_slope(x: Expression) -> Expression:
    size = absolute(x)
    quotient = where(size < 1e-9, 0.5, i1e(size) / where(size < 1e-9, 1, size))
    return i0e(size) - quotient - i1e(size)
