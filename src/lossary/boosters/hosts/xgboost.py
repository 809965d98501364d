"""XGBoost: objectives for ``xgboost.train`` and scikit-learn estimators."""

# The hosts' estimators disagree in their signatures with the classes that they derive from.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any, Self

import numpy as np
import xgboost as host
from numpy.typing import NDArray

from lossary.boosters import objective as common
from lossary.boosters.estimators import (
    check_classes,
    lent,
    likeliest,
    of_estimator,
    outputs_of,
    probabilities,
    set_nested,
)
from lossary.boosters.lists import LambdaRank
from lossary.boosters.predictor import Meaning, Predictor, meaning_of

Numbers = NDArray[Any]


def _labels(data: host.DMatrix) -> Numbers:
    labels = data.get_label()
    if not labels.size:
        raise ValueError("the data have no labels\nhint: DMatrix(X, label=y)")
    rows = data.num_row()
    return labels if labels.size == rows else labels.reshape(rows, -1)


class Objective(common.Objective):
    """A loss for XGBoost: ``obj=`` of ``xgboost.train``, ``objective=`` of its estimators."""

    host = "xgboost"
    rounds_before_weights = True

    def __init__(self, loss: Any, **settings: Any) -> None:
        super().__init__(loss, **settings)
        if isinstance(self.rule, LambdaRank):
            self.refuse_list("XGBoost gives no groups to an objective of one's own")

    def __call__(
        self, first: Any, second: Any, sample_weight: Any = None
    ) -> tuple[Numbers, Numbers]:
        """Answer ``(margin, DMatrix)``, or ``(y_true, margin, sample_weight)`` for estimators."""
        if isinstance(second, host.DMatrix):
            return self.derivatives(first, _labels(second), second.get_weight())
        return self.derivatives(second, first, sample_weight)

    @property
    def metric(self) -> Metric:
        """The loss itself as ``custom_metric=`` or ``eval_metric=``."""
        return Metric(self)

    def parameters(self, data: host.DMatrix, **params: Any) -> dict[str, Any]:
        """Look at labels and weights, and return what XGBoost is to be told for this objective."""
        labels, weight = _labels(data), data.get_weight()
        return self._told(labels, weight, params.get("num_class"))

    def _told(self, labels: Any, weight: Any, classes: Any = None) -> dict[str, Any]:
        outputs = outputs_of(self, labels, classes)
        self.prepare(labels, weight, outputs)
        start = self.start(labels, weight, outputs)
        told: dict[str, Any] = {
            "base_score": start.tolist() if outputs > 1 else float(start[0]),
            "disable_default_eval_metric": 1,
        }
        if outputs > 1 and np.ndim(labels) == 1:
            told["num_class"] = outputs
        if (step := self.curvature.longest_step) is not None:
            told["max_delta_step"] = step
        return told

    def train(
        self, params: dict[str, Any], dtrain: host.DMatrix, num_boost_round: int = 10,
        **options: Any,
    ) -> Predictor:  # fmt: skip
        """Check the data, then train as ``xgboost.train`` does, with start, metric and link.

        ``params`` and ``options`` are XGBoost's own; ``base_score`` is a margin. Raises before
        training for labels outside the set of the loss and the like.

        >>> import numpy as np, xgboost
        >>> X = np.arange(40.0).reshape(20, 2)
        >>> data = xgboost.DMatrix(X, np.arange(20) % 5)
        >>> model = Objective("poisson").train({"max_depth": 2}, data, 3)
        >>> bool((model.predict(data) > 0).all())
        True
        """
        if "objective" in params:
            raise ValueError(
                f"params has objective={params['objective']!r}, and this is one already\n"
                "hint: leave it out"
            )
        told = {**self.parameters(dtrain, **params), **params}
        options.setdefault("custom_metric", self.metric)
        model = host.train(told, dtrain, num_boost_round, obj=self, **options)
        start = np.atleast_1d(np.asarray(told["base_score"], np.float64))
        return Predictor(model, meaning_of(self, start), margins)


