"""Ranking: lists in which some members should stand before others."""

from __future__ import annotations

from math import log as log_of
from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import Binary, NonNegative, Positive, Real, others, pairs, positions
from lossary.functions import (
    cumulate,
    exp,
    expm1,
    held,
    log,
    log1p,
    maximum,
    minimum,
    other,
    peak,
    rank,
    sigmoid,
    total,
    where,
)


@loss(
    source="Xia et al. 2008, doi:10.1145/1390156.1390306",
    promises="non_negative convex shift_invariant",
)
def listmle(score: Annotated[Real, positions], relevance: Annotated[Real, positions]):
    """Negative log-likelihood of an order: each is chosen among itself and what comes after it."""
    remaining = cumulate(exp(score), by=-relevance, over=positions)
    return total(log(remaining) - score, over=positions)


@loss(
    source="Burges et al. 2005, doi:10.1145/1102351.1102363",
    promises="non_negative convex shift_invariant",
)
def ranknet(score: Annotated[Real, positions], relevance: Annotated[Real, positions]):
    """Negative log-likelihood that each of two members stands before the less relevant one."""
    higher = relevance > other(relevance)
    return total(log(1 + exp(-(score - other(score)))), over=pairs, where=higher)


@loss(
    source="Herbrich et al. 1999, doi:10.1049/cp:19991091; Joachims 2002, doi:10.1145/775047.775067",
    promises="non_negative convex shift_invariant",
)
def pairwise_hinge(
    score: Annotated[Real, positions],
    relevance: Annotated[Real, positions],
    *,
    margin: NonNegative = 1.0,
):
    """What each member lacks of a lead of a margin over each that is less relevant."""
    higher = relevance > other(relevance)
    lead = score - other(score)
    return total(maximum(margin - lead, 0), over=pairs, where=higher)


@loss(
    source="Hofstätter et al. 2020, arXiv:2010.02666",
    promises="non_negative zero_at_target symmetric convex shift_invariant",
)
def pairwise_squared(score: Annotated[Real, positions], relevance: Annotated[Real, positions]):
    """Squared error of the differences between the members, each pair both ways round."""
    error = (score - other(score)) - (relevance - other(relevance))
    return total(error**2, over=pairs)


@loss(source="Herschtal and Raskutti 2004, doi:10.1145/1015330.1015366", promises="non_negative")
def pairwise_soft_zero_one(
    score: Annotated[Real, positions], relevance: Annotated[Real, positions]
):
    """How many pairs stand the wrong way round, made smooth."""
    higher = relevance > other(relevance)
    return total(sigmoid(other(score) - score), over=pairs, where=higher)


@loss(
    source="Gao and Zhou 2015, arXiv:1208.0645",
    promises="non_negative convex shift_invariant",
    empty="zero",
)
def auc_logistic(score: Annotated[Real, positions], target: Annotated[Binary, positions]):
    """RankNet's loss of a positive and a negative, on average: a smooth bound of 1 - AUC."""
    apart = log(1 + exp(-(score - other(score))))
    lost = total(apart, over=pairs, where=target > other(target))
    return lost / (total(target, over=positions) * total(1 - target, over=positions))


@loss(
    source="Yan et al. 2003; Gao and Zhou 2015, arXiv:1208.0645",
    promises="non_negative convex shift_invariant",
    empty="zero",
)
def auc_squared_hinge(
    score: Annotated[Real, positions],
    target: Annotated[Binary, positions],
    *,
    margin: NonNegative = 1.0,
):
    """Square of what a positive lacks of a lead of a margin over a negative, on average."""
    lacking = maximum(margin - (score - other(score)), 0)
    lost = total(lacking**2, over=pairs, where=target > other(target))
    return lost / (total(target, over=positions) * total(1 - target, over=positions))


@loss(
    source="Gao et al. 2013, arXiv:1305.1363",
    promises="non_negative convex shift_invariant",
    empty="zero",
)
def auc_squared(
    score: Annotated[Real, positions],
    target: Annotated[Binary, positions],
    *,
    margin: NonNegative = 1.0,
):
    """Squared error of the lead of a positive over a negative, on average."""
    error = margin - (score - other(score))
    lost = total(error**2, over=pairs, where=target > other(target))
    return lost / (total(target, over=positions) * total(1 - target, over=positions))


def _gain(relevance: Any) -> Any:
    return 2**relevance - 1


def _gain_of_largest(relevance: Any) -> Any:
    """2**relevance - 1 over 2 to the power of the largest: of these, shares stay finite."""
    top = held(peak(relevance, over=positions))
    small = expm1(log_of(2) * relevance) * 2**-top
    return where(relevance < 1, small, 2 ** (relevance - top) - 2**-top)


def _ideal(gain: Any, relevance: Any) -> Any:
    return total(gain / log(1 + rank(relevance)), over=positions)


def _smooth_ranks(score: Any, temperature: Any) -> Any:
    return 1 + total(sigmoid((other(score) - score) / temperature), over=others)


def _approx_ndcg(score: Any, gain: Any, relevance: Any, temperature: Any) -> Any:
    found = total(gain / log(1 + _smooth_ranks(score, temperature)), over=positions)
    return -found / _ideal(gain, relevance)


