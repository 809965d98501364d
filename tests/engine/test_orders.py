"""Sums along an order: any order of the rows, ties, masks, long rows, and one's own formulas."""

import math
from typing import Annotated

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library, value_and_slope
from lossary.domain import Logits, Real, Scores, positions
from lossary.functions import (
    beyond,
    class_count,
    class_index,
    cumulate,
    earlier_ties,
    exp,
    log,
    next_above,
    tied,
    total,
)

each_library = pytest.mark.parametrize("library", [Library(n) for n in NAMES], ids=NAMES)


def patients(count=40, seed=0, spread=1.0):
    """Log-hazards, times of which many tie, and who has the event."""
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 8, count).astype(float)
    return rng.normal(size=count) * spread, times, rng.integers(0, 2, count).astype(float)


def moved(arrays, places):
    return [x[places] for x in arrays]


# ------------------------------------------------------------------------------ the order of rows


@pytest.mark.parametrize("name", ["cox", "cox_efron", "listmle", "lovasz_hinge"])
def test_the_order_of_the_rows_does_not_matter(name):
    loss, (x, time, event) = L.catalogue[name], patients()
    data = {"listmle": (x, time), "lovasz_hinge": (x, event)}.get(name, (x, time, event))
    value, slope = loss.value_and_gradient(*data)
    for seed in range(5):
        places = np.random.default_rng(seed).permutation(len(x))
        again, turned = loss.value_and_gradient(*moved(data, places))
        assert abs(again - value) <= 4 * np.spacing(value)
        np.testing.assert_allclose(turned, slope[places], rtol=1e-13, atol=1e-15)


def test_ties_of_breslow_are_all_at_risk_together():
    x, time, event = patients()
    true = math.fsum(
        math.log(math.fsum(math.exp(b) for b, s in zip(x, time, strict=True) if s >= t)) - a
        for a, t, e in zip(x, time, event, strict=True)
        if e
    )
    assert L.cox(x, time, event) == pytest.approx(true, rel=1e-15)


def test_a_member_of_a_list_is_chosen_among_all_that_tie_or_rank_lower():
    score, relevance = np.array([2.0, 0.5, 1.0]), np.array([1.0, 2.0, 1.0])
    rest = np.log(np.exp(2) + np.exp(1))
    true = np.log(np.exp(score).sum()) - 0.5 + 2 * rest - 3
    assert L.listmle(score, relevance) == pytest.approx(true, rel=1e-14)


def test_efron_and_breslow_agree_without_ties_and_differ_with_them():
    x, time, event = patients()
    apart = np.arange(len(x), dtype=float)
    assert L.cox_efron(x, apart, event) == pytest.approx(L.cox(x, apart, event), rel=1e-14)
    assert L.cox_efron(x, time, event) < L.cox(x, time, event)


@each_library
def test_without_an_event_there_is_no_loss(library):
    x, time, event = patients()
    for loss in (L.cox, L.cox_efron):
        given = [library.array(part, "float64") for part in (x, time, 0 * event)]
        with library.wide():
            value, slope = value_and_slope(library, loss, *given)
        assert value == 0
        assert not slope.any()


# -------------------------------------------------------------------------- masks, rows, infinities


@each_library
def test_who_is_masked_is_not_at_risk(library):
    x, time, event = (part.reshape(4, 10) for part in patients())
    keep = np.random.default_rng(3).random((4, 10)) < 0.7
    spoiled = np.where(keep, x, np.nan)
    with library.wide():
        given = [library.array(part, "float64") for part in (spoiled, time, event)]
        mask = library.array(keep, "bool_" if library.name == "numpy" else "bool")
        value, slope = value_and_slope(library, L.cox, *given, mask=mask)
    alone = [L.cox(x[r, keep[r]], time[r, keep[r]], event[r, keep[r]]) for r in range(4)]
    assert value == pytest.approx(np.mean(alone), rel=1e-14)
    assert not slope[~keep].any()
    assert np.isfinite(slope).all()


def test_strata_are_rows():
    x, time, event = (part.reshape(4, 10) for part in patients())
    rows = [L.cox(*row) for row in zip(x, time, event, strict=True)]
    assert L.cox(x, time, event, reduction="sum") == pytest.approx(sum(rows), rel=1e-15)
    turned = L.cox(x.T, time.T, event.T, axis=0, reduction="none")
    np.testing.assert_allclose(turned, rows, rtol=1e-15)


