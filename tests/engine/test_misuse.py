"""What a call cannot mean is refused, in words that name the argument, the value and the place."""

import numpy as np
import pytest

import lossary as L
from expectations import INF, NAN, is_exact, is_finite
from libraries import value_and_slope


def refused(function, *words, error=None):
    """The call is refused, and the message holds the words."""
    with pytest.raises(error or L.DomainError) as caught:
        function()
    message = str(caught.value)
    assert all(word in message for word in words), message


@pytest.mark.failure(21)
@pytest.mark.parametrize("probability", [-5.0, 2.0, NAN])
def test_a_probability_outside_the_unit_interval_is_refused(library, probability):
    refused(
        lambda: L.binary_cross_entropy_from_probability(
            library.array([0.5, probability]), library.array([1, 1])
        ),
        "binary_cross_entropy_from_probability",
        "probability",
        "[0, 1]",
        "(1,)",
    )


@pytest.mark.failure(22)
def test_an_infinite_positive_weight_is_refused(library):
    logit, target = library.array([2]), library.array([0])
    refused(
        lambda: L.binary_cross_entropy(logit, target, positive_weight=INF),
        "binary_cross_entropy",
        "positive_weight",
        "inf",
    )
    value, slope = value_and_slope(
        library, L.binary_cross_entropy, logit, target, positive_weight=1e30
    )
    is_exact(value, "binary_cross_entropy", logit=2.0, target=0.0)
    is_finite(slope)
    far = library.array([-120.0])
    value, slope = value_and_slope(library, L.binary_cross_entropy, far, library.array([1]))
    assert value == 120
    assert slope == -1


@pytest.mark.failure(29)
def test_percentage_of_a_zero_target_is_refused(library):
    refused(
        lambda: L.absolute_percentage_error(library.array([1, 1]), library.array([2, 0])),
        "absolute_percentage_error",
        "target",
        "(1,)",
    )


@pytest.mark.failure(30)
def test_a_logarithm_outside_its_domain_is_refused(library):
    refused(
        lambda: L.squared_log_error(library.array([-5]), library.array([3])),
        "squared_log_error",
        "prediction",
        "-5",
        "(0,)",
    )


@pytest.mark.failure(35)
def test_a_negative_count_is_refused(library):
    refused(
        lambda: L.poisson(library.array([0]), library.array([-3])),
        "poisson",
        "target",
        "-3",
        "(0,)",
    )


@pytest.mark.failure(52)
@pytest.mark.seed("E1", "E14")
@pytest.mark.parametrize(("classes", "floor"), [(3, "0.5514"), (10, "1.4612"), (1000, "5.9095")])
def test_the_floor_of_softmax_before_cross_entropy_is_a_recorded_trap(classes, floor):
    perfect = np.eye(classes)[:1]  # the best that probabilities can be
    assert f"{L.cross_entropy(perfect, np.array([0])):.4f}" == floor
    assert any("softmax" in trap for trap in L.cross_entropy.traps)


@pytest.mark.failure(53)
def test_what_is_no_log_probability_is_refused(library):
    label = library.labels([0])
    softmax = np.exp([[10.0, 0, 0]]) / np.exp([[10.0, 0, 0]]).sum()
    for wrong in (softmax, [[10.0, 0, 0]], [[-1.0, -1.0, -1.0]]):
        refused(
            lambda wrong=wrong: L.negative_log_likelihood(library.array(wrong), label),
            "negative_log_likelihood",
            "log_probabilities",
        )


@pytest.mark.failure(54)
@pytest.mark.seed("E14")
def test_the_floor_of_sigmoid_before_the_binary_loss_is_a_recorded_trap():
    assert f"{L.binary_cross_entropy(np.array([1.0]), np.array([1.0])):.4f}" == "0.3133"
    assert any("sigmoid" in trap for trap in L.binary_cross_entropy.traps)


@pytest.mark.failure(55)
def test_logits_in_a_probability_loss_are_refused(library):
    logits = library.array([[2, 5, -1]])
    refused(
        lambda: L.cross_entropy_from_probabilities(logits, library.labels([1])),
        "cross_entropy_from_probabilities",
        "probabilities",
        "logit",
    )
    refused(
        lambda: L.soft_cross_entropy_from_probabilities(logits, library.array([[0, 1, 0]])),
        "soft_cross_entropy_from_probabilities",
        "logit",
    )
    refused(
        lambda: L.binary_cross_entropy_from_probability(library.array([3]), library.array([1])),
        "probability",
        "3",
        "logit",
    )


@pytest.mark.failure(56)
def test_probabilities_in_place_of_log_probabilities_are_refused(library):
    probabilities = library.array([[0.2, 0.3, 0.5]])
    refused(
        lambda: L.kl_divergence(probabilities, probabilities),
        "kl_divergence",
        "log_probabilities",
        "0.2",
    )


