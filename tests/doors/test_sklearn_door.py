"""The door of scikit-learn: its metrics by name, and every loss as a scorer.

``python -m tests.peers.sklearn`` runs scikit-learn's own tests against the door; here stand wide
samples, errors, the scorers, and a part of that run.
"""

import copy
import doctest
import functools
import inspect
import pickle
import subprocess
import sys
import types
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn")

from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import log_loss, make_scorer, pairwise_distances
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lossary as L
import lossary.sklearn as door
from lossary.sklearn import contract, regression, scoring

PEERS = contract.PEERS
ROOT = Path(__file__).parents[2]
MULTIOUTPUT = [n for n in regression.__all__ if n in PEERS and n != "d2_tweedie_score"]
PROBABILITIES = [n for n in door.METRICS if n not in {*regression.__all__, "hinge_loss"}]

numbers = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: round(x, 6))
tables = st.integers(2, 6).flatmap(
    lambda rows: st.integers(1, 3).flatmap(
        lambda outputs: st.tuples(
            *[st.lists(st.lists(numbers, min_size=outputs, max_size=outputs),
                       min_size=rows, max_size=rows)] * 2,
            st.none() | st.lists(st.floats(0.1, 9), min_size=rows, max_size=rows),
        )
    )
)  # fmt: skip


