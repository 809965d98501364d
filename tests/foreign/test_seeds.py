"""What the seed articles say about losses, item by item: formulas, examples, advice and errata.

Each formula is evaluated as its item prints it, by mpmath or plain Python, not by the library.
The theory (items 1 to 10) is in test_information.py, the experiments in test_studies.py.
"""

import math

import numpy as np
import pytest

import lossary as L
from foreign import exact, ulps, worst_ulps
from lossary import class_weights
from lossary.domain import Real, Unit
from lossary.functions import log, sigmoid

LOGITS = np.array([-30.0, -4.0, -1.5, -0.25, 0.0, 0.5, 1.0, 2.5, 7.0, 25.0])
PROBABILITIES = np.array([0.01, 0.2, 0.5, 0.75, 0.999])
PREDICTIONS = np.array([2.5, 0.0, 2.0, 8.0, -0.3, 1.0])
TARGETS = np.array([3.0, -0.5, 2.0, 7.0, 1.25, 4.0])


def mp(values):
    return [exact.mpf(float(v)) for v in values]


def g(z):
    """The logistic function as articles print it."""
    return 1 / (1 + exact.exp(-z))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def pairs(*arrays):
    return list(zip(*(mp(a) for a in arrays), strict=True))


def rows(matrix):
    return [mp(row) for row in matrix]


def softmax(row):
    return [exact.exp(x) / sum(exact.exp(y) for y in row) for x in row]


def same(actual, expected, limit=4):
    assert worst_ulps(actual, expected) <= limit


# ------------------------------------------------------------------ 11-19: cross-entropy's theory


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


@L.loss(source="Nielsen 2015, Neural Networks and Deep Learning, ch. 3")
def quadratic_neuron(weight: Real, bias: Real, x: Real, target: Unit):
    """Quadratic cost of one sigmoid neuron, as a function of its weight."""
    return (target - sigmoid(weight * x + bias)) ** 2 / 2


@L.loss(source="Nielsen 2015, Neural Networks and Deep Learning, ch. 3")
def quadratic_neuron_by_bias(bias: Real, weight: Real, x: Real, target: Unit):
    """Quadratic cost of one sigmoid neuron, as a function of its bias."""
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
def test_a_loss_is_the_deviation_of_the_prediction_and_vanishes_with_it():
    for loss in L.catalogue.values():
        if "zero_at_target" in loss.promises and loss.family == "regression":
            assert (loss(TARGETS, TARGETS, reduction="none") == 0).all(), loss.name
            assert (loss(TARGETS + 0.25, TARGETS, reduction="none") > 0).all(), loss.name


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


# ------------------------------------------------------------ 20-31: classification, item by item


@pytest.mark.seed(20, "E11")
def test_the_weight_of_binary_cross_entropy_scales_elements_not_classes():
    p, t = np.array([[0.9, 0.2], [0.4, 0.7], [0.5, 0.1]]), np.array([[1.0, 0], [0, 1], [1, 0]])
    w = np.array([[1.0, 2.0], [0.5, 0.0], [3.0, 1.0]])
    terms = [
        -v * (y * exact.log(o) + (1 - y) * exact.log(1 - o))
        for o, y, v in pairs(p.ravel(), t.ravel(), w.ravel())
    ]
    loss = L.binary_cross_entropy_from_probability
    assert ulps(loss(p, t, weight=w, reduction="sum"), sum(terms)) <= 4
    # torch divides by the number of elements, whatever the weights; that is a denominator here.
    assert ulps(loss(p, t, weight=w, denominator=p.size), sum(terms) / p.size) <= 4
    torch = pytest.importorskip("torch")
    peer = torch.nn.BCELoss(weight=torch.tensor(w))(torch.tensor(p), torch.tensor(t))
    assert ulps(peer, sum(terms) / p.size) <= 16


@pytest.mark.seed(21, 24)
def test_binary_cross_entropy_on_logits_merges_the_sigmoid():
    targets = np.array([1.0, 0, 1, 0, 1, 0, 1, 0, 1, 0])
    terms = [
        -(y * exact.log(g(z)) + (1 - y) * exact.log(1 - g(z))) for z, y in pairs(LOGITS, targets)
    ]
    same(L.binary_cross_entropy(LOGITS, targets, reduction="none"), terms)


