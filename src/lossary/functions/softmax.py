"""Functions along the class axis."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf
from typing import Any

from lossary.formula import Expression, constant
from lossary.functions.compensated import exp_difference
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
    named,
    peak,
    pick,
    total,
    weighted,
    where,
)

# Functions along the class axis. They rest on one split of a row: its peak, counted as exactly 1,
# and the rest. Only the peak class can have more than half of the mass, so 1 - p is taken from the
# rest for that class and by subtraction for the others.


def _spread(x: Expression) -> tuple[Expression, Expression]:
    """Return exp(x - peak) and its sum without the peak's own class."""
    top = peak(x)
    # A row without any class left keeps a finite peak, so that nothing becomes inf - inf.
    mass = where(x == top, where(x == -inf, 0, 1), exp_difference(x, where(top == -inf, 0, top)))
    return mass, total(where(is_class(argpeak(x)), 0, mass))


def _shortfall(x: Expression, top: Expression) -> Expression:
    """Top - x; 0 for equal infinities, inf for an excluded class."""
    return where((x == top) & (x > -inf), 0, where(x == -inf, inf, top - x))


def _softmax_meaning(m: Any, x: list[Any]) -> list[Any]:
    top = max(x)
    if top == -m.inf:
        return [m.mpf(0) for _ in x]
    mass = [m.mpf(1) if v == top else m.exp(v - top) for v in x]
    return [v / m.fsum(mass) for v in mass]


def logit_meaning(m: Any, x: list[Any]) -> list[Any]:
    """-log softmax, inf for an excluded class."""
    top = max(x)
    mass = m.fsum(m.mpf(1) if v == top else m.exp(v - top) for v in x)
    return [
        m.inf if v == -m.inf else (0 if v == top else top - v) + m.log(mass)
        for v in x
    ]  # fmt: skip


def _logsumexp_meaning(m: Any, x: list[Any]) -> Any:
    top = max(x)
    return top if top == -m.inf else top + m.log(m.fsum(m.exp(v - top) for v in x))


def _others(m: Any, p: list[Any], k: int) -> Any:
    """Sum the entries other than k."""
    return m.fsum(v for i, v in enumerate(p) if i != k)


def _softmax_jacobian(x: Expression) -> Jacobian:
    p = softmax(x)
    return Jacobian(p, ((p, -p),))


@named(
    means=_logsumexp_meaning,
    slope=lambda x: (softmax(x),),
    shape="row",
)  # fmt: skip
def logsumexp(x: Expression) -> Expression:
    """log of the sum of exponentials along the class axis."""
    _, rest = _spread(x)
    return peak(x) + log1p(rest)


def _mass_beside_one(x: Expression) -> tuple[Expression, Expression, Expression]:
    """Return the larger of 0 and the peak, and exp(-larger) and exp(x - larger)."""
    top = maximum(peak(x), 0)
    mass = where(x == -inf, 0, exp_difference(x, top))
    return top, exp(-top), mass


@named(
    means=lambda m, x: m.log1p(m.fsum(m.exp(v) for v in x)),
    slope=lambda x: (softmax_beside_one(x),),
    shape="row",
)
def log1p_total_exp(x: Expression) -> Expression:
    """log(1 + the sum of exponentials along the class axis): logsumexp with one more entry, 0."""
    top, one, mass = _mass_beside_one(x)
    rest = total(where(is_class(argpeak(x)), 0, mass))
    beside = where(top > 0, rest + one, rest + total(where(is_class(argpeak(x)), mass, 0)))
    return top + log1p(beside)


def _beside_one_jacobian(x: Expression) -> Jacobian:
    p = softmax_beside_one(x)
    return Jacobian(p, ((p, -p),))


@named(
    means=lambda m, x: [m.exp(v) / (1 + m.fsum(m.exp(w) for w in x)) for v in x],
    slope=lambda x: (
        Jacobian(softmax_beside_one(x), ((softmax_beside_one(x), -softmax_beside_one(x)),)),
    ),
    shape="class",
)
def softmax_beside_one(x: Expression) -> Expression:
    """exp(x) divided by 1 and the sum of exponentials along the class axis."""
    _, one, mass = _mass_beside_one(x)
    return mass / (one + total(mass))


@named(
    means=_softmax_meaning,
    slope=lambda x: (_softmax_jacobian(x),),
    shape="class",
)
def softmax(x: Expression) -> Expression:
    """Exponentials divided by their sum along the class axis; 0 for excluded classes."""
    mass, rest = _spread(x)
    return mass / (1 + rest)


