"""Identities of divergences between distributions."""

from __future__ import annotations

from lossary.functions import (
    affinity_gap,
    alpha_gap,
    exp,
    exp_minus_exp,
    geometric_mean,
    jeffreys_term,
    jensen_gap,
    log,
    log_affinity,
    log_ratio,
    log_relative_entropy,
    log_softmax,
    log_weighted_affinity,
    power_sum_gap,
    rate_divergence,
    relative_entropy,
    relative_entropy_term,
    root_difference,
    root_distance,
    sigmoid,
    sigmoid_cross_entropy,
    sigmoid_divergence,
    softmax,
    softmax_change,
    softmax_divergence,
    softmax_jensen_gap,
    softplus,
    sqrt,
    square_over,
    squared_root_difference,
    total,
    weighted_affinity_gap,
    weighted_geometric_mean,
    where,
)
from lossary.identities.rules import POSITIVE, identity, square

AMOUNT = "NonNegative Positive Unit OpenUnit Simplex"
COUNTED = "NonNegative Unit Units Simplex"
"""Sets of amounts that may be 0."""


DIVERGENCES = (
    identity(
        "relative entropy of yes and no",
        lambda x, y: (
            sigmoid(x) * (softplus(-y) - softplus(-x)) + sigmoid(-x) * (softplus(y) - softplus(x))
        ),
        lambda x, y: sigmoid_divergence(x, y),
    ),
    identity(
        "cross-entropy of yes and no less entropy",
        lambda x, y: (
            sigmoid_cross_entropy(y, sigmoid(x), 1, 1) - sigmoid_cross_entropy(x, sigmoid(x), 1, 1)
        ),
        lambda x, y: sigmoid_divergence(x, y),
    ),
    identity(
        "root of a product",
        lambda x, y: sqrt(x * y),
        lambda x, y: geometric_mean(x, y),
        x=AMOUNT,
        y=AMOUNT,
    ),
    identity(
        "difference of roots",
        lambda x, y: sqrt(x) - sqrt(y),
        lambda x, y: root_difference(x, y),
        x=AMOUNT,
        y=AMOUNT,
    ),
    identity(
        "square of a difference of roots",
        lambda x, y: root_difference(x, y) * root_difference(x, y),
        lambda x, y: squared_root_difference(x, y),
    ),
    identity(
        "distance of roots",
        lambda X, Y: sqrt(total(squared_root_difference(X, Y))),
        lambda X, Y: root_distance(X, Y),
        X=AMOUNT,
        Y=AMOUNT,
    ),
    identity(
        "scaled distance of roots",
        lambda X, Y, c: sqrt(c * total(squared_root_difference(X, Y))),
        lambda X, Y, c: sqrt(c) * root_distance(X, Y),
        X=AMOUNT,
        Y=AMOUNT,
        c=POSITIVE,
    ),
    identity(
        "Hellinger",
        lambda P, Q: 1 - total(geometric_mean(P, Q)),
        lambda P, Q: affinity_gap(P, Q),
        P="Simplex",
        Q="Simplex",
    ),
    identity(
        "Hellinger distance",
        lambda P, Q: sqrt(affinity_gap(P, Q)),
        lambda P, Q: root_distance(P, Q) / sqrt(2),
        P="Simplex",
        Q="Simplex",
    ),
    identity(
        "Bhattacharyya",
        lambda P, Q: log(total(geometric_mean(P, Q))),
        lambda P, Q: log_affinity(P, Q),
        P="Simplex",
        Q="Simplex",
    ),
    identity(
        "weighted geometric mean",
        lambda x, y, a: x**a * y ** (1 - a),
        lambda x, y, a: weighted_geometric_mean(x, y, a),
        x=AMOUNT,
        y=AMOUNT,
    ),
    identity(
        "Chernoff's affinity",
        lambda P, Q, a: 1 - total(weighted_geometric_mean(P, Q, a)),
        lambda P, Q, a: weighted_affinity_gap(P, Q, a),
        P="Simplex",
        Q="Simplex",
    ),
    identity(
        "Chernoff and Rényi",
        lambda P, Q, a: log(total(weighted_geometric_mean(P, Q, a))),
        lambda P, Q, a: log_weighted_affinity(P, Q, a),
        P="Simplex",
        Q="Simplex",
    ),
    identity(
        "chi-square",
        lambda x, y: (x - y) * (x - y) / y,
        lambda x, y: square_over(x - y, y),
        x=COUNTED,
        y=COUNTED,
    ),
    identity(
        "triangular discrimination",
        lambda x, y: (x - y) * (x - y) / (x + y),
        lambda x, y: square_over(x - y, x + y),
        x=COUNTED,
        y=COUNTED,
    ),
    identity(
        "square of an amount over another",
        lambda x, y: x * x / y,
        lambda x, y: square_over(x, y),
        x=COUNTED,
        y=COUNTED,
    ),
    identity(
        "Tsallis",
        lambda P, q: 1 - total(P**q),
        lambda P, q: power_sum_gap(P, q),
        P="Simplex",
    ),
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
        "change of a softmax",
        lambda X, Y: softmax(X) - softmax(Y),
        lambda X, Y: softmax_change(Y, X, 1),
    ),
    identity(
        "Jeffreys of two softmaxes",
        lambda X, Y: total((log_softmax(X) - log_softmax(Y)) * softmax_change(Y, X, 1)),
        lambda X, Y: softmax_divergence(X, Y, 1) + softmax_divergence(Y, X, 1),
    ),
    identity(
        "Hellinger of two softmaxes",
        lambda X, Y: 1 - total(sqrt(softmax(X) * softmax(Y))),
        lambda X, Y: total(square(exp_minus_exp(log_softmax(X) / 2, log_softmax(Y) / 2))) / 2,
    ),
    identity(
        "Jensen-Shannon",
        lambda P, Q: relative_entropy(P, (P + Q) / 2) + relative_entropy(Q, (P + Q) / 2),
        lambda P, Q: 2 * total(jensen_gap(P, Q)),
    ),
    identity(
        "Jensen-Shannon of two softmaxes",
        lambda X, Y: total(jensen_gap(softmax(X), softmax(Y))),
        lambda X, Y: softmax_jensen_gap(X, Y),
    ),
    identity(
        "Jensen-Shannon in one sum",
        lambda P, Q: total(P * log_ratio(2 * P, P + Q) + Q * log_ratio(2 * Q, P + Q)),
        lambda P, Q: 2 * total(jensen_gap(P, Q)),
    ),
    identity(
        "Amari's divergence",
        lambda x, y, a: where(
            x + y > 0,
            where(
                a == 1,
                rate_divergence(x, y),
                where(
                    a == 0,
                    rate_divergence(y, x),
                    (a * x + (1 - a) * y - weighted_geometric_mean(x, y, a)) / (a * (1 - a)),
                ),
            ),
            0,
        ),
        lambda x, y, a: alpha_gap(x, y, a),
    ),
)
