"""The common form in which every door says where it differs from its peer, and what it keeps.

Each ``tests/peers/<peer>_differences.py`` has ``PEER``, ``rows()`` and ``KEPT``, and prints its
section of ``docs/differences.md``.
"""

# ruff: noqa: T201  (its modules are commands that talk to a terminal)

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from lossary.tables import Column, Table

__all__ = ["Difference", "Kept", "show", "shown"]


class Difference(NamedTuple):
    """One call with two answers; ``truth`` is the exact one, or the peer's in float64."""

    call: str
    own: str
    peer: str
    truth: str
    why: str


class Kept(NamedTuple):
    """A peculiarity of the peer that the door reproduces by name, though the core has none."""

    where: str
    name: str
    effect: str


def shown(value: Any, *gradients: Any) -> str:
    """Return value and gradients in six digits, ``"value; gradient"``, or an exception by type."""
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {' '.join(str(value).split())[:90]}"
    return "; ".join(_numbers(x) for x in (value, *gradients))


def _numbers(x: Any) -> str:
    flat = np.asarray(x, dtype=np.float64).flat
    return ", ".join(f"{v + 0.0:.6g}" for v in flat)  # without the sign of -0


def table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    return Table([Column(name) for name in head], [tuple(row) for row in rows]).markdown()


def show(peer: str, rows: Iterable[Difference], kept: Iterable[Kept] = ()) -> None:
    """Print the section of a peer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [(f"`{d.call}`", *d[1:]) for d in rows]
    lines = [f"## {peer}", ""]
    lines += table(("call", "Lossary: value; gradient", peer, "exact", "why"), found)
    own = [(f"`{k.where}`", f"`{k.name}`", k.effect) for k in kept]
    if own:
        lines += ["", f"Kept as {peer} has it, by name:", ""]
        lines += table(("where", "name in the door", "effect"), own)
    print("\n".join(lines))