@named(
    means=lambda m, x: [_others(m, _softmax_meaning(m, x), k) for k in range(len(x))],
    slope=lambda x: (Jacobian(-softmax(x), ((softmax(x), softmax(x)),)),),
    shape="class",
)  # fmt: skip
def softmax_complement(x: Expression) -> Expression:
    """1 - softmax(x), right also for the confident class."""
    mass, rest = _spread(x)
    return where(is_class(argpeak(x)), rest / (1 + rest), 1 - mass / (1 + rest))


@named(
    means=lambda m, x: [-v for v in logit_meaning(m, x)],
    slope=lambda x: (Jacobian(constant(1), ((constant(-1), softmax(x)),)),),
    shape="class",
)
def log_softmax(x: Expression) -> Expression:
    """Log-probabilities along the class axis; -inf for excluded classes."""
    _, rest = _spread(x)
    return -(_shortfall(x, peak(x)) + log1p(rest))


@named(
    means=lambda m, x, label: logit_meaning(m, x)[int(label)],
    slope=lambda x, label: (softmax_residual(x, label), None),
    shape="row",
)
def cross_entropy_at(x: Expression, label: Expression) -> Expression:
    """Negative log-probability of one class, exact also when that class is the confident one."""
    _, rest = _spread(x)
    return _shortfall(pick(x, label), peak(x)) + log1p(rest)


@named(
    means=lambda m, x, label: [
        -m.fsum(v for i, v in enumerate(_softmax_meaning(m, x)) if i != k) * (x[k] > -m.inf)
        if k == int(label) else p
        for k, p in enumerate(_softmax_meaning(m, x))
    ],
    slope=lambda x, label: (_softmax_jacobian(x), None),
    shape="class",
)  # fmt: skip
def softmax_residual(x: Expression, label: Expression) -> Expression:
    """softmax(x) minus the unit vector of the label; 0 for excluded classes."""
    here = is_class(label) & (x > -inf)
    return where(here, -softmax_complement(x), softmax(x))


@named(
    means=lambda m, x, t: m.fsum(w * v for w, v in zip(t, logit_meaning(m, x), strict=True) if w),
    slope=lambda x, t: (softmax_minus(x, t), -log_softmax(x)),
    shape="row",
)
def cross_entropy_with(x: Expression, target: Expression) -> Expression:
    """Cross-entropy of a target distribution with softmax(x); classes without target mass add 0."""
    return total(weighted(target, -log_softmax(x)))


def _softmax_minus_meaning(m: Any, x: list[Any], t: list[Any]) -> list[Any]:
    p = _softmax_meaning(m, x)
    return [
        (p[k] * m.fsum(t) - t[k]) if x[k] > -m.inf else m.mpf(0)
        for k in range(len(x))
    ]  # fmt: skip


def _softmax_minus_slope(x: Expression, t: Expression) -> tuple[Slope, Slope]:
    p = softmax(x)
    here = where(x > -inf, constant(1), constant(0))
    return (
        Jacobian(total(t) * p, ((total(t) * p, -p),)),
        Jacobian(-here, ((p, constant(1)),)),
    )


@named(
    means=_softmax_minus_meaning,
    slope=_softmax_minus_slope,
    shape="class",
)
def softmax_minus(x: Expression, target: Expression) -> Expression:
    """softmax(x) minus the target distribution; 0 for excluded classes."""
    top = is_class(argpeak(target))
    rest = total(where(top, 0, target))
    others = where(top, rest, total(target) - target)  # the small masses beside a large one
    return where(x > -inf, softmax(x) * others - softmax_complement(x) * target, 0)


def _through_softmax(x: Expression, slope: Expression) -> Expression:
    """Return g_k (1 - p_k) - p_k (sum of the other g) for the slopes g_j = p_j dL/dp_j."""
    top = is_class(argpeak(absolute(slope)))
    rest = total(where(top, 0, slope))
    others = where(top, rest, total(slope) - slope)
    return where(x > -inf, softmax_complement(x) * slope - softmax(x) * others, 0)


@named(
    means=lambda m, x, t: m.fsum(
        w * _others(m, _softmax_meaning(m, x), k) for k, w in enumerate(t)
    ),
    slope=lambda x, t: (_through_softmax(x, -t * softmax(x)), softmax_complement(x)),
    shape="row",
)
def softmax_miss(x: Expression, target: Expression) -> Expression:
    """The probability that softmax(x) gives to other classes than the target does."""
    return total(target * softmax_complement(x))


def _focal_meaning(m: Any, x: list[Any], t: list[Any], p: Any) -> Any:
    mass, nats = _softmax_meaning(m, x), logit_meaning(m, x)
    return m.fsum(
        w * (_others(m, mass, k) ** p if p else 1) * nats[k] for k, w in enumerate(t) if w
    )


