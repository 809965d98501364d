"""Survival: who has the event, among all who are still at risk."""

from __future__ import annotations

from math import inf
from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import (
    Binaries,
    Binary,
    Group,
    Groups,
    Label,
    Positive,
    Real,
    Scores,
    Unit,
    Units,
    positions,
)
from lossary.functions import (
    beyond,
    class_count,
    class_index,
    cumulate,
    earlier_ties,
    exp,
    is_class,
    log,
    log1p_total_exp,
    logsumexp,
    ndtr,
    pi,
    pick,
    softmax,
    softplus,
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


@loss(
    source="Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, "
    "doi:10.1002/9781118032985; ties: Breslow 1974, doi:10.2307/2529620",
    promises="non_negative convex shift_invariant",
)
def stratified_cox(
    log_hazard: Annotated[Real, positions],
    time: Annotated[Real, positions],
    event: Annotated[Binary, positions],
    stratum: Annotated[Group, positions],
):
    """Cox's partial likelihood in which only those of one stratum are at risk together."""
    at_risk = cumulate(exp(log_hazard), by=time, within=stratum, over=positions)
    return total(event * (log(at_risk) - log_hazard), over=positions)


@loss(
    source="Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, "
    "doi:10.1002/9781118032985; ties: Efron 1977, doi:10.1080/01621459.1977.10480613",
    promises="convex shift_invariant",
)
def stratified_cox_efron(log_hazards: Scores, times: Scores, events: Binaries, strata: Groups):
    """Cox's partial likelihood by Efron's rule, in which only those of one stratum are at risk."""
    at_risk = cumulate(exp(log_hazards), by=times, within=strata)
    dying = tied(events * exp(log_hazards), by=times, within=strata)
    before = earlier_ties(events, by=times, within=strata)
    gone = where(events > 0, before / tied(events, by=times, within=strata), 0)
    return total(events * (log(at_risk - gone * dying) - log_hazards))


@loss(
    source="Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, "
    "doi:10.1002/9781118032985, sec. 2.2.2 and 3.2; as a loss for trees: Barnwal, Cho and Hocking "
    "2020, arXiv:2006.04920",
    promises="convex",
)
def log_normal_failure_time(
    location: Real, log_time: Real, event: Binary, *, scale: Positive = 1.0
):
    """Negative log-likelihood of a log-time that is normal, or censored on the right."""
    z = (log_time - location) / scale
    seen = z**2 / 2 + log(scale) + log(2 * pi) / 2
    return where(event > 0, seen, -log(ndtr(-z)))


@loss(
    source="Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, "
    "doi:10.1002/9781118032985, sec. 2.2.5 and 3.2; as a loss for trees: Barnwal, Cho and Hocking "
    "2020, arXiv:2006.04920",
    promises="convex bounded_gradient",
)
def log_logistic_failure_time(
    location: Real, log_time: Real, event: Binary, *, scale: Positive = 1.0
):
    """Negative log-likelihood of a log-time that is logistic, or censored on the right."""
    z = (log_time - location) / scale
    seen = z + log(scale) + 2 * log(1 + exp(-z))
    return where(event > 0, seen, log(1 + exp(z)))


@loss(
    source="Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, "
    "doi:10.1002/9781118032985, sec. 2.2.2 and 3.2; as a loss for trees: Barnwal, Cho and Hocking "
    "2020, arXiv:2006.04920",
    promises="convex",
)
def weibull_failure_time(location: Real, log_time: Real, event: Binary, *, scale: Positive = 1.0):
    """Negative log-likelihood of a Weibull time from its logarithm, or censored on the right."""
    z = (log_time - location) / scale
    return where(event > 0, exp(z) - z + log(scale), exp(z))


@loss(
    source="Lee et al. 2018, DeepHit, doi:10.1609/aaai.v32i1.11842, eq. 2; Kvamme and Borgan 2019, "
    "arXiv:1910.06724, sec. 3.2",
    promises="non_negative bounded_gradient shift_invariant",
)
def failure_time_mass(logits: Scores, label: Label, event: Binary):
    """Negative log-probability of the interval of the event, or of all that come later: PMF."""
    later = (class_index() > label) | (class_index() >= class_count() - 1)
    alive, gone = total(exp(logits), where=later), total(exp(logits), where=~later)
    failed = -log(pick(softmax(logits), label))
    return where(event > 0, failed, -log(alive / (alive + gone)))


def _relative_to_its_own(logits: Any, label: Any, event: Any) -> Any:
    """Scores relative to that of the label's interval: sums of the logits between, and no more.

    The last interval, which has no logit, stands in the place of the label's own, which is 0.
    """
    place = class_index()
    before = cumulate(where(place < label, logits, 0), by=place)
    later = where(place >= label, logits, 0)
    apart = where(is_class(label), -total(later), -beyond(later, by=-place))
    gone = log1p_total_exp(where(place < label, before, -inf))
    alive = logsumexp(where(place < label, -inf, apart))
    failed = log1p_total_exp(where(place < label, before, apart))
    return where(event > 0, failed, softplus(gone - alive))


@loss(
    source="Yu, Greiner, Lin and Baracos 2011, Learning patient-specific cancer survival "
    "distributions as a sequence of dependent regressors, NIPS 24:1845-1853",
    promises="non_negative bounded_gradient",
    computed=_relative_to_its_own,
)
def multi_task_logistic(logits: Scores, label: Label, event: Binary):
    """Negative log-probability of the interval of the event by one logit per boundary: MTLR."""
    scores = cumulate(logits, by=class_index())
    later = class_index() > label
    everything = 1 + total(exp(scores))
    alive = (1 + total(exp(scores), where=later)) / everything
    return -log(where(event > 0, exp(pick(scores, label)) / everything, alive))


@loss(
    source="Lee et al. 2018, DeepHit, doi:10.1609/aaai.v32i1.11842, eq. 3-4, for one event; "
    "those who outlive it as in Kvamme, Borgan and Scheel 2019, JMLR 20(129)",
    promises="non_negative convex",
)
def deephit_ranking(
    incidences: Units, own_incidence: Unit, outlived: Binaries, *, sigma: Positive = 0.1
):
    """How near those who outlive an event come to the risk that its own patient had by then."""
    lead = own_incidence - incidences
    return total(outlived * exp(-lead / sigma))
