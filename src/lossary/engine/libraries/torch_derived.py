"""Derivatives that a kernel has made, as nodes of PyTorch's graph.

Whoever asks for a gradient while autograd looks on may differentiate it again, or call ``backward``
on the value beside it. A kernel's numbers have no history; the node goes back by operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch


def in_graph(
    found: Sequence[Any], given: Iterable[Any], again: Callable[[], Sequence[Any]]
) -> list[Any]:
    """Return what was found with a history, if an argument has one; ``again`` finds it anew."""
    if not torch.is_grad_enabled():
        return [*found]
    tensors = [x for x in given if isinstance(x, torch.Tensor) and x.requires_grad]
    return [*_Derived.apply(again, found, *tensors)] if tensors else [*found]


class _Derived(torch.autograd.Function):
    """Values and derivatives that were computed before the node is applied."""

    @staticmethod
    def forward(ctx: Any, again: Callable[[], Sequence[Any]], found: Any, *tensors: Any) -> Any:
        ctx.again = again
        ctx.save_for_backward(*tensors)  # autograd notices a change of them
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        tensors = ctx.saved_tensors
        with torch.enable_grad():
            found = ctx.again()
        pairs = [(x, up) for x, up in zip(found, upstream, strict=True) if x.requires_grad]
        if not pairs:  # the slope of a straight line
            return None, None, *(None for _ in tensors)
        outputs, ups = zip(*pairs, strict=True)
        return (
            None,
            None,
            *torch.autograd.grad(
                outputs, tensors, ups, create_graph=torch.is_grad_enabled(), allow_unused=True
            ),
        )
