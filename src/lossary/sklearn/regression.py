"""Scikit-learn's regression metrics that follow from the catalogue.

Everything is computed in float64, also for float32 arrays: the result is the loss of the numbers
given, where scikit-learn's arithmetic in their own type rounds, or overflows.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossary import catalogue
from lossary.doors import NotMine
from lossary.sklearn.contract import Targets, as_sklearn, doubles, targets

__all__ = [
    "d2_absolute_error_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_pinball_loss",
    "mean_squared_error",
    "mean_squared_log_error",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
]

# scikit-learn's least denominator of a percentage error, whatever the dtype.
TARGET_FLOOR = float(np.finfo(np.float64).eps)

Columns = NDArray[np.float64]


def _columns(loss: str, given: Targets, **parameters: Any) -> Columns:
    """Return the mean loss of each output."""
    # Finite numbers are all that most of these losses ask for, and they have been looked at.
    check = loss == "squared_log_error"
    pairs = zip(given.predicted.T, given.true.T, strict=True)
    return np.array(
        [catalogue[loss](x, y, weight=given.weight, check=check, **parameters) for x, y in pairs]
    )


def _combined(columns: Columns, multioutput: Any, dtype: Any) -> Any:
    """Return one number for all outputs, or one for each."""
    if isinstance(multioutput, str):
        if multioutput == "raw_values":
            return columns.astype(dtype)
        if multioutput != "uniform_average":
            raise NotMine
        return float(columns.mean())
    share = doubles(multioutput)
    if len(columns) == 1 or share.shape != columns.shape or share.sum() == 0:
        raise NotMine
    return float(np.average(columns, weights=share))


def _mean(
    loss: str, y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any, **parameters: Any
) -> Any:
    given = targets(y_true, y_pred, sample_weight)
    if given is None:
        raise NotMine
    return _combined(_columns(loss, given, **parameters), multioutput, given.dtype)


def _root(loss: str, y_true: Any, y_pred: Any, sample_weight: Any, multioutput: Any) -> Any:
    given = targets(y_true, y_pred, sample_weight)
    if given is None:
        raise NotMine
    return _combined(np.sqrt(_columns(loss, given)), multioutput, given.dtype)


@as_sklearn
def mean_absolute_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean absolute error, as :func:`sklearn.metrics.mean_absolute_error`.

    Lossary's ``absolute_error``. Shapes (n,) or (n, outputs), in the unit of ``y_true``; errors are
    scikit-learn's.

    >>> mean_absolute_error([3.0, -0.5], [2.5, 0.0])
    0.5
    """
    return _mean("absolute_error", y_true, y_pred, sample_weight, multioutput)


@as_sklearn
def mean_squared_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean squared error, as :func:`sklearn.metrics.mean_squared_error`.

    Lossary's ``squared_error``. Shapes (n,) or (n, outputs), in the squared unit of ``y_true``;
    errors are scikit-learn's.

    >>> mean_squared_error([3.0, -0.5], [2.5, 0.0])
    0.25
    """
    return _mean("squared_error", y_true, y_pred, sample_weight, multioutput)


@as_sklearn
def root_mean_squared_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Root of the mean squared error, as :func:`sklearn.metrics.root_mean_squared_error`.

    Of each output, then averaged; shapes and errors as for :func:`mean_squared_error`.

    >>> root_mean_squared_error([3.0, -0.5], [2.5, 0.0])
    0.5
    """
    return _root("squared_error", y_true, y_pred, sample_weight, multioutput)


@as_sklearn
def mean_squared_log_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean squared difference of log(1 + y), as :func:`sklearn.metrics.mean_squared_log_error`.

    Lossary's ``squared_log_error``. Shapes (n,) or (n, outputs), numbers above -1 (ValueError).

    >>> round(mean_squared_log_error([3.0, 5.0], [2.5, 5.0]), 6)
    0.008915
    """
    return _mean("squared_log_error", y_true, y_pred, sample_weight, multioutput)


@as_sklearn
def root_mean_squared_log_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Root of the error above, as :func:`sklearn.metrics.root_mean_squared_log_error`.

    Of each output, then averaged; shapes and errors as for :func:`mean_squared_log_error`.

    >>> round(root_mean_squared_log_error([3.0, 5.0], [2.5, 5.0]), 6)
    0.094421
    """
    return _root("squared_log_error", y_true, y_pred, sample_weight, multioutput)


