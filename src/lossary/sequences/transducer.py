"""The transducer: alignments in which a frame may spell any number of labels."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from lossary.engine.options import one_of
from lossary.errors import ShapeError
from lossary.sequences.batch import Batch, Reduction, sequence_loss
from lossary.sequences.frames import blame
from lossary.sequences.reading import REDUCTIONS, Reader
from lossary.sequences.recursion import Arrays, Recursion
from lossary.sequences.scans import Lattice, by_diagonal, on_grid
from lossary.sequences.words import Words

STEPS = ((1, 0), (1, 1))
"""The blank goes on to the next frame; a label goes on to the next label, within the frame."""


@sequence_loss(
    source="Graves 2012, arXiv:1211.3711",
    elsewhere=("torchaudio.functional.rnnt_loss",),
    traps=(
        "torchaudio's blank is the last class unless it is said, here it is class 0.",
        "Logits are those of each frame with each number of labels before it: (frames, labels + 1, "
        "classes). For 1000 frames, 100 labels and 1000 classes they take 400 MB in float32.",
    ),
)
def rnn_transducer(
    logits: Any,
    labels: Any,
    *,
    logit_lengths: Any = None,
    label_lengths: Any = None,
    blank: int = 0,
    weight: Any = None,
    reduction: Reduction = "mean",
) -> Batch:
    """Negative log of the probability that a transducer spells a sequence of labels.

    ``logits`` have shape (…, frames, labels + 1, classes): what may come next in a frame after so
    many labels, a label or the blank, which ends the frame. ``labels`` have shape (…, labels).
    ``logit_lengths`` and ``label_lengths`` say how many frames and labels of a sequence count; what
    is stored behind them does not matter. The mean is over sequences, weighed by ``weight``.

    >>> frames = [[[0.1, 0.6, -0.2], [0.3, -0.1, 0.5]], [[0, 0.4, 0.2], [0.9, 0.1, -0.3]]]
    >>> print(rnn_transducer(frames, [1]).round(9))
    1.809099313
    """
    reader, x = Reader.of("rnn_transducer", "logits", logits, "frames, labels + 1, classes")
    frames, before, classes = reader.library.sizes(x)[1:]
    blank = reader.class_index("blank", blank, classes)
    weight = reader.weight(weight)
    rows = reader.whole("labels", labels, 1)
    most = reader.library.sizes(rows)[1]
    if isinstance(before, int) and isinstance(most, int) and before != most + 1:
        raise ShapeError(
            f"rnn_transducer: logits must have shape (…, frames, {most + 1}, classes) for {most} "
            f"labels, one place before each and one behind the last, got {reader.like.shape}"
        )
    ends = reader.lengths("logit_lengths", logit_lengths, frames, "frames", weight)
    counts = reader.lengths("label_lengths", label_lengths, most, "labels", weight)
    rows = reader.classes_of("labels", rows, counts, classes, blank)
    return Batch(
        Recursion("rnn_transducer", values_and_slopes, (blank,)),
        reader.library,
        (x,),
        (rows, ends, counts),
        reader.lead,
        weight,
        one_of(reader.who, "reduction", reduction, REDUCTIONS),
        "inf",
        lambda wrong: blame(reader, x, (ends, counts + 1), wrong),
        lambda slopes: (reader.as_given(slopes[0]),),
    )


def values_and_slopes(
    words: Words, moving: Arrays, still: Arrays, wanted: bool, blank: int
) -> tuple[Any, Arrays]:
    """Return the losses, (B), and their slopes in the logits, (B, T, U + 1, K)."""
    (logits,), (labels, ends, counts) = moving, still
    at, library = words.where, words.library
    frames, before, classes = library.sizes(logits)[1:]
    frame = words.places(frames, ends)[None, :] < ends[:, None]
    place = words.places(before, ends)[None, :]
    inside = frame[:, :, None] & (place <= counts[:, None])[:, None, :]
    logits = at(inside[..., None], logits, words.full_like(logits, 0.0))
    log_masses = logits - words.log_sum(logits)
    # Behind the last label stands one that is never spelled.
    own = words.concatenate([at(labels < 0, labels * 0, labels), counts[:, None] * 0], axis=-1)
    spelled = own[..., None] == words.places(classes, own)
    chosen = words.full_like(log_masses, 0.0)
    chosen = at(spelled[:, None], log_masses, chosen)
    nothing = words.full_like(log_masses[..., 0], -inf)
    stays = at(inside, log_masses[..., blank], nothing)
    goes = at(inside & (place < counts[:, None])[:, None, :], words.sum(chosen, axis=-1), nothing)
    lattice = _lattice(words, stays, goes, ends, counts)
    reached, peaks = lattice.reached()
    value = -lattice.total(reached, peaks)
    value = at(value < 0, value * 0, value)  # a rounding below 0 is 0
    wrong = (ends < 0) | (counts < 0)
    wrong = wrong | (words.sum(library.cast(labels < 0, labels.dtype), axis=-1) > 0)
    value = at(wrong, words.full_like(value, nan), value)
    if not wanted:
        return value, ()
    blanks, taken = _edges(words, lattice, (reached, peaks), ends * 0, frames)
    slope = words.exp(log_masses) * (blanks + taken)[..., None]
    slope = slope - at(spelled[:, None], taken[..., None], words.full_like(slope, 0.0))
    ends_frame = words.places(classes, own) == blank
    slope = slope - at(ends_frame, blanks[..., None], words.full_like(slope, 0.0))
    slope = at(inside[..., None] & (value < inf)[:, None, None, None], slope, slope * 0)
    bad = (value != value)[:, None, None, None]  # noqa: PLR0124  (NaN)
    return value, (at(bad, words.full_like(slope, nan), slope),)


def _lattice(words: Words, stays: Any, goes: Any, ends: Any, counts: Any) -> Lattice:
    """Return the grid of frames and labels by its diagonals: a step leads to the next of them."""
    library = words.library
    frames, before = library.sizes(stays)[1:]
    levels = frames + before - 1
    stay = by_diagonal(words, stays, ends * 0, levels, 1)
    to_label = by_diagonal(words, goes[:, :, :-1], ends * 0, levels, 1)
    go = words.concatenate([words.full_like(stay[..., :1], -inf), to_label], axis=-1)
    place = words.places(before, ends)[None, :]
    zero = words.full_like(stays[:, 0], 0.0)
    nothing = words.full_like(zero, -inf)
    level = words.places(levels, ends)[:, None]
    return Lattice(
        words,
        STEPS,
        (stay, go),
        words.where(place == 0, zero, nothing),
        words.where(place == counts[:, None], zero, nothing),
        (level < (ends + counts)[None, :])[..., None],
    )


def _edges(
    words: Words, lattice: Lattice, made: tuple[Any, Any], each: Any, frames: Any
) -> tuple[Any, Any]:
    """Return the share of all paths that leaves each point of the grid by a blank, by a label.

    ``made`` is what the lattice has reached.
    """
    reached, peaks = made
    shares = lattice.shares(reached, peaks)
    last = words.concatenate([lattice.start[None], reached[:-1]])
    stay, go = (
        words.moved_on(last, places) + weight
        for (_, places), weight in zip(STEPS, lattice.weights, strict=True)
    )
    both = words.finite(words.log_sum(words.stack([stay, go]), axis=0)[0])
    by_blank, by_label = shares * words.exp(stay - both), shares * words.exp(go - both)
    blanks, taken = (on_grid(words, x, each, frames, 1) for x in (by_blank, by_label[..., 1:]))
    none = words.full_like(blanks[..., :1], 0.0)
    return blanks, words.concatenate([taken, none], axis=-1)
