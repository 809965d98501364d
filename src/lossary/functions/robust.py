"""Functions of an error that level off, or begin beyond a width."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from typing import Any

from lossary.formula import Expression
from lossary.functions.compensated import sum_of_three
from lossary.functions.vocabulary import (
    absolute,
    maximum,
    minimum,
    named,
    sign,
    where,
)


@named(
    means=lambda m, x, y, e: abs(x - y) - e,
    slope=lambda x, y, e: (sign(x - y), sign(y - x), -1 + 0 * e),
)
def excess(x: Expression, y: Expression, least: Expression) -> Expression:
    """|x - y| - least with one rounding."""
    return sum_of_three(maximum(x, y), -minimum(x, y), -least)


@named(
    means=lambda m, x, s: x**2 / (x**2 + s),
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
    means=lambda m, x: 1 - (1 - x**2) ** 3,
    slope=lambda x: (6 * x * ((1 - x) * (1 + x)) ** 2,),
)
def biweight(x: Expression) -> Expression:
    """1 - (1 - x^2)^3, right also near 0."""
    square = x * x
    return square * (3 - square * (3 - square))


def _symmetric_meaning(m: Any, x: Any, y: Any) -> Any:
    return abs(x - y) / (abs(x) + abs(y)) if x or y else m.mpf(0)


@named(
    means=_symmetric_meaning,
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
