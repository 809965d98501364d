"""Units of information: one quantity, three usual logarithms.

A unit is the base of the logarithm: 2 gives bits, e nats, 10 dits. Every measure takes ``unit=`` as
one of these names, an alias, or the base itself (``unit=3`` for trits).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.errors import DomainError
from lossary.kinds import plain

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Unit:
    """A unit of information, as the base of its logarithm."""

    name: str
    base: float
    nats: float
    """Size of one unit in nats: the natural logarithm of the base."""
    log: Callable[[Any], Any]
    """The logarithm to the base, elementwise."""


BITS = Unit("bits", 2.0, math.log(2), np.log2)
NATS = Unit("nats", math.e, 1.0, np.log)
DITS = Unit("dits", 10.0, math.log(10), np.log10)

UNITS: dict[str, Unit] = {
    **dict.fromkeys(("bits", "bit", "shannons", "shannon", "sh"), BITS),
    **dict.fromkeys(("nats", "nat"), NATS),
    **dict.fromkeys(("dits", "dit", "hartleys", "hartley", "bans", "ban", "dets", "det"), DITS),
}
"""Every accepted name; "det" is how the seed articles spell the decimal unit."""


@np.errstate(all="ignore")
def unit_of(unit: str | float, *, function: str = "unit_of", argument: str = "unit") -> Unit:
    """Look up a unit by name, alias or base.

    Raises
        DomainError  an unknown name, or a base that is not a finite number above 1

    Example
        >>> unit_of("hartley").base
        10.0
    """
    if isinstance(unit, str):
        return _by_name(unit, function, argument)
    base = float(unit)
    if not 1 < base < math.inf:
        raise DomainError(
            f"{function}: {argument} as a base must be a finite number above 1, got {unit!r}; "
            'use "bits", "nats" or "dits"'
        )
    for known in (BITS, NATS, DITS):
        if base == known.base:
            return known
    return Unit(f"units of log base {base:g}", base, math.log(base), _logarithm(base))


def _by_name(name: str, function: str, argument: str) -> Unit:
    found = UNITS.get(name.strip().lower())
    if found is None:
        raise DomainError(
            f"{function}: {argument} must be one of {', '.join(sorted(UNITS))}, or the base of the "
            f'logarithm, got {name!r}; the usual names are "bits", "nats" and "dits"'
        )
    return found


def _logarithm(base: float) -> Callable[[Any], Any]:
    return lambda x: np.log(x) / math.log(base)


@np.errstate(all="ignore")
def convert(value: Any, from_unit: str | float, to_unit: str | float) -> Any:
    """The same information in another unit.

    Arguments
        value      real, any shape; an amount of information; in from_unit
        from_unit  a name in ``UNITS`` or a base above 1; the unit of value
        to_unit    a name in ``UNITS`` or a base above 1; the unit of the result

    Returns
        real, shape of value (a float for a scalar), float64; in to_unit

    Raises
        DomainError  an unknown unit

    Example
        >>> convert(1, "nats", "bits")
        1.4426950408889634
        >>> convert([1.0, 2.0], "dits", "bits")
        array([3.32192809, 6.64385619])

    Source       Shannon 1948, "A mathematical theory of communication", section 1
    """
    source = unit_of(from_unit, function="convert", argument="from_unit")
    target = unit_of(to_unit, function="convert", argument="to_unit")
    amount = plain("convert: value", value).astype(np.float64)
    if source.base != target.base:
        amount = amount * source.nats / target.nats
    return float(amount) if amount.ndim == 0 else amount
