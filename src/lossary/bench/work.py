"""The work that is measured: a loss, a shape and a type, and the arrays that it is done on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

ROWWISE = ("cross_entropy", "soft_cross_entropy")
LINEAR = "linear_cross_entropy"  # from hidden states and a matrix of weights, on a GPU
ITEM_SIZE = {"float64": 8, "float32": 4, "bfloat16": 2}
IGNORED = -100  # the label that PyTorch leaves out unless told otherwise
GRADIENT, VALUE, TRAINING, BOOSTING = "gradient", "value", "training", "boosting"
SEQUENCES = "sequences"
WHOLE = {TRAINING, BOOSTING}  # kinds of work that are trainings from end to end
WEIGHT, MASK, CLASS_WEIGHT = "weight", "mask", "class_weight"


def spell(count: int) -> str:
    """Return a count as a power of ten where it is one.

    >>> spell(10_000_000), spell(64), spell(32000)
    ('10^7', '64', '32000')
    """
    text = str(count)
    return f"10^{len(text) - 1}" if count >= 1000 and text.strip("0") == "1" else text


@dataclass(frozen=True)
class Case:
    """One piece of work: value and gradient of the mean of a loss, unless ``kind`` says otherwise.

    ``ignored`` is the share of rows that are left out; ``option`` names what else the call is
    given: a weight or a mask of each element or row, or a weight of each class. The kind may be the
    value alone, or a whole training: on digits, whose shape is the batch, or of a booster, whose
    shape is the rows and whose option is the host; or value and gradient of whole sequences, whose
    shape is sequences, frames and classes.

    >>> case = Case("cross_entropy", (2048, 32000), "bfloat16", ignored=0.5)
    >>> case.name, case.bytes
    ('cross_entropy/2048x32000/bfloat16/ignored', 196608000)
    >>> Case("huber", (1000,), option="weight").name, Case("huber", (10,), kind="value").name
    ('huber/10^3/float32/weight', 'huber/10/float32/value')
    """

    loss: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    ignored: float = 0.0
    device: str = "cpu"
    option: str = ""
    kind: str = GRADIENT

    @property
    def name(self) -> str:
        """What ``--filter`` matches."""
        sizes = map(spell if len(self.shape) == 1 else str, self.shape)
        parts = [self.loss, "x".join(sizes), self.dtype]
        parts += ["ignored"] if self.ignored else []
        parts += [self.option] if self.option else []
        parts += [] if self.kind == GRADIENT else [self.kind]
        return "/".join([*parts, *([] if self.device == "cpu" else [self.device])])

    @property
    def plain(self) -> Case:
        """The same work without options, and with all rows."""
        return replace(self, ignored=0.0, option="")

    @property
    def bounded(self) -> bool:
        """Whether it is known which bytes must move: without options, value and gradient."""
        return self.kind == GRADIENT and not self.option

    @property
    def numbers(self) -> int:
        """How many numbers the prediction has."""
        return prod(self.shape)

    @property
    def rowwise(self) -> bool:
        """Whether classes lie along the last axis."""
        return self.loss in ROWWISE

    @property
    def soft(self) -> bool:
        """Whether the targets are distributions."""
        return self.loss == "soft_cross_entropy"

    @property
    def linear(self) -> bool:
        """Whether it starts from hidden states: the shape is rows, width, classes."""
        return self.loss == LINEAR

    @property
    def gradient_bytes(self) -> int:
        """The size of the gradient, and of the prediction."""
        shape = self.shape[:2] if self.linear else self.shape
        return prod(shape) * ITEM_SIZE[self.dtype]

    @property
    def arrays(self) -> int:
        """How many arrays of the prediction's size move: with labels 2, else 3."""
        return 2 if self.linear or self.loss == "cross_entropy" else 3

    @property
    def bytes(self) -> int:
        """The bytes that must move: what counts is read once, the gradient is written once.

        Labels are left out, and so are the lines that a cache fetches before it writes them: the
        copy and the triad that the case is compared with fetch them too.
        """
        if self.linear:
            weights = prod(self.shape[1:]) * ITEM_SIZE[self.dtype]
            return 2 * (self.gradient_bytes + weights)
        read = (self.arrays - 1) * (1 - self.ignored)
        return round((read + 1) * self.gradient_bytes)


@dataclass(frozen=True)
class Data:
    """Prediction and target of a case; the numbers fit its type, the arrays are float32.

    ``keep`` says which rows count, ``weight`` makes logits of hidden states, or is what a training
    begins with; ``extra`` is what the option of the case gives.
    """

    prediction: np.ndarray
    target: np.ndarray
    keep: np.ndarray | None = None
    weight: np.ndarray | None = None
    extra: np.ndarray | None = None

    @cached_property
    def bfloat16(self) -> tuple[np.ndarray, np.ndarray]:
        """Prediction and target in NumPy's bfloat16, which ``ml_dtypes`` brings."""
        import ml_dtypes

        real = self.target.dtype.kind == "f"
        target = self.target.astype(ml_dtypes.bfloat16) if real else self.target
        return self.prediction.astype(ml_dtypes.bfloat16), target
