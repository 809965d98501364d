"""What people want to know of a loss beside its formula; read when somebody asks.

``losses/handbook/FAMILY.toml`` has a table for each loss. Sentences that several losses share stand
once, in the table ``shared``, and are named in braces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Advice:
    """When to choose a loss, what goes wrong with it, and what other libraries call it."""

    choose: str = ""
    traps: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


NOTHING = Advice()


def tables(*place: str) -> dict[str, Any]:
    """Return the tables of a file that lies beside the definitions."""
    import tomllib
    from importlib.resources import files

    path = files("lossary.losses").joinpath(*place)
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def advice(family: str) -> Mapping[str, Advice]:
    """Return the advice on each loss of a family of the catalogue.

    >>> advice("regression")["half_squared_error"].elsewhere
    ('optax.losses.l2_loss', 'tf.nn.l2_loss', 'sklearn._loss.HalfSquaredError')
    """
    found = tables("handbook", f"{family}.toml")
    shared = {f"{{{name}}}": sentence for name, sentence in found.pop("shared", {}).items()}
    return {name: _advice(shared, **table) for name, table in found.items()}


def _advice(
    shared: Mapping[str, str],
    *,
    choose: str = "",
    traps: Iterable[str] = (),
    elsewhere: Iterable[str] = (),
) -> Advice:
    return Advice(choose, tuple(shared.get(trap, trap) for trap in traps), tuple(elsewhere))
