"""What a kernel is, before any language: its data, its results, what shapes its text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from lossary.domain import Domain
from lossary.formula import Expression, variable
from lossary.functions import absolute, exp, pick, total
from lossary.render import lanes
from lossary.render.lowering import lower
from lossary.render.passes import Plan
from lossary.render.spare import relax

Storage = Literal["float64", "float32", "bfloat16", "float16", "integer", "boolean"]

Place = Literal["element", "class", "row", "label", "number"]


@dataclass(frozen=True)
class Operand:
    """A named input: one value for each element, class or row, a label, or one number for all.

    ``right`` says whether a value lies in its set, ``ascending`` whether a row does; ``mass`` is
    what a row must sum up to 1 by.
    """

    name: str
    place: Place
    storage: Storage
    right: Expression | None = None
    mass: Expression | None = None
    tolerance: float = 0.0
    ascending: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Result:
    """A result: the reduced value, or an array in a storage format.

    ``over`` names the operand whose memory the result takes, if it has none of its own.
    """

    name: str
    expression: Expression
    storage: Storage
    derivative: bool
    over: str | None = None

    @property
    def array(self) -> str:
        """What the text calls the memory that the result goes to."""
        return self.over or self.name


@dataclass(frozen=True)
class Kernel:
    """A function to print that computes all results in one pass over memory.

    Derivatives are multiplied by ``scale`` and, where they are given, by each element's weight and
    upstream gradient. With ``reduce`` the weighted values are summed instead of written. With
    ``single`` what belongs to a class is computed in float32.
    """

    name: str
    operands: tuple[Operand, ...]
    results: tuple[Result, ...]
    class_axis: bool
    reduce: bool = True
    weight: Storage | None = None
    mask: bool = False
    upstream: Storage | None = None
    check: bool = True
    single: bool = False

    @cached_property
    def spare(self) -> bool:
        """Whether float64 has precision to spare for all that goes in and out.

        The sum of a reduced loss is float64 on its way, and is rounded with the rest.
        """
        written = [r.storage for r in self.results if r.derivative or not self.reduce]
        read = [o.storage for o in self.operands if o.place != "number"]
        return "float64" not in {*written, *read}

    @cached_property
    def suits_single(self) -> bool:
        """Whether float32 does for what belongs to a class: all of it is stored so."""
        stored = {o.storage for o in self.operands if o.place == "class"}
        stored |= {r.storage for r in self.results if r.expression.class_axis}
        if stored != {"float32"} or any(o.mass is not None for o in self.operands):
            return False
        return all(lanes.suits(result.expression) for result in self.results)

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """The lowered results."""
        spare = self.spare and not self.single
        found = tuple(
            lower(result.expression, spare=spare, single=self.single) for result in self.results
        )
        return relax(found) if self.spare else found

    @cached_property
    def checks(self) -> tuple[Expression, ...]:
        """What must hold, for each element or class, and for each row."""
        if not self.check:
            return ()
        found = [operand.right for operand in self.operands if operand.right is not None]
        rows = [
            absolute(operand.mass - 1) <= operand.tolerance
            for operand in self.operands
            if operand.mass is not None
        ]
        orders = [order for operand in self.operands for order in operand.ascending]
        return (*found, *rows, *orders)

    @cached_property
    def plan(self) -> Plan:
        """The passes over a row; the checks come after the results."""
        return Plan.of((*self.expressions, *self.checks))

    @cached_property
    def outcomes(self) -> tuple[Expression, ...]:
        """The results as the plan computes them."""
        return self.plan.results[: len(self.results)]

    @cached_property
    def conditions(self) -> tuple[Expression, ...]:
        """The checks as the plan computes them."""
        return self.plan.results[len(self.results) :]

    @property
    def extras(self) -> dict[str, Storage]:
        """What belongs to an element or row beside the data, and how it is stored."""
        stored = {"weight": self.weight, "mask": self.mask and "boolean", "upstream": self.upstream}
        return {name: storage for name, storage in stored.items() if storage}

    @cached_property
    def summed(self) -> Result | None:
        """The result that is added up instead of written, if there is one."""
        return next((result for result in self.results if not self.written(result)), None)

    def written(self, result: Result) -> bool:
        """Whether a result is an array, not a sum."""
        return result.derivative or not self.reduce

    def factors(self, result: Result) -> list[str]:
        """Return what a result is multiplied by."""
        weight = ["weight"] * bool(self.weight)
        above = ["upstream"] * bool(self.upstream)
        return ["scale", *weight, *above] if result.derivative else weight

    def operand(self, name: str) -> Operand:
        """Return the operand of that name."""
        return next(o for o in self.operands if o.name == name)


def check_of(name: str, domain: Domain, *, tolerance: float) -> dict[str, Any]:
    """Return what an operand of a domain must fulfil, as facts of an Operand."""
    symbol = variable(name, class_axis=domain.class_axis)
    facts: dict[str, Any] = {"right": domain.contains(symbol)}
    if domain.mass:
        facts["mass"] = total(symbol if domain.mass == "sum" else exp(symbol))
        facts["tolerance"] = tolerance
    facts["ascending"] = tuple(pick(symbol, i) <= pick(symbol, j) for i, j in domain.ascending)
    return facts
