"""Data for boosters, and the same training twice: with a host's own objective and with ours."""

import numpy as np
import pytest

import lossary as L

ROWS, TREES = 800, 10
rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, 5)).astype(np.float32)
SIGNAL = X[:, 0] + X[:, 1] ** 2 / 2
WEIGHT = rng.random(ROWS) + 0.1
LABELS = {
    "real": SIGNAL + rng.normal(size=ROWS),
    "binary": (rng.random(ROWS) < 1 / (1 + np.exp(-SIGNAL))).astype(float),
    "classes": rng.choice(3, ROWS, p=[0.5, 0.3, 0.2]),
    "counts": rng.poisson(np.exp(SIGNAL / 3)).astype(float),
    "positive": np.exp(SIGNAL / 3) * rng.gamma(2, 0.5, ROWS),
}
TIME = np.exp(-SIGNAL + rng.normal(size=ROWS))
LABELS["times"] = np.where(rng.random(ROWS) < 0.7, TIME, -TIME)
"""Times of events, minus those of rows that were seen no longer."""
GRADES = np.digitize(LABELS["real"], [0, 1.5])
QUIET = {
    "xgboost": {"nthread": 1},
    "lightgbm": {"verbose": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True},
    "catboost": {"verbose": 0, "allow_writing_files": False, "thread_count": 1},
}
"""What tells a host to keep to one thread and to write nothing."""

CASES = {
    "xgboost.reg:squarederror": ("real", {}, {}),
    "xgboost.binary:logistic": ("binary", {}, {}),
    "xgboost.multi:softprob": ("classes", {}, {"num_class": 3}),
    "xgboost.count:poisson": ("counts", {}, {}),
    "xgboost.reg:gamma": ("positive", {}, {}),
    "xgboost.reg:tweedie": ("counts", {"power": 1.3}, {"tweedie_variance_power": 1.3}),
    "xgboost.reg:pseudohubererror": ("real", {"delta": 2.0}, {"huber_slope": 2.0}),
    "xgboost.reg:squaredlogerror": ("positive", {}, {}),
    "xgboost.binary:hinge": ("binary", {}, {}),
    "xgboost.survival:aft": ("times", {"scale": 1.2}, {"aft_loss_distribution_scale": 1.2}),
    "lightgbm.regression": ("real", {}, {}),
    "lightgbm.binary": ("binary", {}, {}),
    "lightgbm.cross_entropy": ("binary", {}, {}),
    "lightgbm.multiclass": ("classes", {}, {"num_class": 3}),
    "lightgbm.multiclassova": ("classes", {}, {"num_class": 3}),
    "lightgbm.poisson": ("counts", {}, {}),
    "lightgbm.gamma": ("positive", {}, {}),
    "lightgbm.tweedie": ("counts", {"power": 1.3}, {"tweedie_variance_power": 1.3}),
    "lightgbm.huber": ("real", {"delta": 0.9}, {"alpha": 0.9}),
    "lightgbm.fair": ("real", {"scale": 2.0}, {"fair_c": 2.0}),
    "catboost.RMSE": ("real", {}, ""),
    "catboost.Logloss": ("binary", {}, ""),
    "catboost.CrossEntropy": ("binary", {}, ""),
    "catboost.MultiClass": ("classes", {}, ""),
    "catboost.MultiClassOneVsAll": ("classes", {}, ""),
    "catboost.Poisson": ("counts", {}, ""),
    "catboost.Tweedie": ("counts", {"power": 1.3}, ":variance_power=1.3"),
    "catboost.Huber": ("real", {"delta": 0.9}, ":delta=0.9"),
    "catboost.LogCosh": ("real", {}, ""),
    "catboost.Expectile": ("real", {"expectile": 0.75}, ":alpha=0.75"),
    "catboost.Lq": ("real", {"power": 2.5}, ":q=2.5"),
    "catboost.Focal": (
        "binary",
        {"gamma": 2.0, "alpha": 0.4},
        ":focal_alpha=0.4;focal_gamma=2.0",
    ),
    "hist_gradient_boosting.squared_error": ("real", {}, {}),
    "hist_gradient_boosting.absolute_error": ("real", {}, {}),
    "hist_gradient_boosting.quantile": ("real", {"quantile": 0.8}, {"quantile": 0.8}),
    "hist_gradient_boosting.poisson": ("counts", {}, {}),
    "hist_gradient_boosting.gamma": ("positive", {}, {}),
    "hist_gradient_boosting.log_loss": ("binary", {}, {}),
}
"""Labels, hyper-parameters of the loss, and what the host calls them, for each objective."""


def margins_of_both(row, weight, **settings):
    """Return the margins of a model trained with our objective, and of the host's own."""
    kind, own, more = CASES[f"{row.host}.{row.name}"]
    return {
        "xgboost": _xgboost,
        "lightgbm": _lightgbm,
        "catboost": _catboost,
        "hist_gradient_boosting": _hist_gradient_boosting,
    }[row.host](row, weight, kind, own | settings, more)


