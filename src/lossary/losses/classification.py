"""Losses of logits or probabilities against classes."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import (
    Binaries,
    Binary,
    ClassWeights,
    Label,
    Logit,
    Logits,
    LogSimplex,
    NonNegative,
    OpenUnit,
    Positive,
    Real,
    Sign,
    Simplex,
    Smoothing,
    Unit,
)
from lossary.functions import (
    class_count,
    exp,
    log,
    ndtr,
    pick,
    sigmoid,
    softmax,
    total,
    where,
)


@loss(
    source="Good 1952; Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x",
    promises="non_negative convex bounded_gradient proper",
)
def binary_cross_entropy(logit: Logit, target: Unit, *, positive_weight: Positive = 1.0):
    """Negative log-likelihood of a yes-or-no target, from log-odds."""
    p = sigmoid(logit)
    return -(positive_weight * target * log(p) + (1 - target) * log(1 - p))


@loss(
    source="Good 1952, doi:10.1111/j.2517-6161.1952.tb00104.x",
    promises="non_negative convex proper",
)
def binary_cross_entropy_from_probability(probability: Unit, target: Unit):
    """Negative log-likelihood of a yes-or-no target, from its probability."""
    return -(target * log(probability) + (1 - target) * log(1 - probability))


@loss(
    source="Bliss 1934, doi:10.1126/science.79.2037.38; likelihood: McCullagh and Nelder 1989, "
    "Generalized Linear Models, sec. 4.4.1",
    promises="non_negative convex",
)
def probit(score: Real, target: Binary):
    """Negative log-probability that a normal number lies below the score, or for 0 above it."""
    return -log(ndtr(where(target == 1, score, -score)))


@loss(
    source="Xie and Tu 2015, arXiv:1504.06375, eq. 2",
    promises="non_negative convex bounded_gradient",
)
def balanced_cross_entropy(logit: Logit, target: Unit, *, positives: Positive, negatives: Positive):
    """Binary cross-entropy in which both classes weigh the same, given their counts."""
    p, count = sigmoid(logit), positives + negatives
    beta = negatives / count
    return -(beta * target * log(p) + positives / count * (1 - target) * log(1 - p))


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, eq. 4 and 5",
    promises="non_negative bounded_gradient",
)
def focal(logit: Real, target: Binary, *, gamma: NonNegative = 2.0, alpha: Unit | None = None):
    """Cross-entropy that fades on examples already classified well."""
    p = sigmoid(logit)
    p_t = where(target == 1, p, 1 - p)
    value = -((1 - p_t) ** gamma) * log(p_t)
    return value if alpha is None else where(target == 1, alpha, 1 - alpha) * value


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, eq. 4 and 5; soft targets: optax, Keras",
    promises="non_negative",
)
def soft_focal(logit: Logit, target: Unit, *, gamma: NonNegative = 2.0, alpha: Unit | None = None):
    """Binary cross-entropy with soft targets that fades on examples classified well."""
    p = sigmoid(logit)
    p_t = target * p + (1 - target) * (1 - p)
    value = -((1 - p_t) ** gamma) * (target * log(p) + (1 - target) * log(1 - p))
    return value if alpha is None else (alpha * target + (1 - alpha) * (1 - target)) * value


@loss(
    source="Friedman, Hastie and Tibshirani 2000, doi:10.1214/aos/1016218223",
    promises="non_negative convex bounded_gradient",
)
def soft_margin(score: Logit, sign: Sign):
    """Logistic loss of a score against a sign."""
    return log(1 + exp(-sign * score))


@loss(
    source="torch.nn.MultiLabelSoftMarginLoss; Cox 1958",
    promises="non_negative convex bounded_gradient",
)
def multi_label_soft_margin(
    logits: Logits, target: Binaries, *, class_weight: ClassWeights | None = None
):
    """Mean over the classes of binary cross-entropy, each times the weight of its class."""
    p = sigmoid(logits)
    each = -(target * log(p) + (1 - target) * log(1 - p))
    return total(each if class_weight is None else class_weight * each) / class_count()


@loss(
    source="Bridle 1990, doi:10.1007/978-3-642-76153-9_28; smoothing: Szegedy et al. 2016, "
    "arXiv:1512.00567",
    promises="non_negative convex bounded_gradient shift_invariant proper",
)
def cross_entropy(logits: Logits, label: Label, *, label_smoothing: Smoothing = 0.0):
    """Negative log-probability of the true class, from logits."""
    p, uniform = softmax(logits), 1 / class_count()
    sharp = -(1 - label_smoothing) * log(pick(p, label))
    return sharp - label_smoothing * uniform * total(log(p))


@loss(
    source="Bridle 1990, doi:10.1007/978-3-642-76153-9_28",
    promises="non_negative convex bounded_gradient shift_invariant proper",
)
def soft_cross_entropy(logits: Logits, target: Simplex):
    """Cross-entropy of a target distribution with the softmax of logits."""
    return -total(target * log(softmax(logits)))


@loss(
    source="Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x",
    promises="non_negative convex proper",
)
def cross_entropy_from_probabilities(probabilities: Simplex, label: Label):
    """Negative log-probability of the true class, from probabilities."""
    return -log(pick(probabilities, label))


@loss(
    source="Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x",
    promises="non_negative convex proper",
)
def soft_cross_entropy_from_probabilities(probabilities: Simplex, target: Simplex):
    """Cross-entropy of a target distribution with predicted probabilities."""
    return -total(target * log(probabilities))


@loss(
    source="Fisher 1912; Bridle 1990, doi:10.1007/978-3-642-76153-9_28",
    promises="non_negative convex",
)
def negative_log_likelihood(log_probabilities: LogSimplex, label: Label):
    """Minus the log-probability of the true class."""
    return -pick(log_probabilities, label)


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, sec. 3, for softmax outputs",
    promises="non_negative bounded_gradient shift_invariant",
)
def categorical_focal(logits: Logits, label: Label, *, gamma: NonNegative = 2.0):
    """Softmax cross-entropy that fades on examples already classified well."""
    p_t = pick(softmax(logits), label)
    return -((1 - p_t) ** gamma) * log(p_t)


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, sec. 3, for softmax outputs and soft targets",
    promises="non_negative shift_invariant",
)
def soft_categorical_focal(logits: Logits, target: Simplex, *, gamma: NonNegative = 2.0):
    """Cross-entropy with a target distribution that fades on classes predicted well."""
    p = softmax(logits)
    return -total(target * (1 - p) ** gamma * log(p))


@loss(source="Leng et al. 2022, arXiv:2204.12511, eq. 4", promises="shift_invariant")
def poly_cross_entropy(logits: Logits, target: Simplex, *, epsilon: Real = 2.0):
    """Cross-entropy plus ``epsilon`` times the probability that the target does not get."""
    p = softmax(logits)
    return -total(target * log(p)) + epsilon * total(target * (1 - p))


@loss(source="Zhang and Sabuncu 2018, arXiv:1805.07836, eq. 6", promises="non_negative")
def generalized_cross_entropy_from_probabilities(
    probabilities: Simplex, label: Label, *, q: OpenUnit = 0.5
):
    """A cross-entropy that stops at 1 / q, so that wrong labels pull less."""
    return (1 - pick(probabilities, label) ** q) / q
