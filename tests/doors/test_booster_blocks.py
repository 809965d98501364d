"""CatBoost's blocks of rows: straight to machine code, with the numbers of the long road."""

from typing import Any

import numpy as np
import pytest

import lossary as L
from lossary.errors import DomainError

pytestmark = pytest.mark.usefixtures("recipes_at_once")

pytest.importorskip("numba", reason="recipes are compiled by Numba")
pytest.importorskip("catboost")

ROWS = 1000
rng = np.random.default_rng(0)
MARGIN = rng.normal(size=ROWS)
LABELS = {
    "binary_cross_entropy": (rng.random(ROWS) < 0.5).astype(np.float32),
    "huber": rng.normal(size=ROWS).astype(np.float32),
    "poisson": rng.poisson(2.0, ROWS).astype(np.float32),
}
SETTINGS = {"huber": {"delta": 0.7}}


def objective_of(name, weight) -> Any:
    """Return an objective whose machine code is there."""
    objective: Any = L.boosters.catboost(name, **SETTINGS.get(name, {}))
    assert objective._blocks.fill((MARGIN, LABELS[name]), weight, np.empty((2, ROWS)), -1.0)
    return objective


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LABELS)
def test_a_block_is_what_the_long_road_returns(name, weighted):
    weight = rng.random(ROWS).astype(np.float32) if weighted else None
    objective = objective_of(name, weight)
    found = objective.calc_ders_range(MARGIN, LABELS[name], weight)
    out = np.empty(ROWS), np.empty(ROWS)
    with L.using(engine="array"):
        assert not objective._blocks.fill((MARGIN, LABELS[name]), weight, np.empty((2, ROWS)), -1.0)
        objective.derivatives(MARGIN, LABELS[name], weight, out=out)
    np.testing.assert_allclose(found, -np.stack(out, axis=1), rtol=1e-13, atol=1e-300)


def test_what_machine_code_cannot_read_goes_the_long_road():
    objective = objective_of("huber", None)
    twice = np.repeat(MARGIN, 2)[::2], np.repeat(LABELS["huber"], 2)[::2]
    assert not objective._blocks.fill(twice, None, np.empty((2, ROWS)), -1.0)
    plain = objective.calc_ders_range(MARGIN, LABELS["huber"], None)
    np.testing.assert_allclose(objective.calc_ders_range(*twice, None), plain, rtol=1e-13)


def test_a_label_outside_its_set_is_named():
    objective = objective_of("binary_cross_entropy", None)
    labels = LABELS["binary_cross_entropy"].copy()
    labels[17] = 3.0
    with pytest.raises(DomainError, match=r"target must be .* got 3\.0 at index \(17,\)"):
        objective.calc_ders_range(MARGIN, labels, None)


def test_what_is_no_derivative_has_no_blocks():
    for name, settings in {
        "absolute_error": {"curvature": "majorise"},
        "binary_cross_entropy": {"floor": 0.1},
        "hinge": {"floor": 0.1},
        "negative_binomial": {},
    }.items():
        assert L.boosters.catboost(name, **settings)._blocks is None