def margin_of(objective, X, y, trees):
    """Return the margins of a small model of any host, trained with an objective of ours."""
    host = objective.host
    if host == "hist_gradient_boosting":
        pytest.importorskip("sklearn")
        model = L.boosters.HistGradientBoostingRegressor(loss=objective, max_iter=trees)
        with pytest.importorskip("threadpoolctl").threadpool_limits(1):
            return model.fit(X, y)._raw_predict(X)[:, 0]
    module = pytest.importorskip(host)
    if host == "catboost":
        told = QUIET[host] | {"iterations": trees, "depth": 3, "learning_rate": 0.3}
        return objective.train(told, module.Pool(X, y)).margin(X)
    data = module.DMatrix(X, y, nthread=1) if host == "xgboost" else module.Dataset(X, y)
    more = {"max_depth": 3} if host == "xgboost" else {"num_leaves": 7}
    return objective.train(QUIET[host] | more, data, trees).margin(X)


SCALES = {"sigmoid": lambda f: 1 / (1 + np.exp(-f)), "exp": np.exp}


def _xgboost(row, weight, kind, settings, more):
    xgb = pytest.importorskip("xgboost")
    data = xgb.DMatrix(X, LABELS[kind], weight=weight, nthread=1)
    told = QUIET["xgboost"] | {"max_depth": 3}
    model = L.boosters.xgboost(row.loss, **settings).train(told, data, TREES)
    start = SCALES.get(model.meaning.link, lambda f: f)(np.array(model.meaning.start))
    told |= {"base_score": start.tolist() if len(start) > 1 else float(start[0])}
    if kind == "times":
        y = LABELS[kind]
        bounds = {"lower": abs(y), "upper": np.where(y > 0, y, np.inf)}
        data.set_info(**{f"label_{side}_bound": x for side, x in bounds.items()})
    own = xgb.train(told | more | {"objective": row.name}, data, TREES)
    if row.same == 0:
        assert own.get_dump() == model.model.get_dump()
    return model.margin(data), own.predict(data, output_margin=True)


def _lightgbm(row, weight, kind, settings, more):
    lgb = pytest.importorskip("lightgbm")
    y = LABELS[kind]
    if row.loss in {"huber", "fair"}:  # which LightGBM starts at the mean of its float32 labels
        mean = np.average(y.astype("f4").astype(float), weights=weight)
        settings = {**settings, "start": float(mean)}
    told = QUIET["lightgbm"] | {"num_leaves": 7}
    ours = L.boosters.lightgbm(row.loss, **settings)
    model = ours.train(told, lgb.Dataset(X, y, weight=weight), TREES)
    told |= more | {"objective": row.name}
    own = lgb.train(told, lgb.Dataset(X, y, weight=weight), TREES)
    return model.margin(X), own.predict(X, raw_score=True)


def _catboost(row, weight, kind, settings, more):
    cb = pytest.importorskip("catboost")
    rows, trees = (slice(200), 4) if kind == "classes" else (slice(None), TREES)
    told = QUIET["catboost"] | {
        "iterations": trees, "depth": 3, "bootstrap_type": "No", "random_strength": 0,
        "boosting_type": "Plain", "leaf_estimation_method": "Newton",
        "leaf_estimation_iterations": 1, "learning_rate": 0.1,
    }  # fmt: skip
    pool = cb.Pool(X[rows], LABELS[kind][rows], weight=None if weight is None else weight[rows])
    ours = L.boosters.catboost(row.loss, start=0.0, **settings)
    told |= {"boost_from_average": False} if row.name == "RMSE" else {}
    own = cb.CatBoost(told | {"loss_function": row.name + more}).fit(pool)
    model = ours.train({k: v for k, v in told.items() if k != "boost_from_average"}, pool)
    found = own.predict(X[rows], prediction_type="RawFormulaVal")
    return model.margin(X[rows]), found - np.array(own.get_scale_and_bias()[1])


def _hist_gradient_boosting(row, weight, kind, settings, more):
    ensemble = pytest.importorskip("sklearn.ensemble")
    limits = pytest.importorskip("threadpoolctl").threadpool_limits
    kinds = "Classifier" if row.name == "log_loss" else "Regressor"
    name = f"HistGradientBoosting{kinds}"
    told = {"max_iter": TREES, "early_stopping": False}
    loss = L.boosters.hist_gradient_boosting(row.loss, **settings)
    with limits(1):  # its threads spin where other processes have the cores
        model = getattr(L.boosters, name)(loss=loss, **told).fit(X, LABELS[kind], weight)
        own = getattr(ensemble, name)(loss=row.name, **more, **told).fit(X, LABELS[kind], weight)
    return model._raw_predict(X)[:, 0], own._raw_predict(X)[:, 0]
