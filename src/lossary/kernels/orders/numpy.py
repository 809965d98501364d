"""Sums along an order, in NumPy's words."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossary.kernels.orders import Ordered, below


def _sorted(key: Any) -> Any:
    return np.argsort(key, axis=-1, kind="stable")


ordered: Ordered = Ordered(
    sorted=_sorted,
    take=lambda x, places: np.take_along_axis(x, places, axis=-1),
    roll=lambda x, by: np.roll(x, by, axis=-1),
    count=lambda x: np.arange(x.shape[-1]),
    where=np.where,
    maximum=np.maximum,
    exp=np.exp,
    like=lambda x, like: np.broadcast_to(x, like.shape),
    doubling=lambda reach, step, state: below(reach.max(initial=0) + 1, step, state),
    real=lambda x, like: np.broadcast_to(np.asarray(x, like.dtype), like.shape),
)
