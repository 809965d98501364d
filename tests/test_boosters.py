"""Boosters: the same model as the built-in, sensible ones where there is none, errors before training."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import ensemble
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lossary as L
from lossary.boosters.definitions import LOSSES
from lossary.boosters.lists import Cox, LambdaRank
from lossary.domain import Positive, Real
from lossary.errors import DomainError
from lossary.functions import log1p
from lossary.lookup import built_ins

ROWS, TREES = 2000, 20
rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, 8)).astype(np.float32)
SIGNAL = X[:, 0] + X[:, 1] ** 2 / 2
WEIGHT = rng.random(ROWS) + 0.1
LABELS = {
    "real": SIGNAL + rng.normal(size=ROWS),
    "binary": (rng.random(ROWS) < 1 / (1 + np.exp(-SIGNAL))).astype(float),
    "classes": rng.choice(3, ROWS, p=[0.5, 0.3, 0.2]),
    "counts": rng.poisson(np.exp(SIGNAL / 3)).astype(float),
    "positive": np.exp(SIGNAL / 3) * rng.gamma(2, 0.5, ROWS),
}
weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


@L.loss(source="Cauchy")
def cauchy(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that outliers hardly move."""
    return scale**2 / 2 * log1p(((prediction - target) / scale) ** 2)


XGBOOST = {
    "reg:squarederror": ("real", lambda f: f),
    "binary:logistic": ("binary", lambda f: 1 / (1 + np.exp(-f))),
    "multi:softprob": ("classes", lambda f: f),
    "count:poisson": ("counts", np.exp),
    "reg:gamma": ("positive", np.exp),
    "reg:tweedie": ("counts", np.exp),
    "reg:pseudohubererror": ("real", lambda f: f),
    "reg:squaredlogerror": ("positive", lambda f: f),
}


@weighted
@pytest.mark.parametrize("name", XGBOOST)
def test_xgboost_trains_the_same_model(name, weight):
    xgb = pytest.importorskip("xgboost")
    kind, scale = XGBOOST[name]
    data = xgb.DMatrix(X, LABELS[kind], weight=weight)
    told = {"max_depth": 4, "nthread": 2}
    model = L.boosters.xgboost(name).train(told, data, TREES)
    start = scale(np.array(model.meaning.start))
    told |= {"objective": name, "base_score": start.tolist() if len(start) > 1 else float(start[0])}
    own = xgb.train(told | ({"num_class": 3} if len(start) > 1 else {}), data, TREES)
    margin = own.predict(data, output_margin=True)
    if name == "reg:squarederror":
        assert own.get_dump() == model.model.get_dump()
    np.testing.assert_allclose(model.margin(data), margin, atol=2e-6, rtol=0)


LIGHTGBM = {
    "regression": ("real", {}, {}),
    "binary": ("binary", {}, {}),
    "xentropy": ("binary", {}, {}),
    "multiclass": ("classes", {}, {"num_class": 3}),
    "poisson": ("counts", {}, {}),
    "gamma": ("positive", {}, {}),
    "tweedie": ("counts", {}, {}),
    "huber": ("real", {"delta": 0.9}, {"alpha": 0.9}),
    "fair": ("real", {}, {}),
}


@weighted
@pytest.mark.parametrize("name", LIGHTGBM)
def test_lightgbm_trains_the_same_model(name, weight):
    lgb = pytest.importorskip("lightgbm")
    kind, settings, told = LIGHTGBM[name]
    y = LABELS[kind]
    if name in {"huber", "fair"}:  # which LightGBM starts at the mean of its float32 labels
        settings = {
            **settings,
            "start": float(np.average(y.astype("f4").astype(float), weights=weight)),
        }
    same = {"num_leaves": 15, "verbose": -1, "num_threads": 2, "deterministic": True,
            "force_row_wise": True}  # fmt: skip
    model = L.boosters.lightgbm(name, **settings).train(
        same, lgb.Dataset(X, y, weight=weight), TREES
    )
    own = lgb.train({**same, **told, "objective": name}, lgb.Dataset(X, y, weight=weight), TREES)
    margin = own.predict(X, raw_score=True)
    np.testing.assert_allclose(model.margin(X), margin, atol=1e-7, rtol=0)


CATBOOST = {
    "RMSE": ("real", {}),
    "Logloss": ("binary", {}),
    "CrossEntropy": ("binary", {}),
    "MultiClass": ("classes", {}),
    "Poisson": ("counts", {}),
    "Tweedie:variance_power=1.5": ("counts", {}),
    "Huber:delta=0.9": ("real", {"delta": 0.9}),
    "LogCosh": ("real", {}),
    "Expectile:alpha=0.8": ("real", {"expectile": 0.8}),
    "Focal:focal_alpha=0.5;focal_gamma=2.0": ("binary", {"gamma": 2.0, "alpha": 0.5}),
}


