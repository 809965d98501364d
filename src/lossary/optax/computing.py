"""The one place where the door calls the core."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lossary import catalogue
from lossary.engine.libraries import library


def values(loss: str, *arrays: Any, dtype: Any, **parameters: Any) -> Any:
    """Return one value per example, in the dtype of the peer; classes lie on the last axis.

    Values are not checked: optax checks none, and a compiled function cannot. Where the value is
    NaN, or a hyper-parameter is no finite number, the gradient is NaN as well.
    """
    found = catalogue[loss](*arrays, reduction="none", check=False, **parameters).astype(dtype)
    good = ~jnp.isnan(found)
    for parameter in parameters.values():
        good &= jnp.isfinite(parameter)
    return only(good, found)


def only(good: Any, x: Any) -> Any:
    """Return x where it is good, else NaN, with a gradient that is NaN too."""
    return library("jax").settled(x * jnp.where(good, 1, jnp.nan).astype(x.dtype))


def wide(x: Any) -> Any:
    """Return an array in the dtype that the core computes in."""
    jax = library("jax")
    return jax.cast(jnp.asarray(x), jax.work_dtype(x))
