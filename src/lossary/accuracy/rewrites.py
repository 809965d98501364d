"""Rewrites that an author can make where digits are lost.

They are identities that are not applied by themselves, because the right side is no number where
the left one is (0 / 0, or an overflow half-way) or is better in a part of the domain only. One of
them is shown where it has been tried at the very points that lose digits, and has helped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lossary.accuracy.written import written
from lossary.formula import Expression
from lossary.functions import (
    absolute,
    cosh,
    exp,
    expm1,
    log,
    log1p,
    peak,
    sigmoid,
    sinh,
    size_power,
    softplus,
    sqrt,
    tanh,
    total,
    where,
)
from lossary.identities import Identity, stable
from lossary.identities.normal import Normal
from lossary.identities.rules import identity


def _by_largest(row: Expression, power: Expression) -> Expression:
    largest = peak(absolute(row))
    return largest * total((absolute(row) / largest) ** power) ** (1 / power)


REWRITES = (
    identity(
        "difference of roots",
        lambda x, y: sqrt(x) - sqrt(y),
        lambda x, y: (x - y) / (sqrt(x) + sqrt(y)),
    ),
    identity(
        "root less a number", lambda x, y: sqrt(x) - y, lambda x, y: (x - y**2) / (sqrt(x) + y)
    ),
    identity(
        "difference of reciprocals", lambda x, y: 1 / x - 1 / y, lambda x, y: (y - x) / (x * y)
    ),
    identity(
        "difference of sigmoids",
        lambda x, y: sigmoid(x) - sigmoid(y),
        lambda x, y: where(
            x > y,
            -sigmoid(x) * sigmoid(-y) * expm1(y - x),
            sigmoid(y) * sigmoid(-x) * expm1(x - y),
        ),
    ),
    identity(
        "difference of tanh",
        lambda x, y: tanh(x) - tanh(y),
        lambda x, y: where(
            x > y,
            -2 * sigmoid(2 * x) * sigmoid(-2 * y) * expm1(2 * (y - x)),
            2 * sigmoid(2 * y) * sigmoid(-2 * x) * expm1(2 * (x - y)),
        ),
    ),
    identity(
        "difference of softplus",
        lambda x, y: softplus(x) - softplus(y),
        lambda x, y: log1p(expm1(x - y) * sigmoid(y)),
    ),
    identity(
        "difference of cosh",
        lambda x, y: cosh(x) - cosh(y),
        lambda x, y: 2 * sinh((x + y) / 2) * sinh((x - y) / 2),
    ),
    identity("power less one", lambda x, p: x**p - 1, lambda x, p: expm1(p * log(x))),
    identity(
        "power of one and more",
        lambda x, p: (1 + x) ** p - 1,
        lambda x, p: expm1(p * log1p(x)),
    ),
    identity(
        "difference of powers",
        lambda x, y, p: x**p - y**p,
        lambda x, y, p: y**p * expm1(p * log1p((x - y) / y)),
    ),
    identity(
        "length by its largest entry",
        lambda X, p: total(absolute(X) ** p) ** (1 / p),
        _by_largest,
    ),
    identity(
        "length by its largest entry, of a power of 1 or more",
        lambda X, p: total(size_power(X, p)) ** (1 / p),
        _by_largest,
    ),
    identity(
        "logarithm of a sum of powers",
        lambda x, y, p: log(x**p + y**p),
        lambda x, y, p: p * log(x) + softplus(p * (log(y) - log(x))),
    ),
    identity("slope of tanh", lambda x: 1 - tanh(x) * tanh(x), lambda x: 1 / (cosh(x) * cosh(x))),
    identity("log of expm1", lambda x: log(expm1(x)), lambda x: x + log(1 - exp(-x))),
)

NARROWER = ("Positive", "NonNegative", "Unit", "OpenUnit", "Logit", "Logits", "Simplex")
"""Sets that an argument may be meant to lie in, and that identities ask for."""


def rewritten(
    meaning: Expression, sets: Mapping[str, str], rules: Sequence[Identity] = REWRITES
) -> Iterator[tuple[str, Expression]]:
    """Yield what an author could write instead, in words, and the formula computed then."""
    usual = stable(meaning, sets)
    for rule in rules:
        seen: list[tuple[Expression, ...]] = []

        def computed(
            *parts: Expression, rule: Identity = rule, seen: list[tuple[Expression, ...]] = seen
        ) -> Expression:
            seen.append(parts)
            return rule.computed(*parts)

        found = stable(meaning, sets, (replace(rule, computed=computed),))
        if found is not usual and seen:
            left, right = (side(*seen[-1]) for side in (rule.means, rule.computed))
            shorter = min(map(written, (right, Normal((), sets)(right))), key=len)
            yield f"write {shorter} for {written(left)}", found
    for name, members in sets.items():
        told = {usual}
        for narrower in NARROWER:
            found = stable(meaning, {**sets, name: narrower})
            if members != narrower and found not in told:
                told.add(found)  # a set inside that one says no more
                yield f"if {name} is of the set {narrower}, annotate it so", found
