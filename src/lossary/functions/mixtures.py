"""Logarithms of weighted sums of exponentials and of probabilities: mixtures, labels with noise."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.carried import entry_at, sigmoid_of_rounded
from lossary.functions.elementwise import sigmoid, softplus
from lossary.functions.softmax import logsumexp, shortfall, softmax, spread
from lossary.functions.vocabulary import (
    absolute,
    argpeak,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    named,
    peak,
    total,
    weighted,
    where,
)


@named(
    means=lambda x, w: log(total(weighted(w, exp(x)))),
    # Exponentials may overflow; a weight of 0 has a slope.
    slope=lambda x, w: (softmax(x + log(w)), exp(x - weighted_logsumexp(x, w))),
    shape="row",
)
def weighted_logsumexp(x: Expression, weight: Expression) -> Expression:
    """log of a weighted sum of exponentials along the axis."""
    return logsumexp(x + log(weight))


def _shifted(x: Expression, by: Expression) -> Expression:
    """Return x plus numbers less their peak, beside which it would be lost."""
    return x - shortfall(by, peak(by))


@named(
    means=lambda x, y: log(total(softmax(y) * exp(x))),
    # Exponentials may overflow.
    slope=lambda x, y: (softmax(_shifted(x, y)), softmax(_shifted(x, y)) - softmax(y)),
    shape="row",
)
def log_mean_exp(x: Expression, y: Expression) -> Expression:
    """log of a mean of exponentials by the probabilities of a softmax, right also near 0."""
    _, rest = spread(y)
    less = total(weighted(softmax(y), expm1(minimum(x, 1))))
    near = (absolute(less) < 0.5) & (peak(x) < 1)
    return where(near, log1p(less), logsumexp(_shifted(x, y)) - log1p(rest))


_TINY = 1e-290
"""From here on a share keeps its digits."""


def _share(x: Expression, weight: Expression) -> Expression:
    return total(weighted(weight, softmax(x)))


def _share_slopes(x: Expression, w: Expression) -> tuple[Expression, ...]:
    share, above = _share(x, w), w - entry_at(w, argpeak(x))
    usable, whole = share > _TINY, where(share > _TINY, share, 1)
    near = softmax(x) * (above - total(softmax(x) * above)) / whole
    apart = softmax(_shifted(log(w), x)) - softmax(x)
    by_weight = where(usable, softmax(x) / whole, exp(x - weighted_logsumexp(x, w)))
    return where(usable, near, apart), by_weight


@named(
    means=lambda x, w: log(total(weighted(w, softmax(x)))),
    # A weight less the mean of all, taken from the likeliest on, where parts would cancel.
    slope=_share_slopes,
    shape="row",
)
def log_mixture(x: Expression, weight: Expression) -> Expression:
    """log of a mean of weights from 0 to 1 by the probabilities that a softmax gives them."""
    _, rest = spread(x)
    missing = total((1 - weight) * softmax(x))
    apart = logsumexp(_shifted(log(weight), x)) - log1p(rest)
    return where(missing < 0.5, log1p(-missing), apart)


def _inflated_slopes(z: Expression, x: Expression) -> tuple[Expression, ...]:
    own = sigmoid_of_rounded(x - z)
    return sigmoid_of_rounded(z - x) * (sigmoid(-z) * -expm1(x)), own


@named(
    means=lambda z, x: log(sigmoid(z) + (1 - sigmoid(z)) * exp(x)),
    # Shares of two exponentials, of which neither overflows.
    slope=_inflated_slopes,
)
def log_inflated(z: Expression, x: Expression) -> Expression:
    """log of a probability exp(x) that with probability sigmoid(z) is 1 instead."""
    missing = sigmoid(-z) * -expm1(x)
    apart = maximum(z, x) + softplus(-absolute(z - x)) - softplus(z)
    return where(missing < 0.5, log1p(-missing), apart)
