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
