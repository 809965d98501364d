"""Losses that ask for a margin rather than for a probability."""

from __future__ import annotations

from math import inf

from lossary.definition import loss
from lossary.domain import (
    Binaries,
    Exponent,
    Label,
    NonNegative,
    Positive,
    Real,
    Scores,
    Sign,
    Simplex,
    Unit,
    pairs,
)
from lossary.functions import (
    class_count,
    exp,
    is_class,
    log,
    maximum,
    other,
    peak,
    pick,
    sigmoid,
    total,
    where,
)


@loss(
    source="Cortes and Vapnik 1995, doi:10.1007/BF00994018",
    promises="non_negative convex bounded_gradient",
)
def hinge(score: Real, sign: Sign):
    """How far a score falls short of a margin of 1 on its right side."""
    return maximum(0, 1 - sign * score)


@loss(
    source="Rosenblatt 1958, doi:10.1037/h0042519", promises="non_negative convex bounded_gradient"
)
def perceptron(score: Real, sign: Sign):
    """How far a score lies on its wrong side."""
    return maximum(0, -sign * score)


@loss(
    source="Lee and Mangasarian 2001, doi:10.1023/A:1011215321374", promises="non_negative convex"
)
def squared_hinge(score: Real, sign: Sign):
    """Square of the hinge."""
    return maximum(0, 1 - sign * score) ** 2


@loss(
    source="Rennie and Srebro 2005, Loss functions for preference levels: regression with discrete "
    "ordered labels, IJCAI workshop on advances in preference handling, eq. 6",
    promises="non_negative convex bounded_gradient",
)
def smoothed_hinge(score: Real, sign: Sign):
    """The hinge with its corner rounded between margins of 0 and 1."""
    z = sign * score
    return where(z <= 0, 0.5 - z, maximum(1 - z, 0) ** 2 / 2)


@loss(
    source="Wu and Liu 2007, doi:10.1198/016214507000000617; Collobert et al. 2006, "
    "doi:10.1145/1143844.1143870",
    promises="non_negative bounded_gradient",
)
def ramp(score: Real, sign: Sign, *, ceiling: Positive = 2.0):
    """The hinge, truncated at ``ceiling``: an outlier costs no more than that."""
    margin = sign * score
    return where(margin < 1 - ceiling, ceiling, maximum(0, 1 - margin))


@loss(
    source="Masnadi-Shirazi and Vasconcelos 2008, On the design of loss functions for "
    "classification: theory, robustness to outliers, and SavageBoost, NIPS 21:1049-1056",
    promises="non_negative bounded_gradient",
)
def savage(score: Real, sign: Sign):
    """Square of the probability of the wrong side, if a score is half of the log-odds."""
    return sigmoid(-2 * sign * score) ** 2


@loss(
    source="van Rooyen, Menon and Williamson 2015, arXiv:1505.07634, sec. 4",
    promises="convex bounded_gradient",
)
def unhinged(score: Real, sign: Sign):
    """The hinge without its floor of 0."""
    return 1 - sign * score


@loss(
    source="keras.losses.CategoricalHinge; Moore and DeNero 2011",
    promises="non_negative convex bounded_gradient",
)
def categorical_hinge(scores: Scores, target: Simplex):
    """Margin of the true score over the largest wrong score, floored at 0, in Keras' form."""
    wrong, right = peak((1 - target) * scores), total(target * scores)
    return maximum(0, wrong - right + 1)


