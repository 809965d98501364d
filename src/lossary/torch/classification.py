"""Losses against classes: labels, one-hot rows, probabilities."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lossary.doors import NotMine, Parameters
from lossary.torch import computing
from lossary.torch.computing import Request
from lossary.torch.contract import (
    as_torch,
    at_labels,
    is_number,
    real,
    reduction_of,
    result_dtype,
    wide,
)

# binary_cross_entropy: no logarithm below -100, no p (1 - p) below 1e-12 in the gradient.
LOG_FLOOR = -100.0
SLOPE_FLOOR = 1e-12


@as_torch
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability of the label, as :func:`torch.nn.functional.nll_loss`.

    Lossary's ``negative_log_likelihood``. ``input`` of shape (C), (N, C) or (N, C, d1, ...) holds
    log-probabilities, ``target`` labels from 0 to C - 1 without the class axis, ``weight`` one
    number per class: the mean divides by the weights of the labels that count. Rows labelled
    ``ignore_index`` count nothing; if none counts, the mean is NaN. A label outside raises
    IndexError, other misfits RuntimeError or ValueError.

    >>> nll_loss(torch.tensor([[-0.5, -0.9]]), torch.tensor([1]))
    tensor(0.9000)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    return _at_label("negative_log_likelihood", (), input, target, weight, ignore_index, reduction)


@as_torch
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of logits with labels or probabilities.

    As :func:`torch.nn.functional.cross_entropy`. Lossary's ``cross_entropy`` for labels,
    ``soft_cross_entropy`` for a ``target`` in the shape of ``input``. Shapes, weight and errors are
    those of :func:`nll_loss`; with probabilities the mean divides by the number of rows whatever
    the weights, and with smoothed labels by the weights of the labels. It stays exact where the
    label is the confident class:

    >>> cross_entropy(torch.tensor([17.0, 0.0]), torch.tensor(0))
    tensor(4.1399e-08)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise NotMine
    if input.shape == target.shape and input.dim():
        if ignore_index >= 0:
            raise NotMine
        return _with_probabilities(input, target, weight, reduction, label_smoothing)
    if weight is not None and label_smoothing:
        return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing)
    parameters = (("label_smoothing", label_smoothing),)
    return _at_label("cross_entropy", parameters, input, target, weight, ignore_index, reduction)


def _classes(input: Tensor) -> int:
    """Return the axis of the classes."""
    return 1 if input.dim() > 1 else 0


def _last(x: Tensor, axis: int) -> Tensor:
    return x if axis == x.dim() - 1 else x.movedim(axis, -1)


def _fits(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """Leave to PyTorch labels and class weights that do not belong to this input."""
    if not input.dim() or not input.numel() or target.dtype not in {torch.int64, torch.uint8}:
        raise NotMine
    real(input)
    axis = _classes(input)
    if target.shape != input.shape[:axis] + input.shape[axis + 1 :]:
        raise NotMine
    if weight is not None and (
        weight.dtype != input.dtype or weight.shape != input.shape[axis:][:1]
    ):
        raise NotMine


class _Rows(NamedTuple):
    """Logits with the classes last, labels that are classes, and which rows count: None for all."""

    logits: Tensor
    label: Tensor
    keep: Tensor | None


def _rows(input: Tensor, target: Tensor, ignore_index: int) -> _Rows:
    """Sort a batch into rows; raise IndexError for a label outside, or make its row NaN."""
    axis = _classes(input)
    logits, classes = _last(input, axis), input.shape[axis]
    if computing.is_plain(target):
        # Without a sign, a label below 0 is a large one.
        labels = target.numpy()
        largest = (labels.view(np.uint64) if labels.itemsize == 8 else labels).max()
        if largest < classes and not 0 <= ignore_index < classes:
            return _Rows(logits, target.to(torch.int64), None)
    keep = target != ignore_index
    outside = ((target < 0) | (target >= classes)) & keep
    if not computing.is_plain(target):
        logits = computing.spoiled(logits, outside.unsqueeze(-1))
    elif outside.any():
        raise IndexError(f"a target lies outside 0 to {classes - 1}")
    return _Rows(logits, torch.where(keep & ~outside, target, 0).to(torch.int64), keep)


def _at_label(
    loss: str,
    parameters: Parameters,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Any:
    """Ask for a loss of labels."""
    _fits(input, target, weight)
    request = Request(
        loss, reduction, result_dtype(input), parameters, read_once=loss == "cross_entropy"
    )
    options = _options(request, input, weight, ignore_index)
    slowly = partial(_row_by_row, request, input, target, weight, ignore_index)
    return computing.Asked(request, (input, target), options, slowly)


def _options(
    request: Request, input: Tensor, weight: Tensor | None, ignore_index: int
) -> dict[str, Any] | None:
    """Return the options of a call that weighs labels itself; None where no recipe answers it."""
    if _classes(input) != input.dim() - 1:
        return None
    options = {
        "reduction": request.reduction, "check": False, "empty": "nan",
        "ignore_index": ignore_index, **dict(request.parameters),
    }  # fmt: skip
    return options if weight is None else options | {"class_weight": weight}


def _row_by_row(
    request: Request, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> Tensor:
    """Return the loss with a weight for each row, having looked at the labels."""
    logits, label, keep = _rows(input, target, ignore_index)
    own = None if weight is None else at_labels(weight, label)
    count = _weight_sum(own, keep, input.dtype) if request.reduction == "mean" else None
    request = request._replace(weight=own, denominator=count, mask=keep)
    return computing.reduced(request, logits, label)


def _weight_sum(own: Tensor | None, keep: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Return the sum of the weights that count; None for the number of all."""
    if own is None:
        return None if keep is None else keep.sum()
    own = own.to(wide(dtype))
    return (own if keep is None else torch.where(keep, own, 0)).sum()


