"""Entries of a row against rivals: which of them count is said by -inf, and by a row of 0 and 1.

A sum over nothing is 0 and its logarithm -inf; a mean over nothing is 0.
"""

from __future__ import annotations

from math import inf

from lossary.formula import Expression, constant
from lossary.functions.carried import entry_at, exp_of_rounded, made_good
from lossary.functions.compensated import rounding, sum_error
from lossary.functions.elementwise import sigmoid, softplus
from lossary.functions.softmax import (
    log_softmax,
    logsumexp,
    shortfall,
    softmax,
    spread,
)
from lossary.functions.vocabulary import (
    Jacobian,
    Slope,
    absolute,
    argpeak,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    named,
    peak,
    total,
    where,
)

_FLAT = constant(0)  # whether an entry counts is a step
_FAR = 80  # exp(-80) is a normal number of every type


def _count(t: Expression) -> Expression:
    return maximum(total(where(t > 0, constant(1), constant(0))), 1)


def _any(t: Expression) -> Expression:
    return peak(t) > 0


@named(
    means=lambda x, t: where((x > -inf) & _any(t), softmax(x) - where(t > 0, 1 / _count(t), 0), 0),
    # Where an entry does not count the softmax is 0 already.
    slope=lambda x, t: (
        Jacobian(where(_any(t), softmax(x), 0), ((where(_any(t), softmax(x), 0), -softmax(x)),)),
        _FLAT,
    ),
    shape="class",
)
def softmax_minus_mean_of(x: Expression, t: Expression) -> Expression:
    """softmax(x) minus the uniform distribution over the entries where t is 1."""
    # Over these entries p_k - 1/n = mean(p_k - p_j) - (what the others have) / n.
    mass, rest = spread(x)
    inside = where(t > 0, x, -inf)
    high = peak(inside)
    above = where(t > 0, expm1(-shortfall(x, high)), 0)  # exp(x - high) - 1
    others = total(where(t > 0, 0, mass)) / _count(t)
    apart = entry_at(mass, argpeak(inside)) * (above - total(above) / _count(t)) - others
    return where(_any(t), where(x > -inf, where(t > 0, apart, mass) / (1 + rest), 0), 0)


@named(
    means=lambda x, t: -total(where(t > 0, log_softmax(x), 0)) / _count(t),
    # Right where the softmax is nearly uniform over these entries.
    slope=lambda x, t: (softmax_minus_mean_of(x, t), _FLAT),
    shape="row",
)
def mean_cross_entropy_of(x: Expression, t: Expression) -> Expression:
    """Mean of the cross-entropies with the entries where t is 1; 0 without any."""
    _, rest = spread(x)
    short = total(where(t > 0, shortfall(x, peak(x)), 0)) / _count(t)
    return where(_any(t), short + log1p(rest), 0)


def _ratio(y: Expression, top: Expression) -> tuple[Expression, Expression, Expression]:
    """Return peak(y) - top, its exponential, and the rest of the sum beside the peak."""
    _, rest = spread(y)
    alike = (peak(y) == top) & (absolute(top) == inf)
    return shortfall(top, peak(y)), where(alike, 1, exp_of_rounded(peak(y) - top)), rest


def _odds(x: Expression, y: Expression) -> Expression:
    """Return the sum of exp(y) over that of exp(x)."""
    _, beside = spread(x)
    _, ratio, rest = _ratio(y, peak(x))
    return ratio * ((1 + rest) / (1 + beside))


def _odds_of_each(x: Expression, y: Expression) -> Expression:
    """Return the sum of exp(y) over each exp(x)."""
    _, ratio, rest = _ratio(y, x)
    return ratio * (1 + rest)


def _share(odds: Expression) -> Expression:
    return where(odds < inf, odds / (1 + odds), 1)


def _share_slope(x: Expression, y: Expression) -> tuple[Slope, ...]:
    both = rival_share(x, y) * rival_share(y, x)
    return -both * softmax(x), both * softmax(y)


@named(
    means=lambda x, y: total(exp(y)) / (total(exp(x)) + total(exp(y))),
    # Exponentials and their sums may overflow.
    slope=_share_slope,
    shape="row",
)
def rival_share(x: Expression, y: Expression) -> Expression:
    """The share of the sum of exp(y) beside that of exp(x)."""
    return _share(_odds(x, y))


@named(
    means=lambda x, y: log(1 + total(exp(y)) / total(exp(x))),
    # As above.
    slope=lambda x, y: (-rival_share(x, y) * softmax(x), rival_share(x, y) * softmax(y)),
    shape="row",
)
def cross_entropy_of_any(x: Expression, y: Expression) -> Expression:
    """Negative log-probability that one of x is chosen rather than one of y."""
    _, beside = spread(x)
    apart, _, rest = _ratio(y, peak(x))
    far = apart + (log1p(rest) - log1p(beside))
    return where(apart < _FAR, log1p(_odds(x, y)), far)


