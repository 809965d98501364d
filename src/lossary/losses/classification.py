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
    bernoulli_nats,
    binary_nats,
    class_count,
    cross_entropy_at,
    cross_entropy_with,
    faded_binary_nats,
    faded_cross_entropy_with,
    log,
    mean_cross_entropy,
    pick,
    power_complement,
    sigmoid_power,
    softmax_complement_power_at,
    softmax_miss,
    softplus,
    total,
    weighted,
    where,
)

_DOUBLE_SOFTMAX = (
    "Takes logits. Passing probabilities applies softmax twice: with 10 classes the loss cannot "
    "fall below 1.4612 = log(e + 9) - 1, and gradients are damped. No library warns."
)
_LABELS_FROM_ZERO = (
    "Labels count from 0: with 3 columns they are 0, 1, 2, and the one-hot row [1, 0, 0] is label "
    "0. Label 4 with 4 columns is a DomainError."
)
_IGNORED_CLASS = (
    "ignore_index leaves rows out, not a class: the class still takes part in the softmax of the "
    "other rows. Give a class the logit -inf to exclude it."
)


@loss(
    source="Good 1952; Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x",
    elsewhere=(
        "torch.nn.BCEWithLogitsLoss", "torch.nn.functional.binary_cross_entropy_with_logits",
        "tf.nn.sigmoid_cross_entropy_with_logits", "tf.nn.weighted_cross_entropy_with_logits",
        "optax.losses.sigmoid_binary_cross_entropy", "sklearn._loss.HalfBinomialLoss",
    ),
    promises="non_negative convex bounded_gradient proper",
    choose="Two classes, or several labels that do not exclude each other (each output on its "
    "own). The output neuron is linear here; its sigmoid is part of the loss.",
    traps=(
        "Takes logits: a sigmoid before it puts a floor of 0.3133 under the loss of a perfect "
        "positive.",
        "For multi-label and binary problems; classes that exclude each other belong to "
        "cross_entropy.",
        "positive_weight above 1 raises recall, below 1 precision; it is not a weight per sample.",
    ),
)  # fmt: skip
def binary_cross_entropy(logit: Logit, target: Unit, *, positive_weight: Positive = 1.0):
    """Negative log-likelihood of a yes-or-no target, from log-odds."""
    return binary_nats(logit, target, positive_weight, 1)


@loss(
    source="Good 1952, doi:10.1111/j.2517-6161.1952.tb00104.x",
    elsewhere=(
        "torch.nn.BCELoss", "torch.nn.functional.binary_cross_entropy",
        "keras.losses.BinaryCrossentropy", "keras.losses.binary_crossentropy",
    ),
    promises="non_negative convex proper",
    choose="Only when probabilities are all you have; from logits use binary_cross_entropy, which "
    "keeps its gradient for confident wrong predictions.",
    traps=(
        "Without a clamp: a certain wrong prediction costs infinity. torch clamps at 100, Keras "
        "at 16.118 with gradient 0.",
        "torch's weight= rescales elements; it is not one weight per class. Here class_weight= "
        "is per class and weight= per element.",
    ),
)  # fmt: skip
def binary_cross_entropy_from_probability(probability: Unit, target: Unit):
    """Negative log-likelihood of a yes-or-no target, from its probability."""
    return bernoulli_nats(probability, target)


@loss(
    source="Xie and Tu 2015, arXiv:1504.06375, eq. 2",
    promises="non_negative convex bounded_gradient",
    choose="Imbalance of the classes: the rare class gets the weight of the frequent one. For hard "
    "examples, which need not be rare, choose focal.",
    traps=(
        "positives and negatives are counts over the data set, not the batch: counting per batch "
        "changes the loss from step to step.",
        "The predicted probabilities are those of a balanced world; correct them before use.",
    ),
)
def balanced_cross_entropy(logit: Logit, target: Unit, *, positives: Positive, negatives: Positive):
    """Binary cross-entropy in which both classes weigh the same, given their counts."""
    count = positives + negatives
    return binary_nats(logit, target, negatives / count, positives / count)


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, eq. 4 and 5",
    elsewhere=(
        "torchvision.ops.sigmoid_focal_loss", "keras.losses.BinaryFocalCrossentropy",
        "keras.losses.binary_focal_crossentropy", "optax.losses.sigmoid_focal_loss",
    ),
    promises="non_negative bounded_gradient",
    choose="Many easy examples that drown the hard ones, as in dense detection. It weighs by "
    "difficulty, where balanced_cross_entropy weighs by frequency.",
    traps=(
        "alpha is absent unless given; torchvision applies 0.25, Keras ignores its 0.25 unless "
        "apply_class_balancing is set.",
        "What matters is that the gradient fades too: differentiating a composed formula gives "
        "0 or NaN where the truth does not.",
    ),
)  # fmt: skip
def focal(logit: Real, target: Binary, *, gamma: NonNegative = 2.0, alpha: Unit | None = None):
    """Cross-entropy that fades on examples already classified well."""
    miss = where(target == 1, -logit, logit)  # positive when the sign is wrong
    value = sigmoid_power(miss, gamma) * softplus(miss)  # -(1 - p)^gamma log p
    return value if alpha is None else where(target == 1, alpha, 1 - alpha) * value


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, eq. 4 and 5; soft targets: optax, Keras",
    elsewhere=("keras.losses.BinaryFocalCrossentropy (soft)",),
    promises="non_negative",
    choose="Focal with label smoothing, mixup or several annotators. For targets of 0 and 1 it is "
    "focal.",
    traps=(
        "With soft targets it is not least at the target: examples in doubt fade as well, so that "
        "probabilities come out too close to 1/2.",
        "alpha is absent unless given; optax and Keras leave it out by default too.",
    ),
)
def soft_focal(logit: Logit, target: Unit, *, gamma: NonNegative = 2.0, alpha: Unit | None = None):
    """Binary cross-entropy with soft targets that fades on examples classified well."""
    value = faded_binary_nats(logit, target, gamma)
    return value if alpha is None else (alpha * target + (1 - alpha) * (1 - target)) * value


