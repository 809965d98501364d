"""Functions of numbers: sigmoids, logarithms of ratios, log-cosh."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression, constant
from lossary.functions.compensated import (
    exp_product,
    product_error,
    rounding,
    sum_error,
    sum_of_three,
)
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    named,
    sign,
    tanh,
    weighted,
    where,
)


@named(
    means=lambda x: log1p(exp(x)),
)
def softplus(x: Expression) -> Expression:
    """log(1 + exp(x)), without overflow or cancellation."""
    return maximum(x, 0) + log1p(exp(-absolute(x)))


@named(
    means=lambda x: 1 / (1 + exp(-x)),
)
def sigmoid(x: Expression) -> Expression:
    """1 / (1 + exp(-x)), with a right tail on both sides."""
    decay = exp(-absolute(x))
    return where(x < 0, decay, 1) / (1 + decay)


@named(
    means=lambda x: -log(1 + exp(-x)),
)
def log_sigmoid(x: Expression) -> Expression:
    """log(1 / (1 + exp(-x))), without overflow or cancellation."""
    return -softplus(-x)


def sigmoid_cross_entropy_beside(
    x: Expression, t: Expression, positive: Expression, negative: Expression
) -> tuple[Expression, Expression, Expression]:
    """Its slopes in the target and the two weights."""
    return (
        positive * softplus(-x) - negative * softplus(x),
        weighted(t, softplus(-x)),
        weighted(1 - t, softplus(x)),
    )


@named(
    means=lambda x, t, positive, negative: (
        -(positive * weighted(t, log_sigmoid(x)) + negative * weighted(1 - t, log_sigmoid(-x)))
    ),
    # Right near its zero; a weight of 0 wins over an infinite logarithm.
    slope=lambda x, *others: (
        sigmoid_cross_entropy_slope(x, *others),
        *sigmoid_cross_entropy_beside(x, *others),
    ),
)
def sigmoid_cross_entropy(
    x: Expression, target: Expression, positive: Expression, negative: Expression
) -> Expression:
    """Cross-entropy of a yes-or-no target with log-odds x; yes and no have a weight each."""
    yes = positive * weighted(target, softplus(-x))
    return yes + negative * weighted(1 - target, softplus(x))


@named(
    means=lambda x, t, positive, negative: (
        negative * (1 - t) * sigmoid(x) - positive * t * sigmoid(-x)
    ),
)
def sigmoid_cross_entropy_slope(
    x: Expression, target: Expression, positive: Expression, negative: Expression
) -> Expression:
    """Sigmoid(x) - target for weights of 1: the slope, right also near its zero."""
    yes, no = positive * target, negative * (1 - target)
    near = (tanh(x / 2) * (no + yes) + (no - yes)) / 2  # sigmoid(x) = (1 + tanh(x / 2)) / 2
    far = negative * ((1 - target) * sigmoid(x)) - positive * (target * sigmoid(-x))
    return where(absolute(x) < 1, near, far)


@named(
    means=lambda p, t: -(weighted(t, log(p)) + weighted(1 - t, log(1 - p))),
    # Over a common denominator: right near its zero.
    slope=lambda p, t: (bernoulli_cross_entropy_slope(p, t), log1p(-p) - log(p)),
)
def bernoulli_cross_entropy(probability: Expression, target: Expression) -> Expression:
    """Cross-entropy of a yes-or-no target with a probability."""
    yes = weighted(target, -log(probability))
    return yes + weighted(1 - target, -log1p(-probability))


@named(
    means=lambda x, t: exp(x) - t * x,
    # Right near its zero.
    slope=lambda x, t: (exp_minus(x, t), -x),
)
def poisson_nll(x: Expression, target: Expression) -> Expression:
    """exp(x) - target x, with the rounding of the product made good."""
    product = target * x
    error = rounding(product_error(target, x, product))
    near = sum_of_three(expm1(x), constant(1), -product)
    # Where both overflow, their logarithms say which is larger.
    both = (exp(x) == inf) & (product == inf)
    larger = where(x > log(target) + log(x), constant(inf), constant(-inf))
    return where(absolute(x) < 1, near, where(both, larger, exp(x) - product)) - error


@named(
    means=lambda p, t: weighted(1 - t, 1 / (1 - p)) - weighted(t, 1 / p),
    # A target of 0 or 1 wins over an infinite quotient; squares may underflow.
    slope=lambda p, t: (
        where(t == 0, 0, t / p / p) + where(t == 1, 0, (1 - t) / (1 - p) / (1 - p)),
        -1 / (absolute(p) * (1 - p)),
    ),
)
def bernoulli_cross_entropy_slope(probability: Expression, target: Expression) -> Expression:
    """The slope of bernoulli_cross_entropy; a probability of -0 is 0."""
    p = absolute(probability)
    inner = (p - target) / (p * (1 - p))
    return where(target == 0, 1 / (1 - p), where(target == 1, -1 / p, inner))


@named(
    means=lambda rate, t: rate - weighted(t, log(rate)),
    # A target of 0 wins over an infinite quotient.
    slope=lambda rate, t: (poisson_rate_nll_slope(rate, t), -log(rate)),
)
def poisson_rate_nll(rate: Expression, target: Expression) -> Expression:
    """Rate - target log(rate); a rate of 0 costs nothing where nothing was counted."""
    return rate - weighted(target, log(rate))


@named(
    means=lambda rate, t: 1 - weighted(t, 1 / rate),
    # As above; the square of a rate may underflow.
    slope=lambda rate, t: (where(t == 0, 0, t / rate / rate), -1 / absolute(rate)),
)
def poisson_rate_nll_slope(rate: Expression, target: Expression) -> Expression:
    """The slope of poisson_rate_nll; a rate of -0 is 0."""
    return where(target == 0, 1, (rate - target) / absolute(rate))


@named(
    means=lambda x, y, v: (log(v) + (x - y) ** 2 / v) / 2,
    # Over a common denominator: right near its zero.
    slope=lambda x, y, v: (
        (x - y) / v,
        (y - x) / v,
        gaussian_nll_variance_slope(x, y, v),
    ),
)
def gaussian_nll(mean: Expression, target: Expression, variance: Expression) -> Expression:
    """Half of log(variance) + (mean - target)^2 / variance; the square is never taken alone."""
    error = mean - target
    return log(variance) / 2 + error / variance * (error / 2)


def _variance_curvature(x: Expression, y: Expression, v: Expression) -> Expression:
    deviation = (x - y) / v
    # Far out the square may overflow where its share of the variance does not.
    far = deviation / v * deviation
    square = deviation * (x - y)
    return where(square < 1e100, (square - 0.5) / v / v, far)


@named(
    means=lambda x, y, v: (1 - (x - y) ** 2 / v) / v / 2,
    # Squares and cubes of a variance may under- or overflow.
    slope=lambda x, y, v: (
        -(x - y) / v / v,
        (x - y) / v / v,
        _variance_curvature(x, y, v),
    ),
)
def gaussian_nll_variance_slope(mean: Expression, target: Expression, v: Expression) -> Expression:
    """The slope of gaussian_nll in the variance."""
    return (1 - (mean - target) / v * (mean - target)) / v / 2


@named(
    means=lambda x, y: exp(x) - y,
)
def exp_minus(x: Expression, y: Expression) -> Expression:
    """exp(x) - y, right also where both are near 1."""
    return where(absolute(x) < 1, expm1(x) - (y - 1), exp(x) - y)


# Below -40, sigmoid(x) is exp(x) to more digits than float64 holds.
_SIGMOID_TAIL = -40.0


@named(
    means=lambda x, p: sigmoid(x) ** p,
    # p σ^(p - 1) σ would round the exponent, and be 0 times infinity far out.
    slope=lambda x, p: (
        p * sigmoid_power(x, p) * sigmoid(-x),
        weighted(sigmoid_power(x, p), log_sigmoid(x)),
    ),
)  # fmt: skip
def sigmoid_power(x: Expression, power: Expression) -> Expression:
    """sigmoid(x) ** power: a power of the accurate probability, and compensated in the far tail."""
    near = sigmoid(maximum(x, _SIGMOID_TAIL)) ** power
    far = exp_product(maximum(x, -1e30), power)  # keeps -inf times 0 out
    return where(x < _SIGMOID_TAIL, far, near)


def _wrong(x: Expression, target: Expression) -> Expression:
    return target * sigmoid(-x) + (1 - target) * sigmoid(x)


def _modulating(x: Expression, target: Expression, power: Expression) -> Expression:
    ends = where(target == 1, sigmoid_power(-x, power), sigmoid_power(x, power))
    return where((target == 0) | (target == 1), ends, _wrong(x, target) ** power)


def _focal_slope(
    x: Expression, t: Expression, power: Expression
) -> tuple[Expression, Expression, Expression]:
    wrong, factor, entropy = (
        _wrong(x, t),
        _modulating(x, t, power),
        sigmoid_cross_entropy(x, t, constant(1), constant(1)),
    )
    # sigmoid(x) sigmoid(-x) / wrong, whose limits at the ends are known
    soft = sigmoid(x) * sigmoid(-x) / wrong
    share = where(t == 0, sigmoid(-x), where(t == 1, sigmoid(x), soft))
    ratio = where(wrong > 0, entropy / wrong, 1)
    return (
        factor * sigmoid_cross_entropy_slope(x, t, constant(1), constant(1))
        + weighted(power * factor * (1 - 2 * t) * share, entropy),
        weighted(power * factor * -tanh(x / 2), ratio) - weighted(factor, x),
        weighted(weighted(factor, entropy), log(wrong)),
    )


@named(
    means=lambda x, t, p: _wrong(x, t) ** p * sigmoid_cross_entropy(x, t, 1, 1),
    # The power is left whole: that of p - 1 would be infinite where nothing is wrong.
    slope=_focal_slope,
)
def sigmoid_focal(x: Expression, share: Expression, power: Expression) -> Expression:
    """Cross-entropy of a share of yes, times the probability of being wrong to a power."""
    entropy = sigmoid_cross_entropy(x, share, constant(1), constant(1))
    return where(entropy < inf, weighted(_modulating(x, share, power), entropy), entropy)


@named(
    means=lambda x, p: 1 - x**p,
    # The exponent p - 1 would be rounded.
    slope=lambda x, p: (
        -p * power_below(x, p),
        -weighted(x**p, log(x)),
    ),
)
def power_complement(x: Expression, power: Expression) -> Expression:
    """1 - x^power for x in [0, 1], right also where the power is near 1."""
    exponent = power * log(x)
    return where(exponent < -0.7, 1 - x**power, -expm1(exponent))


@named(
    means=lambda x, p: x ** (p - 1),
    # The exponent p - 2 would be rounded.
    slope=lambda x, p: (
        (p - 1) * where(x > 0, power_below(x, p) / x, x ** (p - 2)),
        weighted(power_below(x, p), log(x)),
    ),
)
def power_below(x: Expression, power: Expression) -> Expression:
    """x^(power - 1) for x in [0, 1], whose exponent would be rounded."""
    return where(x > 0, x**power / x, x ** (power - 1))


@named(
    means=lambda x: 1 - tanh(x) ** 2,
)
def sech_squared(x: Expression) -> Expression:
    """1 - tanh(x)^2, the slope of tanh, with a right tail."""
    decay = exp(-2 * absolute(x))
    return 4 * decay / ((1 + decay) * (1 + decay))


@named(
    means=lambda x, y: (x - y) / y,
    # 1 / y + (x - y) / y^2 is a difference of infinities where y is tiny.
    slope=lambda x, y: (1 / y, -(x / y) / y),
)
def relative_error(x: Expression, y: Expression) -> Expression:
    """(x - y) / y, whose slopes do not subtract infinities where y is tiny."""
    return (x - y) / y


@named(
    means=lambda x, y: log((1 + x) / (1 + y)),
    # Quotients are not cancelled: (1 + y) / ((1 + x) (1 + y)).
    slope=lambda x, y: (1 / (1 + x), -1 / (1 + y)),
)
def log1p_difference(x: Expression, y: Expression) -> Expression:
    """log(1 + x) - log(1 + y) as log1p(|x - y| / (1 + min)), whose condition is at most 1."""
    low = minimum(x, y)
    base, difference = 1 + low, x - y
    size = absolute(difference)
    # What rounding the difference and the base has changed, relative to each.
    slack = where(size > 0, rounding(sum_error(x, -y, difference)) / difference, 0)
    slack = slack - rounding(sum_error(constant(1), low, base)) / base
    ratio = where(size < 1e300, log1p(size / base * (1 + slack)), log(size) - log(base))
    return sign(difference) * ratio


# A quotient between these is a normal number, whose logarithm loses nothing to under- or overflow.
_TINY, _HUGE = 1e-290, 1e290


@named(
    means=lambda x, y: log(x / y),
    # Quotients are not cancelled: y / (x y), which is NaN at 0.
    slope=lambda x, y: (1 / x, -1 / y),
)
def log_ratio(x: Expression, y: Expression) -> Expression:
    """log(x / y) for numbers from 0, right also when x is close to y."""
    ratio = x / y
    usable = (ratio > _TINY) & (ratio < _HUGE)
    apart = where(usable, log(ratio), log(x) - log(y))
    return where(2 * absolute(x - y) < y, log1p((x - y) / y), apart)


@named(
    means=lambda x, y: where(x + y == 0, log(2), log(2 * x / (x + y))),
    # The limit at two zeros, and a quotient that underflows in no part.
    slope=lambda x, y: (
        where(x + y > 0, y / (x + y) / absolute(x), 0),
        where(x + y > 0, -1 / (x + y), 0),
    ),
)
def log_to_middle(x: Expression, y: Expression) -> Expression:
    """log(x / middle) of x and y, log(2) for two zeros: the limit by x."""
    near = log1p((x - y) / (x + y))
    ratio = where(2 * absolute(x - y) < x + y, near, log_ratio(2 * x, x + y))
    return where(x + y == 0, log(2), ratio)


@named(
    means=lambda x, y: (weighted(x, log(2 * x / (x + y))) + weighted(y, log(2 * y / (x + y)))) / 2,
    # The derivatives of both middles cancel.
    slope=lambda x, y: (log_to_middle(x, y) / 2, log_to_middle(y, x) / 2),
)
def jensen_gap(x: Expression, y: Expression) -> Expression:
    """Half the relative entropies of x and y to their middle; never negative."""
    middle = (x + y) / 2
    tilt = where(middle > 0, (x - y) / (x + y), 0)
    size = minimum(absolute(tilt), 0.5)
    near = log1p(-size * size) + size * log1p(2 * size / (1 - size))
    # Not by the middle, which half of the smallest number rounds to 0.
    far = weighted(x, log_ratio(2 * x, x + y)) + weighted(y, log_ratio(2 * y, x + y))
    return where(absolute(tilt) < 0.5, middle * near, far) / 2
