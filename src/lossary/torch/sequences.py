"""Losses of whole sequences."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from lossary.engine.libraries.torch import LIBRARY
from lossary.sequences.ctc import alignments
from lossary.torch import computing
from lossary.torch.contract import combined, reduction_of


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Connectionist temporal classification: lossary's ``sequences.ctc``, of log-probabilities.

    As :func:`torch.nn.functional.ctc_loss`: ``log_probs`` have shape (T, N, C) or (T, C), are taken
    as they are, and get the gradient that log-softmax before them needs. ``targets`` have a row for
    each sequence, or stand one behind the other. The mean divides each loss by the length of its
    target first. A label that is no class raises IndexError, where PyTorch's operator reads
    memory that is not its own. On a CPU a kernel computes in float64; until it is compiled, inside
    graphs and transforms, and for losses that are infinite, PyTorch's operator answers.

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
    elif (found := _values(log_probs, targets, input_lengths, target_lengths, blank)) is not None:
        values, lengths = found
        if zero_infinity:
            values = torch.where(values == math.inf, 0.0, values)
        if zero_infinity or bool(values.detach().isfinite().all()):
            return _reduced(values, lengths, reduction)
    return nn.functional.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity
    )


def _values(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int
) -> tuple[Tensor, Tensor] | None:
    """Return the losses and how long the targets are; None for what is PyTorch's to answer."""
    if log_probs.dtype not in _WIDE or log_probs.dim() not in {2, 3} or type(blank) is not int:
        return None
    ends, counts = (_lengths(x) for x in (input_lengths, target_lengths))
    if ends is None or counts is None or not computing.is_plain(log_probs, targets, ends, counts):
        return None
    frames, classes = log_probs.shape[0], log_probs.shape[-1]
    sequences = log_probs.shape[1] if log_probs.dim() == 3 else 1
    if not ends.shape == counts.shape == (sequences,) or not sequences or not frames:
        return None
    fits = 0 <= blank < classes and bool(((ends >= 0) & (ends <= frames) & (counts >= 0)).all())
    rows = _rows(targets, counts, alone=log_probs.dim() == 2) if fits else None
    if rows is None:
        return None
    moving = (log_probs.reshape(frames, sequences, classes).transpose(0, 1),)
    recursion, still = alignments(blank, normalized=True), (rows, ends, counts)
    if not recursion.prompt(LIBRARY, moving, still):
        return None
    values = recursion.values(LIBRARY, moving, still)
    return (values if log_probs.dim() == 3 else values[0]), (
        counts if log_probs.dim() == 3 else counts[0]
    )


_WIDE = {torch.float32, torch.float64}


def _lengths(x: Any) -> Tensor | None:
    """Return lengths of sequences; PyTorch takes tensors, and tuples or lists of numbers."""
    if isinstance(x, Tensor):
        integers = not x.dtype.is_floating_point and x.dtype is not torch.bool and x.is_cpu
        return x.to(torch.int64).reshape(-1) if integers and x.dim() < 2 else None
    if isinstance(x, (tuple, list)) and all(type(n) is int for n in x):
        return torch.tensor(x, dtype=torch.int64)
    return None


def _rows(targets: Tensor, counts: Tensor, *, alone: bool) -> Tensor | None:
    """Return a row of labels for each sequence; None for shapes that PyTorch refuses."""
    if targets.dtype not in {torch.int64, torch.int32}:
        return None
    most, targets = int(counts.max()), targets.to(torch.int64)
    if targets.dim() == 2 and not alone:
        good = targets.shape[0] == len(counts) and targets.shape[1] >= most
        return targets if good else None
    if targets.dim() != 1 or targets.numel() != int(counts.sum()):
        return None
    rows = targets.new_zeros(len(counts), most)
    rows[torch.arange(most) < counts.unsqueeze(-1)] = targets
    return rows


def _reduced(values: Tensor, lengths: Tensor, reduction: str) -> Tensor:
    reduction = reduction_of(None, None, reduction)
    if reduction == "mean":
        values = values / lengths.clamp(min=1).to(values.dtype)
    return combined(values, reduction)


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
