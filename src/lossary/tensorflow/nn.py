"""The losses of :mod:`tf.nn`, by their names and signatures.

>>> import tensorflow as tf
>>> from lossary.tensorflow import nn
>>> print(nn.l2_loss(tf.constant([3.0, 4.0])).numpy())
12.5
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from lossary.doors import NotMine
from lossary.tensorflow.computing import Request, numbers, values
from lossary.tensorflow.contract import as_tensorflow, fits, real, tensor, wide

__all__ = [
    "l2_loss",
    "log_poisson_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


@as_tensorflow
def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> tf.Tensor:
    """Cross-entropy of distributions with the softmax of logits: ``soft_cross_entropy``.

    As :func:`tf.nn.softmax_cross_entropy_with_logits`: ``labels`` are probabilities in the shape of
    the real ``logits``, with the classes along ``axis``, and are cast to their dtype. Returns one
    number per row in the dtype of the logits. Other misfits raise what TensorFlow raises. A class
    with the logit -inf and without mass costs nothing, where TensorFlow has NaN:

    >>> logits, labels = [[0.0, 0.0, -math.inf]], [[1.0, 0.0, 0.0]]
    >>> print(softmax_cross_entropy_with_logits(labels=labels, logits=logits).numpy())
    [0.6931472]
    """
    x = tensor(logits)
    real(x)
    y = tf.cast(tensor(labels), wide(x.dtype))
    fits(y, x.shape)
    rank = len(x.shape)
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise NotMine
    axis = axis % rank - rank
    return _of_logits(Request("soft_cross_entropy", x.dtype, axis=axis), x, y)


def _of_logits(request: Request, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return the loss of rows; a softmax of a logit that is NaN or +inf is none, as TensorFlow's.

    The core takes an infinite logit for certainty; here an overflow must not go unseen.
    """
    plain = numbers(logits)
    if plain is not None:
        if not plain.max() < math.inf:
            raise NotMine
        return values(request, logits, labels)
    good = tf.reduce_max(logits, axis=request.axis) < math.inf
    found = values(request, logits, labels)
    return found * tf.where(good, tf.ones_like(found), tf.constant(math.nan, found.dtype))


@as_tensorflow
def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> tf.Tensor:
    """Cross-entropy of labels with the softmax of logits: lossary's ``cross_entropy``.

    As :func:`tf.nn.sparse_softmax_cross_entropy_with_logits`: real ``logits`` with the classes
    last, ``labels`` of type int32 or int64 in their shape without that axis. A label outside raises
    InvalidArgumentError, in a graph for a GPU or XLA it gives NaN. Returns one number per label in
    the dtype of the logits. It stays exact where the label is the confident class:

    >>> print(sparse_softmax_cross_entropy_with_logits(labels=[0], logits=[[17.0, 0.0]]).numpy())
    [4.1399375e-08]
    """
    x, y = tensor(logits), tensor(labels)
    real(x)
    if not x.shape.rank or y.dtype not in {tf.int32, tf.int64}:
        raise NotMine
    fits(y, x.shape[:-1])
    if tf.executing_eagerly():
        if not _all_inside(y, x.shape[-1]):
            raise NotMine
        return _of_logits(Request("cross_entropy", x.dtype), x, y)
    with tf.control_dependencies(_guards(x, y)):
        return _of_logits(Request("cross_entropy", x.dtype, check=True), x, tf.identity(y))


def _all_inside(label: Any, classes: Any) -> bool:
    plain = numbers(label)
    if plain is not None:
        return plain.min() >= 0 and plain.max() < classes
    return bool(tf.reduce_all((label >= 0) & (label < classes)))


def _guards(logits: tf.Tensor, label: tf.Tensor) -> list[Any]:
    """Return what raises for a label outside while a graph runs: not on a GPU, as TensorFlow."""
    if tf.config.list_logical_devices("GPU"):
        return []
    classes = tf.cast(tf.shape(logits)[-1], label.dtype)
    inside = tf.reduce_all((label >= 0) & (label < classes))
    words = "a label lies outside 0 to the number of classes minus 1; labels and classes:"
    # Not tf.debugging.Assert, which puts the operator into a conditional.
    return [tf.raw_ops.Assert(condition=inside, data=[words, label, classes], summarize=3)]


