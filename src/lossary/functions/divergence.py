"""Relative entropy of two rows of probabilities."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression, constant
from lossary.functions.carried import entry_at, exp_of_rounded
from lossary.functions.compensated import rounding, sum_error
from lossary.functions.elementwise import jensen_gap, log_ratio
from lossary.functions.gaps import atanh_tail, exp_gap
from lossary.functions.softmax import log_softmax, softmax
from lossary.functions.vocabulary import (
    Jacobian,
    Slope,
    absolute,
    argpeak,
    exp,
    expm1,
    is_class,
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

ONE = constant(1)


def excess_entropy(t: Expression, p: Expression) -> Expression:
    """Return t log(t / p) - t + p, which is never negative, without cancellation near t = p."""
    gap = (t - p) / p
    s = gap / (2 + gap)
    near = p / (1 - s) * s * (log1p(gap) + 2 * (s * s * atanh_tail(s * s)))
    return where(2 * absolute(t - p) < p, near, weighted(t, log_ratio(t, p)) - (t - p))


@named(
    means=lambda t, p: total(weighted(t, log(t / p))),
    # A probability of 0 beside mass is infinitely wrong; t / t is 1, also for t = 0.
    slope=lambda t, p: (where(p == 0, inf, log_ratio(t, p)) + 1, -weighted(t, 1 / p)),
    shape="row",
)
def relative_entropy(t: Expression, p: Expression) -> Expression:
    """Sum of t log(t / p): of terms that are not negative, and of the differences in mass."""
    return total(excess_entropy(t, p)) + total(t - p)


@named(
    means=lambda t, x: weighted(t, log(t) - x),
    # t / t is 1, also for t = 0.
    slope=lambda t, x: (where(x == -inf, inf, log(t) - x) + 1, -t),
)
def relative_entropy_term(t: Expression, x: Expression) -> Expression:
    """t (log(t) - x) of a probability and a log-probability, 0 where the first is 0."""
    return weighted(t, log(t) - x)


@named(
    means=lambda t, x: weighted(exp(t), t - x),
    # Without mass t exp(t) is 0 times infinity.
    slope=lambda t, x: (exp(t) + log_relative_entropy(t, x), -exp(t)),
)
def log_relative_entropy(t: Expression, x: Expression) -> Expression:
    """exp(t) (t - x) of log-probabilities, 0 where the first is without mass."""
    certain = (x == -inf) & (t > -inf)  # the mass of t may be too small for a number
    return where(certain, inf, weighted(exp(t), t - x))


# The divergence of two softmaxes p and q from their logits y and x over a temperature. Let d be
# x - y without its mean under p, over the temperature. Then q / p is exp(d - KL), and
# KL = log E exp(d) = log(1 + E(exp(d) - 1 - d)).


def _spread(x: Expression, temperature: Expression) -> tuple[Expression, Expression]:
    """Return exp((x - peak) / temperature) and its sum without the peak's own class."""
    top = where(peak(x) == -inf, 0, peak(x))
    mass = where(x == peak(x), where(x == -inf, 0, 1), exp_of_rounded((x - top) / temperature))
    return mass, total(where(is_class(argpeak(x)), 0, mass))


def _softmax(x: Expression, temperature: Expression) -> Expression:
    mass, rest = _spread(x, temperature)
    return mass / (1 + rest)


def _shift(y: Expression, x: Expression, temperature: Expression) -> Expression:
    gap = where(y > -inf, x - y, 0) / temperature
    return gap - total(weighted(softmax(y / temperature), gap))


def _shift_slope(y: Expression, x: Expression, t: Expression) -> tuple[Slope, ...]:
    p, shift = _softmax(y, t), softmax_shift(y, x, t)
    return (
        Jacobian(-1 / t, (((1 + 0 * y) / t, weighted(p, 1 - shift)),)),
        Jacobian(1 / t, (((1 + 0 * y) / t, -p),)),
        (total(weighted(weighted(p, shift), y)) / t - shift) / t,
    )


def _centred(y: Expression, x: Expression, t: Expression) -> tuple[Expression, Expression]:
    """Return x - y without its mean under the softmax of y, and the unit that it is in.

    Differences of differences are up to 8 times as large as logits, and may overflow.
    """
    unit = where(maximum(peak(absolute(x)), peak(absolute(y))) > 1e300, constant(8), constant(1))
    x, y, mass = x / unit, y / unit, _softmax(y, t)
    gap, likely = x - y, argpeak(y)
    lost = rounding(sum_error(x, -y, gap))
    gap = (gap - entry_at(gap, likely)) + (lost - entry_at(lost, likely))
    gap = where(y == -inf, 0, gap)
    return gap - total(weighted(mass, gap)), unit


@named(
    means=_shift,
    # In terms of the shift itself, whose difference of logits may cancel.
    slope=_shift_slope,
    shape="class",
)
def softmax_shift(y: Expression, x: Expression, temperature: Expression) -> Expression:
    """The difference of logits, less its mean under the softmax of the first."""
    gap, unit = _centred(y, x, temperature)
    return gap / (temperature / unit)


