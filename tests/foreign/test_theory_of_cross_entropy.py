"""What articles derive of cross-entropy: where it comes from, why it learns where squares stall."""

import math

import numpy as np
import pytest

import lossary as L
from foreign import exact, ulps
from in_print import (
    LOGITS,
    TARGETS,
    g,
    mean,
    mp,
    pairs,
    quadratic_neuron_by_bias,
    rows,
    same,
    softmax,
)
from lossary.domain import Real, Unit
from lossary.functions import log, sigmoid
from samples import those

PROBABILITIES = np.array([0.01, 0.2, 0.5, 0.75, 0.999])


@L.loss(source="Nielsen 2015, Neural Networks and Deep Learning, ch. 3")
def quadratic_neuron(weight: Real, bias: Real, x: Real, target: Unit):
    """Quadratic cost of one sigmoid neuron, as a function of its weight."""
    return (target - sigmoid(weight * x + bias)) ** 2 / 2


@L.loss(source="Nielsen 2015, Neural Networks and Deep Learning, ch. 3")
def entropic_neuron(weight: Real, bias: Real, x: Real, target: Unit):
    """Cross-entropy cost of one sigmoid neuron, as a function of its weight."""
    a = sigmoid(weight * x + bias)
    return -(target * log(a) + (1 - target) * log(1 - a))


NEURON = (  # weight, bias, x, target; the first two are the article's starts
    (0.6, 0.9, 1.0, 0.0),
    (2.0, 2.0, 1.0, 0.0),
    (-1.0, 0.25, 0.5, 1.0),
    (0.5, -0.5, 2.0, 0.25),
)


@pytest.mark.seed(11)
def test_logistic_regression_gives_the_loss_of_one_sample_and_of_many():
    weights, samples = np.array([0.5, -2.0]), np.array([[1.0, 0.25], [2.0, 1.0], [-1.0, 0.5]])
    z, labels = samples @ weights, np.array([1.0, 0.0, 1.0])
    likelihood = [g(v) if y == 1 else 1 - g(v) for v, y in pairs(z, labels)]
    same(L.binary_cross_entropy(z, labels, reduction="none"), [-exact.log(p) for p in likelihood])
    assert ulps(L.binary_cross_entropy(z, labels), -mean(exact.log(p) for p in likelihood)) <= 4


@pytest.mark.seed(12, 20)
def test_binary_cross_entropy_is_the_average_of_both_logarithms():
    targets = np.array([1.0, 0.0, 0.0, 1.0, 0.3])
    terms = [
        -(y * exact.log(p) + (1 - y) * exact.log(1 - p)) for p, y in pairs(PROBABILITIES, targets)
    ]
    values = L.binary_cross_entropy_from_probability(PROBABILITIES, targets, reduction="none")
    same(values, terms)
    assert ulps(L.binary_cross_entropy_from_probability(PROBABILITIES, targets), mean(terms)) <= 4


@pytest.mark.seed(12)
def test_multi_class_cross_entropy_is_the_average_over_samples_of_the_sum_over_classes():
    p = np.array([[0.25, 0.5, 0.25], [0.125, 0.125, 0.75]])
    y = np.array([[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]])
    sums = [
        -sum(t * exact.log(q) for q, t in zip(*sample, strict=True))
        for sample in zip(rows(p), rows(y), strict=True)
    ]
    assert ulps(L.soft_cross_entropy_from_probabilities(p, y), mean(sums)) <= 4


@pytest.mark.seed(13)
@pytest.mark.parametrize(("weight", "bias", "x", "y"), NEURON)
def test_the_quadratic_cost_of_a_neuron_learns_in_proportion_to_the_activations_slope(
    weight, bias, x, y
):
    z = exact.mpf(weight) * x + bias
    by_bias = (g(z) - y) * g(z) * (1 - g(z))
    start = np.array([weight]), np.array([bias]), np.array([x]), np.array([y])
    assert ulps(quadratic_neuron.gradient(*start)[0], by_bias * x) <= 8
    start = start[1], start[0], *start[2:]
    assert ulps(quadratic_neuron_by_bias.gradient(*start)[0], by_bias) <= 8
    activation = np.array([float(g(z))])
    assert L.half_squared_error(activation, start[3])[()] == (float(g(z)) - y) ** 2 / 2


