"""The array libraries: which one owns an array, and what the engine asks of each."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from lossary.engine.libraries.base import Library, symbolic
from lossary.errors import DtypeError

__all__ = ["LIBRARIES", "Library", "library", "library_of", "owner", "symbolic"]

# Name here: the module whose import shows that arrays of the library can exist.
LIBRARIES = {"torch": "torch", "jax": "jax", "tensorflow": "tensorflow", "numpy": "numpy"}


@cache
def library(name: str) -> Library:
    """Return the adapter of a library, importing it."""
    return importlib.import_module(f"lossary.engine.libraries.{name}").LIBRARY


def library_of(arrays: Iterable[Any]) -> Library:
    """Return the library that the data belong to; lists and numbers belong to NumPy."""
    owners = {owner(type(array)) for array in arrays} - {"numpy"}
    if len(owners) > 1:
        raise DtypeError(
            f"arrays of several libraries in one call: {', '.join(sorted(owners))}\n"
            "hint: convert them to one library first"
        )
    return library(owners.pop() if owners else "numpy")


@cache
def owner(kind: type) -> str:
    """Return the name of the library that arrays of this type belong to."""
    for name, module in LIBRARIES.items():
        if name != "numpy" and module in sys.modules and library(name).owns(kind):
            return name
    return "numpy"
