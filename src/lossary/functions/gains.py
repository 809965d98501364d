"""Gains and discounts of ranking: 2^y - 1 for a relevance y, 1 / log(1 + r) at place r."""

from __future__ import annotations

from math import log as log_of

from lossary.formula import Expression
from lossary.functions.vocabulary import (
    absolute,
    expm1,
    floor,
    log1p,
    maximum,
    minimum,
    named,
    where,
)

_LOG_2 = log_of(2)


@named(
    means=lambda y, t: 2**y / 2**t,
    # Both powers may overflow.
    slope=lambda y, t: (_LOG_2 * exp2_over(y, t), -_LOG_2 * exp2_over(y, t)),
)
def exp2_over(y: Expression, t: Expression) -> Expression:
    """2^y over 2^t; a whole part of y moves the binary point, and costs no digit."""
    whole = floor(y)
    return 2 ** (y - whole) * 2 ** (whole - t)


@named(
    means=lambda y, t: (2**y - 1) / 2**t,
    # Both powers may overflow.
    slope=lambda y, t: (_LOG_2 * exp2_over(y, t), -_LOG_2 * gain_over(y, t)),
)
def gain_over(y: Expression, t: Expression) -> Expression:
    """The gain of a relevance over 2^t: with t near the largest relevance it is finite."""
    return where(y < 1, expm1(_LOG_2 * y) * 2**-t, exp2_over(y, t) - 2**-t)


@named(
    means=lambda y, z, t: (2**y - 2**z) / 2**t,
    # All powers may overflow.
    slope=lambda y, z, t: (
        _LOG_2 * exp2_over(y, t),
        -_LOG_2 * exp2_over(z, t),
        -_LOG_2 * gain_difference_over(y, z, t),
    ),
)
def gain_difference_over(y: Expression, z: Expression, t: Expression) -> Expression:
    """The difference of the gains of two relevances over 2^t."""
    near = exp2_over(z, t) * expm1(_LOG_2 * (y - z))
    return where(absolute(y - z) < 1, near, exp2_over(y, t) - exp2_over(z, t))


@named(means=lambda place, further: abs(1 / log1p(place) - 1 / log1p(further)))
def discount_distance(place: Expression, further: Expression) -> Expression:
    """How far the discounts of two places lie apart, as the logarithm of a ratio."""
    low, high = minimum(place, further), maximum(place, further)
    return log1p((high - low) / (1 + low)) / absolute(log1p(place) * log1p(further))
