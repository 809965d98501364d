"""Arrays as memory that a kernel can walk: words, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossary.render.kernel import Storage

__all__ = ["Memory", "memory_of"]

_STORAGES: dict[str, Storage] = {
    "float64": "float64", "float32": "float32", "float16": "float16", "bfloat16": "bfloat16",
    "bool": "boolean", "int64": "integer", "int32": "integer", "int16": "integer",
    "int8": "integer", "uint8": "integer", "uint16": "integer", "uint32": "integer",
    "uint64": "integer",
}  # fmt: skip


@dataclass(frozen=True)
class Memory:
    """An array of NumPy over some library's memory, half precision as 16-bit words.

    ``tolerance`` is how far the sum of a row of probabilities may be from 1.
    """

    words: np.ndarray
    storage: Storage
    tolerance: float

    def flat(self, class_axis: bool) -> Memory:
        """Return rows of classes, or one row; copied only if the array is not contiguous."""
        words = np.ascontiguousarray(self.words)
        return replace(self, words=words.reshape((-1, words.shape[-1]) if class_axis else -1))

    @property
    def writable(self) -> bool:
        """Whether a kernel can write floating-point numbers here, one after the other."""
        flags = self.words.flags
        return flags.c_contiguous and flags.writeable and self.storage not in {"integer", "boolean"}

    @property
    def numbers(self) -> np.ndarray:
        """The numbers that the words mean."""
        if self.storage == "bfloat16":
            return (self.words.astype(np.uint32) << 16).view(np.float32)
        return self.words.view(np.float16) if self.storage == "float16" else self.words


def memory_of(x: Any, tolerance: float, storage: Storage | None = None) -> Memory | None:
    """Return the memory of a NumPy array; None for a dtype that no kernel reads."""
    storage = storage or _STORAGES.get(x.dtype.name)
    if storage is None or not x.dtype.isnative:
        return None
    half = storage in {"float16", "bfloat16"}
    return Memory(x.view(np.uint16) if half else x, storage, tolerance)
