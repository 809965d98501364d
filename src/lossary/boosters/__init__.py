"""Boosters: any loss as an objective of XGBoost, LightGBM, CatBoost and scikit-learn.

>>> import lossary as L
>>> objective = L.boosters.xgboost("huber", delta=2.0)
>>> objective
lossary.boosters.xgboost('huber', delta=2.0)
>>> objective.curvature.about
'slope over error, both of the even part'
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossary.engine import Loss
from lossary.errors import needs

if TYPE_CHECKING:
    from lossary.boosters.hosts import catboost as _catboost
    from lossary.boosters.hosts import hist_gradient_boosting as _hist_gradient_boosting
    from lossary.boosters.hosts import lightgbm as _lightgbm
    from lossary.boosters.hosts import xgboost as _xgboost
    from lossary.boosters.predictor import Predictor

HOSTS = ("xgboost", "lightgbm", "catboost", "hist_gradient_boosting")

ESTIMATORS = {
    "XGBRegressor": "xgboost",
    "XGBClassifier": "xgboost",
    "LGBMRegressor": "lightgbm",
    "LGBMClassifier": "lightgbm",
    "LGBMRanker": "lightgbm",
    "CatBoostRegressor": "catboost",
    "CatBoostClassifier": "catboost",
    "HistGradientBoostingRegressor": "hist_gradient_boosting",
    "HistGradientBoostingClassifier": "hist_gradient_boosting",
}
"""The hosts' own estimators, with start, link and metric of their objective."""

__all__ = [*HOSTS, "load", *ESTIMATORS]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def _host(name: str) -> Any:
    packages = ("xgboost", "lightgbm", "catboost", "sklearn", "scipy")
    with needs(f"lossary.boosters.{name}", **dict.fromkeys(packages, "boosters")):
        return import_module(f"lossary.boosters.hosts.{name}")


def xgboost(loss: str | Loss, **settings: Any) -> _xgboost.Objective:
    """Return a loss as an objective of XGBoost.

    ``settings`` are the hyper-parameters of the loss, and ``curvature``, ``floor``, ``start``,
    ``link``; see :class:`lossary.boosters.objective.Objective` for them and for what it raises.

    >>> import numpy, xgboost as xgb
    >>> X, y = numpy.arange(50.0)[:, None], numpy.arange(50.0) ** 2
    >>> model = xgboost("log_cosh").train({"eta": 0.5}, xgb.DMatrix(X, y), 20)
    >>> model.predict(X).shape
    (50,)
    """
    return _host("xgboost").Objective(loss, **settings)


def lightgbm(loss: str | Loss, **settings: Any) -> _lightgbm.Objective:
    """Return a loss as an objective of LightGBM; arguments as for :func:`xgboost`."""
    return _host("lightgbm").Objective(loss, **settings)


def catboost(loss: str | Loss, **settings: Any) -> _catboost.Objective:
    """Return a loss as an objective of CatBoost; arguments as for :func:`xgboost`."""
    return _host("catboost").Objective(loss, **settings)


def hist_gradient_boosting(loss: str | Loss, **settings: Any) -> _hist_gradient_boosting.Objective:
    """Return a loss for scikit-learn's HistGradientBoosting; arguments as for :func:`xgboost`."""
    return _host("hist_gradient_boosting").Objective(loss, **settings)


def load(path: str | Path) -> Predictor:
    """Return the predictor that was saved to a path; FileNotFoundError if there is none."""
    from lossary.boosters.predictor import Predictor, read_meaning

    meaning = read_meaning(path)
    module = _host(meaning.host)
    return Predictor(module.load(str(path)), meaning, module.margins)


def __getattr__(name: str) -> Any:
    if name in ESTIMATORS:
        return getattr(_host(ESTIMATORS[name]), name)
    raise AttributeError(f"module 'lossary.boosters' has no attribute {name!r}")
