"""Losses that boosters brought along: value and derivatives against arbitrary precision."""

import itertools

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="lossary.boosters needs the extra boosters")
pytest.importorskip("mpmath", reason="it is what the losses are compared with")

import mpmath as mp

from lossary.boosters.definitions import LOSSES
from lossary.boosters.objective import Objective


def between(score, lower, upper):
    """Probability of a standard logistic variable, moved by the score, between two cuts."""
    below, above = (1 / (1 + mp.exp(score - cut)) for cut in (lower, upper))
    return above - below


ROUNDING = 1e-15
"""An error that is allowed where terms of about 1 cancel, as at the zero of a slope."""
MARGINS = (-30.0, -3.0, -0.5, 1e-3, 0.75, 4.0, 30.0)
FORMULAS = {
    "half_squared_log_error": (
        (-0.9, 1e-3, 0.75, 300.0), (-0.5, 0.1, 4.0), {},
        lambda f, y: mp.log((1 + f) / (1 + y)) ** 2 / 2,
    ),
    "cumulative_link": (
        MARGINS, ((-1.0, 0.5), (0.5, 0.75), (-mp.inf, -1.0), (2.0, mp.inf)), {},
        lambda f, cuts: -mp.log(between(f, *cuts)),
    ),
}  # fmt: skip


def test_every_loss_of_the_boosters_is_tested():
    assert FORMULAS.keys() == LOSSES.keys()


@pytest.mark.parametrize("name", FORMULAS)
def test_value_and_derivatives_agree_with_the_formula(name):
    margins, targets, settings, formula = FORMULAS[name]
    loss = LOSSES[name]
    points = list(itertools.product(margins, targets))
    f = np.array([margin for margin, _ in points])
    data = np.array([target for _, target in points], dtype=float)
    rest = tuple(data.T) if data.ndim == 2 else (data,)
    with mp.workdps(60):
        exact = [
            [mp.diff(lambda x, y=y: formula(x, exactly(y)), mp.mpf(x), order) for x, y in points]
            for order in (0, 1, 2)
        ]
        found = (
            loss(f, *rest, reduction="none", **settings),
            *loss.gradient_and_hessian(f, *rest, reduction="none", **settings),
        )
        for computed, wanted in zip(found, exact, strict=True):
            for x, y, point in zip(computed, wanted, points, strict=True):
                assert mp.almosteq(mp.mpf(float(x)), y, 2e-14, ROUNDING), (point, x, y)


def exactly(y):
    return tuple(map(mp.mpf, y)) if isinstance(y, tuple) else mp.mpf(y)


def test_expectiles_balance_excess_and_shortfall():
    y = np.random.default_rng(0).gamma(2.0, size=500)
    best = Objective("expectile", expectile=0.8).start(y)[0]
    excess, short = np.maximum(y - best, 0).sum(), np.maximum(best - y, 0).sum()
    assert 0.8 * excess == pytest.approx(0.2 * short, rel=1e-9)


def test_a_weight_is_a_number_of_rows_for_grades():
    grades, weight = np.array([0, 1, 2, 1]), np.array([1, 3, 2, 1])
    margin, twice = np.array([0.3, -1.0, 0.5, 2.0]), np.repeat(np.arange(4), weight)
    weighted, plain = Objective("cumulative_link"), Objective("cumulative_link")
    weighted.prepare(grades, weight)
    plain.prepare(grades[twice])
    assert weighted.rule.thresholds == pytest.approx(plain.rule.thresholds, rel=1e-12)
    found = weighted.derivatives(margin, grades, weight.astype(float))
    for once, each in zip(found, plain.derivatives(margin[twice], grades[twice]), strict=True):
        np.testing.assert_allclose(once, np.bincount(twice, each), rtol=1e-6)


def test_thresholds_give_every_grade_its_share():
    objective, grades = Objective("cumulative_link"), np.repeat([0, 1, 2], [20, 50, 30])
    objective.prepare(grades)
    share = objective.inverse(np.zeros(4))
    np.testing.assert_allclose(share, np.tile([0.2, 0.5, 0.3], (4, 1)), rtol=1e-12)
