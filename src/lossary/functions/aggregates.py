"""Sums over a named axis that a formula goes on to compute with: shares of a whole."""

from __future__ import annotations

from typing import Any

from lossary.domain import Axis
from lossary.formula import Expression
from lossary.functions.vocabulary import class_count, log, log1p, maximum, named, sqrt, total, where

_TINY = 1e-300
"""Sums below have slopes that overflow: these are large, never NaN."""


def mean(x: Any, over: Axis | None = None) -> Expression:
    """Mean along an axis; where positions have weights, the weighted one."""
    return total(x, over) / class_count()


@named(
    latex=r"1 - \frac{{{0}}}{{{1}}}",
    means=lambda m, part, whole, rest: 1 - part / whole if whole else m.nan,
    slope=lambda part, whole, rest: (-1 / whole, part / whole / whole, None),
)
def gap_to_whole(part: Expression, whole: Expression, rest: Expression) -> Expression:
    """1 - part / whole, where rest is whole - part, computed without cancellation."""
    return rest / whole


@named(
    latex=r"\log \frac{{{0}}}{{{1}}}",
    means=lambda m, part, whole, rest: m.log(part / whole) if part else -m.inf,
    slope=lambda part, whole, rest: (1 / maximum(part, _TINY), -1 / whole, None),
)
def log_share(part: Expression, whole: Expression, rest: Expression) -> Expression:
    """log(part / whole), where rest is whole - part, computed without cancellation."""
    return where(2 * rest < whole, log1p(-rest / whole), log(part / whole))


def _correlation(m: Any, tp: Any, fp: Any, fn: Any, tn: Any) -> Any:
    square = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / m.sqrt(square) if square else m.mpf(0)


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
    return tuple(where(root > 0, slope, 0) for slope in found)


@named(
    latex=r"1 - \frac{{{0} \, {3} - {1} \, {2}}}"
    r"{{\sqrt{{\left({0} + {1}\right) \left({0} + {2}\right) "
    r"\left({3} + {1}\right) \left({3} + {2}\right)}}}}",
    means=lambda m, tp, fp, fn, tn: 1 - _correlation(m, tp, fp, fn, tn),
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
    return where(root > 0, gap, 1)