@weighted
@pytest.mark.parametrize("name", CATBOOST)
def test_catboost_trains_the_same_model(name, weight):
    cb = pytest.importorskip("catboost")
    kind, settings = CATBOOST[name]
    rows = slice(0, 300 if kind == "classes" else ROWS)
    told = {"iterations": 5 if kind == "classes" else TREES, "depth": 4, "verbose": 0,
            "allow_writing_files": False, "bootstrap_type": "No", "random_strength": 0,
            "boosting_type": "Plain", "leaf_estimation_method": "Newton",
            "leaf_estimation_iterations": 1, "learning_rate": 0.1, "thread_count": 2}  # fmt: skip
    w = None if weight is None else weight[rows]
    data = (X[rows], LABELS[kind][rows])
    model = L.boosters.catboost(name, start=0.0, **settings).train(told, cb.Pool(*data, weight=w))
    more = {"boost_from_average": False} if name == "RMSE" else {}
    own = cb.CatBoost({**told, **more, "loss_function": name}).fit(cb.Pool(*data, weight=w))
    margin = own.predict(data[0], prediction_type="RawFormulaVal")
    if name != "RMSE":
        margin = margin - np.array(own.get_scale_and_bias()[1])
    np.testing.assert_allclose(model.margin(data[0]), margin, atol=1e-7, rtol=0)


@weighted
@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [("squared_error", "real", {}), ("absolute_error", "real", {}),
     ("quantile", "real", {"quantile": 0.8}), ("poisson", "counts", {}), ("gamma", "positive", {})],
)  # fmt: skip
def test_hist_gradient_boosting_trains_the_same_model(name, kind, settings, weight):
    loss = L.boosters.hist_gradient_boosting(
        "half_squared_error" if name == "squared_error" else name, **settings
    )
    told = {"max_iter": TREES, "early_stopping": False}
    model = L.boosters.HistGradientBoostingRegressor(loss=loss, **told).fit(X, LABELS[kind], weight)
    own = ensemble.HistGradientBoostingRegressor(loss=name, **settings, **told)
    own.fit(X, LABELS[kind], weight)
    np.testing.assert_allclose(model.predict(X), own.predict(X), rtol=1e-13, atol=1e-13)


@weighted
@pytest.mark.parametrize(
    ("name", "kind"), [("binary_cross_entropy", "binary"), ("cross_entropy", "classes")]
)
def test_hist_gradient_boosting_gives_the_same_probabilities(name, kind, weight):
    told = {"max_iter": TREES, "early_stopping": False}
    loss = L.boosters.hist_gradient_boosting(name)
    model = L.boosters.HistGradientBoostingClassifier(loss=loss, **told).fit(
        X, LABELS[kind], weight
    )
    own = ensemble.HistGradientBoostingClassifier(**told).fit(X, LABELS[kind], weight)
    np.testing.assert_allclose(model.predict_proba(X), own.predict_proba(X), atol=1e-13)


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
    model = L.boosters.XGBRegressor(n_estimators=5, objective=L.boosters.xgboost("huber"))
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
        n_estimators=200, early_stopping_rounds=3, objective=L.boosters.xgboost("huber")
    )
    y = LABELS["real"]
    model.fit(X[:1000], y[:1000], eval_set=[(X[1000:], y[1000:])], verbose=False)
    history = model.evals_result()["validation_0"]
    assert list(history) == ["huber"]
    assert model.best_iteration == int(np.argmin(history["huber"])) < 199
    margin = model.predict(X[1000:], output_margin=True)
    assert model.best_score == pytest.approx(
        float(L.huber(margin, y[1000:].astype("f4"))), rel=1e-6
    )


def test_a_saved_model_predicts_in_a_new_process(tmp_path):
    xgb = pytest.importorskip("xgboost")
    model = L.boosters.xgboost("poisson").train({"nthread": 1}, xgb.DMatrix(X, LABELS["counts"]), 5)
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
    model = objective.train({"max_depth": 3, "nthread": 2}, xgb.DMatrix(X, y), 60)
    below = (y[:, None] < model.predict(X)).mean(axis=0)
    np.testing.assert_allclose(below, shares, atol=0.06)


def test_efron_by_hand():
    """Two of three rows with the same hazard die together: log 3 + log 2 (Efron 1977)."""
    found = Cox().value(np.zeros(3), np.array([1.0, 1.0, -2.0]), None)
    assert found == pytest.approx(np.log(6) / 2, rel=1e-15)


def test_the_slopes_of_cox_are_those_of_its_value():
    rule, f = Cox(), rng.normal(size=12)
    y = rng.integers(1, 5, 12) * rng.choice([-1.0, 1.0], 12)
    w = rng.random(12) + 0.5
    mass = w[y > 0].sum()
    gradient, hessian = rule.derivatives(f, y, w)
    for i in range(12):
        step = np.eye(12)[i] * 1e-4
        up, down = (rule.value(f + s, y, w) * mass for s in (step, -step))
        here = rule.value(f, y, w) * mass
        assert (up - down) / 2e-4 == pytest.approx(gradient[i], abs=1e-7)
        assert (up + down - 2 * here) / 1e-8 == pytest.approx(hessian[i], abs=1e-5)


