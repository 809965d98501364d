"""Scikit-learn's classification losses that follow from the catalogue."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from lossary import catalogue
from lossary.doors import NotMine
from lossary.sklearn.contract import Warned, as_sklearn, doubles, weights

__all__ = ["brier_score_loss", "d2_brier_score", "d2_log_loss_score", "hinge_loss", "log_loss"]

_FLOATS: Any = [np.float64, np.float32, np.float16]


class Rows(NamedTuple):
    """Probabilities in their own dtype, a target mass for each, and weights."""

    target: NDArray[np.float64]
    probability: NDArray[Any]
    weight: NDArray[np.float64] | None
    doubtful: bool
    """Whether scikit-learn warns: rows that do not add up to 1, or labels out of order."""


def _clipped(probability: NDArray[Any]) -> NDArray[np.float64]:
    """Return probabilities between scikit-learn's bounds, the spacing of their dtype at 1."""
    spacing = np.finfo(probability.dtype).eps
    return np.clip(probability, spacing, 1 - spacing).astype(np.float64)


def _probability(y_proba: Any) -> NDArray[Any]:
    if get_config()["array_api_dispatch"]:
        raise TypeError("arrays of other libraries are scikit-learn's to read")
    probability = check_array(y_proba, ensure_2d=False, dtype=_FLOATS)
    if probability.min() < 0 or probability.max() > 1:
        raise ValueError("y_proba must lie in [0, 1]")
    return probability