def _share_of_each_slope(x: Expression, y: Expression) -> tuple[Slope, ...]:
    both = rival_share_of_each(x, y) * own_share_of_each(x, y)
    return -both, Jacobian(None, ((both, softmax(y)),))


@named(
    means=lambda x, y: total(exp(y)) / (exp(x) + total(exp(y))),
    # As above.
    slope=_share_of_each_slope,
    shape="class",
)
def rival_share_of_each(x: Expression, y: Expression) -> Expression:
    """The share of the sum of exp(y) beside each exp(x)."""
    return _share(_odds_of_each(x, y))


def _own_share_slope(x: Expression, y: Expression) -> tuple[Slope, ...]:
    both = rival_share_of_each(x, y) * own_share_of_each(x, y)
    return both, Jacobian(None, ((-both, softmax(y)),))


@named(
    means=lambda x, y: exp(x) / (exp(x) + total(exp(y))),
    # As above.
    slope=_own_share_slope,
    shape="class",
)
def own_share_of_each(x: Expression, y: Expression) -> Expression:
    """The share of each exp(x) beside the sum of exp(y)."""
    return 1 / (1 + _odds_of_each(x, y))


@named(
    means=lambda x, y: log(1 + total(exp(y)) / exp(x)),
    # As above.
    slope=lambda x, y: (
        -rival_share_of_each(x, y),
        Jacobian(None, ((rival_share_of_each(x, y), softmax(y)),)),
    ),
    shape="class",
)
def cross_entropy_of_each(x: Expression, y: Expression) -> Expression:
    """Negative log-probability of each x among itself and all of y."""
    apart, _, rest = _ratio(y, x)
    return where(apart < _FAR, log1p(_odds_of_each(x, y)), apart + log1p(rest))


@named(
    means=lambda x, y, t: logsumexp(y) - total(where(t > 0, x, 0)) / _count(t),
    slope=lambda x, y, t: (where(t > 0, -1 / _count(t), 0), softmax(y), _FLAT),
    shape="row",
)
def logsumexp_less_mean(x: Expression, y: Expression, t: Expression) -> Expression:
    """logsumexp(y) minus the mean of x where t is 1, which may be large beside the difference."""
    _, rest = spread(y)
    apart, lost = made_good(peak(y) - x)  # parts of the mean may cancel, too
    short = where(absolute(x) < inf, apart, shortfall(x, peak(y)))
    whole = total(where(t > 0, short, 0)) + total(where((t > 0) & (absolute(x) < inf), lost, 0))
    return where(_any(t), whole / _count(t), peak(y)) + log1p(rest)


def _exponent_of_sums(x: Expression, y: Expression) -> tuple[Expression, Expression]:
    """Return logsumexp(x) + logsumexp(y), as a number and a rest."""
    (_, beside), (_, others) = spread(x), spread(y)
    peaks, lost = made_good(peak(x) + peak(y))
    more = log1p(beside) + log1p(others)
    nobody = (peak(x) == -inf) | (peak(y) == -inf)  # also beside what is endless
    rest = lost + rounding(sum_error(peaks, more, peaks + more))
    return where(nobody, -inf, peaks + more), where(nobody, 0, rest)


def _bent_share(x: Expression, y: Expression) -> Expression:
    share = share_of_sums(x, y)
    return share * (1 - share)


@named(
    means=lambda x, y: 1 - 1 / (1 + total(exp(x)) * total(exp(y))),
    # Exponentials and their sums may overflow.
    slope=lambda x, y: (_bent_share(x, y) * softmax(x), _bent_share(x, y) * softmax(y)),
    shape="row",
)
def share_of_sums(x: Expression, y: Expression) -> Expression:
    """The product of two sums of exponentials beside 1: the slope of log1p_of_sums."""
    whole, rest = _exponent_of_sums(x, y)
    return sigmoid(whole) * (1 + sigmoid(-whole) * rest)


@named(
    means=lambda x, y: log(1 + total(exp(x)) * total(exp(y))),
    # As above.
    slope=lambda x, y: (share_of_sums(x, y) * softmax(x), share_of_sums(x, y) * softmax(y)),
    shape="row",
)
def log1p_of_sums(x: Expression, y: Expression) -> Expression:
    """log(1 + the sum of exp(x) times the sum of exp(y))."""
    whole, rest = _exponent_of_sums(x, y)
    return softplus(whole) + sigmoid(whole) * rest
