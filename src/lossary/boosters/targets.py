"""Labels as a host keeps them, as the target that a loss asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossary.domain import Domain
from lossary.engine import Loss
from lossary.errors import DomainError, ShapeError

Numbers = NDArray[Any]


def target_of(loss: Loss, labels: Any, shape: tuple[int, ...]) -> Numbers:
    """Return the target of margins of a shape; DomainError for labels that are none.

    A host keeps labels as floating-point numbers, of one or more columns: class indices become
    whole numbers, 0 and 1 signs, and one column stands beside each of several outputs.
    """
    domain, y = loss.inputs[1].domain, np.asarray(labels)
    if domain.integer:
        return _indices(loss, y, shape[-1])
    if domain.class_axis:
        return in_shape(loss, y, shape)
    if domain.name == "Sign":
        y = _signs(loss, y)
    _check_members(loss, domain, y)
    return y if loss.class_axis else in_shape(loss, y, shape)


def in_shape(loss: Loss, y: Numbers, shape: tuple[int, ...]) -> Numbers:
    """Return labels in the shape of the margins; ShapeError where they have none of theirs."""
    if y.shape == shape:
        return y
    if y.size == np.prod(shape):
        return y.reshape(shape)
    if y.shape == shape[:1]:
        return np.broadcast_to(y[:, None], shape)
    raise ShapeError(
        f"{loss.name}: {loss.inputs[1].name} has shape {y.shape}, the margins {shape}\n"
        "hint: one label for each row, or one for each row and output"
    )


def _check_members(loss: Loss, domain: Domain, y: Numbers) -> None:
    inside = np.asarray(domain.contains(y))
    if not inside.all():
        _refuse(loss, y, inside, f"{domain}")


def _refuse(loss: Loss, y: Numbers, inside: Numbers, allowed: str, hint: str = "") -> None:
    place = np.unravel_index(int(np.argmin(inside)), y.shape)
    raise DomainError(
        f"{loss.name}: {loss.inputs[1].name} must be {allowed}, got {y[place]!s} at index "
        f"{tuple(map(int, place))}{f'{chr(10)}hint: {hint}' if hint else ''}"
    )


def _indices(loss: Loss, y: Numbers, classes: int) -> Numbers:
    with np.errstate(invalid="ignore"):  # NaN and inf become numbers that are no classes
        found = y.astype(np.int32)
    if y.size and (found.min() < 0 or found.max() >= classes or (found != y).any()):
        inside = (found >= 0) & (found < classes) & (found == y)
        allowed = f"a class index, a whole number from 0 to {classes - 1}"
        _refuse(loss, y, inside, allowed, "sklearn.preprocessing.LabelEncoder makes indices")
    return found.reshape(-1)


def _signs(loss: Loss, y: Numbers) -> Numbers:
    """Return -1 and 1 for labels that are these, or 0 and 1 as classifiers number two classes."""
    inside = (y == 0) | (abs(y) == 1)
    if not inside.all() or ((y == 0).any() and (y == -1).any()):
        _refuse(loss, y, inside & (y != 0), "-1 or 1, or 0 and 1 throughout")
    return np.where(y > 0, 1.0, -1.0).astype(y.dtype if y.dtype.kind == "f" else np.float64)


def times_of(name: str, labels: Any) -> tuple[Numbers, Numbers]:
    """Return times and whether each is one of an event; DomainError for labels that are none.

    A label is the time of an event, or minus the time up to which there was none: XGBoost's way
    of writing two columns as one, for its Cox.
    """
    y = np.asarray(labels)
    inside = np.isfinite(y) & (y != 0)
    if not inside.all():
        place = np.unravel_index(int(np.argmin(inside)), y.shape)
        raise DomainError(
            f"{name}: labels must be times other than 0, got {y[place]!s} at index "
            f"{tuple(map(int, place))}\n"
            "hint: the time of an event, or minus the time up to which there was none"
        )
    if not (y > 0).any():
        raise DomainError(f"{name}: labels hold no event\nhint: a time above 0 is one of an event")
    return abs(y), y > 0


def class_count(labels: Any) -> int:
    """Return how many classes labels from 0 on have."""
    return int(np.max(labels)) + 1


def check_weight(weight: Any, rows: int) -> Numbers | None:
    """Return the weight of each row; DomainError unless it is finite, at least 0, and not all 0."""
    if weight is None or np.size(weight) == 0:
        return None
    w = np.asarray(weight)
    if w.shape != (rows,):
        raise ShapeError(f"weight has shape {w.shape}, expected ({rows},), one for each row")
    inside = (w >= 0) & (w < np.inf)
    if not inside.all() or not w.any():
        place = int(np.argmin(inside))
        raise DomainError(
            f"weight must be finite, at least 0 and not 0 throughout, got {w[place]!s} at index "
            f"({place},)"
        )
    return w
