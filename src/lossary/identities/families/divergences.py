"""Identities of divergences between distributions."""

from __future__ import annotations

from lossary.functions import (
    exp,
    jeffreys_term,
    jensen_gap,
    log,
    log_ratio,
    log_relative_entropy,
    log_softmax,
    relative_entropy,
    relative_entropy_term,
    softmax,
    softmax_divergence,
    total,
)
from lossary.identities.rules import POSITIVE, identity

DIVERGENCES = (
    identity(
        "relative entropy",
        lambda P, Q: total(P * log_ratio(P, Q)),
        lambda P, Q: relative_entropy(P, Q),
    ),
    identity(
        "relative entropy by the inverse ratio",
        lambda P, Q: total(P * log_ratio(Q, P)),
        lambda P, Q: -relative_entropy(P, Q),
    ),
    identity(
        "relative entropy by two logarithms",
        lambda P, Q: total(P * log(P) - P * log(Q)),
        lambda P, Q: relative_entropy(P, Q),
    ),
    identity(
        "relative entropy of log-probabilities",
        lambda P, X: total(P * (log(P) - X)),
        lambda P, X: total(relative_entropy_term(P, X)),
    ),
    identity(
        "relative entropy to a softmax",
        lambda P, X: relative_entropy(P, softmax(X)),
        lambda P, X: total(relative_entropy_term(P, log_softmax(X))),
    ),
    identity(
        "relative entropy, multiplied out",
        lambda P, X: total(P * log(P) - P * X),
        lambda P, X: total(relative_entropy_term(P, X)),
    ),
    identity(
        "relative entropy of a log-target",
        lambda Y, X: total(exp(Y) * (Y - X)),
        lambda Y, X: total(log_relative_entropy(Y, X)),
    ),
    identity(
        "relative entropy of a log-target, multiplied out",
        lambda Y, X: total(Y * exp(Y) - X * exp(Y)),
        lambda Y, X: total(log_relative_entropy(Y, X)),
    ),
    identity(
        "relative entropy of two softmaxes",
        lambda Y, X: total(softmax(Y) * (log_softmax(Y) - log_softmax(X))),
        lambda Y, X: softmax_divergence(Y, X, 1),
    ),
    identity(
        "relative entropy at a temperature",
        lambda Y, X, t: softmax_divergence(Y / t, X / t, 1),
        lambda Y, X, t: softmax_divergence(Y, X, t),
        t=POSITIVE,
    ),
    identity(
        "relative entropy of two softmaxes by their ratio",
        lambda Y, X: relative_entropy(softmax(Y), softmax(X)),
        lambda Y, X: softmax_divergence(Y, X, 1),
    ),
    identity(
        "Jeffreys",
        lambda P, Q: total((P - Q) * log_ratio(P, Q)),
        lambda P, Q: total(jeffreys_term(P, Q)),
    ),
    identity(
        "Jensen-Shannon",
        lambda P, Q: relative_entropy(P, (P + Q) / 2) + relative_entropy(Q, (P + Q) / 2),
        lambda P, Q: 2 * total(jensen_gap(P, Q)),
    ),
    identity(
        "Jensen-Shannon in one sum",
        lambda P, Q: total(P * log_ratio(2 * P, P + Q) + Q * log_ratio(2 * Q, P + Q)),
        lambda P, Q: 2 * total(jensen_gap(P, Q)),
    ),
)
