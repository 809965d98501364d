"""Lengths and shapes side by side, of which a graph may not know all yet."""

from __future__ import annotations

from collections.abc import Sequence

Shape = Sequence[int | None]


def may_equal(n: int | None, m: int | None) -> bool:
    """Whether two lengths can be the same."""
    return n is None or m is None or n == m


def may_agree(one: Shape, other: Shape) -> bool:
    """Whether two shapes can be the same."""
    return len(one) == len(other) and all(map(may_equal, one, other))


def may_repeat(shape: Shape, whole: Shape) -> bool:
    """Whether a shape can repeat to another one, their axes lined up at the end."""
    padded = (1,) * (len(whole) - len(shape)) + tuple(shape)
    pairs = zip(padded, whole, strict=False)
    return len(padded) == len(whole) and all(n == 1 or may_equal(n, m) for n, m in pairs)
