"""Self-supervised losses without negatives: two views of one thing, and features that differ."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Embedding, Label, NonNegative, Positive, Scores
from lossary.functions import (
    class_count,
    held,
    is_class,
    maximum,
    norm,
    pick,
    sqrt,
    total,
)

# What goes over features takes a row of their correlations, or covariances: those of one feature
# with all, of which its own stands at the place that a label says.


@loss(
    source="Chen and He 2020, arXiv:2011.10566, eq. 1 and 3, for one direction",
    promises="scale_invariant",
)
def simsiam(prediction: Embedding, target: Embedding):
    """Minus the cosine of a predicted view with another, which is held."""
    z = held(target)
    return -total(prediction * z) / (norm(prediction) * norm(z))


@loss(
    source="Grill et al. 2020, arXiv:2006.07733, eq. 2",
    promises="non_negative zero_at_target scale_invariant",
)
def byol(prediction: Embedding, target: Embedding):
    """Squared distance of the directions of a predicted view and another, which is held."""
    z = held(target)
    return 2 - 2 * total(prediction * z) / (norm(prediction) * norm(z))


@loss(
    source="Zbontar et al. 2021, arXiv:2103.03230, eq. 1, for one row of the matrix",
    promises="non_negative convex",
)
def barlow_twins(correlations: Scores, label: Label, *, redundancy_weight: NonNegative = 0.005):
    """How far a feature is from agreeing with itself in the other view, and with no other one."""
    alike = (1 - pick(correlations, label)) ** 2
    return alike + redundancy_weight * total(correlations**2, where=~is_class(label))


@loss(
    source="Bardes, Ponce and LeCun 2021, arXiv:2105.04906, eq. 3-4, for one row of the matrix",
    promises="non_negative convex needs_rivals",
)
def feature_covariance(covariances: Scores, label: Label):
    """Squares of a feature's covariances with all others, over the number of features: VICReg."""
    return total(covariances**2, where=~is_class(label)) / class_count()


@loss(
    source="Bardes, Ponce and LeCun 2021, arXiv:2105.04906, eq. 1-2, for one feature",
    promises="non_negative shift_invariant",
)
def feature_variance(feature: Embedding, *, deviation: Positive = 1.0, epsilon: NonNegative = 1e-4):
    """What the standard deviation of a feature over the batch falls short of a target: VICReg."""
    x = feature - total(feature) / class_count()
    variance = total(x**2) / maximum(1, class_count() - 1)
    return maximum(0, deviation - sqrt(variance + epsilon))