def _smoothed(
    input: Tensor,
    target: Tensor,
    weight: Tensor,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """Return the weighted loss of smoothed labels: target masses that need not have sum 1."""
    _fits(input, target, weight)
    logits, label, keep = _rows(input, target, ignore_index)
    classes = logits.shape[-1]
    weight = weight.to(wide(input.dtype))
    own = at_labels(weight, label)
    here = label.unsqueeze(-1) == torch.arange(classes, device=label.device)
    at_label = torch.where(here, own.unsqueeze(-1), 0)
    masses = (1 - smoothing) * at_label + smoothing / classes * weight
    count = _weight_sum(own, keep, input.dtype) if reduction == "mean" else None
    dtype = result_dtype(input)
    request = Request("soft_cross_entropy", reduction, dtype, (), None, count, keep, read_once=True)
    return computing.reduced(request, logits, masses)


def _with_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    real(input, target)
    axis = _classes(input)
    classes = input.shape[axis]
    if not input.numel() or (weight is not None and weight.shape != (classes,)):
        raise NotMine
    masses = _last(target, axis)
    if smoothing or weight is not None:
        masses = masses.to(wide(masses.dtype))
    if smoothing:
        masses = masses * (1 - smoothing) + smoothing / classes
    if weight is not None:
        masses = masses * weight
    request = Request("soft_cross_entropy", reduction, result_dtype(input, target), read_once=True)
    return computing.reduced(request, _last(input, axis), masses)


@as_torch
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy of probabilities, as :func:`torch.nn.functional.binary_cross_entropy`.

    Lossary's ``binary_cross_entropy_from_probability``. ``input`` and ``target`` lie in [0, 1]
    (RuntimeError) and have one shape (ValueError), to which ``weight`` broadcasts; the mean divides
    by the count. PyTorch's floors are kept: no logarithm below LOG_FLOOR = -100, and a gradient
    divided by at least SLOPE_FLOOR = 1e-12.

    >>> binary_cross_entropy(torch.tensor([0.0, 0.5]), torch.tensor([1.0, 1.0]), reduction="none")
    tensor([100.0000,   0.6931])
    """
    reduction = reduction_of(size_average, reduce, reduction)
    _binary_fits(input, target, weight)
    if input.dtype != target.dtype:
        raise NotMine
    if torch.is_autocast_enabled(input.device.type):
        raise NotMine  # refused on some devices, allowed on others
    request = Request("binary_cross_entropy_from_probability", reduction, input.dtype, (), weight)
    if computing.is_plain(input, target) and input.numel():
        low, high = (float(v) for v in torch.aminmax(input.detach()))
        bottom, top = (float(v) for v in torch.aminmax(target.detach()))
        if not (low >= 0 and high <= 1 and bottom >= 0 and top <= 1):
            raise NotMine
        if low > 2 * SLOPE_FLOOR and high < 1 - 2 * SLOPE_FLOOR:
            return computing.reduced(request, input, target)
    else:
        inside = (input >= 0) & (input <= 1) & (target >= 0) & (target <= 1)
        input = computing.spoiled(input, ~inside)
    return computing.reduced(request, *_floored(input, target))


def _binary_fits(input: Tensor, target: Tensor, *weights: Tensor | None) -> None:
    real(input)
    if input.shape != target.shape or not is_number(target):
        raise NotMine
    for w in weights:
        if w is not None and torch.broadcast_shapes(w.shape, input.shape) != input.shape:
            raise NotMine


def _floored(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return probability and target such that the exact loss of them has PyTorch's floors.

    The probability moves to where its logarithm is at the floor; a probability of 1 becomes that
    of the opposite class. The gradient is scaled by what SLOPE_FLOOR takes away.
    """
    p = input.to(torch.float64) if input.device.type != "mps" else input
    opposite = p == 1
    least = math.exp(LOG_FLOOR)
    floored = torch.where(opposite, least, p.clamp(min=least)).detach()
    share = floored * (1 - floored) / (floored * (1 - floored)).clamp(min=SLOPE_FLOOR)
    share = torch.where(opposite, -share, share)
    return floored + share * (p - p.detach()), torch.where(opposite, 1 - target, target)


@as_torch
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of log-odds: :func:`torch.nn.functional.binary_cross_entropy_with_logits`.

    Lossary's ``binary_cross_entropy``. ``input`` and ``target`` have one shape (ValueError), to
    which ``weight`` and ``pos_weight`` broadcast; the mean divides by the count. A ``pos_weight``
    above 1 raises recall, below 1 precision.

    >>> binary_cross_entropy_with_logits(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    _binary_fits(input, target, weight, pos_weight)
    others = [x for x in (target, weight, pos_weight) if x is not None]
    dtype = result_dtype(input, *others)
    arrays = () if pos_weight is None else (("positive_weight", pos_weight),)
    request = Request("binary_cross_entropy", reduction, dtype, (), weight, arrays=arrays)
    return computing.of_kinds(request, input, target)


@as_torch
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Mean over the classes of binary cross-entropy: one number per row of shape (N, C).

    As :func:`torch.nn.functional.multilabel_soft_margin_loss`, from lossary's
    ``binary_cross_entropy``; ``weight`` broadcasts, one number per class as a rule. ``target`` may
    be soft.

    >>> multilabel_soft_margin_loss(torch.zeros(1, 4), torch.tensor([[0.0, 1.0, 1.0, 0.0]]))
    tensor(0.6931)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    _binary_fits(input, target, weight)
    if not input.dim() or not input.numel():
        raise NotMine
    dtype = input.dtype if weight is None else torch.promote_types(input.dtype, weight.dtype)
    if reduction == "mean":
        request = Request("binary_cross_entropy", "mean", dtype, (), weight)
        return computing.of_kinds(request, input, target)
    request = Request("binary_cross_entropy", "none", wide(dtype), (), weight)
    rows = computing.reduced(request, input, target).mean(-1)
    return (rows if reduction == "none" else rows.sum()).to(dtype)
