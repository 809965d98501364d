"""Boosters: what cannot be trained is refused before training, and with a way out."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")

import lossary as L
from booster_models import LABELS, QUIET, ROWS, WEIGHT, X
from lossary.boosters import versions
from lossary.errors import DomainError, install_line


def trained(name, y=LABELS["real"], params=None, **settings):
    """Train on labels with XGBoost."""
    xgb = pytest.importorskip("xgboost")
    return L.boosters.xgboost(name, **settings).train(params or {}, xgb.DMatrix(X, y, nthread=1), 2)


def test_labels_outside_the_set_of_the_loss():
    with pytest.raises(DomainError, match=r"target must be .*, got .* at index \(\d+,\)"):
        trained("focal")


def test_labels_of_more_classes_than_were_told():
    with pytest.raises(DomainError, match="a class index, a whole number from 0 to 1, got 2"):
        trained("cross_entropy", LABELS["classes"], {"num_class": 2})


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0, 0.5])
@pytest.mark.filterwarnings("error")
def test_labels_that_are_no_classes(wrong):
    labels = LABELS["classes"].astype(float)
    labels[7] = wrong
    with pytest.raises(DomainError, match=r"a class index, .* got .* at index \(7,\)"):
        L.boosters.xgboost("cross_entropy").prepare(labels, None, 3)


def test_outputs_that_are_told_twice():
    with pytest.raises(ValueError, match="3 by num_class, 2 by hyper-parameters"):
        trained("quantile", params={"num_class": 3}, quantile=[0.1, 0.9], curvature="majorise")


def test_a_classifier_whose_loss_has_other_classes():
    pytest.importorskip("xgboost")
    with pytest.raises(ValueError, match="a loss of two classes, the labels have 3\nhint: cross_"):
        L.boosters.XGBClassifier(objective="focal").fit(X, LABELS["classes"])
    with pytest.raises(ValueError, match="two classes have one here\nhint: binary_cross_entropy"):
        L.boosters.XGBClassifier(objective="cross_entropy").fit(X, LABELS["binary"])


def test_labels_of_one_class():
    with pytest.raises(DomainError, match="no finite constant is best for these labels"):
        trained("binary_cross_entropy", np.ones(ROWS))


def test_a_reduction_other_than_the_sum():
    pytest.importorskip("xgboost")
    with pytest.raises(ValueError, match="reduction must be 'sum', got 'mean'"):
        L.boosters.xgboost("huber", reduction="mean")
    assert L.boosters.xgboost("huber", reduction="sum").rule.name == "huber"


@pytest.mark.parametrize("name", ["absolute_error", "quantile"])
@pytest.mark.parametrize("host", ["xgboost", "lightgbm", "catboost"])
def test_a_loss_without_curvature_asks_for_a_policy(host, name):
    pytest.importorskip(host)
    with pytest.raises(DomainError, match=r"has no curvature.*\nhint: curvature='majorise'"):
        getattr(L.boosters, host)(name)
    assert getattr(L.boosters, host)(name, curvature="majorise").curvature.policy == "majorise"


def test_a_policy_that_the_loss_does_not_allow():
    pytest.importorskip("xgboost")
    with pytest.raises(DomainError, match=r"curvature='exact' is not possible: .*\nhint: "):
        L.boosters.xgboost("focal", curvature="exact")
    assert L.boosters.xgboost("focal", curvature="exact", floor=0.01).curvature.policy == "exact"
    with pytest.raises(ValueError, match="curvature must be one of host, exact, majorise, expe"):
        L.boosters.xgboost("focal", curvature="newton")


def test_predictions_that_are_no_margins():
    pytest.importorskip("xgboost")
    with pytest.raises(DomainError, match="hint: poisson takes the logarithm of the rate"):
        L.boosters.xgboost("poisson_from_rate")


def test_hyper_parameters_that_the_loss_has_not_got():
    pytest.importorskip("xgboost")
    with pytest.raises(TypeError, match="huber has no hyper-parameter gamma\nhint: it has delta"):
        L.boosters.xgboost("huber", gamma=2.0)


def test_an_objective_in_the_parameters_too():
    with pytest.raises(ValueError, match="this is one already\nhint: leave it out"):
        trained("huber", params={"objective": "reg:gamma"})


def test_an_objective_of_another_host():
    pytest.importorskip("xgboost")
    pytest.importorskip("lightgbm")
    with pytest.raises(TypeError, match=r"hint: lossary\.boosters\.xgboost\('huber'\)"):
        L.boosters.XGBRegressor(objective=L.boosters.lightgbm("huber")).fit(X, LABELS["real"])


def test_weights_below_zero():
    pytest.importorskip("xgboost")
    model = L.boosters.XGBRegressor(objective="huber", n_estimators=2)
    with pytest.raises(DomainError, match="weight must be finite, at least 0"):
        model.fit(X, LABELS["real"], sample_weight=-WEIGHT)


@pytest.mark.parametrize("host", ["xgboost", "catboost", "hist_gradient_boosting"])
def test_ranking_where_the_host_gives_no_groups(host):
    pytest.importorskip("sklearn" if host == "hist_gradient_boosting" else host)
    with pytest.raises(ValueError, match=r"lambdarank.*\nhint: lossary\.boosters\."):
        getattr(L.boosters, host)("lambdarank")


def test_ranking_without_groups():
    lgb = pytest.importorskip("lightgbm")
    objective = L.boosters.lightgbm("lambdarank")
    data = lgb.Dataset(X, LABELS["classes"], params=QUIET["lightgbm"])
    with pytest.raises(ValueError, match=r"there are no groups.*\nhint: group="):
        objective.train(QUIET["lightgbm"], data)


WITHOUT_HOSTS = """
import sys
import lossary as L

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"xgboost", "lightgbm", "catboost", "sklearn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for host in L.boosters.HOSTS:
    try:
        getattr(L.boosters, host)("huber")
    except L.errors.MissingExtraError as error:
        print(error)
"""


def test_hosts_that_are_not_installed():
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_HOSTS], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    line = install_line("boosters")
    assert told == [f"lossary.boosters.{h} needs an extra: {line}" for h in L.boosters.HOSTS]


@pytest.mark.parametrize("host", versions.KNOWN)
@pytest.mark.parametrize("found", [(0, 9), (9, 0)])
def test_a_version_that_is_not_known(host, found, monkeypatch):
    monkeypatch.setattr(versions, "release", lambda host: found)
    words = r"{}\.{} is not known: from [\s\S]*\nhint: install .*>=".format(*found)
    with pytest.raises(ValueError, match=words) as caught:
        versions.check_version(host, None)
    if "curvature='exact'" in str(caught.value):
        versions.check_version(host, "exact")
    else:
        with pytest.raises(ValueError, match=words):
            versions.check_version(host, "exact")
