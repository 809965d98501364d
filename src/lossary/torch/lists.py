"""Losses against lists of labels."""

from __future__ import annotations

import torch
from torch import Tensor

from lossary.doors import NotMine
from lossary.torch import computing
from lossary.torch.computing import Request
from lossary.torch.contract import as_torch, real, reduction_of, result_dtype, wide


@as_torch
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Hinges of the wrong labels against the right ones.

    As :func:`torch.nn.functional.multilabel_margin_loss`. Lossary's ``margin_ranking`` with a
    margin of 1 for every pair of a label in the list and one outside, divided by the number of
    classes. ``input`` and ``target`` have shape (C) or (N, C); a row of ``target`` is a list of
    labels from 0 to C - 1 that ends before its first -1 (RuntimeError). The mean divides by the
    number of rows. It is right under ``torch.compile`` too, where PyTorch 2.13's own is not.

    >>> multilabel_margin_loss(torch.tensor([0.1, 0.2, 0.4, 0.8]), torch.tensor([3, 0, -1, 1]))
    tensor(0.8500)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    real(input)
    if target.dtype != torch.int64 or not input.numel():
        raise NotMine
    if input.dim() not in {1, 2} or target.shape != input.shape:
        raise NotMine
    rows, lists = torch.atleast_2d(input), torch.atleast_2d(target)
    outside = (lists < -1) | (lists >= input.shape[-1])
    listed = ((lists == -1).cumsum(-1) == 0) & ~outside
    if not computing.is_plain(target):
        rows = computing.spoiled(rows, outside.any(-1, keepdim=True))
    else:
        if outside.any():
            raise NotMine
        longest = int(listed.sum(-1).max())
        lists, listed = lists[:, : max(longest, 1)], listed[:, : max(longest, 1)]
    dtype, classes = result_dtype(input), input.shape[-1]
    each = "none" if reduction == "none" else "sum"
    found = _of_pairs(rows, torch.where(listed, lists, 0), listed, each, wide(dtype))
    if reduction == "none":
        found = found.sum((-2, -1))
        return ((found if input.dim() > 1 else found[0]) / classes).to(dtype)
    return (found / (classes * rows.shape[0] if reduction == "mean" else classes)).to(dtype)


def _of_pairs(
    rows: Tensor, labels: Tensor, listed: Tensor, reduction: str, dtype: torch.dtype
) -> Tensor:
    """Return the hinges of the pairs of a label and a class outside the list, or their sum."""
    classes = rows.shape[-1]
    here = labels.unsqueeze(-1) == torch.arange(classes, device=rows.device)
    outside = ~(here & listed.unsqueeze(-1)).any(-2, keepdim=True)
    right, wrong = torch.broadcast_tensors(
        rows.gather(-1, labels).unsqueeze(-1), rows.unsqueeze(-2)
    )
    pairs = listed.unsqueeze(-1) & outside
    # PyTorch's operator finds plausible numbers in NaN: comparisons with it are false.
    request = Request(
        "margin_ranking", reduction, dtype, (("margin", 1.0),), mask=pairs, as_it_is=True
    )
    return computing.reduced(request, right, wrong, torch.ones_like(right))
