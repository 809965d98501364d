"""The signature of a formula is the registry: each argument with its set, its default, its kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from lossary.domain import Axis, Domain, classes, domain_of, metadata_of, positions
from lossary.errors import FormulaError


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


def arguments_of(formula: Callable[..., Any]) -> tuple[Argument, ...]:
    """Return the arguments of a formula, as its signature declares them."""
    hints = get_type_hints(formula, include_extras=True)
    parameters = inspect.signature(formula).parameters.values()
    arguments = tuple(_argument(formula, p, hints.get(p.name)) for p in parameters)
    if not any(a.positional for a in arguments):
        raise FormulaError(
            f"{formula.__name__} has no positional argument\nhint: start with prediction: Real"
        )
    if not arguments[0].domain.continuous:
        raise FormulaError(
            f"{place(formula)}: {arguments[0].name} comes first, as the prediction, and has no "
            "gradient\nhint: put the prediction first; Real, Logit, Logits are sets for it"
        )
    return arguments


def _argument(formula: Callable[..., Any], parameter: inspect.Parameter, hint: Any) -> Argument:
    where = place(formula)
    if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
        raise FormulaError(f"{where}: *{parameter.name} has no domain\nhint: name each argument")
    domain, description = domain_of(hint)
    if domain is None:
        raise FormulaError(
            f"{where}: argument {parameter.name!r} has no domain\n"
            f"hint: annotate it with its set of numbers, as in {parameter.name}: Real "
            "(from lossary.domain import Real)"
        )
    _refuse_what_is_no_axis(where, parameter.name, hint, domain)
    positional = parameter.kind is not parameter.KEYWORD_ONLY
    default = parameter.default
    if positional and default is not parameter.empty:
        raise FormulaError(
            f"{where}: {parameter.name} is data, and data have no default\n"
            f"hint: put * before it to make it a hyper-parameter: *, {parameter.name}: "
            f"{domain.name} = {default!r}"
        )
    if default not in {parameter.empty, None} and not _is_inside(domain, default):
        raise FormulaError(
            f"{where}: the default of {parameter.name} must be {domain}, got {default!r}\n"
            "hint: give a number of its set, or None if the formula can do without it"
        )
    return Argument(parameter.name, domain, parameter.default, positional, description)


def _refuse_what_is_no_axis(where: str, name: str, hint: Any, domain: Domain) -> None:
    """Refuse an axis that is not one of ours: without it a row would be taken for numbers."""
    names = {axis.name for axis in (classes, positions)}
    for item in metadata_of(hint):
        if isinstance(item, (Domain, Axis)) or (isinstance(item, str) and item not in names):
            continue
        raise FormulaError(
            f"{where}: argument {name!r} says {item!r} beside its set, which is no axis\n"
            f"hint: write {name}: Annotated[{domain.name}, classes] for one number per class, or "
            "positions for one per position (from lossary.domain import classes, positions)"
        )


def _is_inside(domain: Domain, default: Any) -> bool:
    return isinstance(default, (int, float)) and bool(domain.contains(default))


def place(formula: Callable[..., Any]) -> str:
    """Say where a formula stands, for who has to mend it."""
    code = formula.__code__
    return f"{code.co_filename}:{code.co_firstlineno}: {formula.__name__}"