def _binary(labels: Any, logits: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Return logits and labels of one dtype and shape."""
    x, y = tensor(logits), tensor(labels)
    real(x, y)
    fits(y, x.shape)
    return x, y


@as_tensorflow
def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> tf.Tensor:
    """Cross-entropy of yes-or-no labels with log-odds: lossary's ``binary_cross_entropy``.

    As :func:`tf.nn.sigmoid_cross_entropy_with_logits`: real ``logits`` and ``labels`` from 0 to 1,
    of one dtype and shape (ValueError), in which it returns the losses. An infinite logit on its
    right side costs 0, where TensorFlow has NaN:

    >>> print(sigmoid_cross_entropy_with_logits([1.0, 1.0], [0.0, math.inf]).numpy())
    [0.6931472 0.       ]
    """
    x, y = _binary(labels, logits)
    return values(Request("binary_cross_entropy", x.dtype), x, y)


@as_tensorflow
def weighted_cross_entropy_with_logits(
    labels: Any, logits: Any, pos_weight: Any, name: str | None = None
) -> tf.Tensor:
    """Binary cross-entropy with a weight of the positives: lossary's ``binary_cross_entropy``.

    As :func:`tf.nn.weighted_cross_entropy_with_logits`: labels and logits are those of
    :func:`sigmoid_cross_entropy_with_logits`; ``pos_weight``, at least 0, broadcasts to them.

    >>> print(weighted_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0], 2.0).numpy())
    [1.3862944 0.6931472]
    """
    x, y = _binary(labels, logits)
    if isinstance(pos_weight, (int, float)) and 0 < pos_weight < math.inf:
        parameters = (("positive_weight", float(pos_weight)),)
        return values(Request("binary_cross_entropy", x.dtype, parameters), x, y)
    plain = isinstance(pos_weight, (int, float, list, tuple))
    q = tf.convert_to_tensor(pos_weight, x.dtype) if plain else tensor(pos_weight)
    real(x, q)
    if q.shape.rank is None or tf.broadcast_static_shape(q.shape, x.shape) != x.shape:
        raise NotMine
    return values(Request("binary_cross_entropy", x.dtype), x, y, positive_weight=q)


@as_tensorflow
def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> tf.Tensor:
    """Negative log-likelihood of counts, from the logarithm of the rate: lossary's ``poisson``.

    As :func:`tf.nn.log_poisson_loss`: real ``targets``, at least 0, and ``log_input`` of one dtype
    and shape (ValueError), in which it returns the losses. ``compute_full_loss`` adds Stirling's
    approximation of log(targets!) where targets are above 1.

    >>> print(log_poisson_loss([3.0], [0.0]).numpy())
    [1.]
    """
    x, y = _binary(targets, log_input)
    if not compute_full_loss:
        return values(Request("poisson", x.dtype), x, y)
    result = values(Request("poisson", wide(x.dtype)), x, y)
    return tf.cast(result + _stirling(tf.cast(y, result.dtype)), x.dtype)


def _stirling(target: tf.Tensor) -> tf.Tensor:
    """Approximate log(target!) above 1, and 0 to there: no loss, but a number about the target."""
    small = (target >= 0) & (target <= 1)
    t = tf.where(small, tf.ones_like(target), target)
    full = t * tf.math.log(t) - t + tf.math.log(2 * math.pi * t) / 2
    return tf.where(small, tf.zeros_like(target), full)


@as_tensorflow
def l2_loss(t: Any, name: str | None = None) -> tf.Tensor:
    """Half the sum of squares: lossary's ``half_squared_error`` against 0, summed.

    As :func:`tf.nn.l2_loss`: a real tensor of any shape (others raise what TensorFlow raises), and
    a scalar of its dtype.

    >>> print(l2_loss([1.0, 2.0]).numpy())
    2.5
    """
    x = tensor(t)
    real(x)
    fits(x, x.shape)
    return values(Request("half_squared_error", x.dtype, alone=True), x)
