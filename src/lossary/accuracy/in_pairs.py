"""What pairs of members mean, in mpmath: a list for each member, with an entry for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossary.accuracy.in_order import spread


def _of_others(m: Any, n: int, x: Any) -> list[Any]:
    rows = [spread(row, n) for row in spread(x, n)]
    return [m.fsum(row[j] for j in range(n) if j != i) for i, row in enumerate(rows)]


IN_PAIRS: dict[str, Callable[..., Any]] = {
    "other": lambda m, n, x: [spread(x, n)] * n,
    "total_of_others": _of_others,
}
"""What each word means for lists; `n` is the number of members."""
