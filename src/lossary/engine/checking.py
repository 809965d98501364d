"""Are the values in their sets? Raise with the first that is not, or say which are."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossary.definition import Argument, Definition
from lossary.domain import Domain
from lossary.engine.libraries import Library
from lossary.errors import DomainError

__all__ = ["check_data", "check_parameter", "inside"]


def inside(library: Library, domain: Domain, x: Any, classes: int | None) -> Any:
    """Return which elements lie in the domain; a row of a simplex stands or falls as one."""
    ok = domain.contains(x)
    if domain.integer and classes is not None:
        ok = ok & (x < classes)
    if domain.mass:
        ok = ok & (abs(_mass(library, domain, x) - 1) <= _tolerance(library, x))
    return ok


def _mass(library: Library, domain: Domain, x: Any) -> Any:
    with library.wide():
        wide = library.cast(x, library.work_dtype(x))
        return library.total_last(library.exp(wide) if domain.mass != "sum" else wide)


def _tolerance(library: Library, x: Any) -> float:
    """Rows come out of a softmax in x' precision: allow the square root of its spacing."""
    return max(library.epsilon(x), 2.0**-52) ** 0.5


def check_data(
    library: Library, definition: Definition, argument: Argument, x: Any, classes: int | None
) -> None:
    """Raise DomainError for the first value outside the argument's set."""
    with library.wide():
        ok = inside(library, argument.domain, x, classes)
        if bool(ok.all() if hasattr(ok, "all") else np.all(ok)):
            return
    place = tuple(int(i) for i in np.argwhere(~library.numpy(ok))[0])
    values = library.numpy(x)
    row_fails = argument.domain.mass and bool(np.all(argument.domain.contains(values[place[:-1]])))
    if row_fails:
        mass = float(library.numpy(_mass(library, argument.domain, x))[(*place[:-1], 0)])
        got, place = f"a row with {argument.domain.mass} {mass:.6g}", place[:-1]
    else:
        got = f"{values[place]:.6g}"
    if definition.class_axis and not argument.domain.class_axis:
        place = place[:-1]
    where = f" at index {place}" if place else ""
    raise DomainError(_sentence(definition, argument, got + where, classes))


def _sentence(definition: Definition, argument: Argument, got: str, classes: int | None) -> str:
    allowed = str(argument.domain)
    if argument.domain.integer and classes is not None:
        allowed = f"a class index from 0 to {classes - 1}"
    hint = f"; {argument.domain.hint}" if argument.domain.hint else ""
    return f"{definition.name}: {argument.name} must be {allowed}, got {got}{hint}"


def check_parameter(definition: Definition, argument: Argument, value: Any) -> None:
    """Raise DomainError if a plain number lies outside its set."""
    if not bool(argument.domain.contains(float(value))):
        raise DomainError(_sentence(definition, argument, f"{value!r}", None))
