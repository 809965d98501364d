"""Losses of numbers against numbers, and of distributions element by element."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import kl_div as their_kl_div
from torch.nn.functional import mse_loss as their_mse_loss

from lossary.doors import NotMine, Parameters
from lossary.torch import computing
from lossary.torch.computing import Request
from lossary.torch.contract import (
    REDUCTIONS,
    as_torch,
    broadcast,
    combined,
    composed_dtype,
    real,
    reduction_of,
    result_dtype,
    warn_as,
    wide,
)

# What gaussian_nll_loss adds with full=True.
HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2


def _of_error(
    loss: str,
    parameters: Parameters,
    input: Tensor,
    target: Tensor,
    reduction: str,
    weight: Tensor | None = None,
    weighted_mean: bool = True,
) -> Any:
    """Ask for a loss of the error; a weighted mean divides by the sum of weights, or the count."""
    real(input, target)
    if weight is not None and weight.shape != input.shape:
        raise NotMine
    if input.shape != target.shape:
        pair = torch.broadcast_tensors(input, target)
        warn_as(their_mse_loss, input, target)  # one text for all of them
        input, target = pair
    composed = loss == "absolute_error" or (weight is not None and weighted_mean)
    if weight is None:
        dtype = result_dtype(input, target)
        request = Request(loss, reduction, dtype, parameters, read_once=composed)
    else:
        dtype = (composed_dtype if weighted_mean else result_dtype)(input, target, weight)
        request = Request(loss, reduction, dtype, parameters, weight, read_once=composed)
    asked = computing.of_kinds(request, input, target)
    if weight is None or not weighted_mean or reduction != "mean":
        return asked
    # Machine code adds the weights up; who cannot ask it does so here.
    options = {name: x for name, x in asked.options.items() if name != "denominator"}

    def slowly() -> Tensor:
        return computing.reduced(request._replace(denominator=weight.sum()), input, target)

    return asked._replace(options=options, slowly=slowly)


@as_torch
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Absolute error, as :func:`torch.nn.functional.l1_loss`: lossary's ``absolute_error``.

    Both tensors are real, of one shape S (others broadcast, with a warning); ``weight`` has shape S
    and the mean then divides by its sum. Returns a scalar, or shape S for ``"none"``. Raises
    ValueError for an unknown reduction or a weight of another size.

    >>> l1_loss(torch.tensor([1.0, 4.0]), torch.tensor([1.0, 2.0]))
    tensor(1.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    return _of_error("absolute_error", (), input, target, reduction, weight)


@as_torch
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error, as :func:`torch.nn.functional.mse_loss`: lossary's ``squared_error``.

    Shapes, weight and errors are those of :func:`l1_loss`.

    >>> mse_loss(torch.tensor([1.0, 4.0]), torch.tensor([1.0, 2.0]), reduction="sum")
    tensor(4.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    return _of_error("squared_error", (), input, target, reduction, weight)


@as_torch
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Absolute error with a rounded kink, as :func:`torch.nn.functional.smooth_l1_loss`.

    Lossary's ``smooth_l1``. ``beta`` is in the unit of the error, at least 0 (RuntimeError), and 0
    gives the absolute error. Shapes are those of :func:`l1_loss`.

    >>> smooth_l1_loss(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if beta == 0:
        return _of_error("absolute_error", (), input, target, reduction)
    return _of_error("smooth_l1", (("beta", beta),), input, target, reduction)


@as_torch
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error near zero, absolute error beyond ``delta``: lossary's ``huber``.

    As :func:`torch.nn.functional.huber_loss`. ``delta`` is in the unit of the error and above 0
    (RuntimeError). Shapes are those of :func:`l1_loss`; a weighted mean divides by the count, not
    by the sum of weights, as PyTorch's does here and only here.

    >>> huber_loss(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0]), delta=2.0, reduction="none")
    tensor([0.1250, 4.0000])
    """
    reduction = reduction_of(None, None, reduction)
    parameters = (("delta", delta),)
    return _of_error("huber", parameters, input, target, reduction, weight, weighted_mean=False)


