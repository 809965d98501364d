"""Survival: who has the event, among all who are still at risk."""

from __future__ import annotations

from typing import Annotated

from lossary.definition import loss
from lossary.domain import Binaries, Binary, Real, Scores, positions
from lossary.functions import (
    cumulate,
    earlier_ties,
    exp,
    log,
    tied,
    total,
    where,
)


@loss(
    source="Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Breslow 1974, doi:10.2307/2529620",
    promises="non_negative convex shift_invariant",
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
    source="Efron 1977, doi:10.1080/01621459.1977.10480613",
    promises="convex shift_invariant",
)
def cox_efron(log_hazards: Scores, times: Scores, events: Binaries):
    """Cox's partial likelihood, in which tied events leave those at risk one after the other."""
    at_risk = cumulate(exp(log_hazards), by=times)
    dying = tied(events * exp(log_hazards), by=times)
    gone = where(events > 0, earlier_ties(events, by=times) / tied(events, by=times), 0)
    return total(events * (log(at_risk - gone * dying) - log_hazards))
