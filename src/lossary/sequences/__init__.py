"""Losses of whole sequences: sums over all the ways in which two sequences can go together.

A loss of the catalogue has one number for each element or row. Here there is one for each
sequence, ``-log`` of a sum over exponentially many paths, which a recursion takes in as many steps
as the sequence is long. Each can be called, and has ``gradient`` and ``value_and_gradient``.

>>> import lossary as L
>>> frames = [[0.5, 1.0, -0.3], [0.1, 0.2, 0.7], [1.2, -0.4, 0.3], [0.0, 0.9, 0.4]]
>>> print(L.sequences.ctc(frames, [1, 2]).round(9))
1.645523509
"""

from __future__ import annotations

from lossary.sequences.batch import SequenceLoss
from lossary.sequences.ctc import ctc
from lossary.sequences.fields import conditional_random_field
from lossary.sequences.transducer import rnn_transducer
from lossary.sequences.warping import soft_dtw

__all__ = ["LOSSES", "conditional_random_field", "ctc", "rnn_transducer", "soft_dtw"]

LOSSES: dict[str, SequenceLoss] = {
    loss.name: loss for loss in (ctc, rnn_transducer, conditional_random_field, soft_dtw)
}
"""The losses of this room by name."""
