"""What optax' losses agree on: arrays, dtypes, axes, masks, and whose errors are raised."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial, wraps
from math import prod
from typing import Any, ParamSpec

import jax
import jax.numpy as jnp
from optax import losses

from lossary.doors import NotMine, as_peer
from lossary.engine.libraries import library
from lossary.engine.selection import chosen

P = ParamSpec("P")

_TROUBLE = (TypeError, ValueError, IndexError, AttributeError)


def as_optax(door: Callable[P, jax.Array]) -> Callable[P, jax.Array]:
    """Give a door optax' answer where it raises NotMine, and optax' errors.

    A door raises NotMine for what lies outside the core, such as integer predictions or shapes that
    only optax' function can judge.
    """
    # Held from the start: somebody may put the door in the place of optax' function.
    return as_peer(door, getattr(losses, door.__name__), _TROUBLE)


def compiled(*static: str) -> Callable[[Callable[P, jax.Array]], Callable[P, jax.Array]]:
    """Compile a door once per shape: eager JAX would send every operation on its own way.

    Numbers that are given become arguments of the compiled function, so that a schedule does not
    compile anew; defaults stay numbers, for which the core has shorter text.
    """

    def decorate(door: Callable[P, jax.Array]) -> Callable[P, jax.Array]:
        narrowed = library("jax").narrowed

        @cache
        def run_by(engine: str) -> Callable[..., jax.Array]:
            own = partial(door)  # a function of its own: JAX keeps what it made of another's
            return jax.jit(own, static_argnames=static, inline=True)

        @wraps(door)
        def call(*args: P.args, **kwargs: P.kwargs) -> jax.Array:
            # JAX would take the last 32 bits of a label, which may be another class.
            given = {n: narrowed(x) for n, x in kwargs.items()}
            return run_by(chosen())(*map(narrowed, args), **given)

        return call

    return decorate


def arrays_of(*data: Any) -> list[Any]:
    """Return arrays; lists and None are optax' to refuse."""
    if any(isinstance(x, (list, tuple, type(None))) for x in data):
        raise NotMine
    return [jnp.asarray(x) for x in data]


def real(*arrays: Any) -> None:
    """Leave numbers to optax that are not floating-point: it refuses them, or counts in them."""
    for x in arrays:
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise NotMine


def dtype_of(*arrays: Any) -> Any:
    """Return the common dtype, which is that of the result."""
    return jnp.result_type(*arrays)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return axes as a tuple; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    return (axis,) if hasattr(axis, "__index__") else tuple(axis)


def last(x: Any, axis: Any) -> Any:
    """Move an axis to the end; several of them as one."""
    axes = axes_of(axis, x.ndim)
    moved = jnp.moveaxis(x, axes, tuple(range(-len(axes), 0)))
    if len(axes) == 1:
        return moved
    rows = moved.shape[: x.ndim - len(axes)]
    return moved.reshape(*rows, prod(moved.shape[len(rows) :]))


def mask_of(where: Any, like: Any, axis: Any) -> Any:
    """Return a mask in the shape of an array; one without the class axis holds for whole rows."""
    (where,) = arrays_of(where)
    if where.ndim != like.ndim:
        where = jnp.expand_dims(where, axis)
    if jnp.broadcast_shapes(where.shape, like.shape) != like.shape:
        raise NotMine
    return jnp.broadcast_to(where, like.shape).astype(bool)
