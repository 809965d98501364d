"""Real failures of loss functions, each with the right answer, on every array library.

The numbers are those of a collection of a hundred bug reports against PyTorch, Keras, optax, JAX,
TensorFlow, scikit-learn and others; a test is named after the number and what must hold.

Cases that no test here can show, and why:

| case | about | why not here |
|---|---|---|
| 33 | Gaussian NLL as the variance vanishes | not in this catalogue |
| 36, 37, 38 | CTC: impossible target, negative value, blank as label | not in this catalogue |
| 39 | odds ratio (ORPO): log(1 - e^x) | not in this catalogue; `log1mexp` is tested as a function |
| 42 | Dice on an empty mask | not in this catalogue |
| 45 | more than 2^31 logits | no index of ours: the array libraries address the memory |
| 73, 74 | vocabulary-parallel losses | need several processes; not built |
| 77, 80, 81 | normalised twice, RL length, labels shifted twice | trainers, not losses |
| 84 | binary loss on a multi-class problem | a misuse detector, not built |
| 96, 97 | XGBoost and LightGBM objectives | adapters, not built |
| 99, 100 | memory of logits, host-device copies | speed, not values |

Of 18, 52 and 54 the right answer is a misuse detector, which is not built; until then the record of
the loss names the trap, which is what their tests ask, and the studies show what it costs.
"""

import math

import numpy as np
import pytest

import lossary as L
from foreign import exact, textbook, ulps, worst_ulps
from libraries import NAMES, Library, value_and_slope

INF, NAN = math.inf, math.nan


@pytest.fixture(params=NAMES)
def library(request):
    return Library(request.param)


@pytest.fixture(params=NAMES[1:])
def framework(request):
    """A library with gradients, compiled graphs and bfloat16 of its own: all but NumPy."""
    return Library(request.param)


@pytest.fixture
def float64(library):
    """For tests in float64, which JAX has only when asked."""
    with library.wide():
        yield


def is_exact(actual, name, limit=4, **arguments):
    """Within `limit` units in the last place of the textbook's value, in the actual's own type."""
    distance = ulps(actual, textbook(name, arguments))
    assert distance <= limit, f"{name}{arguments} is {actual!r}, {distance} ulp off"


def is_finite(*arrays):
    assert all(np.isfinite(a).all() for a in arrays)


def refused(function, *words, error=None):
    """The call is refused, and the message holds the words."""
    with pytest.raises(error or L.DomainError) as caught:
        function()
    message = str(caught.value)
    assert all(word in message for word in words), message


# ------------------------------------------------------------------------------- 1-51: numbers


def test_case_01_every_target_ignored(library):
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


