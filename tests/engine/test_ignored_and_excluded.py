"""What is ignored, excluded or empty: it adds nothing, and nothing of it comes through."""

import numpy as np
import pytest

import lossary as L
from expectations import INF, NAN, is_exact, is_finite
from foreign import exact, ulps
from libraries import value_and_slope


@pytest.mark.failure(1)
def test_every_target_ignored(library):
    logits, labels = library.array([[1, 2, 3], [4, 5, 6]]), library.labels([-100, -100])
    value, slope = value_and_slope(library, L.cross_entropy, logits, labels, ignore_index=-100)
    assert value == 0
    assert (slope == 0).all()
    value, slope = value_and_slope(
        library, L.cross_entropy, logits, labels, ignore_index=-100, empty="nan"
    )
    assert np.isnan(value)
    assert (slope == 0).all()
    with pytest.raises(ValueError, match="cross_entropy"):
        L.cross_entropy(logits, labels, ignore_index=-100, empty="raise")


@pytest.mark.failure(2)
@pytest.mark.parametrize("row", [[NAN, 1, 2], [-INF, -INF, -INF], [INF, NAN, -INF]])
def test_an_ignored_row_may_hold_anything(library, row):
    logits, labels = library.array([[1, 2, 3], row]), library.labels([1, -100])
    value, slope = value_and_slope(library, L.cross_entropy, logits, labels, ignore_index=-100)
    is_exact(value, "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=1)
    assert (slope[1] == 0).all()
    is_finite(slope[0])


@pytest.mark.failure(3)
def test_mean_over_an_empty_batch(library):
    empty = library.array(np.zeros((0, 3)))
    for loss, target in (
        (L.cross_entropy, library.labels(np.zeros(0))),
        (L.negative_log_likelihood, library.labels(np.zeros(0))),
        (L.kl_divergence, empty),
        (L.squared_error, empty),
    ):
        value, slope = value_and_slope(library, loss, empty, target)
        assert value == 0, loss.name
        assert slope.shape == (0, 3)
        assert np.isnan(library.plain(loss(empty, target, empty="nan")))
        with pytest.raises(ValueError, match=loss.name):
            loss(empty, target, empty="raise")


@pytest.mark.failure(4)
def test_label_smoothing_leaves_out_an_excluded_class(library):
    logits, label = library.array([[1, -INF, 3]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label, label_smoothing=0.1)
    is_exact(value, "cross_entropy", 8, logits=[1.0, 3.0], label=0, label_smoothing=0.1)
    assert f"{value:.6f}" == "2.026928"
    assert slope[0, 1] == 0
    is_finite(slope)


@pytest.mark.failure(5)
def test_no_target_mass_on_an_excluded_class(library):
    logits, target = library.array([[1, -INF, 3]]), library.array([[1, 0, 0]])
    value, slope = value_and_slope(library, L.soft_cross_entropy, logits, target)
    is_exact(value, "cross_entropy", 8, logits=[1.0, 3.0], label=0)
    assert value == library.plain(L.cross_entropy(logits, library.labels([0])))
    assert slope[0, 1] == 0
    is_finite(slope)


@pytest.mark.failure(6)
def test_a_row_that_excludes_every_class_has_no_gradient(library):
    logits, label = library.array([[-INF, -INF]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    assert value == INF
    assert (slope == 0).all()


@pytest.mark.failure(40)
def test_no_active_triplet_is_a_mean_of_zero(library):
    anchor = library.array([[0, 0], [1, 1]])
    far = library.array([[50, 50], [60, 60]])
    value, slope = value_and_slope(library, L.triplet_margin, anchor, anchor, far)
    assert value == 0
    assert (slope == 0).all()
    mask = library.array([False, False], "bool")
    value, slope = value_and_slope(library, L.triplet_margin, anchor, anchor, far, mask=mask)
    assert value == 0
    assert (slope == 0).all()


@pytest.mark.failure(43)
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_mask_keeps_value_and_gradient_clean(library, bad):
    prediction, target = library.array([3, 1]), library.array([1, bad])
    for option in (
        {"mask": library.array([True, False], "bool")},
        {"weight": library.array([1, 0])},
    ):
        value, slope = value_and_slope(library, L.squared_error, prediction, target, **option)
        assert value == 4
        assert slope.tolist() == [4, 0]


@pytest.mark.failure(44)
def test_the_gradient_beside_an_excluded_class(library):
    logits, target = library.array([[0, -INF, 0]]), library.array([[0.5, 0, 0.5]])
    value, slope = value_and_slope(library, L.soft_cross_entropy, logits, target)
    assert ulps(value, exact.log(2)) <= 8
    assert slope.tolist() == [[0, 0, 0]]


@pytest.mark.failure(46)
def test_a_compiled_loss_writes_zeros_for_ignored_rows(framework):
    labels = framework.labels([2, -100, -100, 0])

    def loss(logits):
        return L.cross_entropy(logits, labels, ignore_index=-100)

    logits = framework.array([[1, 2, 3], [NAN, 5, 6], [7, INF, 9], [3, 2, 1]])
    value, slope = framework.slope(framework.compiled(loss), logits)
    is_exact(framework.plain(value), "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=2)
    assert (framework.plain(slope)[1:3] == 0).all()
    is_finite(framework.plain(slope))


@pytest.mark.failure(47)
def test_a_class_is_excluded_in_half_precision_without_a_magic_number(library):
    logits = library.array([[1, -INF, 3]], "float16")
    value, slope = value_and_slope(library, L.cross_entropy, logits, library.labels([0]))
    is_exact(value, "cross_entropy", 8, logits=[1.0, 3.0], label=0)
    assert slope[0, 1] == 0


@pytest.mark.failure(67)
@pytest.mark.seed("E22")
@pytest.mark.parametrize(("logit", "true"), [(1, "1.0986"), (0, "0.8620"), (-INF, "0.6931")])
def test_an_ignored_label_stays_in_the_softmax_and_minus_infinity_leaves_it(library, logit, true):
    logits, label = library.array([[logit, 1, 1]]), library.labels([1])
    assert f"{library.plain(L.cross_entropy(logits, label, ignore_index=0)):.4f}" == true
    assert any("ignore" in trap for trap in L.cross_entropy.traps)


@pytest.mark.failure(78)
def test_padding_is_not_averaged_in(library):
    target, prediction = library.array([0, 1, 1]), library.array([1, 0, 1])
    mask = library.array([True, False, True], "bool")
    assert library.plain(L.absolute_error(prediction, target, mask=mask)) == 0.5
