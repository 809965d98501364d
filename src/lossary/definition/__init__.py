"""A signature and a formula become a record.

The signature is the registry: names, order, defaults and domains stand there and nowhere else.
The first argument is the prediction; positional arguments are data, keyword-only ones are
hyper-parameters. A parameter whose default is ``None`` may be absent; the formula then sees None.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

from lossary import calculus, functions, handbook
from lossary.definition.mistakes import check, check_arguments
from lossary.definition.signature import Argument, arguments_of
from lossary.domain import Domain, Real, domain_of, positions
from lossary.errors import FormulaError
from lossary.formula import Expression, trace, variable, walk
from lossary.functions.vocabulary import fixed_place
from lossary.identities import stable
from lossary.rewriting import simplify, substitute
from lossary.spaces import empties, known_empty, measured, parts

PROMISES = {
    "non_negative": "never below 0",
    "non_negative_if_normalised": "not below 0, but for what the sums of the rows miss of 1",
    "zero_at_target": "0 when the prediction equals the target",
    "symmetric": "unchanged when prediction and target swap places",
    "convex": "convex in the prediction",
    "even": "depends on the size of prediction - target, not its sign",
    "bounded_gradient": "the gradient stays bounded",
    "shift_invariant": "unchanged when a constant is added along the class axis",
    "scale_invariant": "unchanged when the prediction is multiplied by a positive number",
    "needs_rivals": "0 for a row of one entry, which nothing is compared with",
    "proper": "in expectation least at the true distribution",
}


@dataclass(frozen=True, eq=False)
class Definition:
    """A loss: what its author wrote, and what follows from it by calculus."""

    name: str
    summary: str
    formula: Callable[..., Any] = field(repr=False, compare=False)
    declared: tuple[Argument, ...] | None = field(default=None, repr=False)
    """The arguments, where they are not those in the signature of the formula."""
    family: str = "custom"
    source: str = ""
    promises: frozenset[str] = frozenset()
    empty: str = ""
    computed: Callable[..., Any] | None = field(default=None, repr=False, compare=False)
    """A stable form by hand, where no identity gives one; it has to mean what the formula does."""
    state: Callable[..., Any] | None = field(default=None, repr=False, compare=False)
    """The state after a batch, as a formula over its examples, of a loss that has a state."""

    @cached_property
    def _advice(self) -> handbook.Advice:
        known = {} if self.family == "custom" else handbook.advice(self.family)
        return known.get(self.name, handbook.NOTHING)

    @property
    def choose(self) -> str:
        """When to choose it, rather than its neighbours."""
        return self._advice.choose

    @property
    def traps(self) -> tuple[str, ...]:
        """What goes wrong with it."""
        return self._advice.traps

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Its names in other libraries."""
        return self._advice.elsewhere

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """The arguments, read from the signature when they are first asked for."""
        return arguments_of(self.formula) if self.declared is None else self.declared

    @cached_property
    def inputs(self) -> tuple[Argument, ...]:
        """The data: prediction, target and their like."""
        return tuple(a for a in self.arguments if a.positional)

    @cached_property
    def parameters(self) -> tuple[Argument, ...]:
        """The hyper-parameters."""
        return tuple(a for a in self.arguments if not a.positional)

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """The set of each argument, by name."""
        return {a.name: a.domain for a in self.arguments}

    @cached_property
    def differentiable(self) -> tuple[str, ...]:
        """Names of the data that have a gradient; the first is the prediction."""
        return tuple(a.name for a in self.inputs if a.domain.continuous)

    @cached_property
    def class_axis(self) -> bool:
        """Whether a value belongs to a row of classes or features rather than to an element."""
        return any(a.domain.class_axis for a in self.inputs)

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """What the numbers of a row are called, where there is a fixed number of them."""
        return next((a.domain.entries for a in self.inputs if a.domain.entries), ())

    @cached_property
    def least_classes(self) -> int:
        """How many numbers a row needs, for entries that are picked at fixed places."""
        nodes = walk(self.expression(self.absent_by_default)) if self.class_axis else ()
        labels = [node.arguments[1] for node in nodes if node.operator == "pick"]
        places = [fixed_place(label) for label in labels]
        return max((place + 1 for place in places if place is not None), default=0)

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The names of the axes that a value is made of."""
        return tuple(dict.fromkeys(axis for a in self.inputs for axis in a.domain.axes))

    @cached_property
    def over_positions(self) -> bool:
        """Whether a value belongs to positions that a mask and weights can leave out."""
        return positions.name in self.axes

    @cached_property
    def counts_places(self) -> bool:
        """Whether members have places in an order, which a weight has no part of."""
        nodes = walk(self.expression(self.absent_by_default)) if self.class_axis else ()
        return any(node.operator == "rank" for node in nodes)

    @cached_property
    def without_kernel(self) -> str:
        """Why no kernel computes the loss, if none can."""
        if self.over_positions:
            return "no kernel sums over positions yet"
        nodes = [*walk(self.expression(self.absent_by_default))] if self.class_axis else []
        if any(node.paired for node in nodes):
            return "no kernel goes over pairs yet"
        if any(node.operator in functions.SOLVED for node in nodes):
            return "no kernel solves an equation yet"
        along = any(node.operator in functions.ALONG_AN_ORDER for node in nodes)
        return "no kernel goes along an order yet" if along else ""

    @cached_property
    def _traced(self) -> dict[frozenset[str], Expression]:
        return {}

    def variable(self, name: str) -> Expression:
        """Return the symbol of an argument."""
        return variable(name, axes=self.domains[name].axes)

    def meaning(self, absent: frozenset[str] = frozenset()) -> Expression:
        """Return the formula as its author wrote it, and what it is where its sums are empty."""
        written = self._trace(self.formula, absent)
        return known_empty(written, empties(written), self.empty) if self.empty else written

    def expression(self, absent: frozenset[str] = frozenset()) -> Expression:
        """Return the traced formula; ``absent`` names the optional parameters that are None."""
        if absent not in self._traced:
            written = self._trace(self.computed or self.formula, absent)
            self._traced[absent] = self.lowered(written)
        return self._traced[absent]

    def lowered(self, written: Expression) -> Expression:
        """Return how a formula of the loss's arguments is computed: as it stands, if it says so."""
        found = simplify(written) if self.computed else stable(written, self.sets)
        return known_empty(found, empties(found), self.empty) if self.empty else found

    @cached_property
    def position_weight(self) -> Expression:
        """The symbol of the weight of each position."""
        return variable("position_weight", axes=(positions.name,))

    def weighted_expression(self, absent: frozenset[str] = frozenset()) -> Expression:
        """Return the formula with a weight for each position."""
        return measured(self.expression(absent), self.position_weight)

    @cached_property
    def adds_up(self) -> bool:
        """Whether the loss is made of sums over positions, which add up over batches."""
        return self.over_positions and self._parts(self.absent_by_default) is not None

    def _parts(self, absent: frozenset[str]) -> tuple[Expression, ...] | None:
        """Return the sums that the formula is made of; None if it is made of more than sums."""
        alone = all(a.domain.class_axis for a in self.inputs)
        return parts(self._trace(self.formula, absent)) if alone else None

    def aggregates(self, absent: frozenset[str] | None = None) -> tuple[Expression, ...]:
        """Return the sums over positions that the loss can be computed from, as it is written."""
        absent = self.absent_by_default if absent is None else absent
        found = self._parts(absent) if self.over_positions else ()
        if found is None:
            raise FormulaError(
                f"{self.name} is not made of sums over positions alone, so that nothing adds up "
                "over batches\nhint: give all positions in one call"
            )
        return found

    def finish(self) -> Definition:
        """Return the loss as a function of its sums, which may come from many batches."""
        sums = self.aggregates()
        names = [f"sum_{place}" for place in range(1, len(sums) + 1)]
        real, _ = domain_of(Real)
        assert real is not None  # noqa: S101  (it is one)
        arguments = [
            Argument(name, real, inspect.Parameter.empty, positional=True) for name in names
        ]

        def formula(**symbols: Any) -> Expression:
            given = {
                self.variable(a.name): symbols[a.name]
                for a in self.parameters
                if symbols[a.name] is not None
            }
            absent = frozenset(n for n, symbol in symbols.items() if symbol is None)
            made = {part: symbols[name] for part, name in zip(sums, names, strict=True)}
            return substitute(self.meaning(absent), made | given)

        return Definition(
            name=f"{self.name}_of_sums",
            summary=f"{self.name} of its sums over positions.",
            formula=formula,
            declared=(*arguments, *self.parameters),
            source=self.source,
        )

    @property
    def sets(self) -> dict[str, str]:
        """The name of the set of each argument."""
        return {name: domain.name for name, domain in self.domains.items()}

    def _trace(self, formula: Callable[..., Any], absent: frozenset[str]) -> Expression:
        symbols: dict[str, Any] = {a.name: self.variable(a.name) for a in self.arguments}
        symbols |= dict.fromkeys(absent)
        result = trace(formula, symbols)
        if result.class_axis:
            axis = "position" if self.over_positions else "class"
            raise FormulaError(
                f"{self.name} has one value per {axis}, not one per row\n"
                f"hint: reduce the {axis} axis with total, peak or "
                f"{'mean' if self.over_positions else 'pick'}"
            )
        return result

    def gradient_expression(
        self, wrt: str | None = None, absent: frozenset[str] = frozenset()
    ) -> Expression:
        """Return the first derivative with respect to one argument, by default the prediction."""
        name = wrt or self.arguments[0].name
        return calculus.gradient(self.expression(absent), self.variable(name))

    def hessian_expression(
        self, wrt: str | None = None, absent: frozenset[str] = frozenset()
    ) -> Expression:
        """Return the diagonal of the second derivative."""
        name = wrt or self.arguments[0].name
        return calculus.diagonal_hessian(self.expression(absent), self.variable(name))

    @cached_property
    def absent_by_default(self) -> frozenset[str]:
        """The optional parameters, all of which are None unless a call gives them."""
        return frozenset(a.name for a in self.parameters if a.optional)


