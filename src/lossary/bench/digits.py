"""A whole training, as people write it: a small network learns scikit-learn's digits.

Every library begins with the same weights and sees the same batches in the same order, the last of
an epoch smaller than the others, so that the weights it ends with can be compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import lossary
from lossary.bench.work import Data
from lossary.study.images import bundled_digits

PIXELS, HIDDEN, CLASSES = 64, 64, 10
EPOCHS = 5
RATE = 0.1
SHAPES = ((PIXELS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,))


def draw(seed: int) -> Data:
    """Return the images, their labels, and the weights to begin with, in one vector."""
    images = bundled_digits(seed)
    random = np.random.default_rng(seed)
    weights = [
        random.standard_normal(shape) * (2 / shape[0]) ** 0.5
        if len(shape) == 2
        else np.zeros(shape)
        for shape in SHAPES
    ]
    flat = np.concatenate([part.reshape(-1) for part in weights]).astype(np.float32)
    return Data(images.train, images.train_label, weight=flat)


def first(data: Data) -> list[np.ndarray]:
    """Return the matrix and the vector of each layer to begin with."""
    flat = data.weight
    assert flat is not None  # noqa: S101  (``draw`` made it)
    edges = itertools.accumulate((int(np.prod(shape)) for shape in SHAPES), initial=0)
    return [
        flat[low:high].reshape(shape)
        for (low, high), shape in zip(itertools.pairwise(edges), SHAPES, strict=True)
    ]


def batches(count: int, size: int) -> Iterator[slice]:
    """Yield the batches of an epoch.

    >>> [(part.start, part.stop) for part in batches(10, 4)]
    [(0, 4), (4, 8), (8, 10)]
    """
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def outcome(data: Data, weights: Sequence[Any]) -> tuple[float, np.ndarray]:
    """Return the loss that a training ends with, and its weights in one vector."""
    one, above, two, out = (np.asarray(part, np.float64) for part in weights)
    hidden = np.maximum(data.prediction @ one + above, 0)
    value = lossary.catalogue["cross_entropy"](hidden @ two + out, data.target)
    return float(value), np.concatenate([np.asarray(part).reshape(-1) for part in weights])
