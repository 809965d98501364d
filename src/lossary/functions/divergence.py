"""Relative entropy of two rows of probabilities."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf
from typing import Any

from lossary.formula import Expression
from lossary.functions.elementwise import log_ratio
from lossary.functions.gaps import atanh_tail, exp_gap
from lossary.functions.softmax import log_softmax, logit_meaning, softmax
from lossary.functions.vocabulary import (
    Jacobian,
    absolute,
    exp,
    expm1,
    log,
    log1p,
    named,
    peak,
    total,
    weighted,
    where,
)


def _relative_entropy_meaning(m: Any, t: list[Any], p: list[Any]) -> Any:
    return m.fsum(
        (v * (m.log(v) - m.log(w)) if w else m.inf) for v, w in zip(t, p, strict=True) if v
    )


def _excess(t: Expression, p: Expression) -> Expression:
    """Return t log(t / p) - t + p, which is never negative, without cancellation near t = p."""
    gap = (t - p) / p
    s = gap / (2 + gap)
    near = 2 * p / (1 - s) * s * (log1p(gap) / 2 + s * s * atanh_tail(s * s))
    return where(2 * absolute(t - p) < p, near, weighted(t, log_ratio(t, p)) - (t - p))


@named(
    means=_relative_entropy_meaning,
    slope=lambda t, p: (where(p == 0, inf, log_ratio(t, p)) + 1, -weighted(t, 1 / p)),
    shape="row",
)
def relative_entropy(t: Expression, p: Expression) -> Expression:
    """Sum of t log(t / p): of terms that are not negative, and of the differences in mass."""
    return total(_excess(t, p)) + total(t - p)


@named(
    means=lambda m, t, x: t * (m.log(t) - x) if t else m.mpf(0),
    slope=lambda t, x: (where(x == -inf, inf, log(t) - x) + 1, -t),
)
def relative_nats(t: Expression, x: Expression) -> Expression:
    """t (log(t) - x) of a probability and a log-probability, 0 where the first is 0."""
    return weighted(t, log(t) - x)


@named(
    means=lambda m, t, x: m.exp(t) * (t - x) if t > -m.inf else m.mpf(0),
    slope=lambda t, x: (exp(t) + log_relative_entropy(t, x), -exp(t)),
)
def log_relative_entropy(t: Expression, x: Expression) -> Expression:
    """exp(t) (t - x) of log-probabilities, 0 where the first is without mass."""
    certain = (x == -inf) & (t > -inf)  # the mass of t may be too small for a number
    return where(certain, inf, weighted(exp(t), t - x))


def _logit_divergence_meaning(m: Any, y: list[Any], x: list[Any]) -> Any:
    p, q = logit_meaning(m, y), logit_meaning(m, x)
    return m.fsum(m.exp(-a) * (b - a) for a, b in zip(p, q, strict=True) if a != m.inf)


def _apart(y: Expression, x: Expression) -> tuple[Expression, Expression, Expression]:
    """Return y - x less its mean by softmax(y), how far rows are apart, and whether they are near.

    With u for the first, softmax(x) is softmax(y) exp(-u) / (1 + the second).
    """
    gap = y - x
    tilt = gap - total(weighted(softmax(y), gap))
    near = peak(absolute(tilt)) < 8
    return tilt, total(softmax(y) * exp_gap(where(near, -tilt, 0))), near


@named(
    means=_logit_divergence_meaning,
    slope=lambda y, x: (logit_tilt(y, x), softmax_difference(x, y)),
    shape="row",
)
def logit_divergence(y: Expression, x: Expression) -> Expression:
    """Relative entropy of softmax(y) to softmax(x), right also for rows that are nearly equal."""
    _, apart, near = _apart(y, x)
    far = total(log_relative_entropy(log_softmax(y), log_softmax(x)))
    return where(near, log1p(apart), far)


def _tilt_meaning(m: Any, y: list[Any], x: list[Any]) -> list[Any]:
    p, q = logit_meaning(m, y), logit_meaning(m, x)
    mean = _logit_divergence_meaning(m, y, x)
    return [
        m.exp(-a) * (b - a - mean) if a != m.inf else m.mpf(0) for a, b in zip(p, q, strict=True)
    ]


def _tilt_jacobian(y: Expression, x: Expression) -> Jacobian:
    p, tilt = softmax(y), logit_tilt(y, x)
    return Jacobian(p + tilt, ((-tilt, p), (-p, p + tilt)))


def _tilt_jacobian_of_other(y: Expression) -> Jacobian:
    p = softmax(y)
    return Jacobian(-p, ((p, p),))


@named(
    means=_tilt_meaning,
    slope=lambda y, x: (_tilt_jacobian(y, x), _tilt_jacobian_of_other(y)),
    shape="class",
)
def logit_tilt(y: Expression, x: Expression) -> Expression:
    """softmax(y) (log softmax(y) - log softmax(x) - their mean): the slope of logit_divergence."""
    tilt, _, near = _apart(y, x)
    far = log_softmax(y) - log_softmax(x) - logit_divergence(y, x)
    return weighted(softmax(y), where(near, tilt, far))


def _difference_meaning(m: Any, x: list[Any], y: list[Any]) -> list[Any]:
    p, q = logit_meaning(m, x), logit_meaning(m, y)
    return [m.exp(-a) - m.exp(-b) for a, b in zip(p, q, strict=True)]


def _softmax_jacobian(x: Expression, sign: int) -> Jacobian:
    p = softmax(x)
    return Jacobian(sign * p, ((sign * p, -p),))


@named(
    means=_difference_meaning,
    slope=lambda x, y: (_softmax_jacobian(x, 1), _softmax_jacobian(y, -1)),
    shape="class",
)
def softmax_difference(x: Expression, y: Expression) -> Expression:
    """softmax(x) - softmax(y), right also for rows that are nearly equal."""
    tilt, apart, near = _apart(y, x)
    close = softmax(y) * (expm1(where(near, -tilt, 0)) - apart) / (1 + apart)
    return where(near, close, softmax(x) - softmax(y))
