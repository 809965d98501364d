"""Frames of logits that are no distribution, named by their place."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from lossary.errors import DomainError
from lossary.sequences.reading import Reader

_HINT = "\nhint: padding may hold anything: the lengths of the call say where it begins"


def blame(reader: Reader, x: Any, ends: tuple[Any, ...], wrong: np.ndarray) -> None:
    """Raise for the first row of classes that is none, of the sequences without a value.

    ``ends`` are, for each axis of a sequence before that of the classes, how much of it counts.
    """
    logits = reader.library.numpy(x)
    limits = [reader.library.numpy(n) for n in ends]
    for b in np.flatnonzero(wrong):
        rows = logits[b][tuple(slice(0, max(0, int(n[b]))) for n in limits)]
        bad = np.isnan(rows) | (rows == inf)
        if bad.any():
            place = tuple(map(int, np.argwhere(bad)[0]))
            raise DomainError(
                f"{reader.who}: logits must be finite, or -inf for a class that is excluded, "
                f"got {rows[place]}{reader.place(int(b), *place)}{_HINT}"
            )
        empty = (rows == -inf).all(-1)
        if empty.any():
            place = tuple(map(int, np.argwhere(empty)[0]))
            raise DomainError(
                f"{reader.who}: logits exclude all classes{reader.place(int(b), *place)}{_HINT}"
            )
