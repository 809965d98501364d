"""Losses of classes as articles and manuals print them, evaluated by mpmath or by hand."""

import numpy as np
import pytest

import lossary as L
from foreign import exact, ulps
from in_print import LOGITS, PREDICTIONS, TARGETS, g, mean, mp, pairs, rows, same, softmax
from lossary import class_weights


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
