"""NumPy. Single and half precision are computed in float64, which costs little there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import prod
from typing import Any

import numpy as np

from lossary.engine import leases
from lossary.engine.libraries.base import Kind, Library, Operation
from lossary.engine.memory import Memory, memory_of

_KINDS: dict[str, Kind] = {
    "f": "floating", "i": "integer", "u": "integer", "b": "boolean", "c": "complex",
}  # fmt: skip


class _NumPy(Library):
    name = "numpy"
    index_dtype = np.dtype(np.int64)

    def owns(self, kind: type) -> bool:
        return issubclass(kind, np.ndarray)

    def array(self, data: Any, like: Any = None) -> np.ndarray:
        return np.asarray(data)

    def kind(self, x: Any) -> Kind:
        # bfloat16 comes from ml_dtypes as kind V, and so do numbers of 8 bits and less.
        named = x.dtype.kind == "V" and x.dtype.name == "bfloat16"
        return "floating" if named else _KINDS.get(x.dtype.kind, "other")

    def work_dtype(self, x: Any) -> Any:
        return np.dtype(np.longdouble) if x.dtype == np.longdouble else np.dtype(np.float64)

    def result_dtype(self, x: Any) -> Any:
        return np.dtype(np.float32) if x.dtype.itemsize < 4 else x.dtype

    def epsilon(self, x: Any) -> float:
        if self.kind(x) != "floating":
            return 0.0
        if x.dtype.kind == "V":
            import ml_dtypes

            return float(ml_dtypes.finfo(x.dtype).eps)
        return float(np.finfo(x.dtype).eps)

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.astype(dtype, copy=False)

    def concrete(self, arrays: Sequence[Any]) -> bool:
        return True

    def numpy(self, x: Any) -> np.ndarray:
        return np.asarray(x)

    def plain(self, x: Any, labels: bool) -> np.ndarray:
        return np.asarray(x)

    def index(self, x: Any) -> Any:
        if x.dtype.kind == "u" and x.dtype.itemsize == 8:
            x = np.minimum(x, np.uint64(np.iinfo(np.int64).max))
        return self.cast(x, self.index_dtype)

    def calm(self) -> AbstractContextManager[Any]:
        return np.errstate(all="ignore")

    def memory(self, x: Any) -> Memory | None:
        return memory_of(x)

    def blank(self, like: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return leases.blank(shape, dtype, prod(shape) * dtype.itemsize)

    def copy_into(self, out: Any, x: Any) -> None:
        out[...] = x

    def operate(self, operation: Operation, arrays: Sequence[Any]) -> Any:
        return self.evaluate(operation, ("value",), arrays)

    def shape(self, x: Any) -> tuple[int, ...]:
        return x.shape

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return np.where(condition, x, y if isinstance(y, np.ndarray) else x.dtype.type(y))

    def total(self, x: Any) -> Any:
        # The ufunc itself: np.sum looks at its arguments for as long as 64 numbers take to add.
        dtype = x.dtype if x.dtype.char in "dg" else np.float64
        return np.add.reduce(x, axis=None, dtype=dtype)

    def number_of(self, keep: Any, dtype: Any) -> Any:
        return np.float64(np.count_nonzero(keep))

    def total_last(self, x: Any) -> Any:
        return np.sum(x, axis=-1, keepdims=True)

    def all_last(self, x: Any) -> Any:
        return np.all(x, axis=-1, keepdims=True)

    def exp(self, x: Any) -> Any:
        return np.exp(x)

    def take(self, table: Any, index: Any) -> Any:
        return table[index]

    def broadcast(self, x: Any, like: Any) -> Any:
        return x if x.shape == like.shape else np.broadcast_to(x, like.shape)

    def move_last(self, x: Any, axis: int, back: bool = False) -> Any:
        return np.moveaxis(x, -1, axis) if back else np.moveaxis(x, axis, -1)

    def expand(self, x: Any) -> Any:
        return x[..., None]

    def squeeze(self, x: Any) -> Any:
        return x[..., 0]

    def finish(self, x: Any) -> Any:
        return x[()] if x.ndim == 0 else x


LIBRARY = _NumPy()
