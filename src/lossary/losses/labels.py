"""Losses of classes that are rare, wrongly labelled, or several at once."""

from __future__ import annotations

from math import inf
from typing import Annotated

from lossary.definition import loss
from lossary.domain import (
    Binaries,
    Binary,
    ClassWeights,
    Exponent,
    Label,
    Negative,
    NonNegative,
    OpenUnit,
    Positive,
    Real,
    Scores,
    Sign,
    Simplex,
    Smoothing,
    Unit,
    positions,
)
from lossary.formula import Expression
from lossary.functions import (
    absolute,
    class_count,
    class_index,
    entmax_root,
    exp,
    held,
    is_class,
    log,
    log_sigmoid,
    log_softmax,
    maximum,
    minimum,
    pick,
    sigmoid,
    softmax,
    softplus,
    tempered_softmax,
    total,
    where,
)
from lossary.functions import sparsemax as sparse_probabilities


def seen_of_each_class(
    label: Annotated[Unit, positions], *, class_counts: NonNegative = 0.0
) -> Expression:
    """How many examples of each class have been seen."""
    return class_counts + total(label, over=positions)


@loss(
    source="Szegedy et al. 2016, arXiv:1512.00567, sec. 7, for two classes",
    promises="non_negative convex bounded_gradient",
)
def smoothed_binary_cross_entropy(logit: Real, target: Unit, *, label_smoothing: Smoothing = 0.1):
    """Binary cross-entropy with targets that are moved towards 1/2."""
    yes, no = log_sigmoid(logit), log_sigmoid(-logit)
    sharp = target * yes + (1 - target) * no
    return -((1 - label_smoothing) * sharp + label_smoothing / 2 * (yes + no))


@loss(
    source="Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    promises="non_negative convex proper",
)
def brier(probability: Unit, target: Unit):
    """Squared distance of a probability from what has happened."""
    return (probability - target) ** 2


@loss(
    source="Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2, eq. 2",
    promises="non_negative convex proper",
)
def multiclass_brier(probabilities: Simplex, label: Label):
    """Squared distance of the probabilities of all classes from the class that has happened."""
    return total((probabilities - where(is_class(label), 1, 0)) ** 2)


@loss(
    source="Wang et al. 2019, arXiv:1908.06112",
    promises="non_negative bounded_gradient shift_invariant",
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
    source="Feng et al. 2020, doi:10.24963/ijcai.2020/305, eq. 4, of order 2",
    promises="non_negative bounded_gradient shift_invariant",
)
def taylor_cross_entropy(logits: Scores, label: Label):
    """Two terms of the cross-entropy's series in the probability that misses the label."""
    p = pick(softmax(logits), label)
    return 1 - p + (1 - p) ** 2 / 2


@loss(
    source="Ma et al. 2020, arXiv:2006.13554",
    promises="non_negative bounded_gradient shift_invariant",
)
def normalized_cross_entropy(logits: Scores, label: Label):
    """Cross-entropy divided by the sum of the cross-entropies with every label."""
    return pick(log_softmax(logits), label) / total(log_softmax(logits))


@loss(
    source="Menon et al. 2020, arXiv:2007.07314; Ren et al. 2020, arXiv:2007.10740 "
    "(balanced softmax)",
    promises="non_negative convex bounded_gradient shift_invariant",
    state=seen_of_each_class,
)
def logit_adjusted(
    logits: Scores, label: Label, *, class_counts: ClassWeights | None = None, tau: Positive = 1.0
):
    """Cross-entropy of logits to which the logarithm of each class's share is added."""
    moved = logits if class_counts is None else logits + tau * log(class_counts)
    return -log(pick(softmax(moved), label))


