"""Identities of sums over an axis: 1 minus a share is what is missing, without cancellation."""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions import (
    absolute,
    class_count,
    log_ratio,
    log_share,
    matthews_gap,
    minimum,
    norm,
    relative_error,
    rest_share,
    root,
    sqrt,
    total,
)
from lossary.identities.rules import identity, square


def _apart(x: Expression, y: Expression) -> Expression:
    """x + y - 2 x y of numbers in [0, 1], which is x + y less twice what both have."""
    return x * (1 - y) + y * (1 - x)


def _counts(x: Expression, y: Expression) -> tuple[Expression, ...]:
    """Return true and false positives, false and true negatives, of each position."""
    return x * y, x * (1 - y), (1 - x) * y, (1 - x) * (1 - y)


def _correlation_gap(x: Expression, y: Expression) -> Expression:
    tp, fp, fn, tn = _counts(x, y)
    found = total(tp) * total(tn) - total(fp) * total(fn)
    positives, negatives = total(tp + fp) * total(tp + fn), total(tn + fp) * total(tn + fn)
    return relative_error(found, sqrt(positives * negatives))


SHARES = (
    identity(
        "Dice",
        lambda X, Y: 1 - 2 * (total(X * Y) / total(X + Y)),
        lambda X, Y: rest_share(2 * total(X * Y), total(_apart(X, Y))),
    ),
    identity(
        "Dice with smoothing",
        lambda X, Y, s: relative_error(2 * total(X * Y) + s, total(X + Y) + s),
        lambda X, Y, s: -rest_share(2 * total(X * Y) + s, total(_apart(X, Y))),
    ),
    identity(
        "Dice of squares",
        lambda X, Y: 1 - 2 * (total(X * Y) / total(X * X + Y * Y)),
        lambda X, Y: rest_share(2 * total(X * Y), total(square(X - Y))),
    ),
    identity(
        "Dice of squares with smoothing",
        lambda X, Y, s: relative_error(2 * total(X * Y) + s, total(X * X + Y * Y) + s),
        lambda X, Y, s: -rest_share(2 * total(X * Y) + s, total(square(X - Y))),
    ),
    identity(
        "Dice of distances",
        lambda X, Y: total(absolute(X - Y)) / total(X + Y),
        lambda X, Y: rest_share(2 * total(minimum(X, Y)), total(absolute(X - Y))),
    ),
    identity(
        "Jaccard",
        lambda X, Y: relative_error(total(X * Y), total(X + Y - X * Y)),
        lambda X, Y: -rest_share(total(X * Y), total(_apart(X, Y))),
    ),
    identity(
        "Jaccard with smoothing",
        lambda X, Y, s: relative_error(total(X * Y) + s, total(X + Y - X * Y) + s),
        lambda X, Y, s: -rest_share(total(X * Y) + s, total(_apart(X, Y))),
    ),
    identity(
        "part of a sum",
        lambda a, r: relative_error(a, a + r),
        lambda a, r: -rest_share(a, r),
    ),
    identity(
        "part of a sum with smoothing",
        lambda a, b, r: relative_error(a + b, a + b + r),
        lambda a, b, r: -rest_share(a + b, r),
    ),
    identity(
        "F measure by sizes",
        lambda X, Y, b: (
            1 - (1 + b * b) * (total(X * Y) / (b * b * total(Y) + total(X)))
        ),
        lambda X, Y, b: rest_share(
            (1 + b * b) * total(X * Y), b * b * total((1 - X) * Y) + total(X * (1 - Y))
        ),
    ),
    identity(
        "logarithm of Dice",
        lambda X, Y: log_ratio(2 * total(X * Y), total(X + Y)),
        lambda X, Y: log_share(2 * total(X * Y), total(_apart(X, Y))),
    ),
    identity(
        "logarithm of Dice with smoothing",
        lambda X, Y, s: log_ratio(2 * total(X * Y) + s, total(X + Y) + s),
        lambda X, Y, s: log_share(2 * total(X * Y) + s, total(_apart(X, Y))),
    ),
    identity(
        "correlation of yes and no",
        lambda X, Y: _correlation_gap(X, Y),
        lambda X, Y: -matthews_gap(*map(total, _counts(X, Y))),
    ),
    identity(
        "root of a share",
        lambda a, r, g: rest_share(a, r) ** (1 / g),
        lambda a, r, g: root(rest_share(a, r), g),
    ),
    identity(
        "root of a mean square",
        lambda X: sqrt(total(X * X) / class_count()),
        lambda X: norm(X) / sqrt(class_count()),
    ),
)  # fmt: skip
