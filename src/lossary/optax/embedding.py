"""Losses of vectors: angles and distances."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from lossary.doors import NotMine
from lossary.optax.computing import only, values
from lossary.optax.contract import (
    arrays_of,
    as_optax,
    axes_of,
    compiled,
    dtype_of,
    last,
    mask_of,
    real,
)


@as_optax
@compiled("axis")
def cosine_similarity(
    predictions: ArrayLike,
    targets: ArrayLike,
    *,
    epsilon: ArrayLike = 0.0,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cosine of the angle between two vectors: minus lossary's ``cosine_similarity``.

    As :func:`optax.losses.cosine_similarity`. Real vectors along ``axis`` (TypeError); shapes
    broadcast; ``where`` leaves coordinates out. No squared length counts as less than ``epsilon``,
    and a vector of length 0 has the cosine 0 with gradient 0, where optax has NaN:

    >>> import jax.numpy as jnp
    >>> print(cosine_similarity(jnp.array([[3.0, 4.0], [0.0, 0.0]]), jnp.array([[4.0, 3.0]])))
    [0.96 0.  ]
    """
    pair, dtype = _pair(predictions, targets, epsilon, axis, where)
    return -values("cosine_similarity", *pair, dtype=dtype)


@as_optax
@compiled("axis")
def cosine_distance(
    predictions: ArrayLike,
    targets: ArrayLike,
    *,
    epsilon: ArrayLike = 0.0,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """1 minus the cosine of the angle between two vectors: lossary's ``cosine_distance``.

    As :func:`optax.losses.cosine_distance`; arguments and errors are those of
    :func:`cosine_similarity`. Small angles keep their digits:

    >>> import jax.numpy as jnp
    >>> print(f"{cosine_distance(jnp.array([1.0, 1e-4]), jnp.array([1.0, 0.0])):.3g}")
    5e-09
    """
    pair, dtype = _pair(predictions, targets, epsilon, axis, where)
    return values("cosine_distance", *pair, dtype=dtype)


def _pair(a: Any, b: Any, epsilon: Any, axis: Any, where: Any) -> tuple[tuple[Any, Any], Any]:
    """Return both vectors along the last axis, masked, and not shorter than epsilon allows."""
    a, b = arrays_of(a, b)
    real(a, b)
    dtype = dtype_of(a, b)
    shape = jnp.broadcast_shapes(a.shape, b.shape)
    if where is not None:
        shape = jnp.broadcast_shapes(shape, jnp.shape(where))
    for x in (a, b):
        if x.ndim != len(shape) or any(x.shape[k] != shape[k] for k in axes_of(axis, x.ndim)):
            raise NotMine  # lengths are taken before shapes broadcast
    a, b = (jnp.broadcast_to(x, shape) for x in (a, b))
    if where is not None:
        mask = mask_of(where, a, axis)
        a, b = (jnp.where(mask, x, 0) for x in (a, b))
    a, b = last(a, axis), last(b, axis)
    if isinstance(epsilon, float) and epsilon == 0:
        return (a, b), dtype
    return (_lengthened(a, epsilon, 0), _lengthened(b, epsilon, 1)), dtype


def _lengthened(x: Any, square: Any, place: int) -> Any:
    """Append a coordinate that brings the squared length up to ``square`` if it is below.

    The two vectors get theirs in different places: their inner product stays what it is.
    """
    length = jnp.sum(x * x, axis=-1, keepdims=True)
    short = ~(length >= square)  # so that NaN stays NaN
    rest = jnp.where(short, jnp.sqrt(jnp.where(short, square - length, 1)), 0).astype(x.dtype)
    none = jnp.zeros_like(rest)
    return jnp.concatenate([x, none, rest] if place else [x, rest, none], axis=-1)


@as_optax
def triplet_margin_loss(
    anchors: ArrayLike,
    positives: ArrayLike,
    negatives: ArrayLike,
    axis: int = -1,
    norm_degree: ArrayLike = 2,
    margin: ArrayLike = 1.0,
    eps: ArrayLike = 1e-6,
) -> jax.Array:
    """How far positives fail to be nearer to their anchor than negatives, by ``margin``.

    As :func:`optax.losses.triplet_margin_loss`: lossary's ``triplet_margin``. Real vectors along
    ``axis`` (TypeError); shapes broadcast. optax adds ``eps`` to the squared distances: here it is
    the square of one more coordinate. Another ``norm_degree`` than 2 is left to optax.

    >>> import jax.numpy as jnp
    >>> anchor, like, unlike = jnp.array([0.0, 0.0]), jnp.array([3.0, 4.0]), jnp.array([0.0, 2.0])
    >>> print(triplet_margin_loss(anchor, like, unlike).round(4))
    4.0
    """
    if not isinstance(norm_degree, int) or norm_degree != 2:
        raise NotMine
    return _triplet(anchors, positives, negatives, axis, margin, eps)


@compiled("axis")
def _triplet(
    anchors: ArrayLike,
    positives: ArrayLike,
    negatives: ArrayLike,
    axis: int,
    margin: ArrayLike,
    eps: ArrayLike,
) -> jax.Array:
    vectors = arrays_of(anchors, positives, negatives)
    real(*vectors)
    least, square = arrays_of(margin, eps)
    dtype = dtype_of(*vectors, least, square)
    vectors = [last(x, axis) for x in jnp.broadcast_arrays(*vectors)]
    rows = vectors[0].shape[:-1]
    if jnp.broadcast_shapes(rows, least.shape, square.shape) != rows:
        raise NotMine
    extra = jnp.broadcast_to(jnp.sqrt(square.astype(dtype)), rows)[..., None]
    more = [extra, jnp.zeros_like(extra), jnp.zeros_like(extra)]
    vectors = [jnp.concatenate(pair, axis=-1) for pair in zip(vectors, more, strict=True)]
    known = jnp.isfinite(jnp.concatenate(vectors, axis=-1)).all(axis=-1)
    return only(known, values("triplet_margin", *vectors, dtype=dtype, margin=least.astype(dtype)))
