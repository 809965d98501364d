"""Calls on tensors of TensorFlow that need not go through its operations one by one.

Eager tensors on a CPU are numbers in this machine's memory: NumPy's engine computes value and
gradient of them, with the kernels. In a graph of known shapes XLA compiles the loss and its
gradient as one. Derivatives of the gradient go the long road.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context, forwardprop_util, record
from tensorflow.python.framework import constant_op, ops

from lossary.engine import evaluate, leases
from lossary.engine.recipes import tensorflow_graph
from lossary.engine.recipes.recipe import NO_RECIPE, VALUE
from lossary.engine.recipes.tensorflow_graph import HALVES, Asked
from lossary.engine.selection import kernels_allowed

_READ_BY_NUMPY = HALVES | {
    *(tf.float32, tf.float64, tf.bool, tf.int8, tf.int16, tf.int32, tf.int64),
    *(tf.uint8, tf.uint16, tf.uint32, tf.uint64),
}


def call(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...] = VALUE,
    out: Any = None,
) -> Any:
    """Return the reduced loss, or its values; NO_RECIPE for the long road."""
    if wanted is not VALUE or not kernels_allowed():
        return NO_RECIPE
    named = [name for name, x in options.items() if isinstance(x, tf.Tensor)]
    tensors = [*args, *(options[name] for name in named)]
    eager = all(map(is_memory, tensors))
    if not eager and not tensorflow_graph.covers(tensors):
        return NO_RECIPE
    moving = _moving(tensors, len(args))
    if moving is None:
        return NO_RECIPE
    asked = Asked(loss, tensors, named, options, moving)
    found = _by_numpy(asked) if eager else tensorflow_graph.compute(asked)
    if found is None:
        return NO_RECIPE
    value, slopes = found
    if slopes:
        ways = [_way(loss, tensors[k], value, options.get("axis", -1)) for k in moving]
        apart = None not in ways  # each value has gradients of its own, which came with it
        if not (apart or eager):
            return NO_RECIPE

        def send_back(upstream: Any) -> list[Any]:
            left: list[Any] = [None] * len(tensors)
            if not apart or record.should_record_backprop([*tensors, upstream]):
                again = _gradients(asked, upstream)
            else:
                again = [_multiplied(*x, upstream) for x in zip(slopes, ways, strict=True)]
            for place, slope in zip(moving, again, strict=True):
                left[place] = tf.cast(slope, tensors[place].dtype)
            return left

        record.record_operation(loss.name, [value], tensors, send_back)
    return value


def explain(loss: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> str | None:
    """Say what computes the loss of such tensors; None for the long road."""
    named = [name for name, x in options.items() if isinstance(x, tf.Tensor)]
    tensors = [*args, *(options[name] for name in named)]
    if not kernels_allowed():
        return None
    if all(map(is_memory, tensors)):
        plain = {name: _array(x) if isinstance(x, tf.Tensor) else x for name, x in options.items()}
        return f"{loss.explain(*map(_array, args), **plain)}, on the memory of the tensors"
    moving = _moving(tensors, len(args))
    if moving is None or not tensorflow_graph.covers(tensors):
        return None
    return tensorflow_graph.explained(Asked(loss, tensors, named, options, moving))


def is_memory(x: Any) -> bool:
    """Whether this is a tensor whose numbers NumPy can read where they lie."""
    if type(x) is not ops.EagerTensor or not tf.executing_eagerly():
        return False
    return x.dtype in _READ_BY_NUMPY and "CPU" in x.backing_device


def _moving(tensors: Sequence[Any], count: int) -> tuple[int, ...] | None:
    """Return the places of the data that a tape watches; None where more is asked for."""
    if not record.could_possibly_record():
        return ()
    if forwardprop_util.pack_tangents(list(tensors)).tangents:
        return None
    if record.should_record_backprop(list(tensors[count:])):
        return None
    return tuple(k for k in range(count) if record.should_record_backprop([tensors[k]]))


def _by_numpy(asked: Asked) -> tuple[Any, list[Any]] | None:
    """Return the loss of eager tensors, and its gradients as arrays."""
    loss, arrays = asked.loss, [_array(x) for x in asked.tensors]
    data, extras = arrays[: asked.data_count], arrays[asked.data_count :]
    options = {**asked.options, **dict(zip(asked.named, extras, strict=True))}
    if not asked.moving:
        return _tensor(loss(*data, **options)), []
    names = [loss.inputs[k].name for k in asked.moving]
    if not set(names) <= set(loss.differentiable):
        return None
    if len(names) > 1:
        value, slopes = loss.value_and_gradient(*data, wrt=tuple(names), **options)
        return _tensor(value), list(slopes)
    room = _room(data[asked.moving[0]])
    value, slope = loss.value_and_gradient(*data, wrt=names[0], out=room, **options)
    return _tensor(value), [slope]


def _array(x: Any) -> np.ndarray:
    """Return the numbers of a tensor; halves as float32, for a gradient that is rounded once."""
    return x.numpy().astype(np.float32) if x.dtype in HALVES else np.asarray(memoryview(x))


_ALIGNED = 64
"""Bytes to whose multiples TensorFlow's operations want the memory of a tensor to start."""

_BYTE = np.dtype(np.uint8)


def _room(x: np.ndarray) -> np.ndarray:
    """Return an array like x whose memory a tensor can share."""
    memory = leases.blank((x.nbytes + _ALIGNED,), _BYTE)
    start = -_start(memory) % _ALIGNED
    return memory[start : start + x.nbytes].view(x.dtype).reshape(x.shape)


def _start(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _tensor(x: Any) -> Any:
    """Return a number or an array as a tensor, which shares memory that begins as it should."""
    if isinstance(x, np.ndarray) and _start(x) % _ALIGNED == 0 and x.flags.c_contiguous:
        return tf.experimental.dlpack.from_dlpack(x.__dlpack__())
    return constant_op.convert_to_eager_tensor(x, context.context())


WHOLE = "whole"


def _way(loss: Any, x: Any, value: Any, axis: Any) -> Any:
    """Return the axis along which what comes from above is repeated; None where it is not that."""
    shape, found = tuple(x.shape), tuple(value.shape)
    if not found or found == shape:
        return WHOLE
    if not loss.class_axis or not isinstance(axis, int) or len(shape) != len(found) + 1:
        return None
    axis %= len(shape)
    return axis if found == (*shape[:axis], *shape[axis + 1 :]) else None


def _multiplied(slope: Any, way: Any, upstream: Any) -> Any:
    """Return a gradient times what comes from above."""
    if type(upstream) is not ops.EagerTensor or upstream.dtype in HALVES:
        return slope * (upstream if way == WHOLE else tf.expand_dims(upstream, way))
    up = _array(upstream)
    if up.ndim == 0 and up == 1:
        return _tensor(slope)
    with np.errstate(all="ignore"):
        return _tensor(
            np.multiply(slope, up if way == WHOLE else np.expand_dims(up, way), out=_room(slope))
        )


def _gradients(asked: Asked, upstream: Any) -> list[Any]:
    """Return the gradients as functions of tensors and upstream, by the long road."""
    moving = [asked.tensors[place] for place in asked.moving]
    with tf.GradientTape() as tape:
        tape.watch(moving)
        value = evaluate.value(asked.loss, tuple(asked.tensors[: asked.data_count]), asked.options)
    return tape.gradient(value, moving, upstream)