@pytest.mark.seed(21)
def test_a_positive_weight_above_one_pushes_towards_recall_below_one_towards_precision():
    logit, positive, negative = np.array([0.4]), np.array([1.0]), np.array([0.0])

    def pull(target, p):
        return abs(L.binary_cross_entropy.gradient(logit, target, positive_weight=p)[0])

    assert pull(positive, 5.0) == pytest.approx(5 * pull(positive, 1.0), rel=1e-15)
    assert pull(positive, 0.2) == pytest.approx(0.2 * pull(positive, 1.0), rel=1e-15)
    assert pull(negative, 5.0) == pull(negative, 0.2) == pull(negative, 1.0)


@pytest.mark.seed(22, "E22")
def test_cross_entropy_weighs_classes_and_leaves_ignored_samples_out_of_the_denominator():
    x = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0], [2.0, 2.0, -1.0], [0.5, 0.25, 4.0]])
    y, w = np.array([0, 2, -100, 1]), np.array([1.0, 10.0, 2.0])
    kept = [
        (w[c], -exact.mpf(row[c]) + exact.log(sum(exact.exp(v) for v in mp(row))))
        for row, c in zip(x, y, strict=True)
        if c != -100
    ]
    expected = sum(v * loss for v, loss in kept) / sum(v for v, _ in kept)
    value = L.cross_entropy(x, y, class_weight=w, ignore_index=-100)
    assert ulps(value, expected) <= 8
    assert L.cross_entropy(x, y, ignore_index=-100, reduction="none")[2] == 0
    torch = pytest.importorskip("torch")
    peer = torch.nn.CrossEntropyLoss(weight=torch.tensor(w))(torch.tensor(x), torch.tensor(y))
    assert ulps(peer, expected) <= 16


@pytest.mark.seed(23)
def test_soft_margin_divides_by_the_number_of_elements():
    x, y = (
        np.array([[1.5, -0.5], [0.25, -2.0], [3.0, 0.0]]),
        np.array([[1.0, 1], [-1, -1], [1, -1]]),
    )
    terms = [exact.log(1 + exact.exp(-t * v)) for v, t in pairs(x.ravel(), y.ravel())]
    assert ulps(L.soft_margin(x, y), sum(terms) / 6) <= 4
    assert ulps(L.soft_margin(x[:, 0], y[:, 0]), sum(terms[::2]) / 3) <= 4
    grown = L.soft_margin(np.array([0.5, 1.0, 2.0]), np.ones(3), reduction="none")
    assert (np.diff(grown) < 0).all()  # same sign: falls as the product grows
    assert L.soft_margin(np.array([1.0]), np.array([-1.0])) > grown[1]


@pytest.mark.seed(24)
def test_softmax_cross_entropy_is_a_softmax_and_then_a_sum():
    logits, labels = np.array([[0.5, 1.5, -1.0]]), np.array([[0.125, 0.75, 0.125]])
    step_1 = softmax(mp(logits[0]))
    step_2 = -sum(t * exact.log(p) for t, p in zip(mp(labels[0]), step_1, strict=True))
    assert ulps(L.soft_cross_entropy(logits, labels, reduction="none")[0], step_2) <= 8


@pytest.mark.seed(25, 55, 65, "E18")
def test_multi_label_probabilities_need_not_sum_to_one():
    person = np.array([0.9, 0.6, 0.3])  # a person, a man, a woman
    for held in ([1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]):
        terms = [exact.log(p if y else 1 - p) for p, y in pairs(person, held)]
        value = L.binary_cross_entropy_from_probability(person, np.array(held))
        assert ulps(value, -mean(terms)) <= 4
    with pytest.raises(L.DomainError, match="sum"):
        L.cross_entropy_from_probabilities(person, np.array(0))


@pytest.mark.seed("E18")
def test_outputs_of_the_binary_loss_do_not_compete_and_those_of_cross_entropy_do():
    logits, raised = np.array([[1.0, 0.5, -0.5]]), np.array([[1.0, 3.5, -0.5]])
    target = np.array([[1.0, 0.0, 0.0]])
    apart = [L.binary_cross_entropy(v, target, reduction="none")[0, 0] for v in (logits, raised)]
    assert apart[0] == apart[1]
    assert L.soft_cross_entropy(raised, target) > L.soft_cross_entropy(logits, target)


@pytest.mark.seed(26)
def test_categorical_cross_entropy_takes_one_hot_labels():
    p = np.array([[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]])
    one_hot = np.eye(3)[[1, 2]]
    values = L.soft_cross_entropy_from_probabilities(p, one_hot, reduction="none")
    same(values, [-exact.log(exact.mpf(0.95)), -exact.log(exact.mpf(0.1))])


