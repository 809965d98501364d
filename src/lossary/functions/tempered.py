"""Probabilities with heavy tails, or none: a normaliser that is the solution of an equation.

With exp_t(x) = (1 + (1 - t) x)^(1 / (1 - t)), which is exp(x) at t = 1, the normaliser of scores z
is the number λ with sum exp_t(z - λ) = 1 (Amid et al. 2019, arXiv:1906.03361, sec. 2). Its slopes
are those of the equation, by the implicit function theorem, and not those of how it is solved.

The unknown is how far λ lies above the largest score, which keeps its digits where one class has
nearly everything. With S = sum exp_t(z - λ) the equation is solved as S^(1 - t) = 1: a power mean
of what is linear in λ, so concave and rising for t > 1, convex and falling for 0 <= t < 1. Hence
Newton's steps from 0 never go too far, and one is enough where t = 1 or all scores are equal.
"""

from __future__ import annotations

from functools import cache
from math import inf
from typing import NamedTuple

from lossary.formula import Expression
from lossary.functions.exponentials import exp_minus_exp
from lossary.functions.gaps import exp_gap, log1p_gap
from lossary.functions.softmax import softmax
from lossary.functions.vocabulary import (
    Jacobian,
    Slope,
    argpeak,
    exp,
    expm1,
    is_class,
    log,
    log1p,
    maximum,
    named,
    peak,
    pick,
    total,
    where,
)

SOLVED = frozenset({
    "tempered_normalizer", "tempered_softmax", "bi_tempered_at", "bi_tempered_slope",
    "tsallis_loss_at",
})  # fmt: skip
"""The words whose value is found by steps towards the solution of an equation."""

_STEPS = 10  # two more than the slowest of many thousand rows took to reach the last digits


class Tempered(NamedTuple):
    """What is known of each class when the equation is solved."""

    lead: Expression
    """How far the normaliser lies above the largest score."""
    nats: Expression
    """-log p, inf where p is 0."""
    share: Expression
    """p^t, which is how fast p grows with its own score."""


def _nats(behind: Expression, s: Expression) -> Expression:
    """Return -log exp_t(-behind) = log(1 + s behind) / s with s = t - 1."""
    some = s * behind > -1  # where there is none, no infinite slope may meet a 0
    far = where(some, log1p(where(some, s * behind, 0)), -inf) / where(s == 0, 1, s)
    return where(s == 0, behind, far)


def _share(p: Expression, behind: Expression, s: Expression) -> Expression:
    """Return p^t = p / (1 + s behind), 0 where p is."""
    base = 1 + s * behind
    return where(base > 0, p / where(base > 0, base, 1), 0)


@cache
def _solved(x: Expression, t: Expression) -> Tempered:
    s, short, top = t - 1, peak(x) - x, is_class(argpeak(x))
    lead = 0 * peak(x)
    for _ in range(_STEPS):
        p = exp(-_nats(lead + short, s))
        beyond = expm1(-_nats(lead, s)) + total(where(top, 0, p))
        height = log1p(beyond)
        growth = where(s == 0, height, expm1(s * height) / where(s == 0, 1, s))
        lead = lead + (1 + beyond) * growth / total(_share(p, lead + short, s))
    nats = _nats(lead + short, s)
    return Tempered(lead, nats, _share(exp(-nats), lead + short, s))


def _shares(x: Expression, t: Expression) -> Expression:
    """Return p^t in words, 0 where p is."""
    p = tempered_softmax(x, t)
    return where(p > 0, p**t, 0)


def _growing(x: Expression, t: Expression) -> Expression:
    """Return the slope of exp_t(x - λ) in t, where λ does not move."""
    s, p = t - 1, tempered_softmax(x, t)
    behind = tempered_normalizer(x, t) - x
    base = where(1 + s * behind > 0, 1 + s * behind, 1)
    rate = log1p_gap(-s * behind / base) / where(s == 0, 1, s * s)
    return p * where(s == 0, behind * behind / 2, rate)


def _normalizer_slope(x: Expression, t: Expression) -> tuple[Slope, ...]:
    share = _shares(x, t)
    return share / total(share), total(_growing(x, t)) / total(share)


@named(
    # The solution of an equation has no words of its own; the theorem has those of its slopes.
    slope=_normalizer_slope,
    shape="row",
)
def tempered_normalizer(x: Expression, temperature: Expression) -> Expression:
    """The λ for which the tempered exponentials of x - λ sum to 1; logsumexp at temperature 1."""
    return peak(x) + _solved(x, temperature).lead


def _softmax_meaning(x: Expression, t: Expression) -> Expression:
    base = 1 + (1 - t) * (x - tempered_normalizer(x, t))
    return where(t == 1, softmax(x), where(base > 0, base ** (1 / (1 - t)), 0))


def _softmax_slope(x: Expression, t: Expression) -> tuple[Slope, ...]:
    share, growing = _shares(x, t), _growing(x, t)
    rows = total(share)
    return Jacobian(share, ((share, -share / rows),)), growing - share * total(growing) / rows


@named(
    means=_softmax_meaning,
    # By the equation that it solves.
    slope=_softmax_slope,
    shape="class",
)
def tempered_softmax(x: Expression, temperature: Expression) -> Expression:
    """Probabilities with heavier tails than those of softmax above 1, and fewer classes below."""
    return exp(-_solved(x, temperature).nats)


def _below_one(u: Expression, power: Expression) -> Expression:
    """Return (1 - exp(-power u)) / power, which is u at 0."""
    return where(power == 0, u, -expm1(-power * u) / where(power == 0, 1, power))


