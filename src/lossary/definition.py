"""A signature and a formula become a record.

The signature is the registry: names, order, defaults and domains stand there and nowhere else.
The first argument is the prediction; positional arguments are data, keyword-only ones are
hyper-parameters. A parameter whose default is ``None`` may be absent; the formula then sees None.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, get_type_hints

from lossary import calculus, functions
from lossary.domain import Domain, domain_of
from lossary.errors import FormulaError
from lossary.formula import Expression, trace, variable, walk
from lossary.identities import stable

__all__ = ["PROMISES", "Argument", "Definition", "check", "define", "gather", "loss", "pascal_case"]

PROMISES = {
    "non_negative": "never below 0",
    "zero_at_target": "0 when the prediction equals the target",
    "symmetric": "unchanged when prediction and target swap places",
    "convex": "convex in the prediction",
    "even": "depends on the size of prediction - target, not its sign",
    "bounded_gradient": "the gradient stays bounded",
    "shift_invariant": "unchanged when a constant is added along the class axis",
    "scale_invariant": "unchanged when the prediction is multiplied by a positive number",
    "proper": "in expectation least at the true distribution",
}

_CATALOGUE = "lossary.losses"


@dataclass(frozen=True)
class Argument:
    """One argument of a loss, as its signature declares it."""

    name: str
    domain: Domain
    default: Any
    positional: bool
    description: str = ""

    @property
    def optional(self) -> bool:
        """Whether the formula may see None instead."""
        return not self.positional and self.default is None

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True, eq=False)
class Definition:
    """A loss: what its author wrote, and what follows from it by calculus."""

    name: str
    summary: str
    formula: Callable[..., Any] = field(repr=False, compare=False)
    arguments: tuple[Argument, ...] = ()
    family: str = "custom"
    source: str = ""
    elsewhere: tuple[str, ...] = ()
    promises: frozenset[str] = frozenset()
    choose: str = ""
    traps: tuple[str, ...] = ()

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
    def _traced(self) -> dict[frozenset[str], Expression]:
        return {}

    def variable(self, name: str) -> Expression:
        """Return the symbol of an argument."""
        return variable(name, class_axis=self.domains[name].class_axis)

    def expression(self, absent: frozenset[str] = frozenset()) -> Expression:
        """Return the traced formula; ``absent`` names the optional parameters that are None."""
        if absent not in self._traced:
            symbols: dict[str, Any] = {a.name: self.variable(a.name) for a in self.arguments}
            symbols |= dict.fromkeys(absent)
            result = trace(self.formula, symbols, filter(str.islower, functions.__all__))
            if result.class_axis:
                raise FormulaError(
                    f"{self.name} has one value per class, not one per row\n"
                    "hint: reduce the class axis with total, peak or pick"
                )
            sets = {name: domain.name for name, domain in self.domains.items()}
            self._traced[absent] = stable(result, sets)
        return self._traced[absent]

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
    elsewhere: Iterable[str] = (),
    promises: str = "",
    choose: str = "",
    traps: Iterable[str] = (),
    family: str = "custom",
) -> Definition:
    """Read a signature; a user's formula is traced, so that mistakes show where they are made."""
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
        arguments=_arguments(formula),
        family=family,
        source=source,
        elsewhere=tuple(elsewhere),
        promises=promised,
        choose=choose,
        traps=tuple(traps),
    )
    if family == "custom":  # the catalogue's are traced when they are first asked for
        check(definition)
    return definition


def check(definition: Definition) -> None:
    """Trace a formula, and raise FormulaError for what would fail when the loss is called."""
    for node in walk(definition.expression(definition.absent_by_default)):
        if problem := _misuse(definition, node):
            raise FormulaError(f"{_place(definition.formula)}: {problem}")


_ALONG_CLASSES = frozenset({"total", "peak", "argpeak", "pick", "class_index", "class_count"})


def _misuse(definition: Definition, node: Expression) -> str:
    """Say what is wrong with a node that would fail when the loss is called, if anything is."""
    named = functions.FUNCTIONS.get(node.operator)
    along = node.operator in _ALONG_CLASSES or (named is not None and named.shape != "elementwise")
    if along and not definition.class_axis:
        return (
            "a function along the class axis, such as total or peak, and no argument has that "
            "axis\n"
            "hint: annotate one with Logits, Scores, Simplex or Embedding; sums over elements "
            "are the engine's work"
        )
    if node.operator == "pick":
        label = definition.domains.get(str(node.arguments[1].payload))
        if label is None or not label.integer:
            return (
                f"pick takes a label, got {node.arguments[1]!r}\n"
                "hint: annotate an argument with Label, and give that"
            )
    return ""


def loss(**facts: Any) -> Callable[[Callable[..., Any]], Definition]:
    """Turn the formula below into a record; see :func:`define` for the facts it may carry."""

    def decorate(formula: Callable[..., Any]) -> Definition:
        package, _, family = formula.__module__.rpartition(".")
        facts.setdefault("family", family if package == _CATALOGUE else "custom")
        return define(formula, **facts)

    return decorate


def _arguments(formula: Callable[..., Any]) -> tuple[Argument, ...]:
    hints = get_type_hints(formula, include_extras=True)
    parameters = inspect.signature(formula).parameters.values()
    arguments = tuple(_argument(formula, p, hints.get(p.name)) for p in parameters)
    if not any(a.positional for a in arguments):
        raise FormulaError(
            f"{formula.__name__} has no positional argument\nhint: start with prediction: Real"
        )
    if not arguments[0].domain.continuous:
        raise FormulaError(
            f"{_place(formula)}: {arguments[0].name} comes first, as the prediction, and has no "
            "gradient\nhint: put the prediction first; Real, Logit, Logits are sets for it"
        )
    return arguments


def _argument(formula: Callable[..., Any], parameter: inspect.Parameter, hint: Any) -> Argument:
    place = _place(formula)
    if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
        raise FormulaError(f"{place}: *{parameter.name} has no domain\nhint: name each argument")
    domain, description = domain_of(hint)
    if domain is None:
        raise FormulaError(
            f"{place}: argument {parameter.name!r} has no domain\n"
            f"hint: annotate it with its set of numbers, as in {parameter.name}: Real "
            "(from lossary.domain import Real)"
        )
    positional = parameter.kind is not parameter.KEYWORD_ONLY
    default = parameter.default
    if positional and default is not parameter.empty:
        raise FormulaError(
            f"{place}: {parameter.name} is data, and data have no default\n"
            f"hint: put * before it to make it a hyper-parameter: *, {parameter.name}: "
            f"{domain.name} = {default!r}"
        )
    if default not in {parameter.empty, None} and not _is_inside(domain, default):
        raise FormulaError(
            f"{place}: the default of {parameter.name} must be {domain}, got {default!r}\n"
            "hint: give a number of its set, or None if the formula can do without it"
        )
    return Argument(parameter.name, domain, parameter.default, positional, description)


def _place(formula: Callable[..., Any]) -> str:
    code = formula.__code__
    return f"{code.co_filename}:{code.co_firstlineno}: {formula.__name__}"


def _is_inside(domain: Domain, default: Any) -> bool:
    return isinstance(default, (int, float)) and bool(domain.contains(default))


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
