"""Pairs of members, in NumPy's words."""

from __future__ import annotations

import numpy as np

from lossary.kernels.pairs import Paired

paired: Paired = Paired(
    expanded=lambda x, place: np.expand_dims(x, place) if np.ndim(x) else x,
    count=lambda x: np.arange(x.shape[-1]),
    where=np.where,
    sum=lambda x: np.sum(x, axis=-1),
    real=lambda x, like: np.asarray(x, None if np.ndim(x) else like.dtype),
)
