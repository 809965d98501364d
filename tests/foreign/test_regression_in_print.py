"""Losses of numbers, margins and directions as articles and manuals print them."""

import numpy as np
import pytest

import lossary as L
from foreign import exact, ulps
from in_print import PREDICTIONS, TARGETS, mean, pairs, rows, same

SCORES = np.array([[0.6, 0.4, -1.0], [-0.3, 2.0, 1.5], [-1.0, -2.0, -0.5]])
LABELS = np.array([1, 1, 0])


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
