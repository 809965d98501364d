"""Why a part of a formula loses digits, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.accuracy.exact import context, each_node, numbers
from lossary.accuracy.local import Nodes
from lossary.accuracy.oracle import Place
from lossary.accuracy.written import written
from lossary.formula import Expression, walk


@dataclass(frozen=True)
class Cause:
    """The part to blame, the kind of loss, why it happens, and what helps in general."""

    name: str
    part: str
    why: str
    help: str


HELP = {
    "cancellation": "write the difference as one function of a small number: expm1, log1p, a "
    "series near 0 in where(condition, a, b); a form by hand goes into @loss(computed=...)",
    "overflow": "keep the size out: divide by the largest, or work with logarithms",
    "underflow": "work with logarithms, or multiply by a size that keeps the number away from 0",
    "amplification": "give the function an argument that needs no rounding",
    "undefined": "say with where(condition, a, b) what the loss is there, or narrow the sets",
    "rounding": "fewer steps lose fewer digits",
    "another formula": "mend computed=, or the formula: they have to mean the same",
}


def cause_of(part: Expression | None, nodes: Nodes, meaning: Expression) -> Cause:
    """Return why a node of an expression loses digits at the one point of ``nodes``."""
    node = nodes.expression if part is None else part
    text = _as_written(node, nodes, meaning)
    arguments = [a for a in node.arguments if a.operator != "constant"]
    for argument in arguments:
        size = _largest(nodes.exact[0][argument])
        if np.isinf(nodes.rounded[argument]).any() and context().isfinite(size):
            why = f"{_as_written(argument, nodes, meaning)} is too large for a float64"
            return _cause("overflow", text, why)
        small = _smallest(nodes.exact[0][argument])
        if small and float(small) < 2.3e-308:
            why = f"{_as_written(argument, nodes, meaning)} is too small for a float64"
            return _cause("underflow", text, why)
    if not np.isfinite(nodes.floats[node][0]).all():
        return _cause("overflow", text, "a number on the way to it is too large for a float64")
    if part is None:
        return _cause("rounding", text, "each step rounds, and no step stands out")
    if node.operator in {"add", "subtract", "sum_of_three", "total"}:
        sizes = [_largest(nodes.exact[0][a]) for a in node.arguments]
        result = _smallest(nodes.exact[0][node]) or context().mpf(2) ** -1074
        lost = float(context().log10(max(sizes) / result)) if max(sizes) else 0.0
        if lost > 0.9:
            digits = "all" if lost > 16 else f"{lost:.0f}"
            return _cause("cancellation", text, f"{digits} leading digits cancel in the difference")
    return _cause("amplification", text, "a rounding of its argument changes it far more")


def another(part: str) -> Cause:
    """Return what is wrong where a form by hand means something else than the formula."""
    why = "computed= is another formula: its own value, without any rounding, is not the loss"
    return _cause("another formula", part, why)


def _cause(name: str, part: str, why: str) -> Cause:
    return Cause(name, part, why, HELP[name])


def _largest(x: Any) -> Any:
    m = context()
    return max(abs(m.mpf(v)) for v in numbers(x))


def _smallest(x: Any) -> Any:
    """Return the smallest size other than 0, or 0."""
    m = context()
    sizes = [abs(m.mpf(v)) for v in numbers(x)]
    return min((s for s in sizes if s), default=m.mpf(0))


def _as_written(node: Expression, nodes: Nodes, meaning: Expression) -> str:
    """Return a node in the author's words: the part of the formula that is the same number."""
    plan = tuple(walk(meaning))
    if node in set(plan):
        return written(node)
    evaluated = [
        (_evaluated(plan, point), exact)
        for point, exact in zip(nodes.points, nodes.exact, strict=True)
    ]
    for candidate in reversed(plan):
        if candidate.arguments and all(
            own is not None and _same(own[candidate], exact[node]) for own, exact in evaluated
        ):
            return written(candidate)
    return written(node)


def _evaluated(
    plan: Sequence[Expression], point: Mapping[str, Any]
) -> dict[Expression, Any] | None:
    """Return each node at a point, with more bits than its numbers span."""
    place = Place(point)
    with context().workprec(2 * (place.spacing + place.extent) + 2000):
        try:
            return each_node(plan, place.numbers, place.classes)
        except (ArithmeticError, ValueError):
            return None


def _same(x: Any, y: Any) -> bool:
    if isinstance(x, list) != isinstance(y, list) or isinstance(x, bool) or isinstance(y, bool):
        return False
    m = context()
    pairs = zip(x, y, strict=False) if isinstance(x, list) else [(x, y)]
    return all(m.isfinite(a) and abs(a - b) <= m.ldexp(abs(b), -60) for a, b in pairs)


def undefined(meaning: Expression, point: Mapping[str, Any]) -> Cause | None:
    """Return the part of a formula that is the first not to be a number at a point, if one is."""
    plan, m = tuple(walk(meaning)), context()
    found = _evaluated(plan, point)
    if found is None:
        return None
    for node in plan:
        if any(m.isnan(m.mpf(x)) for x in numbers(found[node])):
            parts = ", ".join(
                f"{written(a)} is {_short(found[a])}"
                for a in node.arguments
                if a.operator != "constant"
            )
            return _cause("undefined", written(node), f"it is no number where {parts}")
    return None


def _short(x: Any) -> str:
    found = [float(v) for v in numbers(x)]
    text = ", ".join(f"{v:g}" for v in found)
    return text if len(found) == 1 else f"[{text}]"
