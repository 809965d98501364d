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


ordered = Ordered(
    sorted=lambda key: torch.argsort(key, dim=-1, stable=True),
    take=lambda x, places: torch.gather(x, -1, places),
    roll=lambda x, by: torch.roll(x, by, -1),
    count=lambda x: torch.arange(x.shape[-1], device=x.device),
    where=torch.where,
    maximum=torch.maximum,
    exp=torch.exp,
    like=_like,
    doubling=lambda x, step, state: below(x.shape[-1], step, state),
    real=_real,
)