@pytest.mark.parametrize("row", [[NAN, 1, 2], [-INF, -INF, -INF], [INF, NAN, -INF]])
def test_case_02_an_ignored_row_may_hold_anything(library, row):
    logits, labels = library.array([[1, 2, 3], row]), library.labels([1, -100])
    value, slope = value_and_slope(library, L.cross_entropy, logits, labels, ignore_index=-100)
    is_exact(value, "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=1)
    assert (slope[1] == 0).all()
    is_finite(slope[0])


def test_case_03_mean_over_an_empty_batch(library):
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


def test_case_04_label_smoothing_leaves_out_an_excluded_class(library):
    logits, label = library.array([[1, -INF, 3]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label, label_smoothing=0.1)
    is_exact(value, "cross_entropy", 8, logits=[1.0, 3.0], label=0, label_smoothing=0.1)
    assert f"{value:.6f}" == "2.026928"
    assert slope[0, 1] == 0
    is_finite(slope)


def test_case_05_no_target_mass_on_an_excluded_class(library):
    logits, target = library.array([[1, -INF, 3]]), library.array([[1, 0, 0]])
    value, slope = value_and_slope(library, L.soft_cross_entropy, logits, target)
    is_exact(value, "cross_entropy", 8, logits=[1.0, 3.0], label=0)
    assert value == library.plain(L.cross_entropy(logits, library.labels([0])))
    assert slope[0, 1] == 0
    is_finite(slope)


def test_case_06_a_row_that_excludes_every_class_has_no_gradient(library):
    logits, label = library.array([[-INF, -INF]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    assert value == INF
    assert (slope == 0).all()


@pytest.mark.parametrize(("label", "limit"), [(0, 0.0), (1, INF)])
def test_case_07_a_certain_logit_gives_the_limit_or_an_error(library, label, limit):
    logits = library.array([[INF, 1, 2]])
    try:
        value, slope = value_and_slope(library, L.cross_entropy, logits, library.labels([label]))
    except L.DomainError:
        return
    assert value == limit
    assert not np.isnan(slope).any()


@pytest.mark.parametrize(("logit", "target"), [(INF, 1), (-INF, 0)])
def test_case_08_certain_and_right_costs_nothing(library, logit, target):
    logit, target = library.array([logit]), library.array([target])
    value, slope = value_and_slope(library, L.binary_cross_entropy, logit, target)
    assert value == 0
    assert slope == 0


def test_case_09_confident_row_is_not_flushed(library):
    logits, label = library.array([[17, 0]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    is_exact(value, "cross_entropy", 8, logits=[17.0, 0.0], label=0)
    assert (
        f"{float(textbook('cross_entropy', {'logits': [17, 0], 'label': 0})):.6e}" == "4.139938e-08"
    )
    true = 1 / (1 + exact.exp(17))
    assert worst_ulps(slope, [[-true, true]]) <= 8
    assert abs(slope.sum()) <= np.spacing(slope.max())


@pytest.mark.parametrize(("logit", "dtype"), [(-20.0, "float32"), (-40.0, "float64")])
def test_case_10_both_tails_of_the_binary_loss_are_exact(library, logit, dtype):
    with library.wide(dtype):
        x, target = library.array([logit], dtype), library.array([0], dtype)
        value, slope = value_and_slope(library, L.binary_cross_entropy, x, target)
    assert value.dtype == dtype
    is_exact(value, "binary_cross_entropy", logit=logit, target=0.0)
    assert ulps(slope[0], 1 / (1 + exact.exp(-logit))) <= 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_case_10_the_two_targets_mirror_each_other_bitwise(library, dtype):
    with library.wide(dtype):
        logits = library.array(np.random.default_rng(0).uniform(-110, 110, 2000), dtype)
        ones, zeros = library.array(np.ones(2000), dtype), library.array(np.zeros(2000), dtype)
        right = library.plain(L.binary_cross_entropy(logits, ones, reduction="none"))
        left = library.plain(L.binary_cross_entropy(-logits, zeros, reduction="none"))
    assert (right == left).all()


@pytest.mark.parametrize("offset", [1.0, 1e4, 1e6, 1e8])
def test_case_11_a_common_offset_changes_nothing(library, offset):
    logits, label = library.array([[offset, offset]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    assert ulps(value, exact.log(2)) <= 4
    assert slope.tolist() == [[-0.5, 0.5]]


def test_case_12_a_large_vocabulary_in_half_precision(library):
    logits, label = library.array(np.zeros((1, 151936)), "float16"), library.labels([7])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    assert value.dtype == np.float32
    assert ulps(value, exact.log(151936)) <= 8
    assert slope.dtype == np.float16


def test_case_13_a_half_precision_mean_over_many_rows(library):
    logits, labels = library.array(np.zeros((60000, 4)), "float16"), library.labels([0] * 60000)
    value = library.plain(L.cross_entropy(logits, labels))
    assert value.dtype == np.float32
    assert ulps(value, exact.log(4)) <= 8


def test_case_14_label_smoothing_in_half_precision_over_a_large_vocabulary(library):
    logits = library.array(np.linspace(-20, 20, 50000)[None], "float16")
    value = library.plain(L.cross_entropy(logits, library.labels([0]), label_smoothing=0.1))
    stored = library.plain(logits)[0].astype(np.float64)
    log_total = 20 + math.log(math.fsum(np.exp(stored - 20)))
    true = 0.9 * (log_total - stored[0]) + 0.1 * (log_total - math.fsum(stored) / 50000)
    assert ulps(value, true) <= 8
    assert f"{true:.2f}" == "45.13"


def test_case_15_the_loss_of_bfloat16_is_float32(framework):
    logits, labels = framework.array(np.zeros((4096, 4)), "bfloat16"), framework.labels([3] * 4096)
    value = L.cross_entropy(logits, labels)
    assert framework.dtype(value) == "float32"
    assert ulps(framework.plain(value), exact.log(4)) <= 8


def test_case_16_the_square_of_a_half_precision_error_does_not_overflow(library):
    prediction, target = library.array([300, 0, 0, 0], "float16"), library.array([0] * 4, "float16")
    value = library.plain(L.squared_error(prediction, target))
    assert value == 22500
    assert value.dtype == np.float32


@pytest.mark.usefixtures("float64")
def test_case_17_no_clamp_at_a_tiny_probability(library):
    one = library.array([1], "float64")
    value, slope = value_and_slope(
        library, L.binary_cross_entropy_from_probability, library.array([1e-300], "float64"), one
    )
    is_exact(value, "binary_cross_entropy_from_probability", probability=1e-300, target=1.0)
    assert ulps(slope[0], -1 / exact.mpf(1e-300)) <= 4
    value = L.binary_cross_entropy_from_probability(library.array([0], "float64"), one)
    assert library.plain(value) == INF


@pytest.mark.parametrize("logit", [-50.0, -200.0])
def test_case_18_the_logit_form_keeps_the_gradient_and_the_other_names_it(library, logit):
    value, slope = value_and_slope(
        library, L.binary_cross_entropy, library.array([logit]), library.array([1])
    )
    assert value == -logit
    assert slope == -1
    record = L.catalogue["binary_cross_entropy_from_probability"]
    advice = f"{record.choose} {' '.join(record.traps)}"
    assert "logit" in advice
    assert "binary_cross_entropy" in advice


@pytest.mark.usefixtures("float64")
def test_case_19_no_epsilon_in_the_binary_loss(library):
    probability, target = library.array([1e-10], "float64"), library.array([1], "float64")
    value, slope = value_and_slope(
        library, L.binary_cross_entropy_from_probability, probability, target
    )
    is_exact(value, "binary_cross_entropy_from_probability", probability=1e-10, target=1.0)
    assert f"{value:.3f}" == "23.026"
    assert ulps(slope[0], -1 / exact.mpf(1e-10)) <= 4


def test_case_20_certain_and_wrong_is_infinite_in_half_precision_too(library):
    probability, target = library.array([1], "float16"), library.array([0], "float16")
    value = L.binary_cross_entropy_from_probability(probability, target)
    assert library.plain(value) == INF


@pytest.mark.parametrize("probability", [-5.0, 2.0, NAN])
def test_case_21_a_probability_outside_the_unit_interval_is_refused(library, probability):
    refused(
        lambda: L.binary_cross_entropy_from_probability(
            library.array([0.5, probability]), library.array([1, 1])
        ),
        "binary_cross_entropy_from_probability",
        "probability",
        "[0, 1]",
        "(1,)",
    )


def test_case_22_an_infinite_positive_weight_is_refused(library):
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


def test_case_23_no_target_mass_costs_nothing_under_an_impossible_class(library):
    log_probabilities, target = library.array([[-INF, 0]]), library.array([[0, 1]])
    value, slope = value_and_slope(library, L.kl_divergence, log_probabilities, target)
    assert value == 0
    assert slope.tolist() == [[0, -1]]


def test_case_24_the_gradient_by_a_zero_target_is_its_limit(library):
    log_probabilities, target = library.array(np.log([[0.25, 0.75]])), library.array([[0, 1]])
    slopes = [L.kl_divergence.gradient(log_probabilities, target, wrt="target")]
    if library.name != "numpy":
        slopes.append(library.slope(lambda t: L.kl_divergence(log_probabilities, t), target)[1])
    for slope in map(library.plain, slopes):
        assert slope[0, 0] == -INF
        assert ulps(slope[0, 1], 1 - exact.mpf(float(library.plain(log_probabilities)[0, 1]))) <= 4


def test_case_25_an_impossible_class_with_mass_is_infinite(library):
    probabilities, target = library.array([[1, 0]]), library.array([[0.5, 0.5]])
    assert library.plain(L.kl_divergence_from_probabilities(probabilities, target)) == INF
    log_probabilities = library.array([[0, -INF]])
    assert library.plain(L.kl_divergence(log_probabilities, target)) == INF


@pytest.mark.usefixtures("float64")
def test_case_26_focal_with_a_small_exponent_on_a_saturated_logit(library):
    logit, target = library.array([19], "float64"), library.array([1], "float64")
    value, slope = value_and_slope(library, L.focal, logit, target, gamma=0.5)
    is_exact(value, "focal", 6, logit=19.0, target=1.0, gamma=0.5)
    assert f"{value:.4e}" == "4.1938e-13"
    assert f"{slope[0]:.4e}" == "-6.2907e-13"


def test_case_27_soft_margin_does_not_overflow(library):
    value, slope = value_and_slope(
        library, L.soft_margin, library.array([-100]), library.array([1])
    )
    assert value == 100
    assert slope == -1


def test_case_28_log_cosh_does_not_overflow(library):
    value, slope = value_and_slope(library, L.log_cosh, library.array([100]), library.array([0]))
    is_exact(value, "log_cosh", prediction=100.0, target=0.0)
    assert f"{value:.5f}" == "99.30685"
    assert slope == 1
    for error in (-3e38, 3e38):
        value = library.plain(L.log_cosh(library.array([error]), library.array([0])))
        assert value == np.float32(3e38)


def test_case_29_percentage_of_a_zero_target_is_refused(library):
    refused(
        lambda: L.absolute_percentage_error(library.array([1, 1]), library.array([2, 0])),
        "absolute_percentage_error",
        "target",
        "(1,)",
    )


def test_case_30_a_logarithm_outside_its_domain_is_refused(library):
    refused(
        lambda: L.squared_log_error(library.array([-5]), library.array([3])),
        "squared_log_error",
        "prediction",
        "-5",
        "(0,)",
    )


@pytest.mark.parametrize("second", [[1, 1], [0, 0]])
def test_case_31_cosine_of_a_zero_vector(library, second):
    for loss, expected in ((L.cosine_similarity, 0), (L.cosine_distance, 1)):
        zero, other = library.array([[0, 0]]), library.array([second])
        value, slope = value_and_slope(library, loss, zero, other)
        assert value == expected
        assert (slope == 0).all()


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        (1e-20, "float32"),
        (1e20, "float32"),
        (3e38, "float32"),
        (2e-38, "float32"),
        (1e4, "float16"),
    ],
)
def test_case_32_cosine_is_scale_invariant(library, scale, dtype):
    first, second = library.array([[scale, scale]], dtype), library.array([[1, 1]], dtype)
    value = -library.plain(L.cosine_similarity(first, second))
    assert ulps(value, 1) <= 2
    assert abs(value) <= 1


@pytest.mark.parametrize("name", ["numpy", "torch"])  # JAX and TensorFlow read 1e-40 as 0
def test_case_32_a_subnormal_vector_has_a_direction(name):
    library = Library(name)
    first, second = library.array([[1e-40, 1e-40]]), library.array([[1, 1]])
    assert ulps(library.plain(L.cosine_similarity(first, second)), -1) <= 2


def test_case_32_cosine_never_exceeds_one(library):
    vectors = library.array(np.random.default_rng(1).normal(size=(5000, 3)))
    cosines = library.plain(L.cosine_similarity(vectors, vectors, reduction="none"))
    assert (np.abs(cosines) <= 1).all()


def test_case_34_poisson_leaves_the_constant_of_the_target_out(library):
    for target in (1, 2, 3):
        value = L.poisson(library.array([0]), library.array([target]))
        assert library.plain(value) == 1


def test_case_35_a_negative_count_is_refused(library):
    refused(
        lambda: L.poisson(library.array([0]), library.array([-3])),
        "poisson",
        "target",
        "-3",
        "(0,)",
    )


def test_case_40_no_active_triplet_is_a_mean_of_zero(library):
    anchor = library.array([[0, 0], [1, 1]])
    far = library.array([[50, 50], [60, 60]])
    value, slope = value_and_slope(library, L.triplet_margin, anchor, anchor, far)
    assert value == 0
    assert (slope == 0).all()
    mask = library.array([False, False], "bool")
    value, slope = value_and_slope(library, L.triplet_margin, anchor, anchor, far, mask=mask)
    assert value == 0
    assert (slope == 0).all()


def test_case_41_any_finite_scale_of_the_logits_gives_a_finite_loss(library):
    for scale in (1e10, 1e20, 1.5e38):
        logits, label = library.array([[scale, -scale]]), library.labels([1])
        value, slope = value_and_slope(library, L.cross_entropy, logits, label)
        assert value == np.float32(scale) * np.float32(2)
        assert slope.tolist() == [[1, -1]]


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_case_43_a_mask_keeps_value_and_gradient_clean(library, bad):
    prediction, target = library.array([3, 1]), library.array([1, bad])
    for option in (
        {"mask": library.array([True, False], "bool")},
        {"weight": library.array([1, 0])},
    ):
        value, slope = value_and_slope(library, L.squared_error, prediction, target, **option)
        assert value == 4
        assert slope.tolist() == [4, 0]


def test_case_44_the_gradient_beside_an_excluded_class(library):
    logits, target = library.array([[0, -INF, 0]]), library.array([[0.5, 0, 0.5]])
    value, slope = value_and_slope(library, L.soft_cross_entropy, logits, target)
    assert ulps(value, exact.log(2)) <= 8
    assert slope.tolist() == [[0, 0, 0]]


def test_case_46_a_compiled_loss_writes_zeros_for_ignored_rows(framework):
    labels = framework.labels([2, -100, -100, 0])

    def loss(logits):
        return L.cross_entropy(logits, labels, ignore_index=-100)

    logits = framework.array([[1, 2, 3], [NAN, 5, 6], [7, INF, 9], [3, 2, 1]])
    value, slope = framework.slope(framework.compiled(loss), logits)
    is_exact(framework.plain(value), "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=2)
    assert (framework.plain(slope)[1:3] == 0).all()
    is_finite(framework.plain(slope))


def test_case_47_a_class_is_excluded_in_half_precision_without_a_magic_number(library):
    logits = library.array([[1, -INF, 3]], "float16")
    value, slope = value_and_slope(library, L.cross_entropy, logits, library.labels([0]))
    is_exact(value, "cross_entropy", 8, logits=[1.0, 3.0], label=0)
    assert slope[0, 1] == 0


@pytest.mark.parametrize("logit", [-1000.0, 1000.0, 36.9, -37.5])
@pytest.mark.usefixtures("float64")
def test_case_48_every_entry_point_agrees_bitwise(library, logit):
    logit, one = library.array([logit], "float64"), library.array([1], "float64")
    for loss in (L.binary_cross_entropy, L.focal):
        value, slope = loss.value_and_gradient(logit, one)
        assert library.plain(value) == library.plain(loss(logit, one))
        assert library.plain(slope) == library.plain(loss.gradient(logit, one))
        assert library.plain(value) == library.plain(loss(logit, one, reduction="none"))[0]
        is_finite(*map(library.plain, (value, slope, loss.hessian(logit, one))))


@pytest.mark.usefixtures("float64")
def test_case_49_the_value_does_not_depend_on_the_type_of_number(library):
    for dtype in ("float16", "float32", "float64"):
        probabilities = library.array([[0, 1], [0.5, 0.5]], dtype)
        value = L.cross_entropy_from_probabilities(probabilities, library.labels([0, 1]))
        assert library.plain(value) == INF


@pytest.mark.parametrize(("dtype", "loss"), [("float32", 89.0), ("float16", 12.0)])
def test_case_50_perplexity_of_a_poor_model_does_not_overflow(dtype, loss):
    information = pytest.importorskip("lossary.information")
    log_probabilities = np.full(4, -loss, dtype=dtype)
    result = information.perplexity(log_probabilities, unit="nats")
    assert result == pytest.approx(math.exp(loss), rel=1e-13)


def test_case_51_a_probability_loss_runs_under_autocast():
    torch = pytest.importorskip("torch")
    probability = torch.tensor([0.25, 0.5], requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = L.binary_cross_entropy_from_probability(probability, torch.tensor([1.0, 0.0]))
    value.backward()
    assert value.dtype == torch.float32
    assert ulps(value.detach(), (exact.log(4) + exact.log(2)) / 2) <= 4
    assert worst_ulps(probability.grad, [-2, 1]) <= 4


# ------------------------------------------------------------------------------- 52-90: misuse


@pytest.mark.seed("E1", "E14")
@pytest.mark.parametrize(("classes", "floor"), [(3, "0.5514"), (10, "1.4612"), (1000, "5.9095")])
def test_case_52_the_floor_of_softmax_before_cross_entropy_is_a_recorded_trap(classes, floor):
    perfect = np.eye(classes)[:1]  # the best that probabilities can be
    assert f"{L.cross_entropy(perfect, np.array([0])):.4f}" == floor
    assert any("softmax" in trap for trap in L.cross_entropy.traps)


def test_case_53_what_is_no_log_probability_is_refused(library):
    label = library.labels([0])
    softmax = np.exp([[10.0, 0, 0]]) / np.exp([[10.0, 0, 0]]).sum()
    for wrong in (softmax, [[10.0, 0, 0]], [[-1.0, -1.0, -1.0]]):
        refused(
            lambda wrong=wrong: L.negative_log_likelihood(library.array(wrong), label),
            "negative_log_likelihood",
            "log_probabilities",
        )


@pytest.mark.seed("E14")
def test_case_54_the_floor_of_sigmoid_before_the_binary_loss_is_a_recorded_trap():
    assert f"{L.binary_cross_entropy(np.array([1.0]), np.array([1.0])):.4f}" == "0.3133"
    assert any("sigmoid" in trap for trap in L.binary_cross_entropy.traps)


def test_case_55_logits_in_a_probability_loss_are_refused(library):
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


def test_case_56_probabilities_in_place_of_log_probabilities_are_refused(library):
    probabilities = library.array([[0.2, 0.3, 0.5]])
    refused(
        lambda: L.kl_divergence(probabilities, probabilities),
        "kl_divergence",
        "log_probabilities",
        "0.2",
    )


def test_case_57_rows_that_are_no_distribution_are_refused_unless_asked_for(library):
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


@pytest.mark.seed(33)
@pytest.mark.usefixtures("float64")
def test_case_58_the_mean_divergence_is_a_mean_over_rows(library):
    q = library.array(np.log([[0.1, 0.1, 0.8]] * 4), "float64")
    p = library.array([[0.2, 0.3, 0.5]] * 4, "float64")
    assert f"{library.plain(L.kl_divergence(q, p)):.4f}" == "0.2332"


def test_case_59_swapped_arguments_are_named(library):
    logits, one_hot = library.array([[2, 5, -1]]), library.array([[0, 1, 0]])
    refused(
        lambda: L.soft_cross_entropy(one_hot, logits), "soft_cross_entropy", "target", "argument"
    )
    refused(lambda: L.soft_cross_entropy_from_probabilities(one_hot, logits), "target", "argument")


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber", "smooth_l1"])
def test_case_60_prediction_and_target_are_not_broadcast(library, name):
    column, row = library.array([[1], [2], [3], [4]]), library.array([1, 2, 3, 4])
    refused(lambda: L.catalogue[name](column, row), name, "(4, 1)", "(4,)", error=L.ShapeError)
    refused(lambda: L.catalogue[name](row, row[:1]), name, "(4,)", "(1,)", error=L.ShapeError)
    assert library.plain(L.catalogue[name](row, row)) == 0


@pytest.mark.seed(53, "E7", "E8", "E9")
@pytest.mark.parametrize("label", [3, 100, -1])
def test_case_61_a_class_index_out_of_range_is_refused_by_place(library, label):
    logits = library.array(np.zeros((2, 3)))
    refused(
        lambda: L.cross_entropy(logits, library.labels([0, label])),
        "cross_entropy",
        "label",
        str(label),
        "(1,)",
    )


def test_case_61_a_compiled_class_index_out_of_range_is_not_a_plausible_number(framework):
    logits = framework.array([[1, 2, 3], [1, 2, 3]])
    loss = framework.compiled(lambda x, y: L.cross_entropy(x, y, reduction="none"))
    values = framework.plain(loss(logits, framework.labels([1, 3])))
    is_exact(values[0], "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=1)
    assert np.isnan(values[1])


def test_case_62_errors_about_targets_say_what_was_seen(library):
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


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_case_63_labels_of_any_integer_type(library, dtype):
    logits = library.array([[1, 2, 3], [1, 2, 3]])
    value, slope = value_and_slope(
        library, L.cross_entropy, logits, library.labels([1, 1], dtype), ignore_index=2
    )
    is_exact(value, "cross_entropy", 8, logits=[1.0, 2.0, 3.0], label=1)
    is_finite(slope)


def test_case_64_a_target_that_is_no_distribution_is_refused_unless_asked_for(library):
    logits, target = library.array([[1, 2, 3]]), library.array([[2, 5, -1]])
    refused(lambda: L.soft_cross_entropy(logits, target), "soft_cross_entropy", "target")
    value = L.soft_cross_entropy(logits, library.array([[2, 5, 1]]), check=False)
    assert np.isfinite(library.plain(value))


@pytest.mark.seed(40)
@pytest.mark.parametrize("name", ["soft_margin", "hinge", "squared_hinge"])
def test_case_65_zero_is_no_sign(library, name):
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


def test_case_66_a_negative_distance_is_refused(library):
    refused(
        lambda: L.hinge_embedding(library.array([-40]), library.array([1])),
        "hinge_embedding",
        "distance",
        "-40",
        "(0,)",
    )


@pytest.mark.seed("E22")
@pytest.mark.parametrize(("logit", "true"), [(1, "1.0986"), (0, "0.8620"), (-INF, "0.6931")])
def test_case_67_an_ignored_label_stays_in_the_softmax_and_minus_infinity_leaves_it(
    library, logit, true
):
    logits, label = library.array([[logit, 1, 1]]), library.labels([1])
    assert f"{library.plain(L.cross_entropy(logits, label, ignore_index=0)):.4f}" == true
    assert any("ignore" in trap for trap in L.cross_entropy.traps)


@pytest.mark.seed(22)
def test_case_68_the_denominator_of_a_mean_can_be_had(library):
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


@pytest.mark.usefixtures("float64")
def test_case_69_a_class_weight_acts_at_batch_size_one_with_a_named_denominator(library):
    logits, label = library.array([[0, 1]], "float64"), library.labels([1])
    weight = library.array([1, 10], "float64")
    mean = library.plain(L.cross_entropy(logits, label, class_weight=weight))
    assert f"{mean:.4f}" == "0.3133"
    per_row = library.plain(L.cross_entropy(logits, label, class_weight=weight, denominator=1))
    assert f"{per_row:.4f}" == "3.1326"


@pytest.mark.filterwarnings("ignore:.*there are 2 classes too")
def test_case_70_a_weight_divides_the_same_way_everywhere(library):
    weight = library.array([10, 0])
    binary = L.binary_cross_entropy(library.array([0, 3]), library.array([1, 1]), weight=weight)
    logits, labels = library.array([[0, 0], [0, 3]]), library.labels([1, 1])
    multiclass = L.cross_entropy(logits, labels, weight=weight)
    for value in (binary, multiclass):
        assert ulps(library.plain(value), exact.log(2)) <= 4


@pytest.mark.usefixtures("float64")
def test_case_71_smoothing_comes_before_the_class_weight(library):
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


def test_case_72_a_soft_target_cannot_be_smoothed_again(library):
    logits, target = library.array([[3, 0, 0]]), library.array([[0.9333, 0.0333, 0.0334]])
    with pytest.raises(TypeError, match="label_smoothing"):
        L.soft_cross_entropy(logits, target, label_smoothing=0.1)


@pytest.mark.usefixtures("float64")
def test_case_75_micro_batches_add_up_to_the_whole_batch(library):
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


@pytest.mark.usefixtures("float64")
def test_case_76_sums_of_ranks_give_the_global_mean(library):
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


def test_case_78_padding_is_not_averaged_in(library):
    target, prediction = library.array([0, 1, 1]), library.array([1, 0, 1])
    mask = library.array([True, False, True], "bool")
    assert library.plain(L.absolute_error(prediction, target, mask=mask)) == 0.5


@pytest.mark.seed(49)
def test_case_79_a_weighted_mean_divides_by_the_weights(library):
    prediction, target = library.array([1, 1]), library.array([0, 0])
    weight = library.array([0, 1])
    assert library.plain(L.absolute_error(prediction, target, weight=weight)) == 1
    by_count = L.absolute_error(prediction, target, weight=weight, denominator=2)
    assert library.plain(by_count) == 0.5


def test_case_82_options_are_keywords(library):
    prediction, target = library.array([3, 4]), library.array([1, 3])
    for name in ("squared_error", "huber"):
        with pytest.raises(TypeError):
            L.catalogue[name](prediction, target, "sum")
    assert library.plain(L.squared_error(prediction, target, reduction="sum")) == 5


def test_case_83_the_class_axis_is_named(library):
    numbers = np.random.default_rng(4).normal(size=(2, 3, 3))
    logits, labels = library.array(numbers), library.labels([[0, 1, 2], [2, 2, 1]])
    swapped = library.array(numbers.swapaxes(1, 2))
    last = library.plain(L.cross_entropy(logits, labels))
    assert last == library.plain(L.cross_entropy(swapped, labels, axis=1))
    assert last != library.plain(L.cross_entropy(logits, labels, axis=1))


def test_case_85_a_positive_weight_per_channel_has_the_shape_it_says(library):
    logits, target = library.array(np.ones((2, 3, 2, 2))), library.array(np.ones((2, 3, 2, 2)))
    weight = library.array(np.array([1.0, 2.0, 4.0]).reshape(3, 1, 1))
    values = library.plain(
        L.binary_cross_entropy(logits, target, positive_weight=weight, reduction="none")
    )
    assert (values[:, 1] == 2 * values[:, 0]).all()
    assert (values[:, 2] == 4 * values[:, 0]).all()
    with pytest.raises(ValueError, match="positive_weight"):
        L.binary_cross_entropy(logits, target, positive_weight=library.array([1, 2, 4]))


def test_case_86_the_event_axis_is_summed_and_the_batch_axis_averaged(library):
    rows = library.array([[0.5, 0.5]] * 8), library.array([[1, 0]] * 8)
    per_row = library.plain(L.kl_divergence_from_probabilities(*rows, reduction="none"))
    assert per_row.shape == (8,)
    assert worst_ulps(per_row, [exact.log(2)] * 8) <= 4
    assert ulps(library.plain(L.kl_divergence_from_probabilities(*rows)), exact.log(2)) <= 4


@pytest.mark.filterwarnings("ignore:.*nothing is learned")
def test_case_87_no_loss_is_guessed_from_a_shape_or_type(library):
    logits, label = library.array([[3.0], [-2.0]]), library.labels([0, 0])
    assert library.plain(L.cross_entropy(logits, label)) == 0  # one class is certain: no regression
    with pytest.raises((L.ShapeError, L.DtypeError), match="soft_cross_entropy"):
        L.cross_entropy(library.array([[1, 2]]), library.array([[0.5, 0.5]]))


def test_case_88_labels_are_indices_not_names():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    refused(
        lambda: L.cross_entropy_from_probabilities(probabilities, np.array(["dog", "cat"])),
        "label",
        error=L.DtypeError,
    )


def test_case_89_an_option_is_used_or_refused(library):
    logit, target = library.array([0]), library.array([1])
    with pytest.raises(TypeError, match="apply_class_balancing"):
        L.focal(logit, target, apply_class_balancing=True)
    with pytest.raises(TypeError, match="alpha"):
        L.binary_cross_entropy(logit, target, alpha=0.25)
    quarter = library.plain(L.focal(logit, target, alpha=0.25))
    assert library.plain(L.focal(logit, target)) == 4 * quarter


def test_case_90_a_compiled_violation_becomes_nan(framework):
    loss = framework.compiled(lambda x, y: L.binary_cross_entropy(x, y, reduction="none"))
    values = framework.plain(loss(framework.array([1, 1]), framework.array([1, 7])))
    is_exact(values[0], "binary_cross_entropy", logit=1.0, target=1.0)
    assert np.isnan(values[1])


def test_case_90_a_negative_threshold_is_refused(library):
    refused(
        lambda: L.smooth_l1(library.array([2]), library.array([0]), beta=-1.0),
        "smooth_l1",
        "beta",
        "-1",
    )


# -------------------------------------------------------------- 91-98: between the frameworks


@pytest.mark.usefixtures("float64")
def test_case_91_one_value_for_one_binary_loss(library):
    for dtype in ("float16", "float32", "float64"):
        zero, one = library.array([0], dtype), library.array([1], dtype)
        assert library.plain(L.binary_cross_entropy_from_probability(zero, one)) == INF


@pytest.mark.parametrize("row", [[0.2, 0.2, 0.2], [0.0, 0.0, 0.0]])
def test_case_92_a_row_that_does_not_sum_to_one_is_refused(library, row):
    refused(
        lambda: L.cross_entropy_from_probabilities(library.array([row]), library.labels([0])),
        "cross_entropy_from_probabilities",
        "probabilities",
        "sum",
    )


@pytest.mark.seed(36, 37, 42, 44, 45, "E17")
@pytest.mark.usefixtures("float64")
def test_case_93_the_name_fixes_the_convention(library):
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


@pytest.mark.usefixtures("float64")
def test_case_94_rates_and_halves_are_in_the_names(library):
    log_rate, target = library.array([4], "float64"), library.array([3], "float64")
    assert f"{library.plain(L.poisson(log_rate, target)):.3f}" == "42.598"
    log_rate = library.array([math.log(4)], "float64")
    assert f"{library.plain(L.poisson(log_rate, target)):.4f}" == "-0.1589"
    error, zero = library.array([3, 0]), library.array([0, 0])
    assert library.plain(L.half_squared_error(error, zero, reduction="sum")) == 4.5
    value, slope = value_and_slope(library, L.squared_error, error, zero)
    assert value == 4.5
    assert slope.tolist() == [3, 0]  # 2 (p - t) / N


@pytest.mark.seed(28)
@pytest.mark.usefixtures("float64")
def test_case_95_label_smoothing_spreads_over_all_classes(library):
    logits, label = library.array([[3, 0, 0]], "float64"), library.labels([0])
    value = library.plain(L.cross_entropy(logits, label, label_smoothing=0.1))
    assert f"{value:.4f}" == "0.2949"


def test_case_98_every_library_refuses_the_same(library):
    half, one = library.array([0.5]), library.array([1])
    refused(
        lambda: L.binary_cross_entropy_from_probability(library.array([NAN]), one),
        "probability",
        "nan",
    )
    refused(lambda: L.binary_cross_entropy_from_probability(half, library.array([-0.5])), "target")
    refused(lambda: L.binary_cross_entropy(half, library.array([1.5])), "target", "1.5")


def test_no_case_is_forgotten():
    tested = {int(name.split("_")[2]) for name in globals() if name.startswith("test_case_")}
    rows = [line.split("|")[1] for line in __doc__.splitlines() if line.startswith("|")][2:]
    elsewhere = {int(number) for row in rows for number in row.split(",")}
    assert tested | elsewhere == set(range(1, 101))
    assert not tested & elsewhere
