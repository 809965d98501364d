"""Ranking: lists in which some members should stand before others."""

from __future__ import annotations

from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import Binary, Group, NonNegative, Positive, Real, others, pairs, positions
from lossary.functions import (
    cumulate,
    exp,
    held,
    log,
    maximum,
    other,
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


def _unlikelihood(score: Any) -> Any:
    """RankNet's loss of a pair whose first member should lead."""
    return log(1 + exp(-(score - other(score))))


@loss(
    source="Burges et al. 2005, doi:10.1145/1102351.1102363",
    promises="non_negative convex shift_invariant",
)
def ranknet(score: Annotated[Real, positions], relevance: Annotated[Real, positions]):
    """Negative log-likelihood that each of two members stands before the less relevant one."""
    higher = relevance > other(relevance)
    return total(_unlikelihood(score), over=pairs, where=higher)


@loss(
    source="Herbrich et al. 1999, doi:10.1049/cp:19991091; Joachims 2002, "
    "doi:10.1145/775047.775067",
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


@loss(
    source="Herschtal and Raskutti 2004, doi:10.1145/1015330.1015366",
    promises="non_negative shift_invariant",
)
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
    lost = total(_unlikelihood(score), over=pairs, where=target > other(target))
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


def _gains(relevance: Any) -> Any:
    """The gain of each member, and what those of the best order add up to."""
    gains = 2**relevance - 1
    return gains, total(gains / log(1 + rank(relevance)), over=positions)


@loss(
    source="Qin, Liu and Li 2010, doi:10.1007/s10791-009-9124-x; Bruch et al. 2019, "
    "doi:10.1145/3331184.3331347",
    promises="shift_invariant",
    empty="zero",
)
def approx_ndcg(
    score: Annotated[Real, positions],
    relevance: Annotated[NonNegative, positions],
    *,
    temperature: Positive = 1.0,
):
    """Minus NDCG, with the rank of a member as a sum of how far each other one stands above it."""
    g, n = _gains(relevance)
    r = 1 + total(sigmoid((other(score) - score) / temperature), over=others)
    return -total(g / log(1 + r), over=positions) / n


@loss(
    source="Qin, Liu and Li 2010, doi:10.1007/s10791-009-9124-x",
    promises="shift_invariant",
    empty="zero",
)
def approx_mrr(
    score: Annotated[Real, positions],
    relevance: Annotated[Binary, positions],
    *,
    temperature: Positive = 1.0,
):
    """Minus the mean reciprocal of the smooth ranks of what is relevant."""
    r = 1 + total(sigmoid((other(score) - score) / temperature), over=others)
    return -total(relevance / r, over=positions) / total(relevance, over=positions)


def _distance(score: Any) -> Any:
    """How many places two members are apart, at least the one that they are."""
    return maximum(abs(rank(score) - other(rank(score))), 1)


@loss(
    source="Burges 2010, MSR-TR-2010-82; Wang et al. 2018, doi:10.1145/3269206.3271784",
    promises="non_negative shift_invariant",
    empty="zero",
)
def lambdarank(score: Annotated[Real, positions], relevance: Annotated[NonNegative, positions]):
    """RankNet's loss of each pair, times what NDCG changes by when the two swap places."""
    g, n = _gains(relevance)
    d = 1 / log(1 + rank(score))
    change = abs(g - other(g)) * abs(d - other(d)) / n
    lost = held(change) * _unlikelihood(score)
    return total(lost, over=pairs, where=relevance > other(relevance))


@loss(
    source="Wang et al. 2018, doi:10.1145/3269206.3271784",
    promises="non_negative shift_invariant",
    empty="zero",
)
def ndcg_loss2(score: Annotated[Real, positions], relevance: Annotated[NonNegative, positions]):
    """RankNet's loss of each pair, times what NDCG changes by when the two stand further apart."""
    g, n = _gains(relevance)
    k = _distance(score)
    change = abs(g - other(g)) * abs(1 / log(1 + k) - 1 / log(2 + k)) / n
    lost = held(change) * _unlikelihood(score)
    return total(lost, over=pairs, where=relevance > other(relevance))


@loss(
    source="Wang et al. 2018, doi:10.1145/3269206.3271784",
    promises="non_negative shift_invariant",
    empty="zero",
)
def ndcg_loss2pp(
    score: Annotated[Real, positions],
    relevance: Annotated[NonNegative, positions],
    *,
    mu: NonNegative = 10.0,
):
    """LambdaRank's loss and mu times NDCG-Loss2: for the places, and for how far apart they are."""
    g, n = _gains(relevance)
    d, k = 1 / log(1 + rank(score)), _distance(score)
    q = abs(1 / log(1 + k) - 1 / log(2 + k))
    change = abs(g - other(g)) * (abs(d - other(d)) + mu * q) / n
    lost = held(change) * _unlikelihood(score)
    return total(lost, over=pairs, where=relevance > other(relevance))


def _mean_over(query: Any, lost: Any) -> Any:
    """Sum what the members lose, over the number of queries: a member is one of its query's."""
    queries = total(1 / total(1, within=query), over=positions)
    return total(lost, over=positions) / queries


@loss(
    source="Bruch et al. 2019, doi:10.1145/3341981.3344221",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def query_softmax(
    score: Annotated[Real, positions],
    relevance: Annotated[NonNegative, positions],
    query: Annotated[Group, positions],
):
    """Cross-entropy of each query's shares of relevance and its softmax of scores, on average."""
    relevant = total(relevance, within=query)
    share = held(where(relevant > 0, relevance / relevant, 0))
    return _mean_over(query, share * (log(total(exp(score), within=query)) - score))


@loss(
    source="Cao et al. 2007, doi:10.1145/1273496.1273513",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def query_listnet(
    score: Annotated[Real, positions],
    relevance: Annotated[Real, positions],
    query: Annotated[Group, positions],
):
    """ListNet's cross-entropy of the chances to be ranked first in each query, on average."""
    first = held(exp(relevance) / total(exp(relevance), within=query))
    return _mean_over(query, first * (log(total(exp(score), within=query)) - score))


@loss(
    source="Xia et al. 2008, doi:10.1145/1390156.1390306",
    promises="non_negative convex shift_invariant",
)
def query_listmle(
    score: Annotated[Real, positions],
    relevance: Annotated[Real, positions],
    query: Annotated[Group, positions],
):
    """ListMLE's likelihood of the orders of many queries in one row, on average."""
    remaining = cumulate(exp(score), by=-relevance, within=query, over=positions)
    return _mean_over(query, log(remaining) - score)


@loss(
    source="Burges et al. 2005, doi:10.1145/1102351.1102363",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def query_ranknet(
    score: Annotated[Real, positions],
    relevance: Annotated[Real, positions],
    query: Annotated[Group, positions],
):
    """RankNet's loss of all pairs of one query each, in a row of many queries."""
    higher = (query == other(query)) & (relevance > other(relevance))
    return total(_unlikelihood(score), over=pairs, where=higher)
