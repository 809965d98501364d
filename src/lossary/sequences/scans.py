"""Sums over paths, as scans in the log semiring: a sum for and, log-sum-exp for or.

A path goes through places, a level at a time. ``steps`` says how it comes to a place: from how many
levels before (1 or 2), and over how many places. Each recursion of this room is a table of such
steps and their log-weights. The shares of the paths that go through a place, of which gradients are
made, come from the same scan the other way round.

What is reached is kept relative to the largest of its level, so that a long sequence does not take
the digits of what its places have relative to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from lossary.sequences.words import Words

Steps = tuple[tuple[int, int], ...]
"""For each kind of step: over how many levels, and over how many places."""


@dataclass(frozen=True)
class Lattice:
    """Paths through places: N levels of S places, for B sequences.

    ``weights`` are those of each kind of step *into* a place, (N, B, S). ``start`` is what is
    reached before the first level, ``end`` what may be the end after the last, (B, S). At levels
    where ``counts``, (N, B, 1), does not hold, nothing moves.
    """

    words: Words
    steps: Steps
    weights: tuple[Any, ...]
    start: Any
    end: Any
    counts: Any

    def reached(self) -> tuple[Any, Any]:
        """Return what is reached at each level relative to its largest, and these: (N, B, 1)."""
        words, at = self.words, self.words.where

        def step(held: Any, now: Any) -> Any:
            last, before, total = held
            *weights, counted = now
            coming = [
                words.moved_on(last if levels == 1 else before, places) + weight
                for (levels, places), weight in zip(self.steps, weights, strict=True)
            ]
            new = words.log_sum(words.stack(coming), axis=0)[0]
            size = words.finite(words.amax(new, axis=-1, keepdims=True))
            return (
                at(counted, new - size, last),
                at(counted, last - size, before),
                at(counted, total + size, total),
            )

        nothing, zero = words.full_like(self.start, -inf), words.full_like(self.start[:, :1], 0.0)
        found = words.scan(step, (self.start, nothing, zero), (*self.weights, self.counts))
        return found[0], found[2]

    def total(self, reached: Any, peaks: Any) -> Any:
        """Return the log of the sum over all paths, (B)."""
        words = self.words
        last = words.concatenate([self.start[None], reached])[-1] + self.end
        before = words.concatenate([words.full_like(self.start[None, :, :1], 0.0), peaks])[-1]
        return (words.log_sum(last) + before)[:, 0]

    def shares(self, reached: Any, peaks: Any) -> Any:
        """Return the share of all paths that goes through each place, (N, B, S)."""
        words, at = self.words, self.words.where

        def step(held: Any, now: Any) -> Any:
            last, far, total = held
            *weights, counted = now
            going: dict[int, list[Any]] = {1: [far], 2: []}
            for (levels, places), weight in zip(self.steps, weights, strict=True):
                going[levels].append(words.moved_back(last + weight, places))
            new = words.log_sum(words.stack(going[1]), axis=0)[0]
            size = words.finite(words.amax(new, axis=-1, keepdims=True))
            further = far
            if going[2]:
                further = words.log_sum(words.stack(going[2]), axis=0)[0] - size
            return (
                at(counted, new - size, last),
                at(counted, further, far),
                at(counted, total + size, total),
            )

        nothing, zero = words.full_like(self.end, -inf), words.full_like(self.end[:, :1], 0.0)
        start = (self.end, nothing, zero)
        found = words.scan(step, start, (*self.weights, self.counts), reverse=True)
        open_, further = (
            words.concatenate([x[1:], y[None]]) for x, y in ((found[0], self.end), (found[2], zero))
        )
        through = reached + open_
        if all(levels == 1 for levels, _ in self.steps):  # each path has one place at each level
            size = words.log_sum(through)
        else:
            size = self.total(reached, peaks)[None, :, None] - peaks - further
        share = words.exp(through - words.finite(size))
        return at(self.counts & (words.finite(size) == size), share, 0.0 * words.finite(share))


def by_diagonal(words: Words, x: Any, each: Any, levels: Any, shift: int) -> Any:
    """Return the table of a grid, (B, T, U), by its diagonals, (N, B, U); -inf beyond its edges.

    Level n, from 1, has at place u what stands at (n - shift - u, u). ``each`` has a 0 for each
    sequence.
    """
    library = words.library
    rows = library.sizes(x)[1]
    columns = words.places(library.sizes(x)[2], x)
    row = words.places(levels, x)[None, :] + (1 - shift) - columns[:, None]
    inside = (row >= 0) & (row < library.index(rows) if hasattr(rows, "dtype") else row < rows)
    index = words.where(inside, row, row * 0)[None] + each[:, None, None]
    taken = words.of_class(words.moveaxis(x, 1, 2), index)
    return words.moveaxis(words.where(inside[None], taken, words.full_like(taken, -inf)), 2, 0)


def on_grid(words: Words, x: Any, each: Any, rows: Any, shift: int) -> Any:
    """Return what stands on the diagonals of a grid as its table again."""
    columns = words.places(words.library.sizes(x)[2], x)
    level = words.places(rows, x)[None, :] + columns[:, None] + (shift - 1)
    index = level[None] + each[:, None, None]
    return words.moveaxis(words.of_class(words.moveaxis(x, 0, 2), index), 2, 1)
