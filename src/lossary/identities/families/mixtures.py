"""Identities of mixtures: logarithms of weighted sums of exponentials and probabilities."""

from __future__ import annotations

from lossary.functions import (
    exp,
    is_class,
    log,
    log_inflated,
    log_mean_exp,
    log_mixture,
    pick,
    sigmoid,
    softmax,
    softplus,
    total,
    weighted_logsumexp,
    where,
)
from lossary.identities.rules import POSITIVE, identity

WEIGHTS = "Simplex Units NonNegative Positive ClassWeights"

MIXTURES = (
    identity(
        "weighted sum of exponentials",
        lambda X, W: log(total(W * exp(X))),
        lambda X, W: weighted_logsumexp(X, W),
        W=WEIGHTS,
    ),
    identity(
        "mean of weights by a softmax",
        lambda X, T: log(total(T * softmax(X))),
        lambda X, T: log_mixture(X, T),
        T="Simplex Units",
    ),
    identity(
        "a class or a label of noise",
        lambda X, k, c, d: log(c * pick(softmax(X), k) + d),
        lambda X, k, c, d: log_mixture(X, where(is_class(k), c + d, d)),
        c=POSITIVE,
        d=POSITIVE,
    ),
    identity(
        "mixture by logits",
        lambda X, Y: log(total(softmax(Y) * exp(X))),
        lambda X, Y: log_mean_exp(X, Y),
    ),
    identity(
        "scaled mixture by logits",
        lambda X, Y, c: log(c * total(softmax(Y) * exp(X))),
        lambda X, Y, c: log_mean_exp(X, Y) + log(c),
        c=POSITIVE,
    ),
    identity(
        "mixture of two by log-odds",
        lambda x, y, z: log(sigmoid(z) * exp(x) + sigmoid(-z) * exp(y)),
        lambda x, y, z: log(exp(x - softplus(-z)) + exp(y - softplus(z))),
    ),
    identity(
        "inflated by log-odds",
        lambda x, z: log(sigmoid(z) + sigmoid(-z) * exp(x)),
        lambda x, z: log_inflated(z, x),
    ),
)
