"""Calls under ``torch.compile``: one node in the graph, looked into by the compiler's later stages.

Dynamo would otherwise trace the engine's own Python line by line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def is_compiling() -> bool:
    """Whether torch.compile is tracing the caller."""
    return "torch" in sys.modules and sys.modules["torch"].compiler.is_dynamo_compiling()


def one_node(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Make a method of a loss one node of the graph while torch.compile is tracing."""
    name = method.__name__

    @wraps(method)
    def call(loss: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        if not is_compiling():
            return method(loss, *args, **kwargs)
        return node(loss, name, args, kwargs)

    return call


def node(loss: Any, method: str, args: Any, kwargs: Any) -> Any:
    """Return what a node of the graph that is being traced does in the place of a method."""
    from lossary.engine.libraries import torch_graph

    return torch_graph.node(loss.number, method, args, kwargs)
