"""TensorFlow. The derived gradient comes in through ``custom_gradient``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import tensorflow as tf

from lossary.engine.libraries.base import Kind, Library, Operation


class _TensorFlow(Library):
    name = "tensorflow"
    own = tf
    index_dtype = tf.int64

    def joined(self, arrays: Sequence[Any]) -> Any:
        return tf.concat(list(arrays), 0)

    def owns(self, kind: type) -> bool:
        return issubclass(kind, (tf.Tensor, tf.Variable))

    def array(self, data: Any, like: Any = None) -> Any:
        import numpy as np

        return tf.convert_to_tensor(np.asarray(data))

    def kind(self, x: Any) -> Kind:
        if x.dtype.is_floating:
            return "floating" if x.dtype.size > 1 else "other"
        if x.dtype.is_complex:
            return "complex"
        return "boolean" if x.dtype == tf.bool else "integer" if x.dtype.is_integer else "other"

    def work_dtype(self, x: Any) -> Any:
        # A GPU's float64 is slow; there single precision stays what it is.
        return tf.float64 if "GPU" not in _device(x) or x.dtype == tf.float64 else tf.float32

    def result_dtype(self, x: Any) -> Any:
        if not x.dtype.is_floating:
            return tf.float64
        return tf.float32 if x.dtype.size < 4 else x.dtype

    def epsilon(self, x: Any) -> float:
        import ml_dtypes

        return float(ml_dtypes.finfo(x.dtype.as_numpy_dtype).eps) if x.dtype.is_floating else 0.0

    def cast(self, x: Any, dtype: Any) -> Any:
        return tf.cast(x, dtype)

    def concrete(self, arrays: Sequence[Any]) -> bool:
        return all(tf.is_symbolic_tensor(x) is False for x in arrays) and tf.executing_eagerly()

    def numpy(self, x: Any) -> Any:
        return x.numpy()

    def index(self, x: Any) -> Any:
        if x.dtype == tf.uint64:
            x = tf.minimum(x, tf.constant(tf.int64.max, tf.uint64))
        return self.cast(x, self.index_dtype)

    def operate(self, operation: Operation, arrays: Sequence[Any]) -> Any:
        return _value_function(operation)(*arrays)

    def shape(self, x: Any) -> Any:
        return None if x.shape.rank is None else tuple(x.shape)

    def alike(self, x: Any, y: Any, rows: bool) -> Any:
        if x.shape.is_fully_defined() and y.shape.is_fully_defined():
            return None
        end = -1 if rows else None
        same = tf.reduce_all(tf.shape(x)[:end] == tf.shape(y)[:end])
        return (tf.rank(x) == tf.rank(y)) & same

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return tf.where(condition, x, tf.cast(y, x.dtype))

    def total(self, x: Any) -> Any:
        return tf.reduce_sum(tf.cast(x, self.work_dtype(x)))

    def total_last(self, x: Any) -> Any:
        return tf.reduce_sum(x, axis=-1, keepdims=True)

    def all_last(self, x: Any) -> Any:
        return tf.reduce_all(x, axis=-1, keepdims=True)

    def constant(self, x: Any) -> Any:
        return tf.stop_gradient(x)

    def take(self, table: Any, index: Any) -> Any:
        return tf.gather(table, index)

    def broadcast(self, x: Any, like: Any) -> Any:
        return tf.broadcast_to(x, tf.shape(like))

    def count(self, x: Any) -> Any:
        # A graph may be traced for batches of any size.
        return x.shape.num_elements() or tf.cast(tf.size(x), self.work_dtype(x))

    def classes(self, x: Any) -> Any:
        return x.shape[-1] or tf.shape(x, out_type=self.index_dtype)[-1]

    def first(self, x: Any) -> Any:
        return tf.range(tf.shape(x)[-1]) == 0

    def move_last(self, x: Any, axis: int, back: bool = False) -> Any:
        order = list(range(len(x.shape)))
        if back:
            order.insert(axis, order.pop())
        else:
            order.append(order.pop(axis))
        return tf.transpose(x, order)

    def sizes(self, x: Any) -> list[Any]:
        known = x.shape.as_list()
        return [tf.shape(x)[k] if n is None else n for k, n in enumerate(known)]

    def expand(self, x: Any) -> Any:
        return tf.expand_dims(x, -1)

    def squeeze(self, x: Any) -> Any:
        return tf.squeeze(x, -1)


def _device(x: Any) -> str:
    return getattr(x, "device", "") or ""


@lru_cache(maxsize=1024)
def _value_function(operation: Operation) -> Any:
    """Return the loss as a function whose gradient is the derived one."""

    @tf.custom_gradient
    def value(*arrays: Any) -> Any:
        def send_back(upstream: Any) -> list[Any]:
            return [
                _fit(upstream * _gradient_function(operation, name)(*arrays), x)
                if name in operation.differentiable else None
                for name, x in zip(operation.variant.arguments, arrays, strict=True)
            ]  # fmt: skip

        return LIBRARY.evaluate(operation, ("value",), arrays), send_back

    return value


def _fit(gradient: Any, x: Any) -> Any:
    """Return a gradient in the shape and dtype of what it belongs to."""
    return tf.cast(tf.broadcast_to(gradient, tf.shape(x)), x.dtype)


@lru_cache(maxsize=1024)
def _gradient_function(operation: Operation, of: str) -> Any:
    """Return the gradient as a function whose gradient is the derived second derivative."""

    @tf.custom_gradient
    def gradient(*arrays: Any) -> Any:
        def pull_back(upstream: Any) -> list[Any]:
            return [
                _fit(LIBRARY.evaluate(operation, (f"pullback:{of}:{name}",), (*arrays, upstream)),
                     x)
                if name in operation.differentiable else None
                for name, x in zip(operation.variant.arguments, arrays, strict=True)
            ]  # fmt: skip

        return LIBRARY.evaluate(operation, (f"gradient:{of}",), arrays), pull_back

    return gradient


LIBRARY = _TensorFlow()
