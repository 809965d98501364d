"""Pairs of members of a row: any order of the members, masks, weights, long rows, own formulas."""

import math
from typing import Annotated

import numpy as np
import pytest

import lossary as L
from expressions import FLOATS, interpret
from libraries import NAMES, Library, value_and_slope
from lossary import calculus
from lossary.accuracy.oracle import Meaning
from lossary.domain import NonNegative, Positive, Real, Scores, others, pairs, positions
from lossary.formula import variable
from lossary.functions import (
    cumulate,
    exp,
    held,
    log,
    maximum,
    other,
    peak,
    rank,
    sigmoid,
    softmax,
    sqrt,
    total,
    where,
)

each_library = pytest.mark.parametrize("library", [Library(n) for n in NAMES], ids=NAMES)
RANKINGS = (
    "ranknet", "pairwise_hinge", "pairwise_squared", "pairwise_soft_zero_one", "approx_ndcg",
    "lambdarank", "ndcg_loss2", "ndcg_loss2pp",
)  # fmt: skip
AUC = ("auc_logistic", "auc_squared_hinge", "auc_squared", "approx_mrr")


def listed(name, count=12, seed=0, shape=None):
    """Scores, and grades of which many tie, or targets of two kinds."""
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 2 if name in AUC else 4, shape or count).astype(float)
    return rng.normal(size=shape or count), grades


# ------------------------------------------------------------------------------- the order, masks


@pytest.mark.parametrize("name", RANKINGS + AUC)
def test_the_order_of_the_members_does_not_matter(name):
    loss, (score, grade) = L.catalogue[name], listed(name)
    value, slope = loss.value_and_gradient(score, grade)
    for seed in range(3):
        places = np.random.default_rng(seed).permutation(len(score))
        again, turned = loss.value_and_gradient(score[places], grade[places])
        assert abs(again - value) <= 8 * np.spacing(abs(value))
        np.testing.assert_allclose(turned, slope[places], rtol=1e-12, atol=1e-14)


@each_library
@pytest.mark.parametrize("name", RANKINGS + AUC)
def test_who_is_masked_takes_part_in_no_pair(name, library):
    loss, (score, grade) = L.catalogue[name], listed(name, shape=(4, 9), seed=3)
    keep = np.random.default_rng(4).random((4, 9)) < 0.7
    spoiled = np.where(keep, score, np.nan)
    with library.wide():
        given = [library.array(part, "float64") for part in (spoiled, grade)]
        mask = library.array(keep, "bool_" if library.name == "numpy" else "bool")
        value, slope = value_and_slope(library, loss, *given, mask=mask)
    rows = [loss.value_and_gradient(score[r, keep[r]], grade[r, keep[r]]) for r in range(4)]
    assert value == pytest.approx(np.mean([row for row, _ in rows]), rel=1e-13)
    for r, (_, own) in enumerate(rows):
        np.testing.assert_allclose(slope[r, keep[r]], own / 4, rtol=1e-11, atol=1e-14)
    assert not slope[~keep].any()


def test_the_weight_of_a_pair_is_the_product_of_those_of_its_members():
    score, grade = listed("ranknet")
    weight = np.random.default_rng(1).random(len(score))
    true = math.fsum(
        v * w * math.log1p(math.exp(b - a))
        for a, y, v in zip(score, grade, weight, strict=True)
        for b, z, w in zip(score, grade, weight, strict=True)
        if y > z
    )
    assert L.ranknet(score, grade, position_weight=weight) == pytest.approx(true, rel=1e-14)


def test_a_member_of_weight_two_is_two_members_which_are_a_pair():
    @L.loss
    def closeness(place: Annotated[Real, positions]):
        return total(exp(-((place - other(place)) ** 2)), over=pairs)

    place, weight = listed("ranknet")[0], np.ones(12)
    weight[5] = 2.0
    doubled = closeness(np.append(place, place[5]))
    assert closeness(place, position_weight=weight) == pytest.approx(doubled, rel=1e-14)


