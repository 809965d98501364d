"""Scores of ensembles of vectors: all pairs, of members or of coordinates, against the papers."""

import mpmath
import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.domain import Embedding, Positive, Real
from lossary.functions import absolute, total

BATCH, MEMBERS, WIDTH = 3, 5, 4
SCORES = ("energy_score", "fair_energy_score", "variogram_score")


def forecasts(seed=0, members=MEMBERS):
    rng = np.random.default_rng(seed)
    shape = BATCH, members, WIDTH
    return rng.normal(size=shape), rng.normal(size=(BATCH, WIDTH))


def score(name):
    return L.catalogue[name.removeprefix("fair_")], {"fair": True} if "fair" in name else {}


def apart(x, y):
    return mpmath.sqrt(mpmath.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)))


def energy(members, target, fair=False):
    """Gneiting and Raftery 2007, eq. 22, for the distribution of an ensemble; fair: Ferro 2014."""
    count = len(members)
    missed = mpmath.fsum(apart(x, target) for x in members) / count
    spread = mpmath.fsum(apart(x, y) for x in members for y in members)
    return missed - spread / (2 * count * (count - 1 if fair else count))


def variogram(members, target, power=0.5):
    """Scheuerer and Hamill 2015, eq. 3, with all weights 1."""
    places, p = range(len(target)), mpmath.mpf(power)
    return mpmath.fsum(
        (
            abs(target[k] - target[m]) ** p
            - mpmath.fsum(abs(x[k] - x[m]) ** p for x in members) / len(members)
        )
        ** 2
        for k in places
        for m in places
    )


TRUTHS = {
    "energy_score": energy,
    "fair_energy_score": lambda x, y: energy(x, y, fair=True),
    "variogram_score": variogram,
}


def exact(x):
    return [exact(y) for y in x] if np.ndim(x) else mpmath.mpf(float(x))


def truths(name, members, target, share=1):
    """The mean over ensembles, and its slope in the first number of each, by differences."""
    with mpmath.workdps(60):
        means, step = TRUTHS[name], mpmath.mpf(10) ** -25
        value = mpmath.mpf(0)
        slopes = []
        for x, y in zip(exact(members), exact(target), strict=True):
            value += means(x, y) / len(members)
            sides = []
            for move in (step, -step):
                moved = [[x[0][0] + move, *x[0][1:]], *x[1:]]
                sides.append(means(moved, y))
            slopes.append((sides[0] - sides[1]) / (2 * step) / len(members))
        return value, slopes


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", SCORES)
def test_the_score_is_that_of_the_papers(which, name):
    library, (loss, options) = Library(name), score(which)
    for seed in range(3):
        members, target = forecasts(seed)
        value, slopes = truths(which, members, target)
        with library.wide():
            held = library.array(members, "float64"), library.array(target, "float64")
            alone = L.ensembles.value(loss, *held, **options)
            found, slope = L.ensembles.value_and_gradient(loss, *held, **options)
            alone, found, slope = map(library.plain, (alone, found, slope))
        assert ulps(float(alone), value, FORMATS["float64"]) <= 16
        assert ulps(float(found), value, FORMATS["float64"]) <= 16
        for row, truth in zip(slope, slopes, strict=True):
            assert ulps(float(row[0, 0]), truth, FORMATS["float64"]) <= 64


def test_the_scores_of_scoringrules():
    """Version 0.10.0: es_ensemble by estimator nrg (the default) and fair, and vs_ensemble."""
    members, target = [[0.1, 0.3], [0.4, -0.2], [0.9, 0.0]], [0.5, 0.2]
    assert round(float(L.ensembles.value(L.energy_score, members, target)), 9) == 0.204388013
    fair = L.ensembles.value(L.energy_score, members, target, fair=True)
    assert float(fair) == pytest.approx(0.09460956608620785, rel=1e-14)
    found = L.ensembles.value(L.variogram_score, members, target)
    assert round(float(found), 10) == 0.0617939099


