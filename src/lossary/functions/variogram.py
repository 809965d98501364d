"""The score of a variogram: powers of distances against their mean over an ensemble."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression
from lossary.functions.vectors import common_scale
from lossary.functions.vocabulary import (
    absolute,
    log,
    maximum,
    named,
    sign,
    total,
    weighted,
    where,
)


def _mean(w: Expression, x: Expression) -> Expression:
    return total(weighted(w, x)) / total(w)


def _bend(x: Expression, y: Expression, power: Expression) -> Expression:
    """Return the slope of the slope of |x - y|^power, 0 at a corner, where it is infinite."""
    curved = weighted(power * (power - 1), absolute(x - y) ** (power - 2))
    return where((absolute(x - y) < 1) & ~(absolute(curved) < inf), 0, curved)


@named(
    means=lambda x, y, p: weighted(sign(x - y), p * absolute(x - y) ** (p - 1)),
    # A root has an infinite slope at 0, of no sign.
    slope=lambda x, y, p: (
        _bend(x, y, p),
        -_bend(x, y, p),
        weighted(sign(x - y), absolute(x - y) ** (p - 1) * (1 + p * log(absolute(x - y)))),
    ),
)
def distance_power_slope(x: Expression, y: Expression, power: Expression) -> Expression:
    """The slope of |x - y|^power, 0 at 0 also of a root."""
    apart = x / 4 - y / 4
    return weighted(sign(apart), power * (4 * absolute(apart)) ** (power - 1))


def _logged(x: Expression, y: Expression, power: Expression) -> Expression:
    return weighted(absolute(x - y) ** power, log(absolute(x - y)))


def _slopes(
    x: Expression, y: Expression, w: Expression, t: Expression, u: Expression, power: Expression
) -> tuple[Expression, ...]:
    drawn, seen = (
        weighted(w, distance_power_slope(x, y, power)) / total(w),
        distance_power_slope(t, u, power),
    )
    distance = absolute(x - y) ** power
    by_weight = (distance - _mean(w, distance)) / total(w)
    by_power = _mean(w, _logged(x, y, power)) - _logged(t, u, power)
    return drawn, -drawn, by_weight, -seen, seen, by_power


@named(
    means=lambda x, y, w, t, u, p: _mean(w, absolute(x - y) ** p) - absolute(t - u) ** p,
    # A root of 0 has an infinite slope, of no sign.
    slope=_slopes,
    shape="row",
)
def variogram_excess(
    x: Expression,
    y: Expression,
    weight: Expression,
    t1: Expression,
    t2: Expression,
    power: Expression,
) -> Expression:
    """The mean of |x - y|^power above |t1 - t2|^power, neither of which overflows alone."""
    apart, seen = absolute(x / 4 - y / 4), absolute(t1 / 4 - t2 / 4)
    scale = maximum(common_scale(apart), common_scale(seen))  # a power of two: ratios are exact
    rest = _mean(weight, (apart / scale) ** power) - (seen / scale) ** power
    return weighted(rest, (4 * scale) ** power)


@named(
    means=lambda x, y, w, t, u, p: (_mean(w, absolute(x - y) ** p) - absolute(t - u) ** p) ** 2,
    # A slope of 0 may meet what overflows.
    slope=lambda *x: tuple(weighted(slope, 2 * variogram_excess(*x)) for slope in _slopes(*x)),
    shape="row",
)
def variogram_gap(
    x: Expression,
    y: Expression,
    weight: Expression,
    t1: Expression,
    t2: Expression,
    power: Expression,
) -> Expression:
    """(mean |x - y|^power - |t1 - t2|^power)^2."""
    excess = variogram_excess(x, y, weight, t1, t2, power)
    return excess * excess
