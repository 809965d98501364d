"""Boosters' estimators: pipelines, searches, early stopping, copies, files, new processes."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lossary as L
from booster_models import LABELS, X
from lossary.domain import Positive, Real
from lossary.functions import log1p


@L.loss(source="Cauchy")
def cauchy(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that outliers hardly move."""
    return scale**2 / 2 * log1p(((prediction - target) / scale) ** 2)


ESTIMATORS = {
    "XGBRegressor": ("xgboost", "objective", {"n_estimators": 10, "n_jobs": 1}),
    "LGBMRegressor": ("lightgbm", "objective", {"n_estimators": 10, "verbose": -1, "n_jobs": 1}),
    "CatBoostRegressor": ("catboost", "loss_function",
                          {"iterations": 10, "verbose": 0, "allow_writing_files": False}),
    "HistGradientBoostingRegressor": ("hist_gradient_boosting", "loss", {"max_iter": 10}),
}  # fmt: skip


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_loss_of_five_lines_trains_in_every_host(name):
    host, key, told = ESTIMATORS[name]
    if host != "hist_gradient_boosting":
        pytest.importorskip(host)
    objective = getattr(L.boosters, host)(cauchy, scale=2.0)
    model = clone(getattr(L.boosters, name)(**told, **{key: objective}))
    y = LABELS["real"][:500]
    found = make_pipeline(StandardScaler(), model).fit(X[:500], y)
    best = np.full(500, objective.start(y)[0])
    reached = cauchy(found.predict(X[:500]).astype(float), y, scale=2.0)
    assert reached < 0.95 * cauchy(best, y, scale=2.0)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict(X), found.predict(X))


def test_a_grid_search_reaches_the_hyper_parameters():
    pytest.importorskip("xgboost")
    model = L.boosters.XGBRegressor(n_estimators=5, n_jobs=1, objective=L.boosters.xgboost("huber"))
    grid = GridSearchCV(model, {"objective__delta": [0.5, 2.0]}, cv=2).fit(
        X[:300], LABELS["real"][:300]
    )
    assert grid.best_params_["objective__delta"] in {0.5, 2.0}
    assert (
        grid.best_estimator_.objective.get_params()["delta"]
        == grid.best_params_["objective__delta"]
    )


def test_early_stopping_watches_the_loss():
    pytest.importorskip("xgboost")
    model = L.boosters.XGBRegressor(
        n_estimators=200, n_jobs=1, early_stopping_rounds=3, objective=L.boosters.xgboost("huber")
    )
    y = LABELS["real"]
    model.fit(X[:500], y[:500], eval_set=[(X[500:], y[500:])], verbose=False)
    history = model.evals_result()["validation_0"]
    assert list(history) == ["huber"]
    assert model.best_iteration == int(np.argmin(history["huber"])) < 199
    margin = model.predict(X[500:], output_margin=True)
    assert model.best_score == pytest.approx(float(L.huber(margin, y[500:].astype("f4"))), rel=1e-6)


def test_a_saved_model_predicts_in_a_new_process(tmp_path):
    xgb = pytest.importorskip("xgboost")
    model = L.boosters.xgboost("poisson").train(
        {"nthread": 1}, xgb.DMatrix(X, LABELS["counts"], nthread=1), 5
    )
    model.save(tmp_path / "model.json")
    np.save(tmp_path / "X.npy", X)
    code = (
        "import sys, numpy, lossary; p = sys.argv[1];"
        "m = lossary.boosters.load(p + '/model.json');"
        "numpy.save(p + '/y.npy', m.predict(numpy.load(p + '/X.npy')))"
    )
    paths = os.pathsep.join(
        [str(Path(__file__).parents[1] / "src"), os.environ.get("PYTHONPATH", "")]
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict(X))


def test_several_quantiles_at_once_are_in_order_of_their_shares():
    xgb = pytest.importorskip("xgboost")
    shares = [0.1, 0.5, 0.9]
    objective = L.boosters.xgboost("quantile", quantile=shares, curvature="majorise")
    y = LABELS["real"]
    model = objective.train({"max_depth": 3, "nthread": 1}, xgb.DMatrix(X, y, nthread=1), 60)
    below = (y[:, None] < model.predict(X)).mean(axis=0)
    np.testing.assert_allclose(below, shares, atol=0.06)
