"""Fused kernels in compiled graphs of PyTorch: one operator that the compiler does not look into.

``torch.compile`` sees through the array text and fuses it itself, which is the default. Under
``using(engine="fused")`` the graph gets this operator instead: the value and the gradients come out
of one kernel, and the backward pass multiplies by the upstream gradient.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from lossary.engine import selection
from lossary.engine.libraries.base import symbolic
from lossary.engine.numbered import identified, identity

_library = torch.library.Library("lossary", "DEF")
_library.define("fused(Tensor[] tensors, str call) -> Tensor[]")

_DEVICES = {"cpu": "CPU", "cuda": "CUDA"}

_TENSORS = "tensors"  # the word for an argument that is a tensor


def usable(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether all data lie in this machine's own memory, or on one GPU."""
    devices = {x.device for x in (*args, *kwargs.values()) if isinstance(x, torch.Tensor)}
    return len(devices) == 1 and devices.pop().type in _DEVICES


def call(loss: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return the loss as one operator of the graph."""
    tensors: list[Any] = []
    device = next(x.device for x in (*args, *kwargs.values()) if isinstance(x, torch.Tensor))

    def packed(x: Any) -> Any:
        if symbolic(x):
            x = torch.full((), x, dtype=torch.float64, device=device)
        if not isinstance(x, torch.Tensor):
            return x
        tensors.append(x)
        return _TENSORS, len(tensors) - 1

    arguments = [packed(x) for x in args], {name: packed(x) for name, x in kwargs.items()}
    names = [argument.name for argument in loss.inputs]
    given = dict(zip(names, args, strict=False))
    moving = [
        name
        for name in loss.differentiable
        if isinstance(x := given.get(name, kwargs.get(name)), torch.Tensor) and x.requires_grad
    ]
    text = repr((identity(loss), moving, *arguments))
    return _Node.apply(text, *tensors)


def _unpacked(
    tensors: Sequence[Any], text: str
) -> tuple[Any, list[str], list[Any], dict[str, Any]]:
    named, moving, args, kwargs = ast.literal_eval(text)

    def restored(x: Any) -> Any:
        packed = isinstance(x, tuple) and len(x) == 2 and x[0] == _TENSORS
        return tensors[x[1]] if packed else x

    return (
        identified(named),
        moving,
        [restored(x) for x in args],
        {name: restored(x) for name, x in kwargs.items()},
    )


def _places(tensors: Sequence[Any], text: str) -> list[int]:
    """Return where among the tensors those with a gradient are."""
    loss, moving, args, kwargs = _unpacked(tensors, text)
    given = dict(zip((a.name for a in loss.inputs), args, strict=False)) | kwargs
    return [next(i for i, x in enumerate(tensors) if x is given[name]) for name in moving]


def _compute(tensors: Sequence[Any], text: str) -> list[Any]:
    loss, moving, args, kwargs = _unpacked(tensors, text)
    with torch.no_grad(), selection.using(engine="fused"):
        if not moving:
            return [loss(*args, **kwargs).clone()]
        first, *others = moving
        value, gradient = loss.value_and_gradient(*args, wrt=first, **kwargs)
        rest = [loss.gradient(*args, wrt=name, **kwargs) for name in others]
    return [value, gradient, *rest]


def _shapes(tensors: Sequence[Any], text: str) -> list[Any]:
    loss, _, args, kwargs = _unpacked(tensors, text)
    prediction = args[0] if args else kwargs[loss.inputs[0].name]
    shape = list(prediction.shape) if kwargs.get("reduction") == "none" else []
    if shape and loss.class_axis:
        del shape[kwargs.get("axis", -1)]
    narrow = prediction.dtype.itemsize < 4
    value = prediction.new_empty(shape, dtype=torch.float32 if narrow else prediction.dtype)
    likes = [tensors[place] for place in _places(tensors, text)]
    return [value, *(torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in likes)]


class _Node(torch.autograd.Function):
    """The loss in the graph; its gradients stay inside, so that nothing else can use them."""

    @staticmethod
    def forward(ctx: Any, text: str, *tensors: Any) -> Any:
        loss, _, _, kwargs = _unpacked(tensors, text)
        value, *gradients = torch.ops.lossary.fused(tensors, text)
        ctx.places = _places(tensors, text)
        unreduced = kwargs.get("reduction") == "none" and loss.class_axis
        ctx.axis = kwargs.get("axis", -1) if unreduced else None
        ctx.save_for_backward(*gradients)
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *upstream: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        factor = upstream[0] if ctx.axis is None else upstream[0].unsqueeze(ctx.axis)
        found: list[Any] = [None] * (len(ctx.needs_input_grad) - 1)
        for place, gradient in zip(ctx.places, ctx.saved_tensors, strict=True):
            found[place] = (gradient * factor).to(gradient.dtype)
        return None, *found


for key in _DEVICES.values():
    torch.library.impl("lossary::fused", key)(_compute)
torch.library.register_fake("lossary::fused")(_shapes)