@pytest.mark.seed(13)
def test_the_quadratic_cost_of_a_batch_of_vectors_is_half_the_mean_squared_length():
    outputs, wanted = np.array([[0.9, 0.2], [0.5, 0.7]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    lengths = [
        sum((y - a) ** 2 for a, y in zip(*sample, strict=True))
        for sample in zip(rows(outputs), rows(wanted), strict=True)
    ]
    value = L.half_squared_error(outputs, wanted, denominator=len(outputs))
    assert ulps(value, sum(lengths) / (2 * len(outputs))) <= 4


@pytest.mark.seed(14)
@pytest.mark.parametrize(("weight", "bias", "x", "y"), NEURON)
def test_in_the_gradient_of_cross_entropy_the_activations_slope_cancels(weight, bias, x, y):
    z = exact.mpf(weight) * x + bias
    start = np.array([weight]), np.array([bias]), np.array([x]), np.array([y])
    assert ulps(entropic_neuron.gradient(*start)[0], x * (g(z) - y)) <= 16
    logit = np.array([float(z)])
    expected = g(exact.mpf(float(z))) - y
    assert ulps(L.binary_cross_entropy.gradient(logit, start[3])[0], expected) <= 4


@pytest.mark.seed(14)
def test_the_cross_entropy_gradient_of_a_batch_averages_inputs_times_errors():
    x, y = np.array([[1.0, 0.5], [-2.0, 1.0], [0.25, 3.0]]), np.array([1.0, 0.0, 1.0])
    weights = np.array([0.75, -0.5])
    by_logit = L.binary_cross_entropy.gradient(x @ weights, y)
    errors = [g(z) - t for z, t in pairs(x @ weights, y)]
    for column, slope in zip(x.T, by_logit @ x, strict=True):
        expected = mean(v * e for v, e in zip(mp(column), errors, strict=True))
        assert slope == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.seed(13, 14, 15, 16)
def test_the_derivations_hold_symbolically():
    sympy = pytest.importorskip("sympy")
    w, x, b, y, n = sympy.symbols("w x b y n", real=True)
    a = sympy.symbols("a", positive=True)
    z = w * x + b
    neuron = 1 / (1 + sympy.exp(-z))

    def equal(left, right):
        return sympy.simplify(left - right) == 0

    slope = sympy.diff(1 / (1 + sympy.exp(-n)), n).subs(n, z)
    assert equal(slope, neuron * (1 - neuron))
    quadratic = (y - neuron) ** 2 / 2
    assert equal(sympy.diff(quadratic, w), (neuron - y) * slope * x)
    assert equal(sympy.diff(quadratic, b), (neuron - y) * slope)
    entropic = -(y * sympy.log(neuron) + (1 - y) * sympy.log(1 - neuron))
    assert equal(sympy.diff(entropic, w), x * (neuron - y))
    assert equal(sympy.diff(entropic, b), neuron - y)
    # Backwards: ask for dC/db = a - y, divide by da/db = a (1 - a), integrate.
    back = sympy.integrate((a - y) / (a * (1 - a)), a)
    wanted = -(y * sympy.log(a) + (1 - y) * sympy.log(1 - a))
    assert equal(sympy.diff(back, a), sympy.diff(wanted, a))


@pytest.mark.seed(15)
def test_asking_for_the_gradient_a_minus_y_leads_to_binary_cross_entropy():
    a, y = PROBABILITIES, np.array([0.0, 1.0, 0.25, 1.0, 0.0])
    expected = [(p - t) / (p * (1 - p)) for p, t in pairs(a, y)]
    same(L.binary_cross_entropy_from_probability.gradient(a, y, reduction="sum"), expected)
    # The loss is the integral of that gradient, up to a constant: here from 1/2 to a, for y = 1.
    ones = np.ones(len(a))
    values = L.binary_cross_entropy_from_probability(a, ones, reduction="none")
    for p, value in zip(mp(a), values, strict=True):
        integral = exact.log(exact.mpf(1) / 2) - exact.log(p)  # of -1/a
        assert value - math.log(2) == pytest.approx(float(integral), rel=1e-14, abs=1e-15)


@pytest.mark.seed(16)
def test_the_log_likelihood_cost_of_a_softmax_is_cross_entropy():
    logits = np.array([[1.0, -0.5, 2.0], [0.0, 3.0, -1.0]])
    t = np.array([[0.0, 0.0, 1.0], [0.25, 0.5, 0.25]])
    costs = [
        -sum(k * exact.log(y) for k, y in zip(target, softmax(row), strict=True))
        for target, row in zip(rows(t), rows(logits), strict=True)
    ]
    same(L.soft_cross_entropy(logits, t, reduction="none"), costs, 8)
    # (softmax, log-likelihood) behaves like (sigmoid, cross-entropy): the gradient is y - t.
    slopes = [
        [y - k for y, k in zip(softmax(row), target, strict=True)]
        for target, row in zip(rows(t), rows(logits), strict=True)
    ]
    same(L.soft_cross_entropy.gradient(logits, t, reduction="sum"), slopes, 16)


@pytest.mark.seed(16)
def test_for_two_classes_softmax_is_binary_cross_entropy():
    both = np.stack([LOGITS, np.zeros_like(LOGITS)], axis=-1)
    labels = np.zeros(len(LOGITS), dtype=int)
    two = L.cross_entropy(both, labels, reduction="none")
    one = L.binary_cross_entropy(LOGITS, np.ones_like(LOGITS), reduction="none")
    same(two, mp(one))
    slopes = L.cross_entropy.gradient(both, labels, reduction="sum")[:, 0]
    same(slopes, mp(L.binary_cross_entropy.gradient(LOGITS, np.ones(10), reduction="sum")))


@pytest.mark.seed(17)
@those(lambda loss: "zero_at_target" in loss.promises and loss.family == "regression")
def test_a_loss_is_the_deviation_of_the_prediction_and_vanishes_with_it(loss):
    assert (loss(TARGETS, TARGETS, reduction="none") == 0).all()
    assert (loss(TARGETS + 0.25, TARGETS, reduction="none") > 0).all()


@pytest.mark.seed(17)
def test_minimising_squared_error_by_gradient_descent_fits_least_squares():
    rng = np.random.default_rng(5)
    table, truth = rng.normal(size=(40, 3)), np.array([1.0, -2.0, 0.5])
    wanted = table @ truth + 0.1 * rng.normal(size=40)
    fit = np.zeros(3)
    for _ in range(500):
        fit -= 0.2 * table.T @ L.squared_error.gradient(table @ fit, wanted)
    np.testing.assert_allclose(fit, np.linalg.lstsq(table, wanted)[0], rtol=1e-12)


@pytest.mark.seed(18)
def test_the_farther_the_prediction_the_larger_the_update_of_cross_entropy():
    updates = np.abs(L.binary_cross_entropy.gradient(LOGITS, np.ones(10), reduction="sum"))
    assert (np.diff(updates) < 0).all()  # from confidently wrong to confidently right
    saturated = L.binary_cross_entropy.gradient(np.array([-30.0]), np.array([1.0]))
    assert saturated == pytest.approx(-1, rel=1e-12)


@pytest.mark.seed(19, 66)
def test_balancing_weighs_by_class_and_focal_by_difficulty_in_the_gradient():
    easy, hard = np.array([4.0, -1.0])
    ones = np.ones(2)

    def ratio(loss, **options):
        slopes = np.abs(loss.gradient(np.array([hard, easy]), ones, **options))
        return slopes[0] / slopes[1]

    plain = ratio(L.binary_cross_entropy)
    balanced = ratio(L.balanced_cross_entropy, positives=1, negatives=999)
    assert balanced == pytest.approx(plain, rel=1e-14)  # one class, one weight
    ratios = [ratio(L.focal, gamma=gamma) for gamma in (0.0, 0.5, 1.0, 2.0, 5.0)]
    assert ratios[0] == pytest.approx(plain, rel=1e-14)
    assert (np.diff(ratios) > 0).all()
    assert ratios[3] > 100 * plain
