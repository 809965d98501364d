"""Scikit-learn's HistGradientBoosting: objectives for ``loss=``, and its estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn._loss.link import BaseLink, Interval
from sklearn._loss.loss import BaseLoss
from sklearn.ensemble import HistGradientBoostingClassifier as _Classifier
from sklearn.ensemble import HistGradientBoostingRegressor as _Regressor

from lossary.boosters import objective as common
from lossary.boosters.estimators import check_classes, lent, of_estimator, outputs_of, probabilities
from lossary.boosters.lists import Cox, LambdaRank
from lossary.boosters.rules import Rule

Numbers = NDArray[Any]


class _Link(BaseLink):
    """The link of a loss, as scikit-learn asks for it."""

    interval_y_pred = Interval(-np.inf, np.inf, False, False)

    def __init__(self, rule: Any) -> None:
        self.rule = rule

    def link(self, y_pred: Any, out: Any = None) -> Any:
        """Return margins; scikit-learn's boosting asks for predictions only."""
        raise NotImplementedError("margins of predictions are not asked for by boosting")

    def inverse(self, raw_prediction: Any, out: Any = None) -> Any:
        """Return predictions."""
        found = self.rule.inverse(raw_prediction)
        if out is None:
            return found
        out[...] = found
        return out


class Objective(common.Objective, BaseLoss):
    """A loss for HistGradientBoosting: ``loss=`` of its estimators."""

    host = "hist_gradient_boosting"
    regresses = False
    """Whether labels are numbers, by which no split of the data can be stratified."""

    def __init__(self, loss: Any, **settings: Any) -> None:
        common.Objective.__init__(self, loss, **settings)
        if isinstance(self.rule, (Cox, LambdaRank)):
            self.refuse_list("HistGradientBoosting asks for the loss of each row on its own")
        self.refuse_outputs("HistGradientBoosting")
        BaseLoss.__init__(self, closs=None, link=_Link(self.rule))
        self.approx_hessian: bool = self.curvature.policy != "exact"
        self.is_multiclass: bool = self.needs_classes
        self.differentiable: bool = not self.curvature.renews_leaves

    def _learnt(self) -> dict[str, Any]:
        own = {"n_classes": self.n_classes, "regresses": self.regresses}
        return {**super()._learnt(), **own}

    def gradient(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any = None,
        gradient_out: Any = None, n_threads: int = 1,
    ) -> Numbers:  # fmt: skip
        """Return the derivative of each row's weighted loss, in ``gradient_out`` if given."""
        return self.gradient_hessian(y_true, raw_prediction, sample_weight, gradient_out)[0]

    def gradient_hessian(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any = None,
        gradient_out: Any = None, hessian_out: Any = None, n_threads: int = 1,
    ) -> tuple[Numbers, Numbers]:  # fmt: skip
        """Return derivative and curvature of each row's weighted loss, in the buffers if given."""
        margin = _flat(raw_prediction)
        first = np.empty_like(margin) if gradient_out is None else gradient_out
        second = np.empty_like(margin) if hessian_out is None else hessian_out
        out = _flat(first), _flat(second)
        self.derivatives(margin, y_true, sample_weight, out=out)
        return first, second

    def loss(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any = None, loss_out: Any = None,
        n_threads: int = 1,
    ) -> Numbers:  # fmt: skip
        """Return the loss of each row, times its weight."""
        assert isinstance(self.rule, Rule)  # noqa: S101  (others are refused)
        margin = _flat(raw_prediction)
        found = self.rule.values(margin, self.rule.data(y_true, margin.shape))
        found = found if sample_weight is None else found * sample_weight
        if loss_out is None:
            return np.asarray(found)
        loss_out[...] = found
        return loss_out

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the best constant margin; of each leaf, where the host renews leaves."""
        outputs = self.n_classes if self.is_multiclass else 1
        start = self.start(np.asarray(y_true), sample_weight, outputs or outputs_of(self, y_true))
        return start if self.is_multiclass else start[0]

    def init_gradient_and_hessian(
        self, n_samples: int, dtype: Any = np.float64, order: Any = "F"
    ) -> tuple[Numbers, Numbers]:
        """Return buffers for gradients and curvatures."""
        shape: Any = (n_samples, self.n_classes) if self.is_multiclass else (n_samples,)
        return np.empty(shape, dtype, order), np.empty(shape, dtype, order)

    @property
    def predict_proba(self) -> Any:
        """Return a probability for each class; the estimators ask whether there is such a thing."""
        if self.regresses or self.rule.link.name not in {"sigmoid", "softmax"}:
            raise AttributeError(f"{self.rule.name} has no probabilities of classes here")
        return lambda raw_prediction: probabilities(self, _flat(raw_prediction))


def _flat(x: Numbers) -> Numbers:
    return x[:, 0] if x.ndim == 2 and x.shape[1] == 1 else x


class HistGradientBoostingRegressor(_Regressor):
    """``HistGradientBoostingRegressor`` whose ``loss`` is one of ``lossary.boosters``.

    Labels and weights are looked at before training, and probabilities of grades predicted.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Any:
        """Fit as scikit-learn does, with a copy of the objective."""
        objective = of_estimator(Objective, self.loss)
        if objective.needs_classes:
            raise ValueError(
                f"{objective.rule.name} is a loss of classes\nhint: HistGradientBoostingClassifier"
            )
        objective.prepare(np.asarray(y, np.float64), sample_weight)
        objective.regresses = True
        self.objective_ = objective
        with lent(self, loss=objective):
            return super().fit(X, y, sample_weight, **options)

    def predict(self, X: Any) -> Numbers:
        """Return predictions."""
        margin = self._raw_predict(X)[:, 0]
        return self.objective_.inverse(margin)


class HistGradientBoostingClassifier(_Classifier):
    """``HistGradientBoostingClassifier`` whose ``loss`` is one of ``lossary.boosters``."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Any:
        """Fit as scikit-learn does, with a copy of the objective that knows the classes."""
        objective = of_estimator(Objective, self.loss)
        labels = np.unique(np.asarray(y), return_inverse=True)[1].astype(np.float64)
        outputs = outputs_of(objective, labels)
        check_classes(objective, labels)
        objective.prepare(labels, sample_weight, outputs)
        objective.n_classes = max(outputs, 2)
        with lent(self, loss=objective):
            return super().fit(X, y, sample_weight, **options)
