"""CatBoost: objectives for ``loss_function=`` and scikit-learn estimators."""

# The hosts' estimators disagree in their signatures with the classes that they derive from.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import catboost as host
import numpy as np
from numpy.typing import NDArray

from lossary.boosters import objective as common
from lossary.boosters.curvature import EXACT
from lossary.boosters.estimators import (
    check_classes,
    lent,
    likeliest,
    of_estimator,
    outputs_of,
    probabilities,
    set_nested,
)
from lossary.boosters.lists import Cox, LambdaRank
from lossary.boosters.predictor import Meaning, Predictor, meaning_of
from lossary.boosters.rules import Rule
from lossary.engine.recipes.blocks import Repeated

Numbers = NDArray[Any]


def _softmax_matrix(probability: Numbers) -> Numbers:
    return np.diag(probability) - np.outer(probability, probability)


class Objective(common.Objective):
    """A loss for CatBoost: ``loss_function=`` of its models, beside ``eval_metric=``.

    CatBoost maximises, so that it is given both derivatives with their signs turned. Of several
    classes it asks row by row.
    """

    host = "catboost"
    no_jit = True
    """CatBoost would have Numba compile the methods below, which call compiled kernels already."""

    def __init__(self, loss: Any, **settings: Any) -> None:
        super().__init__(loss, **settings)
        if isinstance(self.rule, (Cox, LambdaRank)):
            self.refuse_list("CatBoost gives an objective blocks of rows, not whole lists")
        self.refuse_outputs("CatBoost")
        self._blocks = self._repeated()

    def _repeated(self) -> Repeated | None:
        """Return what fills blocks of rows, where it is the derivatives that CatBoost is given."""
        rule = self.rule
        if self.curvature.fill is not EXACT.fill or self.get_params()["floor"]:
            return None
        if type(rule) is not Rule or not rule.takes_labels_as_they_are:
            return None
        return Repeated(rule.loss, rule.settings[0])

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> Any:
        """Return minus gradient and minus curvature of each row."""
        found = np.empty((2, len(approxes)))
        if self._blocks is None or not self._blocks.fill((approxes, targets), weights, found, -1.0):
            margin = np.asarray(approxes, np.float64)
            self.derivatives(margin, np.asarray(targets), weights, out=(found[0], found[1]))
            np.negative(found, out=found)
        return found.T

    def calc_ders_multi(self, approx: Any, target: Any, weight: Any) -> Any:
        """Return minus the gradient of one row, and minus the matrix of second derivatives."""
        margin = np.asarray(approx, np.float64)[None]
        out = np.empty_like(margin), np.empty_like(margin)
        gradient, hessian = self.derivatives(margin, np.array([target]), out=out)
        matrix = np.diag(hessian[0])
        if self.curvature.policy in {"host", "exact"} and self.rule.name == "cross_entropy":
            matrix = _softmax_matrix(self.inverse(margin)[0])
        return (-weight * gradient[0]).tolist(), (-weight * matrix).tolist()

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # CatBoost copies its parameters whenever it is asked for them

    @property
    def metric(self) -> Metric:
        """The loss itself as ``eval_metric=``, without which CatBoost trains no objective."""
        return Metric(self)

    def begin(self, pool: host.Pool, outputs: int) -> Numbers:
        """Look at labels and weights, and give the pool its start as baseline; return it."""
        labels = np.asarray(pool.get_label(), np.float64)
        self.prepare(labels, np.asarray(pool.get_weight()), outputs)
        start = self.start(labels, np.asarray(pool.get_weight()), outputs)
        set_start(pool, start)
        return start

    def train(
        self, params: dict[str, Any], pool: host.Pool, *, eval_set: Any = None, **options: Any
    ) -> Predictor:
        """Check the data, then fit ``catboost.CatBoost(params)`` with start, metric and link.

        ``params`` and ``options`` (of ``fit``) are CatBoost's own; the pools get a baseline, and
        the model keeps the start as its bias.

        >>> import numpy as np, catboost
        >>> pool = catboost.Pool(np.arange(100.0).reshape(50, 2), np.arange(50) % 5)
        >>> told = {"iterations": 3, "verbose": 0, "allow_writing_files": False}
        >>> model = Objective("poisson").train(told, pool)
        >>> bool((model.predict(pool) > 0).all())
        True
        """
        if named := {"loss_function", "objective"} & params.keys():
            raise ValueError(
                f"params has {min(named)}, and this is one already\nhint: leave it out"
            )
        outputs = outputs_of(self, np.asarray(pool.get_label(), np.float64),
                             params.get("classes_count"))  # fmt: skip
        start = self.begin(pool, outputs)
        sets = [eval_set] if isinstance(eval_set, host.Pool) else eval_set
        for one in sets or []:
            set_start(one, start)
        told = {"eval_metric": self.metric, **params, "loss_function": self}
        if outputs > 1:
            told["classes_count"] = outputs
        model = host.CatBoost(told).fit(pool, eval_set=sets, **options)
        keep_start(model, start)
        return Predictor(model, meaning_of(self, start), margins)