@loss(
    source="Friedman, Hastie and Tibshirani 2000, doi:10.1214/aos/1016218223",
    elsewhere=("torch.nn.SoftMarginLoss", "torch.nn.functional.soft_margin_loss"),
    promises="non_negative convex bounded_gradient",
    choose="Binary cross-entropy for targets written as -1 and 1.",
    traps=(
        "Labels 0 and 1 are refused: torch returns a plausible number for them.",
        "torch overflows to inf with gradient NaN at a score of -100; this does not.",
    ),
)
def soft_margin(score: Logit, sign: Sign):
    """Logistic loss of a score against a sign."""
    return softplus(-sign * score)


@loss(
    source="torch.nn.MultiLabelSoftMarginLoss; Cox 1958",
    elsewhere=(
        "torch.nn.MultiLabelSoftMarginLoss", "torch.nn.functional.multilabel_soft_margin_loss",
    ),
    promises="non_negative convex bounded_gradient",
    choose="Several labels per sample, one number per sample: the mean of the binary "
    "cross-entropies over the classes.",
    traps=("Labels that exclude each other belong to cross_entropy.",),
)  # fmt: skip
def multi_label_soft_margin(
    logits: Logits, target: Binaries, *, class_weight: ClassWeights | None = None
):
    """Mean over the classes of binary cross-entropy, each times the weight of its class."""
    each = softplus(where(target == 1, -logits, logits))
    return total(each if class_weight is None else class_weight * each) / class_count()


@loss(
    source="Bridle 1990, doi:10.1007/978-3-642-76153-9_28; smoothing: Szegedy et al. 2016, "
    "arXiv:1512.00567",
    elsewhere=(
        "torch.nn.CrossEntropyLoss", "torch.nn.functional.cross_entropy",
        "tf.nn.sparse_softmax_cross_entropy_with_logits",
        "optax.losses.softmax_cross_entropy_with_integer_labels",
        "sklearn._loss.HalfMultinomialLoss",
    ),
    promises="non_negative convex bounded_gradient shift_invariant proper",
    choose="Classes that exclude each other, labels as integers: the default for classification.",
    traps=(_DOUBLE_SOFTMAX, _LABELS_FROM_ZERO, _IGNORED_CLASS),
)  # fmt: skip
def cross_entropy(logits: Logits, label: Label, *, label_smoothing: Smoothing = 0.0):
    """Negative log-probability of the true class, from logits."""
    sharp = weighted(1 - label_smoothing, cross_entropy_at(logits, label))
    return sharp + weighted(label_smoothing, mean_cross_entropy(logits))


@loss(
    source="Bridle 1990, doi:10.1007/978-3-642-76153-9_28",
    elsewhere=(
        "tf.nn.softmax_cross_entropy_with_logits", "optax.losses.softmax_cross_entropy",
        "optax.losses.safe_softmax_cross_entropy",
    ),
    promises="non_negative convex bounded_gradient shift_invariant proper",
    choose="Targets that are distributions: mixup, distillation, several annotators, one-hot rows.",
    traps=(
        _DOUBLE_SOFTMAX,
        "Takes (logits, target); targets in the place of logits fail the check of the simplex.",
    ),
)  # fmt: skip
def soft_cross_entropy(logits: Logits, target: Simplex):
    """Cross-entropy of a target distribution with the softmax of logits."""
    return cross_entropy_with(logits, target)


