"""Identities of rows of which some entries count: their exponentials, means and shares."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression
from lossary.functions import (
    cross_entropy_of_any,
    cross_entropy_of_each,
    exp,
    log1p,
    log1p_of_sums,
    log_ratio,
    log_softmax,
    logsumexp,
    logsumexp_less_mean,
    maximum,
    mean_cross_entropy_of,
    total,
    where,
)
from lossary.identities.rules import identity


def _mean(condition: Expression, each: Expression) -> Expression:
    """Mean of some entries; 0 where there are none."""
    return total(where(condition, each, 0)) / maximum(total(_ones(condition)), 1)


def _ones(condition: Expression) -> Expression:
    return where(condition, 1, 0)


RIVALS = (
    identity(
        "exponentials of some entries",
        lambda X, m: total(where(m, exp(X), 0)),
        lambda X, m: total(exp(where(m, X, -inf))),
    ),
    identity(
        "exponentials of the other entries",
        lambda X, m: total(where(m, 0, exp(X))),
        lambda X, m: total(exp(where(m, -inf, X))),
    ),
    identity(
        "mean cross-entropy of some entries",
        lambda X, m: _mean(m, log_softmax(X)),
        lambda X, m: -mean_cross_entropy_of(X, _ones(m)),
    ),
    identity(
        "mean of some cross-entropies",
        lambda X, m: _mean(m, -log_softmax(X)),
        lambda X, m: mean_cross_entropy_of(X, _ones(m)),
    ),
    identity(
        "mean cross-entropy of entries of which there are some",
        lambda X, m: total(where(m, log_softmax(X), 0)) / total(where(m, 1, 0)),
        lambda X, m: -mean_cross_entropy_of(X, _ones(m)),
    ),
    identity(
        "any of some against others",
        lambda X, Y: log_ratio(total(exp(X)), total(exp(X) + exp(Y))),
        lambda X, Y: -cross_entropy_of_any(X, Y),
    ),
    identity(
        "odds of some against others",
        lambda X, Y: log1p(total(exp(Y)) / total(exp(X))),
        lambda X, Y: cross_entropy_of_any(X, Y),
    ),
    identity(
        "every pair of two rows, and one",
        lambda X, Y: log1p(total(exp(X)) * total(exp(Y))),
        lambda X, Y: log1p_of_sums(X, Y),
    ),
    identity(
        "each against others",
        lambda X, Y: log_ratio(exp(X), exp(X) + total(exp(Y))),
        lambda X, Y: -cross_entropy_of_each(X, Y),
    ),
    identity(
        "odds of each against others",
        lambda X, Y: log1p(total(exp(Y)) / exp(X)),
        lambda X, Y: cross_entropy_of_each(X, Y),
    ),
    identity(
        "mean of some beside the logarithm of a sum",
        lambda X, Y, m: logsumexp(Y) - _mean(m, X),
        lambda X, Y, m: logsumexp_less_mean(X, Y, _ones(m)),
    ),
)
