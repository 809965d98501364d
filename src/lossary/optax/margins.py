"""Losses that ask for a margin between scores, or for their order."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from lossary.doors import NotMine
from lossary.optax.computing import only, values
from lossary.optax.contract import arrays_of, as_optax, compiled, dtype_of, real


def _agreement(predictor_outputs: Any, targets: Any) -> Any:
    """Return score times sign: optax differentiates by both, the core by scores."""
    x, y = arrays_of(predictor_outputs, targets)
    product = x * y
    real(product)
    return product


@as_optax
@compiled()
def hinge_loss(predictor_outputs: ArrayLike, targets: ArrayLike) -> jax.Array:
    """How far scores fall short of a margin of 1 on their right side: lossary's ``hinge``.

    As :func:`optax.losses.hinge_loss`. Real scores, targets -1 or 1; shapes broadcast.

    >>> import jax.numpy as jnp
    >>> print(hinge_loss(jnp.array([0.25, -1.0]), jnp.array([1.0, 1.0])))
    [0.75 2.  ]
    """
    product = _agreement(predictor_outputs, targets)
    return values("hinge", product, jnp.ones_like(product), dtype=product.dtype)


@as_optax
@compiled()
def perceptron_loss(predictor_outputs: ArrayLike, targets: ArrayLike) -> jax.Array:
    """How far scores lie on their wrong side: lossary's ``perceptron``.

    As :func:`optax.losses.perceptron_loss`. Real scores, targets -1 or 1 in their shape
    (ValueError).

    >>> import jax.numpy as jnp
    >>> print(perceptron_loss(jnp.array([0.25, -1.0]), jnp.array([1.0, 1.0])))
    [0. 1.]
    """
    if jnp.shape(predictor_outputs) != jnp.shape(targets):
        raise NotMine
    product = _agreement(predictor_outputs, targets)
    return values("perceptron", product, jnp.ones_like(product), dtype=product.dtype)


def _at_label(loss: str, scores: Any, labels: Any) -> jax.Array:
    """Return a loss of scores, NaN for labels outside."""
    x, y = arrays_of(scores, labels)
    real(x)
    if not jnp.issubdtype(y.dtype, jnp.integer) or y.shape != x.shape[:-1] or not x.size:
        raise NotMine
    inside = (y >= 0) & (y < x.shape[-1])
    dtype = dtype_of(x, jnp.zeros((), float))  # optax' one-hot labels have JAX' default dtype
    found = values(loss, x, jnp.where(inside, y, 0), dtype=dtype)
    return jnp.where(inside, only(jnp.isfinite(x).all(axis=-1), found), jnp.nan)


@as_optax
@compiled()
def multiclass_hinge_loss(scores: ArrayLike, labels: ArrayLike) -> jax.Array:
    """How far the true score falls short of the best wrong one plus 1: ``crammer_singer``.

    As :func:`optax.losses.multiclass_hinge_loss`. Real scores along the last axis and integer
    labels in their shape without it; a label outside gives NaN with gradient 0.

    >>> import jax.numpy as jnp
    >>> print(multiclass_hinge_loss(jnp.array([[0.0, 3.0]]), jnp.array([0])))
    [4.]
    """
    return _at_label("crammer_singer", scores, labels)


@as_optax
@compiled()
def multiclass_perceptron_loss(scores: ArrayLike, labels: ArrayLike) -> jax.Array:
    """How far the true score lies below the best one: lossary's ``multiclass_perceptron``.

    As :func:`optax.losses.multiclass_perceptron_loss`. Scores, labels and labels outside are those
    of :func:`multiclass_hinge_loss`.

    >>> import jax.numpy as jnp
    >>> print(multiclass_perceptron_loss(jnp.array([[0.0, 3.0]]), jnp.array([0])))
    [3.]
    """
    return _at_label("multiclass_perceptron", scores, labels)