def outcome(metric, *args, **kwargs):
    """Return the value of a call, or the type and words of its error, and its warnings."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            value = metric(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is compared)
            value = (type(error), str(error))
    return value, [(w.category, str(w.message)) for w in found]


class TestTheContractIsScikitLearns:
    def test_every_metric_that_is_asked_for_is_there(self):
        public = inspect.getmembers(__import__("sklearn.metrics").metrics, inspect.isfunction)
        wanted = {
            name for name, _ in public
            if name.startswith("d2_") or (name.endswith("_error") and "mean_" in name)
        } | {"log_loss", "hinge_loss", "brier_score_loss", "mean_pinball_loss"}  # fmt: skip
        assert set(door.METRICS) == wanted

    @pytest.mark.parametrize("name", door.METRICS)
    def test_signatures_are_the_same(self, name):
        own, peer = getattr(door, name), PEERS[name]
        assert inspect.signature(own) == inspect.signature(peer)
        written = inspect.signature(inspect.unwrap(own)).parameters.values()
        assert [(p.name, p.kind, p.default) for p in written] == [
            (p.name, p.kind, p.default) for p in inspect.signature(peer).parameters.values()
        ]

    @pytest.mark.parametrize("name", MULTIOUTPUT)
    @settings(max_examples=25, deadline=None)
    @given(table=tables, choice=st.integers(0, 2), level=st.sampled_from([0.1, 0.5, 0.9]))
    def test_numbers_against_numbers(self, name, table, choice, level):
        true, predicted, weight = table
        outputs = len(true[0])
        if "log" in name:
            true, predicted = np.abs(true), np.abs(predicted)
        several = ["uniform_average", "raw_values", [0.5, 1.0, 2.0][:outputs]]
        kwargs = {"sample_weight": weight, "multioutput": several[choice]}
        assume(choice < 2 or outputs > 1)
        if "pinball" in name:
            kwargs["alpha"] = level
        if name.startswith("d2"):
            # Of targets that hardly differ both lose most digits of the best constant's loss.
            spread = np.ptp(true, axis=0)
            assume(np.all((spread == 0) | (spread > 1e-3 * np.max(np.abs(true)))))
        own, peer = (
            metric(true, predicted, **kwargs) for metric in (getattr(door, name), PEERS[name])
        )
        assert type(own) is type(peer)
        # A score is 1 minus a quotient, and scikit-learn subtracts logarithms: both cancel.
        scale = max(1.0, float(np.max(np.abs(peer)))) if name.startswith("d2") else 1.0
        rtol, atol = (1e-9, 1e-14) if "log" in name else (1e-12, 0.0)
        np.testing.assert_allclose(
            own, peer, rtol=rtol, atol=1e-10 * scale if name.startswith("d2") else atol
        )

    @pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
    @pytest.mark.parametrize("name", MULTIOUTPUT)
    def test_dtypes(self, name, dtype):
        true, predicted = np.random.default_rng(0).uniform(1, 90, (2, 40, 2)).astype(dtype)
        own, peer = (
            metric(true, predicted, multioutput="raw_values")
            for metric in (getattr(door, name), PEERS[name])
        )
        assert own.dtype == peer.dtype
        np.testing.assert_allclose(own, peer, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)

    @pytest.mark.parametrize("power", [0, 1, 1.5, 2, 3, -1])
    def test_every_power_of_a_deviance(self, power):
        true, predicted = np.random.default_rng(1).uniform(0.5, 4, (2, 20))
        for weight in (None, true):
            args = (true, predicted)
            own = door.d2_tweedie_score(*args, power=power, sample_weight=weight)
            peer = PEERS["d2_tweedie_score"](*args, power=power, sample_weight=weight)
            assert own == pytest.approx(peer, rel=1e-12)

    @pytest.mark.parametrize("name", PROBABILITIES)
    @pytest.mark.parametrize(
        "labels", [[0, 1], ["no", "yes"], [False, True], [3, 5, 9], list("abcd")]
    )
    @settings(max_examples=10, deadline=None)
    @given(seed=st.integers(0, 9999), weighted=st.booleans(), flat=st.booleans())
    def test_probabilities(self, name, labels, seed, weighted, flat):
        rng = np.random.default_rng(seed)
        count = len(labels)
        true = np.array(labels)[np.r_[range(count), rng.integers(0, count, 6)]]
        # The ends of the range, too: there the clipping shows.
        masses = np.where(rng.random((count + 6, count)) < 0.2, 0.0, rng.random((count + 6, count)))
        masses[masses.sum(axis=1) == 0, 0] = 1
        masses /= masses.sum(axis=1, keepdims=True)
        kwargs = {"sample_weight": rng.uniform(0.5, 2, count + 6) if weighted else None}
        if count == 2 and flat:
            masses = masses[:, 1]
            if "brier" in name:
                kwargs["pos_label"] = labels[0]
        own, peer = (
            outcome(metric, true, masses, **kwargs) for metric in (getattr(door, name), PEERS[name])
        )
        assert own[1] == peer[1]
        assert own[0] == pytest.approx(peer[0], rel=1e-11, abs=1e-12)

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 9999), classes=st.integers(2, 5), weighted=st.booleans())
    def test_hinges(self, seed, classes, weighted):
        rng = np.random.default_rng(seed)
        true = rng.permutation(np.r_[range(classes), rng.integers(0, classes, 9)]) * 3 - 1
        decision = rng.normal(size=(len(true), classes)) * 2
        decision = decision[:, 0] if classes == 2 else decision
        weight = rng.uniform(0.5, 2, len(true)) if weighted else None
        for labels in (None, np.unique(true)):
            own, peer = (
                metric(true, decision, labels=labels, sample_weight=weight)
                for metric in (door.hinge_loss, PEERS["hinge_loss"])
            )
            assert own == pytest.approx(peer, rel=1e-12)

    def test_every_value_comes_from_the_core(self, monkeypatch):
        from lossary.engine import evaluate

        calls = []
        for kind in ("value", "sums"):
            original = getattr(evaluate, kind)
            monkeypatch.setattr(
                evaluate, kind, lambda *a, original=original: calls.append(1) or original(*a)
            )
        for name in door.METRICS:
            calls.clear()
            args = ([0.0, 1.0, 1.0], [0.1, 0.8, 0.6])
            assert isinstance(getattr(door, name)(*args), float)
            assert calls, name


WRONG = [
    ("mean_squared_error", ([1.0], [1.0, 2.0]), {}),
    ("mean_squared_error", ([1.0, float("nan")], [1.0, 2.0]), {}),
    ("mean_squared_error", ([1.0, 2.0], [1.0, 2.0]), {"multioutput": "product"}),
    ("mean_squared_error", ([1.0, 2.0], [1.0, 2.0]), {"multioutput": [1.0]}),
    ("mean_squared_error", ([[1.0, 2.0]], [[1.0, 2.0]]), {"multioutput": [1.0, 2.0, 3.0]}),
    ("mean_squared_error", ([1.0, 2.0], [1.0, 2.0]), {"sample_weight": [0.0, 0.0]}),
    ("mean_squared_error", ([1.0, 2.0], [1.0, 2.0]), {"sample_weight": 2.0}),
    ("mean_squared_error", ([[1.0], [2.0]], [[1.0, 1.0], [2.0, 2.0]]), {}),
    ("mean_squared_error", (["a", "b"], [1.0, 2.0]), {}),
    ("mean_squared_error", ([1.0, 2.0],), {}),
    ("mean_squared_error", ([1.0, 2.0], [1.0, 2.0]), {"squared": False}),
    ("mean_squared_log_error", ([-2.0, 1.0], [1.0, 1.0]), {}),
    ("root_mean_squared_log_error", ([1.0, 1.0], [-1.0, 1.0]), {}),
    ("mean_pinball_loss", ([1.0, 2.0], [1.0, 2.0]), {"alpha": 1.5}),
    ("mean_pinball_loss", ([1.0, 2.0], [1.0, 2.0]), {"alpha": "high"}),
    ("d2_pinball_score", ([1.0], [2.0]), {}),
    ("d2_tweedie_score", ([1.0], [2.0]), {}),
    ("d2_tweedie_score", ([1.0, 1.0], [2.0, 1.0]), {}),
    ("d2_tweedie_score", ([1.0, -1.0], [2.0, 1.0]), {"power": 2}),
    ("d2_log_loss_score", ([1], [[0.5, 0.5]]), {}),
    ("d2_brier_score", ([1], [0.5]), {}),
    ("log_loss", ([0, 1], [0.2, 1.2]), {}),
    ("log_loss", ([0, 1], [-0.2, 0.2]), {}),
    ("log_loss", ([1, 1], [0.2, 0.2]), {}),
    ("log_loss", ([0, 2], [[0.2, 0.8], [0.5, 0.5]]), {"labels": [0, 1]}),
    ("log_loss", ([0, 1, 2], [[0.2, 0.8], [0.5, 0.5], [0.5, 0.5]]), {}),
    ("log_loss", ([0, 1], [[0.2, 0.7], [0.5, 0.4]]), {}),
    ("log_loss", (["a", "b"], [[0.2, 0.8], [0.5, 0.5]]), {"labels": ["b", "a"]}),
    ("log_loss", ([0, 1], [0.2, 0.8]), {"normalize": "yes"}),
    ("log_loss", ([0, 1], [0.2, 0.8]), {"y_pred": [0.2, 0.8]}),
    ("log_loss", ([0, 1],), {"y_pred": [0.2, 0.8]}),
    ("brier_score_loss", ([0, 1, 2], [0.1, 0.5, 0.5]), {}),
    ("brier_score_loss", (["a", "b"], [0.1, 0.5]), {}),
    ("brier_score_loss", ([0, 1], [0.1, 0.5]), {"scale_by_half": "never"}),
    ("brier_score_loss", ([0, 1], [0.1, 0.5]), {"pos_label": 7}),
    ("hinge_loss", ([0, 1, 2], [0.1, 0.5, 0.5]), {}),
    ("hinge_loss", ([0, 1, 2], [[0.1, 0.5], [0.5, 1.0], [0.5, 0.1]]), {}),
    ("hinge_loss", ([0, 1], ["a", "b"]), {}),
    ("hinge_loss", ([0, 3], [[0.1, 0.5, 1.0]] * 2), {"labels": [0, 1, 2]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "kwargs"), WRONG)
def test_errors_and_warnings_are_scikit_learns(name, args, kwargs):
    own, peer = (outcome(metric, *args, **kwargs) for metric in (getattr(door, name), PEERS[name]))
    np.testing.assert_equal(own, peer)
    assert peer[1] or isinstance(peer[0], (tuple, float))


def test_quantiles_at_the_ends_and_other_arrays_are_scikit_learns():
    torch = pytest.importorskip("torch")
    for alpha in (0, 1):
        assert door.mean_pinball_loss([1.0, 3.0], [2.0, 1.0], alpha=alpha) == PEERS[
            "mean_pinball_loss"
        ]([1.0, 3.0], [2.0, 1.0], alpha=alpha)
    assert not get_config()["array_api_dispatch"]
    x = torch.tensor([1.0, 3.0])
    assert door.mean_squared_error(x, x + 1) == 1.0


class TestWhereScikitLearnIsWrong:
    def test_two_labels_of_which_one_occurs(self):
        assert door.hinge_loss([1, 1], [2.0, 2.0], labels=[0, 1]) == 0.0
        assert PEERS["hinge_loss"]([1, 1], [2.0, 2.0], labels=[0, 1]) == 3.0

    def test_every_row_of_the_list_is_a_difference(self, monkeypatch):
        monkeypatch.syspath_prepend(Path(__file__).parents[2])
        from tests.peers.sklearn_differences import rows

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(rows())
        assert found
        assert all(row.own == row.truth != row.peer for row in found)


class TestScorers:
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[::-1][y]
    model = make_pipeline(StandardScaler(), LogisticRegression())

    def test_as_scikit_learns_own(self):
        own = cross_val_score(self.model, self.X, self.names, scoring=door.scorer("cross_entropy"))
        peer = cross_val_score(self.model, self.X, self.names, scoring="neg_log_loss")
        np.testing.assert_allclose(own, peer, rtol=1e-9)
        X, y = load_diabetes(return_X_y=True)
        own = cross_val_score(Ridge(), X, y, scoring=door.scorer("squared_error"))
        np.testing.assert_allclose(
            own, cross_val_score(Ridge(), X, y, scoring="neg_mean_squared_error"), rtol=1e-12
        )

    @pytest.mark.sampled(5)
    @pytest.mark.parametrize("name", sorted(L.catalogue))
    def test_each_loss_of_one_response_has_a_scorer(self, name):
        loss = L.catalogue[name]
        settings = {a.name: 2.0 for a in loss.parameters if a.required}
        if loss.inputs[0].name not in scoring.SPACES or len(loss.inputs) != 2:
            with pytest.raises(ValueError, match=f"{name} takes"):
                door.scorer(name, **settings)
            return
        scorer = door.scorer(name, **settings)
        methods = scorer._response_method
        if methods == ["predict"]:
            X, y = load_diabetes(return_X_y=True)
            y = 0.2 + y / (2 * y.max())  # shares have losses as well
            if loss.class_axis:  # rows of any length, or large boxes
                columns = (0, 0.1, 2, 2.1, 1)[: len(loss.entries) or 2]
                y = np.stack([y + more for more in columns], axis=1)
            model = Ridge() if loss.class_axis else PoissonRegressor(max_iter=500)
            if loss.inputs[1].domain.name == "Binary":  # shares of what is or is not
                y, model = np.round(y), DummyRegressor()
            assert np.isfinite(scorer(model.fit(X, y), X, y))
            return
        X, y = load_breast_cancer(return_X_y=True)
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(
            X, np.array(["b", "m"])[y]
        )
        found = {
            method: door.scorer(name, response_method=method, **settings)(
                model, X, np.array(["b", "m"])[y]
            )
            for method in methods
        }
        assert found[methods[0]] == scorer(model, X, np.array(["b", "m"])[y])
        # The log-odds of a logistic regression are those of its probabilities.
        assert list(found.values()) == pytest.approx([next(iter(found.values()))] * len(found))
        if "non_negative" in loss.promises:
            assert found[methods[0]] < 0

    def test_samples_may_be_the_positions_of_a_loss(self):
        X, y = load_breast_cancer(return_X_y=True)
        weight = 1.0 + np.arange(len(y)) % 3
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
        found = door.scorer("dice_binary_cross_entropy")(model, X, y, sample_weight=weight)
        p = model.predict_proba(X)[:, 1]
        dice = 1 - 2 * np.sum(weight * p * y) / np.sum(weight * (p + y))
        assert found == pytest.approx(-dice - log_loss(y, p, sample_weight=weight))

    def test_no_weight_silently_replaces_another(self):
        X, y = load_diabetes(return_X_y=True)
        weight = np.arange(len(y)) + 1.0
        scorer = door.scorer("root_mean_squared_error", position_weight=np.ones(len(y)))
        with pytest.raises(TypeError, match="multiple values for keyword argument"):
            scorer(Ridge().fit(X, y), X, y, sample_weight=weight)

    def test_grids_use_it(self):
        X, y = load_diabetes(return_X_y=True)
        scorer = door.scorer("huber", delta=30.0)
        grid = GridSearchCV(Ridge(), {"alpha": [0.01, 100.0]}, scoring=scorer, cv=3)
        copied = clone(grid).fit(X, y)
        assert copied.best_params_ == {"alpha": 0.01}
        assert copied.score(X, y) == -L.huber(copied.predict(X), y, delta=30.0)
        several = cross_validate(
            Ridge(), X, y, cv=2,
            scoring={"huber": scorer, "r2": "r2", "log_cosh": door.scorer("log_cosh")},
        )  # fmt: skip
        assert several["test_huber"].shape == several["test_log_cosh"].shape == (2,)

    def test_weights_are_routed(self):
        X, y = load_diabetes(return_X_y=True)
        weight = np.linspace(0, 1, len(y))
        model = Ridge().fit(X, y)
        wanted = -L.huber(model.predict(X), y, delta=2.0, weight=weight)
        assert door.scorer("huber", delta=2.0)(model, X, y, sample_weight=weight) == wanted
        with config_context(enable_metadata_routing=True):
            scorer = door.scorer("huber", delta=2.0).set_score_request(sample_weight=True)
            ridge = Ridge().set_fit_request(sample_weight=False)
            routed = cross_validate(ridge, X, y, scoring=scorer, params={"sample_weight": weight})
            plain = cross_validate(ridge, X, y, scoring=door.scorer("huber", delta=2.0))
        assert not np.allclose(routed["test_score"], plain["test_score"])

    def test_copies_pickles_and_prints(self):
        scorer = door.scorer("torch.nn.HuberLoss", delta=2.0)
        assert repr(scorer) == "scorer('huber', delta=2.0)"
        for other in (
            copy.deepcopy(scorer),
            clone(scorer, safe=False),
            pickle.loads(pickle.dumps(scorer)),
        ):
            assert repr(other) == repr(scorer)
            assert other.loss is L.huber
        assert repr(door.scorer("focal", response_method="predict_proba")) == (
            "scorer('focal', response_method='predict_proba')"
        )

    def test_forests_have_probabilities_only(self):
        X, y = load_breast_cancer(return_X_y=True)
        forest = RandomForestClassifier(20, min_samples_leaf=5, random_state=0).fit(X[::2], y[::2])
        p = forest.predict_proba(X[1::2]).clip(1e-9, 1 - 1e-9)[:, 1]
        own = door.scorer("binary_cross_entropy")
        assert own._response_method == ["decision_function", "predict_proba"]
        if np.isfinite(score := own(forest, X[1::2], y[1::2])):
            assert score == pytest.approx(
                -L.binary_cross_entropy_from_probability(p, y[1::2] * 1.0)
            )
        with pytest.raises(AttributeError, match="hinge needs decision_function"):
            door.scorer("hinge")(forest, X, y)

    def test_two_processes_and_permutations(self):
        """An asymmetric loss: over-estimates of a high quantile are cheap, also in a worker."""
        X, y = (x[:90] for x in load_diabetes(return_X_y=True))
        scorer = door.scorer("quantile", quantile=0.9)
        predicted = [
            (Ridge().fit(X[train], y[train]).predict(X[test]), y[test])
            for train, test in KFold(3).split(X)
        ]
        wanted = [-L.quantile(p, t, quantile=0.9) for p, t in predicted]
        found = cross_val_score(Ridge(), X, y, scoring=scorer, cv=3, n_jobs=2)
        assert found.tolist() == wanted
        model = Ridge(alpha=1e-3).fit(X, y)
        importance = permutation_importance(
            model, X, y, scoring=scorer, n_repeats=2, random_state=0, n_jobs=2
        )
        assert importance.importances.shape == (10, 2)
        assert importance.importances.max() > 0

    def test_what_cannot_be(self):
        with pytest.raises(KeyError, match="no loss is called"):
            door.scorer("hubris")
        with pytest.raises(TypeError, match="huber has no setting gamma"):
            door.scorer("huber", gamma=2.0)
        with pytest.raises(ValueError, match="must be decision_function"):
            door.scorer("hinge", response_method="predict_proba")
        with pytest.raises(L.ShapeError, match="two classes, the estimator has 3"):
            door.scorer("focal")(self.model.fit(self.X, self.y), self.X, self.y)
        with pytest.raises(L.DomainError, match=r"got .*'rose'.* at index \(1,\)"):
            door.scorer("cross_entropy")(
                self.model.fit(self.X, self.names), self.X[:2], ["setosa", "rose"]
            )


class TestALossItselfAsAMetric:
    """A loss takes (prediction, target), scikit-learn's scorers give (y_true, y_pred)."""

    X, y = (x[:60] for x in load_diabetes(return_X_y=True))

    @pytest.mark.parametrize("loss", [L.quantile, L.huber, L.absolute_error], ids=repr)
    def test_make_scorer_is_refused_with_the_way_out(self, loss):
        settings = {a.name: 0.9 for a in loss.parameters}
        metric = make_scorer(loss, greater_is_better=False, **settings)
        assert repr(metric).startswith(f"make_scorer({loss.name}, greater_is_better=False")
        words = rf"(?s){loss.name} takes \(prediction, target\).*sklearn\.scorer\('{loss.name}'"
        model = Ridge().fit(self.X, self.y)
        grid = GridSearchCV(Ridge(), {"alpha": [1]}, scoring=metric, error_score="raise")
        loud = {"scoring": metric, "error_score": "raise"}
        for call in (
            lambda: metric(model, self.X, self.y),
            lambda: cross_val_score(Ridge(), self.X, self.y, **loud),
            lambda: cross_validate(Ridge(), self.X, self.y, **loud),
            lambda: grid.fit(self.X, self.y),
            lambda: permutation_importance(model, self.X, self.y, scoring=metric),
            lambda: cross_val_score(Ridge(), self.X, self.y, **loud | {"scoring": loss}),
        ):
            with pytest.raises(TypeError, match=words):
                call()

    def test_a_function_around_it_works(self):
        def pinball(y_true, y_pred):
            return L.quantile(y_pred, y_true, quantile=0.9)

        model = Ridge().fit(self.X, self.y)
        found = make_scorer(pinball, greater_is_better=False)(model, self.X, self.y)
        assert found == door.scorer("quantile", quantile=0.9)(model, self.X, self.y)

    def test_distances_of_rows_are_metrics(self):
        found = pairwise_distances(self.X[:4], metric=L.euclidean_distance)
        np.testing.assert_allclose(found, pairwise_distances(self.X[:4]), atol=1e-12)


