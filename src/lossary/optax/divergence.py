"""Relative entropies."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from lossary.engine.libraries import library
from lossary.optax.computing import only, values, wide
from lossary.optax.contract import arrays_of, as_optax, compiled, dtype_of, last, real


def _rows(first: Any, second: Any, axis: Any, where: Any) -> tuple[Any, Any, Any, Any]:
    """Return two arrays with their classes last, which of them count, and the common dtype."""
    x, y = arrays_of(first, second)
    real(x, y)
    dtype = dtype_of(x, y)
    if where is None:
        x, y = (last(a, axis) for a in jnp.broadcast_arrays(x, y))
        return x, y, None, dtype
    x, y, mask = (last(a, axis) for a in jnp.broadcast_arrays(x, y, *arrays_of(where)))
    return x, y, mask.astype(bool), dtype


def _kept(mask: Any, x: Any) -> Any:
    return x if mask is None else jnp.where(mask, x, 0)


def _of_rows(loss: str, x: Any, t: Any, dtype: Any) -> jax.Array:
    if not x.shape[-1]:
        return jnp.zeros(x.shape[:-1], dtype)
    # The core skips a class without target mass, whatever its log-probability; optax does not.
    known = (x < jnp.inf) & (t < jnp.inf)
    return only(known.all(axis=-1), values(loss, x, t, dtype=dtype))


@as_optax
@compiled("axis")
def kl_divergence(
    log_predictions: ArrayLike,
    targets: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Relative entropy of targets to predictions, in nats: lossary's ``kl_divergence``.

    As :func:`optax.losses.kl_divergence`. Real log-probabilities and probabilities (TypeError)
    along ``axis``; shapes broadcast; ``where`` leaves terms out. A class without target mass has no
    term, also where its log-probability is -inf and optax has NaN:

    >>> import jax.numpy as jnp
    >>> print(kl_divergence(jnp.array([0.0, -jnp.inf]), jnp.array([1.0, 0.0])))
    0.0
    """
    x, t, mask, dtype = _rows(log_predictions, targets, axis, where)
    return _of_rows("kl_divergence", _kept(mask, x), _kept(mask, t), dtype)


@as_optax
@compiled("axis")
def kl_divergence_with_log_targets(
    log_predictions: ArrayLike,
    log_targets: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Relative entropy of targets to predictions, both as log-probabilities, in nats.

    As :func:`optax.losses.kl_divergence_with_log_targets`: lossary's
    ``kl_divergence_with_log_target``. Arguments and errors are those of :func:`kl_divergence`.

    >>> import jax.numpy as jnp
    >>> half = jnp.log(jnp.array([0.5, 0.5]))
    >>> print(kl_divergence_with_log_targets(half, jnp.array([0.0, -jnp.inf])))
    0.6931472
    """
    x, t, mask, dtype = _rows(log_predictions, log_targets, axis, where)
    if mask is not None:
        x, t = jnp.where(mask, x, 0), jnp.where(mask, t, -jnp.inf)
    return _of_rows("kl_divergence_with_log_target", x, t, dtype)


@as_optax
@compiled("axis")
def generalized_kl_divergence(
    log_predictions: ArrayLike,
    targets: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Relative entropy of masses that need not have sum 1: never below 0.

    As :func:`optax.losses.generalized_kl_divergence`: lossary's ``kl_divergence`` and the
    difference of the two masses. Arguments and errors are those of :func:`kl_divergence`.

    >>> import jax.numpy as jnp
    >>> print(generalized_kl_divergence(jnp.log(jnp.array([2.0])), jnp.array([1.0])).round(4))
    0.3069
    """
    x, t, mask, dtype = _rows(log_predictions, targets, axis, where)
    with library("jax").wide():
        x, t = (_kept(mask, wide(a)) for a in (x, t))
        excess = _kept(mask, jnp.exp(x) - t).sum(axis=-1)
        divergence = _of_rows("kl_divergence", x, t, x.dtype)
        return (divergence + excess).astype(dtype)


@as_optax
def convex_kl_divergence(
    log_predictions: ArrayLike,
    targets: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """:func:`generalized_kl_divergence` under its old name, with optax' DeprecationWarning.

    >>> import warnings
    >>> import jax.numpy as jnp
    >>> with warnings.catch_warnings(action="ignore"):
    ...     print(convex_kl_divergence(jnp.array([0.0]), jnp.array([1.0])))
    0.0
    """
    warnings.warn(
        "convex_kl_divergence has another name: use generalized_kl_divergence",
        DeprecationWarning,
        stacklevel=3,
    )
    return generalized_kl_divergence(log_predictions, targets, axis=axis, where=where)
