"""Pairs of members, in JAX's words."""

from __future__ import annotations

import jax.numpy as jnp

from lossary.kernels.pairs import Paired

paired: Paired = Paired(
    expanded=lambda x, place: jnp.expand_dims(x, place) if jnp.ndim(x) else x,
    # A type that JAX would choose again when it is lowered, outside the local enable_x64.
    count=lambda x: jnp.arange(x.shape[-1], dtype="int32"),
    where=jnp.where,
    sum=lambda x: jnp.sum(x, axis=-1),
    real=lambda x, like: x if jnp.ndim(x) else jnp.asarray(x, like.dtype),
)
