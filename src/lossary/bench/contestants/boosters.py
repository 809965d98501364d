"""The boosters with the objectives that they have built in, and with Lossary's in their place."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from lossary.bench import trees
from lossary.bench.contestant import Contestant, Prepared
from lossary.bench.work import Case, Data

Step = Callable[[], Any]


def _of(host: str, made: Callable[..., Step], mine: bool) -> Callable[..., Prepared | None]:
    """Return how a host gets ready for a training, with our objective or with its own."""

    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        row = trees.OBJECTIVES.get((host, case.loss))
        if case.option != host or row is None:
            return None
        objective: Any = row.objective
        if mine:
            boosters: Any = importlib.import_module("lossary.boosters")
            objective = getattr(boosters, host)(case.loss, **dict(row.settings))
        step = made(objective, mine, case, data, threads)
        return Prepared(step, lambda margin: trees.outcome(data, margin))

    return prepare


def _xgboost(objective: Any, mine: bool, case: Case, data: Data, threads: int) -> Step:
    import xgboost

    matrix = xgboost.DMatrix(data.prediction, data.target, nthread=threads)
    told: dict[str, Any] = {
        "nthread": threads, "max_depth": trees.DEPTH, "eta": trees.RATE, **_classes(case),
    }  # fmt: skip

    def step() -> Any:
        if mine:
            return objective.train(told, matrix, trees.TREES).margin(matrix)
        model = xgboost.train(told | {"objective": objective}, matrix, trees.TREES)
        return model.predict(matrix, output_margin=True)

    return step


def _classes(case: Case) -> dict[str, int]:
    return {"num_class": trees.CLASSES} if case.loss == "cross_entropy" else {}


def _lightgbm(objective: Any, mine: bool, case: Case, data: Data, threads: int) -> Step:
    import lightgbm

    told: dict[str, Any] = {
        "verbose": -1, "num_threads": threads, "max_depth": trees.DEPTH,
        "num_leaves": 2**trees.DEPTH, "learning_rate": trees.RATE, **_classes(case),
    }  # fmt: skip

    def step() -> Any:
        # A data set keeps the start that it was given, so that each training has one of its own.
        rows = lightgbm.Dataset(data.prediction, data.target, params=told)
        if mine:
            return objective.train(told, rows, trees.TREES).margin(data.prediction)
        model = lightgbm.train(told | {"objective": objective}, rows, trees.TREES)
        return model.predict(data.prediction, raw_score=True)

    return step


def _catboost(objective: Any, mine: bool, case: Case, data: Data, threads: int) -> Step:
    import catboost

    told: dict[str, Any] = {
        "iterations": trees.TREES, "depth": trees.DEPTH, "learning_rate": trees.RATE,
        "thread_count": threads, "verbose": 0, "allow_writing_files": False,
        "bootstrap_type": "No", "random_strength": 0, "boosting_type": "Plain",
        "leaf_estimation_method": "Newton", "leaf_estimation_iterations": 1,
    }  # fmt: skip

    # The others begin at 0 anyway.
    first: dict[str, Any] = (
        {"boost_from_average": False} if case.loss == "half_squared_error" else {}
    )

    def step() -> Any:
        pool = catboost.Pool(data.prediction, data.target)
        if mine:
            return objective.train(told, pool).margin(data.prediction)
        model = catboost.CatBoost(told | {"loss_function": objective} | first)
        return model.fit(pool).predict(data.prediction, prediction_type="RawFormulaVal")

    return step


def _hist_gradient_boosting(
    objective: Any, mine: bool, case: Case, data: Data, threads: int
) -> Step:
    kind = "Classifier" if case.loss == "binary_cross_entropy" else "Regressor"
    module = "lossary.boosters" if mine else "sklearn.ensemble"
    estimator = getattr(importlib.import_module(module), f"HistGradientBoosting{kind}")
    told: dict[str, Any] = {
        "max_iter": trees.TREES, "max_depth": trees.DEPTH, "max_leaf_nodes": 2**trees.DEPTH,
        "learning_rate": trees.RATE, "early_stopping": False,
        "random_state": 0,  # from 200,000 rows on, some are drawn to choose the bins by
    }  # fmt: skip
    labels = data.target.astype(int) if kind == "Classifier" else data.target

    def step() -> Any:
        model = estimator(loss=objective, **told).fit(data.prediction, labels)
        return model._raw_predict(data.prediction)  # noqa: SLF001  (the margins, of both kinds)

    return step


HOSTS: Mapping[str, tuple[str, Callable[..., Any], tuple[str, ...]]] = {
    "XGBoost": ("xgboost", _xgboost, ("xgboost",)),
    "LightGBM": ("lightgbm", _lightgbm, ("lightgbm",)),
    "CatBoost": ("catboost", _catboost, ("catboost",)),
    "HistGradientBoosting": (
        "hist_gradient_boosting", _hist_gradient_boosting, ("sklearn", "threadpoolctl"),
    ),
}  # fmt: skip


def door(name: str) -> str:
    """Return the name of the contestant that stands beside a host."""
    return f"lossary.boosters, {name}"


def _pair(name: str) -> tuple[Contestant, Contestant]:
    host, made, modules = HOSTS[name]
    return (
        Contestant(name, "with the objective that it has built in", modules, _nothing,
                   boost=_of(host, made, mine=False)),
        Contestant(door(name), f"lossary.boosters.{host} in its place", modules, _nothing,
                   ours=True, boost=_of(host, made, mine=True)),
    )  # fmt: skip


def _nothing(case: Case, data: Data, threads: int) -> None:
    """Compute no loss by itself."""


BOOSTERS = tuple(one for name in HOSTS for one in _pair(name))
