"""Calls in a graph of TensorFlow: a kernel that XLA calls, or the array text that XLA compiles.

TensorFlow sends each of the text's operations through the memory, forty of them for a
cross-entropy. Compiled, a loss and its gradient are a few passes. That takes some tenths of a
second for each shape, and a graph is made for its shapes anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from math import prod
from typing import Any, NamedTuple, cast

import tensorflow as tf
from tensorflow.python.eager import context, record
from tensorflow.python.framework import ops
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from lossary.engine import evaluate
from lossary.engine.recipes import tensorflow_kernels as kernels
from lossary.engine.recipes.xla_kernels import Asked as OfKernel
from lossary.engine.selection import chosen

LEAST = 2048
"""Numbers from which the text is compiled; below, its operations cost little more."""

LEAST_OF_KERNELS = 1 << 5
"""Numbers from which a kernel computes."""

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

    def plain(self) -> dict[str, Any]:
        """Return the options that are no tensors."""
        return {name: x for name, x in self.options.items() if name not in self.named}


class Kind(NamedTuple):
    """What a compiled call depends on; ``named`` are the options that are tensors."""

    loss: Any
    named: tuple[str, ...]
    options: tuple[tuple[str, Any], ...]
    kinds: tuple[tuple[tuple[int, ...], Any], ...]
    moving: tuple[int, ...]


def covers(tensors: Sequence[Any]) -> bool:
    """Whether these are tensors of a graph of this process, with ranks that are known."""
    for x in tensors:
        if type(x) not in (ops.EagerTensor, ops.SymbolicTensor):
            return False
        if x.shape.rank is None or x.dtype.is_complex:
            return False
    return not tf.executing_eagerly() and _can_compile()


def _is_known(tensors: Sequence[Any]) -> bool:
    return all(x.shape.is_fully_defined() for x in tensors)


def _in_xla() -> bool:
    return bool(GraphOrParentsInXlaContext(ops.get_default_graph()))


@cache
def _can_compile() -> bool:
    """Whether XLA is there, and no accelerator, where passes over the memory are not what costs."""
    if tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"):
        return False
    if cast("Any", context.context()).get_server_def() is not None:
        return False  # a graph may run in another process
    try:
        with tf.init_scope():
            return int(tf.function(lambda: tf.constant(1), jit_compile=True)()) == 1
    except (tf.errors.OpError, RuntimeError):
        return False


def compute(asked: Asked) -> tuple[Any, list[Any]] | None:
    """Return the loss and its gradients; None for the long road."""
    plain = asked.plain()
    if not all(type(x) in _PLAIN for x in plain.values()):
        return None
    with record.stop_recording():
        # The gradient of a half is rounded once, after it is multiplied.
        tensors = [tf.cast(x, tf.float32) if x.dtype in HALVES else x for x in asked.tensors]
        value, *slopes = _by_kernel(asked, plain, tensors) or _by_text(asked, plain, tensors)
    return None if value is None else (value, slopes)


def kernel_of(
    asked: Asked, plain: Mapping[str, Any], tensors: Sequence[Any]
) -> tuple[OfKernel, Any] | None:
    """Return what a kernel is asked, and the kernel; None where there is none.

    Outside XLA it is for training steps: what only evaluates may be saved and run where nobody
    knows our kernels. There XLA compiles a call for each length that comes, so that only how many
    rows there are may be open: a training has few sizes of batches, and many of sentences.
    """
    known = _is_known(tensors)
    if not _in_xla():
        least = 1 if chosen() == "fused" else LEAST_OF_KERNELS
        if not asked.moving or (known and prod(tensors[0].shape) < least):
            return None
        if any(None in tuple(x.shape)[1:] for x in tensors):
            return None
    elif known and not prod(tensors[0].shape):
        return None
    if not kernels.is_open():
        return None
    kinds = tuple((tuple(x.shape), x.dtype.name) for x in tensors)
    named, options = tuple(asked.named), tuple(plain.items())
    own = OfKernel(kernels.register, asked.loss, kinds, named, options, asked.moving)
    kernel = own.fitting() if own.is_covered() and own.has_slopes() else None
    return None if kernel is None else (own, kernel)


def _by_kernel(asked: Asked, plain: Mapping[str, Any], tensors: Sequence[Any]) -> list[Any] | None:
    found = kernel_of(asked, plain, tensors)
    if found is None:
        return None
    if _in_xla() or _is_known(tensors):
        return kernels.computed(*found, tensors)
    return [*_open_ended(*found)(*tensors)]


@lru_cache(maxsize=64)
def _open_ended(asked: OfKernel, kernel: Any) -> Any:
    """Return a kernel's call as a function that XLA compiles for each length that comes."""

    def run(*tensors: Any) -> list[Any]:
        return kernels.computed(asked, kernel, tensors)

    compiled = tf.function(run, autograph=False, jit_compile=True)
    specs = [tf.TensorSpec(*kind) for kind in asked.kinds]
    with tf.init_scope():  # it belongs to no graph of the caller's
        return compiled.get_concrete_function(*specs)


def _by_text(asked: Asked, plain: Mapping[str, Any], tensors: Sequence[Any]) -> list[Any]:
    """Return the loss and its gradients by the array text, which XLA compiles; else None."""
    if not _compiles(tensors):
        return [None]
    kinds = tuple((tuple(x.shape), x.dtype) for x in tensors)
    named, options = tuple(asked.named), tuple(plain.items())
    return _compiled(Kind(asked.loss, named, options, kinds, asked.moving))(*tensors)


def _compiles(tensors: Sequence[Any]) -> bool:
    """Whether the text is worth compiling, and not part of what XLA compiles anyway.

    XLA has float64 inside, and is exact enough for narrower types.
    """
    if _in_xla() or not _is_known(tensors) or any(x.dtype == tf.float64 for x in tensors):
        return False
    return prod(tensors[0].shape) >= LEAST


def explained(asked: Asked) -> str | None:
    """Say what computes a call in a graph; None for the long road."""
    if kernel_of(asked, asked.plain(), asked.tensors) is not None:
        return f"{asked.loss.name}: a fused kernel that XLA calls"
    compiles = f"{asked.loss.name}: tensorflow operations, which XLA compiles"
    return compiles if _compiles(asked.tensors) else None


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
