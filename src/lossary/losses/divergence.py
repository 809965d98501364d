"""Distances between distributions."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import LogSimplex, NonNegative, Positive, Real, Simplex
from lossary.functions import class_index, cumulate, exp, log, sqrt, total, where


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


@loss(
    source="Jeffreys 1946, doi:10.1098/rspa.1946.0056; Kullback and Leibler 1951, "
    "doi:10.1214/aoms/1177729694",
    promises="non_negative zero_at_target symmetric convex",
)
def jeffreys(probabilities: Simplex, target: Simplex):
    """Sum of the relative entropies of two distributions to each other."""
    return total((probabilities - target) * log(probabilities / target))


@loss(
    source="Csiszár 1991, doi:10.1214/aos/1176348385; Lee and Seung 2000, Algorithms for "
    "non-negative matrix factorization, eq. 3",
    promises="non_negative zero_at_target convex",
)
def generalized_kl(prediction: Positive, target: NonNegative):
    """Relative entropy of two amounts that need not be probabilities: half a Poisson deviance."""
    return target * log(target / prediction) - target + prediction


@loss(
    source="Itakura and Saito 1968, Analysis synthesis telephony based on the maximum likelihood "
    "method, 6th International Congress on Acoustics; Févotte, Bertin and Durrieu 2009, "
    "doi:10.1162/neco.2008.04-08-771",
    promises="non_negative zero_at_target",
)
def itakura_saito(prediction: Positive, target: Positive):
    """How far a ratio lies above 1 plus its logarithm: half a gamma deviance."""
    ratio = target / prediction
    return ratio - log(ratio) - 1


@loss(
    source="Hou, Yu and Samaras 2016, arXiv:1611.05916, eq. 3, with the power 2 and no root",
    promises="non_negative zero_at_target symmetric convex",
)
def squared_earth_mover(probabilities: Simplex, target: Simplex):
    """Sum over ordered classes of the squared differences of both distribution functions."""
    return total(cumulate(probabilities - target, by=-class_index()) ** 2)


@loss(
    source="Amari 2009, doi:10.1109/TIT.2009.2030485; Cichocki and Amari 2010, "
    "doi:10.3390/e12061532, sec. 2.2",
    promises="non_negative zero_at_target convex",
)
def alpha_divergence(probabilities: Simplex, target: Simplex, *, alpha: Real = 0.5):
    """Amari's divergences: relative entropy to the target at 0, of the target at 1."""
    p, t, a = probabilities, target, alpha
    between = (a * t + (1 - a) * p - t**a * p ** (1 - a)) / (a * (1 - a))
    to_target = p * log(p / t) - p + t
    of_target = t * log(t / p) - t + p
    gap = where(a == 1, of_target, where(a == 0, to_target, between))
    return total(gap, where=t + p > 0)


@loss(
    source="Bhattacharyya 1946, On a measure of divergence between two multinomial populations, "
    "Sankhya 7:401",
    promises="symmetric",
)
def bhattacharyya(probabilities: Simplex, target: Simplex):
    """Minus the logarithm of what two distributions have in common."""
    return -log(total(sqrt(probabilities * target)))
