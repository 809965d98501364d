"""Values and slopes far out, at certainty and at zero: exact, and finite where the truth is."""

import math

import numpy as np
import pytest

import lossary as L
from expectations import INF, is_exact, is_finite
from foreign import exact, textbook, ulps, worst_ulps
from libraries import Library, value_and_slope


@pytest.mark.failure(7)
@pytest.mark.parametrize(("label", "limit"), [(0, 0.0), (1, INF)])
def test_a_certain_logit_gives_the_limit_or_an_error(library, label, limit):
    logits = library.array([[INF, 1, 2]])
    try:
        value, slope = value_and_slope(library, L.cross_entropy, logits, library.labels([label]))
    except L.DomainError:
        return
    assert value == limit
    assert not np.isnan(slope).any()


@pytest.mark.failure(8)
@pytest.mark.parametrize(("logit", "target"), [(INF, 1), (-INF, 0)])
def test_certain_and_right_costs_nothing(library, logit, target):
    logit, target = library.array([logit]), library.array([target])
    value, slope = value_and_slope(library, L.binary_cross_entropy, logit, target)
    assert value == 0
    assert slope == 0


@pytest.mark.failure(9)
def test_confident_row_is_not_flushed(library):
    logits, label = library.array([[17, 0]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    is_exact(value, "cross_entropy", 8, logits=[17.0, 0.0], label=0)
    assert (
        f"{float(textbook('cross_entropy', {'logits': [17, 0], 'label': 0})):.6e}" == "4.139938e-08"
    )
    true = 1 / (1 + exact.exp(17))
    assert worst_ulps(slope, [[-true, true]]) <= 8
    assert abs(slope.sum()) <= np.spacing(slope.max())


@pytest.mark.failure(10)
@pytest.mark.parametrize(("logit", "dtype"), [(-20.0, "float32"), (-40.0, "float64")])
def test_both_tails_of_the_binary_loss_are_exact(library, logit, dtype):
    with library.wide(dtype):
        x, target = library.array([logit], dtype), library.array([0], dtype)
        value, slope = value_and_slope(library, L.binary_cross_entropy, x, target)
    assert value.dtype == dtype
    is_exact(value, "binary_cross_entropy", logit=logit, target=0.0)
    assert ulps(slope[0], 1 / (1 + exact.exp(-logit))) <= 4


@pytest.mark.failure(10)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_two_targets_mirror_each_other_bitwise(library, dtype):
    with library.wide(dtype):
        logits = library.array(np.random.default_rng(0).uniform(-110, 110, 2000), dtype)
        ones, zeros = library.array(np.ones(2000), dtype), library.array(np.zeros(2000), dtype)
        right = library.plain(L.binary_cross_entropy(logits, ones, reduction="none"))
        left = library.plain(L.binary_cross_entropy(-logits, zeros, reduction="none"))
    assert (right == left).all()


@pytest.mark.failure(11)
@pytest.mark.parametrize("offset", [1.0, 1e4, 1e6, 1e8])
def test_a_common_offset_changes_nothing(library, offset):
    logits, label = library.array([[offset, offset]]), library.labels([0])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    assert ulps(value, exact.log(2)) <= 4
    assert slope.tolist() == [[-0.5, 0.5]]


@pytest.mark.failure(17)
@pytest.mark.usefixtures("float64")
def test_no_clamp_at_a_tiny_probability(library):
    one = library.array([1], "float64")
    value, slope = value_and_slope(
        library, L.binary_cross_entropy_from_probability, library.array([1e-300], "float64"), one
    )
    is_exact(value, "binary_cross_entropy_from_probability", probability=1e-300, target=1.0)
    assert ulps(slope[0], -1 / exact.mpf(1e-300)) <= 4
    value = L.binary_cross_entropy_from_probability(library.array([0], "float64"), one)
    assert library.plain(value) == INF


@pytest.mark.failure(18)
@pytest.mark.parametrize("logit", [-50.0, -200.0])
def test_the_logit_form_keeps_the_gradient_and_the_other_names_it(library, logit):
    value, slope = value_and_slope(
        library, L.binary_cross_entropy, library.array([logit]), library.array([1])
    )
    assert value == -logit
    assert slope == -1
    record = L.catalogue["binary_cross_entropy_from_probability"]
    advice = f"{record.choose} {' '.join(record.traps)}"
    assert "logit" in advice
    assert "binary_cross_entropy" in advice


@pytest.mark.failure(19)
@pytest.mark.usefixtures("float64")
def test_no_epsilon_in_the_binary_loss(library):
    probability, target = library.array([1e-10], "float64"), library.array([1], "float64")
    value, slope = value_and_slope(
        library, L.binary_cross_entropy_from_probability, probability, target
    )
    is_exact(value, "binary_cross_entropy_from_probability", probability=1e-10, target=1.0)
    assert f"{value:.3f}" == "23.026"
    assert ulps(slope[0], -1 / exact.mpf(1e-10)) <= 4


@pytest.mark.failure(23)
def test_no_target_mass_costs_nothing_under_an_impossible_class(library):
    log_probabilities, target = library.array([[-INF, 0]]), library.array([[0, 1]])
    value, slope = value_and_slope(library, L.kl_divergence, log_probabilities, target)
    assert value == 0
    assert slope.tolist() == [[0, -1]]


@pytest.mark.failure(24)
def test_the_gradient_by_a_zero_target_is_its_limit(library):
    log_probabilities, target = library.array(np.log([[0.25, 0.75]])), library.array([[0, 1]])
    slopes = [L.kl_divergence.gradient(log_probabilities, target, wrt="target")]
    if library.name != "numpy":
        slopes.append(library.slope(lambda t: L.kl_divergence(log_probabilities, t), target)[1])
    for slope in map(library.plain, slopes):
        assert slope[0, 0] == -INF
        assert ulps(slope[0, 1], 1 - exact.mpf(float(library.plain(log_probabilities)[0, 1]))) <= 4


@pytest.mark.failure(25)
def test_an_impossible_class_with_mass_is_infinite(library):
    probabilities, target = library.array([[1, 0]]), library.array([[0.5, 0.5]])
    assert library.plain(L.kl_divergence_from_probabilities(probabilities, target)) == INF
    log_probabilities = library.array([[0, -INF]])
    assert library.plain(L.kl_divergence(log_probabilities, target)) == INF


@pytest.mark.failure(26)
@pytest.mark.usefixtures("float64")
def test_focal_with_a_small_exponent_on_a_saturated_logit(library):
    logit, target = library.array([19], "float64"), library.array([1], "float64")
    value, slope = value_and_slope(library, L.focal, logit, target, gamma=0.5)
    is_exact(value, "focal", 6, logit=19.0, target=1.0, gamma=0.5)
    assert f"{value:.4e}" == "4.1938e-13"
    assert f"{slope[0]:.4e}" == "-6.2907e-13"


@pytest.mark.failure(27)
def test_soft_margin_does_not_overflow(library):
    value, slope = value_and_slope(
        library, L.soft_margin, library.array([-100]), library.array([1])
    )
    assert value == 100
    assert slope == -1


@pytest.mark.failure(28)
def test_log_cosh_does_not_overflow(library):
    value, slope = value_and_slope(library, L.log_cosh, library.array([100]), library.array([0]))
    is_exact(value, "log_cosh", prediction=100.0, target=0.0)
    assert f"{value:.5f}" == "99.30685"
    assert slope == 1
    for error in (-3e38, 3e38):
        value = library.plain(L.log_cosh(library.array([error]), library.array([0])))
        assert value == np.float32(3e38)


@pytest.mark.failure(31)
@pytest.mark.parametrize("second", [[1, 1], [0, 0]])
def test_cosine_of_a_zero_vector(library, second):
    for loss, expected in ((L.cosine_similarity, 0), (L.cosine_distance, 1)):
        zero, other = library.array([[0, 0]]), library.array([second])
        value, slope = value_and_slope(library, loss, zero, other)
        assert value == expected
        assert (slope == 0).all()


@pytest.mark.failure(32)
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
def test_cosine_is_scale_invariant(library, scale, dtype):
    first, second = library.array([[scale, scale]], dtype), library.array([[1, 1]], dtype)
    value = -library.plain(L.cosine_similarity(first, second))
    assert ulps(value, 1) <= 2
    assert abs(value) <= 1


@pytest.mark.failure(32)
@pytest.mark.parametrize("name", ["numpy", "torch"])  # JAX and TensorFlow read 1e-40 as 0
def test_a_subnormal_vector_has_a_direction(name):
    library = Library(name)
    first, second = library.array([[1e-40, 1e-40]]), library.array([[1, 1]])
    assert ulps(library.plain(L.cosine_similarity(first, second)), -1) <= 2


@pytest.mark.failure(32)
def test_cosine_never_exceeds_one(library):
    vectors = library.array(np.random.default_rng(1).normal(size=(5000, 3)))
    cosines = library.plain(L.cosine_similarity(vectors, vectors, reduction="none"))
    assert (np.abs(cosines) <= 1).all()


@pytest.mark.failure(33)
@pytest.mark.usefixtures("float64")
def test_a_small_variance_is_the_variance_that_was_given(library):
    mean, target = library.array([0.0]), library.array([1.0])
    tiny = library.array([1e-8])
    value, slope = value_and_slope(library, L.gaussian, mean, target, tiny)
    assert ulps(value, (exact.log(exact.mpf(1e-8)) + 1 / exact.mpf(1e-8)) / 2) <= 4
    assert ulps(slope, -1 / exact.mpf(1e-8)) <= 4
    for wrong in (0.0, math.nan):
        with pytest.raises(L.DomainError, match=f"variance must be .*, got {wrong:g}"):
            L.gaussian(mean, target, library.array([wrong]))


@pytest.mark.failure(39)
def test_the_odds_of_a_near_certain_answer_are_finite(library):
    chosen, rejected = library.array([-1e-8], "float32"), library.array([-1.0], "float32")
    value, slope = value_and_slope(library, L.odds_ratio_preference, chosen, rejected)
    assert 0 < value < 1e-7
    assert np.isfinite(slope).all()
    with pytest.raises(L.DomainError, match="chosen must be a finite number below 0, got 0"):
        L.odds_ratio_preference(library.array([0.0], "float32"), rejected)


@pytest.mark.failure(34)
def test_poisson_leaves_the_constant_of_the_target_out(library):
    for target in (1, 2, 3):
        value = L.poisson(library.array([0]), library.array([target]))
        assert library.plain(value) == 1


@pytest.mark.failure(41)
def test_any_finite_scale_of_the_logits_gives_a_finite_loss(library):
    for scale in (1e10, 1e20, 1.5e38):
        logits, label = library.array([[scale, -scale]]), library.labels([1])
        value, slope = value_and_slope(library, L.cross_entropy, logits, label)
        assert value == np.float32(scale) * np.float32(2)
        assert slope.tolist() == [[1, -1]]


@pytest.mark.failure(48)
@pytest.mark.parametrize("logit", [-1000.0, 1000.0, 36.9, -37.5])
@pytest.mark.usefixtures("float64")
def test_every_entry_point_agrees_bitwise(library, logit):
    logit, one = library.array([logit], "float64"), library.array([1], "float64")
    for loss in (L.binary_cross_entropy, L.focal):
        value, slope = loss.value_and_gradient(logit, one)
        assert library.plain(value) == library.plain(loss(logit, one))
        assert library.plain(slope) == library.plain(loss.gradient(logit, one))
        assert library.plain(value) == library.plain(loss(logit, one, reduction="none"))[0]
        is_finite(*map(library.plain, (value, slope, loss.hessian(logit, one))))


@pytest.mark.failure(49)
@pytest.mark.usefixtures("float64")
def test_the_value_does_not_depend_on_the_type_of_number(library):
    for dtype in ("float16", "float32", "float64"):
        probabilities = library.array([[0, 1], [0.5, 0.5]], dtype)
        value = L.cross_entropy_from_probabilities(probabilities, library.labels([0, 1]))
        assert library.plain(value) == INF


@pytest.mark.failure(50)
@pytest.mark.parametrize(("dtype", "loss"), [("float32", 89.0), ("float16", 12.0)])
def test_perplexity_of_a_poor_model_does_not_overflow(dtype, loss):
    information = pytest.importorskip("lossary.information")
    log_probabilities = np.full(4, -loss, dtype=dtype)
    result = information.perplexity(log_probabilities, unit="nats")
    assert result == pytest.approx(math.exp(loss), rel=1e-13)


@pytest.mark.parametrize("exponent", [17, 18, 19, 30, 300])
@pytest.mark.parametrize(
    "name", ["info_nce", "cosine_margin", "seesaw", "label_distribution_margin"]
)
def test_logits_that_scaling_makes_alike_have_a_gradient(name, exponent):
    """What rounding has put below the peak may be far above it, and no exponential overflows."""
    steps = np.random.default_rng(0).integers(-3, 3, (500, 4))
    logits = 10.0**exponent * (1 + steps * 2.0**-52)
    slope = L.catalogue[name].gradient(logits, np.zeros(500, int), reduction="none")
    assert np.isfinite(slope).all()
