"""The one place where the door calls the core."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lossary import catalogue
from lossary.engine.libraries import library

__all__ = ["values", "wide"]


def values(loss: str, *arrays: Any, dtype: Any, **parameters: Any) -> Any:
    """Return one value per example, in the dtype of the peer; classes lie on the last axis.

    Values are not checked: optax checks none, and a compiled function cannot.
    """
    found = catalogue[loss](*arrays, reduction="none", check=False, **parameters)
    return found.astype(dtype)


def wide(x: Any) -> Any:
    """Return an array in the dtype that the core computes in."""
    jax = library("jax")
    return jax.cast(jnp.asarray(x), jax.work_dtype(x))