@pytest.mark.seed(26, 27, "E9")
def test_integer_and_one_hot_labels_are_the_same_labels():
    logits = np.random.default_rng(6).normal(size=(5, 4))
    labels = np.array([0, 3, 1, 1, 2])
    sparse = L.cross_entropy(logits, labels, reduction="none")
    dense = L.soft_cross_entropy(logits, np.eye(4)[labels], reduction="none")
    assert (sparse == dense).all()
    weight = np.array([1.0, 0.5, 4.0, 2.0])
    sparse = L.cross_entropy(logits, labels, class_weight=weight)
    dense = L.soft_cross_entropy(logits, np.eye(4)[labels], class_weight=weight)
    assert sparse == pytest.approx(dense, rel=1e-15)
    # [1, 0, 0] is label 0, not 3.
    p = np.array([[0.7, 0.2, 0.1]])
    first = L.cross_entropy_from_probabilities(p, np.array([0]))
    assert first == L.soft_cross_entropy_from_probabilities(p, np.array([[1.0, 0.0, 0.0]]))


@pytest.mark.seed(27)
def test_sparse_labels_classify_every_pixel():
    image = np.random.default_rng(7).normal(size=(2, 4, 5, 3))
    labels = np.random.default_rng(8).integers(0, 3, size=(2, 4, 5))
    values = L.cross_entropy(image, labels, reduction="none")
    assert values.shape == (2, 4, 5)
    flat = L.cross_entropy(image.reshape(-1, 3), labels.ravel(), reduction="none")
    assert (values.ravel() == flat).all()


@pytest.mark.seed(28)
def test_label_smoothing_lowers_the_weight_of_the_true_label_and_keeps_confidence_finite():
    logits, label, e = np.array([[3.0, 0.0, 0.0]]), np.array([0]), exact.mpf(0.1)
    p = softmax(mp(logits[0]))
    target = [1 - e + e / 3, e / 3, e / 3]
    expected = -sum(t * exact.log(q) for t, q in zip(target, p, strict=True))
    assert ulps(L.cross_entropy(logits, label, label_smoothing=0.1), expected) <= 8
    # Unsmoothed, more confidence is always better; smoothed, there is a best confidence.
    confident = [np.array([[v, 0.0, 0.0]]) for v in (1.0, 3.0, 6.0, 20.0)]
    sharp = [L.cross_entropy(x, label) for x in confident]
    smooth = [L.cross_entropy(x, label, label_smoothing=0.1) for x in confident]
    assert (np.diff(sharp) < 0).all()
    assert smooth[3] > smooth[2] > smooth[1] < smooth[0]


@pytest.mark.seed(29, 49, "E21")
@pytest.mark.parametrize("name", ["auto", "AUTO", "elementwise_mean", "batchmean"])
def test_a_reduction_that_is_not_ours_is_refused_with_those_that_are(name):
    with pytest.raises(ValueError, match=r"mean.*sum.*none|none.*mean.*sum"):
        L.squared_error(PREDICTIONS, TARGETS, reduction=name)


@pytest.mark.seed(30, 66)
def test_balanced_cross_entropy_weighs_each_class_by_the_count_of_the_other():
    m, n = 30, 970
    targets = np.array([1.0] * 5 + [0.0] * 5)
    terms = [
        -(exact.mpf(n) / (m + n)) * exact.log(g(z))
        if y
        else -(exact.mpf(m) / (m + n)) * exact.log(1 - g(z))
        for z, y in pairs(LOGITS, targets)
    ]
    values = L.balanced_cross_entropy(LOGITS, targets, positives=m, negatives=n, reduction="none")
    same(values, terms)
    # Over the whole data set both classes then weigh the same.
    logits, labels = np.zeros(m + n), np.r_[np.ones(m), np.zeros(n)]
    values = L.balanced_cross_entropy(logits, labels, positives=m, negatives=n, reduction="none")
    assert values[:m].sum() == pytest.approx(values[m:].sum(), rel=1e-13)


