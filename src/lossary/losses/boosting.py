"""Losses of a score against a sign, as boosting and linear classifiers have them."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Real, Sign
from lossary.functions import exp, maximum, where


@loss(
    source="Freund and Schapire 1997, doi:10.1006/jcss.1997.1504; Friedman, Hastie and Tibshirani "
    "2000, doi:10.1214/aos/1016218223",
    promises="non_negative convex",
)
def exponential(score: Real, sign: Sign):
    """Exponential of how far a score lies on its wrong side."""
    return exp(-sign * score)


@loss(
    source="Zhang 2004, doi:10.1145/1015330.1015332",
    promises="non_negative convex bounded_gradient",
)
def modified_huber(score: Real, sign: Sign):
    """Square of the hinge down to a margin of -1, and its tangent below."""
    margin = sign * score
    return where(margin < -1, -4 * margin, maximum(1 - margin, 0) ** 2)
