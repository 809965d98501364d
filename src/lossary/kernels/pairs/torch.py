"""Pairs of members, in PyTorch's words."""

from __future__ import annotations

import torch

from lossary.kernels.pairs import Paired

paired: Paired = Paired(
    expanded=lambda x, place: x.unsqueeze(place) if isinstance(x, torch.Tensor) and x.dim() else x,
    count=lambda x: torch.arange(x.shape[-1], device=x.device),
    where=torch.where,
    sum=lambda x: torch.sum(x, -1),
    real=lambda x, like: x if isinstance(x, torch.Tensor) else like.new_full((), x),
)