@pytest.mark.seed(30)
def test_the_weights_of_unbalanced_classes_from_their_counts():
    n = [90, 9, 1]
    inverse = class_weights.inverse_frequency(n)
    same(inverse, [exact.mpf(100) / (3 * k) for k in n])
    assert inverse * n == pytest.approx(np.full(3, 100 / 3), rel=1e-15)
    for beta in (0.9, 0.999):  # Cui et al. 2019: (1 - beta^n) / (1 - beta) examples count
        b = exact.mpf(beta)
        weights = [(1 - b) / (1 - b**k) for k in n]
        expected = [3 * w / sum(weights) for w in weights]
        same(class_weights.effective_number(n, beta=beta), expected, 16)
    # A positive weight of negatives / positives makes both classes weigh the same.
    targets = np.array([1.0, 0, 0, 0, 0])
    weight = class_weights.positive_weight(positives=1, negatives=4)
    slopes = L.binary_cross_entropy.gradient(np.zeros(5), targets, positive_weight=weight)
    assert slopes[0] == -4 * slopes[1]


@pytest.mark.seed(31)
def test_focal_is_the_formula_of_its_paper():
    targets = np.array([1.0] * 5 + [0.0] * 5)
    for gamma, alpha in ((2.0, None), (0.5, 0.25), (5.0, 0.75)):
        terms = []
        for z, y in pairs(LOGITS, targets):
            p_t = g(z) if y else 1 - g(z)
            alpha_t = 1 if alpha is None else exact.mpf(alpha) if y else 1 - exact.mpf(alpha)
            terms.append(-alpha_t * (1 - p_t) ** exact.mpf(gamma) * exact.log(p_t))
        values = L.focal(LOGITS, targets, gamma=gamma, alpha=alpha, reduction="none")
        same(values, terms, 4 * (1 + gamma))


# -------------------------------------------------------------------------- 32, 33: divergence


@pytest.mark.seed(32, 33)
def test_divergence_from_probabilities_and_from_their_logarithms():
    q, p = (
        np.array([[0.1, 0.1, 0.8], [0.5, 0.25, 0.25]]),
        np.array([[0.2, 0.3, 0.5], [0.25, 0.5, 0.25]]),
    )
    sums = [
        sum(a * exact.log(a / b) for a, b in zip(*row, strict=True))
        for row in zip(rows(p), rows(q), strict=True)
    ]
    same(L.kl_divergence_from_probabilities(q, p, reduction="none"), sums, 8)
    logs = np.log(q)
    sums = [
        sum(a * (exact.log(a) - b) for a, b in zip(*row, strict=True))
        for row in zip(rows(p), rows(logs), strict=True)
    ]
    same(L.kl_divergence(logs, p, reduction="none"), sums, 8)
    torch = pytest.importorskip("torch")
    peer = torch.nn.KLDivLoss(reduction="batchmean")(torch.tensor(logs), torch.tensor(p))
    assert peer.item() == pytest.approx(L.kl_divergence(logs, p), rel=1e-14)


# -------------------------------------------------------------------- 34-39: regression, as printed


@pytest.mark.seed(34)
def test_absolute_error_has_four_names_and_ranges_from_zero_to_infinity():
    terms = [abs(t - p) for p, t in pairs(PREDICTIONS, TARGETS)]
    same(L.absolute_error(PREDICTIONS, TARGETS, reduction="none"), terms)
    assert ulps(L.absolute_error(PREDICTIONS, TARGETS), mean(terms)) <= 4
    for name in ("keras.losses.MAE", "keras.losses.MeanAbsoluteError", "torch.nn.L1Loss",
                 "torch.nn.functional.l1_loss", "tf.keras.losses.mean_absolute_error"):  # fmt: skip
        assert L.find(name).name == "absolute_error"


@pytest.mark.seed(35, "E17")
def test_percentage_error_is_a_hundred_times_the_relative_error_in_size():
    terms = [100 * abs((t - p) / t) for p, t in pairs(PREDICTIONS, TARGETS)]
    same(L.absolute_percentage_error(PREDICTIONS, TARGETS, reduction="none"), terms)
    # The first formula printed, 100 |t - p| / t, rewards errors on negative targets.
    p, t = -1.0, -2.0
    assert 100 * abs(t - p) / t < 0
    assert L.absolute_percentage_error(np.array([p]), np.array([t])) == 50


@pytest.mark.seed(36, 37)
@pytest.mark.parametrize("delta", [0.1, 0.5, 1.0, 10.0])
def test_huber_turns_linear_at_delta(delta):
    d = exact.mpf(delta)
    terms = [
        (t - p) ** 2 / 2 if abs(t - p) <= d else d * (abs(t - p) - d / 2)
        for p, t in pairs(PREDICTIONS, TARGETS)
    ]
    same(L.huber(PREDICTIONS, TARGETS, delta=delta, reduction="none"), terms)
    beyond, within = np.array([3 * delta]), np.array([delta / 3])
    assert L.huber.gradient(beyond, np.zeros(1), delta=delta) == delta
    assert L.huber.gradient(within, np.zeros(1), delta=delta) == delta / 3


