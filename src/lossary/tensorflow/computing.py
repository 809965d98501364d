"""From tensors to one value per example: the one place where the door calls the core.

Three roads lead there, with one derivation behind all. The general road is the public call of the
loss, which graphs, XLA and devices see through. A short one serves small eager tensors on the CPU,
where the road would cost more than the arithmetic: value and gradient come from one run of the
loss's NumPy text. For large eager tensors on the CPU XLA compiles TensorFlow's text, from the
second call of a shape on: TensorFlow would send each of twenty operations through the memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context, forwardprop_util, record
from tensorflow.python.framework import constant_op

from lossary import catalogue
from lossary.engine.checking import check_parameter
from lossary.engine.program import compiled, variant

# Up to here a call is mostly overhead, of which NumPy has least; beyond it XLA is faster.
SMALL = 16384
# A shape is compiled when it comes for this time, so that shapes that never return cost nothing.
CALLS_UNTIL_COMPILED = 2

_EAGER: Any = type(tf.zeros(()))
_NONE = np.zeros(())


class Request(NamedTuple):
    """Which loss, in which dtype.

    ``alone`` compares the tensor with 0 and adds the values up, ``check`` makes misfits NaN.
    """

    loss: str
    dtype: tf.DType
    parameters: tuple[tuple[str, float], ...] = ()
    axis: int = -1
    alone: bool = False
    check: bool = False


def values(request: Request, *tensors: tf.Tensor, **arrays: tf.Tensor) -> tf.Tensor:
    """Return the loss of tensors; ``arrays`` are hyper-parameters that are tensors."""
    everything = (*tensors, *arrays.values())
    small = is_plain(*everything)
    if not small and not _is_repeated(request, everything):
        return general(request, *tensors, **arrays)
    moving = (False,) * len(tensors)
    if record.could_possibly_record():
        if record.should_record_backprop(list(arrays.values())) or _pushed(list(everything)):
            return general(request, *tensors, **arrays)
        moving = tuple(record.should_record_backprop([x]) for x in tensors)
    run = _small if small else _large
    text = _text(request.loss, request.parameters, tuple(arrays), moving, small)
    result, slopes = run(request, text, tensors, arrays)
    if slopes:

        def send_back(upstream: Any) -> list[Any]:
            again = type(upstream) is not _EAGER
            if again or record.should_record_backprop([*tensors, upstream]):
                return _differentiable(request, tensors, arrays, upstream)
            multiply = _multiplied if small else _multiplied_by_tensorflow
            return multiply(request, text, tensors, slopes, upstream)

        record.record_operation(request.loss, [result], list(tensors), send_back)
    return result


def _is_repeated(request: Request, tensors: tuple[Any, ...]) -> bool:
    """Whether eager tensors on the CPU have come in these shapes before: XLA may compile them.

    It has float64 inside and is exact enough for narrower types.
    """
    if request.dtype == tf.float64 or not tf.executing_eagerly():
        return False
    if not all(type(x) is _EAGER and "CPU" in x.backing_device for x in tensors):
        return False
    count = _calls(request, tuple((tuple(x.shape), x.dtype) for x in tensors))
    count[0] += 1
    return count[0] >= CALLS_UNTIL_COMPILED


@lru_cache(maxsize=256)
def _calls(request: Request, shapes: tuple[Any, ...]) -> list[int]:
    return [0]


def _pushed(tensors: list[tf.Tensor]) -> bool:
    """Whether forward mode pushes a tangent of any of these."""
    return bool(forwardprop_util.pack_tangents(tensors).tangents)


def is_plain(*tensors: Any) -> bool:
    """Whether these are small eager tensors on the CPU, whose numbers can be looked at."""
    if not tf.executing_eagerly():
        return False
    for x in tensors:
        if type(x) is not _EAGER or x._num_elements() > SMALL:  # noqa: SLF001  (shape is slow)
            return False
        if "CPU" not in x.backing_device:
            return False
    return True


def general(request: Request, *tensors: tf.Tensor, **arrays: tf.Tensor) -> tf.Tensor:
    """Return the loss by its public call."""
    loss = catalogue[request.loss]
    if request.alone:
        tensors = (*tensors, tf.zeros_like(tensors[0]))
    options: dict[str, Any] = {"axis": request.axis} if loss.class_axis else {}
    found = loss(
        *tensors,
        reduction="sum" if request.alone else "none",
        check=request.check,
        **options,
        **dict(request.parameters),
        **arrays,
    )
    return tf.cast(found, request.dtype)


class _Text(NamedTuple):
    """Compiled text, its last arguments, and the inputs without a class axis of their own."""

    run: Any
    parameters: tuple[Any, ...]
    labels: tuple[bool, ...]
    moving: tuple[bool, ...]
    rows: bool


@lru_cache(maxsize=1024)
def _text(
    loss: str,
    parameters: tuple[tuple[str, float], ...],
    arrays: tuple[str, ...],
    needed: tuple[bool, ...],
    small: bool,
) -> _Text:
    """Return the text for value and the gradients that are needed; ``arrays`` get no number."""
    definition = catalogue[loss]
    given = {a.name: a.default for a in definition.parameters if a.name not in arrays}
    given |= dict(parameters)
    for a in definition.parameters:
        if a.name in given:
            check_parameter(definition, a, given[a.name])
    fixed = tuple((n, float(v)) for n, v in given.items() if v in {0, 1, 2})
    chosen = variant(definition, frozenset(), fixed)
    inputs = definition.inputs[: len(needed)]
    moving = tuple(need and a.domain.continuous for a, need in zip(inputs, needed, strict=True))
    wanted = [f"gradient:{a.name}" for a, moves in zip(inputs, moving, strict=True) if moves]
    return _Text(
        compiled(chosen, ("value", *wanted), "numpy" if small else "tensorflow"),
        tuple(given.get(name, name) for name in chosen.arguments[len(definition.inputs) :]),
        tuple(definition.class_axis and not a.domain.class_axis for a in inputs),
        moving,
        definition.class_axis,
    )


def _small(
    request: Request, text: _Text, tensors: tuple[Any, ...], arrays: dict[str, Any]
) -> tuple[tf.Tensor, Any]:
    """Return the loss by NumPy text, with the slopes that backward multiplies."""
    data = [
        _array(x, label, request.axis if text.rows else -1)
        for x, label in zip(tensors, text.labels, strict=False)
    ]
    if request.alone:
        data.append(_NONE)
    data += [_array(arrays[p], False, -1) if p in arrays else p for p in text.parameters]
    with np.errstate(all="ignore"):
        found = text.run(*data)
    value, slopes = (found[0], found[1:]) if type(found) is tuple else (found, ())
    if text.rows:
        value = value[..., 0]
    if request.alone:
        value = np.add.reduce(value, axis=None)
    return _tensor(value, request.dtype), slopes


def _large(
    request: Request, text: _Text, tensors: tuple[Any, ...], arrays: dict[str, Any]
) -> tuple[tf.Tensor, Any]:
    """Return the loss by TensorFlow text that XLA makes one pass, with its slopes."""
    names = tuple(arrays)
    shapes = tuple((tuple(x.shape), x.dtype) for x in (*tensors, *arrays.values()))
    value, *slopes = _compiled(request, text, names, shapes)(*tensors, *arrays.values())
    return value, slopes


@lru_cache(maxsize=64)
def _compiled(request: Request, text: _Text, names: tuple[str, ...], shapes: Any) -> Any:
    """Return the compiled text for tensors of these shapes."""

    def run(*tensors: tf.Tensor) -> list[tf.Tensor]:
        count = len(tensors) - len(names)
        arrays = dict(zip(names, tensors[count:], strict=True))
        data = []
        for x, label in zip(tensors[:count], text.labels, strict=False):
            moved = _moved(x, request.axis) if text.rows and not label else x
            wide = tf.cast(moved, tf.float64 if x.dtype.is_floating else tf.int64)
            data.append(tf.expand_dims(wide, -1) if label else wide)
        if request.alone:
            data.append(tf.zeros((), tf.float64))
        data += [
            tf.cast(arrays[p], tf.float64) if p in arrays else tf.constant(p, tf.float64)
            for p in text.parameters
        ]
        found = text.run(*data)
        value, *slopes = found if isinstance(found, tuple) else (found,)
        value = tf.squeeze(value, -1) if text.rows else value
        value = tf.reduce_sum(value) if request.alone else value
        moving = [x for x, moves in zip(tensors, text.moving, strict=False) if moves]
        wide = [_like(slope, x, request, text) for slope, x in zip(slopes, moving, strict=True)]
        return [tf.cast(value, request.dtype), *wide]

    return tf.function(run, autograph=False, jit_compile=True)


def _moved(x: tf.Tensor, axis: int, back: bool = False) -> tf.Tensor:
    if axis == -1:
        return x
    order = list(range(len(x.shape)))
    order.insert(axis + len(order), order.pop()) if back else order.append(order.pop(axis))
    return tf.transpose(x, order)


def _like(slope: Any, x: tf.Tensor, request: Request, text: _Text) -> tf.Tensor:
    """Return a slope in the shape of its tensor; halves keep float32 until it is multiplied."""
    dtype = tf.float32 if x.dtype.size < 4 else x.dtype
    slope = tf.cast(tf.convert_to_tensor(slope), dtype)
    if text.rows:
        slope = _moved(slope, request.axis, back=True)
    return tf.broadcast_to(slope, x.shape)


def _multiplied_by_tensorflow(
    request: Request, text: _Text, tensors: tuple[Any, ...], slopes: Any, upstream: Any
) -> list[Any]:
    """Return the slopes times what comes from above, each like its tensor."""
    left, found = iter(slopes), []
    for x, moves in zip(tensors, text.moving, strict=True):
        if not moves:
            found.append(None)
            continue
        slope = next(left)
        up = tf.cast(upstream, slope.dtype)
        up = tf.expand_dims(up, request.axis) if text.rows else up
        found.append(tf.cast(up * slope, x.dtype))
    return found


def _array(x: Any, label: bool, axis: int) -> np.ndarray:
    array = x._numpy()  # noqa: SLF001  (the public one copies)
    if x.dtype.is_floating:
        array = array.astype(np.float64)
    if label:
        return array[..., None]
    return array if axis == -1 else np.moveaxis(array, axis, -1)


def _tensor(array: Any, dtype: tf.DType) -> Any:
    with np.errstate(all="ignore"):
        like = np.asarray(array, dtype.as_numpy_dtype)
    # What the public one calls in the end, three times as fast.
    return constant_op.convert_to_eager_tensor(like, context.context())


def _multiplied(
    request: Request, text: _Text, tensors: tuple[Any, ...], slopes: Any, upstream: Any
) -> list[Any]:
    """Return the slopes times what comes from above, each like its tensor."""
    up = upstream._numpy().astype(np.float64)  # noqa: SLF001  (the public one copies)
    if text.rows:
        up = up[..., None]
    left = iter(slopes)
    found: list[Any] = []
    for x, moves in zip(tensors, text.moving, strict=True):
        if not moves:
            found.append(None)
            continue
        with np.errstate(all="ignore"):
            slope = np.asarray(up * next(left))
        if slope.ndim < len(x.shape):
            slope = np.broadcast_to(slope, x._numpy().shape)  # noqa: SLF001
        if text.rows and request.axis != -1:
            slope = np.moveaxis(slope, -1, request.axis)
        found.append(_tensor(slope, x.dtype))
    return found


def _differentiable(
    request: Request,
    tensors: tuple[tf.Tensor, ...],
    arrays: dict[str, tf.Tensor],
    upstream: tf.Tensor,
) -> list[Any]:
    """Return the gradients as functions of tensors and upstream, by way of the general road."""
    with tf.GradientTape() as tape:
        tape.watch([x for x in tensors if x.dtype.is_floating])
        loss = general(request, *tensors, **arrays)
    return tape.gradient(loss, list(tensors), [upstream])
