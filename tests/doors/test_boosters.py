"""Boosters: a loss trains the same model as the host's own objective, within the bounds told."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")

import lossary as L
from booster_models import CASES, LABELS, QUIET, ROWS, TREES, WEIGHT, X, margin_of, margins_of_both
from lossary.boosters.definitions import LOSSES
from lossary.boosters.lists import LISTS
from lossary.lookup import built_ins

MATCHED = [row for row in built_ins() if not isinstance(row.same, str)]
weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


@pytest.mark.failure(96, 97)
@weighted
@pytest.mark.parametrize("row", MATCHED, ids=lambda row: f"{row.host}.{row.name}")
def test_the_model_is_that_of_the_built_in(row, weight):
    """The bounds are those of objectives.toml, which docs/boosters.md shows."""
    ours, own = margins_of_both(row, weight)
    assert np.ptp(own) > 0.1
    np.testing.assert_allclose(ours, own, atol=row.same, rtol=0)


OTHERWISE = ["xgboost.multi:softprob", "xgboost.count:poisson", "lightgbm.multiclass",
             "lightgbm.poisson"]  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
def test_the_curvature_of_the_host_makes_the_model_the_same(name):
    """With the second derivative itself it is another one."""
    row = next(row for row in MATCHED if f"{row.host}.{row.name}" == name)
    ours, own = margins_of_both(row, None, curvature="exact")
    assert abs(ours - own).max() > 0.1


@pytest.mark.parametrize("host", ["xgboost", "lightgbm", "catboost"])
def test_the_start_makes_the_model_the_same(host):
    """An objective that is handed to the host by itself starts anywhere but at the mean."""
    module, y = pytest.importorskip(host), LABELS["real"] + 3
    objective, told = getattr(L.boosters, host)("half_squared_error"), QUIET[host]
    if host == "xgboost":
        data = module.DMatrix(X, y, nthread=1)
        alone = module.train(told, data, TREES, obj=objective).predict(data, output_margin=True)
        own = module.train(told, data, TREES).predict(data)
        whole = objective.train(told, data, TREES).margin(data)
    elif host == "lightgbm":
        alone = module.train(told | {"objective": objective}, module.Dataset(X, y), TREES)
        own = module.train(told | {"objective": "regression"}, module.Dataset(X, y), TREES)
        alone, own = alone.predict(X), own.predict(X)
        whole = objective.train(told, module.Dataset(X, y), TREES).margin(X)
    else:
        told = told | {"iterations": TREES, "bootstrap_type": "No", "random_strength": 0,
                       "boosting_type": "Plain", "leaf_estimation_method": "Newton",
                       "leaf_estimation_iterations": 1, "learning_rate": 0.1}  # fmt: skip
        given = told | {"loss_function": objective, "eval_metric": objective.metric}
        alone = module.CatBoost(given).fit(module.Pool(X, y)).predict(X)
        own = module.CatBoost(told | {"loss_function": "RMSE"}).fit(module.Pool(X, y)).predict(X)
        whole = objective.train(told, module.Pool(X, y)).margin(X)
    assert abs(alone - own).max() > 0.1
    np.testing.assert_allclose(whole, own, atol=1e-6)


def test_every_bound_is_tested():
    assert {f"{row.host}.{row.name}" for row in MATCHED} == CASES.keys()


@pytest.mark.parametrize("row", built_ins(), ids=lambda row: f"{row.host} {row.name}")
def test_every_objective_of_a_host_leads_to_a_loss(row):
    assert row.loss in {*L.catalogue, *LOSSES, *LISTS}
    if row.loss not in LISTS:
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


@pytest.mark.parametrize(
    ("loss", "distribution"),
    [
        ("log_normal_failure_time", "normal"),
        ("log_logistic_failure_time", "logistic"),
        ("weibull_failure_time", "extreme"),
    ],
)
def test_failure_times_are_those_of_xgboost(loss, distribution):
    """At a scale at which no slope reaches 15, where XGBoost clips it."""
    xgb = pytest.importorskip("xgboost")
    y, told = LABELS["times"], QUIET["xgboost"] | {"max_depth": 3}
    data = xgb.DMatrix(X, y, nthread=1)
    data.set_info(label_lower_bound=abs(y), label_upper_bound=np.where(y > 0, y, np.inf))
    model = L.boosters.xgboost(loss, scale=2.0).train(told, data, TREES)
    told |= {
        "objective": "survival:aft", "aft_loss_distribution": distribution,
        "aft_loss_distribution_scale": 2.0, "base_score": float(np.exp(model.meaning.start[0])),
    }  # fmt: skip
    own = xgb.train(told, data, TREES).predict(data)  # which predicts times, as ours does
    np.testing.assert_allclose(model.predict(data), own, rtol=2e-6)


@pytest.mark.parametrize("host", L.boosters.HOSTS)
@pytest.mark.parametrize("loss", ["log_logistic_failure_time", "weibull_failure_time"])
def test_failure_times_train_in_every_host(host, loss):
    """Also in those that have nothing built in for times of which some are not seen to the end."""
    y = LABELS["times"]
    objective = getattr(L.boosters, host)(loss)
    margin = margin_of(objective, X, y, TREES)
    constant = objective.value(np.full(ROWS, objective.start(y)), y)
    assert objective.value(np.asarray(margin, float), y) < constant - 0.1


def test_cross_entropy_lambda_is_binary_cross_entropy_without_weights():
    lgb = pytest.importorskip("lightgbm")
    y, told = LABELS["binary"], QUIET["lightgbm"] | {"num_leaves": 7}
    model = L.boosters.lightgbm("cross_entropy_lambda").train(told, lgb.Dataset(X, y), TREES)
    start = np.full(ROWS, model.meaning.start[0])
    # Its own start is the logarithm of a rate; from the same one the models are the same.
    told |= {"objective": "cross_entropy_lambda", "boost_from_average": False}
    own = lgb.train(told, lgb.Dataset(X, y, init_score=start), TREES)
    found = own.predict(X, raw_score=True) + start
    np.testing.assert_allclose(model.margin(X), found, atol=1e-7)


def test_sampled_rows_and_features_are_those_of_xgboost():
    xgb = pytest.importorskip("xgboost")
    data = xgb.DMatrix(X, LABELS["real"], weight=WEIGHT, nthread=1)
    sampled = {"subsample": 0.6, "colsample_bytree": 0.6, "colsample_bynode": 0.6, "seed": 3}
    told = QUIET["xgboost"] | sampled
    model = L.boosters.xgboost("half_squared_error").train(told, data, TREES)
    own = xgb.train(told | {"base_score": model.meaning.start[0]}, data, TREES)
    assert own.get_dump() == model.model.get_dump()


def test_sampled_rows_are_those_of_lightgbm_and_sampled_features_are_not():
    """LightGBM draws features for an objective from another stream: the losses are alike."""
    lgb = pytest.importorskip("lightgbm")
    y = LABELS["real"]

    def both(sampled):
        told = QUIET["lightgbm"] | {"num_leaves": 7, "seed": 3} | sampled
        model = L.boosters.lightgbm("half_squared_error").train(told, lgb.Dataset(X, y), TREES)
        own = lgb.train(told | {"objective": "regression"}, lgb.Dataset(X, y), TREES)
        return model.margin(X), own.predict(X)

    ours, own = both({"bagging_fraction": 0.6, "bagging_freq": 1})
    np.testing.assert_allclose(ours, own, atol=1e-12)
    ours, own = both({"feature_fraction": 0.6})
    assert abs(ours - own).max() > 0.01
    assert np.mean((ours - y) ** 2) == pytest.approx(np.mean((own - y) ** 2), rel=0.05)


IMPOSSIBLE = {
    "xgboost": ("reg:absoluteerror", "reg:quantileerror"),
    "lightgbm": ("regression_l1", "quantile"),
    "catboost": ("MAE", "Quantile:alpha=0.8"),
}


@pytest.mark.parametrize("host", IMPOSSIBLE)
@pytest.mark.parametrize("loss", ["absolute_error", "quantile"])
def test_renewed_leaves_are_followed_at_a_distance(host, loss):
    """Medians in the leaves train faster than parabolas: twice the trees reach the same loss."""
    module, y = pytest.importorskip(host), LABELS["real"]
    settings = {"quantile": 0.8} if loss == "quantile" else {}
    objective = getattr(L.boosters, host)(loss, curvature="majorise", **settings)
    ours = margin_of(objective, X, y, 2 * TREES)
    told = QUIET[host] | {"objective": IMPOSSIBLE[host][loss == "quantile"]}
    if host == "xgboost":
        told |= {"max_depth": 3} | ({"quantile_alpha": 0.8} if loss == "quantile" else {})
        data = module.DMatrix(X, y, nthread=1)
        own = module.train(told, data, TREES).predict(data)
    elif host == "lightgbm":
        told |= {"num_leaves": 7, "alpha": 0.8}
        own = module.train(told, module.Dataset(X, y), TREES).predict(X)
    else:
        told |= {"depth": 3, "learning_rate": 0.3, "iterations": TREES}
        own = module.CatBoost(told).fit(module.Pool(X, y)).predict(X)
    found, built_in, constant = (
        objective.value(np.asarray(m, float), y)
        for m in (ours, own, np.full(ROWS, objective.start(y)[0]))
    )
    assert constant - found > 0.8 * (constant - built_in)


def test_lightgbm_takes_parameters_of_the_data_and_watched_sets():
    lgb = pytest.importorskip("lightgbm")
    y, half, seen = LABELS["counts"], ROWS // 2, {}
    told = QUIET["lightgbm"] | {"max_bin": 15}
    valid = lgb.Dataset(X[half:], y[half:])
    model = L.boosters.lightgbm("poisson").train(
        told, lgb.Dataset(X[:half], y[:half], weight=WEIGHT[:half]), TREES,
        valid_sets=[valid], callbacks=[lgb.record_evaluation(seen)],
    )  # fmt: skip
    reached = L.poisson(model.margin(X[half:]), y[half:])
    assert seen["valid_0"]["poisson"][-1] == pytest.approx(reached, rel=1e-6)
