"""Dynamic time warping with a soft minimum over all alignments of two series."""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import Any

import numpy as np

from lossary.engine.options import one_of
from lossary.errors import DomainError, ShapeError
from lossary.sequences.batch import Batch, Reduction, sequence_loss
from lossary.sequences.reading import REDUCTIONS, Reader
from lossary.sequences.recursion import Arrays, Recursion
from lossary.sequences.scans import Lattice, by_diagonal, on_grid
from lossary.sequences.words import Words

STEPS = ((1, 0), (1, 1), (2, 1))
"""On in the second series, on in the first, or on in both, which takes two diagonals at once."""


@sequence_loss(
    source="Cuturi & Blondel 2017, arXiv:1703.01541",
    elsewhere=("tslearn.metrics.SoftDTWLossPyTorch",),
    traps=(
        "It is not 0 for equal series, and can be below 0: the soft minimum lies below the least. "
        "soft_dtw(x, y) - (soft_dtw(x, x) + soft_dtw(y, y)) / 2 is 0 there.",
        "gamma is in units of the squared distance: a small one makes few alignments count.",
    ),
)
def soft_dtw(
    first: Any,
    second: Any,
    *,
    gamma: float = 1.0,
    first_lengths: Any = None,
    second_lengths: Any = None,
    weight: Any = None,
    reduction: Reduction = "mean",
) -> Batch:
    """Soft minimum, over all alignments of two series, of the sum of squared distances.

    ``first`` has shape (…, N, D), ``second`` (…, M, D): N and M points with D coordinates. The soft
    minimum is ``-gamma log sum exp(-cost / gamma)``. ``first_lengths`` and ``second_lengths`` say
    how many points of a series count. The gradient is in both series. The mean is over pairs of
    series, weighed by ``weight``.

    >>> print(soft_dtw([[0.0], [1.0], [2.0]], [[0.0], [2.0]]).round(9))
    0.12265356
    """
    reader, x = Reader.of("soft_dtw", "first", first, "points, coordinates")
    library = reader.library
    y = reader.real("second", second)
    shapes = library.shape(reader.like), library.shape(y)
    if len(shapes[0]) != len(shapes[1]) or any(
        n != m for k, (n, m) in enumerate(zip(*shapes, strict=True))
        if k != len(shapes[0]) - 2 and isinstance(n, int) and isinstance(m, int)
    ):  # fmt: skip
        raise ShapeError(
            f"soft_dtw: first and second may differ in how many points they have, got shapes "
            f"{shapes[0]} and {shapes[1]}"
        )
    other, y = y, reader.flat(y, 2)
    if not isinstance(gamma, (int, float)) or not (gamma > 0 and isfinite(gamma)):
        raise DomainError(
            f"soft_dtw: gamma must be a finite number above 0, got {gamma!r}\n"
            "hint: a small gamma comes near to the least cost"
        )
    weight = reader.weight(weight)
    ends = reader.lengths("first_lengths", first_lengths, library.sizes(x)[1], "points", weight)
    others = reader.lengths("second_lengths", second_lengths, library.sizes(y)[1], "points", weight)
    return Batch(
        Recursion("soft_dtw", values_and_slopes, (float(gamma),)),
        library,
        (x, y),
        (ends, others),
        reader.lead,
        weight,
        one_of(reader.who, "reduction", reduction, REDUCTIONS),
        "inf",
        lambda wrong: _blame(reader, ((x, ends, "first"), (y, others, "second")), wrong),
        lambda slopes: (
            reader.as_given(slopes[0]),
            library.reshaped(slopes[1], library.sizes(other)),
        ),
    )


def values_and_slopes(
    words: Words, moving: Arrays, still: Arrays, wanted: bool, gamma: float
) -> tuple[Any, Arrays]:
    """Return the losses, (B), and their slopes in both series."""
    (x, y), (ends, others) = moving, still
    at, library = words.where, words.library
    points, more = library.sizes(x)[1], library.sizes(y)[1]
    here = words.places(points, ends)[None, :] < ends[:, None]
    there = words.places(more, ends)[None, :] < others[:, None]
    x = at(here[..., None], x, words.full_like(x, 0.0))
    y = at(there[..., None], y, words.full_like(y, 0.0))
    apart = x[:, :, None] - y[:, None]
    cost = words.sum(apart * apart, axis=-1) / gamma
    inside = here[:, :, None] & there[:, None, :]
    lattice = _lattice(words, at(inside, -cost, words.full_like(cost, -inf)), ends, others)
    reached, peaks = lattice.reached()
    value = -gamma * lattice.total(reached, peaks)
    wrong = (ends < 0) | (others < 0)
    value = at(wrong, words.full_like(value, nan), value)
    if not wanted:
        return value, ()
    shares = lattice.shares(reached, peaks)[..., 1:]
    share = words.moveaxis(on_grid(words, shares, ends * 0, more, 2), 1, 2)
    share = at(inside & (value < inf)[:, None, None], share, words.full_like(share, 0.0))
    slope = 2 * share[..., None] * apart
    bad = (value != value)[:, None, None]  # noqa: PLR0124  (NaN)
    found = words.sum(slope, axis=2), -words.sum(slope, axis=1)
    return value, tuple(at(bad, words.full_like(z, nan), z) for z in found)


def _lattice(words: Words, scores: Any, ends: Any, others: Any) -> Lattice:
    """Return the grid of pairs of points by its diagonals, after a place before both series."""
    library = words.library
    points, more = library.sizes(scores)[1:]
    levels = points + more
    weights = by_diagonal(words, words.moveaxis(scores, 1, 2), ends * 0, levels, 2)
    edge = words.moveaxis(words.full_like(scores[:, :1, :1], -inf), 0, 1)
    edge = edge + words.full_like(weights[:, :1, :1], 0.0)
    weights = words.concatenate([edge, weights], axis=-1)
    place = words.places(points + 1, ends)[None, :]
    zero = words.finite(weights[0]) * 0
    nothing = words.full_like(zero, -inf)
    level = words.places(levels, ends)[:, None]
    return Lattice(
        words,
        STEPS,
        (weights, weights, weights),
        words.where(place == 0, zero, nothing),
        words.where(place == ends[:, None], zero, nothing),
        (level < (ends + others)[None, :])[..., None],
    )


def _blame(reader: Reader, series: tuple[tuple[Any, Any, str], ...], wrong: np.ndarray) -> None:
    """Raise for the first coordinate that is no number, of the pairs without a value."""
    for data, ends, name in series:
        reader.refuse(
            name, data, (ends,), wrong, lambda x: ~np.isfinite(x), "must be finite numbers"
        )