class TestALossIsAFunctionToItsReaders:
    """``inspect``, ``functools``, ``joblib`` and ``doctest`` read what they read of functions."""

    @pytest.mark.parametrize("name", sorted(L.catalogue))
    def test_its_names_lead_to_it(self, name):
        loss = L.catalogue[name]
        assert (loss.__name__, loss.__qualname__, loss.__module__) == (name, name, "lossary")
        assert getattr(sys.modules[loss.__module__], loss.__name__) is loss
        assert f"def {name}(" in inspect.getsource(loss)
        assert next(iter(inspect.signature(loss).parameters)) == loss.inputs[0].name

    def test_wrappers_and_workers(self, tmp_path):
        @functools.wraps(L.huber)
        def mine(*args, **kwargs):
            return L.huber(*args, **kwargs)

        assert (mine.__name__, mine.__module__) == ("huber", "lossary")
        assert inspect.signature(mine) == inspect.signature(L.huber)
        assert mine.__doc__ == L.huber.__doc__
        work = (joblib.delayed(L.huber)(np.full(2, i), np.zeros(2)) for i in (0.0, 3.0))
        assert joblib.Parallel(n_jobs=2)(work) == [0.0, 2.5]
        kept = joblib.Memory(tmp_path, verbose=0).cache(L.huber)
        assert kept(np.full(2, 3.0), np.zeros(2)) == kept(np.full(2, 3.0), np.zeros(2)) == 2.5
        assert joblib.hash(L.huber) != joblib.hash(L.log_cosh)

    def test_the_examples_of_a_loss_of_ones_own_are_found(self):
        module = types.ModuleType("own_losses")
        source = """
import lossary as L
from lossary.domain import Real

@L.loss(source="a test")
def quartic(prediction: Real, target: Real):
    '''Fourth power.

    >>> quartic([2.0], [0.0])
    16.0
    '''
    return (prediction - target) ** 4
"""
        exec(source, module.__dict__)
        assert module.quartic.__module__ == "own_losses"
        (found,) = [t for t in doctest.DocTestFinder().find(module, globs={}) if t.examples]
        assert found.name == "own_losses.quartic"


@pytest.mark.parametrize(("more", "code"), [([], 0), (["--spoil", "0.01"], 1)])
def test_scikit_learns_own_tests(more, code):
    command = [sys.executable, "-m", "tests.peers.sklearn", "--module", "test_regression", *more]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == code, run.stdout + run.stderr
    assert "passed" in run.stdout
