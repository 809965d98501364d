"""Frames of logits that are no distribution, named by their place."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from lossary.sequences.reading import Reader


def blame(reader: Reader, x: Any, ends: tuple[Any, ...], wrong: np.ndarray) -> None:
    """Raise for the first row of classes that is none, of the sequences without a value.

    ``ends`` are, for each axis of a sequence before that of the classes, how much of it counts.
    """
    allowed = "must be finite, or -inf for a class that is excluded"
    reader.refuse("logits", x, ends, wrong, lambda x: np.isnan(x) | (x == inf), allowed)
    reader.refuse("logits", x, ends, wrong, lambda x: (x == -inf).all(-1), "exclude all classes")
