"""Losses of scores against signs and of embeddings against each other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lossary.torch import computing
from lossary.torch.computing import Request
from lossary.torch.contract import (
    as_torch,
    at_labels,
    real,
    reduction_of,
    result_dtype,
    same_size,
    wide,
)

# cosine_embedding_loss adds this to each squared length.
SQUARED_LENGTH_EPSILON = 1e-12


@as_torch
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Logistic loss of a score against a sign, as :func:`torch.nn.functional.soft_margin_loss`.

    Lossary's ``soft_margin``; ``target`` is -1 or 1. Shapes broadcast. It stays finite where
    PyTorch's overflows:

    >>> soft_margin_loss(torch.tensor([-100.0]), torch.tensor([1.0]))
    tensor(100.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not real(input) or target.requires_grad:
        return NotImplemented
    if target.dtype == torch.bool or target.is_complex():
        return NotImplemented
    dtype = result_dtype(input, target)
    if input.shape != target.shape:
        input, target = torch.broadcast_tensors(input, target)
    return computing.reduced(Request("soft_margin", reduction, dtype), input, target)


@as_torch
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How far two scores fall short of their order.

    As :func:`torch.nn.functional.margin_ranking_loss`. Lossary's ``margin_ranking``: the first
    should be larger for a ``target`` of 1, the second for -1. Equal numbers of dimensions
    (RuntimeError); shapes broadcast.

    >>> margin_ranking_loss(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([1.0]))
    tensor(2.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim() or not real(input1, input2):
        return NotImplemented
    if target.dtype == torch.bool or target.is_complex():
        return NotImplemented
    dtype = result_dtype(input1, input2, target)
    if target.requires_grad:
        # A sign is no number to differentiate by in the core; as a factor of the scores it is.
        sign, target = target.to(wide(dtype)), torch.ones_like(target)
        input1, input2 = input1 * sign, input2 * sign
    if not same_size(input1, input2, target):
        input1, input2, target = torch.broadcast_tensors(input1, input2, target)
    parameters = (("margin", margin),)
    request = Request("margin_ranking", reduction, dtype, parameters, read_once=True)
    return computing.reduced(request, input1, input2, target)


@as_torch
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """A distance, or what it lacks to a margin: :func:`torch.nn.functional.hinge_embedding_loss`.

    Lossary's ``hinge_embedding`` for a ``target`` of 1 or -1; any other target gets both terms, as
    in PyTorch. Shapes broadcast.

    >>> distance = torch.tensor([0.25, 0.25])
    >>> hinge_embedding_loss(distance, torch.tensor([1.0, -1.0]), reduction="none")
    tensor([0.2500, 0.7500])
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not real(input) or target.is_complex():
        return NotImplemented
    dtype = result_dtype(input, target)
    if input.shape != target.shape:
        input, target = torch.broadcast_tensors(input, target)
    parameters = (("margin", margin),)
    if computing.is_plain(input, target) and bool(((target == 1) | (target == -1)).all()):
        request = Request("hinge_embedding", reduction, dtype, parameters, read_once=True)
        return computing.reduced(request, input, target.detach())
    request = Request("hinge_embedding", "none", dtype, parameters, read_once=True)
    ones = torch.ones_like(input)
    near = torch.where(target != -1, computing.reduced(request, input, ones), 0)
    apart = torch.where(target != 1, computing.reduced(request, input, -ones), 0)
    return _reduce(near + apart, reduction)


@as_torch
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Hinges of the wrong classes against the true one.

    As :func:`torch.nn.functional.multi_margin_loss`. Lossary's ``multi_margin``. ``input`` has
    shape (C) or (N, C), ``target`` () or (N) with labels from 0 to C - 1 (RuntimeError),
    ``weight`` (C); ``p`` is 1 or 2 (ValueError). The mean divides by the number of rows.

    >>> multi_margin_loss(torch.tensor([[0.0, 1.0, 0.5]]), torch.tensor([1]))
    tensor(0.1667)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if p not in {1, 2} or not _rows_with_labels(input, target):
        return NotImplemented
    rows = torch.atleast_1d(input)
    if rows.dim() == 1 and target.dim():
        rows = rows.unsqueeze(0)  # one row with a list of one label
    classes = rows.shape[-1]
    if weight is not None and (weight.dtype != input.dtype or weight.shape != (classes,)):
        return NotImplemented
    outside = (target < 0) | (target >= classes)
    if not computing.is_plain(target):
        rows, target = computing.spoiled(rows, outside.unsqueeze(-1)), target.where(~outside, 0)
    elif outside.any():
        return NotImplemented
    own = None if weight is None else at_labels(weight, target)
    parameters = (("margin", margin), ("p", p))
    # PyTorch's operator finds plausible numbers in NaN: comparisons with it are false.
    request = Request(
        "multi_margin", reduction, result_dtype(input), parameters, own, as_it_is=True
    )
    return computing.reduced(request, rows, target)


def _rows_with_labels(input: Tensor, target: Tensor) -> bool:
    if not real(input) or target.dtype != torch.int64 or not input.numel():
        return False
    if input.dim() > 1:
        return input.dim() == 2 and target.shape == input.shape[:1]
    return target.dim() < 2 and target.numel() == 1


