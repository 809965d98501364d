"""The checks of the catalogue's classes, which know the sets of a loss.

Where numbers can be looked at, the first one outside its set raises. In a graph and on a GPU
nothing can be raised: there the value is NaN.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import keras
import numpy as np

from lossary.definition import Argument
from lossary.doors import is_ours
from lossary.engine import Loss
from lossary.engine.checking import check_data, check_parameter
from lossary.engine.libraries import library
from lossary.errors import DomainError, DtypeError
from lossary.keras.computing import BACKEND, LIBRARY, values
from lossary.keras.contract import INTEGER, LabelError, ops

# PyTorch's large tensors go to a kernel of the core, which checks on its way.
_LARGE = 2048 if BACKEND == "torch" else None
_NUMPY = library("numpy")
_WIDE = {"float32", "float64"}


def values_inside(loss: Loss, y_true: Any, y_pred: Any, settings: dict[str, Any]) -> Any:
    """Return the values of a loss whose arguments are checked; the classes are the last axis."""
    name: Any = loss.name if is_ours(loss) else loss
    large = _LARGE is not None and y_pred.numel() > _LARGE
    safe = not large and _look(loss, y_true, y_pred)
    target = y_true
    if loss.inputs[1].domain.integer:
        target = ops.cast(y_true, INTEGER) if safe else _labels(y_true, y_pred.shape[-1])
    try:
        return values(name, y_pred, target, check=not safe, **settings)
    except DomainError:
        _look(loss, y_true, y_pred)
        raise


def _look(loss: Loss, y_true: Any, y_pred: Any) -> bool:
    """Raise for the first number outside its set; return whether the numbers could be seen."""
    if not LIBRARY.concrete((y_pred, y_true)):
        return False
    classes = y_pred.shape[-1] if loss.class_axis else None
    for argument, x in zip(_arguments(loss), (y_pred, y_true), strict=True):
        kind = keras.backend.standardize_dtype(x.dtype)
        # A row's tolerance is that of its dtype, and NumPy has no bfloat16.
        where = LIBRARY if "float" in kind and kind not in _WIDE else _NUMPY
        seen = x if where is LIBRARY else np.asarray(x.detach() if BACKEND == "torch" else x)
        _check(where, loss, argument, seen, classes)
    return True


def _check(where: Any, loss: Loss, argument: Argument, x: Any, classes: int | None) -> None:
    """Raise for the first value of an argument outside its set, a label as an IndexError too."""
    by_row = argument.domain.integer or (loss.class_axis and not argument.domain.class_axis)
    try:
        check_data(where, loss, argument, x[..., None] if by_row else x, classes)
    except DomainError as error:
        if argument.domain.integer:
            raise LabelError(str(error)) from None
        raise


@lru_cache(maxsize=256)
def _arguments(loss: Loss) -> tuple[Argument, Argument]:
    """Return prediction and target by the names that Keras gives them."""
    prediction, target = loss.inputs
    domain = target.domain
    if domain.integer:
        # Keras takes labels of any dtype; 1.7 is none of them.
        hint = "labels count from 0, and a Keras mask leaves rows out"
        domain = replace(domain, contains=lambda x: (x >= 0) & (x % 1 == 0), hint=hint)
    return replace(prediction, name="y_pred"), replace(target, name="y_true", domain=domain)


def _labels(y_true: Any, classes: Any) -> Any:
    """Return labels as integers, -1 where a number of another dtype is no label."""
    dtype = keras.backend.standardize_dtype(y_true.dtype)
    if dtype in {INTEGER, "bool"}:
        return ops.cast(y_true, INTEGER)
    label = ops.logical_and(y_true >= 0, y_true < ops.cast(classes, dtype))
    if "float" in dtype:
        label = ops.logical_and(label, y_true % 1 == 0)
    return ops.where(label, ops.cast(y_true, INTEGER), -1)


def check_labels_fit(loss: Loss, y_true: Any) -> None:
    """Raise for labels that would become others in the integers of JAX."""
    if BACKEND == "jax" and isinstance(y_true, np.ndarray) and y_true.dtype.kind in "iu":
        limits = np.iinfo(INTEGER)
        if y_true.size and not limits.min <= y_true.min() <= y_true.max() <= limits.max:
            _check(_NUMPY, loss, _arguments(loss)[1], y_true, limits.max + 1)


def neutral(argument: Argument, x: Any, axis: int) -> Any:
    """Return a member of the argument's set that stands where x is masked."""
    domain = argument.domain
    if not domain.mass:
        return 0 if domain.integer else domain.neutral
    row = np.full(x.shape[axis], 0.0 if domain.mass == "sum" else -np.inf)
    row[0] = 1.0 if domain.mass == "sum" else 0.0
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return row.reshape(shape)


def check_setting(loss: Loss, argument: Argument, value: Any) -> None:
    """Raise for a hyper-parameter that is no number, no array of them, or outside its set."""
    if value is None and argument.optional:
        return
    if isinstance(value, int | float):
        check_parameter(loss, argument, value)
        return
    try:
        numbers = np.asarray(ops.convert_to_numpy(value) if ops.is_tensor(value) else value)
    except (TypeError, ValueError, RuntimeError):
        if ops.is_tensor(value):
            return  # a tracer's: what it will hold is not known yet
        numbers = np.asarray(None)
    if numbers.dtype.kind not in "biuf":
        raise DtypeError(
            f"{loss.name}: {argument.name} must be {argument.domain}, or an array of such numbers, "
            f"got {type(value).__name__} {value!r}"
        )
    check_data(_NUMPY, loss, argument, numbers, None)
