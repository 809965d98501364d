"""Where frameworks differ, one convention holds here, and the name of the loss says which."""

import math

import numpy as np
import pytest

import lossary as L
from expectations import INF
from foreign import exact, textbook, ulps, worst_ulps
from libraries import value_and_slope


@pytest.mark.failure(58)
@pytest.mark.seed(33)
@pytest.mark.usefixtures("float64")
def test_the_mean_divergence_is_a_mean_over_rows(library):
    q = library.array(np.log([[0.1, 0.1, 0.8]] * 4), "float64")
    p = library.array([[0.2, 0.3, 0.5]] * 4, "float64")
    assert f"{library.plain(L.kl_divergence(q, p)):.4f}" == "0.2332"


@pytest.mark.failure(68)
@pytest.mark.seed(22)
def test_the_denominator_of_a_mean_can_be_had(library):
    logits, labels = library.array(np.zeros((2, 3))), library.labels([1, -100])
    options = {"ignore_index": -100}
    none = library.plain(L.cross_entropy(logits, labels, reduction="none", **options))
    total, weight = map(library.plain, L.cross_entropy.sums(logits, labels, **options))
    mean = library.plain(L.cross_entropy(logits, labels, **options))
    assert none[1] == 0
    assert weight == 1
    assert total == none.sum()
    assert mean == total / weight
    assert f"{mean:.4f}" == "1.0986"


@pytest.mark.failure(69)
@pytest.mark.usefixtures("float64")
def test_a_class_weight_acts_at_batch_size_one_with_a_named_denominator(library):
    logits, label = library.array([[0, 1]], "float64"), library.labels([1])
    weight = library.array([1, 10], "float64")
    mean = library.plain(L.cross_entropy(logits, label, class_weight=weight))
    assert f"{mean:.4f}" == "0.3133"
    per_row = library.plain(L.cross_entropy(logits, label, class_weight=weight, denominator=1))
    assert f"{per_row:.4f}" == "3.1326"


@pytest.mark.failure(70)
@pytest.mark.filterwarnings("ignore:.*there are 2 classes too")
def test_a_weight_divides_the_same_way_everywhere(library):
    weight = library.array([10, 0])
    binary = L.binary_cross_entropy(library.array([0, 3]), library.array([1, 1]), weight=weight)
    logits, labels = library.array([[0, 0], [0, 3]]), library.labels([1, 1])
    multiclass = L.cross_entropy(logits, labels, weight=weight)
    for value in (binary, multiclass):
        assert ulps(library.plain(value), exact.log(2)) <= 4


@pytest.mark.failure(71)
@pytest.mark.usefixtures("float64")
def test_smoothing_comes_before_the_class_weight(library):
    logits = library.array([[1, -2, 0.5], [0, 3, 1]], "float64")
    class_weight = library.array([1, 10, 2], "float64")
    labels, one_hot = library.labels([0, 2]), np.array([[1.0, 0, 0], [0, 0, 1]])
    # The class weight of a label weighs the row as smoothed: it does not move the smoothing.
    numbers, smoothed = library.plain(logits).tolist(), {"label_smoothing": 0.1}
    first = textbook("cross_entropy", {"logits": numbers[0], "label": 0} | smoothed)
    second = textbook("cross_entropy", {"logits": numbers[1], "label": 2} | smoothed)
    hard = L.cross_entropy(logits, labels, class_weight=class_weight, label_smoothing=0.1)
    assert ulps(library.plain(hard), (1 * first + 2 * second) / (1 + 2)) <= 8
    # A target smoothed by hand is weighed class by class, as torch does.
    target = 0.9 * one_hot + 0.1 / 3
    soft = L.soft_cross_entropy(logits, library.array(target, "float64"), class_weight=class_weight)
    log_p = np.array(numbers) - np.log(np.exp(numbers).sum(axis=1, keepdims=True))
    shares = target * [1, 10, 2]
    assert library.plain(soft) == pytest.approx(-(shares * log_p).sum() / shares.sum(), rel=1e-14)


@pytest.mark.failure(75)
@pytest.mark.usefixtures("float64")
def test_micro_batches_add_up_to_the_whole_batch(library):
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(6, 4))
    labels = library.labels([0, 1, 2, 3, 0, 1])
    logits = library.array(numbers, "float64")
    whole, slope = L.cross_entropy.value_and_gradient(logits, labels)
    parts = [
        L.cross_entropy.value_and_gradient(logits[rows], labels[rows], denominator=6)
        for rows in (slice(0, 5), slice(5, 6))
    ]
    pieces = np.concatenate([library.plain(part[1]) for part in parts])
    assert worst_ulps(pieces, [[exact.mpf(v) for v in row] for row in library.plain(slope)]) <= 2
    assert ulps(sum(library.plain(part[0]) for part in parts), float(library.plain(whole))) <= 2


