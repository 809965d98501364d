"""Fused kernels under PyTorch's autograd: the gradient is made where the loss is.

A reduced loss is a number, and so is its upstream gradient. The kernel therefore writes the
gradient while it reads the data, and the backward pass hands it over; only an upstream other than 1
costs another pass. An unreduced loss gets its gradient from a second kernel, which multiplies by
the upstream as it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from lossary.engine import results
from lossary.engine.arguments import Call
from lossary.engine.fused import Fused
from lossary.engine.memory import Memory

__all__ = [
    "State",
    "begun",
    "differentiated",
    "loss",
    "may_go_over",
    "moving",
    "others",
    "saved",
]


@dataclass
class State:
    """What the backward pass needs beside the saved tensors."""

    kernel: Any
    by_operations: Callable[..., Any]
    names: tuple[str, ...]
    others: tuple[Any, ...]
    value: Any
    gradients: list[Any] | None
    over: bool


def loss(kernel: Fused, by_operations: Callable[..., Any]) -> Any:
    """Return the loss as a node of the graph; None if a value lies outside its set."""
    call = kernel.call
    names = moving(call)
    tensors = [call.arrays[name] for name in names]
    if not names or not all(tensor.dtype.is_floating_point for tensor in tensors):
        return by_operations(call.arrays)
    gradients: list[Any] | None = None
    over = call.options.reduction != "none" and may_go_over(call, names)
    if call.options.reduction == "none":
        value = results.loss(kernel)
    else:
        gradients, total = _gradients(kernel, names, None, value=True, over=over)
        value = None if total is None else results.scalar(kernel, results.mean_of(kernel, total))
    if value is None:
        return None
    state = State(kernel, by_operations, names, others(call, names), value, gradients, over)
    return _Fused.apply(state, *tensors)


def moving(call: Call) -> tuple[str, ...]:
    """Return the arguments that are to get a gradient."""
    return tuple(
        argument.name
        for argument in call.definition.inputs
        if argument.domain.continuous and call.library.tracked(call.arrays[argument.name])
    )


def others(call: Call, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return what a later pass reads again: saved too, so that autograd notices a change of it."""
    found = [x for name, x in call.arrays.items() if name not in names]
    options = call.options
    return (*found, *(x for x in (options.weight, options.mask) if isinstance(x, torch.Tensor)))


def _gradients(
    kernel: Fused,
    names: tuple[str, ...],
    upstream: Memory | None,
    *,
    value: bool,
    factor: float = 1.0,
    over: bool = False,
) -> tuple[list[Any], float | None]:
    """Return the gradients, times a factor, and the weighted sum if it is wanted."""
    first, library = kernel.call.definition.inputs[0].name, kernel.call.library
    arrays = [
        x.detach() if over and name == first else library.blank(x, tuple(x.shape), x.dtype)
        for name, x in ((name, kernel.call.arrays[name]) for name in names)
    ]
    outputs = {
        f"gradient:{name}": kernel.output(array, f"gradient:{name}")
        for name, array in zip(names, arrays, strict=True)
    }
    scale = results.scale_of(kernel) * factor
    total = kernel.run(outputs, value=value, scale=scale, upstream=upstream, over=over)
    return arrays, total


def may_go_over(call: Call, names: tuple[str, ...]) -> bool:
    """Whether the gradient may and can go where the prediction is."""
    prediction = call.arrays[call.definition.inputs[0].name]
    if not call.options.inplace or call.definition.inputs[0].name not in names:
        return False
    if (prediction._base if prediction._is_view() else prediction).is_leaf:  # noqa: SLF001
        raise ValueError(
            f"{call.definition.name}: inplace=True would overwrite a leaf of the graph that "
            "requires a gradient\nhint: it is for logits that a model has computed"
        )
    return prediction.is_contiguous()


class _Fused(torch.autograd.Function):
    """The loss as one node: its state was computed before it is applied."""

    @staticmethod
    def forward(ctx: Any, state: State, *tensors: Any) -> Any:
        return begun(ctx, state, tensors)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        state: State = ctx.state
        tensors = saved(ctx, state)
        if torch.is_grad_enabled():
            return None, *differentiated(state, tensors, upstream[0])
        if state.kernel.call.options.reduction == "none":
            words = state.kernel.call.library.memory(upstream[0])
            if words is None:
                return None, *differentiated(state, tensors, upstream[0])
            return None, *_gradients(state.kernel, state.names, words.flat(False), value=False)[0]
        return None, *_scaled(state, upstream[0])


def begun(ctx: Any, state: State, tensors: tuple[Any, ...]) -> Any:
    """Save what the backward pass needs, and return the value of the loss."""
    ctx.state = state
    if state.over:
        # Other users of the prediction must notice that it has changed.
        torch.autograd.graph.increment_version(tensors[0])
    else:
        ctx.save_for_backward(*tensors, *state.others)
    # The node's own output must not hang on the node: that would be a cycle.
    value, state.value = state.value, None
    return value


def saved(ctx: Any, state: State) -> tuple[Any, ...]:
    """Return the tensors that get a gradient, if they are still there."""
    if not state.over:
        return ctx.saved_tensors[: len(state.names)]
    if state.gradients is None or torch.is_grad_enabled():
        raise RuntimeError(
            "the gradient was written over the prediction (inplace=True): there is one backward "
            "pass, and none through it\nhint: leave inplace=True out"
        )
    return ()


def _scaled(state: State, upstream: Any) -> list[Any]:
    """Hand the gradients over; a second backward pass through the same graph makes them anew.

    Half precision is never multiplied after rounding: a large factor would find zeros.
    """
    gradients, state.gradients = state.gradients, None
    factor = float(upstream)
    narrow = factor != 1 and any(gradient.dtype.itemsize < 4 for gradient in gradients or [])
    if gradients is None or (narrow and not state.over):
        return _gradients(state.kernel, state.names, None, value=True, factor=factor)[0]
    return gradients if factor == 1 else [gradient.mul_(factor) for gradient in gradients]


def differentiated(state: State, tensors: Any, upstream: Any) -> tuple[Any, ...]:
    """Differentiate the loss by its operations, which can be differentiated again."""
    arrays = {**state.kernel.call.arrays, **dict(zip(state.names, tensors, strict=True))}
    with torch.enable_grad():
        value = state.by_operations(arrays)
    return torch.autograd.grad(
        value, tensors, upstream, create_graph=torch.is_grad_enabled(), allow_unused=True
    )
