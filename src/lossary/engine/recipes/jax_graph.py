"""A loss in a graph of JAX as an operation of our own, which becomes a call of a kernel.

What it becomes is decided when the graph is lowered: a call of the kernel for one CPU of this
process, and the array text for everything else, such as another platform, several devices, an
artefact for other machines, or a batch of such calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial, reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.custom_derivatives import SymbolicZero
from jax.dtypes import float0
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from lossary.engine import evaluate
from lossary.engine.libraries import library
from lossary.engine.recipes.xla_kernels import Asked, Kernel

_LIBRARY = library("jax")


@lru_cache(maxsize=1024)
def value_function(asked: Asked) -> Any:
    """Return the loss as a function whose tangent comes from a kernel of value and gradient."""

    @jax.custom_jvp
    def value(*arrays: Any) -> Any:
        return _bound(asked, arrays)[0]

    def push(arrays: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        moving = tuple(n for n, x in enumerate(tangents) if _moves(x))
        both = replace(asked, moving=moving)
        if not both.has_slopes() or both.kernel() is None:
            return jax.jvp(partial(_first, asked), arrays, _instantiated(tangents))
        result, *slopes = slopes_function(both)(*arrays)
        along = [_along(both, slope, tangents[n]) for n, slope in zip(moving, slopes, strict=True)]
        return result, reduce(add, along).astype(result.dtype)

    value.defjvp(push, symbolic_zeros=True)
    return value


def _moves(tangent: Any) -> bool:
    return not isinstance(tangent, SymbolicZero) and tangent.dtype != float0


def _instantiated(tangents: Sequence[Any]) -> tuple[Any, ...]:
    """Return tangents of which none is a symbol; those of whole numbers have JAX's type for it."""
    return tuple(_zeros(x.aval) if isinstance(x, SymbolicZero) else x for x in tangents)


def _zeros(kind: Any) -> Any:
    made = np if kind.dtype == float0 else jnp
    return made.zeros(kind.shape, kind.dtype)


def _along(asked: Asked, slope: Any, tangent: Any) -> Any:
    """Return how the loss changes along a tangent."""
    with _LIBRARY.wide():
        product = slope.astype("float64") * tangent.astype("float64")
        if dict(asked.plain).get("reduction") != "none":
            return jnp.sum(product)
        return (
            jnp.sum(product, -1)
            if asked.loss.class_axis and slope.ndim == len(asked.shape)
            else product
        )


@lru_cache(maxsize=1024)
def slopes_function(asked: Asked) -> Any:
    """Return value and gradients as a function that is differentiated by the array text."""

    @jax.custom_jvp
    def slopes(*arrays: Any) -> tuple[Any, ...]:
        return tuple(_bound(asked, arrays))

    @slopes.defjvp
    def push(arrays: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        return jax.jvp(partial(_by_operations, asked), arrays, tangents)

    return slopes


def _first(asked: Asked, *arrays: Any) -> Any:
    return _by_operations(asked, *arrays)[0]


def _by_operations(asked: Asked, *arrays: Any) -> tuple[Any, ...]:
    """Return value and gradients by the array text."""
    moving = [arrays[n] for n in asked.moving]

    def value(*moved: Any) -> Any:
        given = list(arrays)
        for n, x in zip(asked.moving, moved, strict=True):
            given[n] = x
        return evaluate.by_operations(asked.loss, *asked.parted(given))

    if not moving:
        return (value(),)
    found, back = jax.vjp(value, *moving)
    return found, *back(jnp.ones_like(found))


_called = Primitive("lossary")
_called.multiple_results = True


def _bound(asked: Asked, arrays: Sequence[Any]) -> list[Any]:
    kernel = asked.kernel()
    assert kernel is not None  # noqa: S101  (the caller has looked)
    return _called.bind(*arrays, asked=asked, kernel=kernel)


@_called.def_abstract_eval
def _kinds_of_results(*arrays: Any, asked: Asked, kernel: Kernel) -> list[Any]:
    return [ShapedArray(shape, np.dtype(kind)) for shape, kind in asked.results(kernel.recipe)]


@lru_cache(maxsize=1024)
def _compiled(asked: Asked, kernel: Kernel) -> Any:
    return jax.jit(partial(_called.bind, asked=asked, kernel=kernel))


@_called.def_impl
def _at_once(*arrays: Any, asked: Asked, kernel: Kernel) -> list[Any]:
    return _compiled(asked, kernel)(*arrays)


def _many(
    arrays: Sequence[Any], axes: Sequence[Any], asked: Asked, kernel: Kernel
) -> tuple[Any, Any]:
    found = jax.vmap(partial(_by_operations, asked), axes)(*arrays)
    return found, (0,) * len(found)


def _by_text(*arrays: Any, asked: Asked, kernel: Kernel) -> tuple[Any, ...]:
    return _by_operations(asked, *arrays)


def _by_kernel(*arrays: Any, asked: Asked, kernel: Kernel) -> list[Any]:
    """Return value and gradients of a kernel."""
    kinds = _kinds_of_results(asked=asked, kernel=kernel)
    with _LIBRARY.wide():
        run = jax.ffi.ffi_call(kernel.name, [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in kinds])
        return [*run(*asked.ordered(kernel.recipe, arrays), facts=asked.facts(kernel.recipe))]


_text = mlir.lower_fun(_by_text, multiple_results=True)
_custom = mlir.lower_fun(_by_kernel, multiple_results=True)


def _lowered(context: Any, *arrays: Any, **about: Any) -> Any:
    """Lower to a call of the kernel where this process is to run it, on one CPU."""
    module = context.module_context
    alone = getattr(module.axis_context, "num_devices", 0) == 1
    here = not getattr(module.lowering_parameters, "for_export", True)
    return (_custom if alone and here else _text)(context, *arrays, **about)


mlir.register_lowering(_called, _text)
mlir.register_lowering(_called, _lowered, platform="cpu")
batching.primitive_batchers[_called] = _many
