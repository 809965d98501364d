"""JAX. The derived gradient comes in through ``custom_jvp``, so that both modes and Hessians work.

On a CPU single precision is computed in float64 inside, under a local ``enable_x64``; callers see
their own dtypes whatever their setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from math import inf
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.custom_derivatives import SymbolicZero

from lossary.domain import Domain
from lossary.engine.libraries.base import Kind, Library, Operation, symbolic
from lossary.kernels import jax_math


@contextmanager
def _own_rules() -> Iterator[None]:
    """The settings that the texts are written for, whatever the caller's are."""
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        yield


def _set(name: str) -> bool:
    """Whether a setting of JAX is on here."""
    return getattr(jax.config, name)


@contextmanager
def _unwatched() -> Iterator[None]:
    with jax.debug_nans(False), jax.debug_infs(False):
        yield


def _staying_known(x: Any) -> AbstractContextManager[Any]:
    """Keep numbers that are known while a graph is made out of it, so that they are checked."""
    return nullcontext() if isinstance(x, Tracer) else jax.ensure_compile_time_eval()


class _Jax(Library):
    name = "jax"
    own = jnp
    index_dtype: Any = jnp.dtype("int32")

    def owns(self, kind: type) -> bool:
        return issubclass(kind, (jax.Array, Tracer))

    def array(self, data: Any, like: Any = None) -> Any:
        import numpy as np

        with self.wide(), self.aside():  # concrete, and so checked, also inside a graph
            return jnp.asarray(np.asarray(data))

    def kind(self, x: Any) -> Kind:
        if jnp.issubdtype(x.dtype, jnp.floating):
            return "floating" if x.dtype.itemsize > 1 else "other"
        if jnp.issubdtype(x.dtype, jnp.complexfloating):
            return "complex"
        if jnp.issubdtype(x.dtype, jnp.integer):
            return "integer"
        return "boolean" if x.dtype == jnp.bool_ else "other"

    def work_dtype(self, x: Any) -> Any:
        # A TPU has no float64 and a GPU a slow one; there single precision stays what it is.
        on_cpu = jax.default_backend() == "cpu"
        return jnp.dtype("float64" if on_cpu or x.dtype == "float64" else "float32")

    def result_dtype(self, x: Any) -> Any:
        if not jnp.issubdtype(x.dtype, jnp.floating):
            return jnp.dtype("float32")
        return jnp.dtype("float32") if x.dtype.itemsize < 4 else x.dtype

    def target(self, work: Any, moving: Sequence[Any]) -> str:
        wide = any(x.dtype.itemsize > 4 for x in moving)
        return "jax" if wide or work != "float64" else "jax spare"

    def epsilon(self, x: Any) -> float:
        return float(jnp.finfo(x.dtype).eps) if jnp.issubdtype(x.dtype, jnp.floating) else 0.0

    def cast(self, x: Any, dtype: Any) -> Any:
        with self.wide():
            return x.astype(dtype)

    def concrete(self, arrays: Sequence[Any]) -> bool:
        if any(isinstance(x, Tracer) for x in arrays):
            return False
        return all(d.platform == "cpu" for x in arrays for d in x.devices())

    def numpy(self, x: Any) -> Any:
        import numpy as np

        return np.asarray(x)

    def index(self, x: Any) -> Any:
        with self.wide(), _staying_known(x):
            if x.dtype == "uint64":
                x = jnp.minimum(x, jnp.iinfo("int64").max)
            # Narrower than the labels came they would name other classes.
            return x.astype("int64" if x.dtype in ("int64", "uint64", "uint32") else "int32")

    def narrowed(self, x: Any) -> Any:
        # Of 64 bits JAX keeps the last 32: what does not fit goes to the end of their range.
        import numpy as np

        wide = isinstance(x, (np.ndarray, np.generic)) and x.dtype.name in {"int64", "uint64"}
        if not wide or _set("jax_enable_x64"):
            return x
        ends = np.iinfo(np.int32)
        return np.clip(x, ends.min, ends.max).astype(np.int32)

    def differs(self, label: Any, number: int) -> Any:
        return label.astype("int64") != number

    def wide(self) -> AbstractContextManager[Any]:
        return _own_rules()

    def aside(self) -> AbstractContextManager[Any]:
        return jax.ensure_compile_time_eval()

    def calm(self) -> AbstractContextManager[Any]:
        if _set("jax_debug_nans") or _set("jax_debug_infs"):
            return _unwatched()
        return nullcontext()

    def operate(self, operation: Operation, arrays: Sequence[Any]) -> Any:
        return _value_function(operation)(*arrays)

    def total(self, x: Any) -> Any:
        with self.wide():
            return jnp.sum(x, dtype=self.work_dtype(x))

    def all(self, ok: Any) -> bool:
        return bool(ok.all())

    def extremes(self, domain: Domain, x: Any) -> tuple[Any, ...]:
        # XLA's largest leaves a NaN out on some CPUs; the sum of sizes is NaN only where one is.
        sizes = jnp.sum(jnp.abs(x), axis=-1, keepdims=True)
        largest = jnp.where(sizes == sizes, jnp.max(x, axis=-1, keepdims=True), jnp.nan)  # noqa: PLR0124
        if domain.contains(-inf):
            return (largest,)
        return largest, jnp.min(x, axis=-1, keepdims=True)

    def apart(self, x: Any) -> Any:
        return jax_math.apart(x)

    def settled(self, x: Any) -> Any:
        return _settled(x)

    def constant(self, x: Any) -> Any:
        return jax.lax.stop_gradient(x)

    def take(self, table: Any, index: Any) -> Any:
        return jnp.take(table, index)

    def broadcast(self, x: Any, like: Any) -> Any:
        return jnp.broadcast_to(x, like.shape)

    def count(self, x: Any) -> Any:
        count = super().count(x)
        return jnp.asarray(count, self.work_dtype(x)) if symbolic(count) else count

    def classes(self, x: Any) -> Any:
        count = super().classes(x)
        return jnp.asarray(count) if symbolic(count) else count

    def first(self, x: Any) -> Any:
        return jnp.arange(x.shape[-1]) == 0

    def move_last(self, x: Any, axis: int, back: bool = False) -> Any:
        with _staying_known(x):
            return super().move_last(x, axis, back)

    def expand(self, x: Any) -> Any:
        with _staying_known(x):
            return super().expand(x)

    def squeeze(self, x: Any) -> Any:
        return jnp.squeeze(x, -1)


