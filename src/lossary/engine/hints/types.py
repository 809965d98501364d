"""Things that are no arrays of real numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from lossary.definition import Argument, Definition
from lossary.engine.hints.relatives import soft
from lossary.kinds import way_out


def for_dtype(argument: Argument, data: Any) -> tuple[str, str]:
    """Return what was found instead of real numbers, and what to do."""
    if data is None:
        return "None", "does the function that made it return its result?"
    if type(data).__name__ == "KerasTensor":
        return "a KerasTensor", "a symbol has no values: lossary.keras has the losses for Keras"
    if not hasattr(data, "dtype") and (said := _object(data)):
        return said
    if isinstance(data, (list, tuple)) and data and hasattr(data[0], "dtype"):
        return f"a list of {type(data[0]).__name__}", "stack them into one array"
    x: Any = data if hasattr(data, "dtype") else np.asarray(data)
    dtype = dtype_name(x)
    kind = x.dtype.kind if isinstance(x, np.ndarray) else ""
    if kind == "O":
        return _odd_one(argument, x)
    if kind in {"U", "S"}:
        place = (0,) * x.ndim
        return f"text, {x[place].item()!r}{_at(place)}" if x.size else "text", _numbers(argument)
    if hint := way_out(x).removeprefix("\nhint: "):
        return dtype, hint
    return dtype, "take its real part" if "complex" in dtype else "convert it to a float type"


def dtype_name(x: Any) -> str:
    """Return the name of a dtype as NumPy writes it."""
    return str(x.dtype).removeprefix("torch.").removeprefix("<dtype: '").removesuffix("'>")


def for_labels(definition: Definition, library: str) -> str:
    """Return what to do about labels that are no integers."""
    cast = {"torch": "long()", "tensorflow": "tf.cast(label, tf.int64)"}.get(library, "astype(int)")
    return (
        f"convert class indices with an integer cast, {cast}; for one-hot or soft targets use "
        f"{soft(definition)}"
    )


def _object(data: Any) -> tuple[str, str] | None:
    """Return what to do about something that is no array, list or number."""
    kind = type(data).__name__
    found = f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
    if isinstance(data, Mapping) or hasattr(data, "logits"):
        return found, "pass one of its arrays, such as its logits"
    if callable(data):
        return found, "call it: the loss takes what it returns"
    if isinstance(data, (set, frozenset)):
        return found, "a set has no order: make a list of it"
    if isinstance(data, Iterable) and not hasattr(data, "__len__"):
        return found, "make a list of it"
    return None


def _odd_one(argument: Argument, x: np.ndarray) -> tuple[str, str]:
    """Return the first thing in an array of objects that is no number."""
    for place, value in np.ndenumerate(x):
        if isinstance(value, str):
            return f"text, {value!r}{_at(place)}", _numbers(argument)
        if value is None:
            return f"None{_at(place)}", "put a number there and leave it out with mask="
        if not isinstance(value, (int, float)):
            kind = type(value).__name__
            return f"object, {kind}{_at(place)}", "make an array of plain numbers"
    return "object", "convert it to numbers with astype(float)"


def _at(place: tuple[int, ...]) -> str:
    return f" at index {place}" if place else ""


def _numbers(argument: Argument) -> str:
    if argument.domain.integer:
        return "number the classes: np.unique(names, return_inverse=True)[1]"
    return "turn text into numbers first, with astype(float)"


def for_nesting(data: Any, place: tuple[int, ...] = ()) -> str:
    """Say where nested lists are ragged, or return nothing if they are not."""
    if not isinstance(data, (list, tuple)):
        return ""
    lengths = [_length(item) for item in data]
    for i, (n, m) in enumerate(pairwise(lengths)):
        if n != m:
            return f"{n} at {[*place, i]} and {m} at {[*place, i + 1]}"
    return next(filter(None, (for_nesting(x, (*place, i)) for i, x in enumerate(data))), "")


def _length(item: Any) -> str:
    try:
        return f"{len(item)} numbers"
    except TypeError:
        return "a number"


def for_classes(value: Any) -> str:
    """Return how to write what was given for one number per class."""
    if isinstance(value, Mapping):
        return (
            "list the numbers in the order of the classes, [w[c] for c in range(C)]; "
            "lossary.class_weights makes them from counts"
        )
    if isinstance(value, str):
        return (
            "lossary.class_weights.inverse_frequency(counts) is what scikit-learn calls "
            "'balanced'; lossary.class_weights.counts(label, classes=C) counts"
        )
    return "lossary.class_weights makes them from counts"


def for_mask() -> str:
    """Return what numbers in the place of a mask may mean."""
    return "for numbers use weight=; for a mask of 0.0 and 1.0 give mask != 0"
