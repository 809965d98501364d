"""Losses of logits and scores against classes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from optax import losses

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

_of_excluded_label = losses.softmax_cross_entropy_with_integer_labels


@as_optax
@compiled()
def sigmoid_binary_cross_entropy(logits: ArrayLike, labels: ArrayLike) -> jax.Array:
    """Cross-entropy of yes-or-no labels with log-odds: lossary's ``binary_cross_entropy``.

    As :func:`optax.losses.sigmoid_binary_cross_entropy`. Real logits (TypeError), labels from 0 to
    1; shapes broadcast. An infinite logit on its right side costs 0, where optax has NaN:

    >>> import jax.numpy as jnp
    >>> print(sigmoid_binary_cross_entropy(jnp.array([0.0, jnp.inf]), jnp.array([1.0, 1.0])))
    [0.6931472 0.       ]
    """
    x, y = arrays_of(logits, labels)
    real(x)
    dtype = x.dtype
    x, y = jnp.broadcast_arrays(x, y.astype(dtype))
    return values("binary_cross_entropy", x, y, dtype=dtype)


@as_optax
@compiled()
def sigmoid_focal_loss(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    alpha: ArrayLike | None = None,
    gamma: ArrayLike = 2.0,
) -> jax.Array:
    """Cross-entropy that fades on examples already classified well: lossary's ``soft_focal``.

    As :func:`optax.losses.sigmoid_focal_loss`. Real logits (TypeError), labels from 0 to 1, a
    ``gamma`` of at least 0 and an ``alpha`` between 0 and 1, or None; shapes broadcast.

    >>> import jax.numpy as jnp
    >>> print(sigmoid_focal_loss(jnp.array([0.0]), jnp.array([1.0])))
    [0.1732868]
    """
    x, y = arrays_of(logits, labels)
    real(x)
    dtype = x.dtype
    given = {"alpha": alpha} | ({} if isinstance(gamma, float) else {"gamma": gamma})
    given = {n: jnp.asarray(v).astype(dtype) for n, v in given.items() if v is not None}
    x, y, *rest = jnp.broadcast_arrays(x, y.astype(dtype), *given.values())
    found = values("soft_focal", x, y, dtype=dtype, **dict(zip(given, rest, strict=True)))
    return only((y >= 0) & (y <= 1), found)  # optax takes powers of a number below 0


def _soft(
    logits: Any,
    labels: Any,
    axis: Any,
    mask: Any,
    dtype: Any,
    loss: str = "soft_cross_entropy",
    **parameters: Any,
) -> Any:
    """Return the loss of rows with masses; a masked class has neither logit nor mass."""
    shape = jnp.broadcast_shapes(logits.shape, labels.shape)
    axes = axes_of(axis, logits.ndim)
    if logits.ndim != len(shape) or any(logits.shape[k] != shape[k] for k in axes):
        raise NotMine  # the softmax is taken before shapes broadcast
    if mask is not None:
        logits = jnp.where(mask, logits, -jnp.inf)
        labels = jnp.where(mask, labels, 0)
    logits, labels = (last(jnp.broadcast_to(x, shape), axis) for x in (logits, labels))
    if not logits.shape[-1]:
        return jnp.zeros(logits.shape[:-1], dtype)
    return _of_logits(loss, logits, labels, dtype=dtype, **parameters)


def _of_logits(loss: str, logits: Any, labels: Any, **options: Any) -> Any:
    """Return the loss of rows; a softmax of a logit that is NaN or +inf is none."""
    return only(logits.max(axis=-1) < jnp.inf, values(loss, logits, labels, **options))


@as_optax
@compiled("axis")
def softmax_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cross-entropy of distributions with the softmax of logits: ``soft_cross_entropy``.

    As :func:`optax.losses.softmax_cross_entropy`. Real logits (TypeError) and masses of the classes
    along ``axis``, which need not have sum 1; shapes broadcast. ``where`` leaves classes out or, in
    the shape of the result, rows, which cost 0. A class with the logit -inf and without mass costs
    nothing, where optax has NaN:

    >>> import jax.numpy as jnp
    >>> print(softmax_cross_entropy(jnp.array([0.0, 0.0, -jnp.inf]), jnp.array([1.0, 0.0, 0.0])))
    0.6931472
    """
    x, y = arrays_of(logits, labels)
    real(x)
    dtype = dtype_of(x, y)
    mask = None if where is None else mask_of(where, x, axis)
    return _soft(x, y, axis, mask, dtype)


@as_optax
@compiled()
def safe_softmax_cross_entropy(logits: ArrayLike, labels: ArrayLike) -> jax.Array:
    """Cross-entropy of distributions with the softmax of logits: ``soft_cross_entropy``.

    As :func:`optax.losses.safe_softmax_cross_entropy`: :func:`softmax_cross_entropy` along the last
    axis, which is as safe here.

    >>> import jax.numpy as jnp
    >>> print(safe_softmax_cross_entropy(jnp.array([0.0, -jnp.inf]), jnp.array([1.0, 0.0])))
    0.0
    """
    x, y = arrays_of(logits, labels)
    real(x)
    return _soft(x, y, -1, None, dtype_of(x, y))


