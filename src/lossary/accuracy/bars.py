"""How accurate each loss has to be: the rule, in this one place.

In units of the last place of the result's type, values and gradients alike, for every finite input:

* a loss of single numbers: 2 in float64; 4 in float32 and below;
* a loss along the class axis, which sums: 8; one that sums over positions and goes on: 16;
* with a power gamma of a probability (focal): 4 (1 + gamma), or the above if that is more;
* in float64, with a plain ``exp`` of a computed argument in the formula: 4 (1 + 745), about twelve
  digits, because exp amplifies the rounding of its argument by that argument, which goes up to 745.
  ``exp_difference``, ``exp_product`` and their like carry that rounding; no loss of the catalogue
  needs this clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from lossary.definition import Definition
from lossary.formula import Expression, walk


def bar(definition: Definition, dtype: str, parameters: Mapping[str, Any]) -> float:
    """Return the largest error allowed, in units of the last place.

    >>> import lossary as L
    >>> bar(L.catalogue["huber"], "float64", {}), bar(L.catalogue["focal"], "float32", {"gamma": 2})
    (2.0, 12.0)
    """
    least = 8.0 if definition.class_axis else 2.0 if dtype == "float64" else 4.0
    least = 16.0 if definition.over_positions else least
    if dtype == "float64" and amplifies(definition):
        return 4.0 * (1.0 + 745.0)
    gamma = parameters.get("gamma")
    return least if gamma is None else max(least, 4.0 * (1.0 + gamma))


@cache
def amplifies(definition: Definition) -> bool:
    """Whether the formula takes a plain exponential of something that it has computed."""
    return any(
        node.operator in {"exp", "expm1"} and not _as_given(node.arguments[0])
        for node in walk(definition.expression(definition.absent_by_default))
    )


def _as_given(x: Expression) -> bool:
    """Whether x is an argument of the loss, or its negative or size: nothing is rounded."""
    while x.operator in {"negative", "absolute"}:
        x = x.arguments[0]
    return x.operator in {"variable", "constant"}


def words(definition: Definition, dtype: str) -> str:
    """Return the bar of a loss as the table prints it."""
    if "gamma" in definition.domains:
        return "4 (1 + γ)"
    return f"{bar(definition, dtype, {}):g}"