@as_sklearn
def mean_absolute_percentage_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Mean error relative to the truth: :func:`sklearn.metrics.mean_absolute_percentage_error`.

    A fraction, not percent. Lossary's ``absolute_error`` over the size of the target, at least
    ``TARGET_FLOOR`` = 2.2e-16 as in scikit-learn; ``absolute_percentage_error`` refuses 0.
    Shapes (n,) or (n, outputs); errors are scikit-learn's.

    >>> mean_absolute_percentage_error([2.0, -4.0], [3.0, -4.0])
    0.25
    """
    given = targets(y_true, y_pred, sample_weight)
    if given is None:
        raise NotMine
    size = catalogue["absolute_error"](given.predicted, given.true, reduction="none", check=False)
    relative = size / np.maximum(abs(given.true), TARGET_FLOOR)
    columns = np.average(relative, axis=0, weights=given.weight)
    return _combined(columns, multioutput, given.dtype)


@as_sklearn
def mean_pinball_loss(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """Tilted absolute error, as :func:`sklearn.metrics.mean_pinball_loss`.

    Lossary's ``quantile``; at ``alpha`` 0 and 1, where no number is the quantile, scikit-learn
    answers. Shapes (n,) or (n, outputs), in the unit of ``y_true``; errors are scikit-learn's.

    >>> mean_pinball_loss([1.0, 2.0], [0.0, 2.0], alpha=0.9)
    0.45
    """
    if not isinstance(alpha, Real):
        raise NotMine
    level = float(alpha)
    return _mean("quantile", y_true, y_pred, sample_weight, multioutput, quantile=level)


def _score(numerator: Columns, denominator: Columns, multioutput: Any, dtype: Any) -> Any:
    """Return the share of the loss of a constant that the predictions take away.

    As in scikit-learn a perfect prediction has score 1 and an imperfect one of constant targets 0.
    """
    with np.errstate(all="ignore"):
        share = np.where(denominator == 0, numerator != 0, numerator / denominator)
    return _combined(1 - share, multioutput, dtype)


def _quantiles(given: Targets, level: float) -> Columns:
    """Return a quantile of each output; between two neighbours each has the same loss."""
    order = np.argsort(given.true, axis=0)
    one = np.ones(len(given.true))
    mass = (one if given.weight is None else given.weight)[order].cumsum(axis=0)
    place = [np.searchsorted(m, level * m[-1]) for m in mass.T]
    sorted_ = np.take_along_axis(given.true, order, axis=0)
    return sorted_[place, range(sorted_.shape[1])]


@as_sklearn
def d2_pinball_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    """Share of pinball loss that is taken away: :func:`sklearn.metrics.d2_pinball_score`.

    1 - loss / loss of the best constant, a quantile of ``y_true``, with lossary's ``quantile``. At
    most 1; shapes (n,) or (n, outputs); one sample gives NaN and scikit-learn's warning.

    >>> d2_pinball_score([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    given = targets(y_true, y_pred, sample_weight)
    if given is None or len(given.true) < 2 or not isinstance(alpha, Real):
        raise NotMine
    if given.weight is not None and given.weight.min() < 0:
        raise NotMine
    level = float(alpha)
    best = np.broadcast_to(_quantiles(given, level), given.true.shape)
    return _score(
        _columns("quantile", given, quantile=level),
        _columns("quantile", given._replace(predicted=best), quantile=level),
        multioutput,
        given.dtype,
    )


@as_sklearn
def d2_absolute_error_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Any = "uniform_average",
) -> Any:
    """Share of absolute error that is taken away: :func:`sklearn.metrics.d2_absolute_error_score`.

    :func:`d2_pinball_score` at the median.

    >>> d2_absolute_error_score([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    return d2_pinball_score(
        y_true, y_pred, sample_weight=sample_weight, alpha=0.5, multioutput=multioutput
    )


@as_sklearn
def d2_tweedie_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    power: float = 0,
) -> Any:
    """Share of deviance that is taken away, as :func:`sklearn.metrics.d2_tweedie_score`.

    With lossary's ``squared_error`` at ``power`` 0; the catalogue has no deviance of another power,
    which scikit-learn answers. Shape (n,); one sample gives NaN and scikit-learn's warning.

    >>> d2_tweedie_score([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    given = targets(y_true, y_pred, sample_weight)
    if given is None or not isinstance(power, Real) or power != 0:
        raise NotMine
    if given.true.shape[1] != 1 or len(given.true) < 2:
        raise NotMine
    mean = np.average(given.true, axis=0, weights=given.weight)
    constant = given._replace(predicted=np.broadcast_to(mean, given.true.shape))
    denominator = _columns("squared_error", constant)
    if denominator[0] == 0:
        raise NotMine
    return float(1 - _columns("squared_error", given)[0] / denominator[0])