def test_a_rank_has_no_weights():
    score, grade = listed("approx_ndcg")
    with pytest.raises(L.DomainError, match=r"no meaning in a rank.*\nhint: leave members out"):
        L.approx_ndcg(score, grade, position_weight=np.ones(12))


@pytest.mark.parametrize("name", RANKINGS + AUC)
def test_rows_are_lists_of_their_own(name):
    loss, (score, grade) = L.catalogue[name], listed(name, shape=(3, 7), seed=5)
    rows = [loss(*row) for row in zip(score, grade, strict=True)]
    np.testing.assert_allclose(loss(score, grade, reduction="none"), rows, rtol=1e-14)
    turned = loss(score.T, grade.T, axis=0, reduction="none")
    np.testing.assert_allclose(turned, rows, rtol=1e-14)


@pytest.mark.parametrize("name", RANKINGS + AUC)
def test_one_member_alone_has_no_pair(name):
    loss = L.catalogue[name]
    value, slope = loss.value_and_gradient([0.5], [1.0])
    alone = {"approx_ndcg": -1.0, "approx_mrr": -1.0}
    assert value == alone.get(name, 0.0)
    assert not slope.any()


@each_library
@pytest.mark.parametrize("spread", [1e-3, 30.0, 1e3, 1e150])
def test_no_score_overflows(library, spread):
    for name in RANKINGS:
        score, grade = listed(name)
        with library.wide():
            given = [library.array(part, "float64") for part in (score * spread, grade)]
            value, slope = value_and_slope(library, L.catalogue[name], *given)
        assert np.isfinite(value) or name == "pairwise_squared"
        assert np.isfinite(slope).all()


@each_library
def test_gains_beyond_the_range_of_numbers(library):
    score, grade = np.array([0.5, -1.0, 2.0]), np.array([1500.0, 1499.0, 0.25])
    with library.wide():
        given = [library.array(part, "float64") for part in (score, grade)]
        for name in ("approx_ndcg", "lambdarank", "ndcg_loss2", "ndcg_loss2pp"):
            value, slope = value_and_slope(library, L.catalogue[name], *given)
            less = L.catalogue[name](score, grade - [1450.0, 1450.0, 0.0])
            assert value == pytest.approx(less, rel=1e-12)
            assert np.isfinite(slope).all()


# --------------------------------------------------------------------------------- derivatives


def one_of(score, relevance):
    """Formulas of all that a sum over pairs may stand in."""
    ranks = 1 + total(sigmoid(other(score) - score), over=others)
    return {
        "both": total(exp(score) * other(score * relevance), over=pairs),
        "of sums": total(relevance / log(1 + ranks)) / total(relevance),
        "of pairs of sums": total((ranks - other(ranks)) ** 2 * other(score), over=pairs),
        "beside softmax": total(softmax(score) * ranks),
        "of softmax": total(softmax(score) * other(softmax(score) * score), over=pairs),
        "of a row": total(sqrt(1 + (other(score) * total(score)) ** 2), over=pairs),
        "of a choice": total(where(score > other(score), ranks * other(score) ** 2, score)
                             * other(relevance), over=pairs),
    }  # fmt: skip


X, Y = variable("x", axes=["positions"]), variable("y", axes=["positions"])


@pytest.mark.parametrize("name", one_of(X, Y))
def test_derivatives_of_sums_over_pairs_are_limits_of_differences(name):
    """Value, gradient and diagonal of the Hessian, evaluated without any text."""
    formula = one_of(X, Y)[name]
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=5), rng.random(5)

    def at(expression, moved):
        found = interpret(expression, {"x": moved[None], "y": y[None]}, FLOATS)
        return np.broadcast_to(found, (1, 5))[0]

    slope = calculus.gradient(formula, X)
    step = 1e-6 * np.eye(5)
    ends = [(at(formula, x + h)[0] - at(formula, x - h)[0]) / 2e-6 for h in step]
    np.testing.assert_allclose(at(slope, x), ends, rtol=2e-8, atol=1e-8)
    if name == "of pairs of sums":  # three sums over members follow one another
        with pytest.raises(L.FormulaError, match="three sums over members"):
            calculus.diagonal_hessian(formula, X)
        return
    bend = calculus.diagonal_hessian(formula, X)
    ends = [(at(slope, x + h)[k] - at(slope, x - h)[k]) / 2e-6 for k, h in enumerate(step)]
    np.testing.assert_allclose(at(bend, x), ends, rtol=2e-8, atol=1e-8)