@pytest.mark.seed(37)
@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0, 10.0])
def test_smooth_l1_switches_at_beta(beta):
    b = exact.mpf(beta)
    terms = [
        (t - p) ** 2 / (2 * b) if abs(t - p) < b else abs(t - p) - b / 2
        for p, t in pairs(PREDICTIONS, TARGETS)
    ]
    same(L.smooth_l1(PREDICTIONS, TARGETS, beta=beta, reduction="none"), terms)
    assert L.smooth_l1.gradient(np.array([3 * beta]), np.zeros(1), beta=beta) == 1


@pytest.mark.seed(38, "E10")
def test_squared_error_is_a_mean_of_squares_not_their_sum():
    terms = [(t - p) ** 2 for p, t in pairs(PREDICTIONS, TARGETS)]
    same(L.squared_error(PREDICTIONS, TARGETS, reduction="none"), terms)
    assert ulps(L.squared_error(PREDICTIONS, TARGETS), mean(terms)) <= 4
    assert ulps(L.squared_error(PREDICTIONS, TARGETS, reduction="sum"), sum(terms)) <= 4
    assert L.find("tf.keras.losses.MSE").name == L.find("torch.nn.MSELoss").name == "squared_error"


@pytest.mark.seed(39)
def test_squared_log_error_compares_logarithms_of_one_more():
    predictions, targets = np.abs(PREDICTIONS), np.abs(TARGETS)
    terms = [(exact.log(t + 1) - exact.log(p + 1)) ** 2 for p, t in pairs(predictions, targets)]
    same(L.squared_log_error(predictions, targets, reduction="none"), terms)
    assert L.find("tf.keras.losses.MSLE").name == "squared_log_error"


# ---------------------------------------------------------------- 40-47: margins and similarities

SCORES = np.array([[0.6, 0.4, -1.0], [-0.3, 2.0, 1.5], [-1.0, -2.0, -0.5]])
LABELS = np.array([1, 1, 0])


@pytest.mark.seed(40, 41)
def test_hinges_are_means_of_what_lacks_to_the_margin():
    labels = np.array([0, 1, 1, 0, 1, 0])
    signs = 2.0 * labels - 1  # the conversion that Keras makes silently
    lacks = [max(1 - s * p, exact.mpf(0)) for p, s in pairs(PREDICTIONS, signs)]
    same(L.hinge(PREDICTIONS, signs, reduction="none"), lacks)
    same(L.squared_hinge(PREDICTIONS, signs, reduction="none"), [v**2 for v in lacks])
    assert ulps(L.hinge(PREDICTIONS, signs), mean(lacks)) <= 4
    keras = pytest.importorskip("keras")
    peer = keras.losses.hinge(labels.astype(float), PREDICTIONS)
    assert float(peer) == pytest.approx(float(mean(lacks)), rel=1e-6)


@pytest.mark.seed(42)
def test_categorical_hinge_is_negative_minus_positive_plus_one():
    y = np.eye(3)[LABELS]
    terms = []
    for scores, target in zip(rows(SCORES), rows(y), strict=True):
        neg = max((1 - t) * s for s, t in zip(scores, target, strict=True))
        pos = sum(t * s for s, t in zip(scores, target, strict=True))
        terms.append(max(neg - pos + 1, 0))
    same(L.categorical_hinge(SCORES, y, reduction="none"), terms)


@pytest.mark.seed(43)
@pytest.mark.parametrize("margin", [1.0, 2.5])
def test_hinge_embedding_is_the_distance_or_what_lacks_to_the_margin(margin):
    x, y = np.array([0.0, 0.5, 1.0, 3.0] * 2), np.array([1.0] * 4 + [-1.0] * 4)
    terms = [d if s == 1 else max(0, margin - d) for d, s in pairs(x, y)]
    same(L.hinge_embedding(x, y, margin=margin, reduction="none"), terms)