def _focal_slope(x: Expression, t: Expression, power: Expression) -> tuple[Slope, ...]:
    p, missed, nats = softmax(x), softmax_complement(x), -log_softmax(x)
    fade = where(missed > 0, missed**power, where(power == 0, 1, 0))
    faster = where(missed > 0, weighted(power, missed ** (power - 1)), 0) * weighted(p, nats)
    each = weighted(fade, nats)
    return (
        _through_softmax(x, -t * (fade + faster)),
        each,
        total(weighted(t * each, log(missed))),
    )


@named(
    means=_focal_meaning,
    slope=_focal_slope,
    shape="row",
)
def faded_cross_entropy_with(x: Expression, target: Expression, power: Expression) -> Expression:
    """Cross-entropy of a target distribution, each class times (1 - p)^power."""
    return total(weighted(target, softmax_complement(x) ** power * -log_softmax(x)))


def _mean_cross_entropy_meaning(m: Any, x: list[Any]) -> Any:
    nats = [v for v in logit_meaning(m, x) if v < m.inf]
    return m.fsum(nats) / len(nats) if nats else m.mpf(0)


def _supported(x: Expression) -> Expression:
    return where(x > -inf, constant(1), constant(0))


@named(
    means=_mean_cross_entropy_meaning,
    slope=lambda x: (
        softmax_minus_uniform(x),
    ),
    shape="row",
)  # fmt: skip
def mean_cross_entropy(x: Expression) -> Expression:
    """Cross-entropy of the uniform distribution over the classes that are not excluded."""
    _, rest = _spread(x)
    short = where(x > -inf, _shortfall(x, peak(x)), 0)
    return total(short) / maximum(total(_supported(x)), 1) + log1p(rest)


def _minus_uniform_meaning(m: Any, x: list[Any]) -> list[Any]:
    n = sum(v > -m.inf for v in x)
    mass = _softmax_meaning(m, x)
    return [p - m.mpf(1) / n if v > -m.inf else m.mpf(0) for v, p in zip(x, mass, strict=True)]


@named(
    means=_minus_uniform_meaning,
    slope=lambda x: (_softmax_jacobian(x),),
    shape="class",
)
def softmax_minus_uniform(x: Expression) -> Expression:
    """softmax(x) minus the uniform distribution over the classes that are not excluded."""
    classes = maximum(total(_supported(x)), 1)
    above = where(x > -inf, expm1(-_shortfall(x, peak(x))), 0)  # exp(x - peak) - 1
    near = (above - total(above) / classes) / (classes + total(above))
    flat = total(above) > -classes / 2
    return where(x > -inf, where(flat, near, softmax(x) - 1 / classes), 0)


def _complement_power_meaning(m: Any, x: list[Any], label: Any, p: Any) -> Any:
    mass = _softmax_meaning(m, x)
    return m.fsum(v for k, v in enumerate(mass) if k != int(label)) ** p if p else m.mpf(1)


def _complement_power_slope(x: Expression, label: Expression, p: Expression) -> tuple[Slope, ...]:
    # d (1 - p_t)^g / d x_k = -g (1 - p_t)^(g - 1) p_t ([k = t] - p_k); the power that is left over
    # is taken from the residual, which for k = t is 1 - p_t itself and else p_k <= 1 - p_t.
    power = softmax_complement_power_at(x, label, p)
    share = where(is_class(label), constant(1), softmax_share_of_rest(x, label))
    along = where(is_class(label), constant(-1), share)
    log_rest = log(pick(softmax_complement(x), label))
    return p * power * pick(softmax(x), label) * along, None, weighted(power, log_rest)


@named(
    means=_complement_power_meaning,
    slope=_complement_power_slope,
    shape="row",
)
def softmax_complement_power_at(x: Expression, label: Expression, power: Expression) -> Expression:
    """(1 - p)^power for the probability p of one class: a power of the accurate complement."""
    return pick(softmax_complement(x), label) ** power


def _rest_meaning(m: Any, x: list[Any], label: Any) -> list[Any]:
    others = [-m.inf if k == int(label) else v for k, v in enumerate(x)]
    return _softmax_meaning(m, others)


def _rest_slope(x: Expression, label: Expression) -> tuple[Slope, Slope]:
    r = softmax_share_of_rest(x, label)
    return Jacobian(r, ((r, -r),)), None


@named(
    means=_rest_meaning,
    slope=_rest_slope,
    shape="class",
)
def softmax_share_of_rest(x: Expression, label: Expression) -> Expression:
    """Softmax over the classes other than the label; 0 for the label."""
    return softmax(where(is_class(label), -inf, x))
