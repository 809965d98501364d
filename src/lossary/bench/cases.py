"""Which work there is: a first look, the sizes that people train with, all of it, and on a GPU."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

from lossary.bench.trees import OBJECTIVES
from lossary.bench.work import (
    BOOSTING,
    CLASS_WEIGHT,
    LINEAR,
    MASK,
    ROWWISE,
    SEQUENCES,
    TRAINING,
    VALUE,
    WEIGHT,
    Case,
)

ELEMENTWISE = ("squared_error", "huber", "binary_cross_entropy", "focal", "poisson")
CE_SHAPES = ((65536, 10), (2048, 32000), (256, 151936))
DTYPES = ("float32", "bfloat16")

SIZES = {
    "small": "a first look, in a minute or two",
    "everyday": "the sizes that people train with, options, whole trainings; about ten minutes",
    "full": "all of it, large arrays and bfloat16 too; about half an hour",
}

SMALL = (
    *(Case(loss, (64,)) for loss in ("huber", "binary_cross_entropy")),
    *(Case(loss, (100_000,)) for loss in ELEMENTWISE),
    Case("cross_entropy", (8, 8)),
    Case("cross_entropy", (32, 10)),
    Case("cross_entropy", (4096, 10)),
    Case("cross_entropy", (128, 32000)),
    Case("soft_cross_entropy", (128, 32000)),
    Case("cross_entropy", (128, 32000), ignored=0.5),
)

# What a batch of people's models has: classes of digits or of ImageNet, regressions, pixels.
ROWS = ((8, 8), (8, 10), (32, 10), (256, 10), (32, 1000), (512, 1000), (2048, 1000), (8192, 98))
COUNTS = (64, 10**3, 10**4, 10**5)


def _everyday() -> Iterable[Case]:
    for shape in ROWS:
        yield Case("cross_entropy", shape)
    for loss in ("squared_error", "huber", "binary_cross_entropy"):
        for count in COUNTS:
            yield Case(loss, (count,))
    for option in (WEIGHT, MASK):
        yield Case("huber", (10**3,), option=option)
        yield Case("binary_cross_entropy", (10**4,), option=option)
    for shape in ((256, 10), (32, 1000)):
        for option in (WEIGHT, MASK, CLASS_WEIGHT):
            yield Case("cross_entropy", shape, option=option)
        yield Case("cross_entropy", shape, ignored=0.25)
    yield Case("huber", (10,), kind=VALUE)
    yield Case("cross_entropy", (128, 10))
    for batch in (64, 256):
        yield Case("digits", (batch,), kind=TRAINING)
    for shape in ((32, 200, 32), (8, 400, 1000)):
        yield Case("ctc", shape, kind=SEQUENCES)
    for host, loss in OBJECTIVES:
        if loss == "binary_cross_entropy":
            yield Case(loss, (10**5,), option=host, kind=BOOSTING)


def _full() -> Iterable[Case]:
    yield from _everyday()
    for loss in ("focal", "poisson"):
        yield Case(loss, (64,))
    yield Case("soft_cross_entropy", (8, 8))
    for dtype in DTYPES:
        for loss in ELEMENTWISE:
            for count in (10**3, 10**5, 10**7):
                yield Case(loss, (count,), dtype)
        for shape in CE_SHAPES:
            for loss in ROWWISE:
                yield Case(loss, shape, dtype)
                if dtype == "float32" or shape == CE_SHAPES[0]:
                    yield Case(loss, shape, dtype, 0.5)
    for host, loss in OBJECTIVES:
        yield Case(loss, (10**6,), option=host, kind=BOOSTING)


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
    """Return the work of one of the ``SIZES``, each piece once.

    >>> len(cases("everyday")), len(cases("full"))
    (42, 104)
    """
    if device == "cuda":
        found = tuple(_gpu())
        return found if size == "full" else tuple(c for c in found if c.dtype == "bfloat16")
    return tuple(
        dict.fromkeys({"small": lambda: SMALL, "everyday": _everyday, "full": _full}[size]())
    )


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
