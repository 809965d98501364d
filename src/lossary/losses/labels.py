"""Losses of classes that are rare, wrongly labelled, or several at once."""

from __future__ import annotations

from math import inf

from lossary.definition import loss
from lossary.domain import (
    Binaries,
    Binary,
    ClassWeights,
    Label,
    Negative,
    NonNegative,
    Positive,
    Real,
    Scores,
    Sign,
    Simplex,
    Smoothing,
    Unit,
)
from lossary.functions import (
    absolute,
    class_index,
    exp,
    is_class,
    log,
    log_sigmoid,
    log_softmax,
    pick,
    sigmoid,
    softmax,
    softplus,
    total,
    where,
)

_FROM_LOGITS = "Takes logits, not probabilities: a sigmoid or softmax before it is applied twice."
_QUALITY = "The target is a quality in [0, 1], such as the IoU of a box, not a class."


@loss(
    source="Szegedy et al. 2016, arXiv:1512.00567, sec. 7, for two classes",
    elsewhere=("smoothed_bce",),
    promises="non_negative convex bounded_gradient",
    choose="Binary cross-entropy of labels that are not quite certain: logits stay finite.",
    traps=(
        _FROM_LOGITS,
        "A target of 1 becomes 1 - label_smoothing / 2, as in Keras; some codes subtract all of "
        "it.",
        "Not 0 for a perfect prediction.",
    ),
)
def smoothed_binary_cross_entropy(logit: Real, target: Unit, *, label_smoothing: Smoothing = 0.1):
    """Binary cross-entropy with targets that are moved towards 1/2."""
    yes, no = log_sigmoid(logit), log_sigmoid(-logit)
    sharp = target * yes + (1 - target) * no
    return -(1 - label_smoothing) * sharp - label_smoothing / 2 * (yes + no)


@loss(
    source="Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    elsewhere=("sklearn.metrics.brier_score_loss",),
    promises="non_negative convex proper",
    choose="To judge probabilities of an event: bounded, where binary cross-entropy is not.",
    traps=(
        "Brier's own definition adds both outcomes and is twice this; multiclass_brier has it.",
        "Flat where a prediction is confidently wrong: behind a sigmoid it learns slowly there.",
    ),
)
def brier(probability: Unit, target: Unit):
    """Squared distance of a probability from what has happened."""
    return (probability - target) ** 2


@loss(
    source="Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2, eq. 2",
    elsewhere=("multiclass_brier_score",),
    promises="non_negative convex proper",
    choose="To judge probabilities of classes, with a bound of 2 for each case.",
    traps=(
        "For two classes twice brier.",
        "It looks at the probabilities of all classes, where cross-entropy looks at one.",
    ),
)
def multiclass_brier(probabilities: Simplex, label: Label):
    """Squared distance of the probabilities of all classes from the class that has happened."""
    return total((probabilities - where(is_class(label), 1, 0)) ** 2)


@loss(
    source="Wang et al. 2019, arXiv:1908.06112, eq. 5 to 7",
    elsewhere=("SCE",),
    promises="non_negative bounded_gradient shift_invariant",
    choose="Labels of which some are wrong: the reverse term, an absolute error of the "
    "probability, holds against what cross-entropy would learn by heart.",
    traps=(
        _FROM_LOGITS,
        "log_zero is the paper's A, which stands for log 0: -4 there, log(1e-4) = -9.2 in its "
        "code. Only beta times it matters.",
    ),
)
def symmetric_cross_entropy(
    logits: Scores,
    label: Label,
    *,
    alpha: Positive = 0.1,
    beta: NonNegative = 1.0,
    log_zero: Negative = -4.0,
):
    """Cross-entropy, and the cross-entropy of the label with the prediction the other way."""
    forth = -log(pick(softmax(logits), label))
    back = -log_zero * (1 - pick(softmax(logits), label))
    return alpha * forth + beta * back


@loss(
    source="Ma et al. 2020, arXiv:2006.13554, eq. 5",
    promises="non_negative bounded_gradient shift_invariant",
    choose="Labels of which many are wrong, together with an absolute error of probabilities.",
    traps=(
        _FROM_LOGITS,
        "Between 0 and 1: it can fall because the other classes get less likely, too.",
        "Alone it learns slowly; the paper adds a second, 'passive' loss.",
    ),
)
def normalized_cross_entropy(logits: Scores, label: Label):
    """Cross-entropy divided by the sum of the cross-entropies with every label."""
    return pick(log_softmax(logits), label) / total(log_softmax(logits))


@loss(
    source="Menon et al. 2020, arXiv:2007.07314, eq. 10; Ren et al. 2020, arXiv:2007.10740 "
    "(balanced softmax)",
    elsewhere=("balanced_softmax", "logit_adjustment"),
    promises="non_negative convex bounded_gradient shift_invariant",
    choose="Rare classes that should be found as often as frequent ones: train with it, predict "
    "with the plain logits.",
    traps=(
        _FROM_LOGITS,
        "The logits that it trains are those of a balanced world; adding the counts again when "
        "predicting undoes it.",
        "class_counts are of the training data, one for each class; a class of count 0 is "
        "excluded. Without them it is cross_entropy.",
    ),
)
def logit_adjusted(
    logits: Scores, label: Label, *, class_counts: ClassWeights | None = None, tau: Positive = 1.0
):
    """Cross-entropy of logits to which the logarithm of each class's share is added."""
    moved = logits if class_counts is None else logits + tau * log(class_counts)
    return -log(pick(softmax(moved), label))