@jax.custom_jvp
def _settled(x: Any) -> Any:
    with LIBRARY.wide():  # a graph is traced again where it is differentiated, outside ours
        return jax_math.settled(x)


_settled.defjvps(lambda tangent, _, x: tangent)


@lru_cache(maxsize=1024)
def _value_function(operation: Operation) -> Any:
    """Return the loss as a function whose tangent is the derived gradient."""

    @jax.custom_jvp
    def value(*arrays: Any) -> Any:
        return LIBRARY.evaluate(operation, ("value",), arrays)

    def push(arrays: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        result = value(*arrays)
        moving = _moving(operation, tangents)
        parts = [
            _along(operation, name, _gradient_function(operation, name)(*arrays), tangent)
            for name, tangent in moving
        ]
        return result, _sum(parts, result)

    value.defjvp(push, symbolic_zeros=True)
    return value


def _moving(operation: Operation, tangents: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """Return the arguments that move, with their tangents."""
    return [
        (name, tangent)
        for name, tangent in zip(operation.variant.arguments, tangents, strict=True)
        if name in operation.differentiable and not isinstance(tangent, SymbolicZero)
    ]


def _along(operation: Operation, name: str, slope: Any, tangent: Any) -> Any:
    with LIBRARY.wide():
        product = slope * tangent.astype(operation.work)
        return LIBRARY.total_last(product) if operation.sums(name) else product


def _sum(parts: list[Any], like: Any) -> Any:
    with LIBRARY.wide():
        total = jnp.zeros_like(like)
        for part in parts:
            total = total + jnp.broadcast_to(part, like.shape)
        return total


@lru_cache(maxsize=1024)
def _gradient_function(operation: Operation, of: str) -> Any:
    """Return the gradient as a function whose tangent is the derived second derivative."""

    @jax.custom_jvp
    def gradient(*arrays: Any) -> Any:
        if not operation.variant.definition.class_axis:
            # What value and gradient share is cheaper to compute twice than to keep in memory.
            arrays = tuple(map(jax_math.apart, arrays))
        return LIBRARY.evaluate(operation, (f"gradient:{of}",), arrays)

    def push(arrays: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        result = gradient(*arrays)
        parts = [
            LIBRARY.evaluate(operation, (f"pushforward:{of}:{name}",), (*arrays, tangent))
            for name, tangent in _moving(operation, tangents)
        ]
        return result, _sum(parts, result)

    gradient.defjvp(push, symbolic_zeros=True)
    return gradient


LIBRARY = _Jax()
