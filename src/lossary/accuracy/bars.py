"""How accurate each loss has to be: the rule, in this one place.

In units of the last place of the result's type, values and gradients alike, for every finite input:

* a loss of single numbers: 2 in float64; 4 in float32 and below;
* a loss along the class axis, which sums: 8;
* with a power gamma of a probability (focal): 4 (1 + gamma), or the above if that is more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossary.definition import Definition

__all__ = ["bar", "words"]


def bar(definition: Definition, dtype: str, parameters: Mapping[str, Any]) -> float:
    """Return the largest error allowed, in units of the last place.

    >>> import lossary as L
    >>> bar(L.catalogue["huber"], "float64", {}), bar(L.catalogue["focal"], "float32", {"gamma": 2})
    (2.0, 12.0)
    """
    least = 8.0 if definition.class_axis else 2.0 if dtype == "float64" else 4.0
    gamma = parameters.get("gamma")
    return least if gamma is None else max(least, 4.0 * (1.0 + gamma))


def words(definition: Definition, dtype: str) -> str:
    """Return the bar of a loss as the table prints it."""
    if "gamma" in definition.domains:
        return "4 (1 + γ)"
    return f"{bar(definition, dtype, {}):g}"
