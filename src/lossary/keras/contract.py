"""What Keras' losses agree on: tensors in, dtypes and shapes out, its small numbers by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import keras
import numpy as np
from keras import KerasTensor
from keras.src.backend import compute_output_spec, get_keras_mask, set_keras_mask
from keras.src.losses.loss import squeeze_or_expand_to_same_rank

from lossary.engine.autograph import as_written
from lossary.engine.shapes import may_agree
from lossary.errors import DomainError, ShapeError
from lossary.keras.computing import BACKEND, LIBRARY

P = ParamSpec("P")

ops: Any = keras.ops  # whose inferred types hold the symbolic case, None
_WIDE = {"float32", "float64"}
INTEGER = "int32" if BACKEND == "jax" else "int64"


class LabelError(DomainError, IndexError):
    """A label outside its classes; PyTorch's backend raises IndexError, others ValueError."""


def epsilon() -> float:
    """Keras' ``keras.config.epsilon()``, 1e-7 unless set: the least probability, and the like."""
    return keras.config.epsilon()


def door(
    *, squeeze: bool = False, labels: bool = False
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Make a function of wide tensors one of whatever Keras takes.

    ``y_true`` gets the dtype of ``y_pred`` (or of integers, for ``labels``), halves are computed in
    float32, and the result returns to the dtype of ``y_pred``. ``squeeze`` lets ranks differ by
    a last axis of length 1.
    """

    def decorate(function: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(function)
        def call(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(y_pred, KerasTensor) or isinstance(y_true, KerasTensor):
                return _Symbolic(call, args, kwargs).symbolic_call(y_true, y_pred)
            y_pred = ops.convert_to_tensor(y_pred)
            dtype = given = keras.backend.standardize_dtype(y_pred.dtype)
            if dtype not in _WIDE:
                given = dtype if "float" in dtype else keras.config.floatx()
                dtype = "float32"
                y_pred = ops.cast(y_pred, dtype)
            if labels and BACKEND == "jax":
                y_true = LIBRARY.narrowed(y_true)
            y_true = ops.convert_to_tensor(y_true)
            wanted = INTEGER if labels else dtype
            if keras.backend.standardize_dtype(y_true.dtype) != wanted:
                y_true = ops.cast(y_true, wanted)
            if squeeze and len(y_true.shape) != len(y_pred.shape):
                y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
            result = function(y_true, y_pred, *args, **kwargs)  # pyright: ignore[reportCallIssue]
            return result if given == dtype else _narrowed(result, given)

        return as_written(call)  # pyright: ignore[reportReturnType]

    return decorate


def _narrowed(x: Any, dtype: str) -> Any:
    mask = get_keras_mask(x)
    x = ops.cast(x, dtype)
    if mask is not None:
        set_keras_mask(x, mask)
    return x


class _Symbolic(keras.Operation):
    """A door between symbolic tensors: a node of a functional model."""

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        super().__init__()
        self.function, self.args, self.kwargs = function, args, kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred, *self.args, **self.kwargs)

    def compute_output_spec(self, *symbols: KerasTensor) -> KerasTensor:
        # Lengths that are not known yet are those that change with a guess; the inputs share them.
        first: Any
        second: Any
        first, second = (
            compute_output_spec(self.call, *(_guessed(x, size) for x in symbols)) for size in (4, 5)
        )
        pairs = zip(first.shape, second.shape, strict=True)
        return KerasTensor([n if n == m else None for n, m in pairs], first.dtype)


def _guessed(x: KerasTensor, size: int) -> KerasTensor:
    return KerasTensor([size if n is None else n for n in x.shape], x.dtype)


def broadcast(x: Any, y: Any) -> tuple[Any, Any]:
    """Return both in one shape; lengths that a graph does not know yet are taken for equal."""
    if may_agree(x.shape, y.shape):
        return x, y
    return x + ops.zeros_like(y), y + ops.zeros_like(x)


def same_shape(name: str, y_true: Any, y_pred: Any) -> None:
    """Raise ShapeError unless the shapes agree as far as they are known."""
    shapes = tuple(y_true.shape), tuple(y_pred.shape)
    if not may_agree(*shapes):
        raise ShapeError(
            f"{name}: y_true and y_pred must have the same shape, got {shapes[0]} and {shapes[1]}"
        )


def mean(x: Any, axis: Any = -1) -> Any:
    """Return the mean along an axis: one number per sample."""
    return ops.mean(x, axis=axis)


def axes_of(name: str, axis: Any, *, several: bool = True) -> Any:
    """Return the axis of a constructor, a list as a tuple; ShapeError for what is none."""
    if _is_axis(axis) or (several and axis is None):
        return axis
    if isinstance(axis, tuple | list) and axis and all(map(_is_axis, axis)):
        if several:
            return tuple(axis)
        if len(axis) > 1:
            fix = "reshape y_pred so that the classes lie along one axis"
        else:
            fix = f"axis={next(iter(axis))}"
    else:
        fix = "axis=-1 is the last one, axis=1 the one after the batch"
    allowed = "a whole number, several of them, or None for all" if several else "one whole number"
    raise ShapeError(f"{name}: axis must be {allowed}, got {axis!r}\nhint: {fix}")


def _is_axis(axis: Any) -> bool:
    return isinstance(axis, int | np.integer) and not isinstance(axis, bool)


def last(x: Any, axis: Any) -> Any:
    """Return x with this axis moved to the end; several, or None for all, become one."""
    if axis is None:
        return ops.reshape(x, (-1,))
    rank = len(x.shape)
    if isinstance(axis, tuple | list):
        places = {a % rank for a in axis}
        order = [n for n in range(rank) if n not in places] + sorted(places)
        x = ops.transpose(x, order)
        return ops.reshape(x, (*ops.shape(x)[: rank - len(places)], -1))
    if axis in {-1, rank - 1}:
        return x
    # TensorFlow's variables lack what moveaxis asks of a tensor.
    return ops.moveaxis(x if hasattr(x, "ndim") else x + 0, axis, -1)


def clipped(probability: Any) -> Any:
    """Return probabilities in [epsilon, 1 - epsilon], where Keras keeps them."""
    return ops.clip(probability, epsilon(), 1.0 - epsilon())


def smoothed(y_true: Any, label_smoothing: float, share: Any) -> Any:
    """Return targets of which ``label_smoothing`` is spread: ``share`` of it to each class."""
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing * share


def seen(*tensors: Any) -> tuple[np.ndarray, ...] | None:
    """Return the numbers in tensors where they can be looked at: eager, on a CPU; else None."""
    return tuple(map(LIBRARY.numpy, tensors)) if LIBRARY.concrete(tensors) else None


def logits_of(y_pred: Any, activation: str) -> Any:
    """Return what went into the last activation, if the backend is TensorFlow and remembers it.

    Keras' losses then compute from logits whatever ``from_logits`` says; other backends forget.
    """
    if BACKEND != "tensorflow":
        return None
    if (logits := getattr(y_pred, "_keras_logits", None)) is not None:
        return logits
    if ops.is_tensor(y_pred) and hasattr(y_pred, "graph") and y_pred.op.type == activation:
        return y_pred.op.inputs[0]
    return None