def set_start(pool: host.Pool, start: Numbers) -> None:
    """Give every row of a pool the start; CatBoost reads it row by row, so that 0 is left out."""
    if start.any() or pool.get_baseline().size:
        pool.set_baseline(np.tile(start, (pool.num_row(), 1)))


def keep_start(model: Any, start: Numbers) -> None:
    """Let a trained model add the start itself, also once it has been saved."""
    model.set_scale_and_bias(1.0, start.tolist() if len(start) > 1 else float(start[0]))


class Metric:
    """The loss of an objective as CatBoost asks a metric."""

    no_jit = True

    def __init__(self, objective: common.Objective) -> None:
        self.objective = objective

    def is_max_optimal(self) -> bool:
        """Return the direction."""
        return self.objective.higher_is_better

    def evaluate(self, approxes: Any, target: Any, weight: Any) -> tuple[float, float]:
        """Return the sum of the losses and of the weights."""
        each = [np.asarray(x, np.float64) for x in approxes]
        margin = each[0] if len(each) == 1 else np.stack(each, axis=1)
        w = None if weight is None else np.asarray(weight, np.float64)
        total = float(len(margin) if w is None else w.sum())
        return self.objective.value(margin, np.asarray(target), w) * total, total

    def get_final_error(self, error: float, weight: float) -> float:
        """Return the mean."""
        return error / weight if weight else 0.0


def margins(model: Any, data: Any, meaning: Meaning, options: dict[str, Any]) -> Numbers:
    """Return a model's margins; it has the start as its bias."""
    raw = np.asarray(model.predict(data, prediction_type="RawFormulaVal", **options))
    baseline = data.get_baseline() if isinstance(data, host.Pool) else np.empty(0)
    # What training has given a pool would be added to the bias of the model.
    return raw - baseline.reshape(raw.shape) if baseline.size else raw


def load(path: str) -> host.CatBoost:
    """Return the model in a file."""
    return host.CatBoost().load_model(path)