@pytest.mark.seed(44)
def test_the_multi_class_hinge_sums_over_wrong_classes():
    terms = [
        sum(max(0, s - row[y] + 1) for k, s in enumerate(row) if k != y)
        for row, y in zip(rows(SCORES), LABELS, strict=True)
    ]
    summed = L.multi_margin(SCORES, LABELS, reduction="none") * 3  # torch divides by the classes
    same(summed, terms)
    binary = L.hinge(np.array([-0.5, 0.5, 2.0]), np.array([1.0, -1.0, 1.0]), reduction="none")
    assert binary.tolist() == [1.5, 1.5, 0.0]


@pytest.mark.seed(45, "E15")
def test_cosine_similarity_is_minus_the_product_of_unit_vectors_in_minus_one_to_one():
    a = np.array([[1.0, 2.0, -0.5], [3.0, 0.0, 4.0], [0.25, 0.5, 1.0]])
    b = np.array([[0.5, -1.0, 2.0], [3.0, 1.0, 4.0], [-1.0, 0.0, 2.0]])

    def unit(v):
        return [x / exact.sqrt(sum(y * y for y in v)) for x in v]

    terms = [
        -sum(x * y for x, y in zip(unit(u), unit(v), strict=True))
        for u, v in zip(rows(a), rows(b), strict=True)
    ]
    same(L.cosine_similarity(a, b, reduction="none"), terms, 8)
    assert L.cosine_similarity(a, a) == pytest.approx(-1, rel=1e-15)
    assert L.cosine_similarity(a, -a) == pytest.approx(1, rel=1e-15)
    assert L.cosine_similarity(a, 0 * a) == 0


@pytest.mark.seed(46)
@pytest.mark.parametrize("margin", [0.0, 0.5, -1.0])
def test_cosine_embedding_pulls_pairs_together_or_apart(margin):
    a, b = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [0, 2], [-1, 1]])
    cosines = [1 / exact.sqrt(2), exact.mpf(0), -1 / exact.sqrt(2)]
    like = L.cosine_embedding(a, b, np.ones(3), margin=margin, reduction="none")
    same(like, [1 - c for c in cosines], 8)
    unlike = L.cosine_embedding(a, b, -np.ones(3), margin=margin, reduction="none")
    same(unlike, [max(exact.mpf(0), c - margin) for c in cosines], 8)
    with pytest.raises(L.DomainError, match=r"margin.*\[-1, 1\]"):
        L.cosine_embedding(a, b, np.ones(3), margin=1.5)


@pytest.mark.seed(47)
def test_the_other_similarities():
    a, b = np.array([[4.0, 0.0, 2.0, 1.0]]), np.array([[3.0, 1.0, 2.5, 0.0]])
    (x,), (y,) = rows(a), rows(b)

    def dot(u, v):
        return sum(p * q for p, q in zip(u, v, strict=True))

    def centred(u):
        return [v - sum(u) / len(u) for v in u]

    p, q = centred(x), centred(y)
    expected = {
        "euclidean_distance": exact.sqrt(sum((u - v) ** 2 for u, v in zip(x, y, strict=True))),
        "cosine_distance": 1 - dot(x, y) / exact.sqrt(dot(x, x) * dot(y, y)),
        "pearson_distance": 1 - dot(p, q) / exact.sqrt(dot(p, p) * dot(q, q)),
        "tanimoto_distance": 1 - dot(x, y) / (dot(x, x) + dot(y, y) - dot(x, y)),
    }
    for name, value in expected.items():
        assert ulps(L.catalogue[name](a, b), value) <= 32, name  # 1 - 0.96 costs bits


# ------------------------------------------------------------------------------ 48-50: reductions


@pytest.mark.seed(48, 49, "E3", "E6")
@pytest.mark.filterwarnings("ignore:.*size_average and reduce args:UserWarning")
def test_the_old_flags_of_torch_are_the_three_reductions():
    flags = {
        "none": ({"reduce": False, "size_average": True}, {"reduce": False, "size_average": False}),
        "mean": ({"reduce": True, "size_average": True}, {"size_average": True}, {}),
        "sum": ({"reduce": True, "size_average": False}, {"size_average": False}),
    }
    torch = pytest.importorskip("torch")
    for reduction, choices in flags.items():
        ours = np.asarray(L.absolute_error(PREDICTIONS, TARGETS, reduction=reduction))
        for choice in choices:
            peer = torch.nn.L1Loss(**choice)(torch.tensor(PREDICTIONS), torch.tensor(TARGETS))
            np.testing.assert_allclose(ours, peer.numpy(), rtol=1e-15)