@loss(
    source="Crammer and Singer 2001, JMLR 2:265-292",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def crammer_singer(scores: Scores, label: Label):
    """How far the true score falls short of the best wrong one plus 1."""
    rival = peak(where(is_class(label), -inf, scores))
    return maximum(0, 1 + rival - pick(scores, label))


@loss(
    source="Collins 2002, doi:10.3115/1118693.1118694",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def multiclass_perceptron(scores: Scores, label: Label):
    """How far the true score falls short of the best score."""
    return peak(scores) - pick(scores, label)


@loss(
    source="Weston and Watkins 1998, CSD-TR-98-04", promises="non_negative convex shift_invariant"
)
def multi_margin(scores: Scores, label: Label, *, margin: Real = 1.0, p: Exponent = 1.0):
    """Sum over the wrong classes of their hinge against the true score, divided by the classes."""
    short = maximum(0, margin - pick(scores, label) + scores)
    return total(where(is_class(label), 0, short**p)) / class_count()


@loss(source="Hadsell, Chopra and LeCun 2006, doi:10.1109/CVPR.2006.100", promises="non_negative")
def hinge_embedding(distance: NonNegative, sign: Sign, *, margin: Real = 1.0):
    """The distance of a like pair; what an unlike pair lacks to the margin."""
    return where(sign > 0, distance, maximum(0, margin - distance))


@loss(
    source="Hadsell, Chopra and LeCun 2006, doi:10.1109/CVPR.2006.100, eq. 4",
    promises="non_negative",
)
def contrastive(distance: NonNegative, sign: Sign, *, margin: Positive = 1.0):
    """Half the square of a like pair's distance, and of what an unlike pair lacks to the margin."""
    return where(sign > 0, distance, maximum(0, margin - distance)) ** 2 / 2


@loss(
    source="Herbrich, Graepel and Obermayer 2000, Large margin rank boundaries",
    promises="non_negative convex bounded_gradient",
)
def margin_ranking(first: Real, second: Real, sign: Sign, *, margin: Real = 0.0):
    """How far two scores fall short of their order by ``margin``."""
    return maximum(0, -sign * (first - second) + margin)


@loss(
    source="Marron, Todd and Ahn 2007, doi:10.1198/016214507000001120; as a loss: Wang and Zou "
    "2018, doi:10.1111/rssb.12244",
    promises="non_negative convex bounded_gradient",
)
def distance_weighted(score: Real, sign: Sign):
    """The hinge down from a margin of 1/2, and the inverse of the margin beyond: DWD."""
    margin = sign * score
    return where(margin <= 0.5, 1 - margin, 1 / (4 * margin))


@loss(
    source="Huang, Shi and Suykens 2014, doi:10.1109/TPAMI.2013.178",
    promises="non_negative convex bounded_gradient",
)
def pinball_hinge(score: Real, sign: Sign, *, tau: Unit = 0.5):
    """The hinge that also charges ``tau`` for each unit of margin beyond 1."""
    short = 1 - sign * score
    return where(short >= 0, short, -tau * short)


@loss(
    source="Wu et al. 2017, arXiv:1706.07567",
    promises="non_negative convex",
)
def margin_based(
    distance: NonNegative, sign: Sign, *, margin: NonNegative = 0.2, boundary: Positive = 1.2
):
    """How far a distance lies on the wrong side of ``boundary``, or within ``margin`` of it."""
    return maximum(0, margin + sign * (distance - boundary))


@loss(
    source="Rifkin and Klautau 2004, JMLR 5:101-141",
    promises="non_negative convex bounded_gradient",
)
def one_against_rest(scores: Scores, label: Label):
    """Logistic losses of all classes, each against all others, added up."""
    return total(log(1 + exp(where(is_class(label), -scores, scores))))


@loss(source="Hui and Belkin 2020, arXiv:2006.07322, sec. 2", promises="non_negative convex")
def rescaled_squared_error(
    scores: Scores, label: Label, *, true_weight: Positive = 1.0, height: Positive = 1.0
):
    """Mean square of the scores, that of the true class taken from ``height``."""
    right, wrong = true_weight * (scores - height) ** 2, scores**2
    return total(where(is_class(label), right, wrong)) / class_count()


@loss(
    source="Crammer and Singer 2003, JMLR 3:1025-1058; divided by the classes as PyTorch does",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def multi_label_margin(scores: Scores, target: Binaries):
    """What each present class lacks of a lead of 1 over each absent one, divided by the classes."""
    lead = scores - other(scores)
    missing = total(maximum(0, 1 - lead), over=pairs, where=target > other(target))
    return missing / class_count()
