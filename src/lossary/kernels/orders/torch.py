"""Sums along an order, in PyTorch's words."""

from __future__ import annotations

from typing import Any

import torch

from lossary.kernels.orders import Ordered, below


def _like(x: Any, like: Any) -> Any:
    x = x if isinstance(x, torch.Tensor) else torch.as_tensor(x, device=like.device)
    return torch.broadcast_to(x, like.shape)


def _real(x: Any, like: Any) -> Any:
    if isinstance(x, torch.Tensor):
        return torch.broadcast_to(x.to(like.dtype), like.shape)
    return torch.full_like(like, x)


_transforms = torch._C._are_functorch_transforms_active  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
_tracing = torch._C._get_tracing_state  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
_modes = torch._C._len_torch_dispatch_stack  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]


def _farthest(reach: Any) -> Any:
    """Return what bounds how far a member reaches; where numbers cannot be seen, the length."""
    here = type(reach) is torch.Tensor and reach.device.type == "cpu" and reach.numel()
    if not here or torch.compiler.is_compiling() or _transforms() or _modes() or _tracing():
        return reach.shape[-1]
    return int(reach.max()) + 1


ordered: Ordered = Ordered(
    sorted=lambda key: torch.argsort(key, dim=-1, stable=True),
    take=lambda x, places: torch.gather(x, -1, places),
    roll=lambda x, by: torch.roll(x, by, -1),
    count=lambda x: torch.arange(x.shape[-1], device=x.device),
    where=torch.where,
    maximum=torch.maximum,
    exp=torch.exp,
    like=_like,
    doubling=lambda reach, step, state: below(_farthest(reach), step, state),
    real=_real,
)
