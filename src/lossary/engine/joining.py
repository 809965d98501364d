"""Arrays one after the other, which each library spells its own way."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from lossary.engine.libraries import Library

_JOINING = {
    "numpy": ("numpy", "concatenate"),
    "torch": ("torch", "cat"),
    "jax": ("jax.numpy", "concatenate"),
    "tensorflow": ("tensorflow", "concat"),
}
"""What makes one array of a list of arrays."""


def joined(library: Library, arrays: Sequence[Any]) -> Any:
    """Return one array of several, one after the other along the first axis."""
    module, name = _JOINING[library.name]
    return getattr(import_module(module), name)(list(arrays), 0)
