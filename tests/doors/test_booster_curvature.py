"""Curvatures that hosts are given, by formulas of others, and trainings that they survive."""

import numpy as np
import pytest

import lossary as L

pytest.importorskip("xgboost")
pytest.importorskip("sklearn")
pytest.importorskip("lightgbm")
pytest.importorskip("catboost")

import catboost
import lightgbm
import xgboost

QUIET = {"verbose": -1, "num_threads": 1, "learning_rate": 0.4, "num_leaves": 8}
ROWS, TREES = 800, 30
rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, 3))
MEAN = np.exp(3 + X[:, 0] + X[:, 1] ** 2 / 2)
COUNTS = rng.poisson(MEAN * rng.gamma(1.0, 1.0, ROWS)).astype(float)
SIZES = np.maximum(MEAN * rng.gamma(1.0, 1.0, ROWS), 1e-3)


@pytest.mark.parametrize("dispersion", [0.5, 1.0, 3.0])
def test_a_count_is_given_its_information(dispersion):
    """Fisher's information of log μ is μ / (1 + αμ) (Lawless 1987, doi:10.2307/3314912)."""
    margin = np.linspace(-6, 6, 49)
    count = np.exp(margin) * 1.25
    objective = L.boosters.lightgbm("negative_binomial", dispersion=dispersion)
    assert objective.curvature.policy == "expected"
    out = np.empty_like(margin), np.empty_like(margin)
    gradient, curvature = objective.derivatives(margin, count, out=out)
    mean = np.exp(margin)
    np.testing.assert_allclose(gradient, (mean - count) / (1 + dispersion * mean), rtol=1e-12)
    np.testing.assert_allclose(curvature, mean / (1 + dispersion * mean), rtol=1e-12)


def test_no_row_asks_for_more_than_a_factor_of_e():
    margin, count = np.linspace(-20, 20, 81), np.full(81, 9.0)
    out = np.empty_like(margin), np.empty_like(margin)
    for name in ("negative_binomial", "gamma"):
        objective = L.boosters.lightgbm(name, curvature="expected")
        gradient, curvature = objective.derivatives(margin, count, out=out)
        assert (np.abs(gradient) <= curvature).all()
        assert np.isfinite(curvature).all()


def _xgboost(objective, y):
    told = {"nthread": 1, "eta": 0.4, "max_depth": 3, "min_child_weight": 0, "lambda": 0}
    data = xgboost.DMatrix(X, y, nthread=1)
    return objective.train(told, data, TREES).margin(data)


def _lightgbm(objective, y):
    return objective.train(QUIET, lightgbm.Dataset(X, y, params=QUIET), TREES).margin(X)


def _catboost(objective, y):
    told = {"iterations": TREES, "learning_rate": 0.4, "depth": 3, "verbose": 0,
            "allow_writing_files": False, "thread_count": 1}  # fmt: skip
    return objective.train(told, catboost.Pool(X, y)).margin(X)


def _hist_gradient_boosting(objective, y):
    kind = L.boosters.HistGradientBoostingRegressor
    model = kind(loss=objective, max_iter=TREES, learning_rate=0.4).fit(X, y)
    return np.log(model.predict(X))


TRAININGS = {
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "hist_gradient_boosting": _hist_gradient_boosting,
}


@pytest.mark.parametrize("host", TRAININGS)
@pytest.mark.parametrize(("name", "y"), [("negative_binomial", COUNTS), ("gamma", SIZES)])
@pytest.mark.parametrize("start", [-6.0, 9.0])
def test_a_mean_is_found_from_far_below_and_far_above(host, name, y, start):
    """Newton's steps on the log of a mean go to e^20, or to NaN, from there."""
    objective = getattr(L.boosters, host)(name, curvature="expected", start=start)
    margin = TRAININGS[host](objective, y)
    constant = np.full(ROWS, np.log(y.mean()))
    assert objective.value(margin, y) < objective.value(constant, y)