@as_optax
@compiled("axis")
def poly_loss_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    epsilon: ArrayLike = 2.0,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cross-entropy plus ``epsilon`` times the mass that is missed: ``poly_cross_entropy``.

    As :func:`optax.losses.poly_loss_cross_entropy`. Arguments are those of
    :func:`softmax_cross_entropy`, but labels are real too (TypeError) and ``where`` has the shape
    of the logits.

    >>> import jax.numpy as jnp
    >>> print(poly_loss_cross_entropy(jnp.array([0.0, 0.0]), jnp.array([1.0, 0.0])))
    1.6931472
    """
    x, y = arrays_of(logits, labels)
    real(x, y)
    if where is not None and jnp.ndim(where) != x.ndim:
        raise NotMine
    mask = None if where is None else mask_of(where, x, axis)
    dtype = dtype_of(x, y)
    if isinstance(epsilon, float):
        return _soft(x, y, axis, mask, dtype, "poly_cross_entropy", epsilon=epsilon)
    share = jnp.asarray(epsilon)
    dtype = dtype_of(x, y, share)
    if share.ndim:
        raise NotMine
    return _soft(x, y, axis, mask, dtype, "poly_cross_entropy", epsilon=share.astype(dtype))


@as_optax
@compiled("axis")
def softmax_cross_entropy_with_integer_labels(
    logits: ArrayLike,
    labels: ArrayLike,
    axis: int | tuple[int, ...] = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cross-entropy of labels with the softmax of logits: lossary's ``cross_entropy``.

    As :func:`optax.losses.softmax_cross_entropy_with_integer_labels`. Real logits and integer
    labels (TypeError) in their shape without ``axis``. A label below 0 counts from the end; one
    outside gives NaN with gradient 0. ``where`` leaves classes out or, in the shape of the labels,
    rows, which cost 0. It stays exact where the label is the confident class:

    >>> import jax.numpy as jnp
    >>> print(softmax_cross_entropy_with_integer_labels(jnp.array([17.0, 0.0]), jnp.array(0)))
    4.1399375e-08
    """
    x, y = arrays_of(logits, labels)
    real(x)
    if not jnp.issubdtype(y.dtype, jnp.integer) or axis is None:
        raise NotMine
    mask = None if where is None else last(mask_of(where, x, axis), axis)
    x = last(x, axis)
    classes = x.shape[-1]
    if y.shape != x.shape[:-1] or not classes:
        raise NotMine
    y = jnp.where(y < 0, y + classes, y)
    inside = (y >= 0) & (y < classes)
    y = jnp.where(inside, y, 0)
    if mask is None:
        return jnp.where(inside, _at_label(x, y), jnp.nan)
    return jnp.where(inside | ~mask.any(axis=-1), _masked_at_label(x, y, mask), jnp.nan)


def _at_label(x: Any, label: Any) -> Any:
    found = values("cross_entropy", x, label, dtype=x.dtype)
    still = jax.lax.stop_gradient
    return only(_has_softmax(still(x), still(found), label), found)


def _has_softmax(x: Any, found: Any, label: Any) -> Any:
    """Return which rows of logits have a softmax: those without NaN and +inf.

    A logit of +inf is the label's own, or the loss is inf: other logits are seldom read for it.
    """
    own = jnp.take_along_axis(x, label[..., None], axis=-1)[..., 0]
    usual = jnp.isfinite(found) & (own < jnp.inf)
    return jax.lax.cond(usual.all(), lambda: usual, lambda: x.max(axis=-1) < jnp.inf)


def _masked_at_label(x: Any, label: Any, mask: Any) -> Any:
    """Return the loss over the classes that count, 0 for rows where none does.

    A label that is left out itself has no such loss; optax takes its logit nevertheless.
    """
    some = mask.any(axis=-1)
    counted = jnp.take_along_axis(mask, label[..., None], axis=-1)[..., 0]
    kept = jnp.where(mask, x, jnp.where(counted[..., None], -jnp.inf, 0))
    result = jnp.where(counted, _at_label(kept, label), _of_excluded_label(x, label, where=mask))
    return jnp.where(some, result, 0)


@as_optax
def ranking_softmax_loss(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    where: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    reduce_fn: Any = jnp.mean,
) -> jax.Array:
    """Cross-entropy of relevances with the softmax of scores: lossary's ``soft_cross_entropy``.

    As :func:`optax.losses.ranking_softmax_loss`. Real logits (TypeError) of lists along the last
    axis, relevance labels and weights in their shape; ``where`` says which items are there. A list
    without items does not count; ``reduce_fn`` reduces the others, None leaves one value per list.

    >>> import jax.numpy as jnp
    >>> loss = ranking_softmax_loss(jnp.array([2.0, 1.0, 3.0]), jnp.array([1.0, 0.0, 0.0]))
    >>> print(f"{loss:.3f}")
    1.408
    """
    lists = _of_lists(logits, labels, where, weights)
    there = None if where is None else jnp.any(jnp.asarray(where), axis=-1)
    if reduce_fn is None:
        return lists
    reduced = reduce_fn(lists, where=there)
    if reduce_fn is not jnp.mean or there is None:
        return reduced
    return jnp.where(there.any(), reduced, 0)


@compiled()
def _of_lists(logits: ArrayLike, labels: ArrayLike, where: Any, weights: Any) -> jax.Array:
    x, y = arrays_of(logits, labels)
    real(x)
    y = y.astype(x.dtype)
    if weights is not None:
        y = y * weights
    mask = None if where is None else mask_of(where, x, -1)
    return _soft(x, y, -1, mask, dtype_of(x, y))
