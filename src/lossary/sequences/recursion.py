"""One recursion in a call: who computes it, and how a library's differentiation gets slopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from lossary.engine.libraries import Library, library
from lossary.engine.selection import chosen
from lossary.sequences import machine
from lossary.sequences.words import words_of

Arrays = tuple[Any, ...]


@dataclass(frozen=True)
class Recursion:
    """A loss of whole sequences: one value for each, and its slopes in what moves.

    ``text`` takes the words of a library, arrays that move, arrays that do not, and whether slopes
    are wanted; it returns the values, (B), and the slopes, each like what moves. ``settings`` are
    its last arguments. ``run`` does the same on memory by a kernel, or returns None.
    """

    name: str
    text: Callable[..., tuple[Any, Arrays]]
    settings: tuple[Any, ...] = ()
    run: Callable[..., tuple[Any, Arrays] | None] | None = None

    def computed(
        self, library: Library, moving: Arrays, still: Arrays, wanted: bool
    ) -> tuple[Any, Arrays]:
        """Return values in the type of the result, and slopes in that of what moves or float32."""
        if (found := self._in_memory(library, moving, still, wanted)) is not None:
            return found
        words = words_of(library.name)
        result = [library.result_dtype(x) for x in moving]
        with library.wide(), library.calm():
            wide = tuple(library.cast(x, library.work_dtype(x)) for x in moving)
            value, slopes = self.text(words, wide, still, wanted, *self.settings)
            given = tuple(library.cast(x, d) for x, d in zip(slopes, result, strict=False))
            return library.cast(value, result[0]), given

    def _in_memory(
        self, library: Library, moving: Arrays, still: Arrays, wanted: bool
    ) -> tuple[Any, Arrays] | None:
        """Return the same by a kernel; None where there is none, or not yet."""
        if self.run is None or chosen() == "array":
            return None
        memories = [library.memory(x) for x in (*moving, *still)]
        if any(memory is None for memory in memories) or not machine.is_there():
            return None
        arrays = [memory.numbers for memory in memories if memory is not None]
        floats = [
            x if x.dtype.itemsize >= 4 else x.astype(np.float32) for x in arrays[: len(moving)]
        ]
        found = self.run(tuple(floats), tuple(arrays[len(moving) :]), wanted, *self.settings)
        if found is None:
            return None
        value, slopes = found
        result = library.result_dtype(moving[0])
        return (
            library.cast(library.array(value), result),
            tuple(library.array(x) for x in slopes),
        )

    def prompt(self, library: Library, moving: Arrays, still: Arrays) -> bool:
        """Whether a kernel computes such arrays, at once."""
        if chosen() == "array":
            return False
        kind = (self, *(x.dtype for x in moving))
        if kind not in _PROMPT:
            none = tuple(x[:0] for x in moving), tuple(x[:0] for x in still)
            if self._in_memory(library, *none, wanted=True) is None:
                return False
            _PROMPT.add(kind)
        return True

    def values(self, library: Library, moving: Arrays, still: Arrays) -> Any:
        """Return the values, (B), with what the library needs to differentiate them."""
        if library.name == "numpy":
            return self.computed(library, moving, still, wanted=False)[0]
        return _DIFFERENTIABLE[library.name](self, len(moving))(*moving, *still)


_PROMPT: set[tuple[Any, ...]] = set()
"""Recursions and types of which it is known that a kernel is there."""


@lru_cache(maxsize=256)
def _in_torch(recursion: Recursion, count: int) -> Any:
    torch = import_module("torch")
    once = import_module("torch.autograd.function").once_differentiable
    own = library("torch")

    class Sequences(torch.autograd.Function):
        @staticmethod
        def forward(*arrays: Any) -> Any:
            value, slopes = recursion.computed(own, arrays[:count], arrays[count:], wanted=True)
            return value, *slopes

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.kinds = [x.dtype for x in inputs[:count]], len(inputs) - count
            ctx.mark_non_differentiable(*output[1:])
            ctx.save_for_backward(*output[1:])

        @staticmethod
        @once
        def backward(ctx: Any, upstream: Any, *_: Any) -> Any:
            kinds, rest = ctx.kinds
            found = zip(ctx.saved_tensors, kinds, strict=True)
            return *((_spread(upstream, x) * x).to(kind) for x, kind in found), *[None] * rest

    def call(*arrays: Any) -> Any:
        if not any(own.tracked(x) for x in arrays[:count]):
            return recursion.computed(own, arrays[:count], arrays[count:], wanted=False)[0]
        return Sequences.apply(*arrays)[0]

    return call


def _spread(x: Any, like: Any) -> Any:
    """Return one number for each sequence in the rank of an array of sequences."""
    return x.reshape((-1, *[1] * (len(like.shape) - 1)))


@lru_cache(maxsize=256)
def _in_jax(recursion: Recursion, count: int) -> Any:
    jax = import_module("jax")
    own = library("jax")

    @jax.custom_jvp
    def value(moving: Arrays, still: Arrays) -> Any:
        return compute(moving, still, False)[0]

    @value.defjvp
    def push(arrays: Any, tangents: Any) -> Any:
        found, slopes = compute(*arrays, True)
        with own.wide():
            total = jax.numpy.zeros_like(found)
            for slope, tangent in zip(slopes, tangents[0], strict=True):
                along = slope * tangent.astype(slope.dtype)
                total += along.sum(tuple(range(1, along.ndim))).astype(found.dtype)
            return found, total

    def by_text(moving: Arrays, still: Arrays, wanted: bool) -> Any:
        return recursion.computed(own, moving, still, wanted)

    # One graph for each shape: operation by operation a scan would be compiled anew.
    compute = jax.jit(by_text, static_argnums=2, inline=True)
    return lambda *arrays: value(arrays[:count], arrays[count:])


@lru_cache(maxsize=256)
def _in_tensorflow(recursion: Recursion, count: int) -> Any:
    tf = import_module("tensorflow")
    own = library("tensorflow")

    # One graph for all shapes: step by step TensorFlow would send each operation on its own way.
    @tf.function(autograph=False, reduce_retracing=True)
    def compute(arrays: Arrays) -> Any:
        return recursion.computed(own, arrays[:count], arrays[count:], wanted=True)

    @tf.custom_gradient
    def value(*arrays: Any) -> Any:
        found, slopes = compute(arrays)

        def send_back(upstream: Any) -> list[Any]:
            sent = [
                tf.cast(tf.reshape(upstream, [-1] + [1] * (len(x.shape) - 1)) * slope, x.dtype)
                for x, slope in zip(arrays, slopes, strict=False)
            ]
            return [*sent, *[None] * (len(arrays) - count)]

        return found, send_back

    return value


_DIFFERENTIABLE = {"torch": _in_torch, "jax": _in_jax, "tensorflow": _in_tensorflow}