def test_cox_with_ties_trains_as_the_built_in_does():
    xgb = pytest.importorskip("xgboost")
    time = np.ceil(2 * np.exp(-SIGNAL + rng.normal(size=ROWS)))
    y = np.where(rng.random(ROWS) < 0.7, time, -time)
    data, told = xgb.DMatrix(X, y), {"max_depth": 3, "eta": 0.1, "nthread": 2}
    objective = L.boosters.xgboost("cox")
    ours = objective.train(told, data, 30).margin(data)
    own = xgb.train({**told, "objective": "survival:cox"}, data, 30).predict(
        data, output_margin=True
    )
    found, built_in, constant = (objective.value(f, y) for f in (ours, own, np.zeros(ROWS)))
    assert found < constant - 0.5 * (constant - built_in)


def test_lambdarank_ranks_as_lightgbm():
    lgb = pytest.importorskip("lightgbm")
    group, grade = np.full(100, 20), np.digitize(LABELS["real"], [0, 1, 2])
    told = {"verbose": -1, "num_threads": 1, "force_row_wise": True, "deterministic": True}
    objective = L.boosters.lightgbm("lambdarank")
    model = objective.train(told, lgb.Dataset(X, grade, group=group), TREES)
    own = lgb.train({**told, "objective": "lambdarank"}, lgb.Dataset(X, grade, group=group), TREES)
    scores = [LambdaRank().value(s, grade, None, group) for s in (model.margin(X), own.predict(X))]
    assert scores[0] == pytest.approx(scores[1], abs=0.01)


ERRORS = {
    "labels": (lambda b, d: b.xgboost("focal").train({}, d(LABELS["real"])), DomainError, "target must be"),
    "classes": (lambda b, d: b.xgboost("cross_entropy").train({"num_class": 2}, d(LABELS["classes"])), DomainError, "class index"),
    "reduction": (lambda b, d: b.xgboost("huber", reduction="mean"), ValueError, "reduction must be 'sum'"),
    "curvature": (lambda b, d: b.xgboost("absolute_error"), DomainError, "curvature='majorise'"),
    "exact": (lambda b, d: b.xgboost("focal", curvature="exact"), DomainError, "not possible"),
    "margin": (lambda b, d: b.xgboost("poisson_from_rate"), DomainError, "poisson takes the logarithm"),
    "unknown": (lambda b, d: b.xgboost("huber", gamma=2.0), TypeError, "it has delta"),
    "ranking": (lambda b, d: b.xgboost("lambdarank"), ValueError, "no groups"),
    "one class": (lambda b, d: b.xgboost("binary_cross_entropy").train({}, d(np.ones(ROWS))), DomainError, "no finite constant"),
    "objective": (lambda b, d: b.xgboost("huber").train({"objective": "reg:gamma"}, d(LABELS["real"])), ValueError, "leave it out"),
    "weight": (lambda b, d: b.XGBRegressor(objective="huber").fit(X, LABELS["real"], sample_weight=-WEIGHT), DomainError, "weight must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_trained_is_refused_before_training(name):
    xgb = pytest.importorskip("xgboost")
    call, error, words = ERRORS[name]
    with pytest.raises(error, match=words):
        call(L.boosters, lambda y: xgb.DMatrix(X, y))


def test_ranking_without_groups_is_refused():
    lgb = pytest.importorskip("lightgbm")
    with pytest.raises(ValueError, match="no groups"):
        L.boosters.lightgbm("lambdarank").train({"verbose": -1}, lgb.Dataset(X, LABELS["classes"]))


def test_a_version_that_is_not_known_is_refused(monkeypatch):
    from lossary.boosters import versions

    monkeypatch.setattr(versions, "release", lambda host: (9, 0))
    with pytest.raises(ValueError, match="9.0 is not known"):
        versions.check_version("xgboost", None)
    assert versions.check_version("xgboost", "exact") is None


@pytest.mark.parametrize("row", built_ins(), ids=lambda row: f"{row.host} {row.name}")
def test_every_objective_of_a_host_leads_to_a_loss(row):
    assert row.loss in {*L.catalogue, *LOSSES, "cox", "lambdarank"}
    if row.loss not in {"cox", "lambdarank"}:
        assert L.find(f"{row.host}.{row.name}").name == row.loss


@pytest.mark.parametrize(
    "name", ["poisson", "gamma", "binary_cross_entropy", "tweedie", "negative_binomial"]
)
def test_closed_starts_are_zeros_of_the_slope(name):
    from lossary.boosters.objective import Objective

    kind = {"gamma": "positive", "binary_cross_entropy": "binary"}.get(name, "counts")
    objective = Objective(name)
    start = objective.start(LABELS[kind], WEIGHT)
    slope = objective.derivatives(np.full(ROWS, start[0]), LABELS[kind], WEIGHT)[0].sum(dtype=float)
    assert abs(slope) < 1e-4
