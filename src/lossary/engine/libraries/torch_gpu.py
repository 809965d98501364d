"""Triton kernels under PyTorch's autograd: the gradient is made where the loss is.

As in ``torch_fused``, with one difference: the upstream gradient is a number on the device, and the
host must not wait for it. The backward pass therefore launches a kernel that reads the number and
leaves at once if it is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from lossary.engine import gpu
from lossary.engine.gpu import NoKernelError, OnGpu
from lossary.engine.libraries import torch_fused
from lossary.engine.libraries.torch_fused import State
from lossary.render.kernel import Storage

__all__ = ["loss"]


@gpu.attempt
def loss(kernel: OnGpu, by_operations: Callable[..., Any]) -> Any:
    """Return the loss as a node of the graph."""
    call = kernel.call
    names = torch_fused.moving(call)
    tensors = [call.arrays[name] for name in names]
    if not names or not all(tensor.dtype.is_floating_point for tensor in tensors):
        return by_operations(call.arrays)
    gradients: list[Any] | None = None
    over = False
    if call.options.reduction == "none":
        value = kernel.run({"value": kernel.storage("value")})["value"]
    else:
        # Where each program has an element of its own, there is no row whose memory to save.
        over = call.definition.class_axis and torch_fused.may_go_over(call, names)
        wanted: dict[str, Storage] = {"value": "float64"}
        found = kernel.run(wanted | _wanted(kernel, names), reduce=True, inplace=over)
        gradients = _shaped(kernel, names, found)
        value = kernel.reduced(found["value"])
    state = State(
        kernel, by_operations, names, torch_fused.others(call, names), value, gradients, over
    )
    return _OnGpu.apply(state, *tensors)


def _wanted(kernel: OnGpu, names: tuple[str, ...]) -> dict[str, Storage]:
    return {f"gradient:{name}": kernel.storage(f"gradient:{name}") for name in names}


def _shaped(kernel: OnGpu, names: tuple[str, ...], found: Mapping[str, Any]) -> list[Any]:
    """Return the gradients in the shapes of the call: numbers for rows have an axis of 1 there."""
    return [found[f"gradient:{name}"].view(kernel.call.arrays[name].shape) for name in names]


class _OnGpu(torch.autograd.Function):
    """The loss as one node: its state was computed before it is applied."""

    @staticmethod
    def forward(ctx: Any, state: State, *tensors: Any) -> Any:
        return torch_fused.begun(ctx, state, tensors)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        state: State = ctx.state
        tensors = torch_fused.saved(ctx, state)
        plain = state.kernel.call.library.dense(upstream[0])
        if torch.is_grad_enabled() or not plain:
            return None, *torch_fused.differentiated(state, tensors, upstream[0])
        try:
            return None, *_gradients(state, upstream[0])
        except NoKernelError:
            return None, *torch_fused.differentiated(state, tensors, upstream[0])


def _gradients(state: State, upstream: Any) -> list[Any]:
    kernel, names = state.kernel, state.names
    if kernel.call.options.reduction != "none":
        return _scaled(state, upstream)
    return _shaped(kernel, names, kernel.run(_wanted(kernel, names), upstream=upstream))


def _scaled(state: State, factor: Any) -> list[Any]:
    """Hand the gradients over; a second backward pass through the same graph makes them anew.

    Half precision is never multiplied after rounding, where a large factor would find zeros: its
    kernel runs again over what it has written, unless the factor is 1.
    """
    kernel, names = state.kernel, state.names
    gradients, state.gradients = state.gradients, None
    if gradients is None:
        return _shaped(kernel, names, kernel.run(_wanted(kernel, names), factor=factor))
    if state.over or all(x.dtype.itemsize >= 4 for x in gradients):
        from lossary.kernels.triton_scale import scale_in_place

        return [scale_in_place(x, factor) for x in gradients]
    written = {f"gradient:{name}": x for name, x in zip(names, gradients, strict=True)}
    kernel.run(_wanted(kernel, names), factor=factor, over=written)
    return gradients
