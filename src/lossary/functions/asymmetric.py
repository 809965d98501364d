"""Powers of a probability of the wrong class, which losses of noisy or rare labels take."""

from __future__ import annotations

from lossary.formula import Expression, constant
from lossary.functions.compensated import exp_product
from lossary.functions.elementwise import sigmoid, sigmoid_cross_entropy_slope
from lossary.functions.softmax import cross_entropy_at, softmax, softmax_minus_one_hot
from lossary.functions.vocabulary import (
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    named,
    pick,
    weighted,
    where,
)


def _shifted(x: Expression, shift: Expression) -> tuple[Expression, Expression]:
    """Return a sigmoid less its shift, at least 0, and the logarithm of 1 less that."""
    above = sigmoid_cross_entropy_slope(x, shift, constant(1), constant(1))
    p, rest = maximum(above, 0), minimum(sigmoid(-x) + shift, 1)
    return p, where(p < 0.5, log1p(-p), log(rest))


def _by_probability(x: Expression, power: Expression, shift: Expression) -> Expression:
    """Return p times the derivative by p of -p^power log(1 - p)."""
    p, log_rest = _shifted(x, shift)
    rest = minimum(sigmoid(-x) + shift, 1)
    return p**power * (p / where(rest > 0, rest, 1) - power * log_rest)


def _shifted_focal_slope(x: Expression, power: Expression, shift: Expression) -> Expression:
    p, log_rest = _shifted(x, shift)
    some = where(p > 0, p, 1)
    # sigmoid(-x) / (1 - p), which is 1 for no shift, also where both are 0
    rest = sigmoid(-x) + shift
    share = where(rest == 0, 1, sigmoid(-x) / where(rest == 0, 1, rest))
    found = p**power * sigmoid(x) * (share - power * (log_rest / some) * sigmoid(-x))
    return where(p == 0, 0, found)


@named(
    means=lambda x, g, m: -(maximum(sigmoid(x) - m, 0) ** g) * log(1 - maximum(sigmoid(x) - m, 0)),
    # The power g - 1 of a probability of 0 may be infinite.
    slope=lambda x, g, m: (
        _shifted_focal_slope(x, g, m),
        weighted(shifted_focal(x, g, m), log(_shifted(x, m)[0])),
        -_by_probability(x, g, m) / where(_shifted(x, m)[0] > 0, _shifted(x, m)[0], 1),
    ),
)
def shifted_focal(x: Expression, power: Expression, shift: Expression) -> Expression:
    """Cross-entropy of no, of a probability less a shift, times a power of that."""
    p, log_rest = _shifted(x, shift)
    return where(p == 0, 0, -(p**power) * log_rest)


def _power_at(x: Expression, label: Expression, power: Expression) -> Expression:
    """Return p^power of one class, also where p itself underflows."""
    entropy = cross_entropy_at(x, label)
    return where(entropy < 700, pick(softmax(x), label) ** power, exp_product(-entropy, power))


@named(
    means=lambda x, label, q: 1 - pick(softmax(x), label) ** q,
    # The power q - 1 would be infinite for a probability of 0.
    slope=lambda x, label, q: (
        q * _power_at(x, label, q) * softmax_minus_one_hot(x, label),
        None,
        weighted(_power_at(x, label, q), cross_entropy_at(x, label)),
    ),
    shape="row",
)
def softmax_power_gap(x: Expression, label: Expression, power: Expression) -> Expression:
    """1 - p^power for the probability p of one class, right also where that is near 1."""
    exponent = power * cross_entropy_at(x, label)
    return where(exponent < 0.7, -expm1(-exponent), 1 - _power_at(x, label, power))