def _bent(u: Expression, power: Expression) -> Expression:
    """Return u less that."""
    return where(power == 0, 0, exp_gap(-power * u) / where(power == 0, 1, power))


def _missed(u: Expression, power: Expression) -> Expression:
    """Return what a label's own -log p costs, which is about u^2 / 2 near 0."""
    near = _bent(u, power + 1) - _bent(u, power)
    return where(u < 1, near, _below_one(u, power) - _below_one(u, power + 1))


def _bi_tempered_meaning(
    x: Expression, label: Expression, t1: Expression, t2: Expression
) -> Expression:
    p = tempered_softmax(x, t2)
    own = pick(p, label)
    nats = where(t1 == 1, -log(own), (1 - own ** (1 - t1)) / (1 - t1))
    return nats - (1 - total(p ** (2 - t1))) / (2 - t1)


def _by_temperatures(
    x: Expression, label: Expression, t1: Expression, t2: Expression
) -> tuple[Expression, Expression]:
    """Return the slopes in both temperatures, in the words of the meaning."""
    p, b, here = tempered_softmax(x, t2), 2 - t1, is_class(label)
    u = -log(where(p > 0, p, 1))
    raised = where(p > 0, p**b, 0)
    own, a = pick(u, label), 1 - t1
    some = where(a == 0, 1, a)
    faded = exp(-a * own)
    first = where(a == 0, own * own / 2, ((1 - faded) / some - own * faded) / some)
    first = first + total(raised * (u / b + 1 / (b * b))) - 1 / (b * b)
    share, growing = _shares(x, t2), _growing(x, t2)
    moving = growing - share * total(growing) / total(share)
    missed = where(here, p - 1, p)
    return first, total(missed * where(p > 0, p ** (-t1), 0) * moving)


@named(
    means=_bi_tempered_meaning,
    # Right for a confident class, of which the meaning takes 1 - p.
    slope=lambda x, label, t1, t2: (
        bi_tempered_slope(x, label, t1, t2),
        None,
        *_by_temperatures(x, label, t1, t2),
    ),
    shape="row",
)
def bi_tempered_at(x: Expression, label: Expression, t1: Expression, t2: Expression) -> Expression:
    """Tempered logarithm of a label's tempered probability, as a sum of terms at least 0."""
    nats = _solved(x, t2).nats
    others = where(is_class(label), 0, exp(-(2 - t1) * nats))
    return _missed(pick(nats, label), 1 - t1) + total(others) / (2 - t1)


def _tsallis_meaning(x: Expression, label: Expression, t: Expression) -> Expression:
    p, power = tempered_softmax(x, t), 2 - t
    return total(x * p) + (1 - total(p**power)) / (power * (power - 1)) - pick(x, label)


def _tsallis_by_temperature(x: Expression, t: Expression) -> Expression:
    """Return the slope of the entropy, as the probabilities are where the loss is largest."""
    p, b = tempered_softmax(x, t), 2 - t
    raised = where(p > 0, p**b, 0)
    nats, scale = -log(where(p > 0, p, 1)), b * (b - 1)
    return (1 - total(raised)) * (2 * b - 1) / scale / scale - total(raised * nats) / scale


@named(
    means=_tsallis_meaning,
    # The conjugate's slope is the probabilities, less 1 for the label.
    slope=lambda x, label, t: (
        bi_tempered_slope(x, label, t, t),
        None,
        _tsallis_by_temperature(x, t),
    ),
    shape="row",
)
def tsallis_loss_at(x: Expression, label: Expression, temperature: Expression) -> Expression:
    """Loss of a label whose gradient is tempered_softmax: as bi_tempered_at, with one term more.

    That is how far the label's score lies below the least that has a probability.
    """
    t = temperature
    behind = _solved(x, t).lead + (peak(x) - pick(x, label))
    out = where(t < 1, maximum(behind - 1 / where(t < 1, 1 - t, 1), 0), 0)
    return bi_tempered_at(x, label, t, t) + out


def _slope_meaning(x: Expression, label: Expression, t1: Expression, t2: Expression) -> Expression:
    p, share = tempered_softmax(x, t2), _shares(x, t2)
    pull = (p - where(is_class(label), 1, 0)) * where(p > 0, p ** (t2 - t1), where(t1 == t2, 1, 0))
    return pull - share * total(pull) / total(share)


@named(
    means=_slope_meaning,
    shape="class",
)
def bi_tempered_slope(
    x: Expression, label: Expression, t1: Expression, t2: Expression
) -> Expression:
    """The slope of bi_tempered_at: the label's is a sum of terms of one sign.

    With d = t2 - t1 the others' is p^(1 + d) + q sum over others j of p_j (p_label^d - p_j^d) for
    the share q of p^t2 in its sum. As all slopes sum to 0, that of a wrong class with most of the
    mass is minus all others.
    """
    solved, here, d = _solved(x, t2), is_class(label), t2 - t1
    share, p = solved.share, exp(-solved.nats)
    own = where(d == 0, 0, -d * pick(solved.nats, label))
    each = -d * where(p > 0, solved.nats, 0)
    q = share / total(share)
    rest = total(where(here, 0, share)) / total(share)
    pulled = p * (rest * exp(own) + pick(q, label) * exp(each))
    lent = total(where(here, 0, p * exp_minus_exp(own, each)))
    found = where(here, -total(where(here, 0, pulled)), p * exp(each) + q * lent)
    most = (p > 0.5) & (~here)
    return where(most, -total(where(most, 0, found)), found)