@pytest.mark.seed(49, "E6")
def test_reductions_are_one_loss_under_three_summaries():
    every = L.absolute_error(PREDICTIONS, TARGETS, reduction="none")
    assert ulps(L.absolute_error(PREDICTIONS, TARGETS, reduction="sum"), sum(mp(every))) <= 2
    assert ulps(L.absolute_error(PREDICTIONS, TARGETS, reduction="mean"), mean(mp(every))) <= 2
    assert L.absolute_error(PREDICTIONS, TARGETS) == L.absolute_error(
        PREDICTIONS, TARGETS, reduction="mean"
    )


@pytest.mark.seed(50)
def test_only_losses_of_whole_samples_give_one_number_per_sample():
    batch = np.random.default_rng(9).normal(size=(7, 3))
    labels = np.zeros(7, dtype=int)
    assert L.cross_entropy(batch, labels, reduction="none").shape == (7,)
    assert L.euclidean_distance(batch, batch + 1, reduction="none").shape == (7,)
    assert L.squared_error(batch, batch, reduction="none").shape == (7, 3)


# -------------------------------------------------------------------------- 51-56: worked examples

PRINTED = np.array([[1.2566, -1.9265, -0.0638]])


@pytest.mark.seed(51)
def test_the_cross_entropy_of_the_printed_logits():
    label, one_hot = np.array([2]), np.array([[0.0, 0.0, 1.0]])
    by_hand = exact.log(sum(exact.exp(v) for v in mp(PRINTED[0]))) - exact.mpf(PRINTED[0, 2])
    assert exact.nstr(by_hand, 7) == "1.58927"
    logs = PRINTED - np.log(np.exp(PRINTED).sum())
    for value in (
        L.cross_entropy(PRINTED, label),
        L.soft_cross_entropy(PRINTED, one_hot),
        L.negative_log_likelihood(logs, label),
    ):
        assert f"{value:.4f}" == "1.5893"
        assert ulps(value, by_hand) <= 8


@pytest.mark.seed(51)
def test_the_articles_program_runs_as_it_stands():
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng():
        torch.manual_seed(2020)
        y = torch.empty(1, dtype=torch.long).random_(3)
        logits = torch.randn(1, 3, requires_grad=True)
    assert y.tolist() == [2]
    np.testing.assert_allclose(logits.detach().numpy(), PRINTED, atol=5e-5)
    value = L.cross_entropy(logits, y)
    assert f"{value.item():.4f}" == "1.5893"
    value.backward()
    assert logits.grad.sum().abs() <= 1e-7


