"""Sums over a named axis that a formula goes on to compute with: shares of a whole."""

from __future__ import annotations

from typing import Any

from lossary.domain import Axis
from lossary.formula import Expression
from lossary.functions.vocabulary import (
    class_count,
    log,
    log1p,
    maximum,
    minimum,
    named,
    sqrt,
    total,
    weighted,
    where,
)

_TINY = 1e-300
"""Sums below have slopes that overflow: these are large, never NaN."""
_NORMAL = 2.2250738585072014e-308
"""The smallest number whose inverse, and four times it, are numbers."""


def mean(x: Any, over: Axis | None = None, within: Any = None) -> Expression:
    """Mean along an axis; where positions have weights, the weighted one.

    With within= it is, for each member, the mean of those of the same group.
    """
    if within is not None:
        return total(x, over, within=within) / total(1, within=within)
    return total(x, over) / class_count()


@named(
    means=lambda part, rest: rest / (part + rest),
    # Each quotient by itself: a square of the sum may under- or overflow, and so may its inverse.
    slope=lambda part, rest: (
        -(rest / (part + rest)) / maximum(part + rest, _NORMAL),
        part / (part + rest) / maximum(part + rest, _NORMAL),
    ),
)  # fmt: skip
def rest_share(part: Expression, rest: Expression) -> Expression:
    """What is missing of a whole: 1 - part / (part + rest), where nothing cancels."""
    return rest / (part + rest)


@named(
    means=lambda part, rest: weighted(part, 1 / (part + rest)),
    # Each quotient by itself, as above; 0 of 0 and 0.
    slope=lambda part, rest: (
        rest / _whole(part, rest) / _whole(part, rest),
        -(part / _whole(part, rest)) / _whole(part, rest),
    ),
)  # fmt: skip
def share(part: Expression, rest: Expression) -> Expression:
    """The part of a whole, part / (part + rest); no part of nothing is 0."""
    return part / _whole(part, rest)


def _whole(part: Expression, rest: Expression) -> Expression:
    return where(part + rest == 0, 1, part + rest)


@named(
    means=lambda part, rest: log(part / (part + rest)),
    # Rest / part / whole, where a part of 0 gives a large number rather than NaN.
    slope=lambda part, rest: (
        rest / (part + rest) / maximum(part, _TINY), -1 / (part + rest),
    ),
)  # fmt: skip
def log_share(part: Expression, rest: Expression) -> Expression:
    """log(part / (part + rest)), right also where the rest is small."""
    return where(rest < part, -log1p(rest / part), log(part / (part + rest)))


@named(
    means=lambda x, degree: x ** (1 / degree),
    # 0 at 0, where the root of a sum of sizes has its kink.
    slope=lambda x, degree: (
        where(x > 0, root(x, degree) / x / degree, 0),
        where(x > 0, -root(x, degree) * log(x) / degree / degree, 0),
    ),
)
def root(x: Expression, degree: Expression) -> Expression:
    """The root of a number from 0; its slope at 0 is 0, as that of a length."""
    return x ** (1 / degree)


_LEAST, _MOST = 1e-150, 1e100
"""What slopes of a power are bounded by: differences of them are taken, which are no NaN then."""


@named(
    means=lambda part, whole, power: (part / whole) ** power,
    # Large where it overflows, never NaN: see above.
    slope=lambda part, whole, power: (
        minimum(power, _MOST) * share_power(part, whole, power) / maximum(part, _LEAST),
        -(minimum(power, _MOST) * share_power(part, whole, power)) / maximum(whole, _LEAST),
        weighted(share_power(part, whole, power), log(part / whole)),
    ),
)
def share_power(part: Expression, whole: Expression, power: Expression) -> Expression:
    """A power of a share of at most 1."""
    return (part / whole) ** power


def _root(tp: Expression, fp: Expression, fn: Expression, tn: Expression) -> Expression:
    """The root of the product of the four sums, each by itself: nothing overflows."""
    return sqrt(tp + fp) * sqrt(tp + fn) * sqrt(tn + fp) * sqrt(tn + fn)


def _matthews_slope(
    tp: Expression, fp: Expression, fn: Expression, tn: Expression
) -> tuple[Expression, ...]:
    root = _root(tp, fp, fn, tn)
    half = (tp * tn - fp * fn) / root / 2
    predicted, real, negative, unseen = (
        1 / maximum(size, _TINY) for size in (tp + fp, tp + fn, tn + fp, tn + fn)
    )
    found = (
        half * (predicted + real) - tn / root,
        half * (predicted + negative) + fn / root,
        half * (real + unseen) + fp / root,
        half * (negative + unseen) - tp / root,
    )
    return tuple(where(root == 0, 0, slope) for slope in found)


@named(
    means=lambda tp, fp, fn, tn: (
        1 - (tp * tn - fp * fn) / sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    ),
    # 0 where a sum is 0, and no product of the four sums, which may overflow.
    slope=_matthews_slope,
)
def matthews_gap(tp: Expression, fp: Expression, fn: Expression, tn: Expression) -> Expression:
    """1 minus the correlation of two ways to say yes or no; 1 where one of them says one thing.

    With S the product of the four sums and N = tp tn - fp fn, S - N^2 is a sum of positive terms.
    """
    root = _root(tp, fp, fn, tn)
    correlation = (tp * tn - fp * fn) / root
    right, wrong = (tp * tn + fp * fn) / root, (tp + tn) * (fp + fn) / root
    mixed = (tp * fn + fp * tn) / root * ((tp * fp + fn * tn) / root)
    apart = 4 * (tp * tn / root) * (fp * fn / root) + right * wrong + mixed
    gap = where(correlation > 0, apart / (1 + correlation), 1 - correlation)
    return where(root == 0, 1, gap)
