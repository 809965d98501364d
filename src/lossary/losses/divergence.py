"""Distances between distributions."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import LogSimplex, Simplex
from lossary.functions import (
    exp,
    log,
    total,
)


@loss(
    source="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    promises="non_negative_if_normalised zero_at_target convex",
)
def kl_divergence(log_probabilities: LogSimplex, target: Simplex):
    """Relative entropy of the target to the prediction, from log-probabilities."""
    return total(target * (log(target) - log_probabilities))


@loss(
    source="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    promises="non_negative_if_normalised zero_at_target convex",
)
def kl_divergence_from_probabilities(probabilities: Simplex, target: Simplex):
    """Relative entropy of the target to the prediction, from probabilities."""
    return total(target * log(target / probabilities))


@loss(
    source="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    promises="non_negative_if_normalised zero_at_target convex",
)
def kl_divergence_with_log_target(log_probabilities: LogSimplex, log_target: LogSimplex):
    """Relative entropy of the target to the prediction, both as log-probabilities."""
    return total(exp(log_target) * (log_target - log_probabilities))


@loss(
    source="Lin 1991, doi:10.1109/18.61115", promises="non_negative zero_at_target symmetric convex"
)
def jensen_shannon(probabilities: Simplex, target: Simplex):
    """Mean relative entropy of both distributions to their middle."""
    middle = (probabilities + target) / 2
    to_middle = total(probabilities * log(probabilities / middle))
    return (to_middle + total(target * log(target / middle))) / 2