@pytest.mark.failure(57)
def test_rows_that_are_no_distribution_are_refused_unless_asked_for(library):
    log_probabilities = library.array(np.log([[0.25, 0.75]]))
    for row in ([0.2, 0.0999], [0.2, 0.0998999]):
        refused(
            lambda row=row: L.kl_divergence(log_probabilities, library.array([row])),
            "kl_divergence",
            "target",
            "sum",
        )
    value = L.kl_divergence(log_probabilities, library.array([[0.2, 0.1]]), check=False)
    assert np.isfinite(library.plain(value))


@pytest.mark.failure(59)
def test_swapped_arguments_are_named(library):
    logits, one_hot = library.array([[2, 5, -1]]), library.array([[0, 1, 0]])
    refused(
        lambda: L.soft_cross_entropy(one_hot, logits), "soft_cross_entropy", "target", "argument"
    )
    refused(lambda: L.soft_cross_entropy_from_probabilities(one_hot, logits), "target", "argument")


@pytest.mark.failure(60)
@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber", "smooth_l1"])
def test_prediction_and_target_are_not_broadcast(library, name):
    column, row = library.array([[1], [2], [3], [4]]), library.array([1, 2, 3, 4])
    refused(lambda: L.catalogue[name](column, row), name, "(4, 1)", "(4,)", error=L.ShapeError)
    refused(lambda: L.catalogue[name](row, row[:1]), name, "(4,)", "(1,)", error=L.ShapeError)
    assert library.plain(L.catalogue[name](row, row)) == 0


@pytest.mark.failure(61)
@pytest.mark.seed(53, "E7", "E8", "E9")
@pytest.mark.parametrize("label", [3, 100, -1])
def test_a_class_index_out_of_range_is_refused_by_place(library, label):
    logits = library.array(np.zeros((2, 3)))
    refused(
        lambda: L.cross_entropy(logits, library.labels([0, label])),
        "cross_entropy",
        "label",
        str(label),
        "(1,)",
    )


