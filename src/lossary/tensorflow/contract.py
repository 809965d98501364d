"""What TensorFlow's losses agree on: tensors, dtypes, shapes, and whose errors are raised."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
import tensorflow as tf

from lossary.doors import NotMine, as_peer

P = ParamSpec("P")

_TROUBLE = (TypeError, ValueError, AttributeError, tf.errors.OpError)
_PLAIN = (tf.Variable, np.ndarray, np.generic, list, tuple, int, float)


def as_tensorflow(door: Callable[P, Any]) -> Callable[P, Any]:
    """Give a door TensorFlow's answer where it raises NotMine, TensorFlow's errors, and a name.

    A door raises NotMine for what lies outside the core: ragged tensors, whole numbers, shapes that
    only the operator can judge.
    """

    @wraps(door)
    def named(*args: P.args, **kwargs: P.kwargs) -> Any:
        if tf.executing_eagerly():
            return door(*args, **kwargs)
        with tf.name_scope(str(kwargs.get("name") or door.__name__)):
            return door(*args, **kwargs)

    peer = getattr(tf.nn, door.__name__)  # held from the start, whoever replaces it later
    return tf.autograph.experimental.do_not_convert(as_peer(named, peer, _TROUBLE))


def tensor(x: Any) -> Any:
    """Return a dense tensor; what is none, such as a ragged one, is left to TensorFlow."""
    if isinstance(x, tf.Tensor):
        return x
    if not isinstance(x, _PLAIN):
        raise NotMine
    return tf.convert_to_tensor(x)  # pyright: ignore[reportArgumentType]  (the stub is narrower)


def real(*tensors: tf.Tensor) -> None:
    """Leave whole and complex numbers to TensorFlow, and tensors of several dtypes."""
    dtype = tensors[0].dtype
    if not dtype.is_floating or any(x.dtype != dtype for x in tensors):
        raise NotMine


def fits(x: tf.Tensor, shape: tf.TensorShape) -> None:
    """Leave to TensorFlow what has another shape, an unknown rank, or nothing in it."""
    if shape.rank is None or x.shape.rank != shape.rank or not shape.is_compatible_with(x.shape):
        raise NotMine
    if 0 in shape or 0 in x.shape:
        raise NotMine


def wide(dtype: tf.DType) -> tf.DType:
    """Return the dtype in which TensorFlow computes with numbers of this one."""
    return tf.float32 if dtype.size < 4 else dtype
