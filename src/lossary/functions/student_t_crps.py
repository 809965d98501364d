"""The continuous ranked probability score of a Student's t, for more than one degree of freedom.

As that of a normal distribution it is the score at the middle and two parts beyond, of which the
positive one is the larger.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from lossary.formula import Expression, constant
from lossary.functions.incomplete_beta import betainc, side_share
from lossary.functions.incomplete_gamma import SHAPE
from lossary.functions.likelihoods import student_t_constant, student_t_constant_change
from lossary.functions.quadrature import average
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log1p,
    maximum,
    minimum,
    named,
    sign,
    sqrt,
    where,
)

_FAR = 1e150  # whose square is a number
_MOST = 1e300


def _units(x: Expression, y: Expression, scale: Expression) -> Expression:
    return maximum(minimum((x - y) / scale, _FAR), -_FAR)


def _density(z: Expression, v: Expression) -> Expression:
    """Return twice the density for a scale of 1."""
    return 2 * exp(-student_t_constant(v) - (v + 1) / 2 * log1p(z / v * z))


def _moment(x: Expression, y: Expression, s: Expression, v: Expression, power: int) -> Expression:
    """Return twice the density times a power of z, over the scale."""
    z = _units(x, y, s)
    found = _density(z, v)
    for _ in range(power):
        found = z * found
    return found / s


def _held(x: Expression, y: Expression, s: Expression, v: Expression) -> Expression:
    z = (x - y) / s
    return betainc(constant(0.5), v / 2, z**2 / (v + z**2))


def _height(v: Expression) -> Expression:
    """Return twice the density in the middle times v / (v - 1)."""
    return 2 * v * exp(-student_t_constant(v)) / (v - 1)


def _gone(x: Expression, y: Expression, s: Expression, v: Expression) -> Expression:
    """Return (1 + z^2 / v)^((1 - v) / 2) - 1."""
    z = _units(x, y, s)
    return expm1((1 - v) / 2 * log1p(z / v * z))


def _apart(v: Expression) -> Expression:
    """Return half the mean distance of two numbers, over the height."""
    return exp(student_t_constant(2 * v - 1) - student_t_constant(v)) * sqrt(v / (2 * v - 1))


def _least(v: Expression) -> Expression:
    """Return the score at the middle, for a scale of 1."""
    few = minimum(v, _MOST)
    # Of 1 - sqrt(v / (2 v - 1)) there is a quotient.
    root = sqrt(few / (2 * few - 1))
    missing = (few - 1) / (2 * few - 1) / (1 + root)
    return _height(few) * (missing - root * expm1(student_t_constant_change(few)))


def _crps_meaning(x: Expression, y: Expression, s: Expression, v: Expression) -> Expression:
    z = (x - y) / s
    height = _height(v) * ((1 + z**2 / v) ** ((1 - v) / 2) - _apart(v))
    return s * (absolute(z) * _held(x, y, s, v) + height)


@named(
    means=_crps_meaning,
    # Derivatives of the whole, of which most parts cancel.
    slope=lambda x, y, s, v: (
        student_t_crps_slope(x, y, s, v),
        -student_t_crps_slope(x, y, s, v),
        student_t_crps_scale_slope(x, y, s, v),
        SHAPE,
    ),
)
def student_t_crps(
    x: Expression, y: Expression, scale: Expression, freedom: Expression
) -> Expression:
    """CRPS of a Student's t with more than one degree of freedom."""
    beyond = absolute(x - y) * absolute(student_t_crps_slope(x, y, scale, freedom))
    return beyond + scale * student_t_crps_scale_slope(x, y, scale, freedom)


@named(
    means=lambda x, y, s, v: sign((x - y) / s) * _held(x, y, s, v),
    # Far out a density of 0 meets an infinite quotient.
    slope=lambda x, y, s, v: (
        _moment(x, y, s, v, 0),
        -_moment(x, y, s, v, 0),
        -_moment(x, y, s, v, 1),
        SHAPE,
    ),
)
def student_t_crps_slope(
    x: Expression, y: Expression, scale: Expression, freedom: Expression
) -> Expression:
    """The slope of student_t_crps in x: the probability between -z and z, with the sign of z."""
    z, v = _units(x, y, scale), freedom
    inner = maximum(minimum(z, 1), -1)
    near = inner * average(lambda share: _density(inner * share, v))
    square = z * z
    beyond = side_share(v / 2, constant(0.5), v / (v + square), square / (v + square))
    return where(absolute(z) < 1, near, where(z < 0, beyond - 1, 1 - beyond))


@named(
    means=lambda x, y, s, v: (
        _height(v) * ((1 + ((x - y) / s) ** 2 / v) ** ((1 - v) / 2) - _apart(v))
    ),
    # As that of student_t_crps_slope.
    slope=lambda x, y, s, v: (
        -_moment(x, y, s, v, 1),
        _moment(x, y, s, v, 1),
        _moment(x, y, s, v, 2),
        SHAPE,
    ),
)
def student_t_crps_scale_slope(
    x: Expression, y: Expression, scale: Expression, freedom: Expression
) -> Expression:
    """The slope of student_t_crps in the scale."""
    few = minimum(freedom, _MOST)
    return _least(few) + _height(few) * _gone(x, y, scale, few)
