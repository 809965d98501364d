"""Functions of an error that level off, or begin beyond a width."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from lossary.formula import Expression, constant
from lossary.functions.compensated import sum_of_three
from lossary.functions.vocabulary import (
    absolute,
    maximum,
    minimum,
    named,
    sign,
    weighted,
    where,
)


@named(
    means=lambda x, y, e: absolute(x - y) - e,
    # sign(y - x), whose negative would stand in second derivatives.
    slope=lambda x, y, e: (sign(x - y), sign(y - x), constant(-1)),
)
def excess(x: Expression, y: Expression, least: Expression) -> Expression:
    """|x - y| - least with one rounding."""
    return sum_of_three(maximum(x, y), -minimum(x, y), -least)


@named(
    means=lambda x, s: x**2 / (x**2 + s),
    # The square may overflow.
    slope=lambda x, s: (
        where(absolute(x) < 1, 2 * s * x / (x * x + s) / (x * x + s), 2 * s / x / _sum(x, s) ** 2),
        -where(absolute(x) < 1, (x / (x * x + s)) ** 2, 1 / _sum(x, s) ** 2),
    ),
)
def square_share(x: Expression, scale: Expression) -> Expression:
    """x^2 / (x^2 + scale) for a scale above 0, whose square may overflow."""
    return where(absolute(x) < 1, x * x / (x * x + scale), x / _sum(x, scale))


def _sum(x: Expression, scale: Expression) -> Expression:
    return x + scale / x


@named(
    means=lambda x: 1 - (1 - x**2) ** 3,
    # 1 - x^2 would cancel near 1.
    slope=lambda x: (6 * x * ((1 - x) * (1 + x)) ** 2,),
)
def biweight(x: Expression) -> Expression:
    """1 - (1 - x^2)^3, right also near 0."""
    square = x * x
    return square * (3 - square * (3 - square))


@named(
    means=lambda x, y: weighted(absolute(x - y), 1 / (absolute(x) + absolute(y))),
    # A difference of quotients would cancel; 0 at two zeros.
    slope=lambda x, y: (_symmetric_slope(x, y), _symmetric_slope(y, x)),
)
def symmetric_error(x: Expression, y: Expression) -> Expression:
    """|x - y| / (|x| + |y|), 0 for two zeros; large numbers are halved: no sum overflows."""
    large = maximum(absolute(x), absolute(y)) > 1
    a, b = where(large, x / 2, x), where(large, y / 2, y)
    return where((x == 0) & (y == 0), 0, absolute(a - b) / (absolute(a) + absolute(b)))


def _symmetric_slope(x: Expression, y: Expression) -> Expression:
    size = absolute(x) + absolute(y)  # numbers of unlike sign are 1 apart, wherever they are
    return where(sign(x) * sign(y) > 0, 2 * sign(x - y) * (absolute(y) / size / size), 0)
