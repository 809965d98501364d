"""Losses of a score against a sign, as boosting and linear classifiers have them."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Real, Sign
from lossary.functions import exp, maximum, where

_SIGNS = "Labels 0 and 1 are refused: write them as -1 and 1."


@loss(
    source="Freund and Schapire 1997, doi:10.1006/jcss.1997.1504; Friedman, Hastie and Tibshirani "
    "2000, doi:10.1214/aos/1016218223",
    elsewhere=("sklearn.ensemble.GradientBoostingClassifier (loss='exponential')", "AdaBoost"),
    promises="non_negative convex",
    choose="To reproduce AdaBoost. For labels of which some are wrong choose soft_margin, which "
    "grows linearly.",
    traps=(
        _SIGNS,
        "The score is half the log-odds: the probability is the sigmoid of twice the score.",
        "scikit-learn's private class takes 0 and 1 and adds both sides by their shares.",
    ),
)  # fmt: skip
def exponential(score: Real, sign: Sign):
    """Exponential of how far a score lies on its wrong side."""
    return exp(-sign * score)


@loss(
    source="Zhang 2004, doi:10.1145/1015330.1015332",
    elsewhere=("sklearn.linear_model.SGDClassifier (loss='modified_huber')",),
    promises="non_negative convex bounded_gradient",
    choose="squared_hinge that outliers do not rule: it goes on linearly beyond a margin of -1.",
    traps=(
        _SIGNS,
        "Not the Huber loss of regression.",
        "The score estimates 2 p - 1, clipped to [-1, 1].",
    ),
)
def modified_huber(score: Real, sign: Sign):
    """Square of the hinge down to a margin of -1, and its tangent below."""
    margin = sign * score
    return where(margin < -1, -4 * margin, maximum(1 - margin, 0) ** 2)
