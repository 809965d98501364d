"""Relative entropy of two rows of probabilities."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf

from lossary.formula import Expression, constant
from lossary.functions.compensated import rounding, sum_error
from lossary.functions.elementwise import log_ratio
from lossary.functions.gaps import atanh_tail, exp_gap
from lossary.functions.softmax import log_softmax, logsumexp, softmax
from lossary.functions.vocabulary import (
    Jacobian,
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


def _excess(t: Expression, p: Expression) -> Expression:
    """Return t log(t / p) - t + p, which is never negative, without cancellation near t = p."""
    gap = (t - p) / p
    s = gap / (2 + gap)
    near = 2 * p / (1 - s) * s * (log1p(gap) / 2 + s * s * atanh_tail(s * s))
    return where(2 * absolute(t - p) < p, near, weighted(t, log_ratio(t, p)) - (t - p))


@named(
    means=lambda t, p: total(weighted(t, log(t / p))),
    # A probability of 0 beside mass is infinitely wrong; t / t is 1, also for t = 0.
    slope=lambda t, p: (where(p == 0, inf, log_ratio(t, p)) + 1, -weighted(t, 1 / p)),
    shape="row",
)
def relative_entropy(t: Expression, p: Expression) -> Expression:
    """Sum of t log(t / p): of terms that are not negative, and of the differences in mass."""
    return total(_excess(t, p)) + total(t - p)


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


# The divergence of two softmaxes p and q from their logits y and x. Let d be x - y without its mean
# under p. Then q / p is exp(d - KL), and KL = log E exp(d) = log(1 + E(exp(d) - 1 - d)).


def _at(values: Expression, place: Expression) -> Expression:
    """Return the entry at a place that is computed: kernels pick at labels only."""
    return total(where(is_class(place), values, 0))


def _shift(y: Expression, x: Expression) -> Expression:
    gap = where(y > -inf, x - y, 0)
    return gap - total(weighted(softmax(y), gap))


@named(
    means=_shift,
    # In terms of the shift itself, whose difference of logits may cancel.
    slope=lambda y, x: (
        Jacobian(constant(-1), ((1 + 0 * y, weighted(softmax(y), 1 - softmax_shift(y, x))),)),
        Jacobian(constant(1), ((1 + 0 * y, -softmax(y)),)),
    ),
    shape="class",
)
def softmax_shift(y: Expression, x: Expression) -> Expression:
    """The difference of logits, less its mean under the softmax of the first."""
    mass = softmax(y)
    large = maximum(peak(absolute(x)), peak(absolute(y))) > 1e300
    # The differences of differences of logits are up to 8 times as large.
    x, y = where(large, x / 8, x), where(large, y / 8, y)
    gap, likely = x - y, argpeak(y)
    lost = rounding(sum_error(x, -y, gap))
    gap = (gap - _at(gap, likely)) + (lost - _at(lost, likely))
    gap = where(y == -inf, 0, gap)
    gap = gap - total(weighted(mass, gap))
    return where(large, 8 * gap, gap)


@named(
    means=lambda y, x: softmax(x) - softmax(y),
    shape="class",
)
def softmax_change(y: Expression, x: Expression) -> Expression:
    """softmax(x) - softmax(y), also where they nearly agree."""
    gap = softmax_divergence(y, x)
    power = softmax_shift(y, x) - gap
    near = softmax(y) * expm1(minimum(power, 1))
    apart = softmax(x) - softmax(y)
    return where(gap < 1, where(absolute(power) < 1, near, apart), apart)


@named(
    means=lambda y, x: total(weighted(softmax(y), log_softmax(y) - log_softmax(x))),
    # Both are 0 where the two agree, which their parts are not.
    slope=lambda y, x: (-weighted(softmax(y), softmax_shift(y, x)), softmax_change(y, x)),
    shape="row",
)
def softmax_divergence(y: Expression, x: Expression) -> Expression:
    """Relative entropy of softmax(y) to softmax(x)."""
    shift = softmax_shift(y, x)
    near = log1p(total(weighted(softmax(y), exp_gap(minimum(shift, 600)))))
    likely = argpeak(y)
    taken = (logsumexp(x) - _at(x, likely)) - (logsumexp(y) - _at(y, likely))
    # Beyond, the parts are infinite that cancel in the sum above.
    nats = total(weighted(softmax(y), log_softmax(y) - log_softmax(x)))
    far = where(peak(shift) < 1e300, taken + _at(shift, likely), nats)
    certain = total(where((x == -inf) & (y > -inf), 1, 0)) > 0
    return where(certain, inf, where(peak(shift) < 600, near, far))


_LARGEST = 1.7976931348623157e308


@named(
    means=lambda x, t: x / t,
    # The quotient may overflow.
    slope=lambda x, t: (Jacobian(1 / t), -x / t / t),
    shape="class",
)
def scaled_logits(x: Expression, temperature: Expression) -> Expression:
    """Logits over a temperature; where that overflows, the order of the logits remains."""
    top, quotient = peak(x), x / temperature
    above = where(x == top, _LARGEST, _LARGEST / 2)
    below = where(x == top, -_LARGEST / 2, -_LARGEST)
    found = where(quotient == inf, above, where(quotient == -inf, below, quotient))
    return where(absolute(x) == inf, x, found)