def _approx_ndcg_computed(score: Any, relevance: Any, *, temperature: Any) -> Any:
    return _approx_ndcg(score, _gain_of_largest(relevance), relevance, temperature)


@loss(
    source="Qin, Liu and Li 2010, doi:10.1007/s10791-009-9124-x; Bruch et al. 2019, "
    "doi:10.1145/3331184.3331347",
    promises="shift_invariant",
    empty="zero",
    computed=_approx_ndcg_computed,
)
def approx_ndcg(
    score: Annotated[Real, positions],
    relevance: Annotated[NonNegative, positions],
    *,
    temperature: Positive = 1.0,
):
    """Minus NDCG, with the rank of a member as a sum of how far each other one stands above it."""
    return _approx_ndcg(score, _gain(relevance), relevance, temperature)


@loss(
    source="Qin, Liu and Li 2010, doi:10.1007/s10791-009-9124-x",
    promises="shift_invariant",
    empty="zero",
)
def approx_mrr(
    score: Annotated[Real, positions],
    relevance: Annotated[NonNegative, positions],
    *,
    temperature: Positive = 1.0,
):
    """Minus the mean reciprocal of the smooth ranks of what is relevant."""
    found = total(relevance / _smooth_ranks(score, temperature), over=positions)
    return -found / total(relevance, over=positions)


def _gains_apart(relevance: Any) -> Any:
    """How much more the more relevant of two gains, over 2 to the power of the largest."""
    top = held(peak(relevance, over=positions))
    lead = relevance - other(relevance)
    near = expm1(log_of(2) * lead) * 2 ** (other(relevance) - top)
    return where(lead < 1, near, 2 ** (relevance - top) - 2 ** (other(relevance) - top))


def _lambda_loss(score: Any, relevance: Any, change: Any) -> Any:
    """RankNet's loss of each pair, times what NDCG changes by, which is a constant."""
    lost = held(change) * log(1 + exp(-(score - other(score))))
    return total(lost, over=pairs, where=relevance > other(relevance))


def _swapped(score: Any) -> Any:
    """What the discount changes by when two members swap places."""
    discount = 1 / log(1 + rank(score))
    return abs(discount - other(discount))


def _swapped_computed(score: Any) -> Any:
    place, there = rank(score), other(rank(score))
    ratio = log1p(abs(place - there) / (1 + minimum(place, there)))
    return ratio / (log(1 + place) * log(1 + there))


def _moved(score: Any) -> Any:
    """What the discount changes by when the distance between two members grows by a place."""
    distance = abs(rank(score) - other(rank(score)))
    return abs(1 / log(1 + distance) - 1 / log(2 + distance))


def _moved_computed(score: Any) -> Any:
    distance = abs(rank(score) - other(rank(score)))
    return log1p(1 / (1 + distance)) / (log(1 + distance) * log(2 + distance))


def _change(relevance: Any, discounts: Any) -> Any:
    gain = _gain(relevance)
    return abs(gain - other(gain)) * discounts / _ideal(gain, relevance)


def _change_computed(relevance: Any, discounts: Any) -> Any:
    ideal = _ideal(_gain_of_largest(relevance), relevance)
    return _gains_apart(relevance) * discounts / ideal


def _lambdarank_computed(score: Any, relevance: Any) -> Any:
    return _lambda_loss(score, relevance, _change_computed(relevance, _swapped_computed(score)))


@loss(
    source="Burges 2010, MSR-TR-2010-82; Wang et al. 2018, doi:10.1145/3269206.3271784",
    promises="non_negative shift_invariant",
    empty="zero",
    computed=_lambdarank_computed,
)
def lambdarank(score: Annotated[Real, positions], relevance: Annotated[NonNegative, positions]):
    """RankNet's loss of each pair, times what NDCG changes by when the two swap places."""
    return _lambda_loss(score, relevance, _change(relevance, _swapped(score)))


def _ndcg_loss2_computed(score: Any, relevance: Any) -> Any:
    return _lambda_loss(score, relevance, _change_computed(relevance, _moved_computed(score)))


@loss(
    source="Wang et al. 2018, doi:10.1145/3269206.3271784",
    promises="non_negative shift_invariant",
    empty="zero",
    computed=_ndcg_loss2_computed,
)
def ndcg_loss2(score: Annotated[Real, positions], relevance: Annotated[NonNegative, positions]):
    """RankNet's loss of each pair, times what NDCG changes by when the two stand further apart."""
    return _lambda_loss(score, relevance, _change(relevance, _moved(score)))


def _ndcg_loss2pp_computed(score: Any, relevance: Any, *, mu: Any) -> Any:
    discounts = _swapped_computed(score) + mu * _moved_computed(score)
    return _lambda_loss(score, relevance, _change_computed(relevance, discounts))


@loss(
    source="Wang et al. 2018, doi:10.1145/3269206.3271784",
    promises="non_negative shift_invariant",
    empty="zero",
    computed=_ndcg_loss2pp_computed,
)
def ndcg_loss2pp(
    score: Annotated[Real, positions],
    relevance: Annotated[NonNegative, positions],
    *,
    mu: NonNegative = 10.0,
):
    """LambdaRank's loss and mu times NDCG-Loss2: for the places, and for how far apart they are."""
    discounts = _swapped(score) + mu * _moved(score)
    return _lambda_loss(score, relevance, _change(relevance, discounts))
