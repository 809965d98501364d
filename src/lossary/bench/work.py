"""The work that is measured: a loss, a shape and a type, with data that are the same for all."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

__all__ = ["IGNORED", "Case", "Data", "cases", "chosen", "draw", "spell"]

ELEMENTWISE = ("squared_error", "huber", "binary_cross_entropy", "focal", "poisson")
ROWWISE = ("cross_entropy", "soft_cross_entropy")
LINEAR = "linear_cross_entropy"  # from hidden states and a matrix of weights, on a GPU
CE_SHAPES = ((65536, 10), (2048, 32000), (256, 151936))
DTYPES = ("float32", "bfloat16")
ITEM_SIZE = {"float64": 8, "float32": 4, "bfloat16": 2}
IGNORED = -100  # the label that PyTorch leaves out unless told otherwise


def spell(count: int) -> str:
    """Return a count as a power of ten where it is one.

    >>> spell(10_000_000), spell(64), spell(32000)
    ('10^7', '64', '32000')
    """
    text = str(count)
    return f"10^{len(text) - 1}" if count >= 1000 and text.strip("0") == "1" else text


@dataclass(frozen=True)
class Case:
    """One piece of work: value and gradient of the mean of a loss.

    ``ignored`` is the share of rows that are left out.

    >>> case = Case("cross_entropy", (2048, 32000), "bfloat16", ignored=0.5)
    >>> case.name, case.bytes
    ('cross_entropy/2048x32000/bfloat16/ignored', 196608000)
    """

    loss: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    ignored: float = 0.0
    device: str = "cpu"

    @property
    def name(self) -> str:
        """What ``--filter`` matches."""
        parts = [self.loss, "x".join(map(spell, self.shape)), self.dtype]
        parts += ["ignored"] if self.ignored else []
        return "/".join([*parts, *([] if self.device == "cpu" else [self.device])])

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

    ``keep`` says which rows count, ``weight`` makes logits of hidden states.
    """

    prediction: np.ndarray
    target: np.ndarray
    keep: np.ndarray | None = None
    weight: np.ndarray | None = None

    @cached_property
    def bfloat16(self) -> tuple[np.ndarray, np.ndarray]:
        """Prediction and target in NumPy's bfloat16, which ``ml_dtypes`` brings."""
        import ml_dtypes

        real = self.target.dtype.kind == "f"
        target = self.target.astype(ml_dtypes.bfloat16) if real else self.target
        return self.prediction.astype(ml_dtypes.bfloat16), target


def draw(case: Case, seed: int = 0) -> Data:
    """Return the data of a case; equal seeds give equal data."""
    random = np.random.default_rng([seed, *case.shape])
    if case.linear:
        return _linear(random, case)
    prediction = _normal(random, case.shape)
    prediction *= 2
    keep = None
    if case.ignored:
        keep = random.random(case.shape[0]) >= case.ignored
        keep[0] = True
    target = _TARGETS[case.loss](random, case.shape)
    if keep is not None and not case.soft:
        target = np.where(keep, target, IGNORED)
    if case.dtype == "bfloat16":
        prediction = _rounded(prediction)
        target = _rounded(target) if target.dtype.kind == "f" else target
    return Data(prediction, target, keep)


Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


# More numbers than this are repeated: drawing them would take longer than computing with them.
DRAWN = 1 << 24


def _repeated(few: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return few.reshape(shape) if few.size == prod(shape) else np.resize(few, shape)


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    few = random.standard_normal(min(DRAWN, prod(shape)), dtype=np.float32)
    return _repeated(few, shape)


def _binary(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.integers(0, 2, shape, dtype=np.int8).astype(np.float32)


def _count(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.integers(0, 10, shape, dtype=np.int8).astype(np.float32)


def _label(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.integers(0, shape[-1], shape[:-1])


def _simplex(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    few = random.standard_exponential(min(DRAWN, prod(shape)), dtype=np.float32)
    weights = _repeated(few, shape)
    weights /= weights.sum(-1, keepdims=True)
    return weights


_TARGETS: dict[str, Draw] = {
    "squared_error": _normal,
    "huber": _normal,
    "binary_cross_entropy": _binary,
    "focal": _binary,
    "poisson": _count,
    "cross_entropy": _label,
    "soft_cross_entropy": _simplex,
}


def _linear(random: np.random.Generator, case: Case) -> Data:
    rows, width, classes = case.shape
    hidden = _normal(random, (rows, width))
    weight = _normal(random, (classes, width)) / np.float32(width**0.5)
    if case.dtype == "bfloat16":
        hidden, weight = _rounded(hidden), _rounded(weight)
    return Data(hidden, random.integers(0, classes, rows), weight=weight)


def _rounded(x: np.ndarray) -> np.ndarray:
    """Return float32 numbers rounded to the nearest bfloat16, ties to even."""
    bits = x.view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)).view(np.float32)


SMALL = (
    *(Case(loss, (64,)) for loss in ("huber", "binary_cross_entropy")),
    *(Case(loss, (100_000,)) for loss in ELEMENTWISE),
    Case("cross_entropy", (8, 8)),
    Case("cross_entropy", (4096, 10)),
    Case("cross_entropy", (128, 32000)),
    Case("soft_cross_entropy", (128, 32000)),
    Case("cross_entropy", (128, 32000), ignored=0.5),
)


def _full() -> Iterable[Case]:
    for loss in ELEMENTWISE:
        yield Case(loss, (64,))
    for loss in ROWWISE:
        yield Case(loss, (8, 8))
    for dtype in DTYPES:
        for loss in ELEMENTWISE:
            for count in (10**3, 10**5, 10**7):
                yield Case(loss, (count,), dtype)
        for shape in CE_SHAPES:
            for loss in ROWWISE:
                yield Case(loss, shape, dtype)
                if dtype == "float32" or shape == CE_SHAPES[0]:
                    yield Case(loss, shape, dtype, 0.5)


def _gpu() -> Iterable[Case]:
    for dtype in DTYPES:
        for loss in ELEMENTWISE:
            for count in (10**5, 10**8):
                yield Case(loss, (count,), dtype, device="cuda")
        for shape in ((8192, 32000), (8192, 128256)):
            for loss in ROWWISE:
                yield Case(loss, shape, dtype, device="cuda")
        yield Case("cross_entropy", (8192, 128256), dtype, 0.5, "cuda")
    yield Case(LINEAR, (8192, 2048, 32000), "bfloat16", device="cuda")


def cases(size: str = "small", device: str = "cpu") -> tuple[Case, ...]:
    """Return the work of a size: ``small`` takes a minute or two, ``full`` is all of it.

    >>> len(cases("full"))
    57
    """
    if device == "cuda":
        found = tuple(_gpu())
        return found if size == "full" else tuple(c for c in found if c.dtype == "bfloat16")
    return tuple(_full()) if size == "full" else SMALL


def chosen(found: Sequence[Case], patterns: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases whose name holds one of the patterns, which may have ``*`` and ``?``.

    >>> [case.name for case in chosen(SMALL, ["huber/*/float32"])]
    ['huber/64/float32', 'huber/10^5/float32']
    """
    if not patterns:
        return tuple(found)
    return tuple(
        case for case in found if any(fnmatch.fnmatchcase(case.name, f"*{p}*") for p in patterns)
    )
