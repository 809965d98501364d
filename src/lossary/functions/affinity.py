"""Roots and powers of probabilities: Hellinger's distance, Bhattacharyya's, Tsallis' entropy."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf

from lossary.formula import Expression
from lossary.functions.alpha import alpha_gap
from lossary.functions.elementwise import log_ratio, power_complement
from lossary.functions.vectors import norm
from lossary.functions.vocabulary import (
    absolute,
    argpeak,
    is_class,
    log,
    log1p,
    named,
    peak,
    sqrt,
    total,
    weighted,
    where,
)

_TINY = 1e-290
"""From here to its inverse a ratio loses nothing to under- or overflow."""


def _ratio(x: Expression, y: Expression) -> Expression:
    """Return sqrt(x / y), 0 where x is."""
    return where(x == 0, 0, sqrt(x) / sqrt(where(x == 0, 1, y)))


@named(
    means=lambda x, y: sqrt(x * y),
    # Beside a 0 it is 0, and so is its slope.
    slope=lambda x, y: (_ratio(y, x) / 2, _ratio(x, y) / 2),
)
def geometric_mean(x: Expression, y: Expression) -> Expression:
    """The root of a product of numbers from 0, which may under- or overflow."""
    return sqrt(x) * sqrt(y)


@named(means=lambda x, y: sqrt(x) - sqrt(y))
def root_difference(x: Expression, y: Expression) -> Expression:
    """The difference of two roots, right also where they nearly agree."""
    return where(x == y, 0, (x - y) / (sqrt(x) + sqrt(y)))


@named(
    means=lambda x, y: (sqrt(x) - sqrt(y)) ** 2,
    # 1 less a ratio of roots, as a difference of roots over one.
    slope=lambda x, y: (_over_root(x, y), _over_root(y, x)),
)
def squared_root_difference(x: Expression, y: Expression) -> Expression:
    """The square of the difference of two roots."""
    return root_difference(x, y) * root_difference(x, y)


def _over_root(x: Expression, y: Expression) -> Expression:
    return where(y == 0, 1, root_difference(x, y) / sqrt(where(y == 0, 1, x)))


def _direction(x: Expression, y: Expression) -> Expression:
    length = root_distance(x, y)
    away = root_difference(x, y) / where(length == 0, 1, length) / sqrt(where(x == y, 1, x))
    return where(y == 0, 1 / length, where(x == y, 0, away)) / 2


@named(
    means=lambda x, y: sqrt(total((sqrt(x) - sqrt(y)) ** 2)),
    # Where both are 0 the root of one has no slope, and the square of that root is a number.
    slope=lambda x, y: (_direction(x, y), _direction(y, x)),
    shape="row",
)
def root_distance(x: Expression, y: Expression) -> Expression:
    """The length of the difference of the roots of two rows."""
    return norm(root_difference(x, y))


def _missing(p: Expression) -> Expression:
    """Return what a row of probabilities is short of 1: its likeliest entry may be 1."""
    return (1 - peak(p)) - total(where(is_class(argpeak(p)), 0, p))


@named(
    means=lambda p, q: 1 - total(sqrt(p * q)),
    # As for a geometric mean.
    slope=lambda p, q: (-_ratio(q, p) / 2, -_ratio(p, q) / 2),
    shape="row",
)
def affinity_gap(p: Expression, q: Expression) -> Expression:
    """1 less what two distributions have in common: squares, and what rounding left of 1."""
    return total(squared_root_difference(p, q)) / 2 + (_missing(p) + _missing(q)) / 2


@named(
    means=lambda p, q: log(total(sqrt(p * q))),
    # As for a geometric mean.
    slope=lambda p, q: (
        _ratio(q, p) / 2 / total(geometric_mean(p, q)),
        _ratio(p, q) / 2 / total(geometric_mean(p, q)),
    ),
    shape="row",
)
def log_affinity(p: Expression, q: Expression) -> Expression:
    """Logarithm of what two distributions have in common, right also where they nearly agree."""
    gap = affinity_gap(p, q)
    return where(gap < 0.5, log1p(-gap), log(total(geometric_mean(p, q))))


def _is_none(x: Expression, y: Expression) -> Expression:
    return (x == 0) & (y == 0)


def _per(x: Expression, y: Expression, power: Expression, whole: Expression) -> Expression:
    """Return a whole that goes with a power of x over x, 0 where there is nothing of both."""
    alone = where(_is_none(x, y), 0, x ** (power - 1))
    return power * where(x == 0, alone, whole / where(x == 0, 1, x))


@named(
    means=lambda x, y, a: x**a * y ** (1 - a),
    # As for a geometric mean.
    slope=lambda x, y, a: (
        _per(x, y, a, weighted_geometric_mean(x, y, a)),
        _per(y, x, 1 - a, weighted_geometric_mean(x, y, a)),
        weighted(weighted_geometric_mean(x, y, a), log_ratio(x, y)),
    ),
)
def weighted_geometric_mean(x: Expression, y: Expression, power: Expression) -> Expression:
    """x^a y^(1 - a) of two amounts, of which 1 - a would be rounded: y times a power of x / y."""
    ratio, root = x / y, sqrt(x) / sqrt(y)
    usable = (ratio > _TINY) & (ratio < 1 / _TINY) & (power <= 1)
    apart = (y * root**power) * root**power
    alone = where(_is_none(x, y), 0, x**power * y ** (1 - power))
    return where((x == 0) | (y == 0), alone, where(usable, y * ratio**power, apart))


@named(
    means=lambda p, q, a: 1 - total(p**a * q ** (1 - a)),
    # As for a geometric mean.
    slope=lambda p, q, a: tuple(-slope for slope in _weighted_slopes(p, q, a)),
    shape="row",
)
def weighted_affinity_gap(p: Expression, q: Expression, power: Expression) -> Expression:
    """1 less what two distributions have in common: divergences, and what rounding left of 1."""
    apart = weighted(power * (1 - power), total(alpha_gap(p, q, power)))
    return apart + (power * _missing(p) + (1 - power) * _missing(q))


def _weighted_slopes(p: Expression, q: Expression, a: Expression) -> tuple[Expression, ...]:
    both = weighted_geometric_mean(p, q, a)
    change = weighted(both, log_ratio(p, q))
    return _per(p, q, a, both), _per(q, p, 1 - a, both), total(change)


def _of_all(slope: Expression, whole: Expression) -> Expression:
    """Return a slope over what is in common, as it is where that is nothing or infinite."""
    return slope / where((whole > 0) & (whole < inf), whole, 1)


@named(
    means=lambda p, q, a: log(total(p**a * q ** (1 - a))),
    # As for a geometric mean.
    slope=lambda p, q, a: tuple(
        _of_all(slope, total(weighted_geometric_mean(p, q, a)))
        for slope in _weighted_slopes(p, q, a)
    ),
    shape="row",
)
def log_weighted_affinity(p: Expression, q: Expression, power: Expression) -> Expression:
    """Logarithm of what two distributions have in common, right also where they nearly agree."""
    gap = weighted_affinity_gap(p, q, power)
    near = absolute(gap) < 0.5
    return where(near, log1p(-gap), log(total(weighted_geometric_mean(p, q, power))))


@named(
    means=lambda p, q: 1 - total(p**q),
    # A sum of powers has no part that cancels.
    slope=lambda p, q: (-(q * p ** (q - 1)), -total(weighted(p**q, log(p)))),
    shape="row",
)
def power_sum_gap(p: Expression, power: Expression) -> Expression:
    """1 less the sum of powers of probabilities: p (1 - p^(q - 1)) is never taken from 1."""
    return total(weighted(p, power_complement(p, power - 1))) + _missing(p)
