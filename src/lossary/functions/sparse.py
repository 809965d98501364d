"""Probabilities of which some are exactly 0: the point of the simplex that is nearest to scores."""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.ordered import cumulate
from lossary.functions.vocabulary import (
    Jacobian,
    Slope,
    is_class,
    maximum,
    named,
    peak,
    pick,
    sqrt,
    total,
    where,
)


def _supported(z: Expression) -> Expression:
    """Whether each class has a probability above 0 (Martins and Astudillo 2016, algorithm 1)."""
    return 1 + cumulate(1, by=z) * z > cumulate(z, by=z)


def _threshold(z: Expression, supported: Expression) -> Expression:
    return (total(where(supported, z, 0)) - 1) / total(where(supported, 1, 0))


def _above(z: Expression) -> Expression:
    """Return the scores above their threshold, of which the positive ones are probabilities.

    They are taken relative to the largest, so that nothing is lost beside large scores.
    """
    below = z - peak(z)
    supported = cumulate(below, by=z) - cumulate(1, by=z) * below < 1
    return below - _threshold(below, supported)


def _sparsemax_slope(z: Expression) -> tuple[Slope, ...]:
    share = where(sparsemax(z) > 0, 1, 0)
    return (Jacobian(share, ((share, -share / total(share)),)),)


@named(
    means=lambda z: maximum(z - _threshold(z, _supported(z)), 0),
    # Where a class is at the threshold it takes no part.
    slope=_sparsemax_slope,
    shape="class",
)
def sparsemax(z: Expression) -> Expression:
    """The probabilities that are nearest to scores; classes far behind have exactly 0."""
    return maximum(_above(z), 0)


def _minus_one_hot(z: Expression, label: Expression) -> Expression:
    """Return what sparsemax gives too much to each class; nothing cancels where it is sure."""
    p = sparsemax(z)
    here = is_class(label)
    return where(here, -total(where(here, 0, p)), p)


def _of_label(z: Expression, label: Expression) -> Expression:
    supported = _supported(z)
    threshold = _threshold(z, supported)
    return total(where(supported, z * z - threshold * threshold, 0)) / 2 + 0.5 - pick(z, label)


@named(
    means=_of_label,
    # The conjugate's slope is sparsemax, less 1 for the label.
    slope=lambda z, label: (_minus_one_hot(z, label), None),
    shape="row",
)
def sparsemax_loss_at(z: Expression, label: Expression) -> Expression:
    """Loss of a label whose gradient is sparsemax: a sum of squares, and how far the label is out.

    With p = sparsemax(z) and the threshold tau it is |y - p|^2 / 2 + max(tau - z_label, 0), where
    no term is below 0.
    """
    above = _above(z)
    missed = _minus_one_hot(z, label)
    return total(missed * missed) / 2 + maximum(-pick(above, label), 0)


# The same with a power of 3/2 (Peters, Niculae and Martins 2019, algorithm 2): probabilities are
# squares of how far half of a score lies above its threshold. Of the n classes that have one it is
# mean - sqrt((1 - sum of squared deviations) / n).


def _halves_supported(half: Expression) -> Expression:
    count, whole = cumulate(1, by=half), cumulate(half, by=half)
    spread = cumulate(half * half, by=half) - whole * whole / count
    return whole / count - sqrt(maximum((1 - spread) / count, 0)) <= half


def _half_threshold(half: Expression, supported: Expression) -> Expression:
    count = total(where(supported, 1, 0))
    middle = total(where(supported, half, 0)) / count
    spread = total(where(supported, (half - middle) * (half - middle), 0))
    return middle - sqrt(maximum((1 - spread) / count, 0))


def _halves_above(z: Expression) -> Expression:
    """Return how far half of each score lies above the threshold, relative to the largest.

    The threshold is at most 1 below the largest half: what is far below needs no digits.
    """
    half = maximum((z - peak(z)) / 2, -2)
    above = half - _half_threshold(half, _halves_supported(half))
    return where((z - peak(z)) / 2 > -2, above, (z - peak(z)) / 2 + (above - half))


def _roots_meaning(z: Expression) -> Expression:
    half = z / 2
    return maximum(half - _half_threshold(half, _halves_supported(half)), 0)


def _roots_slope(z: Expression) -> tuple[Slope, ...]:
    root = entmax_root(z)
    share = where(root > 0, 0.5, 0)
    return (Jacobian(share, ((share, -root / total(root)),)),)


@named(
    means=_roots_meaning,
    # Where a class is at the threshold it takes no part.
    slope=_roots_slope,
    shape="class",
)
def entmax_root(z: Expression) -> Expression:
    """Square roots of the probabilities of 1.5-entmax, which lie between softmax and sparsemax."""
    return maximum(_halves_above(z), 0)


def _entmax_minus_one_hot(z: Expression, label: Expression) -> Expression:
    root, here = entmax_root(z), is_class(label)
    return where(here, -total(where(here, 0, root * root)), root * root)


@named(
    means=lambda z, label: (
        total(z * entmax_root(z) ** 2) + 4 / 3 * (1 - total(entmax_root(z) ** 3)) - pick(z, label)
    ),
    # The conjugate's slope is entmax, less 1 for the label.
    slope=lambda z, label: (_entmax_minus_one_hot(z, label), None),
    shape="row",
)
def entmax_loss_at(z: Expression, label: Expression) -> Expression:
    """Loss of a label whose gradient is entmax, as a sum of terms of which none is below 0.

    With the roots s of the probabilities it is 2/3 of the sum of the others' s^3 and of
    (1 - s)^2 (s + 2) of the label, and twice how far half of the label's score is below the
    threshold.
    """
    above, here = _halves_above(z), is_class(label)
    root = maximum(above, 0)
    others = where(here, 0, root)
    own = pick(root, label)
    missed = total(others * others) / (1 + own)
    return (total(others * others * others) + missed * missed * (own + 2)) * (2 / 3) + 2 * maximum(
        -pick(above, label), 0
    )
