"""A record carries the advice of the articles, and the advice is true."""

import numpy as np
import pytest

import lossary as L


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
