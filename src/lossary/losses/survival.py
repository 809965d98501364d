"""Survival and ranking: who is still at risk, or still to be ranked, when one is chosen."""

from __future__ import annotations

from typing import Annotated

from lossary.definition import loss
from lossary.domain import Binary, Real, positions
from lossary.functions import cumulate, exp, log, total


@loss(
    source="Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Breslow 1974, doi:10.2307/2529620",
    promises="non_negative convex",
)
def cox(
    log_hazard: Annotated[Real, positions],
    time: Annotated[Real, positions],
    event: Annotated[Binary, positions],
):
    """Negative log partial likelihood: who has the event, among all who are still at risk."""
    at_risk = cumulate(exp(log_hazard), by=time, over=positions)
    return total(event * (log(at_risk) - log_hazard), over=positions)


@loss(
    source="Xia et al. 2008, doi:10.1145/1390156.1390306",
    promises="non_negative convex shift_invariant",
)
def listmle(scores: Annotated[Real, positions], relevance: Annotated[Real, positions]):
    """Negative log-likelihood of an order: each is chosen among itself and what comes after it."""
    remaining = cumulate(exp(scores), by=-relevance, over=positions)
    return total(log(remaining) - scores, over=positions)
