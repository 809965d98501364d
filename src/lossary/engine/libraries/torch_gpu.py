"""Triton kernels under PyTorch's autograd: the gradient is made where the loss is.

As in ``torch_fused``, with one difference: the upstream gradient is a number on the device, and the
host must not wait for it. The backward pass therefore launches a kernel that reads the number and
leaves at once if it is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from lossary.engine import gpu
from lossary.engine.arguments import Call
from lossary.engine.gpu import NoKernelError, OnGpu
from lossary.engine.libraries import torch_fused
from lossary.engine.libraries.torch_fused import Found, State
from lossary.render.kernel import Storage


@gpu.attempt
def value(kernel: OnGpu, by_operations: Callable[[Call], Any]) -> Any:
    """Return the loss as a node of the graph."""
    call = kernel.call
    names = torch_fused.moving(call)
    tensors = [call.arrays[name] for name in names]
    if not names or not all(tensor.dtype.is_floating_point for tensor in tensors):
        return by_operations(call)
    over = False
    if call.options.reduction == "none":
        found = Found(kernel.run({"value": kernel.storage("value")})["value"])
    else:
        # Where each program has an element of its own, there is no row whose memory to save.
        over = call.definition.class_axis and torch_fused.may_go_over(call, names)
        wanted: dict[str, Storage] = {"value": "float64"}
        made = kernel.run(wanted | _wanted(kernel, names), reduce=True, inplace=over)
        found = Found(kernel.reduced(made["value"]), _shaped(kernel, names, made))
    state = torch_fused.state_of(kernel, gpu.fused, by_operations, over)
    if over:
        tensors[0] = torch_fused.set_apart(tensors[0])
    return _OnGpu.apply(state, found, *tensors)


def _wanted(kernel: OnGpu, names: tuple[str, ...]) -> dict[str, Storage]:
    return {f"gradient:{name}": kernel.storage(f"gradient:{name}") for name in names}


def _shaped(kernel: OnGpu, names: tuple[str, ...], found: Mapping[str, Any]) -> list[Any]:
    """Return the gradients in the shapes of the call: numbers for rows have an axis of 1 there."""
    return [
        found[f"gradient:{name}"].detach().view(kernel.call.arrays[name].shape) for name in names
    ]


class _OnGpu(torch.autograd.Function):
    """The loss as one node: it was computed before it is applied."""

    @staticmethod
    def forward(ctx: Any, state: State, found: Found, *tensors: Any) -> Any:
        return torch_fused.begun(ctx, state, found)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        return None, None, *_sent_back(ctx.state, *torch_fused.resumed(ctx), upstream[0])


def _sent_back(state: State, call: Call, gradients: list[Any], upstream: Any) -> Sequence[Any]:
    if torch.is_grad_enabled() or not call.library.dense(upstream):
        return torch_fused.differentiated(state, call, upstream)
    try:
        if call.options.reduction != "none":
            return _scaled(state, call, gradients, upstream)
        return _anew(state, call, upstream=upstream)
    except NoKernelError:
        return torch_fused.differentiated(state, call, upstream)


def _anew(state: State, call: Call, **how: Any) -> list[Any]:
    """Return the gradients by another launch."""
    kernel = state.kernel(call)
    if isinstance(kernel, str):
        raise NoKernelError(kernel)
    return _shaped(kernel, state.names, kernel.run(_wanted(kernel, state.names), **how))


def _scaled(state: State, call: Call, gradients: list[Any], factor: Any) -> list[Any]:
    """Hand the gradients over; a second backward pass through the same graph makes them anew.

    Half precision is never multiplied after rounding, where a large factor would find zeros: its
    kernel runs again over what it has written, unless the factor is 1.
    """
    if state.handed_over:
        return _anew(state, call, factor=factor)
    state.handed_over = True
    if state.over or all(x.dtype.itemsize >= 4 for x in gradients):
        from lossary.kernels.triton_scale import scale_in_place

        return [scale_in_place(x, factor) for x in gradients]
    names = [f"gradient:{name}" for name in state.names]
    _anew(state, call, factor=factor, over=dict(zip(names, gradients, strict=True)))
    return gradients