@as_torch
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Terms of the relative entropy, as :func:`torch.nn.functional.kl_div`.

    Lossary's ``kl_divergence`` of each element: ``input`` holds log-probabilities, ``target``
    probabilities or, with ``log_target``, log-probabilities too, in nats. The divergence is
    ``reduction="batchmean"``; ``"mean"`` divides by the number of elements, and warns. Shapes
    broadcast.

    >>> half = torch.tensor([[0.5, 0.5]])
    >>> kl_div(torch.tensor([[0.25, 0.75]]).log(), half, reduction="batchmean")
    tensor(0.1438)
    """
    real(input, target)
    by_row = reduction == "batchmean" and size_average is None and reduce is None
    if reduction == "mean" and size_average is None and reduce is None:
        warn_as(their_kl_div, input, target)
    reduction = "sum" if by_row else reduction_of(size_average, reduce, reduction)
    total = _divergence(reduction, input, target, log_target)
    return total / input.size(0) if by_row and input.dim() else total


def _divergence(reduction: str, input: Tensor, target: Tensor, log_target: bool) -> Tensor:
    dtype = result_dtype(input, target)
    input, target = torch.broadcast_tensors(input, target)
    request = Request(_DIVERGENCES[bool(log_target)], reduction, dtype, read_once=True)
    # One row for each number: PyTorch sums no rows.
    return computing.reduced(request, input.unsqueeze(-1), target.unsqueeze(-1))


_DIVERGENCES = ("kl_divergence", "kl_divergence_with_log_target")


@as_torch
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of counts, as :func:`torch.nn.functional.poisson_nll_loss`.

    Lossary's ``poisson``. ``input`` is the logarithm of the rate or, with ``log_input=False``, the
    rate, to which ``eps`` is added inside the logarithm; ``target`` is at least 0. ``full`` adds
    Stirling's approximation of log(target!) where the target is above 1. Shapes broadcast.

    >>> poisson_nll_loss(torch.tensor([0.0]), torch.tensor([3.0]))
    tensor(1.)
    """
    real(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    dtype = result_dtype(input, target)
    input, target = broadcast(input, target)
    if log_input and not full:
        return computing.reduced(
            Request("poisson", reduction, dtype, read_once=True), input, target
        )
    input, target = input.to(wide(dtype)), target.to(wide(dtype))
    if log_input:
        request = Request("poisson", "none", input.dtype, read_once=True)
        values = computing.reduced(request, input, target)
    else:
        values = _poisson_of_rate(input, target, eps)
    return combined(values + _stirling(target) if full else values, reduction).to(dtype)


def _poisson_of_rate(rate: Tensor, target: Tensor, eps: float) -> Tensor:
    """Return rate - target log(rate + eps), of a rate in twice the digits where there are some."""
    digits = torch.float32 if rate.device.type == "mps" else torch.float64
    request = Request("poisson_from_rate", "none", digits)
    return computing.reduced(request, rate.to(digits) + eps, target.to(digits)) - eps


def _stirling(target: Tensor) -> Tensor:
    """Approximate log(target!) above 1, and 0 elsewhere: no loss, but a number about the target."""
    t = torch.where(target > 1, target, 1)
    return torch.where(target > 1, t * t.log() - t + (2 * math.pi * t).log() / 2, 0)


@as_torch
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of a normal distribution.

    As :func:`torch.nn.functional.gaussian_nll_loss`. Lossary's ``gaussian``: ``input`` is the mean,
    ``var`` the variance, at least 0 (ValueError), a number or a tensor in the shape of ``input``,
    without its last axis, or with 1 for one axis. A variance below ``eps`` is taken as ``eps``, and
    gets the gradient of that. ``full`` adds log(2 pi) / 2.

    >>> gaussian_nll_loss(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([1.0]))
    tensor(2.)
    """
    if isinstance(var, int):
        raise NotMine
    if not isinstance(var, Tensor):
        var = torch.full_like(input, var)
    if reduction not in REDUCTIONS:
        raise NotMine
    real(input, target, var)
    if not computing.is_plain(var):
        input, var = (computing.spoiled(x, var < 0) for x in (input, var))
    elif bool((var < 0).any()):
        raise NotMine
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif not _lacks_one_axis(var, input):
            raise NotMine
    dtype = composed_dtype(input, target, var)
    var = torch.where(var < eps, eps + (var - var.detach()), var)  # keeps the gradient
    tensors = torch.broadcast_tensors(input, target, var)
    if not full:
        return computing.reduced(Request("gaussian", reduction, dtype, read_once=True), *tensors)
    request = Request("gaussian", "none", wide(dtype), read_once=True)
    values = computing.reduced(request, *tensors)
    return combined(values + HALF_LOG_TWO_PI, reduction).to(dtype)


def _lacks_one_axis(var: Tensor, input: Tensor) -> bool:
    """Whether a variance has 1 for one axis of the input, and the input's size for the others."""
    pairs = zip(input.shape, var.shape, strict=True) if input.dim() == var.dim() else ()
    return sum(m for n, m in pairs if n != m) == 1
