"""Relative entropy of two rows of probabilities."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf
from typing import Any

from lossary.formula import Expression
from lossary.functions.elementwise import log_ratio
from lossary.functions.vocabulary import absolute, exp, log, log1p, named, total, weighted, where


def _relative_entropy_meaning(m: Any, t: list[Any], p: list[Any]) -> Any:
    return m.fsum(
        (v * (m.log(v) - m.log(w)) if w else m.inf) for v, w in zip(t, p, strict=True) if v
    )


def _atanh_tail(square: Expression) -> Expression:
    """Return the sum of square^k / (2 k + 3): (atanh s - s) / s^3, enough for |s| < 1/3."""
    tail: Any = 1 / 37
    for k in range(16, -1, -1):
        tail = 1 / (2 * k + 3) + square * tail
    return tail


def _excess(t: Expression, p: Expression) -> Expression:
    """Return t log(t / p) - t + p, which is never negative, without cancellation near t = p."""
    gap = (t - p) / p
    s = gap / (2 + gap)
    near = 2 * p / (1 - s) * s * (log1p(gap) / 2 + s * s * _atanh_tail(s * s))
    return where(2 * absolute(t - p) < p, near, weighted(t, log_ratio(t, p)) - (t - p))


@named(
    latex=r"\sum_c {0}_c \log\frac{{{0}_c}}{{{1}_c}}",
    means=_relative_entropy_meaning,
    slope=lambda t, p: (where(p == 0, inf, log_ratio(t, p)) + 1, -weighted(t, 1 / p)),
    shape="row",
)
def relative_entropy(t: Expression, p: Expression) -> Expression:
    """Sum of t log(t / p): of terms that are not negative, and of the differences in mass."""
    return total(_excess(t, p)) + total(t - p)


@named(
    latex=r"{0} \left(\log {0} - {1}\right)",
    means=lambda m, t, x: t * (m.log(t) - x) if t else m.mpf(0),
    slope=lambda t, x: (where(x == -inf, inf, log(t) - x) + 1, -t),
)
def relative_nats(t: Expression, x: Expression) -> Expression:
    """t (log(t) - x) of a probability and a log-probability, 0 where the first is 0."""
    return weighted(t, log(t) - x)


@named(
    latex=r"e^{{{0}}} \left({0} - {1}\right)",
    means=lambda m, t, x: m.exp(t) * (t - x) if t > -m.inf else m.mpf(0),
    slope=lambda t, x: (exp(t) + log_relative_entropy(t, x), -exp(t)),
)
def log_relative_entropy(t: Expression, x: Expression) -> Expression:
    """exp(t) (t - x) of log-probabilities, 0 where the first is without mass."""
    certain = (x == -inf) & (t > -inf)  # the mass of t may be too small for a number
    return where(certain, inf, weighted(exp(t), t - x))
