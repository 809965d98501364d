"""Keras' focal losses and its robust cross-entropy: weights by how well an example is predicted."""

from __future__ import annotations

from typing import Any

from lossary.keras.classification import (
    check_classes,
    labels_inside,
    logits_if_known,
    normalised,
    smoothed_classes,
)
from lossary.keras.computing import only, values
from lossary.keras.contract import axes_of, clipped, door, last, mean, ops, same_shape, smoothed


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

    Lossary's ``soft_focal``, of logits or of the log-odds of clipped probabilities. ``alpha``
    counts only with ``apply_class_balancing``. The shapes must agree (ValueError).

    >>> print(round(float(binary_focal_crossentropy([[1.0]], [[0.5]])[0]), 4))
    0.1733
    """
    axes_of("binary_focal_crossentropy", axis)
    same_shape("binary_focal_crossentropy", y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 0.5)
    logits = logits_if_known(y_pred, from_logits, "Sigmoid", "binary_focal_crossentropy")
    if logits is None:
        p = clipped(y_pred)
        logits = ops.log(p) - ops.log1p(-p)
    balance = alpha if apply_class_balancing else None
    return mean(values("soft_focal", logits, y_true, gamma=gamma, alpha=balance), axis)


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

    Lossary's ``soft_categorical_focal``, of logits or of the logarithms of rows divided by their
    sum and clipped. ``alpha`` multiplies the target: a number, or one for each class. The shapes
    must agree (ValueError).

    >>> print(round(float(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4))
    0.0433
    """
    check_classes("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = smoothed_classes(y_true, label_smoothing, axis)
    if not isinstance(alpha, float | int):
        alpha = ops.convert_to_tensor(alpha, y_true.dtype)
    rows = y_pred if from_logits else ops.log(clipped(normalised(y_pred, axis)))
    target = last(y_true * alpha, axis)
    return values("soft_categorical_focal", last(rows, axis), target, gamma=gamma)


@door(labels=True)
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Lossary's ``generalized_cross_entropy_from_probabilities``, as Keras' function of this name.

    ``y_true`` holds labels, ``y_pred`` probabilities along the last axis, ``q`` lies between 0
    and 1. Another label raises LabelError or, in a compiled graph, gives NaN.

    >>> print(round(float(categorical_generalized_cross_entropy([1], [[0.75, 0.25]], 0.5)[0]), 4))
    1.0
    """
    label, inside = labels_inside(
        "categorical_generalized_cross_entropy", y_true, y_pred.shape[-1], None
    )
    found = values("generalized_cross_entropy_from_probabilities", y_pred, label, q=q)
    return found if inside is None else only(inside, found)
