"""NumPy. Single and half precision are computed in float64, which costs little there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from lossary.engine import leases
from lossary.engine.libraries.base import Kind, Library, Operation
from lossary.engine.memory import Memory, memory_of

_KINDS: dict[str, Kind] = {
    "f": "floating", "i": "integer", "u": "integer", "b": "boolean", "c": "complex",
}  # fmt: skip

_BLOCK = 1 << 13
"""Elements computed at a time: a text's temporaries in float64 stay in the second cache."""


class _NumPy(Library):
    name = "numpy"
    own = np
    index_dtype: Any = np.dtype(np.int64)

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
        return leases.blank(shape, dtype)

    def copy_into(self, out: Any, x: Any) -> None:
        out[...] = x

    def operate(self, operation: Operation, arrays: Sequence[Any]) -> Any:
        return self.evaluate(operation, ("value",), arrays)

    def evaluate(
        self, operation: Operation, results: tuple[str, ...], arrays: Sequence[Any]
    ) -> Any:
        """Return several results from one text; elements by blocks that stay in the cache."""
        shape = arrays[0].shape
        alike = all(x.shape in {shape, ()} for x in arrays)
        if operation.variant.definition.class_axis or arrays[0].size <= _BLOCK or not alike:
            return super().evaluate(operation, results, arrays)
        function, size = operation.function(*results), arrays[0].size
        flat = [x.reshape(-1) if x.shape else self.cast(x, operation.work) for x in arrays]
        made = [np.empty(size, operation.work) for _ in results]
        for start in range(0, size, _BLOCK):
            block = slice(start, start + _BLOCK)
            found = function(*self.widened(operation, [x[block] if x.shape else x for x in flat]))
            for whole, x in zip(made, found if len(results) > 1 else (found,), strict=True):
                whole[block] = x
        filled = [x.reshape(shape) for x in made]
        return filled[0] if len(results) == 1 else tuple(filled)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return np.where(condition, x, y if isinstance(y, np.ndarray) else x.dtype.type(y))

    def total(self, x: Any) -> Any:
        # The ufunc itself: np.sum looks at its arguments for as long as 64 numbers take to add.
        dtype = x.dtype if x.dtype.char in "dg" else np.float64
        return np.add.reduce(x, axis=None, dtype=dtype)

    def number_of(self, keep: Any, dtype: Any) -> Any:
        return np.float64(np.count_nonzero(keep))

    def ends(self, x: Any) -> tuple[Any, ...]:
        return (x.min(), x.max()) if x.size >= _BLOCK and x.dtype.kind in "fiu" else ()

    def broadcast(self, x: Any, like: Any) -> Any:
        return x if x.shape == like.shape else np.broadcast_to(x, like.shape)

    def finish(self, x: Any) -> Any:
        return x[()] if x.ndim == 0 else x


LIBRARY = _NumPy()