def test_what_is_held_of_a_pair_has_no_derivative():
    weight = held(X * other(X * Y))
    slope = calculus.gradient(total(weight * other(X) * Y, over=pairs), X)
    assert calculus.diagonal_hessian(total(weight * other(X) * Y, over=pairs), X) is calculus.ZERO
    x, y = np.array([[0.5, -2.0, 3.0]]), np.array([[1.0, 0.25, 0.75]])
    held_fast = (x.T @ (x * y)) * y.T * (1 - np.eye(3))
    np.testing.assert_allclose(
        interpret(slope, {"x": x, "y": y}, FLOATS)[0], held_fast.sum(axis=0), rtol=1e-14
    )


def test_a_sum_over_pairs_and_one_along_an_order_have_a_gradient_and_no_diagonal():
    @L.loss
    def mixed(score: Scores, key: Scores):
        near = total(exp(-((score - other(score)) ** 2)), over=others)
        return total(cumulate(near * score, by=key) ** 2)

    x, key = np.array([0.5, -1.0, 2.0, 0.25]), np.array([3.0, 1.0, 2.0, 0.0])
    step = 1e-6 * np.eye(4)
    ends = [(mixed(x + h, key) - mixed(x - h, key)) / 2e-6 for h in step]
    np.testing.assert_allclose(mixed.gradient(x, key), ends, rtol=1e-7)
    with pytest.raises(L.FormulaError, match=r"over pairs and one along an order.*\nhint: ask"):
        mixed.hessian(x, key)


def test_the_oracle_pairs_no_member_with_itself():
    @L.loss
    def spread(place: Annotated[Real, positions]):
        return total(exp(place - other(place)), over=pairs)

    place = [0.5, -1.0, 3.0]
    true = math.fsum(math.exp(a - b) for a in place for b in place) - 3
    assert float(Meaning.of(spread).value({"place": place})) == pytest.approx(true, rel=1e-14)


@each_library
def test_a_formula_of_ones_own(library):
    """The energy of a set of points on a line, with a parameter that has a gradient too."""

    @L.loss
    def energy(place: Annotated[Real, positions], *, width: Positive = 1.0):
        return total(log(1 + ((place - other(place)) / width) ** 2), over=pairs) / 2

    place = np.array([0.5, -1.0, 3.0, 0.25])
    gaps = (place[:, None] - place) / 2.0
    with library.wide():
        value, slope = value_and_slope(library, energy, library.array(place, "float64"), width=2.0)
        bend = library.plain(energy.hessian(library.array(place, "float64"), width=2.0))
    assert value == pytest.approx(np.log1p(gaps**2).sum() / 2, rel=1e-14)
    np.testing.assert_allclose(slope, (gaps / (1 + gaps**2)).sum(axis=1), rtol=1e-13)
    curved = (1 - gaps**2) / (1 + gaps**2) ** 2 / 2
    np.testing.assert_allclose(bend, curved.sum(axis=1) - 0.5, rtol=1e-12)


def test_pairs_go_along_the_class_axis_too():
    """The energy form of the CRPS of an ensemble (Gneiting and Raftery 2007, eq. 21)."""

    @L.loss
    def energy_score(members: Scores, target: Real):
        size = 1.0 * total(where(members < math.inf, 1, 1))
        apart = total(abs(members - other(members)), over=pairs)
        return total(abs(members - target)) / size - apart / (2 * size**2)

    rng = np.random.default_rng(0)
    members, target = rng.normal(size=(4, 6)), rng.normal(size=4)
    np.testing.assert_allclose(
        energy_score(members, target), L.crps_ensemble(members, target), rtol=1e-13
    )


