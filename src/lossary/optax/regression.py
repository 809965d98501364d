"""Losses of numbers against numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from lossary.doors import NotMine
from lossary.optax.computing import values
from lossary.optax.contract import arrays_of, as_optax, compiled, dtype_of, real


def _of_error(
    loss: str, predictions: Any, targets: Any, same_shape: bool = False, **parameters: Any
) -> jax.Array:
    """Return a loss of prediction minus target; no target is 0."""
    x, y = arrays_of(predictions, 0.0 if targets is None else targets)
    real(x)
    if same_shape and targets is not None and x.shape != y.shape:
        raise NotMine
    numbers = {n: v for n, v in parameters.items() if isinstance(v, float)}
    varying = {n: jnp.asarray(v) for n, v in parameters.items() if n not in numbers}
    dtype = dtype_of(x, y, *varying.values())
    x, y, *rest = jnp.broadcast_arrays(x, y, *varying.values())
    varying = dict(zip(varying, (v.astype(dtype) for v in rest), strict=True))
    return values(loss, x, y.astype(dtype), dtype=dtype, **numbers, **varying)


@as_optax
@compiled()
def squared_error(predictions: ArrayLike, targets: ArrayLike | None = None) -> jax.Array:
    """Squares of the errors: lossary's ``squared_error``.

    As :func:`optax.losses.squared_error`. Real predictions of any shape S and targets of the same
    (ValueError), or none for 0; integers raise TypeError. Returns shape S, in the square of the
    unit.

    >>> import jax.numpy as jnp
    >>> print(squared_error(jnp.array([1.0, 4.0]), jnp.array([1.0, 2.0])))
    [0. 4.]
    """
    return _of_error("squared_error", predictions, targets, same_shape=True)


@as_optax
@compiled()
def l2_loss(predictions: ArrayLike, targets: ArrayLike | None = None) -> jax.Array:
    """Half the squares of the errors: lossary's ``half_squared_error``.

    As :func:`optax.losses.l2_loss`. Shapes and errors are those of :func:`squared_error`.

    >>> import jax.numpy as jnp
    >>> print(l2_loss(jnp.array([1.0, 4.0]), jnp.array([1.0, 2.0])))
    [0. 2.]
    """
    return _of_error("half_squared_error", predictions, targets, same_shape=True)


@as_optax
@compiled()
def huber_loss(
    predictions: ArrayLike, targets: ArrayLike | None = None, *, delta: ArrayLike = 1.0
) -> jax.Array:
    """Squared error near zero, absolute error beyond ``delta``: lossary's ``huber``.

    As :func:`optax.losses.huber_loss`. ``delta`` is in the unit of the error; predictions, targets
    and delta broadcast. Integer predictions raise TypeError.

    >>> import jax.numpy as jnp
    >>> print(huber_loss(jnp.array([0.5, 3.0]), delta=2.0))
    [0.125 4.   ]
    """
    return _of_error("huber", predictions, targets, delta=delta)


@as_optax
@compiled()
def log_cosh(predictions: ArrayLike, targets: ArrayLike | None = None) -> jax.Array:
    """Logarithm of the hyperbolic cosine of the error: lossary's ``log_cosh``.

    As :func:`optax.losses.log_cosh`. Predictions and targets broadcast; integer predictions raise
    TypeError. It keeps its digits near 0:

    >>> import jax.numpy as jnp
    >>> print(f"{log_cosh(jnp.array(1e-4)):.3g}")
    5e-09
    """
    return _of_error("log_cosh", predictions, targets)
