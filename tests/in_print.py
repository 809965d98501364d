"""Data and formulas as articles print them, evaluated by mpmath, not by the library."""

import numpy as np

import lossary as L
from foreign import exact, worst_ulps
from lossary.domain import Real, Unit
from lossary.functions import sigmoid

LOGITS = np.array([-30.0, -4.0, -1.5, -0.25, 0.0, 0.5, 1.0, 2.5, 7.0, 25.0])
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


@L.loss(source="Nielsen 2015, Neural Networks and Deep Learning, ch. 3")
def quadratic_neuron_by_bias(bias: Real, weight: Real, x: Real, target: Unit):
    """Quadratic cost of one sigmoid neuron, as a function of its bias."""
    return (target - sigmoid(weight * x + bias)) ** 2 / 2