@loss(
    source="Cao et al. 2019, arXiv:1906.07413, eq. 13",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def label_distribution_margin(
    logits: Scores,
    label: Label,
    *,
    margins: ClassWeights | None = None,
    logit_scale: Positive = 30.0,
):
    """Cross-entropy of scaled logits whose true class has to win by its margin: LDAM."""
    short = logits if margins is None else logits - where(is_class(label), margins, 0)
    return -log(pick(softmax(logit_scale * short), label))


@loss(
    source="Su et al. 2022, arXiv:2208.02955",
    promises="non_negative convex bounded_gradient",
)
def zero_bounded_ranking(scores: Scores, target: Binaries):
    """How far absent classes score above 0, and present ones below, in one logarithm each: ZLPR."""
    absent = log(1 + total(exp(where(target == 1, -inf, scores))))
    return absent + log(1 + total(exp(where(target == 1, -scores, -inf))))


@loss(source="Li et al. 2020, arXiv:2006.04388", promises="non_negative")
def quality_focal(logit: Real, target: Unit, *, beta: Positive = 2.0):
    """Binary cross-entropy with a quality, times a power of how far the prediction is from it."""
    nats = -(target * log_sigmoid(logit) + (1 - target) * log_sigmoid(-logit))
    return absolute(sigmoid(logit) - target) ** beta * nats


@loss(source="Zhang et al. 2020, arXiv:2008.13367", promises="non_negative")
def varifocal(logit: Real, target: Unit, *, alpha: NonNegative = 0.75, gamma: NonNegative = 2.0):
    """Binary cross-entropy with a quality as weight, and focal where the quality is 0."""
    yes, no = log_sigmoid(logit), log_sigmoid(-logit)
    nats = -(target * yes + (1 - target) * no)
    return where(target > 0, target * nats, -alpha * sigmoid(logit) ** gamma * no)


@loss(
    source="Zhai et al. 2023, arXiv:2303.15343, sec. 3.2, for one pair",
    promises="non_negative convex bounded_gradient",
)
def sigmoid_pair(similarity: Real, sign: Sign, *, scale: Positive = 10.0, bias: Real = -10.0):
    """Logistic loss of a scaled and shifted similarity against a sign."""
    return -log(sigmoid(sign * (scale * similarity + bias)))


@loss(
    source="Cao, Mirjalili and Raschka 2020, arXiv:1901.07884",
    promises="non_negative convex bounded_gradient",
)
def coral(logits: Scores, levels: Binaries):
    """Sum over the thresholds of the binary cross-entropy of lying above."""
    return -total(levels * log_sigmoid(logits) + (1 - levels) * log_sigmoid(-logits))


@loss(
    source="Gensheimer and Narasimhan 2019, arXiv:1805.00917; Brown 1975, Biometrics 31:863-872",
    promises="non_negative convex bounded_gradient",
)
def logistic_hazard(logits: Scores, label: Label, event: Binary):
    """Negative log-likelihood of surviving interval after interval, up to the last one seen."""
    survived = total(where(class_index() < label, softplus(logits), 0))
    last = pick(logits, label)
    return survived + softplus(where(event > 0, -last, last))


@loss(
    source="Ghosh, Kumar and Sastry 2017, arXiv:1712.09482",
    promises="non_negative bounded_gradient shift_invariant",
)
def softmax_absolute_error(logits: Scores, label: Label):
    """Sum of the absolute differences of the softmax and the label, which forgives wrong labels."""
    return 2 - 2 * pick(softmax(logits), label)


@loss(
    source="Cao et al. 2007, doi:10.1145/1273496.1273513",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def listnet(scores: Scores, relevance: Scores):
    """Cross-entropy of the chances to be ranked first, by relevance and by score."""
    return -total(softmax(relevance) * log_softmax(scores))


@loss(source="Ridnik et al. 2021, arXiv:2009.14119, eq. 7", promises="non_negative")
def asymmetric(
    logit: Real,
    target: Binary,
    *,
    positive_gamma: NonNegative = 1.0,
    negative_gamma: NonNegative = 4.0,
    shift: Unit = 0.05,
):
    """Binary cross-entropy that fades faster, and starts later, for labels that are absent: ASL."""
    p = sigmoid(logit)
    p_m = maximum(p - shift, 0)
    absent = -(p_m**negative_gamma) * log(1 - p_m)
    return where(target == 1, -((1 - p) ** positive_gamma) * log(p), absent)


@loss(
    source="Zhang and Sabuncu 2018, arXiv:1805.07836, eq. 6",
    promises="non_negative bounded_gradient shift_invariant",
)
def generalized_cross_entropy(logits: Scores, label: Label, *, q: OpenUnit = 0.7):
    """A cross-entropy that stops at 1 / q, so that wrong labels pull less, from logits."""
    return (1 - pick(softmax(logits), label) ** q) / q


@loss(
    source="Martins and Astudillo 2016, arXiv:1602.02068; Blondel, Martins and Niculae 2020, "
    "arXiv:1901.02324, as a Fenchel-Young loss",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def sparsemax(logits: Scores, label: Label):
    """Loss of a label with sparse probabilities: exactly 0 once it leads by 1."""
    p = sparse_probabilities(logits)
    return total(logits * p) - pick(logits, label) + (1 - total(p**2)) / 2


@loss(
    source="Peters, Niculae and Martins 2019, arXiv:1905.05702, with alpha = 1.5; Blondel, Martins "
    "and Niculae 2020, arXiv:1901.02324, as a Fenchel-Young loss",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def entmax(logits: Scores, label: Label):
    """Loss of a label with probabilities that are sparse, and smooth where they are not 0."""
    root = entmax_root(logits)
    tsallis = (1 - total(root**3)) / (1.5 * 0.5)
    return total(logits * root**2) + tsallis - pick(logits, label)


@loss(
    source="Amid, Warmuth, Anil and Koren 2019, arXiv:1906.03361, sec. 2-3",
    promises="non_negative bounded_gradient shift_invariant",
)
def bi_tempered(
    logits: Scores,
    label: Label,
    *,
    loss_temperature: Unit = 0.8,
    tail_temperature: Exponent = 1.2,
):
    """Cross-entropy with a bounded logarithm, and with probabilities whose tails are heavy."""
    p = tempered_softmax(logits, tail_temperature)
    own, rest = pick(p, label), (1 - total(p ** (2 - loss_temperature))) / (2 - loss_temperature)
    bounded = (1 - own ** (1 - loss_temperature)) / (1 - loss_temperature)
    return where(loss_temperature == 1, -log(own), bounded) - rest


@loss(
    source="Wang et al. 2021, arXiv:2008.10032, eq. 5-8",
    promises="non_negative shift_invariant",
    state=seen_of_each_class,
)
def seesaw(
    logits: Scores,
    label: Label,
    *,
    class_counts: ClassWeights | None = None,
    mitigation: NonNegative = 0.8,
    compensation: NonNegative = 2.0,
):
    """Cross-entropy that spares rare classes, unless they are mistaken for the true one."""
    moved = logits + compensation * maximum(0, held(logits - pick(logits, label)))
    if class_counts is not None:
        own = pick(class_counts, label)
        moved = moved + where(class_counts < own, mitigation * log(class_counts / own), 0)
    return -log(pick(softmax(moved), label))


@loss(
    source="Shi, Cao and Raschka 2023, arXiv:2111.08851, eq. 6",
    promises="non_negative convex bounded_gradient",
)
def corn(logits: Scores, levels: Binaries):
    """Sum over the thresholds that are reached of the binary cross-entropy of passing each."""
    asked = class_index() <= total(levels)
    each = levels * log_sigmoid(logits) + (1 - levels) * log_sigmoid(-logits)
    return -total(each, where=asked)


@loss(
    source="Li et al. 2020, arXiv:2006.04388, eq. 6",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def distribution_focal(logits: Scores, target: NonNegative):
    """Cross-entropy with the two classes beside a place between them, each by its nearness."""
    place = minimum(target, class_count() - 1)
    beside = minimum(place - (class_index() - 1), (class_index() + 1) - place)
    return -total(maximum(0, beside) * log_softmax(logits))


@loss(
    source="Peters, Niculae and Martins 2019, arXiv:1905.05702, eq. 10; Blondel, Martins and "
    "Niculae 2020, arXiv:1901.02324, as a Fenchel-Young loss of Tsallis' entropy",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def tsallis(logits: Scores, label: Label, *, temperature: OpenUnit = 0.75):
    """Loss of a label with entmax of any power, 2 - temperature, between softmax and sparsemax."""
    p, power = tempered_softmax(logits, temperature), 2 - temperature
    entropy = (1 - total(p**power)) / (power * (power - 1))
    return total(logits * p) + entropy - pick(logits, label)
