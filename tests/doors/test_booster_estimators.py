"""Boosters' estimators: pipelines, searches, early stopping, copies, files, new processes."""

import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import lossary as L
from booster_models import GRADES, LABELS, QUIET, ROWS, X
from lossary.domain import Positive, Real
from lossary.functions import log1p


@L.loss(source="Cauchy")
def cauchy(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that outliers hardly move."""
    return scale**2 / 2 * log1p(((prediction - target) / scale) ** 2)


HOSTS = ["xgboost", "lightgbm", "catboost", "hist_gradient_boosting"]
PREFIX = dict(zip(HOSTS, ("XGB", "LGBM", "CatBoost", "HistGradientBoosting"), strict=True))
TOLD = {
    "xgboost": ("objective", {"n_estimators": 10, "n_jobs": 1, "max_depth": 3}),
    "lightgbm": ("objective", {"n_estimators": 10, "n_jobs": 1, "num_leaves": 7, "verbose": -1}),
    "catboost": (
        "loss_function",
        {"iterations": 10, "depth": 3, "learning_rate": 0.3, **QUIET["catboost"]},
    ),
    "hist_gradient_boosting": ("loss", {"max_iter": 10, "max_leaf_nodes": 7}),
}
each_host = pytest.mark.parametrize("host", HOSTS)


def is_here(host):
    return find_spec({"hist_gradient_boosting": "sklearn"}.get(host, host)) is not None


@pytest.fixture(autouse=True)
def few_threads():
    """Keep scikit-learn to one thread: several spin where other processes have the cores."""
    with threadpool_limits(1):
        yield


def estimator(host, kind, loss, *, more=None, **settings):
    """Return an estimator of a host, small and quiet, with a loss."""
    pytest.importorskip({"hist_gradient_boosting": "sklearn"}.get(host, host))
    key, told = TOLD[host]
    objective = getattr(L.boosters, host)(loss, **settings)
    return getattr(L.boosters, f"{PREFIX[host]}{kind}")(**told | (more or {}), **{key: objective})


@each_host
def test_a_loss_of_five_lines_trains_in_every_host(host):
    model = clone(estimator(host, "Regressor", cauchy, scale=2.0))
    y = LABELS["real"]
    found = make_pipeline(StandardScaler(), model).fit(X, y)
    best = np.full(ROWS, getattr(L.boosters, host)(cauchy, scale=2.0).start(y)[0])
    reached = cauchy(found.predict(X).astype(float), y, scale=2.0)
    assert reached < 0.97 * cauchy(best, y, scale=2.0)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict(X), found.predict(X))


@each_host
def test_a_grid_search_reaches_the_hyper_parameters(host):
    key = TOLD[host][0]
    grid = {f"{key}__delta": [0.5, 2.0]}
    if host == "hist_gradient_boosting":  # its parameters are not nested
        grid = {key: [L.boosters.hist_gradient_boosting("huber", delta=d) for d in (0.5, 2.0)]}
    search = GridSearchCV(estimator(host, "Regressor", "huber"), grid, cv=2)
    search.fit(X[:300], LABELS["real"][:300])
    best = search.best_params_.get(f"{key}__delta")
    best = search.best_params_[key].get_params()["delta"] if best is None else best
    assert search.best_estimator_.get_params()[key].get_params()["delta"] == best
    assert len(set(search.cv_results_["mean_test_score"])) == 2


@each_host
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "focal"])
def test_two_classes_have_probabilities(host, loss):
    y = LABELS["binary"].astype(int)
    model = estimator(host, "Classifier", loss).fit(X, y)
    share = model.predict_proba(X)
    np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(model.predict(X), share.argmax(axis=1))
    assert model.score(X, y) == pytest.approx((model.predict(X) == y).mean())
    found = L.binary_cross_entropy_from_probability(share[:, 1].astype(float), y)
    assert found < L.binary_cross_entropy_from_probability(np.full(ROWS, y.mean()), y) - 0.01
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), share)


@each_host
@pytest.mark.parametrize("loss", ["cross_entropy", "categorical_focal"])
def test_three_classes_have_probabilities(host, loss):
    rows = 200 if host == "catboost" else ROWS
    y = GRADES[:rows]
    floor = 0.01 if loss == "categorical_focal" else None  # its exact Hessian is negative in places
    model = estimator(host, "Classifier", loss, floor=floor).fit(X[:rows], y)
    share = model.predict_proba(X[:rows])
    assert share.shape == (rows, 3)
    np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(model.predict(X[:rows]), share.argmax(axis=1))
    chance = np.bincount(y) / rows
    reached = -np.log(share[np.arange(rows), y]).mean()
    assert reached < -chance @ np.log(chance) - 0.05
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X[:rows]), share)


@pytest.mark.parametrize("host", ["lightgbm", "catboost", "hist_gradient_boosting"])
def test_classes_may_have_names(host):
    y = np.array(["no", "yes"])[LABELS["binary"].astype(int)]
    model = estimator(host, "Classifier", "focal").fit(X, y)
    assert list(model.classes_) == ["no", "yes"]
    assert (model.predict(X) == y).mean() > 0.6


@each_host
def test_grades_have_probabilities_in_their_order(host):
    """The score moves all thresholds alike: the expected grade grows with it."""
    model = estimator(host, "Regressor", "cumulative_link").fit(X, GRADES)
    share = model.predict(X)
    assert share.shape == (ROWS, 3)
    np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-6)
    chance = np.bincount(GRADES) / ROWS
    reached = -np.log(share[np.arange(ROWS), GRADES]).mean()
    assert reached < -chance @ np.log(chance) - 0.05
    below = 1 - share[:, 0]
    order = np.argsort(below)
    assert (np.diff(share[order, 2]) > -1e-6).all()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), share)


STOP = {
    "xgboost": {"n_estimators": 200, "early_stopping_rounds": 3},
    "lightgbm": {"n_estimators": 200, "early_stopping_round": 3},
    "catboost": {"iterations": 200, "early_stopping_rounds": 3},
    "hist_gradient_boosting": {
        "max_iter": 200, "early_stopping": True, "n_iter_no_change": 3, "random_state": 0,
    },
}  # fmt: skip


@each_host
@pytest.mark.parametrize(("loss", "kind"), [("huber", "real"), ("poisson", "counts")])
def test_early_stopping_watches_the_loss(host, loss, kind):
    model = estimator(host, "Regressor", loss, more=STOP[host])
    y, half = LABELS[kind], ROWS // 2
    if host == "hist_gradient_boosting":
        model.fit(X, y)
        assert model.n_iter_ < 200
        least = -model.validation_score_[-1]
        assert 0 < least < L.catalogue[loss](np.full(ROWS, model._baseline_prediction[0, 0]), y) + 1
        return
    seen = {"eval_set": [(X[half:], y[half:])]}
    if host == "lightgbm":
        seen = {"eval_X": X[half:], "eval_y": y[half:]}
    model.fit(X[:half], y[:half], **seen, **SILENT.get(host, {}))
    history, best = history_of(host, model, loss)
    margin = margin_of(host, model, X[half:])
    assert best == int(np.argmin(history)) < 199
    value = L.catalogue[loss](margin.astype(float), y[half:])
    assert min(history) == pytest.approx(value, rel=1e-5)


SILENT = {"xgboost": {"verbose": False}}


def history_of(host, model, loss):
    """Return what a host has watched, round by round, and the round it takes for the best."""
    if host == "xgboost":
        return model.evals_result()["validation_0"][loss], model.best_iteration
    if host == "lightgbm":
        return model.evals_result_["valid_0"][loss], model.best_iteration_ - 1
    return model.evals_result_["validation"]["Metric"], model.best_iteration_


def margin_of(host, model, data):
    """Return margins of the best round."""
    if host == "xgboost":
        return model.predict(data, output_margin=True)
    if host == "lightgbm":
        return model.predict(data, raw_score=True)
    return model.predict(data, prediction_type="RawFormulaVal")


def test_a_ranker_puts_what_matters_first():
    lgb = pytest.importorskip("lightgbm")
    group, told = np.full(40, 20), TOLD["lightgbm"][1]
    model = L.boosters.LGBMRanker(objective=L.boosters.lightgbm("lambdarank"), **told)
    seen = {"group": group, "eval_X": X, "eval_y": GRADES, "eval_group": [group]}
    model.fit(X, GRADES, **seen)
    own = lgb.LGBMRanker(**told).fit(X, GRADES, group=group)
    rule = L.boosters.lightgbm("lambdarank")
    found, built_in, random = (
        rule.value(s, GRADES, None, group) for s in (model.predict(X), own.predict(X), -X[:, 2])
    )
    assert found == pytest.approx(built_in, abs=0.01)
    assert found > random + 0.1
    history = model.evals_result_["training"]["ndcg"]
    assert history[-1] == pytest.approx(found)
    with pytest.raises(ValueError, match="no groups"):
        clone(model).fit(X, GRADES)


SAVED = {
    "xgboost": lambda o, y: o.train(QUIET["xgboost"], sys.modules["xgboost"].DMatrix(X, y), 5),
    "lightgbm": lambda o, y: o.train(QUIET["lightgbm"], sys.modules["lightgbm"].Dataset(X, y), 5),
    "catboost": lambda o, y: o.train(
        {**QUIET["catboost"], "iterations": 5}, sys.modules["catboost"].Pool(X, y)
    ),
}


def test_saved_models_predict_in_a_new_process(tmp_path):
    np.save(tmp_path / "X.npy", X)
    told = {}
    for host, train in SAVED.items():
        pytest.importorskip(host)
        for loss, y in (("poisson", LABELS["counts"]), ("cumulative_link", GRADES)):
            model = train(getattr(L.boosters, host)(loss), y)
            path = tmp_path / f"{host}-{loss}.json"
            model.save(path)
            told[path] = model.predict(X)
    code = (
        "import sys, numpy, lossary; folder = sys.argv[1]; X = numpy.load(folder + '/X.npy')\n"
        "for p in sys.argv[2:]: numpy.save(p + '.npy', lossary.boosters.load(p).predict(X))"
    )
    paths = os.pathsep.join([str(Path(L.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), *map(str, told)],
        check=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    for path, predictions in told.items():
        np.testing.assert_array_equal(np.load(f"{path}.npy"), predictions)


def test_pickled_estimators_predict_in_a_new_process(tmp_path):
    """With the link, which no host's own estimator knows of an objective."""
    np.save(tmp_path / "X.npy", X)
    told = {}
    for host in filter(is_here, HOSTS):
        model = estimator(host, "Regressor", "poisson").fit(X, LABELS["counts"])
        (tmp_path / host).write_bytes(pickle.dumps(model))
        told[host] = model.predict(X)
    code = (
        "import pickle, sys, numpy; folder = sys.argv[1]; X = numpy.load(folder + '/X.npy')\n"
        "for host in sys.argv[2:]:\n"
        "    model = pickle.load(open(f'{folder}/{host}', 'rb'))\n"
        "    numpy.save(f'{folder}/{host}.npy', model.predict(X))"
    )
    paths = os.pathsep.join([str(Path(L.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), *told],
        check=True, env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    for host, predictions in told.items():
        found = np.load(tmp_path / f"{host}.npy")
        assert (found > 0).all(), host
        np.testing.assert_array_equal(found, predictions, host)


@pytest.mark.parametrize("host", ["xgboost", "lightgbm"])
def test_several_quantiles_at_once(host):
    shares = [0.1, 0.5, 0.9]
    y, more = LABELS["real"], {"n_estimators": 60}
    many = estimator(host, "Regressor", "quantile", more=more, quantile=shares,
                     curvature="majorise").fit(X, y)  # fmt: skip
    found = many.predict(X)
    np.testing.assert_allclose((y[:, None] < found).mean(axis=0), shares, atol=0.06)
    for k, share in enumerate(shares):
        one = estimator(host, "Regressor", "quantile", more=more, quantile=share,
                        curvature="majorise").fit(X, y)  # fmt: skip
        np.testing.assert_allclose(found[:, k], one.predict(X), atol=1e-4)


def test_several_targets_at_once():
    """XGBoost takes labels of two columns; one tree for each, as of two models."""
    y = np.stack([LABELS["real"], LABELS["real"] ** 2 / 4], axis=1)
    both = estimator("xgboost", "Regressor", "huber").fit(X, y).predict(X).astype(float)
    assert both.shape == (ROWS, 2)
    for k in range(2):
        one = estimator("xgboost", "Regressor", "huber").fit(X, y[:, k]).predict(X).astype(float)
        assert L.huber(both[:, k], y[:, k]) == pytest.approx(L.huber(one, y[:, k]), rel=1e-2)