class _Estimator(host.CatBoost):
    """What the two estimators share: fit hands over start and metric, predictions get the link."""

    objective_: Objective

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of the objective: ``loss_function__delta``."""
        return super().set_params(**set_nested(self, "loss_function", params))

    def fit(self, X: Any, y: Any = None, **options: Any) -> Self:
        """Fit as CatBoost does, once labels and weights have been looked at."""
        if y is None or isinstance(X, host.Pool):
            raise TypeError("fit takes X and y\nhint: a Pool goes to the objective's own train")
        objective = of_estimator(Objective, self.get_param("loss_function"))
        weight, labels = options.get("sample_weight"), self._as_trained(y)
        outputs = outputs_of(objective, labels)
        if isinstance(self, host.CatBoostClassifier):
            check_classes(objective, labels)
        objective.prepare(labels, weight, outputs)
        start = objective.start(labels, weight, outputs)
        options["baseline"] = np.tile(start, (len(labels), 1))
        if (sets := options.get("eval_set")) is not None:
            sets = sets if isinstance(sets, list) else [sets]
            options["eval_set"] = [self._pool(X, y, start) for X, y in sets]
        told: dict[str, Any] = {"loss_function": objective}
        if self.get_param("eval_metric") is None:
            told["eval_metric"] = objective.metric
        if outputs > 1:
            told["classes_count"] = outputs
        with _told(self, told):
            super().fit(X, labels, **options)
        keep_start(self, start)
        self.objective_ = objective
        return self

    def _as_trained(self, y: Any) -> Numbers:
        """Return labels as the objective sees them."""
        return np.asarray(y, np.float64)

    def _pool(self, X: Any, y: Any, start: Numbers) -> host.Pool:
        pool = host.Pool(X, self._as_trained(y))
        set_start(pool, start)
        return pool

    def _margin(self, X: Any, **options: Any) -> Numbers:
        raw = host.CatBoost.predict(self, X, prediction_type="RawFormulaVal", **options)
        return np.asarray(raw)

    def __getstate__(self) -> dict[str, Any]:
        own = {n: x for n, x in vars(self).items() if n in {"objective_", "labels_"}}
        return {"model": super().__getstate__(), "own": own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state["model"])
        vars(self).update(state["own"])


@contextmanager
def _told(estimator: Any, parameters: dict[str, Any]) -> Iterator[None]:
    """Give CatBoost other parameters for a while: its own stay those of its maker."""
    before = estimator._init_params  # noqa: SLF001  (its set_params cannot take one away again)
    with lent(estimator, _init_params={**before, **parameters}, _canonized_params=None):
        yield


class CatBoostRegressor(_Estimator, host.CatBoostRegressor):
    """``CatBoostRegressor`` whose ``loss_function`` is one of :func:`lossary.boosters.catboost`.

    It starts at the best constant, stops early by the loss itself, and predicts what the loss
    predicts: rates for ``poisson``.
    """

    def predict(self, data: Any, prediction_type: str | None = None, **options: Any) -> Numbers:
        """Return predictions, or margins for ``prediction_type="RawFormulaVal"``."""
        margin = self._margin(data, **options)
        return margin if prediction_type == "RawFormulaVal" else self.objective_.inverse(margin)


class CatBoostClassifier(_Estimator, host.CatBoostClassifier):
    """``CatBoostClassifier`` whose ``loss_function`` is one of :func:`lossary.boosters.catboost`.

    Labels may be of any kind; the loss sees them as whole numbers from 0.
    """

    labels_: Numbers

    def _as_trained(self, y: Any) -> Numbers:
        found, place = np.unique(np.asarray(y), return_inverse=True)
        if "labels_" not in vars(self) or not np.isin(found, self.labels_).all():
            self.labels_ = found
            return place
        return np.searchsorted(self.labels_, np.asarray(y))

    def fit(self, X: Any, y: Any = None, **options: Any) -> Self:
        """Fit as CatBoost does, once labels and weights have been looked at."""
        vars(self).pop("labels_", None)
        return super().fit(X, y, **options)

    @property
    def classes_(self) -> Numbers:
        """The labels, in order."""
        return self.labels_

    def predict_proba(self, X: Any, **options: Any) -> Numbers:
        """Return a probability for each class."""
        return probabilities(self.objective_, self._margin(X, **options))

    def predict(self, data: Any, prediction_type: str = "Class", **options: Any) -> Numbers:
        """Return the likeliest class, or margins for ``prediction_type="RawFormulaVal"``."""
        margin = self._margin(data, **options)
        if prediction_type == "RawFormulaVal":
            return margin
        return self.labels_[likeliest(self.objective_, margin)]

    def score(self, X: Any, y: Any = None) -> float:
        """Return the share of right classes."""
        return float(np.mean(self.predict(X) == np.asarray(y)))
