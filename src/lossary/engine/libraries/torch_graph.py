"""The node that stands for a call of a loss in a graph of ``torch.compile``."""

from __future__ import annotations

from typing import Any

import torch

from lossary.engine import graph


@torch.compiler.allow_in_graph
def node(which: int, method: str, args: Any, kwargs: Any) -> Any:
    """Call a method of the loss with this number."""
    return graph.run(which, method, args, kwargs)
