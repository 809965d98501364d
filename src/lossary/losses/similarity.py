"""Distances between vectors along the last axis."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import Cosine, Embedding, NonNegative, Sign
from lossary.functions import (
    absolute,
    class_count,
    maximum,
    norm,
    peak,
    total,
    where,
)


@loss(
    source="Salton, Wong and Yang 1975, doi:10.1145/361219.361220",
    promises="symmetric scale_invariant",
)
def cosine_similarity(prediction: Embedding, target: Embedding):
    """Minus the cosine of the angle between two vectors."""
    return -total(prediction * target) / (norm(prediction) * norm(target))


@loss(
    source="Salton, Wong and Yang 1975, doi:10.1145/361219.361220",
    promises="non_negative zero_at_target symmetric scale_invariant",
)
def cosine_distance(prediction: Embedding, target: Embedding):
    """1 minus the cosine of the angle between two vectors."""
    return 1 - total(prediction * target) / (norm(prediction) * norm(target))


@loss(source="torch.nn.CosineEmbeddingLoss", promises="non_negative scale_invariant")
def cosine_embedding(first: Embedding, second: Embedding, sign: Sign, *, margin: Cosine = 0.0):
    """1 - cosine for a like pair; what the cosine of an unlike pair has above the margin."""
    cosine = total(first * second) / (norm(first) * norm(second))
    return where(sign > 0, 1 - cosine, maximum(0, cosine - margin))


@loss(
    source="Euclid, Elements, I.47",
    promises="non_negative zero_at_target symmetric convex bounded_gradient",
)
def euclidean_distance(prediction: Embedding, target: Embedding):
    """Length of the difference of two vectors."""
    return norm(prediction - target)


@loss(
    source="Pearson 1895, doi:10.1098/rspl.1895.0041",
    promises="non_negative symmetric scale_invariant shift_invariant",
)
def pearson_distance(prediction: Embedding, target: Embedding):
    """1 minus the correlation of two vectors."""
    x = prediction - total(prediction) / class_count()
    y = target - total(target) / class_count()
    return 1 - total(x * y) / (norm(x) * norm(y))


@loss(
    source="Tanimoto 1958, IBM internal report; Rogers and Tanimoto 1960, "
    "doi:10.1126/science.132.3434.1115",
    promises="non_negative zero_at_target symmetric",
)
def tanimoto_distance(prediction: Embedding, target: Embedding):
    """1 minus the inner product over the union, a Jaccard distance for vectors."""
    common = total(prediction * target)
    return 1 - common / (norm(prediction) ** 2 + norm(target) ** 2 - common)


@loss(
    source="Weinberger and Saul 2009, JMLR 10:207-244; Schroff et al. 2015, arXiv:1503.03832",
    promises="non_negative",
)
def triplet_margin(
    anchor: Embedding, positive: Embedding, negative: Embedding, *, margin: NonNegative = 1.0
):
    """How far the positive fails to be nearer to the anchor than the negative, by ``margin``."""
    return maximum(0, norm(anchor - positive) - norm(anchor - negative) + margin)


@loss(
    source="Lance and Williams 1966, doi:10.1093/comjnl/9.1.60",
    promises="non_negative zero_at_target symmetric",
)
def canberra(prediction: Embedding, target: Embedding):
    """Sum of the differences of two vectors, each over the sum of both sizes."""
    size = absolute(prediction) + absolute(target)
    return total(where(size == 0, 0, absolute(prediction - target) / size))


@loss(
    source="Wen et al. 2016, A discriminative feature learning approach for deep face recognition, "
    "doi:10.1007/978-3-319-46478-7_31, eq. 2, for one example",
    promises="non_negative zero_at_target symmetric convex",
)
def center(embedding: Embedding, target: Embedding):
    """Half the squared distance of an embedding from the center of its class."""
    return total((embedding - target) ** 2) / 2


@loss(
    source="Deza and Deza 2009, Encyclopedia of Distances, doi:10.1007/978-3-642-00234-2, ch. 17",
    promises="non_negative zero_at_target symmetric convex bounded_gradient",
)
def chebyshev_distance(prediction: Embedding, target: Embedding):
    """Largest of the differences of two vectors, entry by entry."""
    return peak(absolute(prediction - target))


@loss(
    source="Minkowski 1896, Geometrie der Zahlen; as a loss of translations: Bordes et al. 2013, "
    "Translating embeddings for modeling multi-relational data",
    promises="non_negative zero_at_target symmetric convex bounded_gradient",
)
def manhattan_distance(prediction: Embedding, target: Embedding):
    """Sum of the differences of two vectors, entry by entry."""
    return total(absolute(prediction - target))
