"""Half precision computes and returns float32: no sum stalls, no square overflows."""

import math

import numpy as np
import pytest

import lossary as L
from expectations import INF
from foreign import exact, ulps, worst_ulps
from libraries import value_and_slope


@pytest.mark.failure(12)
def test_a_large_vocabulary_in_half_precision(library):
    logits, label = library.array(np.zeros((1, 151936)), "float16"), library.labels([7])
    value, slope = value_and_slope(library, L.cross_entropy, logits, label)
    assert value.dtype == np.float32
    assert ulps(value, exact.log(151936)) <= 8
    assert slope.dtype == np.float16


@pytest.mark.failure(13)
def test_a_half_precision_mean_over_many_rows(library):
    logits, labels = library.array(np.zeros((60000, 4)), "float16"), library.labels([0] * 60000)
    value = library.plain(L.cross_entropy(logits, labels))
    assert value.dtype == np.float32
    assert ulps(value, exact.log(4)) <= 8


@pytest.mark.failure(14)
def test_label_smoothing_in_half_precision_over_a_large_vocabulary(library):
    logits = library.array(np.linspace(-20, 20, 50000)[None], "float16")
    value = library.plain(L.cross_entropy(logits, library.labels([0]), label_smoothing=0.1))
    stored = library.plain(logits)[0].astype(np.float64)
    log_total = 20 + math.log(math.fsum(np.exp(stored - 20)))
    true = 0.9 * (log_total - stored[0]) + 0.1 * (log_total - math.fsum(stored) / 50000)
    assert ulps(value, true) <= 8
    assert f"{true:.2f}" == "45.13"


@pytest.mark.failure(15)
def test_the_loss_of_bfloat16_is_float32(framework):
    logits, labels = framework.array(np.zeros((4096, 4)), "bfloat16"), framework.labels([3] * 4096)
    value = L.cross_entropy(logits, labels)
    assert framework.dtype(value) == "float32"
    assert ulps(framework.plain(value), exact.log(4)) <= 8


@pytest.mark.failure(16)
def test_the_square_of_a_half_precision_error_does_not_overflow(library):
    prediction, target = library.array([300, 0, 0, 0], "float16"), library.array([0] * 4, "float16")
    value = library.plain(L.squared_error(prediction, target))
    assert value == 22500
    assert value.dtype == np.float32


@pytest.mark.failure(20)
def test_certain_and_wrong_is_infinite_in_half_precision_too(library):
    probability, target = library.array([1], "float16"), library.array([0], "float16")
    value = L.binary_cross_entropy_from_probability(probability, target)
    assert library.plain(value) == INF


@pytest.mark.failure(51)
def test_a_probability_loss_runs_under_autocast():
    torch = pytest.importorskip("torch")
    probability = torch.tensor([0.25, 0.5], requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = L.binary_cross_entropy_from_probability(probability, torch.tensor([1.0, 0.0]))
    value.backward()
    assert value.dtype == torch.float32
    assert ulps(value.detach(), (exact.log(4) + exact.log(2)) / 2) <= 4
    assert worst_ulps(probability.grad, [-2, 1]) <= 4