@loss(
    source="Cao et al. 2019, arXiv:1906.07413, eq. 13",
    elsewhere=("LDAM",),
    promises="non_negative convex bounded_gradient shift_invariant",
    choose="Rare classes, to which it gives a wider margin.",
    traps=(
        "margins are C / count^(1/4), scaled so that the widest is 0.5 in the paper's code.",
        "scale is 30 in the paper's code, for logits that are cosines; with plain logits take 1.",
        "The paper's schedule of weights (DRW) is separate: give weights after some epochs.",
    ),
)
def label_distribution_margin(
    logits: Scores, label: Label, *, margins: ClassWeights | None = None, scale: Positive = 30.0
):
    """Cross-entropy of scaled logits whose true class has to win by its margin: LDAM."""
    short = logits if margins is None else logits - where(is_class(label), margins, 0)
    return -log(pick(softmax(scale * short), label))


@loss(
    source="Su et al. 2022, arXiv:2208.02955, eq. 3",
    elsewhere=("ZLPR",),
    promises="non_negative convex bounded_gradient",
    choose="Several labels at once, of which few are present: every present one should score above "
    "0, every absent one below.",
    traps=(
        "One value per row, not per class: weights are of rows.",
        "The threshold is a score of 0, not a probability of 1/2.",
    ),
)
def zero_bounded_ranking(scores: Scores, target: Binaries):
    """How far absent classes score above 0, and present ones below, in one logarithm each: ZLPR."""
    absent = log(1 + total(exp(where(target == 1, -inf, scores))))
    return absent + log(1 + total(exp(where(target == 1, -scores, -inf))))


@loss(
    source="Li et al. 2020, arXiv:2006.04388, eq. 3",
    elsewhere=("mmdet.models.losses.QualityFocalLoss", "QFL"),
    promises="non_negative",
    choose="Dense detectors whose score says how good a box is: focal for such targets.",
    traps=(_FROM_LOGITS, _QUALITY, "For targets of 0 and 1 it is focal with gamma = beta."),
)
def quality_focal(logit: Real, target: Unit, *, beta: Positive = 2.0):
    """Binary cross-entropy with a quality, times a power of how far the prediction is from it."""
    nats = -(target * log_sigmoid(logit) + (1 - target) * log_sigmoid(-logit))
    return absolute(sigmoid(logit) - target) ** beta * nats


@loss(
    source="Zhang et al. 2020, arXiv:2008.13367, eq. 2",
    elsewhere=("mmdet.models.losses.VarifocalLoss", "VFL"),
    promises="non_negative",
    choose="Dense detectors: examples of high quality count by it, and only the negatives fade.",
    traps=(
        _FROM_LOGITS,
        _QUALITY,
        "Unlike focal it does not fade positives; alpha weighs the negatives.",
    ),
)
def varifocal(logit: Real, target: Unit, *, alpha: NonNegative = 0.75, gamma: NonNegative = 2.0):
    """Binary cross-entropy with a quality as weight, and focal where the quality is 0."""
    yes, no = log_sigmoid(logit), log_sigmoid(-logit)
    nats = -(target * yes + (1 - target) * no)
    return where(target > 0, target * nats, -alpha * sigmoid(logit) ** gamma * no)


@loss(
    source="Zhai et al. 2023, arXiv:2303.15343, eq. 1, for one pair",
    promises="non_negative convex bounded_gradient",
    choose="Pairs of images and texts, each judged for itself: the term of SigLIP.",
    traps=(
        "Takes the similarity of one pair and whether it belongs together; SigLIP adds the terms "
        "of all pairs of a batch and divides by the number of rows, not of pairs.",
        "scale and bias are learned there, from 10 and -10, so that at the start most of the loss "
        "is not of the many unlike pairs.",
    ),
)
def sigmoid_pair(similarity: Real, sign: Sign, *, scale: Positive = 10.0, bias: Real = -10.0):
    """Logistic loss of a scaled and shifted similarity against a sign."""
    return -log(sigmoid(sign * (scale * similarity + bias)))


@loss(
    source="Cao, Mirjalili and Raschka 2020, arXiv:1901.07884, eq. 4",
    elsewhere=("coral_pytorch.losses.coral_loss",),
    promises="non_negative convex bounded_gradient",
    choose="Grades in an order: one yes-or-no question for each threshold, is it more?",
    traps=(
        "Takes one logit for each threshold, which is one less than there are grades, and for "
        "each whether the grade lies above it.",
        "Sums over the thresholds, as the paper does; their mean is smaller by their number.",
        "Only with one shared weight vector are the answers in order.",
    ),
)
def coral(logits: Scores, levels: Binaries):
    """Sum over the thresholds of the binary cross-entropy of lying above."""
    return -total(levels * log_sigmoid(logits) + (1 - levels) * log_sigmoid(-logits))


@loss(
    source="Gensheimer and Narasimhan 2019, arXiv:1805.00917, eq. 3; Brown 1975, "
    "doi:10.2307/2529811",
    elsewhere=("pycox.models.loss.NLLLogistiHazardLoss", "discrete_time_survival"),
    promises="non_negative convex bounded_gradient",
    choose="Time until an event in intervals, with cases that were lost from sight.",
    traps=(
        "label is the interval in which a case was last seen; event says whether by the event.",
        "A case without event counts as having survived that interval, as in pycox; others let it "
        "end before.",
    ),
)
def logistic_hazard(logits: Scores, label: Label, event: Binary):
    """Negative log-likelihood of surviving interval after interval, up to the last one seen."""
    survived = total(where(class_index() < label, softplus(logits), 0))
    last = pick(logits, label)
    return survived + softplus(where(event > 0, -last, last))
