"""Names of objectives: whatever a host offers leads to a loss, or to the reason why to none."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")

import lossary as L
from booster_models import QUIET
from lossary.lookup import built_in, built_ins

X, Y = np.linspace(0, 1, 40).reshape(20, 2), np.arange(20) % 2.0


def of_xgboost():
    """The candidates that it tells who asks for an objective that it has not got."""
    xgb = pytest.importorskip("xgboost")
    with pytest.raises(xgb.core.XGBoostError) as caught:
        xgb.train({"objective": "none such"}, xgb.DMatrix(X, Y, nthread=1), 1)
    return re.findall(r"Objective candidate: (\S+)", str(caught.value))


WORDS_FOR_NONE = {"none", "null", "custom", "na"}
SHORT = ["l1", "l2", "mse", "mae", "rmse", "ova", "ovr", "huber", "fair", "binary", "poisson",
         "quantile", "gamma", "tweedie", "multiclass", "lambdarank", "regression"]  # fmt: skip
"""Names of LightGBM that its library does not hold as one text beside the others."""


def of_lightgbm():
    """The texts that it compares an objective with: its messages name none of them."""
    lgb = pytest.importorskip("lightgbm")
    (library,) = Path(lgb.__file__).parent.rglob("lib_lightgbm.*")
    texts = library.read_bytes()
    first, last = b"\0regression_l2\0", b"\0mean_absolute_percentage_error\0"
    start = texts.find(first)
    end = texts.find(last, start)
    if start < 0 or not 0 < end - start < 2000:
        pytest.skip("the library keeps its texts in another order")
    found = re.findall(rb"[a-z][a-z0-9_]+", texts[start : end + len(last)])
    return sorted({name.decode() for name in found} - WORDS_FOR_NONE) + SHORT


NO_OBJECTIVES = {
    "PythonUserDefinedPerObject", "PythonUserDefinedMultiTarget",
    "UserPerObjMetric", "UserQuerywiseMetric",
}  # fmt: skip


def of_catboost():
    """The values of its ELossFunction with which it can train, and not only judge."""
    cb = pytest.importorskip("catboost")

    def refusal(name):
        told = QUIET["catboost"] | {"iterations": 1, "loss_function": name}
        try:
            cb.CatBoost(told).fit(cb.Pool(X, Y, group_id=np.repeat(np.arange(4), 5)))
        except cb.CatBoostError as error:
            return str(error)
        return ""

    options = refusal("none such").partition("Valid options are:")[2]
    names = [name for name in re.findall(r"'(\w+)'", options) if name not in NO_OBJECTIVES]
    return [name for name in names if "Unknown loss function" not in refusal(name)]


def of_hist_gradient_boosting():
    ensemble = pytest.importorskip("sklearn.ensemble")
    kinds = ensemble.HistGradientBoostingRegressor, ensemble.HistGradientBoostingClassifier
    return sorted({x for kind in kinds for x in kind._parameter_constraints["loss"][0].options})


OFFERED = {
    "xgboost": of_xgboost,
    "lightgbm": of_lightgbm,
    "catboost": of_catboost,
    "hist_gradient_boosting": of_hist_gradient_boosting,
}


@pytest.mark.parametrize("host", OFFERED)
def test_every_name_that_a_host_offers_is_known(host):
    """By a row of objectives.toml, or one of not_yet.toml that says what is nearest."""
    names = OFFERED[host]()
    assert len(names) >= {"hist_gradient_boosting": 6}.get(host, 20)
    for name in names:
        if row := built_in(name, host):
            assert row.why or not isinstance(row.same, str), name
            continue
        with pytest.raises(L.UnknownLossError, match=r"is not in lossary yet\nhint:.*nearest here"):
            L.find(f"{host}.{name}")


@pytest.mark.parametrize("host", OFFERED)
def test_every_row_is_of_a_name_that_the_host_offers(host):
    names = {name.lower() for name in OFFERED[host]()}
    for row in built_ins():
        if row.host == host and row.same != "untested":
            assert row.name.lower() in names


def test_lightgbm_knows_the_names_that_its_library_hides():
    lgb = pytest.importorskip("lightgbm")
    for name in SHORT:
        told = QUIET["lightgbm"] | {"objective": name, "num_class": 2 if name[:2] == "ov" else 1}
        told |= {"num_class": 2} if name == "multiclass" else {}
        group = [10, 10] if name == "lambdarank" else None
        lgb.train(told, lgb.Dataset(X, Y + (name == "gamma"), group=group, params=told), 1)


@pytest.mark.parametrize("row", built_ins(), ids=lambda row: f"{row.host} {row.name}")
def test_every_name_makes_an_objective_or_says_why_not(row):
    """A loss without curvature says how it is trained; one that no objective can be, the reason."""
    if row.host != "hist_gradient_boosting":
        pytest.importorskip(row.host)
    make = getattr(L.boosters, row.host)
    settings = {"power": 2.5} if row.loss == "power_error" else {}
    for name in {row.name, *row.also} - L.catalogue.keys():
        if row.same == "impossible" or row.loss == "gaussian":
            reason = rf"{re.escape(row.why)}|hint: (curvature='majorise'|lossary\.boosters\.light)"
            with pytest.raises(ValueError, match=reason):  # a DomainError is one
                make(name, **settings)
        else:
            assert make(name, **settings).rule.name == row.loss
