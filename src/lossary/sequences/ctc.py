"""Connectionist temporal classification: all alignments of a sequence of labels with the frames."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

from lossary.engine import leases
from lossary.engine.options import one_of
from lossary.errors import ShapeError
from lossary.sequences import machine
from lossary.sequences.batch import Batch, Impossible, Reduction, sequence_loss
from lossary.sequences.frames import blame
from lossary.sequences.reading import POLICIES, REDUCTIONS, Reader
from lossary.sequences.recursion import Arrays, Recursion
from lossary.sequences.scans import Lattice
from lossary.sequences.words import Words

STEPS = ((1, 0), (1, 1), (1, 2))
"""A path stays, goes on, or leaves out the blank between two labels that differ."""


@sequence_loss(
    source="Graves et al. 2006, doi:10.1145/1143844.1143891",
    elsewhere=("torch.nn.CTCLoss", "keras.losses.CTC", "tf.nn.ctc_loss", "optax.losses.ctc_loss"),
    traps=(
        "PyTorch's mean divides each loss by the length of its labels first; here the mean is over "
        "sequences, as in Keras and optax.",
        "The blank is class 0 here, in PyTorch, Keras and optax; tf.nn.ctc_loss has it last.",
    ),
)
def ctc(
    logits: Any,
    labels: Any,
    *,
    logit_lengths: Any = None,
    label_lengths: Any = None,
    blank: int = 0,
    weight: Any = None,
    reduction: Reduction = "mean",
    impossible: Impossible = "inf",
) -> Batch:
    """Negative log of the probability that frames of classes spell a sequence of labels.

    A path takes one class at each frame; it spells what is left when classes that repeat are joined
    and blanks dropped. ``logits`` have shape (…, frames, classes), ``labels`` (…, labels), integers
    without the blank. Log-probabilities are logits, too: log-softmax leaves them as they are.
    ``logit_lengths`` and ``label_lengths`` say how many frames and labels of a sequence count; what
    is stored behind them does not matter, NaN neither. A logit of -inf excludes a class.

    Labels that no path of so few frames can spell have the loss inf, or 0 with
    ``impossible="zero"``, and the gradient 0. The mean is over sequences, weighed by ``weight``.

    >>> import numpy as np
    >>> frames = [[0.5, 1, -0.3], [0.1, 0.2, 0.7], [1.2, -0.4, 0.3], [0, 0.9, 0.4]]
    >>> print(ctc(frames, [1, 2]).round(9), ctc(frames, [1, 1, 1]))
    1.645523509 inf
    >>> ctc.gradient(np.zeros((2, 2)), [1])
    array([[ 0.16666667, -0.16666667],
           [ 0.16666667, -0.16666667]])
    """
    reader, x = Reader.of("ctc", "logits", logits, "frames, classes")
    frames, classes = reader.library.sizes(x)[1:]
    if isinstance(classes, int) and not classes:
        raise ShapeError("ctc: logits have no classes; the blank is one")
    blank = reader.class_index("blank", blank, classes)
    weight = reader.weight(weight)
    ends = reader.lengths("logit_lengths", logit_lengths, frames, "frames", weight)
    rows = reader.whole("labels", labels, 1)
    most = reader.library.sizes(rows)[1]
    counts = reader.lengths("label_lengths", label_lengths, most, "labels", weight)
    rows = reader.classes_of("labels", rows, counts, classes, blank)
    return Batch(
        alignments(blank, False),
        reader.library,
        (x,),
        (rows, ends, counts),
        reader.lead,
        weight,
        one_of(reader.who, "reduction", reduction, REDUCTIONS),
        one_of(reader.who, "impossible", impossible, POLICIES),
        lambda wrong: blame(reader, x, (ends,), wrong),
        lambda slopes: (reader.as_given(slopes[0]),),
    )


def alignments(blank: int, normalized: bool) -> Recursion:
    """Return the recursion; ``normalized`` logits are log-probabilities as they are.

    The slopes of those are the ones that log-softmax before them needs: PyTorch's convention.
    """
    return Recursion("ctc", values_and_slopes, (blank, normalized), by_kernel)


def values_and_slopes(
    words: Words, moving: Arrays, still: Arrays, wanted: bool, blank: int, normalized: bool
) -> tuple[Any, Arrays]:
    """Return the losses, (B), and their slopes in the logits, (B, T, K).

    In the place of how many frames count there may stand which of them do, (B, T).
    """
    (logits,), (labels, ends, counts) = moving, still
    at, library = words.where, words.library
    frames, classes = library.sizes(logits)[1:]
    counted = ends
    if library.kind(ends) == "integer":
        counted = words.places(frames, ends)[None, :] < ends[:, None]
    logits = at(counted[..., None], logits, words.full_like(logits, 0.0))
    wrong = _wrong(words, still)
    log_masses = logits if normalized else logits - words.log_sum(logits)
    own = spelled(words, at(labels < 0, labels * 0, labels), blank)
    lattice = _lattice(words, log_masses, own, counts, counted, blank)
    reached, peaks = lattice.reached()
    value = -lattice.total(reached, peaks)
    if not normalized:  # a rounding below 0 is 0
        value = at(value < 0, value * 0, value)
    spoiled = words.full_like(value, nan)
    if not wanted:
        return at(wrong, spoiled, value), ()
    shares = lattice.shares(reached, peaks)
    kinds = words.places(classes, own)
    spells = library.cast(own[:, 1::2, None] == kinds, shares.dtype)
    taken = words.matmul(words.moveaxis(shares[..., 1::2], 0, 1), spells)
    rests = words.moveaxis(words.sum(shares[..., ::2], axis=-1), 0, 1)[..., None]
    slope = words.exp(log_masses) - taken - at(kinds == blank, rests, rests * 0)
    slope = at((counted & (value < inf)[:, None])[..., None], slope, words.full_like(slope, 0.0))
    bad = wrong | (value != value)  # noqa: PLR0124  (NaN)
    slope = at(bad[:, None, None], words.full_like(slope, nan), slope)
    return at(wrong, spoiled, value), (slope,)


def _wrong(words: Words, still: Arrays) -> Any:
    """Return of which sequences a label or a length is none."""
    labels, ends, counts = still
    places = words.places(words.library.sizes(labels)[1], labels)
    none = (labels < 0) & (places[None, :] < counts[:, None])
    none = words.sum(words.library.cast(none, labels.dtype), axis=-1)
    wrong = (none > 0) | (counts < 0)
    return wrong | (ends < 0) if words.library.kind(ends) == "integer" else wrong


def spelled(words: Words, labels: Any, blank: int) -> Any:
    """Return the classes of all places: the labels with a blank before, between and behind them."""
    blanks = labels * 0 + blank
    library = words.library
    count, each = library.sizes(labels)
    both = library.reshaped(words.stack([blanks, labels], axis=-1), [count, 2 * each])
    last = library.reshaped(words.places(count, labels) * 0 + blank, [count, 1])
    return words.concatenate([both, library.cast(last, labels.dtype)], axis=-1)


def _lattice(
    words: Words, log_masses: Any, own: Any, counts: Any, counted: Any, blank: int
) -> Lattice:
    """Return the places of each frame: a blank, the first label, a blank, and so on."""
    library, at = words.library, words.where
    frames, places = library.sizes(log_masses)[1], library.sizes(own)[1]
    index = own[:, None, :] + words.places(frames, own)[None, :, None] * 0
    weights = words.moveaxis(words.of_class(log_masses, index), 1, 0)
    place = words.places(places, own)[None, :]
    before = words.concatenate([own[:, :2], own[:, :-2]], axis=-1)
    skips = (own != before) & (place > 1) & (place % 2 == 1)
    zero = library.cast(own * 0, log_masses.dtype)
    nothing = words.full_like(zero, -inf)
    # Before the first frame stands a blank, from which both first places are at most a step away.
    end = (place == 2 * counts[:, None]) | (place == 2 * counts[:, None] - 1)
    return Lattice(
        words,
        STEPS,
        (weights, weights, at(skips, weights, words.full_like(weights, -inf))),
        at(place == 0, zero, nothing),
        at(end, zero, nothing),
        words.moveaxis(counted, 1, 0)[..., None],
    )


def by_kernel(
    moving: Arrays, still: Arrays, wanted: bool, blank: int, normalized: bool
) -> tuple[Any, Arrays] | None:
    """Return the same by machine code, a sequence at a time; None if there is none yet.

    It reads labels without looking: those that are none are the text's, which makes them NaN.
    """
    sequences, frames, classes = moving[0].shape
    counted = np.arange(still[0].shape[1]) < still[2][:, None]
    if (counted & (still[0] < 0)).any() or (still[1] < 0).any() or (still[2] < 0).any():
        return None
    # PyTorch has the frames first: read as they lie, which a copy could take longer than the rest.
    order = (1, 0, 2) if moving[0].transpose(1, 0, 2).flags.c_contiguous else (0, 1, 2)
    logits = np.ascontiguousarray(moving[0].transpose(order))
    near, far = (sequences * classes, classes) if order[0] else (classes, frames * classes)
    labels, ends, counts = map(np.ascontiguousarray, still)
    value = np.empty(sequences)
    slopes = leases.blank((logits.size if wanted else 0,), logits.dtype)
    flat = logits.reshape(-1)
    arguments = (
        flat, classes, frames, far, near, labels, ends, counts, blank, normalized, wanted, value,
        slopes,
    )  # fmt: skip
    work = sequences * frames * (classes + labels.shape[1])
    if not machine.run("alignments", "ctc", sequences, work, arguments):
        return None
    return value, (slopes.reshape(logits.shape).transpose(order),) if wanted else ()