@pytest.mark.parametrize("spread", [1e-3, 30.0, 1e3, 1e300])
@each_library
def test_no_finite_number_overflows(library, spread):
    x, time, event = patients(spread=spread)
    for loss, data in ((L.cox, (x, time, event)), (L.listmle, (x, time))):
        with library.wide():
            given = [library.array(part, "float64") for part in data]
            value, slope = value_and_slope(library, loss, *given)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()
        assert abs(slope.sum()) <= 1e-12 * np.abs(slope).sum()


@each_library
def test_a_long_row_has_few_roundings(library):
    rng = np.random.default_rng(5)
    x, key = rng.random(5000), rng.integers(0, 900, 5000).astype(float)

    @L.loss
    def squares(prediction: Annotated[Real, positions], rank: Annotated[Real, positions]):
        return total(cumulate(prediction, by=rank) * prediction, over=positions)

    order = np.argsort(-key, kind="stable")
    exact = [0.0, *np.cumsum(x[order].astype(np.longdouble))]
    ends = np.searchsorted(-key[order], -key, side="right")
    with library.wide():
        given = [library.array(part, "float64") for part in (x, key)]
        value, slope = value_and_slope(library, squares, *given)
    sums = np.array([float(exact[end]) for end in ends])
    assert value == pytest.approx(math.fsum(sums * x), rel=3e-15)
    below = np.array([float(exact[-1] - exact[start]) for start in
                      np.searchsorted(-key[order], -key, side="left")])  # fmt: skip
    np.testing.assert_allclose(slope, sums + below, rtol=4e-15)


# ----------------------------------------------------------------------------------- one's own loss


def brute(x, key, belongs):
    return np.array([sum(b for b, k in zip(x, key, strict=True) if belongs(k, own)) for own in key])


WORDS = {
    "cumulate": (cumulate, lambda key, own: key >= own),
    "beyond": (beyond, lambda key, own: key > own),
    "tied": (tied, lambda key, own: key == own),
}


@each_library
@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_the_sum_over_its_members(word, library):
    function, belongs = WORDS[word]

    @L.loss
    def squared(prediction: Scores, key: Scores):
        return total(function(prediction, by=key) ** 2) / 2

    rng = np.random.default_rng(1)
    x, key = rng.normal(size=9), rng.integers(0, 4, 9).astype(float)
    sums = brute(x, key, belongs)
    with library.wide():
        given = [library.array(part, "float64") for part in (x, key)]
        value, slope = value_and_slope(library, squared, *given)
        bend = library.plain(squared.hessian(*given))
    assert value == pytest.approx((sums**2).sum() / 2, rel=1e-14)
    back = brute(sums, key, lambda k, own: belongs(own, k))
    np.testing.assert_allclose(slope, back, rtol=1e-12, atol=1e-14)
    ones = brute(np.ones(9), key, lambda k, own: belongs(own, k))
    np.testing.assert_allclose(bend, ones, rtol=1e-14)


def test_earlier_ties_follow_the_row():
    @L.loss
    def places(prediction: Scores, key: Scores):
        return total(prediction * earlier_ties(1, by=key))

    key = np.array([2.0, 1.0, 2.0, 2.0, 1.0])
    np.testing.assert_array_equal(places.gradient(np.zeros(5), key), [0, 0, 1, 2, 1])


def test_a_sum_by_class_index_is_a_running_sum():
    @L.loss
    def running(prediction: Scores):
        return total(cumulate(prediction, by=-class_index()) ** 2)

    x = np.array([[0.5, -1.0, 2.0], [1.0, 1.0, 1.0]])
    np.testing.assert_allclose(
        running(x, reduction="none"), (np.cumsum(x, axis=1) ** 2).sum(axis=1), rtol=1e-15
    )


