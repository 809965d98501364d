"""What TensorFlow's losses agree on: tensors, dtypes, shapes, and whose errors are raised."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
import tensorflow as tf

from lossary.errors import LossaryError

P = ParamSpec("P")

_TROUBLE = (TypeError, ValueError, AttributeError, tf.errors.OpError)
_PLAIN = (tf.Variable, np.ndarray, np.generic, list, tuple, int, float)


class Elsewhere(Exception):  # noqa: N818  (a request, not an error)
    """The door has no answer of its own: TensorFlow's function of the same name has."""


def as_tensorflow(door: Callable[P, Any]) -> Callable[P, Any]:
    """Give a door TensorFlow's answer where it raises Elsewhere, and TensorFlow's errors.

    A door raises Elsewhere for what lies outside the core: ragged tensors, whole numbers, shapes
    that only the operator can judge. When a door fails, the operator is asked too, so that the type
    and the words of the error are the ones existing code expects.
    """
    peer: Any = getattr(tf.nn, door.__name__)  # held from the start, whoever replaces it later

    @wraps(door)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            if tf.executing_eagerly():
                return door(*args, **kwargs)
            with tf.name_scope(str(kwargs.get("name") or door.__name__)):
                return door(*args, **kwargs)
        except Elsewhere:
            return peer(*args, **kwargs)
        except _TROUBLE as error:
            trouble = error
        result = peer(*args, **kwargs)
        if isinstance(trouble, LossaryError):
            return result
        raise trouble

    return tf.autograph.experimental.do_not_convert(call)


def tensor(x: Any) -> Any:
    """Return a dense tensor; what is none, such as a ragged one, is left to TensorFlow."""
    if isinstance(x, tf.Tensor):
        return x
    if not isinstance(x, _PLAIN):
        raise Elsewhere
    return tf.convert_to_tensor(x)  # pyright: ignore[reportArgumentType]  (the stub is narrower)


def real(*tensors: tf.Tensor) -> None:
    """Leave whole and complex numbers to TensorFlow, and tensors of several dtypes."""
    dtype = tensors[0].dtype
    if not dtype.is_floating or any(x.dtype != dtype for x in tensors):
        raise Elsewhere


def fits(x: tf.Tensor, shape: tf.TensorShape) -> None:
    """Leave to TensorFlow what has another shape, an unknown rank, or nothing in it."""
    if shape.rank is None or x.shape.rank != shape.rank or not shape.is_compatible_with(x.shape):
        raise Elsewhere
    if 0 in shape or 0 in x.shape:
        raise Elsewhere


def wide(dtype: tf.DType) -> tf.DType:
    """Return the dtype in which TensorFlow computes with numbers of this one."""
    return tf.float32 if dtype.size < 4 else dtype
