"""The array libraries as a measurement sees them: numbers in and out, and their own gradient."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LIBRARIES = ("numpy", "torch", "jax", "tensorflow")

Function = Callable[..., Any]


def available() -> tuple[str, ...]:
    """Return the libraries that are installed here, NumPy first."""
    return tuple(name for name in LIBRARIES if importlib.util.find_spec(name))


def _wide(name: str, x: np.ndarray) -> contextlib.AbstractContextManager[Any]:
    """Return the context in which float64 exists."""
    if name != "jax" or x.dtype != np.float64:
        return contextlib.nullcontext()
    jax = importlib.import_module("jax")
    place = jax if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental")
    return place.enable_x64(True)


def _array(name: str, x: np.ndarray) -> Any:
    if name == "numpy":
        return x
    if name == "torch":
        torch = importlib.import_module("torch")
        if x.dtype.kind == "V":
            return torch.as_tensor(x.astype(np.float32)).to(torch.bfloat16)
        return torch.as_tensor(x)
    if name == "jax":
        return importlib.import_module("jax.numpy").asarray(x)
    return importlib.import_module("tensorflow").constant(x)


def _plain(name: str, x: Any) -> np.ndarray:
    if name == "torch":
        torch = importlib.import_module("torch")
        x = x.detach()
        x = x.float() if x.dtype in {torch.bfloat16, torch.float16} else x
    x = np.asarray(x)
    return x.astype(np.float32) if x.dtype.kind == "V" or x.dtype.itemsize == 2 else x


def value(name: str, function: Function, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return what a function of a library's arrays says, as a NumPy array."""
    return values(name, lambda *xs: (function(*xs),), arrays)[0]


def values(name: str, function: Function, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the several arrays that a function of a library's arrays returns, as NumPy's."""
    with _wide(name, arrays[0]):
        return [_plain(name, x) for x in function(*(_array(name, x) for x in arrays))]


def gradient(name: str, function: Function, arrays: Sequence[np.ndarray], place: int) -> np.ndarray:
    """Return the gradient of the sum with respect to one array, by the library's own means."""
    with _wide(name, arrays[0]):
        xs = [_array(name, x) for x in arrays]
        return _plain(name, _GRADIENTS[name](function, xs, place))


def _torch_gradient(function: Function, xs: list[Any], place: int) -> Any:
    xs[place] = xs[place].clone().requires_grad_()
    return importlib.import_module("torch").autograd.grad(function(*xs).sum(), xs[place])[0]


def _jax_gradient(function: Function, xs: list[Any], place: int) -> Any:
    def total(x: Any) -> Any:
        return function(*xs[:place], x, *xs[place + 1 :]).sum()

    return importlib.import_module("jax").grad(total)(xs[place])


def _tensorflow_gradient(function: Function, xs: list[Any], place: int) -> Any:
    tf = importlib.import_module("tensorflow")
    with tf.GradientTape() as tape:
        tape.watch(xs[place])
        total = tf.reduce_sum(function(*xs))
    return tape.gradient(total, xs[place])


_GRADIENTS = {
    "torch": _torch_gradient,
    "jax": _jax_gradient,
    "tensorflow": _tensorflow_gradient,
}