@loss(
    source="Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x",
    elsewhere=(
        "keras.losses.SparseCategoricalCrossentropy",
        "keras.losses.sparse_categorical_crossentropy", "sklearn.metrics.log_loss",
    ),
    promises="non_negative convex proper",
    choose="Only when probabilities are all you have; from logits use cross_entropy.",
    traps=(
        _LABELS_FROM_ZERO,
        "Rows must have sum 1: Keras divides by the sum without a word, so that logits look like "
        "probabilities.",
    ),
)  # fmt: skip
def cross_entropy_from_probabilities(probabilities: Simplex, label: Label):
    """Negative log-probability of the true class, from probabilities."""
    return -log(pick(probabilities, label))


@loss(
    source="Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x",
    elsewhere=("keras.losses.CategoricalCrossentropy", "keras.losses.categorical_crossentropy"),
    promises="non_negative convex proper",
    choose="Only when probabilities are all you have; from logits use soft_cross_entropy.",
    traps=("A class with target mass and probability 0 costs infinity; Keras stops at 16.118.",),
)
def soft_cross_entropy_from_probabilities(probabilities: Simplex, target: Simplex):
    """Cross-entropy of a target distribution with predicted probabilities."""
    return total(weighted(target, -log(probabilities)))


@loss(
    source="Fisher 1912; Bridle 1990, doi:10.1007/978-3-642-76153-9_28",
    elsewhere=("torch.nn.NLLLoss", "torch.nn.functional.nll_loss"),
    promises="non_negative convex",
    choose="After an explicit log_softmax; cross_entropy does both and is exact in the tail.",
    traps=(
        "Takes log-probabilities. Probabilities or logits give plausible negative losses in "
        "torch; here they are a DomainError.",
        _LABELS_FROM_ZERO,
    ),
)
def negative_log_likelihood(log_probabilities: LogSimplex, label: Label):
    """Minus the log-probability of the true class."""
    return -pick(log_probabilities, label)


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, sec. 3, for softmax outputs",
    elsewhere=("keras.losses.CategoricalFocalCrossentropy",
               "keras.losses.categorical_focal_crossentropy"),
    promises="non_negative bounded_gradient shift_invariant",
    choose="Classes that exclude each other, with many easy examples; for imbalance between the "
    "classes add class_weight.",
    traps=(
        _DOUBLE_SOFTMAX,
        "Keras scales every class by alpha = 0.25; here there is no alpha, use class_weight.",
    ),
)  # fmt: skip
def categorical_focal(logits: Logits, label: Label, *, gamma: NonNegative = 2.0):
    """Softmax cross-entropy that fades on examples already classified well."""
    fade = softmax_complement_power_at(logits, label, gamma)  # (1 - p)^gamma
    return fade * cross_entropy_at(logits, label)


@loss(
    source="Lin et al. 2017, arXiv:1708.02002, sec. 3, for softmax outputs and soft targets",
    elsewhere=("keras.losses.CategoricalFocalCrossentropy (soft)",),
    promises="non_negative shift_invariant",
    choose="categorical_focal for targets that are distributions: label smoothing, mixup.",
    traps=(
        _DOUBLE_SOFTMAX,
        "Not least at the target: classes that get what they should fade as well.",
    ),
)
def soft_categorical_focal(logits: Logits, target: Simplex, *, gamma: NonNegative = 2.0):
    """Cross-entropy with a target distribution that fades on classes predicted well."""
    return faded_cross_entropy_with(logits, target, gamma)


@loss(
    source="Leng et al. 2022, arXiv:2204.12511, eq. 4",
    elsewhere=("optax.losses.poly_loss_cross_entropy",),
    promises="shift_invariant",
    choose="Cross-entropy with one more knob: epsilon above 0 pushes on, below 0 lets go of "
    "examples that are already right.",
    traps=(_DOUBLE_SOFTMAX, "epsilon = 0 is soft_cross_entropy; optax' default is 2."),
)
def poly_cross_entropy(logits: Logits, target: Simplex, *, epsilon: Real = 2.0):
    """Cross-entropy plus ``epsilon`` times the probability that the target does not get."""
    return cross_entropy_with(logits, target) + epsilon * softmax_miss(logits, target)


@loss(
    source="Zhang and Sabuncu 2018, arXiv:1805.07836, eq. 6",
    elsewhere=(
        "keras.losses.CategoricalGeneralizedCrossEntropy",
        "keras.losses.categorical_generalized_cross_entropy",
    ),
    promises="non_negative",
    choose="Labels of which some are wrong: towards q = 1 it trusts them like an absolute error, "
    "towards q = 0 like cross-entropy.",
    traps=(
        _LABELS_FROM_ZERO,
        "At most 1 / q for each example: values of different q are not comparable.",
    ),
)  # fmt: skip
def generalized_cross_entropy_from_probabilities(
    probabilities: Simplex, label: Label, *, q: OpenUnit = 0.5
):
    """A cross-entropy that stops at 1 / q, so that wrong labels pull less."""
    return power_complement(pick(probabilities, label), q) / q