NEIGHBOURS = [3.0, 1.0, 2.0, 0.0], [2.0, 2.0, 1.0, 5.0], [-4.0, -5.0, -5.0, -6.0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", NEIGHBOURS)
def test_neighbours_are_those_whose_key_is_larger_by_one(name, key):
    @L.loss
    def beside(prediction: Scores, place: Scores):
        return total(prediction**2 * next_above(prediction, by=place))

    library, x = Library(name), np.array([[0.5, -1.0, 2.0, 0.25]])
    place = np.array([key])
    near = place[0, None, :] == place[0, :, None] + 1
    with library.wide():
        given = [library.array(a, "float64") for a in (x, place)]
        found = library.plain(beside(*given)), library.plain(beside.gradient(*given))
    assert float(found[0]) == (x[0] ** 2 * (near @ x[0])).sum()
    slope = 2 * x[0] * (near @ x[0]) + near.T @ x[0] ** 2
    np.testing.assert_array_equal(np.asarray(found[1])[0], slope)
    hessian = beside.hessian(x, place)[0]
    np.testing.assert_array_equal(hessian, 2 * (near @ x[0]))


def test_the_second_derivative_of_squared_steps_is_that_of_both_neighbours():
    @L.loss
    def smooth(prediction: Scores):
        step = next_above(prediction, by=class_index()) - prediction
        return total(step**2, where=class_index() < class_count() - 1)

    assert smooth.hessian([1.0, 3.0, 2.0, 2.0]).tolist() == [2, 4, 4, 2]


def test_neighbours_of_lines_do_not_meet():
    @L.loss
    def across(
        prediction: Annotated[Real, positions],
        column: Annotated[Real, positions],
        line: Annotated[Real, positions],
    ):
        beside = next_above(prediction, by=column, within=line)
        there = next_above(1, by=column, within=line)
        return total(abs(beside - prediction), over=positions, where=there > 0)

    image = np.array([[1.0, 3.0, 2.5], [0.0, 5.0, -1.0]])
    line, column = np.indices(image.shape).astype(float)
    found = across(image, column, line, axis=(0, 1))
    assert found == np.abs(np.diff(image, axis=1)).sum()


def test_an_excluded_member_takes_no_part():
    @L.loss
    def picks(logits: Logits, rank: Scores):
        mass = cumulate(exp(logits), by=rank)
        return total(log(mass))

    value = picks([0.5, -np.inf, 2.0], [3.0, 2.0, 1.0])
    assert value == pytest.approx(0.5 + 0.5 + np.log(np.exp(0.5) + np.exp(2)), rel=1e-15)
    slope = picks.gradient([0.5, -np.inf, 2.0], [3.0, 2.0, 1.0])
    assert np.isfinite(slope).all()
    assert slope[1] == 0


def test_sums_along_two_orders_have_a_gradient_and_no_diagonal():
    @L.loss
    def both(prediction: Scores, first: Scores, second: Scores):
        return total(cumulate(cumulate(prediction**2, by=first) ** 2, by=second) * prediction)

    x = np.array([0.5, -1.0, 2.0, 0.25])
    keys = [3.0, 1.0, 2.0, 0.0], [0.0, 1.0, 5.0, 2.0]
    step = 1e-6 * np.eye(4)
    ends = [(both(x + h, *keys) - both(x - h, *keys)) / 2e-6 for h in step]
    np.testing.assert_allclose(both.gradient(x, *keys), ends, rtol=1e-8)
    with pytest.raises(L.FormulaError, match=r"along two different orders.*\nhint: give both"):
        both.hessian(x, *keys)


def test_no_kernel_goes_along_an_order():
    with L.using(engine="fused"):
        said = L.crps_ensemble.explain(np.zeros((100, 1000)), np.zeros(100))
    assert "no kernel goes along an order yet" in said


def test_a_key_has_to_be_given():
    with pytest.raises(L.FormulaError, match="by"):

        @L.loss
        def nothing(prediction: Scores):
            return total(cumulate(prediction))


def test_rows_of_unknown_length_in_a_graph_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    x, time, event = patients()
    given = [tf.TensorSpec([None], tf.float64)] * 3

    @tf.function(input_signature=given)
    def both(a, t, e):
        with tf.GradientTape() as tape:
            tape.watch(a)
            value = L.cox(a, t, e)
        return value, tape.gradient(value, a)

    true = L.cox.value_and_gradient(x, time, event)
    for count in (40, 7):
        found = both(*(tf.constant(part[:count]) for part in (x, time, event)))
        true = L.cox.value_and_gradient(x[:count], time[:count], event[:count])
        for one, other in zip(found, true, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
