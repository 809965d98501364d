"""Which tensors of PyTorch are plain memory of this machine, whose numbers are what they mean."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lossary.engine import leases

CPU = torch.device("cpu")  # a default device may be another

PLAIN = frozenset({Tensor, torch.nn.Parameter})
"""The types of tensors that PyTorch's own operations make, whose methods are PyTorch's own."""


def is_plain_memory(x: Any) -> bool:
    """Whether NumPy may read the memory: no bit, wrapper, layout or device changes its meaning.

    A negative bit, an efficient zero, a functional wrapper, quantised or sparse numbers: PyTorch
    marks each by a key of its dispatcher, and an ordinary tensor has no such key.
    """
    keys = keys_of(x)
    return keys == ORDINARY or keys == _INFERENCE  # noqa: PLR1714  (keys have no hash)


keys_of: Callable[[Tensor], Any] = torch._C._dispatch_keys  # noqa: SLF001
ORDINARY = keys_of(torch.empty(0, device="cpu"))
with torch.inference_mode():
    _INFERENCE = keys_of(torch.empty(0, device="cpu"))


def blank(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Return a tensor on the CPU whose contents are arbitrary; a large one lies in lent memory."""
    size = prod(shape) * dtype.itemsize
    if size < leases.FROM:
        return torch.empty(shape, dtype=dtype, device=CPU)
    return torch.from_numpy(leases.blank((size,), _BYTE)).view(dtype).view(shape)


_BYTE = np.dtype(np.uint8)


def blank_like(x: Tensor) -> Tensor:
    """Return room for what has the shape and the type of x."""
    return blank(x.shape, x.dtype)
