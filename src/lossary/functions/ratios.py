"""How far two amounts are from each other, by their ratio, right also where they nearly agree."""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.divergence import excess_entropy
from lossary.functions.elementwise import log_ratio, poisson_rate_nll_slope
from lossary.functions.gaps import log1p_gap
from lossary.functions.vocabulary import (
    absolute,
    log,
    maximum,
    minimum,
    named,
    sign,
    weighted,
    where,
)


@named(
    means=lambda x, y: 1 / y - 1 / x,
    # Where both are tiny their inverses are infinite.
    slope=lambda x, y: (1 / x / x, -1 / y / y),
)
def inverse_difference(x: Expression, y: Expression) -> Expression:
    """1 / y - 1 / x of numbers above 0, over a common denominator that does not overflow."""
    return (x - y) / maximum(x, y) / minimum(x, y)


@named(
    means=lambda x, y: 1 / y - x / y**2,
    # Squares and cubes may under- or overflow.
    slope=lambda x, y: (-1 / y / y, (2 * x - y) / y / y / y),
)
def ratio_gap_slope(x: Expression, y: Expression) -> Expression:
    """The slope of ratio_gap in y."""
    return (y - x) / y / y


@named(
    means=lambda x, y: x / y - 1 - log(x / y),
    # Over a common denominator: right near its zero.
    slope=lambda x, y: (inverse_difference(x, y), ratio_gap_slope(x, y)),
)
def ratio_gap(x: Expression, y: Expression) -> Expression:
    """X / y - 1 - log(x / y) of numbers above 0."""
    close = 2 * absolute(x - y) < y
    near = log1p_gap(where(close, x - y, 0) / y)
    return where(close, near, x / y - 1 - log_ratio(x, y))


@named(
    means=lambda t, rate: weighted(t, log(t / rate)) - t + rate,
    # Over a common denominator: right near its zero.
    slope=lambda t, rate: (log_ratio(t, rate), poisson_rate_nll_slope(rate, t)),
)
def rate_divergence(t: Expression, rate: Expression) -> Expression:
    """Relative entropy of an amount to a rate, of which neither has to be a probability."""
    return excess_entropy(t, rate)


@named(
    means=lambda p, t: log(p / t) + (p - t) / p,
    # Quotients are not cancelled; two zeros agree.
    slope=lambda p, t: (
        where((p == 0) & (t == 0), 0, 1 / p + t / p / p),
        where((p == 0) & (t == 0), 0, -1 / t - 1 / p),
    ),
)
def jeffreys_slope(p: Expression, t: Expression) -> Expression:
    """The slope of jeffreys_term in p, 0 for two zeros."""
    return where((p == 0) & (t == 0), 0, log_ratio(p, t) + (p - t) / p)


@named(
    means=lambda p, t: weighted(p - t, log(p / t)),
    # Two zeros agree: their slope is 0.
    slope=lambda p, t: (jeffreys_slope(p, t), jeffreys_slope(t, p)),
)
def jeffreys_term(p: Expression, t: Expression) -> Expression:
    """(p - t) log(p / t), 0 where the two agree."""
    return weighted(p - t, log_ratio(p, t))


@named(
    means=lambda x, p: where(x == 0, 0, p * absolute(x) ** (p - 1) * sign(x)),
    # At 0 an infinite power meets a sign of 0.
    slope=lambda x, p: (
        where(absolute(x) + (p - 1) == 0, 0, weighted(absolute(x) ** (p - 2), p * (p - 1))),
        where(x == 0, 0, sign(x) * absolute(x) ** (p - 1) * (1 + p * log(absolute(x)))),
    ),
)
def size_power_slope(x: Expression, power: Expression) -> Expression:
    """The slope of size_power."""
    return where(x == 0, 0, power * absolute(x) ** (power - 1) * sign(x))


@named(
    means=lambda x, p: absolute(x) ** p,
    # At 0 an infinite power meets a sign of 0.
    slope=lambda x, p: (
        size_power_slope(x, p),
        weighted(absolute(x) ** p, log(absolute(x))),
    ),
)
def size_power(x: Expression, power: Expression) -> Expression:
    """|x|^power for a power of at least 1."""
    return absolute(x) ** power


def _over(x: Expression, size: Expression) -> Expression:
    return where(x == 0, 0, x / where(x == 0, 1, size))


@named(
    means=lambda x, s: x**2 / s,
    # 0 / 0 where there is nothing of either.
    slope=lambda x, s: (2 * _over(x, s), -(_over(x, s) * _over(x, s))),
)
def square_over(x: Expression, size: Expression) -> Expression:
    """X^2 over an amount, which is 0 where x is."""
    return x * _over(x, size)
