"""Are the values in their sets? Raise with the first that is not, or say which are."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any

import numpy as np

from lossary.definition import Argument, Definition
from lossary.domain import Domain
from lossary.engine import hints
from lossary.engine.libraries import Library
from lossary.errors import DomainError
from lossary.kinds import first_place


def inside(library: Library, domain: Domain, x: Any, classes: Any) -> Any:
    """Return which elements lie in the domain, or which rows; those of a simplex fall as one."""
    extremes = library.extremes(domain, x) if domain.interval and domain.class_axis else (x,)
    ok = reduce(and_, (_elements(domain, end, classes) for end in extremes))
    return ok & _rows(library, domain, x) if domain.by_row else ok


def _elements(domain: Domain, x: Any, classes: Any) -> Any:
    with np.errstate(invalid="ignore"):  # an infinity has no remainder
        ok = domain.contains(x)
    return ok & (x < classes) if domain.integer and classes is not None else ok


def _rows(library: Library, domain: Domain, x: Any) -> Any:
    conditions = [x[..., i : i + 1] <= x[..., j : j + 1] for i, j in domain.ascending]
    if domain.mass:
        conditions.append(abs(_mass(library, domain, x) - 1) <= tolerance(library, x))
    return reduce(and_, conditions)


def _mass(library: Library, domain: Domain, x: Any) -> Any:
    with library.wide():
        wide = library.cast(library.apart(x), library.work_dtype(x))
        return library.total_last(library.exp(wide) if domain.mass != "sum" else wide)


def tolerance(library: Library, x: Any) -> float:
    """Rows come out of a softmax in x' precision: allow the square root of its spacing."""
    return max(library.epsilon(x), 2.0**-52) ** 0.5


def admitted(
    library: Library, definition: Definition, argument: Argument, x: Any, classes: Any
) -> Any:
    """Raise for a value outside the set; where that is impossible, return which are inside.

    Returns None where the values could be looked at.
    """
    if library.concrete([x]):
        with library.aside():
            check_data(library, definition, argument, x, classes)
        return None
    return inside(library, argument.domain, x, classes)


def check_data(
    library: Library, definition: Definition, argument: Argument, x: Any, classes: int | None
) -> None:
    """Raise DomainError for the first value outside the argument's set.

    ``x`` has the shape of the unreduced loss, with a last axis for the classes if the loss has it.
    """
    domain = argument.domain
    with library.wide():
        if not _lies_inside(library, domain, x, classes) and (
            (place := _first_false(library, _elements(domain, x, classes))) is not None
        ):
            value = float(library.numpy(x)[place])
            shown = place if domain.class_axis or not definition.class_axis else place[:-1]
            hint = hints.for_value(definition, argument, value, classes)
            raise DomainError(_sentence(definition, argument, f"{value:.6g}", shown, classes, hint))
        place = _first_false(library, _rows(library, domain, x)) if domain.by_row else None
        if place is not None:
            got, hint = _wrong_row(library, definition, argument, x, place)
            raise DomainError(_sentence(definition, argument, got, place[:-1], classes, hint))


def _wrong_row(
    library: Library, definition: Definition, argument: Argument, x: Any, place: tuple[int, ...]
) -> tuple[str, str]:
    """Say what a row is that is no member of its set, and what to do about it."""
    domain, whole = argument.domain, library.numpy(x)
    if domain.mass:
        mass = float(library.numpy(_mass(library, domain, x))[place])
        hint = hints.for_row(definition, argument, whole, place[:-1], mass)
        return f"a row with {domain.mass} {mass:.6g}", hint
    row = whole[place[:-1]].astype(float)
    i, j = next((i, j) for i, j in domain.ascending if not row[i] <= row[j])
    got = f"{domain.entries[i]} = {row[i]:.6g} above {domain.entries[j]} = {row[j]:.6g}"
    return got, hints.ORDER


def _lies_inside(library: Library, domain: Domain, x: Any, classes: int | None) -> bool:
    """Whether the least and the largest number show that all of them do."""
    ends = library.ends(x) if domain.interval else ()
    return bool(ends) and all(bool(_elements(domain, end, classes)) for end in ends)


def _first_false(library: Library, ok: Any) -> tuple[int, ...] | None:
    if library.all(ok):
        return None
    return first_place(~library.numpy(ok))


def _sentence(
    definition: Definition,
    argument: Argument,
    got: str,
    place: tuple[int, ...],
    classes: int | None,
    hint: str,
) -> str:
    allowed = str(argument.domain)
    if argument.domain.integer and classes is not None:
        allowed = f"a class index from 0 to {classes - 1}"
    where = f" at index {place}" if place else ""
    way = f"; {hint}" if hint else ""
    return f"{definition.name}: {argument.name} must be {allowed}, got {got}{where}{way}"


def check_parameter(definition: Definition, argument: Argument, value: float) -> None:
    """Raise DomainError if a plain number lies outside its set."""
    if not bool(argument.domain.contains(float(value))):
        hint = hints.for_value(definition, argument, float(value), None)
        raise DomainError(_sentence(definition, argument, f"{value}", (), None, hint))
