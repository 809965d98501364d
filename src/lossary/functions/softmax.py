"""Functions along the class axis."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression, constant
from lossary.functions.carried import exp_of_rounded, is_rounded, made_good
from lossary.functions.compensated import exp_difference
from lossary.functions.vocabulary import (
    Jacobian,
    Slope,
    absolute,
    argpeak,
    class_count,
    exp,
    expm1,
    is_class,
    log,
    log1p,
    maximum,
    minimum,
    named,
    peak,
    pick,
    total,
    weighted,
    where,
)

_LARGE = 1e30  # beside which 1 is lost; its sums are numbers of every type

# Functions along the class axis. They rest on one split of a row: its peak, counted as exactly 1,
# and the rest. Only the peak class can have more than half of the mass, so 1 - p is taken from the
# rest for that class and by subtraction for the others.


def spread(x: Expression) -> tuple[Expression, Expression]:
    """Return exp(x - peak) and its sum without the peak's own class."""
    top = peak(x)
    if is_rounded(x):
        return _spread_of_rounded(x, top)
    # A row without any class left keeps a finite peak, so that nothing becomes inf - inf.
    mass = where(x == top, where(x == -inf, 0, 1), exp_difference(x, where(top == -inf, 0, top)))
    return mass, total(where(is_class(argpeak(x)), 0, mass))


def _spread_of_rounded(x: Expression, top: Expression) -> tuple[Expression, Expression]:
    """Return the same of logits that are computed, with what has been lost made good."""
    same = (x == top) & (absolute(x) == inf)
    # Above the peak lies only what rounding has put below it, among numbers too large to tell.
    mass = where(same, where(x == -inf, 0, 1), minimum(exp_of_rounded(x - top), _LARGE))
    return mass, total(where(is_class(argpeak(x)), 0, mass))


def shortfall(x: Expression, top: Expression) -> Expression:
    """Top - x; 0 for equal infinities, inf for an excluded class."""
    if is_rounded(x):
        short, _ = made_good(top - x)
        return where((x == top) & (x > -inf), 0, where(x == -inf, inf, short))
    return where((x == top) & (x > -inf), 0, where(x == -inf, inf, top - x))


def softmax_jacobian(x: Expression) -> Jacobian:
    """Return the slope of softmax(x)."""
    p = softmax(x)
    return Jacobian(p, ((p, -p),))


@named(
    means=lambda x: log(total(exp(x))),
    shape="row",
    single=True,
    without=-inf,
)
def logsumexp(x: Expression) -> Expression:
    """log of the sum of exponentials along the class axis; of no entries it is -inf."""
    _, rest = spread(x)
    return peak(x) + log1p(rest)


def _mass_beside_one(x: Expression) -> tuple[Expression, Expression, Expression]:
    """Return the larger of 0 and the peak, and exp(-larger) and exp(x - larger)."""
    top = maximum(peak(x), 0)
    if is_rounded(x):
        same = (x == top) & (absolute(x) == inf)
        shifted = where(same, 1, minimum(exp_of_rounded(x - peak(x)), _LARGE))
        mass = where(x == -inf, 0, where(top > 0, shifted, exp_of_rounded(x)))
    else:
        mass = where(x == -inf, 0, exp_difference(x, top))
    return top, exp(-top), mass


@named(
    means=lambda x: log(1 + total(exp(x))),
    # Exponentials and their sum may overflow.
    slope=lambda x: (softmax_beside_one(x),),
    shape="row",
    without=-inf,
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
    means=lambda x: exp(x) / (1 + total(exp(x))),
    # As above.
    slope=lambda x: (_beside_one_jacobian(x),),
    shape="class",
)
def softmax_beside_one(x: Expression) -> Expression:
    """exp(x) divided by 1 and the sum of exponentials along the class axis."""
    _, one, mass = _mass_beside_one(x)
    return mass / (one + total(mass))


@named(
    means=lambda x: where(x > -inf, exp(x) / total(exp(x)), 0),
    # Exponentials and their sum may overflow; softmax is what it is a quotient of.
    slope=lambda x: (softmax_jacobian(x),),
    shape="class",
    single=True,
    without=-inf,
)
def softmax(x: Expression) -> Expression:
    """Exponentials divided by their sum along the class axis; 0 for excluded classes."""
    mass, rest = spread(x)
    return mass / (1 + rest)