@pytest.mark.seed(52)
def test_the_sparse_example_of_keras():
    y_true, y_pred = np.array([1, 2]), np.array([[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    loss = L.cross_entropy_from_probabilities
    values = loss(y_pred, y_true, reduction="none")
    assert [f"{v:.7f}" for v in values] == ["0.0512933", "2.3025851"]
    assert [f"{v:.4g}" for v in values] == ["0.05129", "2.303"]
    assert f"{loss(y_pred, y_true):.3f}" == "1.177"
    assert f"{loss(y_pred, y_true, reduction='sum'):.3f}" == "2.354"
    # Keras divides the weighted sum by the number of samples.
    weighted = loss(y_pred, y_true, weight=np.array([0.3, 0.7]), denominator=2)
    assert f"{weighted:.7f}" == "0.8135988"


@pytest.mark.seed(53, "E7", "E8")
def test_labels_count_from_zero_and_must_fit_the_columns():
    four, five = np.full((4, 4), 0.25), np.full((4, 5), 0.2)
    loss = L.cross_entropy_from_probabilities
    assert ulps(loss(four, np.array([1, 2, 1, 3])), exact.log(4)) <= 4
    assert ulps(loss(five, np.array([1, 2, 3, 4])), -exact.log(exact.mpf(0.2))) <= 4
    with pytest.raises(L.DomainError, match=r"label.*4.*\(2,\)"):
        loss(four, np.array([1, 2, 4, 4]))
    with pytest.raises(L.DomainError, match=r"label.*3.*\(1,\)"):
        loss(np.full((2, 3), 1 / 3), np.array([1, 3]))  # no extra column for "neither"


@pytest.mark.seed(54, 67)
def test_one_outlier_among_ten_dominates_squared_error():
    predictions, truth = np.array([1.0] * 9 + [1000.0]), np.ones(10)
    assert L.squared_error(predictions, truth) == pytest.approx(999**2 / 10, rel=1e-15)
    assert f"{L.squared_error(predictions, truth):.1f}" == "99800.1"
    assert f"{L.absolute_error(predictions, truth):.1f}" == "99.9"
    share = L.squared_error.gradient(predictions, truth)
    assert share[9] == share.sum()
    assert L.huber.gradient(predictions, truth)[9] == pytest.approx(0.1, rel=1e-15)


@pytest.mark.seed(56)
def test_the_constants_of_the_torch_documentation():
    value = L.binary_cross_entropy(np.full((10, 64), 1.5), np.ones((10, 64)))
    assert f"{value:.4f}" == "0.2014"
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng():
        torch.manual_seed(283)
        logits, target = torch.randn(3, 5), torch.randn(3, 5)
    with pytest.raises(L.DomainError, match="target"):
        L.soft_cross_entropy(logits, target)
    unchecked = L.soft_cross_entropy(logits.double(), target.double(), check=False)
    assert unchecked.item() == pytest.approx(4.6379876, abs=2e-6)
    value = L.soft_cross_entropy(logits, target.softmax(dim=1))
    assert value.item() == pytest.approx(2.5534906, abs=2e-6)


# ------------------------------------------------------------------------------ 63-71: advice


def advice(name):
    record = L.catalogue[name]
    return f"{record.choose} {' '.join(record.traps)}".lower()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param(name, words, id=f"{name}-{number}", marks=pytest.mark.seed(number))
        for number, name, words in (
            (63, "half_squared_error", ("linear output", "sigmoid", "saturated", "slow")),
            (63, "binary_cross_entropy", ("sigmoid", "two classes")),
            (63, "cross_entropy", ("exclude each other", "logits")),
            (64, "binary_cross_entropy", ("two classes", "multi-label")),
            (64, "soft_margin", ("binary", "-1 and 1")),
            (65, "binary_cross_entropy", ("several labels", "do not exclude each other")),
            (65, "multi_label_soft_margin", ("several labels",)),
            (65, "cross_entropy", ("exclude each other", "integers")),
            (65, "soft_cross_entropy", ("one-hot",)),
            (66, "balanced_cross_entropy", ("imbalance", "hard examples", "focal")),
            (66, "focal", ("hard", "difficulty", "frequency")),
            (67, "absolute_error", ("outliers are corruption",)),
            (67, "squared_error", ("large errors are the signal", "anomalies")),
            (67, "huber", ("robust", "cross-validation")),
            (68, "smooth_l1", ("detectors", "box regression")),
            (68, "squared_error", ("converges faster", "depends")),
            (69, "squared_error", ("outlier",)),
            (69, "absolute_error", ("constant gradient", "minimum", "kink")),
            (69, "huber", ("squared error for the bulk", "absolute error for outliers")),
            (70, "absolute_error", ("median", "outliers")),
            (70, "squared_error", ("mean", "regression")),
            (71, "cosine_similarity", ("direction", "magnitude")),
        )
    ],
)
def test_a_record_carries_the_advice(name, words):
    text = advice(name)
    assert all(word in text for word in words), text


@pytest.mark.seed(68, 69, "E12")
def test_the_gradient_of_squared_error_is_the_larger_one_only_beyond_a_half():
    zero = np.zeros(5)
    errors = np.array([0.01, 0.25, 0.5, 0.75, 20.0])
    squared = L.squared_error.gradient(errors, zero, reduction="sum")
    absolute = L.absolute_error.gradient(errors, zero, reduction="sum")
    assert (absolute == 1).all()
    assert (np.sign(squared - absolute) == [-1, -1, 0, 1, 1]).all()


@pytest.mark.seed(69)
def test_a_constant_gradient_misses_the_minimum_and_a_shrinking_one_does_not():
    def descend(loss):
        x = np.array([1.03])
        for _ in range(200):
            x = x - 0.1 * loss.gradient(x, np.zeros(1))
        return abs(x[0])

    assert descend(L.absolute_error) > 0.02  # steps back and forth over it
    assert descend(L.squared_error) < 1e-15
    assert descend(L.huber) < 1e-8


# ------------------------------------------------------------------------------ errata


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
def test_the_name_says_whether_logits_or_probabilities_are_meant():
    no_other = {"jensen_shannon", "total_variation_distance", "brier", "multiclass_brier"}
    for name, loss in L.catalogue.items():
        first = loss.inputs[0].name
        of_probabilities = first in ("probability", "probabilities")
        assert ("probabilit" in name) == of_probabilities or name in no_other, name
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
