"""Frames of logits that are no distribution, named by their place."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from lossary.errors import DomainError
from lossary.sequences.reading import PADDING, Reader


def blame(reader: Reader, x: Any, ends: tuple[Any, ...], wrong: np.ndarray) -> None:
    """Raise for the first row of classes that is none, of the sequences without a value.

    ``ends`` are, for each axis of a sequence before that of the classes, how much of it counts.
    """
    logits = reader.library.numpy(x)
    limits = [reader.library.numpy(n) for n in ends]
    allowed = "finite, or -inf for a class that is excluded"
    reader.refuse("logits", x, ends, wrong, lambda x: np.isnan(x) | (x == inf), allowed)
    for b in np.flatnonzero(wrong):
        rows = logits[b][tuple(slice(0, max(0, int(n[b]))) for n in limits)]
        empty = (rows == -inf).all(-1)
        if empty.any():
            place = tuple(map(int, np.argwhere(empty)[0]))
            raise DomainError(
                f"{reader.who}: logits exclude all classes{reader.place(int(b), *place)}{PADDING}"
            )