@pytest.mark.failure(61)
def test_a_compiled_class_index_out_of_range_is_not_a_plausible_number(framework):
    logits = framework.array([[1, 2, 3], [1, 2, 3]])
    loss = framework.compiled(lambda x, y: L.cross_entropy(x, y, reduction="none"))
    values = framework.plain(loss(logits, framework.labels([1, 3])))
    is_exact(values[0], "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=1)
    assert np.isnan(values[1])


@pytest.mark.failure(62)
def test_errors_about_targets_say_what_was_seen(library):
    logits = library.array(np.zeros((2, 3)))
    one_hot = library.labels([[0, 1, 0], [1, 0, 0]])
    refused(
        lambda: L.cross_entropy(logits, one_hot),
        "cross_entropy",
        "(2, 3)",
        "soft_",
        "one-hot",
        error=L.ShapeError,
    )
    refused(
        lambda: L.cross_entropy(logits, library.labels([[0], [1]])),
        "cross_entropy",
        "(2, 1)",
        "(2,)",
        error=L.ShapeError,
    )
    refused(
        lambda: L.cross_entropy(logits, library.array([0, 1])),
        "cross_entropy",
        "label",
        "float32",
        "int",
        error=L.DtypeError,
    )


@pytest.mark.failure(63)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_labels_of_any_integer_type(library, dtype):
    logits = library.array([[1, 2, 3], [1, 2, 3]])
    value, slope = value_and_slope(
        library, L.cross_entropy, logits, library.labels([1, 1], dtype), ignore_index=2
    )
    is_exact(value, "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=1)
    is_finite(slope)


@pytest.mark.failure(64)
def test_a_target_that_is_no_distribution_is_refused_unless_asked_for(library):
    logits, target = library.array([[1, 2, 3]]), library.array([[2, 5, -1]])
    refused(lambda: L.soft_cross_entropy(logits, target), "soft_cross_entropy", "target")
    value = L.soft_cross_entropy(logits, library.array([[2, 5, 1]]), check=False)
    assert np.isfinite(library.plain(value))


@pytest.mark.failure(65)
@pytest.mark.seed(40)
@pytest.mark.parametrize("name", ["soft_margin", "hinge", "squared_hinge"])
def test_zero_is_no_sign(library, name):
    scores = library.array([5, -5])
    refused(
        lambda: L.catalogue[name](scores, library.array([1, 0])),
        name,
        "sign",
        "0",
        "(1,)",
        "2 * label - 1",
    )
    assert library.plain(L.catalogue[name](scores, library.array([1, -1]))) < 0.01


@pytest.mark.failure(66)
def test_a_negative_distance_is_refused(library):
    refused(
        lambda: L.hinge_embedding(library.array([-40]), library.array([1])),
        "hinge_embedding",
        "distance",
        "-40",
        "(0,)",
    )


@pytest.mark.failure(72)
def test_a_soft_target_cannot_be_smoothed_again(library):
    logits, target = library.array([[3, 0, 0]]), library.array([[0.9333, 0.0333, 0.0334]])
    with pytest.raises(TypeError, match="label_smoothing"):
        L.soft_cross_entropy(logits, target, label_smoothing=0.1)


@pytest.mark.failure(82)
def test_options_are_keywords(library):
    prediction, target = library.array([3, 4]), library.array([1, 3])
    for name in ("squared_error", "huber"):
        with pytest.raises(TypeError):
            L.catalogue[name](prediction, target, "sum")
    assert library.plain(L.squared_error(prediction, target, reduction="sum")) == 5


@pytest.mark.failure(83)
def test_the_class_axis_is_named(library):
    numbers = np.random.default_rng(4).normal(size=(2, 3, 3))
    logits, labels = library.array(numbers), library.labels([[0, 1, 2], [2, 2, 1]])
    swapped = library.array(numbers.swapaxes(1, 2))
    last = library.plain(L.cross_entropy(logits, labels))
    assert last == library.plain(L.cross_entropy(swapped, labels, axis=1))
    assert last != library.plain(L.cross_entropy(logits, labels, axis=1))


@pytest.mark.failure(85)
def test_a_positive_weight_per_channel_has_the_shape_it_says(library):
    logits, target = library.array(np.ones((2, 3, 2, 2))), library.array(np.ones((2, 3, 2, 2)))
    weight = library.array(np.array([1.0, 2.0, 4.0]).reshape(3, 1, 1))
    values = library.plain(
        L.binary_cross_entropy(logits, target, positive_weight=weight, reduction="none")
    )
    assert (values[:, 1] == 2 * values[:, 0]).all()
    assert (values[:, 2] == 4 * values[:, 0]).all()
    with pytest.raises(ValueError, match="positive_weight"):
        L.binary_cross_entropy(logits, target, positive_weight=library.array([1, 2, 4]))


@pytest.mark.failure(87)
@pytest.mark.filterwarnings("ignore:.*nothing is learned")
def test_no_loss_is_guessed_from_a_shape_or_type(library):
    logits, label = library.array([[3.0], [-2.0]]), library.labels([0, 0])
    assert library.plain(L.cross_entropy(logits, label)) == 0  # one class is certain: no regression
    with pytest.raises((L.ShapeError, L.DtypeError), match="soft_cross_entropy"):
        L.cross_entropy(library.array([[1, 2]]), library.array([[0.5, 0.5]]))


@pytest.mark.failure(88)
def test_labels_are_indices_not_names():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    refused(
        lambda: L.cross_entropy_from_probabilities(probabilities, np.array(["dog", "cat"])),
        "label",
        error=L.DtypeError,
    )


@pytest.mark.failure(89)
def test_an_option_is_used_or_refused(library):
    logit, target = library.array([0]), library.array([1])
    with pytest.raises(TypeError, match="apply_class_balancing"):
        L.focal(logit, target, apply_class_balancing=True)
    with pytest.raises(TypeError, match="alpha"):
        L.binary_cross_entropy(logit, target, alpha=0.25)
    quarter = library.plain(L.focal(logit, target, alpha=0.25))
    assert library.plain(L.focal(logit, target)) == 4 * quarter


@pytest.mark.failure(90)
def test_a_compiled_violation_becomes_nan(framework):
    loss = framework.compiled(lambda x, y: L.binary_cross_entropy(x, y, reduction="none"))
    values = framework.plain(loss(framework.array([1, 1]), framework.array([1, 7])))
    is_exact(values[0], "binary_cross_entropy", logit=1.0, target=1.0)
    assert np.isnan(values[1])


@pytest.mark.failure(90)
def test_a_negative_threshold_is_refused(library):
    refused(
        lambda: L.smooth_l1(library.array([2]), library.array([0]), beta=-1.0),
        "smooth_l1",
        "beta",
        "-1",
    )


@pytest.mark.failure(92)
@pytest.mark.parametrize("row", [[0.2, 0.2, 0.2], [0.0, 0.0, 0.0]])
def test_a_row_that_does_not_sum_to_one_is_refused(library, row):
    refused(
        lambda: L.cross_entropy_from_probabilities(library.array([row]), library.labels([0])),
        "cross_entropy_from_probabilities",
        "probabilities",
        "sum",
    )


@pytest.mark.failure(98)
def test_every_library_refuses_the_same(library):
    half, one = library.array([0.5]), library.array([1])
    refused(
        lambda: L.binary_cross_entropy_from_probability(library.array([NAN]), one),
        "probability",
        "nan",
    )
    refused(lambda: L.binary_cross_entropy_from_probability(half, library.array([-0.5])), "target")
    refused(lambda: L.binary_cross_entropy(half, library.array([1.5])), "target", "1.5")