@pytest.mark.parametrize("name", [n for n in NAMES if n != "numpy"])
@pytest.mark.parametrize("which", SCORES)
def test_a_library_differentiates_it(which, name):
    library, (loss, options) = Library(name), score(which)
    members, target = forecasts()
    truth = L.ensembles.value_and_gradient(loss, members, target, **options)
    with library.wide():
        still = library.array(target, "float64")
        found = library.slope(
            lambda x: L.ensembles.value(loss, x, still, block=2, **options),
            library.array(members, "float64"),
        )
        found = [library.plain(x) for x in found]
    for ours, theirs in zip(found, truth, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_in_a_graph(name):
    library, (members, target) = Library(name), forecasts()
    function = library.compiled(lambda x, y: L.ensembles.value(L.energy_score, x, y))
    found = function(library.array(members), library.array(target))
    truth = L.ensembles.value(L.energy_score, members, target)
    assert library.plain(found) == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("which", SCORES)
def test_blocks_are_all_pairs_at_once(which):
    (loss, options), (members, target) = score(which), forecasts()
    whole = L.ensembles.value_and_gradient(loss, members, target, block=99, **options)
    for block in (1, 2, 3):
        parts = L.ensembles.value_and_gradient(loss, members, target, block=block, **options)
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", SCORES)
def test_a_masked_member_is_none(which, name):
    """Whatever is stored there, and each ensemble with as many as it has."""
    library, (loss, options) = Library(name), score(which)
    members, target = forecasts()
    keep = np.array([[1, 1, 1, 0, 1], [1, 1, 1, 1, 1], [0, 1, 1, 0, 1]], bool)
    truth = [
        L.ensembles.value_and_gradient(loss, x[k], y, **options)
        for x, k, y in zip(members, keep, target, strict=True)
    ]
    members[~keep] = np.nan
    with library.wide():
        held = library.array(members, "float64"), library.array(target, "float64")
        mask = library.array(keep, "bool")
        found, slope = L.ensembles.value_and_gradient(loss, *held, mask=mask, **options)
        found, slope = library.plain(found), library.plain(slope)
    np.testing.assert_allclose(found, np.mean([v for v, _ in truth]), rtol=1e-13)
    for row, kept, (_, theirs) in zip(slope, keep, truth, strict=True):
        np.testing.assert_allclose(row[kept], theirs / BATCH, rtol=1e-12, atol=1e-15)
        assert not row[~kept].any()


@pytest.mark.parametrize("which", SCORES)
def test_a_weight_multiplies_the_score_of_an_ensemble(which):
    (loss, options), (members, target) = score(which), forecasts()
    each = [L.ensembles.value(loss, x, y, **options) for x, y in zip(members, target, strict=True)]
    weight = np.array([2.0, 0.0, 0.5])
    found = L.ensembles.value(loss, members, target, weight=weight, **options)
    np.testing.assert_allclose(found, weight @ each / weight.sum(), rtol=1e-13)
    found = L.ensembles.value(loss, members, target, weight=weight, reduction="sum", **options)
    np.testing.assert_allclose(found, weight @ each, rtol=1e-13)


def test_an_ensemble_without_a_pair_does_not_count():
    members, target = forecasts()
    keep = np.array([[1, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
    found = L.ensembles.value(L.energy_score, members, target, mask=keep, fair=True)
    truth = L.ensembles.value(L.energy_score, members[1], target[1], fair=True)
    np.testing.assert_allclose(found, truth, rtol=1e-14)
    with pytest.raises(L.DomainError, match="no ensemble counts"):
        L.ensembles.value(L.energy_score, members, target, mask=np.zeros_like(keep))


def test_of_numbers_it_is_the_score_of_an_ensemble_of_numbers():
    members, target = forecasts()
    for which, loss in ({"fair": False}, L.crps_ensemble), ({"fair": True}, L.fair_crps_ensemble):
        found = L.ensembles.value(L.energy_score, members[..., :1], target[..., :1], **which)
        np.testing.assert_allclose(found, loss(members[..., 0], target[..., 0]), rtol=1e-13)


@L.loss
def manhattan_energy(draw: Embedding, other_draw: Embedding, target: Embedding):
    """An energy score of another distance."""
    missed = total(absolute(draw - target)) + total(absolute(other_draw - target))
    return (missed - total(absolute(draw - other_draw))) / 2


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_of_ones_own(name):
    """Of absolute differences it is the sum of the scores of the coordinates."""
    library, (members, target) = Library(name), forecasts()
    truth = L.crps_ensemble(members, target, axis=1, reduction="sum") / BATCH
    with library.wide():
        held = library.array(members, "float64"), library.array(target, "float64")
        found, slope = L.ensembles.value_and_gradient(manhattan_energy, *held)
        found, slope = library.plain(found), library.plain(slope)
    np.testing.assert_allclose(found, truth, rtol=1e-13)
    theirs = L.crps_ensemble.gradient(members, target, axis=1, reduction="sum") / BATCH
    np.testing.assert_allclose(slope, theirs, rtol=1e-12, atol=1e-15)


def test_a_batch_of_half_precision_is_computed_in_more():
    torch = pytest.importorskip("torch")
    members, target = (torch.tensor(x).to(torch.bfloat16) for x in forecasts())
    value, slope = L.ensembles.value_and_gradient(L.energy_score, members, target)
    wide = L.ensembles.value(L.energy_score, members.double().numpy(), target.double().numpy())
    assert (value.dtype, slope.dtype) == (torch.float32, torch.bfloat16)
    assert value.item() == pytest.approx(wide, rel=1e-6)


@pytest.mark.parametrize(
    ("error", "words", "loss", "shapes", "options"),
    [
        (L.FormulaError, "huber takes prediction, target", L.huber, ((2, 2), (2,)), {}),
        (L.FormulaError, "of two coordinates", L.variogram_score, ((2, 2), (2,)), {"fair": True}),
        (L.ShapeError, "and there is one", L.energy_score, ((1, 2), (2,)), {"fair": True}),
        (L.ShapeError, r"target must have shape \(3,\)", L.energy_score, ((2, 3), (2,)), {}),
        (L.ShapeError, r"\(\.\.\., members, coordinates\)", L.energy_score, ((2,), (2,)), {}),
        (L.DomainError, "reduction must be", L.energy_score, ((2, 2), (2,)), {"reduction": "none"}),
        (L.ShapeError, r"mask must have shape \(2,\)", L.energy_score, ((2, 3), (3,)),
         {"mask": np.ones(3, bool)}),
        (L.DtypeError, "mask must be True", L.energy_score, ((2, 3), (3,)), {"mask": [0.5, 1.0]}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(error, words, loss, shapes, options):
    with pytest.raises(error, match=words):
        L.ensembles.value(loss, *map(np.ones, shapes), **options)


@L.loss
def root(x: Real, y: Real, *, power: Positive = 0.5):
    """A root of a distance."""
    return absolute(x - y) ** power


def test_a_root_of_a_distance_has_slope_0_at_0():
    slope = root.gradient([1.0, 5.0, -3.0], [1.0, 1.0, 1.0], reduction="sum")
    np.testing.assert_array_equal(slope, [0.0, 0.25, -0.25])