def test_ranks_count_from_the_largest_and_ties_stand_as_in_the_row():
    @L.loss
    def places(weight: Scores, key: Scores):
        return total(weight * rank(key))

    key = np.array([2.0, 1.0, 2.0, 5.0, 1.0])
    np.testing.assert_array_equal(places.gradient(np.zeros(5), key), [2, 4, 3, 1, 5])


def test_what_the_change_of_ndcg_is_held_for():
    """The gradient is that of RankNet with a weight for each pair: none by the relevance."""
    score, grade = listed("lambdarank")
    assert not L.lambdarank.gradient(score, grade, wrt="relevance").any()
    ideal = sum((2**y - 1) / math.log(1 + k) for k, y in enumerate(sorted(grade)[::-1], 1))
    place = 1 + np.argsort(np.argsort(-score))
    gains, discounts = 2**grade, 1 / np.log(1 + place)
    change = np.abs(np.subtract.outer(gains, gains) * np.subtract.outer(discounts, discounts))
    pull = change / ideal / (1 + np.exp(np.subtract.outer(score, score)))
    pull *= np.greater.outer(grade, grade)
    np.testing.assert_allclose(
        L.lambdarank.gradient(score, grade), pull.sum(axis=0) - pull.sum(axis=1), rtol=1e-12
    )


def test_approx_ndcg_is_minus_ndcg_where_it_is_cold():
    score, grade = listed("approx_ndcg", count=30)
    order = np.argsort(-score)
    discounts = 1 / np.log2(2 + np.arange(30))
    gains = 2**grade - 1
    true = (gains[order] * discounts).sum() / (np.sort(gains)[::-1] * discounts).sum()
    assert L.approx_ndcg(score, grade, temperature=1e-6) == pytest.approx(-true, rel=1e-13)


# ------------------------------------------------------------------------------------- refusals


def refused(formula):
    with pytest.raises(L.FormulaError) as caught:
        L.loss(formula)
    return str(caught.value)


def test_what_is_no_pair_is_refused_with_the_line():
    def nothing(score: Annotated[Real, positions]):
        return total(score**2, over=pairs)

    def twice(score: Annotated[Real, positions]):
        return total(other(other(score)), over=pairs)

    def number(score: Annotated[Real, positions], *, margin: NonNegative = 1.0):
        return total(score - other(margin), over=pairs)

    def half(score: Annotated[Real, positions]):
        return total(score - other(score), over=positions)

    def largest(score: Annotated[Real, positions]):
        return peak(score - other(score))

    def sorted_pairs(score: Annotated[Real, positions]):
        return total(cumulate(score - other(score), by=score))

    def normed(score: Annotated[Real, positions]):
        return total(softmax(maximum(score, other(score))))

    said = {f.__name__: refused(f) for f in (nothing, twice, number, half, largest, sorted_pairs)}
    assert "no other member has a part" in said["nothing"]
    assert "belongs to a pair already" in said["twice"]
    assert "the same for all members" in said["number"]
    for name in ("half", "largest", "sorted_pairs"):
        assert "belongs to pairs" in said[name]
        assert "hint: sum over the other members first" in said[name]
    assert "softmax of" in refused(normed)
    assert all("test_pairs_of_members.py" in text for text in said.values())


def test_no_kernel_goes_over_pairs():
    @L.loss
    def spread(members: Scores):
        return total((members - other(members)) ** 2, over=pairs)

    with L.using(engine="fused"):
        assert "no kernel goes over pairs yet" in spread.explain(np.zeros((100, 1000)))


def test_rows_of_unknown_length_in_a_graph_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    given = [tf.TensorSpec([None], tf.float64)] * 2

    @tf.function(input_signature=given)
    def both(score, grade):
        with tf.GradientTape() as tape:
            tape.watch(score)
            value = L.approx_ndcg(score, grade)
        return value, tape.gradient(value, score)

    score, grade = listed("approx_ndcg", count=40)
    for count in (40, 7):
        found = both(*(tf.constant(part[:count]) for part in (score, grade)))
        true = L.approx_ndcg.value_and_gradient(score[:count], grade[:count])
        for one, one_true in zip(found, true, strict=True):
            np.testing.assert_allclose(one, one_true, rtol=1e-12, atol=1e-15)
