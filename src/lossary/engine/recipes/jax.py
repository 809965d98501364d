"""Calls in a graph of JAX, whose kernels XLA calls on a CPU."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import jax
from jax.core import Tracer

from lossary.engine import evaluate
from lossary.engine.recipes.jax_graph import slopes_function, value_function
from lossary.engine.recipes.recipe import NO_RECIPE, VALUE, option_kind
from lossary.engine.recipes.xla_kernels import Asked
from lossary.engine.selection import chosen

LEAST = 1 << 5
"""Numbers from which a kernel computes; below, XLA runs the array text as fast."""


def call(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...] = VALUE,
    out: Any = None,
) -> Any:
    """Return the loss, or what else is wanted; NO_RECIPE for the long road."""
    if out is not None or wanted[-1] == "hessian":
        return NO_RECIPE
    asked = _covered(loss, args, options)
    if asked is None:
        return NO_RECIPE
    arrays = [*args, *(options[name] for name in asked.named)]
    _check_known(asked, arrays)
    if wanted is VALUE:
        return value_function(asked)(*arrays)
    asked = replace(asked, moving=(0,))
    if not asked.kernel():
        return NO_RECIPE
    value, slope = slopes_function(asked)(*arrays)
    return [value if kind == "value" else slope for kind in wanted]


def explain(loss: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> str | None:
    """Say what computes a call in a graph, if a kernel does."""
    asked = _covered(loss, args, options)
    if asked is None:
        return None
    return f"{loss.name}: a fused kernel that XLA calls, over {prod(asked.shape)} elements"


def _covered(loss: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Asked | None:
    """Return what a call in a graph asks for; None where no kernel computes it."""
    asked = _asked(loss, args, options) if _is_graph(args, options) else None
    return asked if asked is not None and asked.fitting() else None


def _is_graph(args: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    """Whether a graph of this process' one CPU is being made of plain arrays."""
    if chosen() == "array" or not any(isinstance(x, Tracer) for x in (*args, *options.values())):
        return False
    arrays = isinstance(args[0], jax.Array) and all(isinstance(x, jax.Array) for x in args)
    return arrays and jax.default_backend() == "cpu" and jax.sharding.get_abstract_mesh().empty


def _check_known(asked: Asked, arrays: Sequence[Any]) -> None:
    """Raise for what is wrong with arrays whose numbers are known while the graph is made."""
    known = [not isinstance(x, Tracer) for x in arrays]
    if not any(known) or dict(asked.plain).get("check") is False:
        return

    def text(*unknown: Any) -> Any:
        rest = iter(unknown)
        given = [x if own else next(rest) for x, own in zip(arrays, known, strict=True)]
        return evaluate.by_operations(asked.loss, *asked.parted(given))

    jax.eval_shape(text, *(x for x, own in zip(arrays, known, strict=True) if not own))


def _asked(loss: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Asked | None:
    """Return what a call asks for; None for what no kernel covers, whatever its numbers."""
    if option_kind(options, lambda x: x.shape if isinstance(x, jax.Array) else None) is None:
        return None
    named = tuple(name for name, x in options.items() if isinstance(x, jax.Array))
    kinds = tuple((x.shape, x.dtype.name) for x in (*args, *(options[n] for n in named)))
    plain = tuple((name, x) for name, x in options.items() if name not in named)
    asked = Asked(_register, loss, kinds, named, plain)
    if not all(isinstance(n, int) for shape, _ in kinds for n in shape):
        return None  # known only when the graph runs
    return asked if prod(asked.shape) >= _least() and asked.is_covered() else None


def _register(name: str, address: int) -> None:
    """Tell JAX' XLA where a kernel is."""
    pointer = jax.ffi.pycapsule(ctypes.c_void_p(address))
    jax.ffi.register_ffi_target(name, pointer, platform="cpu")


def _least() -> int:
    """Return from how many numbers on a kernel computes."""
    return 1 if chosen() == "fused" else LEAST
