"""LightGBM: objectives for ``lightgbm.train`` and scikit-learn estimators."""

# The hosts' estimators disagree in their signatures with the classes that they derive from.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any, Self

import lightgbm as host
import numpy as np
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
from lossary.boosters.predictor import Meaning, Predictor, meaning_of
from lossary.errors import ShapeError

Numbers = NDArray[Any]


class Objective(common.Objective):
    """A loss for LightGBM: ``objective`` in the parameters of ``lightgbm.train``."""

    host = "lightgbm"

    def __call__(
        self, first: Any, second: Any, weight: Any = None, group: Any = None
    ) -> tuple[Numbers, Numbers]:
        """Answer ``(margin, Dataset)``, or ``(y_true, margin, weight, group)`` for estimators."""
        if isinstance(second, host.Dataset):
            data = second
            return self.derivatives(first, data.get_label(), data.get_weight(), data.get_group())
        return self.derivatives(second, first, weight, group)

    @property
    def metric(self) -> Metric:
        """The loss itself as ``feval=`` or ``eval_metric=``."""
        return Metric(self)

    def begin(self, data: host.Dataset, outputs: int) -> Numbers:
        """Look at labels and weights, and give the data their start; return it."""
        labels, weight = _labels(data), _field(data, "weight")
        self.prepare(labels, weight, outputs, _field(data, "group"))
        start = self.start(labels, weight, outputs)
        _set_start(data, start)
        return start

    def train(
        self, params: dict[str, Any], train_set: host.Dataset, num_boost_round: int = 100,
        valid_sets: list[host.Dataset] | None = None, **options: Any,
    ) -> Predictor:  # fmt: skip
        """Check the data, then train as ``lightgbm.train`` does, with start, metric and link.

        ``params`` and ``options`` are LightGBM's own; the data sets get the start as init_score.

        >>> import numpy as np, lightgbm
        >>> X = np.arange(100.0).reshape(50, 2)
        >>> data = lightgbm.Dataset(X, np.arange(50) % 5, params={"verbose": -1})
        >>> model = Objective("poisson").train({"num_leaves": 4, "verbose": -1}, data, 3)
        >>> bool((model.predict(X) > 0).all())
        True
        """
        if any(name in params for name in ("objective", "objective_type", "app", "application")):
            raise ValueError("params has an objective, and this is one already\nhint: leave it out")
        outputs = outputs_of(self, _labels(train_set), params.get("num_class"))
        start = self.begin(train_set, outputs)
        for data in valid_sets or []:
            _set_start(data, start)
        told = {"metric": "None", **params, "objective": self}
        if outputs > 1:
            told["num_class"] = outputs
        options.setdefault("feval", self.metric)
        model = host.train(told, train_set, num_boost_round, valid_sets=valid_sets, **options)
        return Predictor(model, meaning_of(self, start), margins)


def _labels(data: host.Dataset) -> Numbers:
    """Return labels as LightGBM will keep them; only a file is read for them.

    Data that have been constructed take no more parameters, such as max_bin.
    """
    if data.label is None:
        data.construct()
    return np.asarray(_field(data, "label"), np.float32).reshape(-1)


def _field(data: host.Dataset, name: str) -> Any:
    """Return labels, weights or groups as they were given, or read."""
    if data._handle is None:  # noqa: SLF001  (not constructed: its getters raise)
        return getattr(data, name)
    return getattr(data, f"get_{name}")()


def _set_start(data: host.Dataset, start: Numbers) -> None:
    """Give every row the start; LightGBM keeps output after output."""
    data.set_init_score(np.repeat(start, len(_labels(data))))


class Metric:
    """The loss of an objective as LightGBM asks a metric: natively, or as its estimators do."""

    def __init__(self, objective: common.Objective) -> None:
        self.objective = objective
        self.__name__: str = objective.rule.metric

    def __call__(self, first: Any, second: Any, weight: Any = None, group: Any = None) -> Any:
        """Return ``(name, value, whether higher is better)``."""
        if isinstance(second, host.Dataset):
            margin, labels = first, second.get_label()
            weight, group = second.get_weight(), second.get_group()
        else:
            labels, margin = first, second
        value = self.objective.value(margin, labels, weight, group)
        return self.__name__, value, self.objective.higher_is_better


def margins(model: Any, data: Any, meaning: Meaning, options: dict[str, Any]) -> Numbers:
    """Return a model's margins: LightGBM does not add the start itself."""
    raw = model.predict(data, raw_score=True, **options)
    return raw + (meaning.start[0] if raw.ndim == 1 else np.array(meaning.start))


