"""Cross-entropy of a linear layer's output, from its input."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from lossary.torch.classification import cross_entropy
from lossary.torch.contract import as_torch, reduction_of


@as_torch
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """Cross-entropy of ``linear(input)``, as :func:`torch.nn.functional.linear_cross_entropy`.

    ``input`` has shape (F) or (N, F), ``linear_weight`` (C, ..., F), ``linear_bias`` (C, ...);
    ``target`` is that of :func:`cross_entropy` for logits of shape (N, C, ...). With ``options``
    the work goes by chunks, and PyTorch's own operator does it: PyTorch 2.13 or later.

    >>> import torch
    >>> linear_cross_entropy(torch.ones(1, 2), torch.zeros(3, 2), torch.tensor([0]))
    tensor(1.0986)
    """
    shape = (*input.shape[:-1], *linear_weight.shape[:-1])
    soft = target.shape == shape
    if options is not None or not _fits(input, linear_weight, linear_bias):
        return NotImplemented
    if soft and ignore_index is not None:
        return NotImplemented
    flat = linear_weight.reshape(-1, linear_weight.shape[-1])
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    return cross_entropy(
        nn.functional.linear(input, flat, bias).reshape(shape),
        target,
        weight=weight,
        reduction=reduction_of(None, None, reduction),
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )


def _fits(input: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    if input.dim() not in {1, 2} or weight.dim() < 2 or input.shape[-1] != weight.shape[-1]:
        return False
    if weight.dim() > 2 and input.dim() == 1:
        return False
    return bias is None or bias.shape == weight.shape[:-1]
