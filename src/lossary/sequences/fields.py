"""Linear-chain conditional random fields: scores of tags, and of what follows what."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

from lossary.engine.options import one_of
from lossary.errors import DomainError, ShapeError
from lossary.sequences.batch import Batch, Reduction, sequence_loss
from lossary.sequences.reading import REDUCTIONS, Reader
from lossary.sequences.recursion import Arrays, Recursion
from lossary.sequences.words import Words, words_of


@sequence_loss(
    source="Lafferty et al. 2001, hdl:20.500.14332/6188",
    elsewhere=("torchcrf.CRF",),
    traps=(
        "torchcrf returns the log-likelihood, which is minus this, and sums unless it is told.",
        "transitions[i, j] is the score of tag j after tag i, as in torchcrf; others transpose it.",
    ),
)
def conditional_random_field(
    emissions: Any,
    tags: Any,
    transitions: Any,
    *,
    start: Any = None,
    end: Any = None,
    lengths: Any = None,
    weight: Any = None,
    reduction: Reduction = "mean",
) -> Batch:
    """Negative log-likelihood of a sequence of tags under a linear-chain conditional random field.

    ``emissions`` have shape (…, positions, tags), ``tags`` (…, positions), ``transitions``
    (tags, tags): the score of the second after the first. ``start`` and ``end`` are scores of the
    first and the last tag. ``lengths`` says how many positions of a sequence count; what is stored
    behind them does not matter. The gradient is in the emissions, the transitions, and in ``start``
    and ``end`` if they are given. The mean is over sequences, weighed by ``weight``.

    >>> emissions, transitions = [[1, 0.2], [0.3, 0.8], [-0.5, 0.6]], [[0.5, -0.1], [0.2, 0.4]]
    >>> loss = conditional_random_field(
    ...     emissions, [0, 1, 1], transitions, start=[0.1, -0.2], end=[0.3, 0.0]
    ... )
    >>> print(loss.round(8))
    1.29153123
    """
    reader, x = Reader.of("conditional_random_field", "emissions", emissions, "positions, tags")
    library, words = reader.library, words_of(reader.library.name)
    positions, kinds = library.sizes(x)[1:]
    if isinstance(positions, int) and not positions:
        raise ShapeError("conditional_random_field: emissions have no positions")
    weight = reader.weight(weight)
    rows = reader.whole("tags", tags, 1)
    if library.shape(rows)[1] != library.shape(x)[1]:
        raise ShapeError(
            f"conditional_random_field: tags must have one number for each of {positions} "
            f"positions, got {library.shape(rows)[1]}"
        )
    ends = reader.lengths("lengths", lengths, positions, "positions", weight)
    rows = reader.classes_of("tags", rows, ends, kinds)
    given = [("transitions", transitions, 2), ("start", start, 1), ("end", end, 1)]
    shared, named = [], []
    for name, data, rank in given:
        own = reader.real(name, np.zeros((1,) * rank) if data is None else data)
        if data is not None:
            named.append(name)
            if tuple(library.shape(own)) != (library.shape(x)[2],) * rank:
                raise ShapeError(
                    f"conditional_random_field: {name} must have shape {(kinds,) * rank}, one for "
                    f"each tag, got {tuple(library.shape(own))}"
                )
        own = library.cast(own, x.dtype) if data is None else own
        shared.append(words.broadcast_to(own[None], (reader.count, *[kinds] * rank)))
    keep = [True, *(data is not None for _, data, _ in given)]
    return Batch(
        Recursion("conditional_random_field", values_and_slopes),
        library,
        (x, *shared),
        (rows, ends),
        reader.lead,
        weight,
        one_of(reader.who, "reduction", reduction, REDUCTIONS),
        "inf",
        lambda wrong: _blame(reader, x, ends, wrong),
        lambda slopes: tuple(
            words.sum(slope, axis=0) if n else reader.as_given(slope)
            for n, (slope, kept) in enumerate(zip(slopes, keep, strict=True)) if kept
        ),
    )  # fmt: skip


def values_and_slopes(
    words: Words, moving: Arrays, still: Arrays, wanted: bool
) -> tuple[Any, Arrays]:
    """Return the losses, (B), and their slopes in all scores, for each sequence.

    The likelihood is a product of P(tag | tag before), each a softmax over what is open behind
    its tags: so a loss near 0 keeps its digits, which the difference of two sums would not.
    """
    (emissions, transitions, start, end), (tags, ends) = moving, still
    at, library = words.where, words.library
    positions, kinds = library.sizes(emissions)[1:]
    counted = words.moveaxis(words.places(positions, ends)[None, :] < ends[:, None], 1, 0)
    wrong = (ends < 0) | (words.sum(library.cast(tags < 0, tags.dtype), axis=-1) > 0)
    own = words.moveaxis(at(tags < 0, tags * 0, tags), 1, 0)
    one = own[..., None] == words.places(kinds, own)
    score = words.moveaxis(emissions, 1, 0)
    score = at(counted[..., None], score, words.full_like(score, 0.0))

    def back(held: Any, now: Any) -> Any:
        emitted, counts = now
        new = words.log_sum(transitions + (emitted + held[0])[:, None, :])[..., 0]
        return (at(counts[:, None], new - words.finite(words.log_sum(new)), held[0]),)

    last = (end - words.finite(words.log_sum(end)),)
    behind = words.scan(back, last, (score[1:], counted[1:]), reverse=True)[0]
    ahead = score + words.concatenate([behind, last[0][None]])
    before = words.of_class(
        words.moveaxis(transitions, 1, 2), _beside(words, own[:-1], transitions)
    )  # of the tag that stands before: (B, K, T - 1)
    scores = words.concatenate(
        [(start + ahead[0])[None], words.moveaxis(before, 2, 0) + ahead[1:]], axis=0
    )
    missed = _missed(words, scores, one)
    value = words.sum(at(counted, missed, words.full_like(missed, 0.0)), axis=0)
    value = at(wrong, words.full_like(value, nan), value)
    if not wanted:
        return value, ()

    def onward(held: Any, now: Any) -> Any:
        share, pairs = held
        coming, counts, here, there = now
        of_pair = share[:, :, None] * _softmax(words, transitions + coming[:, None, :])
        chosen = here[:, :, None] & there[:, None, :]
        beyond = counts[:, None, None]
        off = _less_one(words, of_pair, chosen, (-2, -1))
        return (
            at(counts[:, None], words.sum(of_pair, axis=1), share),
            pairs + at(beyond, off, words.full_like(off, 0.0)),
        )

    began = _softmax(words, start + ahead[0])
    steps = (ahead[1:], counted[1:], one[:-1], one[1:])
    nothing = words.full_like(transitions, 0.0)
    shares, pairs = words.scan(onward, (began, nothing), steps, kept=1)
    off = _less_one(words, words.concatenate([began[None], shares]), one, (-1,))
    off = at(counted[..., None], off, words.full_like(off, 0.0))
    last_of = words.places(positions, ends)[:, None] == (ends - 1)[None, :]
    ended = words.sum(at(last_of[..., None], off, words.full_like(off, 0.0)), axis=0)
    bad = (value != value)[:, None]  # noqa: PLR0124  (NaN)
    found = (words.moveaxis(off, 0, 1), pairs, off[0], ended)
    return value, tuple(
        at(words.library.reshaped(bad, [-1, *[1] * (len(x.shape) - 1)]), words.full_like(x, nan), x)
        for x in found
    )


def _beside(words: Words, own: Any, like: Any) -> Any:
    """Return the tags of each position, (T, B), as indices for each tag that may follow."""
    follows = words.places(words.library.sizes(like)[1], own) * 0
    return words.moveaxis(own, 0, 1)[:, None, :] + follows[:, None]


def _missed(words: Words, scores: Any, chosen: Any) -> Any:
    """Return -log of the softmax where chosen: what the others have, over what it has itself."""
    at, nothing = words.where, words.full_like(scores, -inf)
    own = words.sum(at(chosen, scores, words.full_like(scores, 0.0)), axis=-1)
    odds = words.log_sum(at(chosen, nothing, scores))[..., 0] - own
    return words.maximum(odds, odds * 0) + words.log1p(words.exp(-words.abs(odds)))


def _softmax(words: Words, scores: Any) -> Any:
    return words.exp(scores - words.finite(words.log_sum(scores)))


def _less_one(words: Words, shares: Any, chosen: Any, axes: tuple[int, ...]) -> Any:
    """Return shares less 1 where chosen, which is minus the sum of the others."""
    others = words.where(chosen, words.full_like(shares, 0.0), shares)
    rest = others
    for axis in axes:
        rest = words.sum(rest, axis=axis, keepdims=True)
    return words.where(chosen, -rest + others, others)


def _blame(reader: Reader, x: Any, ends: Any, wrong: np.ndarray) -> None:
    """Raise for the first emission that is no score, of the sequences without a value."""
    reader.refuse(
        "emissions", x, (ends,), wrong, lambda x: ~np.isfinite(x), "must be finite numbers"
    )
    raise DomainError(
        "conditional_random_field: transitions, start and end must be numbers that leave a tag "
        "open at each position, -inf for what is excluded"
    )
