"""Calls in a graph of TensorFlow, which XLA compiles as one function.

TensorFlow sends each of the text's operations through the memory, forty of them for a
cross-entropy. Compiled, a loss and its gradient are a few passes. That takes some tenths of a
second for each shape, and a graph is made for its shapes anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from math import prod
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.python.eager import record
from tensorflow.python.framework import ops
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from lossary.engine import evaluate

LEAST = 2048
"""Numbers from which a loss is compiled; below, its operations cost little more."""

HALVES = frozenset({tf.float16, tf.bfloat16})

_PLAIN = (str, bool, int, float, type(None))


class Asked(NamedTuple):
    """A call: its data and then the options that are tensors, whose names are ``named``.

    ``moving`` are the places of the data that get a gradient.
    """

    loss: Any
    tensors: Sequence[Any]
    named: Sequence[str]
    options: Mapping[str, Any]
    moving: tuple[int, ...]

    @property
    def data_count(self) -> int:
        """How many of the tensors are data."""
        return len(self.tensors) - len(self.named)


class Kind(NamedTuple):
    """What a compiled call depends on; ``named`` are the options that are tensors."""

    loss: Any
    named: tuple[str, ...]
    options: tuple[tuple[str, Any], ...]
    kinds: tuple[tuple[tuple[int, ...], Any], ...]
    moving: tuple[int, ...]


def covers(args: tuple[Any, ...], tensors: Sequence[Any]) -> bool:
    """Whether these are tensors of a graph, of known shapes, worth compiling and not yet so.

    XLA has float64 inside, and is exact enough for narrower types.
    """
    for x in tensors:
        if type(x) not in (ops.EagerTensor, ops.SymbolicTensor):
            return False
        if not x.shape.is_fully_defined() or x.dtype == tf.float64 or x.dtype.is_complex:
            return False
    if prod(args[0].shape) < LEAST or tf.executing_eagerly():
        return False
    return not GraphOrParentsInXlaContext(ops.get_default_graph()) and _can_compile()


@cache
def _can_compile() -> bool:
    """Whether XLA is there, and no accelerator, where passes over the memory are not what costs."""
    if tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"):
        return False
    try:
        with tf.init_scope():
            return int(tf.function(lambda: tf.constant(1), jit_compile=True)()) == 1
    except (tf.errors.OpError, RuntimeError):
        return False


def compute(asked: Asked) -> tuple[Any, list[Any]] | None:
    """Return the loss and its gradients; None for an option that is no word, flag or number."""
    plain = {name: x for name, x in asked.options.items() if name not in asked.named}
    if not all(type(x) in _PLAIN for x in plain.values()):
        return None
    with record.stop_recording():
        # The gradient of a half is rounded once, after it is multiplied.
        tensors = [tf.cast(x, tf.float32) if x.dtype in HALVES else x for x in asked.tensors]
        kinds = tuple((tuple(x.shape), x.dtype) for x in tensors)
        named, options = tuple(asked.named), tuple(plain.items())
        compiled = _compiled(Kind(asked.loss, named, options, kinds, asked.moving))
        value, *slopes = compiled(*tensors)
    return value, slopes


@lru_cache(maxsize=64)
def _compiled(kind: Kind) -> Any:
    """Return what computes the loss and the gradients of its sum, for these shapes."""
    count = len(kind.kinds) - len(kind.named)

    def run(*tensors: Any) -> list[Any]:
        options = dict(kind.options) | dict(zip(kind.named, tensors[count:], strict=True))
        value = evaluate.value(kind.loss, tensors[:count], options)
        moving = [tensors[place] for place in kind.moving]
        # Not by a tape, which does not record here.
        return [value, *(tf.gradients(value, moving) if moving else [])]

    compiled = tf.function(run, autograph=False, jit_compile=True)
    with tf.init_scope():  # it belongs to no graph of the caller's
        return compiled.get_concrete_function(*[tf.TensorSpec(*x) for x in kind.kinds])
