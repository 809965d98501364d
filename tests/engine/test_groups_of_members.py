"""Groups of members in one row: each as if it were alone, whatever its name and place."""

from typing import Annotated

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library, value_and_slope
from lossary.domain import Group, Real, positions
from lossary.functions import cumulate, exp, log, mean, peak, total

each_library = pytest.mark.parametrize("library", [Library(n) for n in NAMES], ids=NAMES)


def flat(count=60, seed=0):
    """Scores, grades of which many tie, who has the event, and groups of unlike lengths."""
    rng = np.random.default_rng(seed)
    score, grade = rng.normal(size=count), rng.integers(0, 4, count).astype(float)
    return score, grade, rng.integers(0, 2, count).astype(float), rng.integers(-3, 5, count)


# A loss by group, the loss of one group, how many of the arrays it takes, how groups go together.
ALONE = {
    "stratified_cox": ("cox", 3, np.sum),
    "stratified_cox_efron": ("cox_efron", 3, np.sum),
    "query_listmle": ("listmle", 2, np.mean),
    "query_ranknet": ("ranknet", 2, np.sum),
}


@each_library
@pytest.mark.parametrize("name", ALONE)
def test_each_group_is_as_if_it_were_alone(name, library):
    alone, count, together = ALONE[name]
    *data, group = flat()
    data = data[:count]
    names = np.unique(group)
    found = [L.catalogue[alone].value_and_gradient(*(x[group == k] for x in data)) for k in names]
    share = 1 if together is np.sum else 1 / len(names)
    with library.wide():
        given = [library.array(x, "float64") for x in (*data, group)]
        value, slope = value_and_slope(library, L.catalogue[name], *given)
    assert value == pytest.approx(together([v for v, _ in found]), rel=1e-14)
    for k, (_, own) in zip(names, found, strict=True):
        np.testing.assert_allclose(slope[group == k], share * own, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ALONE)
def test_names_of_groups_and_the_order_of_members_do_not_matter(name):
    *data, group = flat()
    data, loss = data[: ALONE[name][1]], L.catalogue[name]
    value, slope = loss.value_and_gradient(*data, group)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        places, called = rng.permutation(len(group)), rng.permutation(10**6)[:20]
        again, turned = loss.value_and_gradient(*(x[places] for x in data), called[group][places])
        assert again == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(turned, slope[places], rtol=1e-12, atol=1e-15)


def test_who_is_masked_belongs_to_no_group():
    score, grade, keep, query = flat()
    keep = keep > 0
    spoiled = np.where(keep, score, np.nan)
    for loss in (L.query_listmle, L.query_ranknet):
        found = loss.value_and_gradient(spoiled, grade, query, mask=keep)
        value, slope = loss.value_and_gradient(score[keep], grade[keep], query[keep])
        assert found[0] == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(found[1][keep], slope, rtol=1e-12, atol=1e-16)
        assert not found[1][~keep].any()


def test_names_beyond_what_float32_can_tell_apart_are_different():
    names = 2**40 + np.array([0, 1, 0, 1])
    score = np.float32([0.5, 1.0, -2.0, 3.0])
    grade = np.float32([1, 0, 2, 3])
    apart = L.query_listmle(score, grade, np.array([0, 1, 0, 1]))
    assert L.query_listmle(score, grade, names) == apart


@each_library
def test_the_words_of_a_group(library):
    @L.loss
    def words(
        x: Annotated[Real, positions], y: Annotated[Real, positions], k: Annotated[Group, positions]
    ):
        share = exp(x) / total(exp(x), within=k)
        told = peak(x, within=k) + mean(x, within=k) ** 2 + log(total(exp(x), within=k))
        return total(y * (share + told + cumulate(x, by=y, within=k) ** 2), over=positions)

    x, y, _, k = flat()

    def brute(x):
        found = 0.0
        for name in np.unique(k):
            a, b = x[k == name], y[k == name]
            mass = np.exp(a)
            sums = np.array([a[b >= own].sum() for own in b])
            told = a.max() + a.mean() ** 2 + np.log(mass.sum())
            found += (b * (mass / mass.sum() + told + sums**2)).sum()
        return found

    with library.wide():
        given = [library.array(part, "float64") for part in (x, y, k)]
        value, slope = value_and_slope(library, words, *given)
    assert value == pytest.approx(brute(x), rel=1e-13)
    steps = 1e-6 * np.eye(len(x))
    ends = [(brute(x + h) - brute(x - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(slope, ends, rtol=1e-6, atol=1e-6)


def test_the_diagonal_of_the_second_derivative_is_that_of_each_group():
    score, time, event, stratum = flat()
    bend = L.stratified_cox.hessian(score, time, event, stratum)
    for k in np.unique(stratum):
        own = stratum == k
        alone = L.cox.hessian(score[own], time[own], event[own])
        np.testing.assert_allclose(bend[own], alone, rtol=1e-12)


def test_generalised_dice_of_two_inner_axes():
    rng = np.random.default_rng(1)
    p, t = rng.random((2, 3, 4, 5)), (rng.random((2, 3, 4, 5)) < 0.4).astype(float)
    region = np.broadcast_to(np.arange(3).reshape(-1, 1, 1), p.shape)
    found = L.generalized_dice(p, t, region, axis=(1, 2, 3), reduction="none")
    size = t.sum((2, 3))
    w = 1 / size**2
    both, sizes = (p * t).sum((2, 3)), (p + t).sum((2, 3))
    np.testing.assert_allclose(found, 1 - 2 * (w * both).sum(1) / (w * sizes).sum(1), rtol=1e-13)


def test_a_group_that_is_no_argument_is_refused():
    with pytest.raises(L.FormulaError, match=r"within=3.*\nhint: give within= an argument"):

        @L.loss
        def one(x: Annotated[Real, positions]):
            return total(total(x, within=3), over=positions)


def test_what_is_no_number_names_no_group():
    with pytest.raises(L.DomainError, match="query must be a finite number"):
        L.query_listmle([0.5, 1.0], [1.0, 0.0], [np.nan, 1.0])
