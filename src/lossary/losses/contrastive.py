"""Contrastive losses of similarities: the positives of an anchor against its negatives."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Cosines, Label, Logits, NonNegative, Positive, Real, Roles, Scores, Unit
from lossary.functions import (
    acos,
    class_count,
    cos,
    exp,
    floor,
    held,
    is_class,
    log,
    log_softmax,
    logsumexp,
    maximum,
    peak,
    pi,
    pick,
    sin,
    softmax,
    total,
    where,
)

# A row holds the similarities of one anchor with all candidates. Who is what says a label, or a row
# of roles: 1 for a positive, -1 for a negative, 0 for what is left out, such as the anchor itself.
# An anchor without positives costs 0.


@loss(
    source="van den Oord, Li and Vinyals 2018, arXiv:1807.03748, eq. 4; with a temperature: "
    "Chen et al. 2020, arXiv:2002.05709, eq. 1",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def info_nce(similarities: Logits, label: Label, *, temperature: Positive = 0.1):
    """Negative log-probability of the positive among all candidates."""
    z = similarities / temperature
    return -log(exp(pick(z, label)) / total(exp(z)))


@loss(
    source="Khosla et al. 2020, arXiv:2004.11362, eq. 2 (L_out)",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def supervised_contrastive(similarities: Scores, roles: Roles, *, temperature: Positive = 0.1):
    """Mean over the positives of the negative log-probability of each among all candidates."""
    z, alike = similarities / temperature, roles == 1
    log_p = log_softmax(z, where=roles != 0)
    return -total(log_p, where=alike) / maximum(1, total(1, where=alike))


@loss(
    source="Miech et al. 2020, arXiv:1912.06430",
    promises="non_negative bounded_gradient shift_invariant",
)
def multiple_instance_contrastive(
    similarities: Scores, roles: Roles, *, temperature: Positive = 1.0
):
    """Negative log-probability that one of the positives is chosen among all candidates."""
    z = similarities / temperature
    alike, unlike = total(exp(z), where=roles == 1), total(exp(z), where=roles == -1)
    return where(peak(roles) == 1, -log(alike / (alike + unlike)), 0)


@loss(
    source="Khosla et al. 2020, arXiv:2004.11362, eq. 3 (L_in)",
    promises="non_negative bounded_gradient shift_invariant",
)
def supervised_contrastive_inside(
    similarities: Scores, roles: Roles, *, temperature: Positive = 0.1
):
    """Negative logarithm of the mean over the positives of their probabilities."""
    z, count = similarities / temperature, maximum(1, total(1, where=roles == 1))
    alike, unlike = total(exp(z), where=roles == 1), total(exp(z), where=roles == -1)
    cost = log(count) - log(alike / (alike + unlike))
    return where(peak(roles) == 1, cost, 0)


@loss(
    source="Sohn 2016, Improved deep metric learning with multi-class N-pair loss objective; with "
    "several positives: optax.losses.ntxent",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def nt_xent(similarities: Scores, roles: Roles, *, temperature: Positive = 0.07):
    """Mean over the positives of the negative log-probability of each among the negatives."""
    z, alike = similarities / temperature, roles == 1
    each = -log(exp(z) / (exp(z) + total(exp(z), where=roles == -1)))
    return total(each, where=alike) / maximum(1, total(1, where=alike))


@loss(
    source="Yeh et al. 2022, arXiv:2110.06848",
    promises="convex bounded_gradient shift_invariant",
)
def decoupled_contrastive(similarities: Scores, roles: Roles, *, temperature: Positive = 0.1):
    """InfoNCE whose positive is left out of the sum that it is compared with."""
    z, alike, unlike = similarities / temperature, roles == 1, roles == -1
    near = total(z, where=alike) / maximum(1, total(1, where=alike))
    both = (peak(roles) == 1) & (peak(-roles) == 1)
    return where(both, logsumexp(z, where=unlike) - near, 0)


@loss(
    source="Wang et al. 2019, arXiv:1904.06627, eq. 15",
    promises="non_negative convex bounded_gradient",
)
def multi_similarity(
    similarities: Scores,
    roles: Roles,
    *,
    alpha: Positive = 2.0,
    beta: Positive = 50.0,
    base: Real = 0.5,
):
    """How far positives lie below a base similarity and negatives above it, the hardest first."""
    above = similarities - base
    pull = log(1 + total(exp(-alpha * above), where=roles == 1)) / alpha
    push = log(1 + total(exp(beta * above), where=roles == -1)) / beta
    return pull + push


@loss(
    source="Kim et al. 2020, arXiv:2003.13911, eq. 4, for one proxy",
    promises="non_negative convex bounded_gradient",
)
def proxy_anchor(
    similarities: Scores,
    roles: Roles,
    *,
    alpha: Positive = 32.0,
    margin: NonNegative = 0.1,
    positive_weight: Positive = 1.0,
):
    """How far a batch lies on the wrong side of a proxy, the hardest examples first."""
    pull = log(1 + total(exp(-alpha * (similarities - margin)), where=roles == 1))
    push = log(1 + total(exp(alpha * (similarities + margin)), where=roles == -1))
    return positive_weight * pull + push


@loss(
    source="Wang et al. 2018, arXiv:1801.09414, eq. 4",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def cosine_margin(
    cosines: Scores, label: Label, *, logit_scale: Positive = 64.0, margin: NonNegative = 0.35
):
    """Cross-entropy of scaled cosines, of which the true one has to win by a margin: CosFace."""
    short = cosines - where(is_class(label), margin, 0)
    return -log(pick(softmax(logit_scale * short), label))


@loss(
    source="Sun et al. 2020, arXiv:2002.10857, eq. 6-8",
    promises="non_negative needs_rivals",
)
def circle(similarities: Scores, roles: Roles, *, sharpness: Positive = 80.0, margin: Unit = 0.4):
    """Positives against negatives, each weighed by how far it is from where it should be."""
    near, far = held(maximum(0, 1 + margin - similarities)), held(maximum(0, similarities + margin))
    pull = total(exp(-sharpness * near * (similarities - 1 + margin)), where=roles == 1)
    push = total(exp(sharpness * far * (similarities - margin)), where=roles == -1)
    return log(1 + push * pull)


@loss(
    source="Deng et al. 2019, arXiv:1801.07698, eq. 3; beyond half a turn as in the authors' code",
    promises="non_negative needs_rivals",
)
def arcface(cosines: Cosines, label: Label, *, logit_scale: Positive = 64.0, margin: Unit = 0.5):
    """Cross-entropy of scaled cosines, of which the true angle has to be smaller by a margin."""
    turned = cos(acos(cosines) + margin)
    target = where(cosines > -cos(margin), turned, cosines - margin * sin(margin))
    return -log(pick(softmax(logit_scale * where(is_class(label), target, cosines)), label))


@loss(
    source="Hermans, Beyer and Leibe 2017, arXiv:1703.07737, eq. 5",
    promises="non_negative convex bounded_gradient shift_invariant",
)
def batch_hard_triplet(distances: Scores, roles: Roles, *, margin: NonNegative = 0.2):
    """How far the farthest positive fails to be nearer than the nearest negative, by a margin."""
    farthest, nearest = peak(distances, where=roles == 1), -peak(-distances, where=roles == -1)
    return maximum(0, farthest - nearest + margin)


@loss(
    source="Liu et al. 2017, arXiv:1704.08063, eq. 6-7, with m = 4",
    promises="non_negative needs_rivals",
)
def sphereface(cosines: Cosines, label: Label, *, logit_scale: Positive = 64.0):
    """Cross-entropy of scaled cosines, of which the true angle counts fourfold."""
    turns = floor(4 * acos(cosines) / pi)
    narrow = cos(pi * turns) * cos(4 * acos(cosines)) - 2 * turns
    return -log(pick(softmax(logit_scale * where(is_class(label), narrow, cosines)), label))


@loss(
    source="Movshovitz-Attias et al. 2017, arXiv:1703.07464, eq. 4",
    promises="convex bounded_gradient shift_invariant",
)
def proxy_nca(distances: Scores, label: Label):
    """How far the proxies of other classes fail to be farther than that of the own class."""
    near = exp(-pick(distances, label))
    beaten = -log(near / total(exp(-distances), where=~is_class(label)))
    return where(class_count() > 1, beaten, 0)


@loss(
    source="He et al. 2020, arXiv:1911.05722, eq. 1",
    promises="non_negative convex bounded_gradient",
)
def momentum_contrast(negatives: Scores, similarity: Real, *, temperature: Positive = 0.07):
    """Negative log-probability of a query's own key among it and a queue of older keys: MoCo."""
    own, queue = similarity / temperature, negatives / temperature
    return -log(exp(own) / (exp(own) + total(exp(queue))))