@named(
    means=lambda y, x, t: softmax(x / t) - softmax(y / t),
    shape="class",
)
def softmax_change(y: Expression, x: Expression, temperature: Expression) -> Expression:
    """The softmax of x less that of y, also where they nearly agree."""
    gap = softmax_divergence(y, x, temperature)
    power = softmax_shift(y, x, temperature) - gap
    (mass, rest), (other, others) = _spread(y, temperature), _spread(x, temperature)
    near = mass / (1 + rest) * expm1(minimum(power, 1))
    apart = other / (1 + others) - mass / (1 + rest)
    # What is left beside a class that is the likeliest of both, unlike 1 less 1.
    left = rest / (1 + rest) - others / (1 + others)
    both = is_class(argpeak(y)) & is_class(argpeak(x))
    far = 2 * absolute(rest - others) > maximum(rest, others)
    beside = where(absolute(power) < 0.7, near, apart)
    return where(gap < 1, where(both, where(far, left, near), beside), where(both, left, apart))


def _divergence_slope(y: Expression, x: Expression, t: Expression) -> tuple[Slope, ...]:
    pull, change = weighted(_softmax(y, t), softmax_shift(y, x, t)), softmax_change(y, x, t)
    return -pull / t, change / t, total(weighted(pull, y) - weighted(change, x)) / t / t


def _to_middle(y: Expression, x: Expression) -> Expression:
    """Return half of log(p / middle) of two softmaxes p and q, by what their difference is."""
    p, q, change = _softmax(y, ONE), _softmax(x, ONE), softmax_change(y, x, ONE)
    both = where(p + q > 0, p + q, 1)
    near = log1p(-change / both)
    return where(2 * absolute(change) < both, near, log_ratio(2 * p, both)) / 2


def _jensen_slope(y: Expression, x: Expression) -> Expression:
    own = _to_middle(y, x)
    pull = weighted(_softmax(y, ONE), own - entry_at(own, argpeak(y)))
    return pull - _softmax(y, ONE) * total(pull)


@named(
    means=lambda y, x: total(jensen_gap(softmax(y), softmax(x))),
    # A probability of 0 has an infinite logarithm, and no pull.
    slope=lambda y, x: (_jensen_slope(y, x), _jensen_slope(x, y)),
    shape="row",
)
def softmax_jensen_gap(y: Expression, x: Expression) -> Expression:
    """Half the relative entropies of two softmaxes to their middle."""
    p, q = _softmax(y, ONE), _softmax(x, ONE)
    tilt = softmax_change(y, x, ONE) / where(p + q > 0, p + q, 1)
    size = minimum(absolute(tilt), 0.5)
    near = log1p(-size * size) + size * log1p(2 * size / (1 - size))
    return total(where(absolute(tilt) < 0.5, (p + q) / 4 * near, jensen_gap(p, q)))


@named(
    means=lambda y, x: -total(weighted(softmax(y), log_softmax(x))),
    # The first is 0 where the two agree; the other is a logit less its mean.
    slope=lambda y, x: (
        -weighted(softmax(y), _less_its_mean(y, x)),
        softmax_change(y, x, constant(1)),
    ),
    shape="row",
)
def softmax_cross_entropy(y: Expression, x: Expression) -> Expression:
    """Cross-entropy of softmax(y) with softmax(x)."""
    return total(weighted(softmax(y), -log_softmax(x)))


def _less_its_mean(y: Expression, x: Expression) -> Expression:
    """Return x less its mean under the softmax of y, from the likeliest class on."""
    unit = where(peak(absolute(x)) > 1e300, constant(8), constant(1))  # differences may overflow
    gap = x / unit - entry_at(x / unit, argpeak(y))
    return (gap - total(weighted(softmax(y), gap))) * unit


@named(
    means=lambda y, x, t: total(weighted(softmax(y / t), log_softmax(y / t) - log_softmax(x / t))),
    # Both are 0 where the two agree, which their parts are not.
    slope=_divergence_slope,
    shape="row",
)
def softmax_divergence(y: Expression, x: Expression, temperature: Expression) -> Expression:
    """Relative entropy of softmax(y / temperature) to softmax(x / temperature)."""
    shift = softmax_shift(y, x, temperature)
    (mass, rest), (_, others) = _spread(y, temperature), _spread(x, temperature)
    near = log1p(total(weighted(mass, exp_gap(minimum(shift, 600)))) / (1 + rest))
    # Beyond, the parts are infinite that cancel in the sum above.
    gap, unit = _centred(y, x, temperature)
    lead = (peak(x / unit) - entry_at(x / unit, argpeak(y))) + entry_at(gap, argpeak(y))
    far = lead / (temperature / unit) + (log1p(others) - log1p(rest))
    certain = total(where((x == -inf) & (y > -inf), 1, 0)) > 0
    return where(certain, inf, where(peak(shift) < 600, near, far))
