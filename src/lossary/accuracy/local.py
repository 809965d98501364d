"""Which part of a formula loses digits: every node beside its true value.

The *local error* of a node is what floats make of it when its arguments are right, each rounded
once: a difference that cancels, or a logarithm of what has overflowed, shows here and not in the
nodes that only pass it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lossary.accuracy.exact import context, each_node, numbers
from lossary.accuracy.oracle import Place
from lossary.accuracy.ulps import FORMATS, Format, ulps
from lossary.formula import Expression, apply, variable, walk
from lossary.render import Program, render

Array = np.ndarray
Point = Mapping[str, Any]

MOST_BITS = 2**14
SURE = 80  # bits in which two precisions agree


def exact_nodes(plan: Sequence[Expression], point: Point) -> dict[Expression, Any] | None:
    """Return the true value of each node, or None where the last one is not a finite number."""
    place, m = Place(point), context()
    bits, last = 2 * (place.spacing + place.extent) + 256, None
    while bits < MOST_BITS:
        with m.workprec(bits):
            try:
                found = each_node(plan, place.numbers, place.classes)
            except (ArithmeticError, ValueError):  # a pole in a case that is not taken
                return None
            entries = _entries(found[plan[-1]])
            if not all(m.isfinite(x) for x in entries):
                return None
            if last and all(map(_close, entries, _entries(last[plan[-1]]))):
                return found
        bits, last = 2 * bits, found
    return None


def _entries(x: Any) -> list[Any]:
    m = context()
    return [m.mpf(entry) for entry in numbers(x)]


def _close(x: Any, y: Any) -> bool:
    m = context()
    return bool(abs(x - y) <= m.ldexp(abs(x), -SURE) or max(abs(x), abs(y)) < m.ldexp(1, -1200))


@lru_cache(maxsize=4096)
def _compiled(expression: Expression, names: tuple[tuple[str, bool], ...]) -> Callable[..., Array]:
    """Return a function of ``like``, an array with the classes last, and of the arguments."""
    arguments = ("like", *(name for name, _ in names))
    namespace: dict[str, Any] = {}
    exec(render(Program("node", arguments, (expression,)), "numpy"), namespace)  # noqa: S102
    return namespace["node"]


def floats(expression: Expression, arrays: Mapping[str, Array], classes: int) -> Array:
    """Return an expression in floating point; arrays have the classes, or 1, last."""
    names = tuple((name, x.shape[-1] > 1) for name, x in arrays.items())
    rows = len(next(iter(arrays.values())))
    with np.errstate(all="ignore"):
        found = _compiled(expression, names)(np.zeros((rows, classes)), *arrays.values())
    return np.broadcast_to(found, (rows, classes if expression.class_axis else 1))


def _step(node: Expression, done: Mapping[Expression, Array], classes: int) -> Array:
    """Return a node of the values of its arguments."""
    arguments = [a for a in dict.fromkeys(node.arguments) if a.operator != "constant"]
    symbols = {a: variable(f"a{i}", class_axis=a.class_axis) for i, a in enumerate(arguments)}
    call = apply(
        node.operator, *(symbols.get(a, a) for a in node.arguments), class_axis=node.class_axis
    )
    given = {str(symbols[a].payload): done[a] for a in arguments}
    if not given:
        given = {"a0": next(iter(done.values()))}
    return floats(call, given, classes)


@dataclass
class Nodes:
    """The nodes of an expression at points: true, in floats, and with one of them put right."""

    expression: Expression
    points: Sequence[Point]
    form: Format
    labels: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        plan = tuple(walk(self.expression))
        exact = [exact_nodes(plan, p) for p in self.points]
        self.known: list[int] = [i for i, found in enumerate(exact) if found is not None]
        self.exact: list[dict[Expression, Any]] = [found for found in exact if found is not None]
        self.points = [self.points[i] for i in self.known]
        rows = [len(x) for p in self.points for x in p.values() if np.ndim(x)]
        self.classes: int = rows[0] if rows else 1
        self.plan: list[Expression] = [n for n in plan if n.operator != "constant"]
        floats = self.exact != []
        self.rounded: dict[Expression, Array] = (
            {n: self._rounded(n) for n in self.plan} if floats else {}
        )
        self.floats: dict[Expression, Array] = self._forward({}) if floats else {}

    def _rounded(self, node: Expression) -> Array:
        rows = [found[node] for found in self.exact]
        kind = bool if isinstance(rows[0], bool) else float
        if node.operator == "variable" and str(node.payload) in self.labels:
            kind = int
        width = self.classes if node.class_axis else 1
        out = np.empty((len(rows), width), dtype=kind)
        for place, row in enumerate(rows):
            out[place] = [kind(x) for x in row] if isinstance(row, list) else kind(row)
        return out

    def _forward(self, put_right: Mapping[Expression, Array]) -> dict[Expression, Array]:
        done: dict[Expression, Array] = {}
        for node in self.plan:
            if node in put_right or node.operator == "variable":
                done[node] = self.rounded[node]
            else:
                done[node] = _step(node, done or self.rounded, self.classes)
        return done

    def errors(self, node: Expression, found: Array) -> Array:
        """Return the largest error of each point in units of the last place."""
        form = FORMATS["float64"] if node is not self.expression else self.form
        if found.dtype == bool:
            return np.where((found == self.rounded[node]).all(-1), 0.0, np.inf)
        return np.array(
            [
                max(
                    ulps(float(x), truth, form) if context().isfinite(truth) else 0.0
                    for x, truth in zip(row, self._row(exact[node], found), strict=True)
                )
                for row, exact in zip(found, self.exact, strict=True)
            ]
        )

    def _row(self, truth: Any, like: Array) -> list[Any]:
        entries = _entries(truth)
        return entries if len(entries) == like.shape[-1] else entries * like.shape[-1]

    def local(self) -> dict[Expression, Array]:
        """Return the local error of every node that computes."""
        made = [n for n in self.plan if n.arguments]
        return {n: self.errors(n, _step(n, self.rounded, self.classes)) for n in made}

    def culprits(self, least: float) -> list[Expression | None]:
        """Return the node of each point whose local error, once put right, mends the result."""
        local = self.local()
        before = self.errors(self.expression, self.floats[self.expression])
        suspects = [n for n, errors in local.items() if (errors > least).any()]
        after = {
            n: self.errors(self.expression, self._forward({n: self.rounded[n]})[self.expression])
            for n in suspects
            if n is not self.expression
        }
        found: list[Expression | None] = []
        for i in range(len(self.points)):
            own = [n for n in suspects if local[n][i] > least]
            mending = [
                n for n in own if n in after and after[n][i] < max(before[i] / 16, 2 * least)
            ]
            # What is put right first mends all that uses it.
            worst = max(own, key=lambda n: local[n][i], default=None)
            found.append(mending[0] if mending else worst)
        return found

    def sensitivity(self, names: Sequence[str], asked: Sequence[bool]) -> Array:
        """Return how far a rounding of the arguments moves each result, in its last place.

        Points that are not ``asked`` for have 0.
        """
        m, plan = context(), tuple(walk(self.expression))
        moved = []
        for point, exact, ask in zip(self.points, self.exact, asked, strict=True):
            truth = _entries(exact[self.expression])
            total = [0.0] * len(truth)
            for name in names if ask else ():
                found = exact_nodes(plan, {**point, name: _nudged(m, point[name])})
                if found is None:
                    continue
                there = _entries(found[self.expression])
                for k, (x, t) in enumerate(zip(there, truth, strict=True)):
                    total[k] += ulps(x, t, self.form)
            moved.append(max(total))
        return np.array(moved)


def _nudged(m: Any, value: Any) -> Any:
    """Return a number, or each number of a row, moved by half a unit of its last place."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [m.mpf(x) * (1 + m.ldexp(1 if k % 2 else -1, -53)) for k, x in enumerate(value)]
    with m.workprec(2500):
        return m.mpf(value) * (1 + m.ldexp(1, -53))
