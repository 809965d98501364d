"""Distances between distributions."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import LogSimplex, Simplex
from lossary.functions import (
    jensen_gap,
    log_relative_entropy,
    relative_entropy,
    relative_nats,
    total,
)

_ROW = (
    "One number per distribution: the mean is over distributions. torch's default divides by the "
    "number of classes too and is not the divergence; its 'batchmean' is."
)


@loss(
    source="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    elsewhere=("torch.nn.KLDivLoss", "torch.nn.functional.kl_div", "optax.losses.kl_divergence"),
    promises="convex",
    choose="Distillation and variational losses from log-probabilities; with fixed targets it has "
    "the gradient of cross-entropy.",
    traps=(
        _ROW,
        "Takes (log-probabilities, target) and measures D(target || prediction): the order of the "
        "two matters.",
        "Probabilities in the place of log-probabilities are refused; torch returns a negative "
        "divergence for them.",
    ),
)
def kl_divergence(log_probabilities: LogSimplex, target: Simplex):
    """Relative entropy of the target to the prediction, from log-probabilities."""
    return total(relative_nats(target, log_probabilities))


@loss(
    source="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    elsewhere=("keras.losses.KLDivergence", "keras.losses.kl_divergence",
),
    promises="convex zero_at_target",
    choose="Two distributions as probabilities.",
    traps=(
        _ROW,
        "Target mass on a class of probability 0 costs infinity; Keras clips at 1e-7.",
    ),
)  # fmt: skip
def kl_divergence_from_probabilities(probabilities: Simplex, target: Simplex):
    """Relative entropy of the target to the prediction, from probabilities."""
    return relative_entropy(target, probabilities)


@loss(
    source="Kullback and Leibler 1951, doi:10.1214/aoms/1177729694",
    elsewhere=("optax.losses.kl_divergence_with_log_targets",),
    promises="convex",
    choose="Distillation, where the teacher's output is a log_softmax too: masses too small for "
    "a probability keep their logarithm.",
    traps=(
        _ROW,
        "torch.nn.KLDivLoss has it as log_target=True; without that flag log-probabilities are "
        "taken for probabilities, and the result is plausible and wrong.",
    ),
)
def kl_divergence_with_log_target(log_probabilities: LogSimplex, log_target: LogSimplex):
    """Relative entropy of the target to the prediction, both as log-probabilities."""
    return total(log_relative_entropy(log_target, log_probabilities))


@loss(
    source="Lin 1991, doi:10.1109/18.61115",
    promises="non_negative zero_at_target symmetric convex",
    choose="A symmetric divergence that stays finite, at most log 2.",
    traps=("In nats, at most 0.6931; its square root is the metric (scipy's jensenshannon).",),
)
def jensen_shannon(probabilities: Simplex, target: Simplex):
    """Mean relative entropy of both distributions to their middle."""
    return total(jensen_gap(probabilities, target))
