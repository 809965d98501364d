"""The incomplete gamma function: how much of a gamma distribution lies below a number, or above.

Both sides come of the smaller one. Below 1, and below 16 where that is the lower side, it is the
power series, whose terms have one sign. Elsewhere it is an integral away from the boundary, as
x e^s with s > 0 for the upper side and s < 0 for the lower one: the density at the boundary times
the integral of exp(-x (e^s - 1 - s) - |x - a| |s|), whose exponent is a sum of one sign for all
shapes a. So no asymptotic expansion is needed for large shapes.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import pi as number_pi
from typing import Any

from lossary.formula import Expression
from lossary.functions.gamma_function import digamma, lgamma, stirling_gap
from lossary.functions.gaps import exp_gap
from lossary.functions.quadrature import NATS, integral, root
from lossary.functions.ratios import rate_divergence
from lossary.functions.vocabulary import (
    NoSlope,
    absolute,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    named,
    sqrt,
    weighted,
    where,
)

BY_ROOT_2_PI = (2 * number_pi) ** -0.5
_NEAR, _TERMS = 16.0, 42  # beside shapes above 16 terms up to x = 16 fall below 2^-53 of the first
_FEW, _GONE = 4.0, 800.0  # exp(-800) is 0, also times x^4
_MOST = 1e300  # beside which a product with an infinite number has no value

SHAPE = NoSlope("a slope in its shape has no closed form")


def power_over_gamma(a: Expression, x: Expression) -> Expression:
    """Return x^a e^-x / Gamma(a), in factors for small shapes and by Stirling's formula above."""
    low, high, near = minimum(a, _FEW), maximum(a, _FEW), minimum(x, _GONE)
    few = low * near**low * exp(-lgamma(low + 1)) * exp(-near)
    many = exp(-rate_divergence(high, x) - stirling_gap(high)) * (sqrt(high) * BY_ROOT_2_PI)
    return where(a <= _FEW, few, many)


@named(
    means=lambda a, x: exp(weighted(a - 1, log(x)) - x - lgamma(a)),
    # Of a product; at 0 a power may be infinite.
    slope=lambda a, x: (
        gamma_density(a, x) * (log(x) - digamma(a)),
        gamma_density(a, x) * ((a - 1) / x - 1),
    ),
)
def gamma_density(shape: Expression, x: Expression) -> Expression:
    """Density of a gamma distribution of rate 1."""
    tiny = x < 1e-300
    found = power_over_gamma(shape, x) / where(tiny, 1, x)
    least = where(shape == 1, 1, x ** (shape - 1) * exp(-lgamma(shape)))
    return where(tiny, least, found)


def _series(a: Expression, x: Expression) -> Expression:
    """Return the sum of x^k / (a (a + 1) ... (a + k))."""
    near = minimum(x, _NEAR)
    found: Any = 1
    for k in range(_TERMS, 0, -1):
        found = 1 + near / (a + k) * found
    return found / a


def _to_infinity(a: Expression, x: Expression) -> Expression:
    """Return the integral away from the boundary, on the side that has less."""
    large = maximum(x, 1)
    below, apart = x < a, absolute(large - a)
    # e^-s - 1 + s is above s^2 / (2 + s), and e^s - 1 - s above s^2 / 2 and e^s - 1 - sqrt(2 c)
    # as long as it is below c.
    near = root(where(below, large + apart, large) / 2, apart - where(below, NATS / 2, 0), NATS)
    height = NATS / large
    far = log1p(height + minimum(sqrt(2 * height), log1p(height + sqrt(2 * height))))
    length = where(below, near, minimum(near, far))
    turn = where(below, -1, 1)
    return integral(lambda s: large * exp_gap(turn * s) + apart * s, length)


def _smaller(a: Expression, x: Expression) -> tuple[Expression, Expression]:
    """Return whether the lower side is the one that is computed, and the side that is."""
    x = minimum(x, _MOST)
    series = (x < 1) | ((x < a) & (x < _NEAR))
    found = where(series, _series(a, x), _to_infinity(a, x))
    # Beside a weight of 0 a part may be infinite.
    return series | (x < a), weighted(power_over_gamma(a, x), found)


@named(
    # A density; in the shape nobody has a closed form.
    slope=lambda a, x: (SHAPE, gamma_density(a, x)),
)
def gammainc(shape: Expression, x: Expression) -> Expression:
    """Regularised lower incomplete gamma function: what lies below x, at least 0, of a gamma."""
    lower, side = _smaller(shape, x)
    return where(lower, side, 1 - side)


@named(
    # As that of gammainc.
    slope=lambda a, x: (SHAPE, -gamma_density(a, x)),
)
def gammaincc(shape: Expression, x: Expression) -> Expression:
    """1 - gammainc(shape, x), right also where that is tiny and x at least 1."""
    lower, side = _smaller(shape, x)
    return where(lower, 1 - side, side)
