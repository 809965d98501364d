"""Calls under ``torch.compile``: one node in the graph, looked into by the compiler's later stages.

Dynamo would otherwise trace the engine's own Python line by line. The node's inputs have to be
tensors and plain values, so a loss goes in by its number.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lossary.engine import selection
from lossary.engine.program import text, variant

if TYPE_CHECKING:
    from lossary.engine.loss import Loss

__all__ = ["identified", "identity", "is_compiling", "number", "one_node", "run"]

_numbered: list[Loss] = []


def number(loss: Loss) -> int:
    """Return the number under which the graph finds a loss."""
    _numbered.append(loss)
    return len(_numbered) - 1


def is_compiling() -> bool:
    """Whether torch.compile is tracing the caller."""
    return "torch" in sys.modules and sys.modules["torch"].compiler.is_dynamo_compiling()


def one_node(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of a loss one node of the graph while torch.compile is tracing."""
    name = method.__name__

    @wraps(method)
    def call(loss: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_compiling():
            return method(loss, *args, **kwargs)
        from lossary.engine.libraries.torch_graph import node

        return node(loss.number, name, args, kwargs)

    return call


def run(which: int, method: str, args: Any, kwargs: Any) -> Any:
    """Call the method for real, on the tensors of the compiler's next stage."""
    if method == "__call__" and selection.chosen() == "fused":
        from lossary.engine.libraries import torch_operator

        if torch_operator.usable(args, kwargs):
            return torch_operator.call(_numbered[which], args, kwargs)
    return getattr(_numbered[which], method)(*args, **kwargs)


@cache
def identity(loss: Loss) -> str:
    """Return what names a loss in graphs that are kept on disk: its name, and what it computes.

    Numbers go by the order of definitions, so that another program would find another loss.
    """
    texts = [
        text(variant(loss, absent, ()), ("value",), "numpy")
        for absent in (frozenset(), loss.absent_by_default)
    ]
    domains = {name: domain.name for name, domain in loss.domains.items()}
    return f"{loss.name}-{sha256(repr((texts, domains)).encode()).hexdigest()[:32]}"


def identified(wanted: str) -> Loss:
    """Return the loss of this identity."""
    name = wanted.rpartition("-")[0]
    return next(x for x in reversed(_numbered) if x.name == name and identity(x) == wanted)
