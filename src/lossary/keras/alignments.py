"""Losses of whole sequences."""

from __future__ import annotations

from typing import Any

import keras
from keras import KerasTensor
from keras.src.losses import losses as _own

from lossary.engine.autograph import as_written
from lossary.keras.computing import LIBRARY
from lossary.keras.contract import INTEGER, ops
from lossary.sequences.ctc import alignments


@as_written
def ctc(y_true: Any, y_pred: Any) -> Any:
    """Connectionist temporal classification: lossary's ``sequences.ctc``, one value per sequence.

    As :func:`keras.losses.ctc`: labels (N, most labels), padded with 0, and logits (N, frames,
    classes), whose class 0 is the blank. Halves give float32. Labels that no path can spell have
    the loss inf and the gradient 0 on every backend.

    >>> import numpy as np
    >>> print(float(ctc(np.array([[1, 0]]), np.zeros((1, 2, 2), "float32"))[0]))
    0.28768...
    """
    if isinstance(y_pred, KerasTensor) or isinstance(y_true, KerasTensor):
        return _own.ctc(y_true, y_pred)
    y_true, y_pred = LIBRARY.narrowed(y_true), ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        return _own.ctc(y_true, y_pred)  # whose error it is
    if "float" not in keras.backend.standardize_dtype(y_pred.dtype):
        y_pred = ops.cast(y_pred, keras.config.floatx())
    labels = ops.cast(y_true, INTEGER)
    counts = ops.sum(ops.cast(labels != 0, INTEGER), axis=-1)
    frames = ops.ones_like(counts) * ops.cast(ops.shape(y_pred)[1], INTEGER)
    inside = ops.arange(ops.shape(labels)[1], dtype=INTEGER) < counts[:, None]
    wrong = (labels < 0) | (labels >= y_pred.shape[2])
    # Keras takes a 0 before the last label for a label that is the blank.
    labels = ops.where(inside, ops.where(wrong, -1, labels), 0)
    return alignments(0, normalized=False).values(LIBRARY, (y_pred,), (labels, frames, counts))
