"""What articles get wrong, and what is true instead."""

import numpy as np
import pytest

import lossary as L
from foreign import exact, ulps
from in_print import PREDICTIONS, TARGETS, quadratic_neuron_by_bias
from samples import each_loss


@pytest.mark.seed("E18")
def test_outputs_of_the_binary_loss_do_not_compete_and_those_of_cross_entropy_do():
    logits, raised = np.array([[1.0, 0.5, -0.5]]), np.array([[1.0, 3.5, -0.5]])
    target = np.array([[1.0, 0.0, 0.0]])
    apart = [L.binary_cross_entropy(v, target, reduction="none")[0, 0] for v in (logits, raised)]
    assert apart[0] == apart[1]
    assert L.soft_cross_entropy(raised, target) > L.soft_cross_entropy(logits, target)


@pytest.mark.seed("E1")
@pytest.mark.parametrize(("classes", "floor"), [(3, "0.5514"), (10, "1.4612"), (1000, "5.9095")])
def test_softmax_twice_has_a_floor_and_damped_gradients(classes, floor):
    perfect, label = np.eye(classes)[:1], np.array([0])
    value = L.cross_entropy(perfect, label)
    assert ulps(value, -1 + exact.log(exact.e + classes - 1)) <= 8
    assert f"{value:.4f}" == floor
    # By the chain rule through the first softmax p: d/dx_k = p_k (s_k - sum_j p_j s_j).
    logits = np.zeros((1, classes))
    p = np.full((1, classes), 1 / classes)
    slope = L.cross_entropy.gradient(p, label)
    twice = p * (slope - (p * slope).sum())
    once = L.cross_entropy.gradient(logits, label)
    assert twice == pytest.approx(once / classes, rel=1e-12)
    record = " ".join(L.cross_entropy.traps)
    assert "1.4612" in record
    assert "softmax twice" in record


@pytest.mark.seed("E2")
def test_a_mean_over_classes_too_is_a_tenth_of_the_loss():
    rng = np.random.default_rng(10)
    p = rng.dirichlet(np.ones(10), size=6)
    y = np.eye(10)[rng.integers(0, 10, size=6)]
    article = -np.mean(y * np.log(np.clip(p, 1e-10, 1.0)))  # names put right, bracket closed
    assert L.soft_cross_entropy_from_probabilities(p, y) == pytest.approx(10 * article, rel=1e-14)


@pytest.mark.seed("E4")
def test_the_limits_of_huber():
    p, t = np.array([3.0, -2.0, 0.5, 700.0]), np.array([1.0, 1.5, 0.25, -1.0])
    half = L.half_squared_error(p, t, reduction="none")
    assert (L.huber(p, t, delta=1e6, reduction="none") == half).all()
    size = np.abs(p - t)
    for delta in (1e-2, 1e-4, 1e-8):
        values = L.huber(p, t, delta=delta, reduction="none")
        assert values == pytest.approx(delta * size, rel=delta * 4)
        assert values.max() <= delta * size.max()
    text = " ".join(L.huber.traps).lower()
    assert "large delta" in text
    assert "half the squared error" in text


@pytest.mark.seed("E5")
def test_huber_is_linear_outside_and_smooth_inside_minus_one_to_one():
    errors = np.array([-7.0, -1.5, -0.5, 0.0, 0.5, 1.5, 7.0])
    slopes = L.huber.gradient(errors, np.zeros(7), reduction="sum")
    assert slopes.tolist() == [-1, -1, -0.5, 0, 0.5, 1, 1]


@pytest.mark.seed("E13")
def test_convexity_is_of_the_loss_and_the_model_together():
    z = np.linspace(-6, 6, 49)
    ones = np.ones(49)
    assert (L.binary_cross_entropy.hessian(z, ones, reduction="sum") > 0).all()
    assert (L.squared_error.hessian(z, ones, reduction="sum") > 0).all()
    # Through a sigmoid the quadratic cost is not convex in the logit ...
    a = 1 / (1 + np.exp(-z))
    assert np.diff(L.half_squared_error(a, ones, reduction="none"), n=2).min() < -1e-3
    # ... and with two layers, z = u v, cross-entropy is not convex in the weights either.
    both, middle = np.array([2.0 * 2.0, -2.0 * -2.0]), np.array([0.0 * 0.0])
    ends = L.binary_cross_entropy(both, np.ones(2))
    assert L.binary_cross_entropy(middle, np.ones(1)) > ends
    assert "convex" in L.binary_cross_entropy.promises & L.squared_error.promises


@pytest.mark.seed("E14")
@each_loss
def test_the_name_says_whether_logits_or_probabilities_are_meant(loss):
    no_other = {
        "alpha_divergence",
        "bhattacharyya",
        "jensen_shannon",
        "jeffreys",
        "total_variation_distance",
        "brier",
        "multiclass_brier",
        "squared_earth_mover",
    }
    of_probabilities = loss.inputs[0].name in ("probability", "probabilities")
    assert ("probabilit" in loss.name) == of_probabilities or loss.name in no_other


@pytest.mark.seed("E14")
def test_logits_are_refused_where_probabilities_are_meant():
    logits, label = np.array([[2.0, -1.0, 0.5]]), np.array([0])
    p = np.exp(logits) / np.exp(logits).sum()
    by_probability = L.cross_entropy_from_probabilities(p, label)
    assert L.cross_entropy(logits, label) == pytest.approx(by_probability, rel=1e-14)
    with pytest.raises(L.DomainError, match="logit"):
        L.cross_entropy_from_probabilities(logits, label)


@pytest.mark.seed("E16")
def test_the_hinge_is_unbounded_on_the_wrong_side_and_zero_only_on_the_right_one():
    scores = np.array([-100.0, -1.0, 0.0, 1.0, 100.0])
    values = L.hinge(scores, np.ones(5), reduction="none")
    assert values.tolist() == [101, 2, 1, 0, 0]


@pytest.mark.seed("E17", 37)
@pytest.mark.parametrize("width", [0.25, 1.0, 3.0])
def test_smooth_l1_is_huber_only_at_one(width):
    huber = L.huber(PREDICTIONS, TARGETS, delta=width, reduction="none")
    smooth = L.smooth_l1(PREDICTIONS, TARGETS, beta=width, reduction="none")
    assert huber == pytest.approx(width * smooth, rel=1e-14)
    assert (huber == smooth).all() == (width == 1)


@pytest.mark.seed("E19")
def test_the_speed_of_the_quadratic_cost_depends_on_saturation_on_both_sides():
    z = np.array([-9.0, 0.0, 9.0])
    speeds = [
        abs(
            quadratic_neuron_by_bias.gradient(np.array([v]), *map(np.array, ([0.0], [1.0], [0.5])))[
                0
            ]
        )
        for v in z
    ]
    assert speeds[0] < 1e-3
    assert speeds[2] < 1e-3
    wrong = quadratic_neuron_by_bias.gradient(z, *(np.full(3, v) for v in (0.0, 1.0, 0.0)))
    assert wrong[1] > 100 * wrong[2] > 0  # farther from 0, and slower
    right = L.binary_cross_entropy.gradient(z, np.zeros(3))
    assert (np.diff(right) > 0).all()


@pytest.mark.seed("E20")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_sum_of_exponentials_does_not_overflow(dtype):
    logits = np.array([[2000.0, 0.0, -2000.0]], dtype=dtype)
    values = [L.cross_entropy(logits, np.array([label])) for label in range(3)]
    assert values == [0, 2000, 4000]
    with np.errstate(over="ignore"):
        assert np.log(np.sum(np.exp(logits))) == np.inf  # the article's way