def define(
    formula: Callable[..., Any],
    *,
    source: str = "",
    promises: str = "",
    empty: str = "",
    family: str = "custom",
    computed: Callable[..., Any] | None = None,
    state: Callable[..., Any] | None = None,
) -> Definition:
    """Make a record; a user's formula is traced at once, so that mistakes show where they are made.

    ``computed`` is a stable form of the formula, a function of the same arguments, for a formula
    that no identity saves; ``accuracy()`` compares the two. ``state`` is a formula over positions,
    the examples of a batch: what an argument of the loss is for the next batch.
    """
    if computed is not None:
        check_arguments(formula, computed)
    promised = frozenset(promises.split())
    if unknown := promised - PROMISES.keys():
        raise FormulaError(
            f"{formula.__name__}: unknown promise {', '.join(sorted(unknown))}\n"
            f"hint: choose from {', '.join(PROMISES)}"
        )
    definition = Definition(
        name=formula.__name__,
        summary=inspect.getdoc(formula) or "",
        formula=formula,
        family=family,
        source=source,
        promises=promised,
        empty=empty,
        computed=computed,
        state=state,
    )
    if family == "custom":  # the catalogue's are read and traced when they are first asked for
        check(definition)
    return definition


def loss(**facts: Any) -> Callable[[Callable[..., Any]], Definition]:
    """Turn the formula below into a record; see :func:`define` for the facts it may carry."""

    def decorate(formula: Callable[..., Any]) -> Definition:
        room, _, family = formula.__module__.rpartition(".")
        facts.setdefault("family", family if room == "lossary.losses" else "custom")
        return define(formula, **facts)

    return decorate


def pascal_case(name: str) -> str:
    """Return a name as classes are named: ``smooth_l1`` becomes ``SmoothL1``."""
    return "".join(part.capitalize() for part in name.split("_"))


def gather(*families: ModuleType) -> dict[str, Definition]:
    """Collect the definitions of the modules, in order; a name used twice is an error."""
    found: dict[str, Definition] = {}
    for module in families:
        for value in vars(module).values():
            if not isinstance(value, Definition):
                continue
            if value.name in found and found[value.name] is not value:
                raise FormulaError(f"{module.__name__}: a loss named {value.name!r} exists already")
            found[value.name] = value
    return found
