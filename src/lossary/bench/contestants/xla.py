"""JAX: the formula as its users write it, under jit(value_and_grad)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from lossary.bench import digits
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.machine import environment
from lossary.bench.work import CLASS_WEIGHT, IGNORED, Case, Data

Loss = Callable[[Any, Any, Any], Any]


def _huber(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    size = jnp.abs(x - t)
    return jnp.where(size <= 1, size**2 / 2, size - 0.5)


def _focal(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    p = nn.sigmoid(x)
    missed = p * (1 - t) + (1 - p) * t
    return missed**2 * (nn.softplus(x) - t * x)


def _cross_entropy(jnp: Any, nn: Any, x: Any, t: Any) -> Any:
    return -jnp.take_along_axis(nn.log_softmax(x), t[:, None], -1)[:, 0]


# One number per element or row.
FORMULAS: dict[str, Callable[..., Any]] = {
    "squared_error": lambda jnp, nn, x, t: (x - t) ** 2,
    "huber": _huber,
    "binary_cross_entropy": lambda jnp, nn, x, t: nn.softplus(x) - t * x,
    "focal": _focal,
    "poisson": lambda jnp, nn, x, t: jnp.exp(x) - t * x,
    "cross_entropy": _cross_entropy,
    "soft_cross_entropy": lambda jnp, nn, x, t: -(t * nn.log_softmax(x)).sum(-1),
}


def mean(case: Case, each: Callable[[Any, Any], Any]) -> Loss:
    """Return the mean of a loss per element or row, weighed as the case says."""
    import jax.numpy as jnp

    if case.option == CLASS_WEIGHT:

        def weighed(x: Any, t: Any, other: Any) -> Any:
            weight = other[t]
            return (each(x, t) * weight).sum() / weight.sum()

        return weighed
    if case.option or (case.ignored and case.soft):
        return lambda x, t, other: (each(x, t) * other).sum() / other.sum()
    if case.ignored:

        def kept(x: Any, t: Any, other: Any) -> Any:
            keep = t != IGNORED
            return jnp.where(keep, each(x, jnp.where(keep, t, 0)), 0).sum() / keep.sum()

        return kept
    return lambda x, t, other: each(x, t).mean()


def formula(case: Case) -> Loss:
    """Return the loss of prediction, target, and mask or option."""
    import jax

    jnp, nn = jax.numpy, jax.nn
    function = FORMULAS[case.loss]
    return mean(case, lambda x, t: function(jnp, nn, x, t))


def arrays(case: Case, data: Data) -> tuple[Any, Any, Any]:
    """Return prediction, target, and mask or option as JAX arrays on the device of the case."""
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
    other = data.extra if case.option else data.keep
    return x, t, None if other is None else jax.device_put(other, device)


def step(function: Loss, *arrays: Any) -> Prepared:
    """Return the step of a loss of these arrays under jit; what is None is not there."""
    import jax

    both = jax.jit(jax.value_and_grad(function))
    with _kernels_at_once():
        jax.block_until_ready(both(*arrays))
    return Prepared(lambda: jax.block_until_ready(both(*arrays)), outcome)


def _kernels_at_once() -> AbstractContextManager[None]:
    """Have a graph of ours made as in all programs but the first, with kernels on the disk."""
    return environment("LOSSARY_COMPILE", "now")


def training(loss: Callable[[Any, Any], Any], case: Case, data: Data) -> Prepared:
    """Return a whole training, each of its steps under jit; ``loss`` is a mean."""
    import jax

    x, t = jax.device_put(data.prediction), jax.device_put(data.target.astype(np.int32))
    begin = [jax.device_put(part) for part in digits.first(data)]
    batches = [(x[part], t[part]) for part in digits.batches(len(x), case.shape[0])]

    def forward(weights: Any, x: Any, t: Any) -> Any:
        one, above, two, out = weights
        return loss(jax.nn.relu(x @ one + above) @ two + out, t)

    @jax.jit
    def update(weights: Any, x: Any, t: Any) -> Any:
        value, slopes = jax.value_and_grad(forward)(weights, x, t)
        return value, [w - digits.RATE * slope for w, slope in zip(weights, slopes, strict=True)]

    with _kernels_at_once():
        jax.block_until_ready(update(begin, *batches[0]))

    def run() -> Any:
        weights = begin
        for _ in range(digits.EPOCHS):
            for pair in batches:
                _, weights = update(weights, *pair)
        return jax.block_until_ready(weights)

    return Prepared(run, lambda weights: digits.outcome(data, weights))


def outcome(result: tuple[Any, Any]) -> tuple[float, np.ndarray]:
    """Return a number and an array of NumPy's."""
    value, gradient = result
    return float(value), np.asarray(gradient.astype(np.float32))


def _jit(case: Case, data: Data, threads: int) -> Prepared | None:
    if case.linear:
        return None
    return step(formula(case), *arrays(case, data))


def _train(case: Case, data: Data, threads: int) -> Prepared:
    import jax

    return training(lambda x, t: _cross_entropy(jax.numpy, jax.nn, x, t).mean(), case, data)


JIT = "JAX jit"
JAX = (
    Contestant(
        JIT,
        "jax.jit(jax.value_and_grad(loss)); takes all cores it sees",
        ("jax",),
        _jit,
        compiles=True,
        train=_train,
    ),
)