@named(
    means=lambda x: 1 - softmax(x),

    shape="class",
    single=True,
)  # fmt: skip
def softmax_complement(x: Expression) -> Expression:
    """1 - softmax(x), right also for the confident class."""
    mass, rest = spread(x)
    return where(is_class(argpeak(x)), rest / (1 + rest), 1 - mass / (1 + rest))


@named(
    means=lambda x: x - logsumexp(x),
    shape="class",
    without=-inf,
)
def log_softmax(x: Expression) -> Expression:
    """Log-probabilities along the class axis; -inf for excluded classes."""
    _, rest = spread(x)
    return -(shortfall(x, peak(x)) + log1p(rest))


@named(
    means=lambda x, label: -pick(log_softmax(x), label),
    shape="row",
    single=True,
)
def cross_entropy_at(x: Expression, label: Expression) -> Expression:
    """Negative log-probability of one class, exact also when that class is the confident one."""
    _, rest = spread(x)
    return shortfall(pick(x, label), peak(x)) + log1p(rest)


@named(
    means=lambda x, label: where(
        x > -inf, softmax(x) - where(is_class(label), 1, 0), 0
    ),
    # Where a class is excluded the softmax is 0 already.
    slope=lambda x, label: (softmax_jacobian(x), None),
    shape="class",
    single=True,
)  # fmt: skip
def softmax_minus_one_hot(x: Expression, label: Expression) -> Expression:
    """softmax(x) minus the unit vector of the label; 0 for excluded classes."""
    here = is_class(label) & (x > -inf)
    return where(here, -softmax_complement(x), softmax(x))


@named(
    means=lambda x, t: -total(weighted(t, log_softmax(x))),
    shape="row",
)
def cross_entropy_with(x: Expression, target: Expression) -> Expression:
    """Cross-entropy of a target distribution with softmax(x); classes without target mass add 0."""
    return total(weighted(target, -log_softmax(x)))


def _softmax_minus_slope(x: Expression, t: Expression) -> tuple[Slope, Slope]:
    p = softmax(x)
    here = where(x > -inf, constant(1), constant(0))
    return (
        Jacobian(total(t) * p, ((total(t) * p, -p),)),
        Jacobian(-here, ((p, constant(1)),)),
    )


@named(
    means=lambda x, t: where(x > -inf, softmax(x) * total(t) - t, 0),
    # Where a class is excluded the softmax is 0 already.
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
    means=lambda x, t: total(t * (1 - softmax(x))),
    # Sums of terms of one sign, which do not cancel for a confident class.
    slope=lambda x, t: (_through_softmax(x, -t * softmax(x)), softmax_complement(x)),
    shape="row",
)
def softmax_error_rate(x: Expression, target: Expression) -> Expression:
    """The probability that softmax(x) gives to other classes than the target does."""
    return total(target * softmax_complement(x))


def _focal_slope(x: Expression, t: Expression, power: Expression) -> tuple[Slope, ...]:
    p, wrong, entropy = softmax(x), softmax_complement(x), -log_softmax(x)
    factor = where(wrong > 0, wrong**power, where(power == 0, 1, 0))
    faster = where(wrong > 0, weighted(power, wrong ** (power - 1)), 0) * weighted(p, entropy)
    each = weighted(factor, entropy)
    return (
        _through_softmax(x, -t * (factor + faster)),
        each,
        total(weighted(t * each, log(wrong))),
    )


@named(
    means=lambda x, t, p: -total(weighted(t, (1 - softmax(x)) ** p * log_softmax(x))),
    # As above; where nothing is wrong the power p - 1 may be infinite.
    slope=_focal_slope,
    shape="row",
)
def softmax_focal(x: Expression, target: Expression, power: Expression) -> Expression:
    """Cross-entropy of a target distribution, each class times (1 - p)^power."""
    return total(weighted(target, softmax_complement(x) ** power * -log_softmax(x)))


