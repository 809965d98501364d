"""Boxes, entries at fixed places and declared constants: what no other set and word has."""

import mpmath
import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.domain import Logits, Scores
from lossary.functions import held, pick, total
from samples import those

each_box_loss = those(
    lambda loss: loss.inputs[0].domain.name == "Box" and "mean_size" not in loss.domains
)
each_turned_loss = those(lambda loss: loss.inputs[0].domain.name == "RotatedBox")
UNIT = [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_box_is_refused_at_its_place(name):
    library = Library(name)
    with library.wide():
        wrong = library.array([UNIT, [0.0, 2.0, 1.0, 1.5]], "float64")
        right = library.array([UNIT, UNIT], "float64")
        with pytest.raises(L.DomainError) as caught:
            L.iou(wrong, right)
    assert str(caught.value) == (
        "iou: prediction must be the finite corners x1, y1, x2, y2 of a box, x1 <= x2 and y1 <= y2,"
        " got y1 = 2 above y2 = 1.5 at index (1,); a corner or centre with a size gives two "
        "corners; of two corners the smaller one is first"
    )


def test_a_kernel_and_a_recipe_refuse_what_is_no_box():
    pytest.importorskip("numba")
    right, wrong = np.tile(UNIT, (8, 1)), np.tile(UNIT, (8, 1))
    wrong[5, 2] = -1.0
    with L.using(engine="fused"):
        assert L.iou(right, right) == 0
        with pytest.raises(L.DomainError, match=r"x1 = 0 above x2 = -1 at index \(5,\)"):
            L.iou(right, wrong)
    for _ in range(20):  # a recipe is made on the way
        assert L.iou(right, right) == 0
    for _ in range(20):
        with pytest.raises(L.DomainError):
            L.iou(right, wrong)


@pytest.mark.parametrize("length", [1, 3, 5])
def test_a_row_of_another_length_is_no_box(length):
    rows = np.zeros((3, length))
    for _ in range(20):
        with pytest.raises(L.ShapeError, match=r"must have 4 numbers along axis -1, x1, y1, x2"):
            L.iou(rows, rows)
    assert L.iou(np.zeros((4, 3)), np.zeros((4, 3)), axis=0) == 0


def test_a_number_is_no_box():
    with pytest.raises(L.ShapeError, match="target must be the finite corners"):
        L.iou([UNIT], 1.0)


@L.loss
def third(logits: Logits, target: Scores):
    """Multiply the third entry with all others."""
    return pick(logits, 2) * total(target * held(logits))


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_at_a_fixed_place_and_what_is_held(name):
    library = Library(name)
    with library.wide():
        x = library.array([[1.0, 2.0, 3.0]], "float64")
        assert float(library.plain(third(x, x))) == 42
        gradient = library.plain(third.gradient(x, x))
    assert np.asarray(gradient).tolist() == [[0.0, 0.0, 14.0]]


def test_a_row_without_the_entry_is_refused():
    for _ in range(20):
        with pytest.raises(L.ShapeError, match="logits must have at least 3 numbers along axis -1"):
            third(np.ones((1, 2)), np.ones((1, 2)))


@pytest.mark.parametrize("place", [-1, 0.5, True, "x"])
def test_a_place_is_counted_from_0(place):
    with pytest.raises(L.FormulaError, match="a place counted from 0"):

        @L.loss
        def wrong(logits: Logits, target: Scores):
            return pick(logits, place) * pick(target, 0)


@each_box_loss
def test_boxes_without_area_are_alike_or_not(loss):
    point, line = [1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 3.0, 1.0]
    for box in (point, line):
        assert loss([box], [box]) == 0
        assert not loss.gradient([box], [box]).any()
    for one, other in ((point, line), (line, point), (point, UNIT), (line, [0.0, 0.0, 0.0, 2.0])):
        apart = loss([one], [other])
        assert apart >= 1 or loss.name == "focal_efficient_iou"
        assert not np.isnan(loss.gradient([one], [other])).any()


@each_box_loss
def test_the_unit_of_length_does_not_matter(loss):
    """No epsilon: an epsilon has a unit."""
    one, other = np.array([[0.0, 0.0, 4.0, 3.0]]), np.array([[1.0, 0.5, 5.0, 4.0]])
    for unit in (2.0**-900, 2.0**-30, 2.0**900, 2.0**1020):
        assert loss(one * unit, other * unit) == loss(one, other)


def test_the_angle_between_two_aspect_ratios_keeps_its_digits():
    tall, other = [0.0, 0.0, 1.0, 3.0], [0.0, 0.0, 1.0 + 2**-40, 3.0]
    found = float(L.complete_iou([tall], [other]))
    with mpmath.workdps(50):
        width = mpmath.mpf(1) + mpmath.mpf(2) ** -40
        v = 4 / mpmath.pi**2 * (mpmath.atan(width / 3) - mpmath.atan(mpmath.mpf(1) / 3)) ** 2
        gap, shift = 1 - 1 / width, ((width - 1) / 2) ** 2 / (width**2 + 9)
        assert ulps(found, gap + shift + v * v / (gap + v), FORMATS["float64"]) <= 4


# -------------------------------------------------------------------------- boxes with angles


@each_turned_loss
def test_a_box_with_an_angle_is_the_same_by_other_numbers(loss):
    """Half a turn, sides exchanged with a quarter turn, and the sign of a side change nothing."""
    other = [0.5, -1.0, 3.0, 2.0, -0.25]
    box, turn = [0.0, 0.0, 4.0, 1.0, 0.5], np.pi
    expected = float(loss([box], [other]))
    for same in (
        [0.0, 0.0, 4.0, 1.0, 0.5 + turn],
        [0.0, 0.0, 1.0, 4.0, 0.5 - turn / 2],
        [0.0, 0.0, -4.0, 1.0, 0.5],
    ):
        assert float(loss([same], [other])) == pytest.approx(expected, rel=1e-14)


@each_turned_loss
def test_boxes_with_angles_keep_their_digits_where_they_nearly_agree(loss):
    """Of sides that differ by 2^-30 the paper's determinants have none left."""
    step, thin = mpmath.mpf(2) ** -30, 2.0**-20
    found = float(loss([[0.0, 0.0, 1.0 + 2.0**-30, thin, 0.7]], [[0.0, 0.0, 1.0, thin, 0.7]]))
    with mpmath.workdps(60):
        ratio = (2 + 2 * step + step**2) / (2 + 2 * step)  # of mean and geometric mean of squares
        true = mpmath.log(ratio) / 2
        true = true if loss.name == "log_prob_iou" else mpmath.sqrt(1 - mpmath.exp(-true))
        assert ulps(found, true, FORMATS["float64"]) <= 4


@each_turned_loss
def test_boxes_with_angles_without_area_are_alike_or_not(loss):
    line, box = [0.0, 0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 1.0, 0.0]
    assert loss([line], [line]) == 0
    assert loss([line], [box]) == (1 if loss.name == "prob_iou" else np.inf)
    for one, other in ((line, line), (line, box), (box, line), (box, box)):
        assert not np.isnan(loss.gradient([one], [other])).any()


@each_turned_loss
def test_the_unit_of_length_of_boxes_with_angles_does_not_matter(loss):
    one, other = np.array([[0.0, 0.0, 4.0, 3.0, 0.5]]), np.array([[1.0, 0.5, 5.0, 4.0, 0.0]])
    for unit in (2.0**-900, 2.0**-30, 2.0**900, 2.0**1018):
        scale = np.array([unit, unit, unit, unit, 1.0])
        assert loss(one * scale, other * scale) == loss(one, other)


def test_the_distance_of_wasserstein_has_the_unit_of_its_mean_size():
    one, other = np.array([[0.0, 0.0, 4.0, 3.0]]), np.array([[1.0, 0.5, 5.0, 4.0]])
    expected = L.normalized_wasserstein(one, other, mean_size=2.0)
    for unit in (2.0**-900, 2.0**900):
        found = L.normalized_wasserstein(one * unit, other * unit, mean_size=2.0 * unit)
        assert found == expected
