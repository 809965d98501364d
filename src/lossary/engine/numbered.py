"""Losses by number and by identity: what stands for one where only plain values can go.

The nodes of a compiled graph take tensors and plain values. Within this process a loss goes in by
its number; a graph that is kept on disk names it by its identity.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from lossary.definition import Definition
from lossary.engine.program import text, variant

_numbered: list[Any] = []


def number(loss: Any) -> int:
    """Return the number under which the graph finds a loss."""
    _numbered.append(loss)
    return len(_numbered) - 1


def numbered(which: int) -> Any:
    """Return the loss of this number."""
    return _numbered[which]


@cache
def identity(loss: Definition) -> str:
    """Return what names a loss in graphs that are kept on disk: its name, and what it computes.

    Numbers go by the order of definitions, so that another program would find another loss.
    """
    from hashlib import sha256

    texts = [
        text(variant(loss, absent, ()), ("value",), "numpy")
        for absent in (frozenset(), loss.absent_by_default)
    ]
    domains = {name: domain.name for name, domain in loss.domains.items()}
    return f"{loss.name}-{sha256(repr((texts, domains)).encode()).hexdigest()[:32]}"


def identified(wanted: str) -> Any:
    """Return the loss of this identity."""
    name = wanted.rpartition("-")[0]
    return next(x for x in reversed(_numbered) if x.name == name and identity(x) == wanted)
