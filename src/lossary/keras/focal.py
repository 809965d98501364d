"""Keras' focal losses: lossary's for targets of 0 and 1, Keras' own for targets in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras.src.losses import losses as _keras

from lossary.keras.classification import _check_classes, _logits, _normalised
from lossary.keras.computing import values
from lossary.keras.contract import clipped, concrete, door, last, mean, ops, same_shape

# As they are now: later the names in Keras may stand for the doors.
_binary, _categorical = _keras.binary_focal_crossentropy, _keras.categorical_focal_crossentropy

__all__ = ["binary_focal_crossentropy", "categorical_focal_crossentropy"]


@door()
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Mean of focal losses along an axis, as :func:`keras.losses.binary_focal_crossentropy`.

    Lossary's ``focal``, of the log-odds of clipped probabilities or of logits. ``alpha`` counts
    only with ``apply_class_balancing``. Targets between 0 and 1, which ``label_smoothing`` makes,
    go to Keras' own function. The shapes must agree (ValueError).

    >>> print(round(float(binary_focal_crossentropy([[1.0]], [[0.5]])[0]), 4))
    0.1733
    """
    same_shape("binary_focal_crossentropy", y_true, y_pred)

    def own(target: Any) -> Any:
        logits = _logits(y_pred, from_logits, "Sigmoid", "binary_focal_crossentropy")
        if logits is None:
            p = clipped(y_pred)
            logits = ops.log(p) - ops.log1p(-p)
        weight = alpha if apply_class_balancing else None
        return mean(values("focal", logits, target, gamma=gamma, alpha=weight), axis)

    def peer(target: Any, prediction: Any) -> Any:
        return _binary(
            target,
            prediction,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )

    hard = None if label_smoothing else ops.all(ops.logical_or(y_true == 0, y_true == 1))
    return _either(hard, own, peer, y_true, y_pred)


@door()
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Focal loss of rows of classes, as :func:`keras.losses.categorical_focal_crossentropy`.

    Lossary's ``categorical_focal`` at the label of a one-hot row, times ``alpha``: a number, or one
    for each class. Other rows, which ``label_smoothing`` makes, go to Keras' own function. The
    shapes must agree (ValueError).

    >>> print(round(float(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4))
    0.0433
    """
    _check_classes("categorical_focal_crossentropy", y_true, y_pred, axis)

    def own(target: Any) -> Any:
        rows = y_pred if from_logits else ops.log(clipped(_normalised(y_pred, axis)))
        label = ops.argmax(target, axis=axis)
        found = values("categorical_focal", last(rows, axis), label, gamma=gamma)
        return found * ops.sum(target * ops.convert_to_tensor(alpha, target.dtype), axis=axis)

    def peer(target: Any, prediction: Any) -> Any:
        return _categorical(
            target,
            prediction,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )

    hard = None
    if not label_smoothing:
        one = ops.all(ops.sum(y_true, axis=axis) == 1)
        hard = ops.logical_and(one, ops.all(ops.logical_or(y_true == 0, y_true == 1)))
    return _either(hard, own, peer, y_true, y_pred)


def _either(
    hard: Any,
    own: Callable[[Any], Any],
    peer: Callable[[Any, Any], Any],
    y_true: Any,
    y_pred: Any,
) -> Any:
    """Return our loss if the targets are 0 and 1, else the peer's; a graph computes both."""
    if hard is None:
        return peer(y_true, y_pred)
    if concrete(hard):
        return own(y_true) if hard else peer(y_true, y_pred)
    # The branch that is not taken gets harmless numbers: 0 times its gradient must be 0.
    found = own(ops.where(hard, y_true, ops.round(y_true)))
    return ops.where(hard, found, peer(y_true, ops.where(hard, 0.5, y_pred)))
