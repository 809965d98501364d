"""Arrays as memory that a kernel can walk: words, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.render.kernel import Storage

_STORAGES: dict[np.dtype, Storage] = {
    np.dtype(np.float64): "float64",
    np.dtype(np.float32): "float32",
    np.dtype(np.float16): "float16",
    np.dtype(np.bool_): "boolean",
    **{np.dtype(kind): "integer" for kind in (np.int64, np.int32, np.int16, np.int8)},
    **{np.dtype(kind): "integer" for kind in (np.uint64, np.uint32, np.uint16, np.uint8)},
}


@dataclass(frozen=True)
class Memory:
    """An array of NumPy over some library's memory, half precision as 16-bit words."""

    words: np.ndarray
    storage: Storage

    def flat(self, class_axis: bool) -> Memory:
        """Return rows of classes, or one row; copied only if the array is not contiguous."""
        words = self.words
        rank = 2 if class_axis else 1
        if words.ndim == rank and words.flags.c_contiguous:
            return self
        words = np.ascontiguousarray(words)
        shape = (-1, words.shape[-1]) if class_axis else -1
        return Memory(words.reshape(shape), self.storage)

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


def memory_of(x: Any, storage: Storage | None = None) -> Memory | None:
    """Return the memory of a NumPy array; None for a dtype that no kernel reads."""
    storage = storage or _STORAGES.get(x.dtype)
    if storage is None and x.dtype.name == "bfloat16":
        storage = "bfloat16"
    if storage is None:
        return None
    return Memory(x.view(np.uint16) if storage in _HALVES else x, storage)


_HALVES = frozenset({"float16", "bfloat16"})
