"""Losses against lists of labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

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
    if not _is_list(input, target):
        return NotImplemented
    rows, lists = torch.atleast_2d(input), torch.atleast_2d(target)
    outside = (lists < -1) | (lists >= input.shape[-1])
    listed = ((lists == -1).cumsum(-1) == 0) & ~outside
    if not computing.is_plain(target):
        rows = computing.spoiled(rows, outside.any(-1, keepdim=True))
    else:
        if outside.any():
            return NotImplemented
        longest = int(listed.sum(-1).max())
        lists, listed = lists[:, : max(longest, 1)], listed[:, : max(longest, 1)]
    dtype, classes = result_dtype(input), input.shape[-1]
    each = "none" if reduction == "none" else "sum"
    found = _of_pairs(rows, torch.where(listed, lists, 0), listed, each, wide(dtype))
    if reduction == "none":
        found = found.sum((-2, -1))
        return ((found if input.dim() > 1 else found[0]) / classes).to(dtype)
    return (found / (classes * rows.shape[0] if reduction == "mean" else classes)).to(dtype)


def _is_list(input: Tensor, target: Tensor) -> bool:
    if not real(input) or target.dtype != torch.int64 or not input.numel():
        return False
    return input.dim() in {1, 2} and target.shape == input.shape


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


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Connectionist temporal classification: PyTorch's own operator.

    A sum over alignments is outside the language of formulas, so this is
    :func:`torch.nn.functional.ctc_loss`, which reads ``targets`` without looking: here a label
    that is no class raises IndexError instead of ending the process.

    >>> log_probs = torch.full((2, 1, 2), 0.5).log()
    >>> ctc_loss(log_probs, torch.tensor([[1]]), torch.tensor([2]), torch.tensor([1]))
    tensor(0.2877)
    """
    classes = log_probs.shape[-1]
    outside = _outside(targets, target_lengths, classes)
    if not computing.is_plain(targets):
        each = targets.dim() == 2 and log_probs.dim() == 3
        wrong = outside.any(-1, keepdim=True) if each else outside.any()
        log_probs = computing.spoiled(log_probs, wrong)
        targets = targets.where(~outside, 0)
    elif outside.any():
        place = tuple(outside.nonzero()[0].tolist())
        raise IndexError(
            f"ctc_loss: targets must be classes from 0 to {classes - 1}, "
            f"got {targets[place].item()} at index {place}\n"
            "hint: padding may hold anything beyond target_lengths; log_probs has the blank, too"
        )
    return nn.functional.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity
    )


def _outside(targets: Tensor, lengths: Any, classes: int) -> Tensor:
    """Return which labels are no classes; lengths that do not fit are for PyTorch to refuse."""
    lengths = torch.as_tensor(lengths, device=targets.device)
    if targets.dim() == 1:
        end = lengths.sum()  # one target after the other
    elif lengths.shape == targets.shape[:-1]:
        end = lengths.unsqueeze(-1)  # one target in each row, then padding
    else:
        end = 0
    place = torch.arange(targets.shape[-1], device=targets.device)
    return ((targets < 0) | (targets >= classes)) & (place < end)
