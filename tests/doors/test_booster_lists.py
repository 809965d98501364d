"""Boosters' losses of whole lists: Cox with Efron's ties, and LambdaRank."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")

import lossary as L
from booster_models import LABELS, QUIET, ROWS, SIGNAL, TREES, X
from lossary.boosters.lists import Cox, LambdaRank

rng = np.random.default_rng(1)


def test_efron_by_hand():
    """Two of three rows with the same hazard die together: log 3 + log 2 (Efron 1977)."""
    found = Cox().value(np.zeros(3), np.array([1.0, 1.0, -2.0]), None)
    assert found == pytest.approx(np.log(6) / 2, rel=1e-15)


def test_cox_is_the_loss_of_the_catalogue():
    y = rng.integers(1, 5, 40) * rng.choice([-1.0, 1.0], 40)
    margins = rng.normal(size=40)
    gradient, hessian = Cox().derivatives(margins, y, None)
    row = margins[None], abs(y)[None], (y > 0)[None].astype(float)
    wanted = L.cox_efron.gradient_and_hessian(*row, reduction="sum")
    value = Cox().value(margins, y, None) * np.count_nonzero(y > 0)
    assert value == pytest.approx(L.cox_efron(*row, reduction="sum"), rel=1e-12)
    np.testing.assert_allclose(gradient, wanted[0][0], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(hessian, wanted[1][0], rtol=1e-10, atol=1e-13)


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


def test_a_weight_of_cox_is_a_number_of_rows_without_an_event():
    f, y = rng.normal(size=6), np.array([1.0, -2.0, 2.0, 2.0, 3.0, -3.0])
    twice = np.array([0, 1, 1, 2, 3, 4, 5, 5])
    weighted = Cox().derivatives(f, y, np.array([1.0, 2, 1, 1, 1, 2]))[0]
    each = Cox().derivatives(f[twice], y[twice], None)[0]
    np.testing.assert_allclose(weighted, np.bincount(twice, each), rtol=1e-12, atol=1e-15)


def test_tied_events_share_the_mean_of_their_weights():
    """Two of three rows with hazard 1, weights 2 and 1: 1.5 (log 4 + log 2.5), by hand."""
    found = Cox().value(np.zeros(3), np.array([1.0, 1.0, -2.0]), np.array([2.0, 1.0, 1.0]))
    assert 3 * found == pytest.approx(1.5 * (np.log(4) + np.log(2.5)), rel=1e-15)


def cox_twice(y, order=slice(None)):
    """Return margins of Cox' loss trained with our objective, and with XGBoost's own."""
    xgb = pytest.importorskip("xgboost")
    told = QUIET["xgboost"] | {"max_depth": 3, "eta": 0.1}
    data, seen = (xgb.DMatrix(X[o], y[o], nthread=1) for o in (order, slice(None)))
    ours = L.boosters.xgboost("cox_efron").train(told, data, 30).margin(seen)
    own = xgb.train(told | {"objective": "survival:cox", "base_score": 1.0}, data, 30)
    return ours, own.predict(seen, output_margin=True)


def times(grain):
    """Return times of events, minus those of rows that were seen no longer."""
    draw = np.random.default_rng(2)
    time = np.exp(-SIGNAL + draw.normal(size=ROWS))
    time = np.ceil(time / grain) if grain else time
    return np.where(draw.random(ROWS) < 0.7, time, -time)


def test_cox_without_ties_is_the_model_of_the_built_in():
    ours, own = cox_twice(times(0))
    np.testing.assert_allclose(ours, own, atol=1e-6)


def test_cox_with_ties_does_not_depend_on_the_order_of_rows():
    """The built-in's does: it counts tied events one after the other."""
    y, order = times(0.5), rng.permutation(ROWS)
    (ours, own), (moved, own_moved) = cox_twice(y), cox_twice(y, order)
    np.testing.assert_allclose(ours, moved, atol=1e-5)
    assert abs(own - own_moved).max() > 0.1
    cox = Cox()
    found, constant = (cox.value(f, y, None) for f in (ours, np.zeros(ROWS)))
    assert found < constant - 0.1


def test_lambdarank_ranks_as_lightgbm():
    lgb = pytest.importorskip("lightgbm")
    group, grade = np.full(40, 20), np.digitize(LABELS["real"], [0, 1, 2])
    told = {"verbose": -1, "num_threads": 1, "force_row_wise": True, "deterministic": True}
    objective = L.boosters.lightgbm("lambdarank")
    model = objective.train(told, lgb.Dataset(X, grade, group=group), TREES)
    own = lgb.train({**told, "objective": "lambdarank"}, lgb.Dataset(X, grade, group=group), TREES)
    scores = [LambdaRank().value(s, grade, None, group) for s in (model.margin(X), own.predict(X))]
    assert scores[0] == pytest.approx(scores[1], abs=0.01)
