"""Losses of whole sequences."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from lossary.doors import NotMine
from lossary.engine.libraries.jax import LIBRARY
from lossary.optax.contract import arrays_of, as_optax, compiled, real
from lossary.sequences.ctc import alignments

_LOG_EPSILON = -1e5


@as_optax
def ctc_loss(
    logits: ArrayLike,
    logit_paddings: ArrayLike,
    labels: ArrayLike,
    label_paddings: ArrayLike,
    *,
    blank_id: int = 0,
    log_epsilon: ArrayLike = _LOG_EPSILON,
) -> jax.Array:
    """Connectionist temporal classification: lossary's ``sequences.ctc``, one value per sequence.

    As :func:`optax.losses.ctc_loss`: logits (B, T, K) and labels (B, N), each with paddings that
    are 1 where nothing counts; those of labels stand at the end. Labels that no path can spell have
    the loss inf and the gradient 0, where optax has about ``-log_epsilon``; another ``log_epsilon``
    is left to optax. A label that is the blank or no class makes its loss NaN. No loss is negative.

    >>> import jax.numpy as jnp
    >>> frames, labels = jnp.array([[[0.0, 17.0], [0.0, 17.0]]]), jnp.array([[1]])
    >>> print(ctc_loss(frames, jnp.zeros((1, 2)), labels, jnp.zeros((1, 1))) < 1e-14)
    [ True]
    """
    if not isinstance(log_epsilon, float) or log_epsilon != _LOG_EPSILON:
        raise NotMine
    if not isinstance(blank_id, int):
        raise NotMine
    shapes = [jnp.shape(x) for x in arrays_of(logits, logit_paddings, labels, label_paddings)]
    fits = len(shapes[0]) == 3 and len(shapes[2]) == 2 and shapes[0][0] == shapes[2][0]
    if not fits or shapes[1] != shapes[0][:2] or shapes[3] != shapes[2]:
        raise NotMine
    if not 0 <= blank_id < shapes[0][2]:
        raise NotMine
    return _values(logits, logit_paddings, labels, label_paddings, blank_id)


@compiled("blank_id")
def _values(
    logits: Any, logit_paddings: Any, labels: Any, label_paddings: Any, blank_id: int
) -> jax.Array:
    logits, pads, labels, label_pads = arrays_of(logits, logit_paddings, labels, label_paddings)
    real(logits)
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise NotMine
    counts = (label_pads == 0).sum(1).astype(LIBRARY.index_dtype)
    inside = jnp.arange(labels.shape[1]) < counts[:, None]
    wrong = (labels < 0) | (labels >= logits.shape[2]) | (labels == blank_id)
    rows = jnp.where(inside, jnp.where(wrong, -1, labels), blank_id).astype(LIBRARY.index_dtype)
    found = alignments(blank_id, normalized=False).values(
        LIBRARY, (logits,), (rows, ~pads.astype(bool), counts)
    )
    return found.astype(logits.dtype)