class Metric:
    """The loss of an objective as XGBoost asks a metric: natively, or as its estimators do."""

    def __init__(self, objective: common.Objective) -> None:
        self.objective = objective
        self.__name__: str = objective.rule.metric

    def __call__(self, first: Any, second: Any, sample_weight: Any = None) -> Any:
        """Return ``(name, value)`` to ``(margin, DMatrix)``, a value to ``(y_true, margin)``."""
        if isinstance(second, host.DMatrix):
            value = self.objective.value(first, _labels(second), second.get_weight())
            return self.__name__, value
        return self.objective.value(second, first, sample_weight)


def margins(model: Any, data: Any, meaning: Meaning, options: dict[str, Any]) -> Numbers:
    """Return a model's margins; XGBoost has the start in its base_score."""
    matrix = data if isinstance(data, host.DMatrix) else host.DMatrix(data)
    return model.predict(matrix, output_margin=True, **options)


def load(path: str) -> host.Booster:
    """Return the model in a file."""
    return host.Booster(model_file=path)


class _Estimator(host.XGBModel):
    """What the two estimators share: fit hands over start and metric, predictions get the link."""

    def get_xgb_params(self) -> dict[str, Any]:
        """Return XGBoost's parameters, with those that the objective asks for during a fit."""
        params = super().get_xgb_params()
        return {**params, **{k: v for k, v in vars(self).get("_told", {}).items()
                             if params.get(k) is None}}  # fmt: skip

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; those within the objective would be taken for the host's."""
        return super().get_params(deep=False)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of the objective: ``objective__delta``."""
        super().set_params(**set_nested(self, "objective", params))
        return self

    def fit(self, X: Any, y: Any, **options: Any) -> Self:
        """Fit as XGBoost does, once labels and weights have been looked at."""
        objective = of_estimator(Objective, self.objective)
        weight = options.get("sample_weight")
        labels = np.asarray(y, np.float32)
        if isinstance(self, host.XGBClassifier):
            check_classes(objective, labels)
        told = objective._told(labels, weight)  # noqa: SLF001  (of this module)
        if isinstance(self, host.XGBClassifier):
            told.pop("num_class", None)  # which it counts itself
            told |= _as_probability(told["base_score"])
        metric = self.eval_metric if self.eval_metric is not None else objective.metric
        with lent(self, objective=objective, eval_metric=metric, _told=told):
            super().fit(X, y, **options)
        self.objective_ = objective
        return self

    def _margin(self, X: Any, **options: Any) -> Numbers:
        return host.XGBModel.predict(self, X, output_margin=True, **options)


def _as_probability(start: Any) -> dict[str, Any]:
    """Return a start as XGBClassifier reads it: it trains as binary:logistic if it has one."""
    return {} if isinstance(start, list) else {"base_score": float(1 / (1 + np.exp(-start)))}


class XGBRegressor(_Estimator, host.XGBRegressor):
    """``xgboost.XGBRegressor`` whose ``objective`` is one of :func:`lossary.boosters.xgboost`.

    It starts at the best constant, stops early by the loss itself, and predicts what the loss
    predicts: rates for ``poisson``, probabilities of grades for ``cumulative_link``.
    """

    def predict(self, X: Any, *, output_margin: bool = False, **options: Any) -> Numbers:
        """Return predictions, or margins."""
        margin = self._margin(X, **options)
        return margin if output_margin else self.objective_.inverse(margin)


class XGBClassifier(_Estimator, host.XGBClassifier):
    """``xgboost.XGBClassifier`` whose ``objective`` is one of :func:`lossary.boosters.xgboost`.

    Labels are whole numbers from 0, as XGBoost wants them.
    """

    def predict_proba(self, X: Any, **options: Any) -> Numbers:
        """Return a probability for each class."""
        return probabilities(self.objective_, self._margin(X, **options))

    def predict(self, X: Any, *, output_margin: bool = False, **options: Any) -> Numbers:
        """Return the likeliest class, or margins."""
        margin = self._margin(X, **options)
        return margin if output_margin else likeliest(self.objective_, margin)
