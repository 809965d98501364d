"""Which tensors of PyTorch are plain memory of this machine, whose numbers are what they mean."""

from __future__ import annotations

from typing import Any

import torch


def is_plain_memory(x: Any) -> bool:
    """Whether NumPy may read the memory: no bit, wrapper, layout or device changes its meaning.

    A negative bit, an efficient zero, a functional wrapper, quantised or sparse numbers: PyTorch
    marks each by a key of its dispatcher, and an ordinary tensor has no such key.
    """
    keys = keys_of(x)
    return keys == ORDINARY or keys == _INFERENCE  # noqa: PLR1714  (keys have no hash)


keys_of = torch._C._dispatch_keys  # noqa: SLF001
ORDINARY = keys_of(torch.empty(0, device="cpu"))
with torch.inference_mode():
    _INFERENCE = keys_of(torch.empty(0, device="cpu"))
