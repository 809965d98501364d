"""Sums along an order, in JAX's words."""

from __future__ import annotations

import jax.numpy as jnp

from lossary.kernels.orders import Ordered, below

ordered: Ordered = Ordered(
    sorted=lambda key: jnp.argsort(key, axis=-1, stable=True).astype("int32"),
    take=lambda x, places: jnp.take_along_axis(x, places, axis=-1),
    roll=lambda x, by: jnp.roll(x, by, axis=-1),
    # Types that JAX would choose again when it is lowered, outside the local enable_x64.
    count=lambda x: jnp.arange(x.shape[-1], dtype="int32"),
    where=jnp.where,
    maximum=jnp.maximum,
    exp=jnp.exp,
    like=lambda x, like: jnp.broadcast_to(x, like.shape),
    doubling=lambda x, step, state: below(x.shape[-1], step, state),
    real=lambda x, like: jnp.broadcast_to(jnp.asarray(x, like.dtype), like.shape),
)
