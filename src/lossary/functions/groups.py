"""Groups of members: the lists of a query, the patients of a stratum, the sequences of a batch.

Groups lie in one row, as long as they are, and a number for each member says which is its own. A
key within a group compares only with those of the same group. So a sum over a group is one along
an order in which all of a group tie, and what holds of orders holds of groups.
"""

from __future__ import annotations

from typing import Any

from lossary.formula import Expression, apply, refuse
from lossary.functions.pairs import of_one


def placed(key: Any, group: Any) -> Expression:
    """The key of each member among those of its own group; those of others do not compare."""
    if not isinstance(group, Expression) or not group.class_axis:
        refuse(
            f"within={group!r}: it is the same for all members of a row",
            "give within= an argument that names the group of each member, such as "
            "query: Annotated[Group, positions]",
        )
    of_one("within=", group)
    return apply("within", key, group)


def total_within(x: Any, group: Any) -> Expression:
    """Sum over the members of the same group, for each member."""
    of_one("total", x)
    return apply("cumulate", x, placed(0, group), class_axis=True)


def peak_within(x: Any, group: Any) -> Expression:
    """Largest among the members of the same group, for each member."""
    of_one("peak", x)
    return apply("group_peak", x, placed(0, group).arguments[1], class_axis=True)