def load(path: str) -> host.Booster:
    """Return the model in a file."""
    return host.Booster(model_file=path)


class _Estimator(host.LGBMModel):
    """What the estimators share: fit hands over start and metric, predictions get both back."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; those within the objective would be taken for the host's."""
        return super().get_params(deep=False)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of the objective: ``objective__delta``."""
        super().set_params(**set_nested(self, "objective", params))
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Self:
        """Fit as LightGBM does, once labels, weights and groups have been looked at."""
        objective = of_estimator(Objective, self.objective)
        labels = self._as_trained(y)
        outputs = outputs_of(objective, labels)
        if isinstance(self, host.LGBMClassifier):
            check_classes(objective, labels)
        objective.prepare(labels, sample_weight, outputs, options.get("group"))
        start = objective.start(labels, sample_weight, outputs)
        if options.get("init_score") is not None:
            raise ShapeError("init_score is the objective's to give\nhint: start= of the objective")
        options["init_score"] = self._starts(start, len(labels))
        if seen := _watched(options):
            options["eval_init_score"] = [self._starts(start, len(v)) for v in seen]
        told: dict[str, Any] = {"num_class": outputs} if outputs > 1 else {}
        if options.get("eval_metric") is None:
            options["eval_metric"] = objective.metric
            told["metric"] = "None"  # the estimator would watch squared error beside it
        self._objective = objective  # which LightGBM has taken from what it was made with
        with lent(self, objective=objective, _other_params={**self._other_params, **told}):
            super().fit(X, y, sample_weight=sample_weight, **options)
        self.objective_used_ = objective
        self.start_ = start
        return self

    def _as_trained(self, y: Any) -> Numbers:
        """Return labels as LightGBM will hand them to the objective."""
        return np.asarray(y, np.float32)

    def _starts(self, start: Numbers, rows: int) -> Numbers:
        if len(start) == 1:
            return np.full(rows, start[0])
        return np.tile(start, (rows, 1))

    def _margin(self, X: Any, **options: Any) -> Numbers:
        raw = np.asarray(host.LGBMModel.predict(self, X, raw_score=True, **options))
        return raw + (self.start_[0] if raw.ndim == 1 else self.start_)


def _watched(options: dict[str, Any]) -> list[Any]:
    """Return the labels of each set that is watched: of ``eval_set``, or of ``eval_y``."""
    if (sets := options.get("eval_set")) is not None:
        return [y for _, y in ([sets] if isinstance(sets, tuple) else sets)]
    labels = options.get("eval_y")
    return list(labels) if isinstance(labels, tuple) else [] if labels is None else [labels]


class LGBMRegressor(_Estimator, host.LGBMRegressor):
    """``lightgbm.LGBMRegressor`` whose ``objective`` is one of :func:`lossary.boosters.lightgbm`.

    It starts at the best constant, stops early by the loss itself, and predicts what the loss
    predicts, with the start in it.
    """

    def predict(self, X: Any, raw_score: bool = False, **options: Any) -> Numbers:
        """Return predictions, or margins."""
        margin = self._margin(X, **options)
        return margin if raw_score else self.objective_used_.inverse(margin)


class LGBMClassifier(_Estimator, host.LGBMClassifier):
    """``lightgbm.LGBMClassifier`` whose ``objective`` is one of :func:`lossary.boosters.lightgbm`.

    Labels may be of any kind; the loss sees them as whole numbers from 0.
    """

    def _as_trained(self, y: Any) -> Numbers:
        return np.unique(np.asarray(y), return_inverse=True)[1].astype(np.float32)

    def predict_proba(self, X: Any, raw_score: bool = False, **options: Any) -> Numbers:
        """Return a probability for each class, or margins."""
        margin = self._margin(X, **options)
        return margin if raw_score else probabilities(self.objective_used_, margin)

    def predict(self, X: Any, raw_score: bool = False, **options: Any) -> Numbers:
        """Return the likeliest class, or margins."""
        margin = self._margin(X, **options)
        if raw_score:
            return margin
        return self.classes_[likeliest(self.objective_used_, margin)]


class LGBMRanker(_Estimator, host.LGBMRanker):
    """``lightgbm.LGBMRanker`` whose ``objective`` is one of :func:`lossary.boosters.lightgbm`."""

    def predict(self, X: Any, raw_score: bool = False, **options: Any) -> Numbers:
        """Return scores: higher ones come first."""
        return self._margin(X, **options)
