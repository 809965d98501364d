"""Ranking: lists in which some members should stand before others."""

from __future__ import annotations

from typing import Annotated

from lossary.definition import loss
from lossary.domain import Real, positions
from lossary.functions import cumulate, exp, log, total


@loss(
    source="Xia et al. 2008, doi:10.1145/1390156.1390306",
    promises="non_negative convex shift_invariant",
)
def listmle(score: Annotated[Real, positions], relevance: Annotated[Real, positions]):
    """Negative log-likelihood of an order: each is chosen among itself and what comes after it."""
    remaining = cumulate(exp(score), by=-relevance, over=positions)
    return total(log(remaining) - score, over=positions)
