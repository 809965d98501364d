"""The focal loss of a target that says how good a detection is."""

from __future__ import annotations

from lossary.formula import Expression, constant
from lossary.functions.elementwise import (
    sigmoid,
    sigmoid_cross_entropy,
    sigmoid_cross_entropy_slope,
)
from lossary.functions.vocabulary import absolute, log, named, sign, tanh, weighted, where


def _entropy(x: Expression, t: Expression) -> Expression:
    return sigmoid_cross_entropy(x, t, constant(1), constant(1))


def _distance(x: Expression, t: Expression) -> Expression:
    """Return sigmoid(x) - t."""
    return sigmoid_cross_entropy_slope(x, t, constant(1), constant(1))


def _size(x: Expression, t: Expression) -> Expression:
    return absolute(_distance(x, t))


def _per_distance(x: Expression, t: Expression, power: Expression) -> Expression:
    """Return the derivative of |d|^power in d = sigmoid(x) - t, 0 where d is 0."""
    distance, size = _distance(x, t), _size(x, t)
    return where(distance == 0, 0, power * size ** (power - 1) * sign(distance))


def _parts(x: Expression, t: Expression, power: Expression) -> tuple[Expression, ...]:
    """Return d = sigmoid(x) - t, itself or 1, its size to the power, and the cross-entropy."""
    distance = _distance(x, t)
    whole = where(distance == 0, 1, distance)
    return distance, whole, absolute(distance) ** power, _entropy(x, t)


def _pull(x: Expression, t: Expression, power: Expression, v: Expression) -> Expression:
    """Return power |d|^power / d times v for d = sigmoid(x) - t: no infinity meets a 0."""
    distance, whole, fade, _ = _parts(x, t, power)
    above = sign(distance) * absolute(distance) ** (power - 1) * v
    return where(distance == 0, 0, power * where(power >= 1, above, fade * (v / whole)))


def _steepness(x: Expression) -> Expression:
    return sigmoid(x) * sigmoid(-x)


def _curvature(x: Expression, t: Expression, p: Expression) -> Expression:
    distance, whole, fade, entropy = _parts(x, t, p)
    pull, rest = _pull(x, t, p, _steepness(x) * entropy), fade * _steepness(x)
    bent = weighted(pull, weighted(p - 1, _steepness(x) / whole) - tanh(x / 2))
    return where(distance == 0, 0, bent + 2 * (p * rest)) + rest


def _target_curvature(x: Expression, t: Expression, p: Expression) -> Expression:
    _, whole, _, entropy = _parts(x, t, p)
    # Half of the sum, so that no part of it is infinite alone.
    half = weighted((p - 1) / 2, entropy / whole) + x
    return 2 * weighted(_pull(x, t, p, constant(1)), half)


def _mixed(x: Expression, t: Expression, p: Expression) -> Expression:
    distance, whole, fade, entropy = _parts(x, t, p)
    inner = weighted(_pull(x, t, p, _steepness(x)), weighted(1 - p, entropy / whole) - x)
    return where(distance == 0, 0, inner - p * fade) - fade


@named(
    means=lambda x, t, p: _size(x, t) ** p * _entropy(x, t),
    # Powers less one would overflow beside a 0.
    slope=lambda x, t, p: (
        sigmoid_quality_focal_slope(x, t, p),
        sigmoid_quality_focal_target_slope(x, t, p),
        weighted(weighted(_size(x, t) ** p, log(_size(x, t))), _parts(x, t, p)[3]),
    ),
)
def sigmoid_quality_focal(x: Expression, target: Expression, power: Expression) -> Expression:
    """|sigmoid(x) - target|^power times the cross-entropy of the target."""
    return _size(x, target) ** power * _entropy(x, target)


@named(
    means=lambda x, t, p: (
        _per_distance(x, t, p) * sigmoid(x) * sigmoid(-x) * _entropy(x, t)
        + _size(x, t) ** p * _distance(x, t)
    ),
    # As above.
    slope=lambda x, t, p: (
        _curvature(x, t, p),
        _mixed(x, t, p),
        weighted(sigmoid_quality_focal_slope(x, t, p), log(_size(x, t)))
        + _pull(x, t, p, _steepness(x) * _parts(x, t, p)[3]) / p,
    ),
)
def sigmoid_quality_focal_slope(x: Expression, target: Expression, power: Expression) -> Expression:
    """The slope of sigmoid_quality_focal in x; a power less one would overflow beside a 0."""
    distance, _, fade, entropy = _parts(x, target, power)
    return _pull(x, target, power, _steepness(x) * entropy) + fade * distance


@named(
    means=lambda x, t, p: -_per_distance(x, t, p) * _entropy(x, t) - _size(x, t) ** p * x,
    # As above.
    slope=lambda x, t, p: (
        _mixed(x, t, p),
        _target_curvature(x, t, p),
        weighted(sigmoid_quality_focal_target_slope(x, t, p), log(_size(x, t)))
        - _pull(x, t, p, _parts(x, t, p)[3]) / p,
    ),
)
def sigmoid_quality_focal_target_slope(
    x: Expression, target: Expression, power: Expression
) -> Expression:
    """The slope of sigmoid_quality_focal in the target."""
    _, _, fade, entropy = _parts(x, target, power)
    return -_pull(x, target, power, entropy) - weighted(fade, x)
