"""Distances between vectors along the last axis."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Cosine, Embedding, NonNegative, Sign
from lossary.functions import (
    centred,
    cosine,
    cosine_gap,
    distance_difference,
    maximum,
    norm,
    tanimoto_gap,
    where,
)

_ZERO = "A zero vector has no direction: its cosine is 0 with gradient 0, documented and tested."


@loss(
    source="Salton, Wong and Yang 1975, doi:10.1145/361219.361220",
    elsewhere=("keras.losses.CosineSimilarity", "keras.losses.cosine_similarity"),
    promises="symmetric scale_invariant",
    choose="Direction matters and magnitude does not, as in ratings of users.",
    traps=(
        "Negative, because it is minimised, as in Keras: from -1 (same direction) to 1.",
        _ZERO,
    ),
)
def cosine_similarity(prediction: Embedding, target: Embedding):
    """Minus the cosine of the angle between two vectors."""
    return -cosine(prediction, target)


@loss(
    source="Salton, Wong and Yang 1975, doi:10.1145/361219.361220",
    elsewhere=("optax.losses.cosine_distance", "sklearn.metrics.pairwise.cosine_distances",
               "tf.compat.v1.losses.cosine_distance"),
    promises="non_negative zero_at_target symmetric scale_invariant",
    choose="As cosine_similarity, with 0 for the same direction.",
    traps=("tf.compat.v1's assumes unit vectors and does not normalise.", _ZERO),
)  # fmt: skip
def cosine_distance(prediction: Embedding, target: Embedding):
    """1 minus the cosine of the angle between two vectors."""
    return cosine_gap(prediction, target)


@loss(
    source="torch.nn.CosineEmbeddingLoss",
    elsewhere=("torch.nn.CosineEmbeddingLoss", "torch.nn.functional.cosine_embedding_loss"),
    promises="non_negative scale_invariant",
    choose="Pairs of embeddings that are alike (1) or not (-1); a margin of 0 to 0.5 is usual.",
    traps=("margin lies in [-1, 1].", _ZERO),
)
def cosine_embedding(first: Embedding, second: Embedding, sign: Sign, *, margin: Cosine = 0.0):
    """1 - cosine for a like pair; what the cosine of an unlike pair has above the margin."""
    apart = maximum(cosine(first, second) - margin, 0)
    return where(sign > 0, cosine_gap(first, second), apart)


@loss(
    source="Euclid, Elements, I.47",
    elsewhere=("torch.nn.PairwiseDistance",),
    promises="non_negative zero_at_target symmetric convex bounded_gradient",
    choose="The length of the error of a whole vector: one outlying vector counts once.",
    traps=("The root of the sum of squares; its gradient at 0 is 0 by convention.",),
)
def euclidean_distance(prediction: Embedding, target: Embedding):
    """Length of the difference of two vectors."""
    return norm(prediction - target)


@loss(
    source="Pearson 1895, doi:10.1098/rspl.1895.0041",
    promises="non_negative symmetric scale_invariant shift_invariant",
    choose="Shape matters, offset and scale do not: the cosine distance of centred vectors.",
    traps=("A constant vector has no correlation: its distance is 1 with gradient 0.",),
)
def pearson_distance(prediction: Embedding, target: Embedding):
    """1 minus the correlation of two vectors."""
    return cosine_gap(centred(prediction), centred(target))


@loss(
    source="Tanimoto 1958, IBM internal report; Rogers and Tanimoto 1960, "
    "doi:10.1126/science.132.3434.1115",
    promises="non_negative zero_at_target symmetric",
    choose="Sets and fingerprints as vectors: overlap relative to the union.",
    traps=("Two zero vectors are equal: their distance is 0.",),
)
def tanimoto_distance(prediction: Embedding, target: Embedding):
    """1 minus the inner product over the union, a Jaccard distance for vectors."""
    return tanimoto_gap(prediction, target)


@loss(
    source="Weinberger and Saul 2009, JMLR 10:207-244; Schroff et al. 2015, arXiv:1503.03832",
    elsewhere=("torch.nn.TripletMarginLoss", "torch.nn.functional.triplet_margin_loss",
               "optax.losses.triplet_margin_loss"),
    promises="non_negative",
    choose="Embeddings in which an anchor lies nearer to its like than to its unlike.",
    traps=(
        "torch adds 1e-6 inside the distances; this adds nothing.",
        "A mean over the triplets that are not 0 yet is a mask, not this loss.",
    ),
)  # fmt: skip
def triplet_margin(
    anchor: Embedding, positive: Embedding, negative: Embedding, *, margin: NonNegative = 1.0
):
    """How far the positive fails to be nearer to the anchor than the negative, by ``margin``."""
    return maximum(distance_difference(anchor, positive, negative) + margin, 0)