@as_torch
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Angle of pairs of embeddings, as :func:`torch.nn.functional.cosine_embedding_loss`.

    Lossary's ``cosine_embedding``. ``input1`` and ``input2`` have shape (N, D) for a ``target`` of
    shape (N), or (D) for a scalar (RuntimeError); targets other than 1 and -1 cost 0. PyTorch's
    SQUARED_LENGTH_EPSILON = 1e-12 is kept: each vector gets a coordinate of 1e-6 of its own.

    >>> same = torch.tensor([[3.0, 4.0]])
    >>> cosine_embedding_loss(same, same, torch.tensor([-1.0]), margin=0.25)
    tensor(0.7500)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not real(input1, input2) or target.dim() > 1:
        return NotImplemented
    if input1.dim() != target.dim() + 1 or input2.dim() != input1.dim() or not input1.numel():
        return NotImplemented
    input1, input2 = torch.broadcast_tensors(input1, input2)
    if target.shape != input1.shape[:-1]:
        return NotImplemented
    dtype = result_dtype(input1, input2)
    target = target.detach()
    known = (target == 1) | (target == -1)
    own = None
    if not computing.is_plain(target) or not bool(known.all()):
        own, target = known.to(input1.dtype), torch.where(known, target, 1)
    parameters = (("margin", margin),)
    request = Request("cosine_embedding", reduction, dtype, parameters, own, read_once=True)
    return computing.reduced(request, _longer(input1, 0), _longer(input2, 1), target)


def _longer(x: Tensor, place: int) -> Tensor:
    """Append two coordinates, of which one is the root of SQUARED_LENGTH_EPSILON."""
    x = x.to(wide(x.dtype))
    ends = torch.full_like(x[..., :1], SQUARED_LENGTH_EPSILON**0.5), torch.zeros_like(x[..., :1])
    return torch.cat([x, ends[place], ends[1 - place]], dim=-1)


@as_torch
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How far the positive fails to be nearer than the negative: lossary's ``triplet_margin``.

    As :func:`torch.nn.functional.triplet_margin_loss`: shapes (N, D) or (D), ``margin`` above 0
    (ValueError), PyTorch's ``eps`` added to every coordinate of a difference. For ``p`` other than
    2 the distances are PyTorch's and the loss lossary's ``margin_ranking``.

    >>> near, far = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.5]])
    >>> triplet_margin_loss(torch.zeros(1, 2), near, far)
    tensor(0.5000)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not (margin > 0 and _triplet(anchor, positive, negative)):
        return NotImplemented
    dtype = result_dtype(anchor, positive, negative)
    if p != 2:
        return _ranked(
            lambda x, y: nn.functional.pairwise_distance(x, y, p, eps),
            (anchor, positive, negative), margin, swap, reduction, dtype,
        )  # fmt: skip
    anchor, positive, negative = torch.broadcast_tensors(anchor, positive, negative)
    anchor = anchor.to(wide(dtype)) + eps
    parameters = (("margin", margin),)
    if not swap:
        request = Request("triplet_margin", reduction, dtype, parameters, read_once=True)
        return computing.reduced(request, anchor, positive, negative)
    # max(ap - min(an, pn) + m, 0) is the larger of two triplets: of the anchor, of the positive.
    request = Request("triplet_margin", "none", anchor.dtype, parameters, read_once=True)
    own = computing.reduced(request, anchor, positive, negative)
    swapped = computing.reduced(request, positive, anchor, negative.to(anchor.dtype) - eps)
    return _reduce(torch.maximum(own, swapped), reduction).to(dtype)


def _triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> bool:
    dims = anchor.dim()
    return (
        dims > 0 and positive.dim() == negative.dim() == dims and real(anchor, positive, negative)
    )


def _ranked(
    distance: Callable[[Tensor, Tensor], Tensor],
    tensors: tuple[Tensor, Tensor, Tensor],
    margin: float,
    swap: bool,
    reduction: str,
    dtype: torch.dtype,
) -> Tensor:
    """Return margin_ranking of the distances from the anchor to the negative and the positive."""
    anchor, positive, negative = tensors
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = torch.minimum(far, distance(positive, negative))
    near, far = torch.broadcast_tensors(near, far)
    request = Request("margin_ranking", reduction, dtype, (("margin", margin),))
    return computing.reduced(request, near, far, -torch.ones_like(near))


@as_torch
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """The triplet loss of any distance: lossary's ``margin_ranking`` of the two distances.

    As :func:`torch.nn.functional.triplet_margin_with_distance_loss`; the distance is
    :func:`torch.nn.functional.pairwise_distance` unless given. ``margin`` is above 0 (ValueError).

    >>> near, far = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.5]])
    >>> triplet_margin_with_distance_loss(torch.zeros(1, 2), near, far)
    tensor(0.5000)
    """
    if reduction not in {"mean", "sum", "none"} or not margin > 0:
        return NotImplemented
    if not anchor.dim() == positive.dim() == negative.dim():
        return NotImplemented
    distance = nn.functional.pairwise_distance if distance_function is None else distance_function
    if not real(anchor, positive, negative):
        return NotImplemented
    dtype = torch.promote_types(torch.promote_types(anchor.dtype, positive.dtype), negative.dtype)
    return _ranked(distance, (anchor, positive, negative), margin, swap, reduction, dtype)


def _reduce(values: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return values
    return values.sum() if reduction == "sum" else values.mean()
