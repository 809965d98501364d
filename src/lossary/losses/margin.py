"""Losses that ask for a margin rather than for a probability."""

from __future__ import annotations

from math import inf

from lossary.definition import loss
from lossary.domain import Exponent, Label, NonNegative, Real, Scores, Sign, Simplex
from lossary.functions import (
    class_count,
    is_class,
    maximum,
    peak,
    pick,
    sum_of_three,
    total,
    where,
)

_SIGNS = "Labels 0 and 1 are refused; Keras converts them when a whole batch is 0 or 1."


@loss(
    source="Cortes and Vapnik 1995, doi:10.1007/BF00994018",
    elsewhere=("keras.losses.Hinge", "keras.losses.hinge", "optax.losses.hinge_loss",
               "sklearn.metrics.hinge_loss"),
    promises="non_negative convex bounded_gradient",
    choose="The support vector machine: only examples inside the margin count.",
    traps=(
        _SIGNS,
        "0 from a margin of 1 on the right side, and unbounded on the wrong side: it is not "
        "largest at a score of 0.",
    ),
)  # fmt: skip
def hinge(score: Real, sign: Sign):
    """How far a score falls short of a margin of 1 on its right side."""
    return maximum(1 - sign * score, 0)


@loss(
    source="Rosenblatt 1958, doi:10.1037/h0042519",
    elsewhere=("optax.losses.perceptron_loss",),
    promises="non_negative convex bounded_gradient",
    choose="The classical perceptron: a hinge without a margin, which stops at the first "
    "separating line; hinge goes on until every example is clear of it.",
    traps=(
        "A score of 0 for everything costs 0: the loss alone does not say that anything was "
        "learned.",
        "Labels 0 and 1 are refused.",
    ),
)
def perceptron(score: Real, sign: Sign):
    """How far a score lies on its wrong side."""
    return maximum(-sign * score, 0)


@loss(
    source="Lee and Mangasarian 2001, doi:10.1023/A:1011215321374",
    elsewhere=("keras.losses.SquaredHinge", "keras.losses.squared_hinge"),
    promises="non_negative convex",
    choose="A hinge with a smooth corner: second-order methods, and violations that should hurt "
    "more the larger they are.",
    traps=(_SIGNS,),
)
def squared_hinge(score: Real, sign: Sign):
    """Square of the hinge."""
    short = maximum(1 - sign * score, 0)
    return short * short


@loss(
    source="keras.losses.CategoricalHinge; Moore and DeNero 2011",
    elsewhere=("keras.losses.CategoricalHinge", "keras.losses.categorical_hinge"),
    promises="non_negative convex bounded_gradient",
    choose="To reproduce Keras; crammer_singer is the multi-class hinge of the literature.",
    traps=(
        "The true class takes part in the largest wrong score with a 0: when all wrong scores "
        "are below 0 the result differs from crammer_singer.",
    ),
)
def categorical_hinge(scores: Scores, target: Simplex):
    """Margin of the true score over the largest wrong score, floored at 0, in Keras' form."""
    wrong = peak((1 - target) * scores)
    return maximum(sum_of_three(wrong, -total(target * scores), 1), 0)


@loss(
    source="Crammer and Singer 2001, JMLR 2:265-292",
    elsewhere=("optax.losses.multiclass_hinge_loss", "sklearn.metrics.hinge_loss (multi-class)"),
    promises="non_negative convex bounded_gradient shift_invariant",
    choose="The multi-class support vector machine: the true score should beat the best wrong one "
    "by 1.",
    traps=("Labels count from 0.",),
)
def crammer_singer(scores: Scores, label: Label):
    """How far the true score falls short of the best wrong one plus 1."""
    rival = peak(where(is_class(label), -inf, scores))
    return maximum(sum_of_three(rival, -pick(scores, label), 1), 0)


@loss(
    source="Collins 2002, doi:10.3115/1118693.1118694",
    elsewhere=("optax.losses.multiclass_perceptron_loss",),
    promises="non_negative convex bounded_gradient shift_invariant",
    choose="Structured and multi-class perceptrons; crammer_singer adds a margin.",
    traps=("Equal scores cost 0, whatever the label.", "Labels count from 0."),
)
def multiclass_perceptron(scores: Scores, label: Label):
    """How far the true score falls short of the best score."""
    return peak(scores) - pick(scores, label)


@loss(
    source="Weston and Watkins 1998, CSD-TR-98-04",
    elsewhere=("torch.nn.MultiMarginLoss", "torch.nn.functional.multi_margin_loss"),
    promises="non_negative convex shift_invariant",
    choose="A multi-class hinge in which every wrong class inside the margin counts.",
    traps=(
        "Divided by the number of classes, as torch does; the paper sums.",
        "Labels count from 0.",
    ),
)
def multi_margin(scores: Scores, label: Label, *, margin: Real = 1.0, p: Exponent = 1.0):
    """Sum over the wrong classes of their hinge against the true score, divided by the classes."""
    short = maximum(sum_of_three(scores, -pick(scores, label), margin), 0)
    return total(where(is_class(label), 0, short**p)) / class_count()


@loss(
    source="Hadsell, Chopra and LeCun 2006, doi:10.1109/CVPR.2006.100",
    elsewhere=("torch.nn.HingeEmbeddingLoss", "torch.nn.functional.hinge_embedding_loss"),
    promises="non_negative",
    choose="Distances of pairs: near for 1, at least ``margin`` for -1.",
    traps=("A distance below 0 is refused; torch returns a negative loss for it.",),
)
def hinge_embedding(distance: NonNegative, sign: Sign, *, margin: Real = 1.0):
    """The distance of a like pair; what an unlike pair lacks to the margin."""
    return where(sign > 0, distance, maximum(margin - distance, 0))


@loss(
    source="Herbrich, Graepel and Obermayer 2000, Large margin rank boundaries",
    elsewhere=("torch.nn.MarginRankingLoss", "torch.nn.functional.margin_ranking_loss"),
    promises="non_negative convex bounded_gradient",
    choose="Pairs in a known order: the first should score higher for 1, lower for -1.",
    traps=("margin is 0 by default, so that a tie costs nothing.",),
)
def margin_ranking(first: Real, second: Real, sign: Sign, *, margin: Real = 0.0):
    """How far two scores fall short of their order by ``margin``."""
    return maximum(sum_of_three(-sign * first, sign * second, margin), 0)