def _one_hot(y_true: Any, labels: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the sorted classes, and a row of zeros and a one for each label."""
    label = np.asarray(y_true)
    declared = label if labels is None else np.asarray(labels)
    plain = label.ndim == declared.ndim == 1 and label.dtype.kind == declared.dtype.kind
    if plain and label.dtype.kind in "biuU":
        # As LabelBinarizer does, in a tenth of its time.
        classes = np.unique(declared)
        _all_known(label, classes)
        return classes, np.eye(len(classes))[np.searchsorted(classes, label)]
    binarizer = LabelBinarizer().fit(declared if labels is not None else y_true)
    if labels is not None:
        _all_known(label, binarizer.classes_)
    target = np.asarray(binarizer.transform(y_true), dtype=np.float64)
    if target.shape[1] == 1:
        target = np.hstack([1 - target, target])
    return binarizer.classes_, target


def _all_known(label: NDArray[Any], classes: NDArray[Any]) -> None:
    if not np.isin(label, classes).all():
        raise ValueError("y_true must hold labels only")


def _rows(y_true: Any, y_proba: Any, sample_weight: Any, labels: Any) -> Rows:
    """Read the arguments; ValueError or TypeError for what scikit-learn has to judge."""
    probability = _probability(y_proba)
    check_consistent_length(probability, y_true, sample_weight)
    classes, target = _one_hot(y_true, labels)
    doubtful = labels is not None and not np.array_equal(classes, np.asarray(labels))
    if probability.ndim == 1:
        probability = probability[:, None]
    if probability.shape[1] == 1:
        probability = np.hstack([1 - probability, probability])
    if len(classes) < 2 or probability.shape != target.shape:
        raise ValueError("y_proba must have a column for each class")
    excess = abs(probability.sum(axis=1) - 1)
    doubtful |= bool((excess > np.finfo(probability.dtype).eps ** 0.5).any())
    return Rows(target, probability, weights(sample_weight, len(target)), doubtful)


def _signs(y_true: Any, y_proba: Any, sample_weight: Any, pos_label: Any) -> Rows:
    """Read the arguments of a binary loss: one column, the probability of ``pos_label``."""
    probability = column_or_1d(_probability(y_proba))
    label = column_or_1d(y_true)
    check_consistent_length(probability, label, sample_weight)
    if type_of_target(label) != "binary":
        raise ValueError("y_true must be binary")
    classes = np.unique(label)
    if pos_label is None:
        if classes.dtype.kind in "OUS":
            raise ValueError("pos_label must say which string is the positive class")
        usual = np.isin(classes, [0, 1]).all() or np.isin(classes, [-1, 1]).all()
        pos_label = 1 if usual else classes[-1]
    elif pos_label not in classes:
        raise ValueError("pos_label must be one of the labels")
    target = (label == pos_label).astype(np.float64)
    return Rows(target, probability, weights(sample_weight, len(target)), doubtful=False)


def _cross_entropy(
    rows: Rows, probability: NDArray[Any], reduction: Literal["mean", "sum"] = "mean"
) -> float:
    return float(
        catalogue["soft_cross_entropy_from_probabilities"](
            _clipped(probability), rows.target, weight=rows.weight, reduction=reduction, check=False
        )
    )


def _squared_distance(rows: Rows, probability: NDArray[Any]) -> float:
    """Return the mean over rows of the squared distance of their probabilities to the target."""
    weight = rows.weight if rows.target.ndim == 1 or rows.weight is None else rows.weight[:, None]
    total, mass = catalogue["squared_error"].sums(
        probability.astype(np.float64), rows.target, weight=weight, check=False
    )
    # A binary row holds one of its two classes, whose distances are the same.
    classes = 2 if rows.target.ndim == 1 else rows.target.shape[1]
    return float(total / mass * classes)


def _constant(rows: Rows) -> NDArray[np.float64]:
    """Return the best constant prediction: how often each class occurs."""
    frequency = np.average(rows.target, axis=0, weights=rows.weight)
    return np.broadcast_to(frequency, rows.target.shape)


def _answer(rows: Rows, value: float, renamed: bool = False) -> Any:
    return Warned(value) if rows.doubtful or renamed else value


def _is_renamed(y_proba: Any, y_pred: Any) -> bool:
    """Whether the probabilities came by their old name, of which scikit-learn warns."""
    if isinstance(y_pred, str) and y_pred == "deprecated":
        return False
    if y_proba is not None:
        raise ValueError("y_pred is the old name of y_proba")
    return True


@as_sklearn
def log_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike | None = None,
    *,
    normalize: bool = True,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    y_pred: Any = "deprecated",
) -> Any:
    """Cross-entropy of probabilities, in nats, as :func:`sklearn.metrics.log_loss`.

    Lossary's ``soft_cross_entropy_from_probabilities`` of probabilities clipped as scikit-learn
    does, to the spacing of their dtype at 1: at most 36.04 in float64. Shapes (n,) and (n, classes)
    or (n,) for the second of two; errors and warnings are scikit-learn's.

    >>> round(log_loss(["ham", "spam"], [[0.9, 0.1], [0.2, 0.8]]), 6)
    0.164252
    """
    if not isinstance(normalize, (bool, np.bool_)):
        raise NotMine
    renamed = _is_renamed(y_proba, y_pred)
    rows = _rows(y_true, y_pred if renamed else y_proba, sample_weight, labels)
    reduction = "mean" if normalize else "sum"
    return _answer(rows, _cross_entropy(rows, rows.probability, reduction), renamed)


@as_sklearn
def brier_score_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
    scale_by_half: Any = "auto",
) -> Any:
    """Squared error of probabilities, as :func:`sklearn.metrics.brier_score_loss`.

    Lossary's ``squared_error``, summed over the classes; ``scale_by_half`` halves it, "auto" does
    for two classes. Shapes (n,) and (n,) or (n, classes); errors and warnings are scikit-learn's.

    >>> round(brier_score_loss([0, 1], [0.1, 0.8]), 6)
    0.025
    """
    automatic = isinstance(scale_by_half, str) and scale_by_half == "auto"
    if not (automatic or isinstance(scale_by_half, (bool, np.bool_))):
        raise NotMine
    rows = _brier_rows(y_true, y_proba, sample_weight, pos_label, labels)
    half = rows.target.ndim == 1 or rows.target.shape[1] < 3 if automatic else scale_by_half
    return _answer(rows, _squared_distance(rows, rows.probability) * (0.5 if half else 1))


def _brier_rows(y_true: Any, y_proba: Any, weight: Any, pos_label: Any, labels: Any) -> Rows:
    shape = np.shape(y_proba)
    if len(shape) == 1 or shape[1] == 1:
        return _signs(y_true, y_proba, weight, pos_label)
    return _rows(y_true, y_proba, weight, labels)


@as_sklearn
def d2_log_loss_score(
    y_true: ArrayLike,
    y_proba: ArrayLike | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    y_pred: Any = "deprecated",
) -> Any:
    """Share of cross-entropy that is taken away: :func:`sklearn.metrics.d2_log_loss_score`.

    1 - loss / loss of the frequencies of the classes; at most 1. Arguments as for :func:`log_loss`;
    one sample gives NaN and scikit-learn's warning.

    >>> round(d2_log_loss_score([0, 1], [0.1, 0.8]), 6)
    0.763034
    """
    renamed = _is_renamed(y_proba, y_pred)
    rows = _rows(y_true, y_pred if renamed else y_proba, sample_weight, labels)
    if len(rows.target) < 2:
        raise NotMine
    share = _cross_entropy(rows, rows.probability) / _cross_entropy(rows, _constant(rows))
    return _answer(rows, 1 - share, renamed)


@as_sklearn
def d2_brier_score(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
) -> Any:
    """Share of the Brier score that is taken away, as :func:`sklearn.metrics.d2_brier_score`.

    1 - loss / loss of the frequencies of the classes; at most 1. Arguments as for
    :func:`brier_score_loss`; one sample gives NaN and scikit-learn's warning.

    >>> round(d2_brier_score([0, 1], [0.1, 0.8]), 6)
    0.9
    """
    rows = _brier_rows(y_true, y_proba, sample_weight, pos_label, labels)
    constant = _squared_distance(rows, _constant(rows))
    if len(rows.target) < 2 or constant == 0:
        raise NotMine
    return _answer(rows, 1 - _squared_distance(rows, rows.probability) / constant)


@as_sklearn
def hinge_loss(
    y_true: ArrayLike,
    pred_decision: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Shortfall of a decision to a margin of 1, as :func:`sklearn.metrics.hinge_loss`.

    Lossary's ``hinge``, and ``crammer_singer`` for more than two classes. Shapes (n,) and (n,) or
    (n, classes); errors are scikit-learn's. With two ``labels`` the second is the positive one also
    in a sample that holds only one of them, which scikit-learn takes for the negative class.

    >>> hinge_loss([0, 1], [-2.0, 0.5])
    0.25
    """
    check_consistent_length(y_true, pred_decision, sample_weight)
    decision = doubles(pred_decision)
    label = column_or_1d(y_true)
    classes = np.unique(label if labels is None else np.asarray(labels))
    if get_config()["array_api_dispatch"] or not np.isin(label, classes).all():
        raise NotMine
    weight = weights(sample_weight, len(label))
    if len(classes) > 2:
        if decision.shape != (len(label), len(classes)):
            raise NotMine
        place = np.searchsorted(classes, label)
        return float(catalogue["crammer_singer"](decision, place, weight=weight, check=False))
    if len(classes) < 2 or type_of_target(label) != "binary":
        raise NotMine
    sign = np.where(label == classes[1], 1.0, -1.0)
    return float(catalogue["hinge"](column_or_1d(decision), sign, weight=weight, check=False))
