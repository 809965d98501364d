"""The node that stands for a call of a loss in a graph of ``torch.compile``."""

from __future__ import annotations

from typing import Any

import torch

from lossary.engine import selection
from lossary.engine.libraries import torch_operator
from lossary.engine.numbered import numbered


@torch.compiler.allow_in_graph
def node(which: int, method: str, args: Any, kwargs: Any) -> Any:
    """Call a method of the loss with this number, on the tensors of the compiler's next stage."""
    loss = numbered(which)
    fused = method == "__call__" and selection.chosen() == "fused" and not loss.without_kernel
    if fused and torch_operator.usable(args, kwargs):
        return torch_operator.call(loss, args, kwargs)
    return getattr(loss, method)(*args, **kwargs)