@pytest.mark.failure(76)
@pytest.mark.usefixtures("float64")
def test_sums_of_ranks_give_the_global_mean(library):
    rng = np.random.default_rng(3)
    prediction, target = (library.array(rng.normal(size=7), "float64") for _ in range(2))
    weight = library.array([1, 0, 2, 1, 0, 0, 3], "float64")
    ranks = [
        map(library.plain, L.huber.sums(prediction[r], target[r], weight=weight[r]))
        for r in (slice(0, 4), slice(4, 6), slice(6, 7))  # the second rank has no weight at all
    ]
    totals, weights = np.sum([list(rank) for rank in ranks], axis=0)
    mean = library.plain(L.huber(prediction, target, weight=weight))
    assert ulps(totals / weights, float(mean)) <= 2


@pytest.mark.failure(79)
@pytest.mark.seed(49)
def test_a_weighted_mean_divides_by_the_weights(library):
    prediction, target = library.array([1, 1]), library.array([0, 0])
    weight = library.array([0, 1])
    assert library.plain(L.absolute_error(prediction, target, weight=weight)) == 1
    by_count = L.absolute_error(prediction, target, weight=weight, denominator=2)
    assert library.plain(by_count) == 0.5


@pytest.mark.failure(86)
def test_the_event_axis_is_summed_and_the_batch_axis_averaged(library):
    rows = library.array([[0.5, 0.5]] * 8), library.array([[1, 0]] * 8)
    per_row = library.plain(L.kl_divergence_from_probabilities(*rows, reduction="none"))
    assert per_row.shape == (8,)
    assert worst_ulps(per_row, [exact.log(2)] * 8) <= 4
    assert ulps(library.plain(L.kl_divergence_from_probabilities(*rows)), exact.log(2)) <= 4


@pytest.mark.failure(91)
@pytest.mark.usefixtures("float64")
def test_one_value_for_one_binary_loss(library):
    for dtype in ("float16", "float32", "float64"):
        zero, one = library.array([0], dtype), library.array([1], dtype)
        assert library.plain(L.binary_cross_entropy_from_probability(zero, one)) == INF


@pytest.mark.failure(93)
@pytest.mark.seed(36, 37, 42, 44, 45, "E17")
@pytest.mark.usefixtures("float64")
def test_the_name_fixes_the_convention(library):
    error, zero = library.array([3], "float64"), library.array([0], "float64")
    assert library.plain(L.huber(error, zero, delta=2.0)) == 4
    assert library.plain(L.smooth_l1(error, zero, beta=2.0)) == 2
    east, north_east = library.array([[1, 0]], "float64"), library.array([[1, 1]], "float64")
    assert f"{library.plain(L.cosine_distance(east, north_east)):.4f}" == "0.2929"
    assert f"{library.plain(L.cosine_similarity(east, north_east)):.4f}" == "-0.7071"
    scores = library.array([[0.1, 0.2, 0.4]], "float64")
    one_hot = library.array([[1, 0, 0]], "float64")
    assert f"{library.plain(L.categorical_hinge(scores, one_hot)):.1f}" == "1.3"
    assert f"{library.plain(L.multi_margin(scores, library.labels([0]))):.1f}" == "0.8"


@pytest.mark.failure(94)
@pytest.mark.usefixtures("float64")
def test_rates_and_halves_are_in_the_names(library):
    log_rate, target = library.array([4], "float64"), library.array([3], "float64")
    assert f"{library.plain(L.poisson(log_rate, target)):.3f}" == "42.598"
    log_rate = library.array([math.log(4)], "float64")
    assert f"{library.plain(L.poisson(log_rate, target)):.4f}" == "-0.1589"
    error, zero = library.array([3, 0]), library.array([0, 0])
    assert library.plain(L.half_squared_error(error, zero, reduction="sum")) == 4.5
    value, slope = value_and_slope(library, L.squared_error, error, zero)
    assert value == 4.5
    assert slope.tolist() == [3, 0]  # 2 (p - t) / N


@pytest.mark.failure(95)
@pytest.mark.seed(28)
@pytest.mark.usefixtures("float64")
def test_label_smoothing_spreads_over_all_classes(library):
    logits, label = library.array([[3, 0, 0]], "float64"), library.labels([0])
    value = library.plain(L.cross_entropy(logits, label, label_smoothing=0.1))
    assert f"{value:.4f}" == "0.2949"