def _share_slope(x: Expression, label: Expression) -> Expression:
    """Return the slope, in whose numerator the parts that are alike have been taken out.

    It is p_k D + l - [k = label] W with the label's loss l, the sum W of all and D = W - C l.
    """
    p, rest, here, top = softmax(x), softmax_complement(x), is_class(label), is_class(argpeak(x))
    own, each, above = cross_entropy_at(x, label), -log_softmax(x), pick(x, label) - x
    whole, lead = total(each), total(above)
    likely = log1p(spread(x)[1]) + total(where(top, 0, above)) - rest * lead
    others = total(where(here, 0, each))
    label_slope = where(lead > 0, rest * lead + (class_count() - 1) * own, others - p * lead)
    numerator = where(here, -label_slope, where(top, likely, own + p * lead))
    plain = softmax_minus_one_hot(x, label) / whole
    plain = plain + (1 - class_count() * p) * (cross_entropy_share(x, label) / whole)
    near = where(whole == 0, 0, numerator / whole / whole)
    return where(whole < 1e300, near, plain)


@named(
    means=lambda x, label: pick(log_softmax(x), label) / total(log_softmax(x)),
    # Where the sum overflows, a quotient of infinities.
    slope=lambda x, label: (_share_slope(x, label), None),
    shape="row",
)
def cross_entropy_share(x: Expression, label: Expression) -> Expression:
    """Share of a label in the sum of the cross-entropies with all labels, which may overflow."""
    whole, small = total(-log_softmax(x)), x * 1e-10
    far = (peak(small) - pick(small, label)) / total(peak(small) - small)
    # Only one class has no cross-entropy at all.
    near = where(whole == 0, 1, cross_entropy_at(x, label) / whole)
    return where(whole < inf, near, far)


def _supported(x: Expression) -> Expression:
    return where(x > -inf, constant(1), constant(0))


def _classes(x: Expression) -> Expression:
    return maximum(total(_supported(x)), 1)


@named(
    means=lambda x: -total(where(x > -inf, log_softmax(x), 0)) / _classes(x),
    # Right near its zero, the uniform distribution.
    slope=lambda x: (
        softmax_minus_uniform(x),
    ),
    shape="row",
)  # fmt: skip
def mean_cross_entropy(x: Expression) -> Expression:
    """Cross-entropy of the uniform distribution over the classes that are not excluded."""
    _, rest = spread(x)
    short = where(x > -inf, shortfall(x, peak(x)), 0)
    return total(short) / _classes(x) + log1p(rest)


@named(
    means=lambda x: where(x > -inf, softmax(x) - 1 / _classes(x), 0),
    # Where a class is excluded the softmax is 0 already.
    slope=lambda x: (softmax_jacobian(x),),
    shape="class",
)
def softmax_minus_uniform(x: Expression) -> Expression:
    """softmax(x) minus the uniform distribution over the classes that are not excluded."""
    classes = _classes(x)
    above = where(x > -inf, expm1(-shortfall(x, peak(x))), 0)  # exp(x - peak) - 1
    near = (above - total(above) / classes) / (classes + total(above))
    flat = total(above) > -classes / 2
    return where(x > -inf, where(flat, near, softmax(x) - 1 / classes), 0)


def _complement_power_slope(x: Expression, label: Expression, p: Expression) -> tuple[Slope, ...]:
    # d (1 - p_t)^g / d x_k = -g (1 - p_t)^(g - 1) p_t ([k = t] - p_k); the power that is left over
    # is taken from p less one-hot, which for k = t is 1 - p_t itself and else p_k <= 1 - p_t.
    power = softmax_complement_power_at(x, label, p)
    share = where(is_class(label), constant(1), softmax(where(is_class(label), -inf, x)))
    along = where(is_class(label), constant(-1), share)
    log_rest = log(pick(softmax_complement(x), label))
    return p * power * pick(softmax(x), label) * along, None, weighted(power, log_rest)


@named(
    means=lambda x, label, p: (1 - pick(softmax(x), label)) ** p,
    # The power p - 1 of a complement of 0 may be infinite.
    slope=_complement_power_slope,
    shape="row",
)
def softmax_complement_power_at(x: Expression, label: Expression, power: Expression) -> Expression:
    """(1 - p)^power for the probability p of one class: a power of the accurate complement."""
    return pick(softmax_complement(x), label) ** power
