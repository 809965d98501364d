"""How a kernel goes along the class axis: which sums and peaks each pass over a row completes.

An array library may walk a row once per operation. A kernel walks it as few times as the formula's
nested reductions demand, so targets that print kernels share this plan: in pass p everything is
known that rests on the reductions of earlier passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lossary.formula import Expression, apply, walk
from lossary.functions.vocabulary import TRUTHS
from lossary.rewriting import rebuild

REDUCTIONS = frozenset({"total", "peak", "argpeak"})

# Worth keeping for a later pass instead of computing it again, and worth a thread of its own.
COSTLY = frozenset(
    {"exp", "exp_difference", "expm1", "log", "log1p", "tanh", "power", "sqrt", "sin", "cos"}
)


@dataclass(frozen=True)
class Plan:
    """The passes over a row that compute some results."""

    results: tuple[Expression, ...]

    @classmethod
    def of(cls, results: Iterable[Expression]) -> Plan:
        """Plan for lowered expressions."""
        return cls(tuple(_without_picks(result) for result in results))

    @cached_property
    def stage(self) -> dict[Expression, int]:
        """The first pass in which each node can be computed."""
        stage: dict[Expression, int] = {}
        for node in walk(*self.results):
            ready = max((stage[a] for a in node.arguments), default=0)
            stage[node] = ready + (node.operator in REDUCTIONS)
        return stage

    @cached_property
    def reductions(self) -> tuple[tuple[Expression, ...], ...]:
        """The sums and peaks that each pass completes; the last pass completes none."""
        last = max((self.stage[result] for result in self.results), default=0)
        found = [n for n in walk(*self.results) if n.operator in REDUCTIONS]
        return tuple(
            tuple(node for node in found if self.stage[node] == number + 1)
            for number in range(last + 1)
        )

    def written(self, number: int) -> tuple[int, ...]:
        """The results with a class axis, by place, that are written in a pass."""
        return tuple(
            place
            for place, result in enumerate(self.results)
            if result.class_axis and self.stage[result] == number
        )

    def roots(self, number: int) -> list[Expression]:
        """What a pass evaluates for each class."""
        roots = [n.arguments[0] for n in self.reductions[number]]
        return roots + [self.results[place] for place in self.written(number)]

    @cached_property
    def kept(self) -> tuple[tuple[Expression, ...], ...]:
        """The costly nodes that each pass stores for later ones."""
        costly = _resting_on_costly(self.results)
        made: dict[Expression, int] = {}
        kept: list[dict[Expression, None]] = []
        for number in range(len(self.reductions)):
            kept.append({})
            for node in _class_nodes(self.roots(number), made):
                if node in made:
                    kept[made[node]][node] = None
                elif node in costly:
                    made[node] = number
        return tuple(map(tuple, kept))


def _class_nodes(roots: Sequence[Expression], made: Iterable[Expression]) -> list[Expression]:
    """Return the nodes with a class axis below the roots, not looking below nodes already made."""
    known, found = set(made), dict[Expression, None]()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.class_axis and node not in found:
            found[node] = None
            stack.extend(() if node in known else node.arguments)
    return list(found)


def _resting_on_costly(results: Sequence[Expression]) -> set[Expression]:
    costly: set[Expression] = set()
    for node in walk(*results):
        own = node.operator in COSTLY
        number = node.operator not in TRUTHS
        if number and node.class_axis and (own or any(a in costly for a in node.arguments)):
            costly.add(node)
    return costly


def row_parts(roots: Sequence[Expression], known: Iterable[Expression]) -> list[Expression]:
    """Return the largest parts without a class axis that must be computed before a loop."""
    done, found, seen = set(known), [], set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node in seen or node in done:
            continue
        seen.add(node)
        if node.class_axis:
            stack.extend(reversed(node.arguments))
        elif node.arguments:
            found.append(node)
    return found


def _without_picks(expression: Expression) -> Expression:
    """Move ``pick`` down to the arrays: the entry of f(x) at a class is f of the entry of x."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        arguments = tuple(done[a] for a in node.arguments)
        if node.operator == "pick":
            done[node] = _entry(arguments[0], arguments[1])
        elif node.operator in REDUCTIONS and not arguments[0].class_axis:
            done[node] = arguments[0]
        else:
            done[node] = rebuild(node, arguments)
    return done[expression]


def _entry(expression: Expression, label: Expression) -> Expression:
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        if not node.class_axis:
            done[node] = node
        elif node.operator == "class_index":
            done[node] = label
        elif not node.arguments:
            done[node] = apply("pick", node, label, class_axis=False)
        else:
            done[node] = rebuild(node, tuple(done[a] for a in node.arguments))
    return done[expression]
