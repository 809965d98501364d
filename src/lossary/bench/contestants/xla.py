"""JAX: the formula as its users write it, under jit(value_and_grad)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.work import IGNORED, Case, Data

__all__ = ["JAX", "JIT", "arrays"]


def _huber(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    size = jnp.abs(x - t)
    return jnp.where(size <= 1, size**2 / 2, size - 0.5).mean()


def _binary_cross_entropy(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    return (nn.softplus(x) - t * x).mean()


def _focal(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    p = nn.sigmoid(x)
    missed = p * (1 - t) + (1 - p) * t
    return (missed**2 * (nn.softplus(x) - t * x)).mean()


def _cross_entropy(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    log_p = nn.log_softmax(x)
    return -jnp.take_along_axis(log_p, t[:, None], -1).mean()


def _cross_entropy_kept(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    keep = t != IGNORED
    log_p = nn.log_softmax(x)
    picked = jnp.take_along_axis(log_p, jnp.where(keep, t, 0)[:, None], -1)[:, 0]
    return -jnp.where(keep, picked, 0).sum() / keep.sum()


FORMULAS: dict[str, Callable[..., Any]] = {
    "squared_error": lambda jnp, nn, x, t: ((x - t) ** 2).mean(),
    "huber": _huber,
    "binary_cross_entropy": _binary_cross_entropy,
    "focal": _focal,
    "poisson": lambda jnp, nn, x, t: (jnp.exp(x) - t * x).mean(),
    "cross_entropy": _cross_entropy,
    "soft_cross_entropy": lambda jnp, nn, x, t: -(t * nn.log_softmax(x)).sum(-1).mean(),
}


def formula(case: Case, keep: Any) -> Callable[[Any, Any], Any]:
    """Return the loss of prediction and target."""
    import jax

    jnp, nn = jax.numpy, jax.nn
    if case.soft and case.ignored:
        return lambda x, t: -((t * nn.log_softmax(x)).sum(-1) * keep).sum() / keep.sum()
    function = _cross_entropy_kept if case.ignored else FORMULAS[case.loss]
    return lambda x, t: function(jnp, nn, x, t)


def arrays(case: Case, data: Data) -> tuple[Any, Any, Any]:
    """Return prediction, target and mask as JAX arrays on the device of the case."""
    import jax

    kind = "gpu" if case.device == "cuda" else "cpu"
    try:
        device = jax.devices(kind)[0]
    except RuntimeError as error:
        raise UnavailableError(f"JAX sees no {kind}") from error
    x = jax.device_put(data.prediction, device).astype(case.dtype)
    target = data.target if data.target.dtype.kind == "f" else data.target.astype(np.int32)
    t = jax.device_put(target, device)
    t = t.astype(case.dtype) if data.target.dtype.kind == "f" else t
    return x, t, None if data.keep is None else jax.device_put(data.keep, device)


def step(function: Callable[[Any, Any], Any], x: Any, t: Any) -> Prepared:
    """Return the step of a loss under jit."""
    import jax

    both = jax.jit(jax.value_and_grad(function))
    return Prepared(lambda: jax.block_until_ready(both(x, t)), outcome)


def outcome(result: tuple[Any, Any]) -> tuple[float, np.ndarray]:
    """Return a number and an array of NumPy's."""
    value, gradient = result
    return float(value), np.asarray(gradient.astype(np.float32))


def _jit(case: Case, data: Data, threads: int) -> Prepared | None:
    if case.linear:
        return None
    x, t, keep = arrays(case, data)
    return step(formula(case, keep), x, t)


JIT = "JAX jit"
JAX = (
    Contestant(
        JIT,
        "jax.jit(jax.value_and_grad(loss)); takes all cores it sees",
        ("jax",),
        _jit,
        compiles=True,
    ),
)
