"""Boosters: a loss trains the same model as the host's own objective, within the bounds told."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")

import lossary as L
from booster_models import CASES, LABELS, ROWS, WEIGHT, margins_of_both
from lossary.boosters.definitions import LOSSES
from lossary.boosters.lists import LISTS
from lossary.lookup import built_ins

MATCHED = [row for row in built_ins() if not isinstance(row.same, str)]
weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


@weighted
@pytest.mark.parametrize("row", MATCHED, ids=lambda row: f"{row.host}.{row.name}")
def test_the_model_is_that_of_the_built_in(row, weight):
    """The bounds are those of objectives.toml, which docs/boosters.md shows."""
    ours, own = margins_of_both(row, weight)
    assert np.ptp(own) > 0.1
    np.testing.assert_allclose(ours, own, atol=row.same, rtol=0)


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
