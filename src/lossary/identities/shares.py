"""Identities of sums over an axis: 1 minus a share is what is missing, without cancellation."""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions import (
    class_count,
    gap_to_whole,
    log_ratio,
    log_share,
    norm,
    relative_error,
    sqrt,
    total,
)
from lossary.identities.rules import identity

__all__ = ["SHARES"]


def _apart(x: Expression, y: Expression) -> Expression:
    """x + y - 2 x y of numbers in [0, 1]."""
    return x * (1 - y) + y * (1 - x)


SHARES = (
    identity(
        "Dice",
        lambda X, Y: 1 - 2 * (total(X * Y) / total(X + Y)),
        lambda X, Y: gap_to_whole(2 * total(X * Y), total(X + Y), total(_apart(X, Y))),
        X="Unit", Y="Unit Binary",
    ),
    identity(
        "Dice with smoothing",
        lambda X, Y, s: relative_error(2 * total(X * Y) + s, total(X + Y) + s),
        lambda X, Y, s: -gap_to_whole(
            2 * total(X * Y) + s, total(X + Y) + s, total(_apart(X, Y))
        ),
        X="Unit", Y="Unit Binary",
    ),
    identity(
        "Dice of squares",
        lambda X, Y: 1 - 2 * (total(X * Y) / total(X * X + Y * Y)),
        lambda X, Y: gap_to_whole(
            2 * total(X * Y), total(X * X + Y * Y), total((X - Y) * (X - Y))
        ),
    ),
    identity(
        "Dice of squares with smoothing",
        lambda X, Y, s: relative_error(2 * total(X * Y) + s, total(X * X + Y * Y) + s),
        lambda X, Y, s: -gap_to_whole(
            2 * total(X * Y) + s, total(X * X + Y * Y) + s, total((X - Y) * (X - Y))
        ),
    ),
    identity(
        "Jaccard",
        lambda X, Y: relative_error(total(X * Y), total(X + Y - X * Y)),
        lambda X, Y: -gap_to_whole(
            total(X * Y), total(X + Y * (1 - X)), total(_apart(X, Y))
        ),
        X="Unit", Y="Unit Binary",
    ),
    identity(
        "Jaccard with smoothing",
        lambda X, Y, s: relative_error(total(X * Y) + s, total(X + Y - X * Y) + s),
        lambda X, Y, s: -gap_to_whole(
            total(X * Y) + s, total(X + Y * (1 - X)) + s, total(_apart(X, Y))
        ),
        X="Unit", Y="Unit Binary",
    ),
    identity(
        "part of a sum",
        lambda a, r: relative_error(a, a + r),
        lambda a, r: -gap_to_whole(a, a + r, r),
    ),
    identity(
        "part of a sum with smoothing",
        lambda a, r, s: relative_error(a + s, a + r + s),
        lambda a, r, s: -gap_to_whole(a + s, a + r + s, r),
    ),
    identity(
        "logarithm of Dice",
        lambda X, Y: log_ratio(2 * total(X * Y), total(X + Y)),
        lambda X, Y: log_share(2 * total(X * Y), total(X + Y), total(_apart(X, Y))),
        X="Unit", Y="Unit Binary",
    ),
    identity(
        "logarithm of Dice with smoothing",
        lambda X, Y, s: log_ratio(2 * total(X * Y) + s, total(X + Y) + s),
        lambda X, Y, s: log_share(
            2 * total(X * Y) + s, total(X + Y) + s, total(_apart(X, Y))
        ),
        X="Unit", Y="Unit Binary",
    ),
    identity(
        "root of a mean square",
        lambda X: sqrt(total(X * X) / class_count()),
        lambda X: norm(X) / sqrt(class_count()),
    ),
)  # fmt: skip
