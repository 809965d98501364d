"""From what an author writes to what is computed: identities, matched in any order and scale."""

from collections.abc import Mapping, Sequence
from functools import cache

from lossary.formula import Expression
from lossary.identities.finish import finished
from lossary.identities.normal import Normal
from lossary.identities.rules import Identity
from lossary.rewriting import simplify

__all__ = ["Identity", "stable", "table"]


@cache
def table() -> tuple[Identity, ...]:
    """Return all identities."""
    from lossary.identities.families import IDENTITIES

    return IDENTITIES


def stable(
    expression: Expression, sets: Mapping[str, str], more: Sequence[Identity] = ()
) -> Expression:
    """Return the computed form of a formula, the same for all the ways in which it can be written.

    ``sets`` names the set of numbers that each argument lies in; ``more`` are further identities.
    """
    signs = {name for name, members in sets.items() if members in {"Sign", "Binary", "Binaries"}}
    return simplify(finished(Normal((*table(), *more), sets)(expression), signs))
