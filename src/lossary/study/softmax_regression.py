"""Softmax regression by stochastic gradient descent, with three losses on the same batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

import lossary as L
from lossary.study.experiment import Progress, StudyError
from lossary.study.images import Images

CLASSES = 10
QUADRATIC, TWICE, LOGITS = "quadratic cost", "softmax twice", "cross-entropy"


@dataclass(frozen=True)
class Settings:
    """Stochastic gradient descent as in the article."""

    rate: float = 0.2
    batch: int = 100
    epochs: int = 21


@dataclass(frozen=True)
class Run:
    """For each epoch test accuracy, mean training loss, digits never predicted; the first slope."""

    accuracy: np.ndarray
    loss: np.ndarray
    unpredicted: np.ndarray
    first_slope: float

    def first_at(self, level: float) -> int | None:
        """Return the first epoch, counted from 1, that ends at ``level`` or above."""
        reached = np.flatnonzero(self.accuracy >= level)
        return int(reached[0]) + 1 if reached.size else None


Head = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, np.ndarray]]
"""From logits, integer labels and one-hot targets to the loss and its gradient by the logits."""


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the class probabilities of each row."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def through_softmax(probabilities: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Turn a gradient by the probabilities into one by the logits: p (g - sum(p g))."""
    return probabilities * (gradient - (probabilities * gradient).sum(axis=-1, keepdims=True))


def quadratic(
    logits: np.ndarray, label: np.ndarray, one_hot: np.ndarray
) -> tuple[float, np.ndarray]:
    """reduce_mean(square(y - prediction)): the mean runs over images and classes."""
    probabilities = softmax(logits)
    value, gradient = L.squared_error.value_and_gradient(probabilities, one_hot, check=False)
    return float(value), through_softmax(probabilities, gradient)


def softmax_twice(
    logits: np.ndarray, label: np.ndarray, one_hot: np.ndarray
) -> tuple[float, np.ndarray]:
    """The article's mistake: probabilities passed where cross-entropy expects logits."""
    probabilities = softmax(logits)
    value, gradient = L.cross_entropy.value_and_gradient(probabilities, label, check=False)
    return float(value), through_softmax(probabilities, gradient)


def on_logits(
    logits: np.ndarray, label: np.ndarray, one_hot: np.ndarray
) -> tuple[float, np.ndarray]:
    """Cross-entropy as it is meant."""
    value, gradient = L.cross_entropy.value_and_gradient(logits, label, check=False)
    return float(value), gradient


HEADS: Mapping[str, Head] = {QUADRATIC: quadratic, TWICE: softmax_twice, LOGITS: on_logits}


def floor() -> float:
    """The least loss after a second softmax: a perfect one-hot prediction taken for logits."""
    return float(L.cross_entropy(np.eye(CLASSES)[:1], np.array([0])))


def train(images: Images, settings: Settings, seed: int, progress: Progress) -> dict[str, Run]:
    """Train one weight matrix per head from zeros, all on the same batches.

    The matrices lie side by side, so that one product per batch serves the three heads.
    """
    check_batch(images, settings)
    rng = np.random.default_rng(seed)
    heads, count = list(HEADS.values()), len(images.train)
    blocks = [slice(CLASSES * i, CLASSES * (i + 1)) for i in range(len(heads))]
    weights = np.zeros((images.train.shape[1], CLASSES * len(heads)), dtype=np.float32)
    bias = np.zeros(CLASSES * len(heads), dtype=np.float32)
    one_hot = np.eye(CLASSES, dtype=np.float32)
    slopes = np.empty((settings.batch, CLASSES * len(heads)), dtype=np.float32)
    batches = count // settings.batch
    losses = np.zeros((settings.epochs, len(heads)))
    accuracy, unpredicted = np.zeros_like(losses), np.zeros(losses.shape, dtype=int)
    first_slopes: list[float] = []
    for epoch in range(settings.epochs):
        progress(epoch, settings.epochs, "epochs")
        order = rng.permutation(count)
        for batch in range(batches):
            rows = order[batch * settings.batch : (batch + 1) * settings.batch]
            pixels, label = images.train[rows], images.train_label[rows]
            logits, target = pixels @ weights + bias, one_hot[label]
            for index, (head, block) in enumerate(zip(heads, blocks, strict=True)):
                value, slopes[:, block] = head(logits[:, block], label, target)
                losses[epoch, index] += value / batches
            if not first_slopes:
                first_slopes = [float(np.linalg.norm(slopes[:, block])) for block in blocks]
            weights -= settings.rate * (pixels.T @ slopes)
            bias -= settings.rate * slopes.sum(axis=0)
        scores = (images.test @ weights + bias).reshape(len(images.test), len(heads), CLASSES)
        predicted = scores.argmax(axis=-1)
        accuracy[epoch] = (predicted == images.test_label[:, None]).mean(axis=0)
        unpredicted[epoch] = [CLASSES - len(np.unique(column)) for column in predicted.T]
    progress(settings.epochs, settings.epochs, "epochs")
    return {
        name: Run(accuracy[:, index], losses[:, index], unpredicted[:, index], first_slopes[index])
        for index, name in enumerate(HEADS)
    }


def check_batch(images: Images, settings: Settings) -> None:
    """Check batch size and data once, so that training can skip the checks."""
    if settings.batch > len(images.train):
        raise StudyError(
            f"study: batch must be at most the {len(images.train)} training images, "
            f"got {settings.batch}"
        )
    zeros = np.zeros((len(images.train), CLASSES), dtype=np.float32)
    L.cross_entropy(zeros, images.train_label)
    for name, pixels in (("train", images.train), ("test", images.test)):
        if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
            raise StudyError(f"study: pixels of the {name} images must lie in [0, 1]")
