"""Identities along the classes: softmax, its logarithms, sums and entries."""

from __future__ import annotations

from math import inf

from lossary.functions import (
    argpeak,
    class_count,
    cross_entropy_at,
    cross_entropy_of_any,
    cross_entropy_share,
    cross_entropy_with,
    exp,
    is_class,
    log,
    log1p,
    log1p_total_exp,
    log_ratio,
    log_softmax,
    logsumexp,
    mean_cross_entropy,
    peak,
    pick,
    softmax,
    softmax_complement,
    softmax_complement_power_at,
    softmax_cross_entropy,
    softmax_error_rate,
    softmax_focal,
    softmax_minus,
    softmax_minus_one_hot,
    softmax_power_gap,
    total,
    where,
)
from lossary.identities.rules import POSITIVE, identity

CLASSES = (
    identity("logsumexp", lambda X: log(total(exp(X))), lambda X: logsumexp(X)),
    identity(
        "logsumexp over",
        lambda X, y: log_ratio(total(exp(X)), y),
        lambda X, y: logsumexp(X) - log(y),
    ),
    identity(
        "scaled logsumexp",
        lambda X, c: log(c * total(exp(X))),
        lambda X, c: logsumexp(X) + log(c),
        c=POSITIVE,
    ),
    identity(
        "less an entry", lambda X, k: logsumexp(X - pick(X, k)), lambda X, k: cross_entropy_at(X, k)
    ),
    identity(
        "exponentials of the other classes",
        lambda X, k: where(is_class(k), 0, exp(X)),
        lambda X, k: exp(where(is_class(k), -inf, X)),
    ),
    identity(
        "sum of the other exponentials",
        lambda X, k: total(exp(X)) - exp(pick(X, k)),
        lambda X, k: total(exp(where(is_class(k), -inf, X))),
    ),
    identity(
        "sum of the other scaled exponentials",
        lambda X, k, s: total(exp(s * X)) - exp(s * pick(X, k)),
        lambda X, k, s: total(exp(where(is_class(k), -inf, s * X))),
    ),
    identity(
        "share beside other exponentials",
        lambda x, Y: log_ratio(exp(x), exp(x) + total(exp(Y))),
        lambda x, Y: -log1p_total_exp(Y - x),
    ),
    identity(
        "log of all but one class",
        lambda X, k: log(softmax_complement_power_at(X, k, 1)),
        lambda X, k: (
            -cross_entropy_of_any(where(is_class(k), -inf, X), where(is_class(k), X, -inf))
        ),
    ),
    identity(
        "log of all but one class over",
        lambda X, k, y: log_ratio(softmax_complement_power_at(X, k, 1), y),
        lambda X, k, y: log(softmax_complement_power_at(X, k, 1)) - log(y),
    ),
    identity("logsumexp beside 0", lambda X: log1p(total(exp(X))), lambda X: log1p_total_exp(X)),
    identity("chosen by a factor", lambda x, c: where(c, 1, 0) * x, lambda x, c: where(c, x, 0)),
    identity("left out by a factor", lambda x, c: where(c, 0, 1) * x, lambda x, c: where(c, 0, x)),
    identity(
        "logsumexp of some beside 0",
        lambda X, B: log1p(total(B * exp(X))),
        lambda X, B: log1p_total_exp(where(B > 0, X, -inf)),
        B="Binaries",
    ),
    identity(
        "logsumexp of the others beside 0",
        lambda X, B: log1p(total((1 - B) * exp(X))),
        lambda X, B: log1p_total_exp(where(B > 0, -inf, X)),
        B="Binaries",
    ),
    identity(
        "logsumexp of the chosen beside 0",
        lambda X, c: log1p(total(where(c, exp(X), 0))),
        lambda X, c: log1p_total_exp(where(c, X, -inf)),
    ),
    identity(
        "logsumexp of the left out beside 0",
        lambda X, c: log1p(total(where(c, 0, exp(X)))),
        lambda X, c: log1p_total_exp(where(c, -inf, X)),
    ),
    identity(
        "logsumexp of differences of one temperature",
        lambda x, Y, s: log1p_total_exp(Y / s - x / s),
        lambda x, Y, s: log1p_total_exp((Y - x) / s),
        s="Positive",
    ),
    identity("softmax", lambda X: exp(X) / total(exp(X)), lambda X: softmax(X)),
    identity(
        "entry of softmax",
        lambda X, k: exp(pick(X, k)) / total(exp(X)),
        lambda X, k: pick(softmax(X), k),
    ),
    identity(
        "entry of a scaled softmax",
        lambda X, k, s: exp(s * pick(X, k)) / total(exp(s * X)),
        lambda X, k, s: pick(softmax(s * X), k),
    ),
    identity(
        "scaled cross-entropy",
        lambda X, k, s: logsumexp(s * X) - s * pick(X, k),
        lambda X, k, s: cross_entropy_at(s * X, k),
    ),
    identity("shifted softmax", lambda X: softmax(X - peak(X)), lambda X: softmax(X)),
    identity(
        "shifted logsumexp", lambda X: logsumexp(X - peak(X)), lambda X: logsumexp(X) - peak(X)
    ),
    identity("exp of log_softmax", lambda X: exp(log_softmax(X)), lambda X: softmax(X)),
    identity("log softmax", lambda X: log(softmax(X)), lambda X: log_softmax(X)),
    identity(
        "log of a ratio of softmaxes",
        lambda X, Y: log_ratio(softmax(X), softmax(Y)),
        lambda X, Y: log_softmax(X) - log_softmax(Y),
    ),
    identity(
        "log of the largest share",
        lambda X: log(peak(softmax(X))),
        lambda X: -cross_entropy_at(X, argpeak(X)),
    ),
    # True with any class for the largest: with that, what is left of both is what they differ by.
    identity(
        "log of a sum of squared shares",
        lambda X: log(total(softmax(X) * softmax(X))),
        lambda X: cross_entropy_at(2 * X, argpeak(X)) - 2 * cross_entropy_at(X, argpeak(X)),
    ),
    identity(
        "log of a sum of powers of shares",
        lambda X, p: log(total(softmax(X) ** p)),
        lambda X, p: cross_entropy_at(p * X, argpeak(X)) - p * cross_entropy_at(X, argpeak(X)),
    ),
    identity("log_softmax", lambda X: X - logsumexp(X), lambda X: log_softmax(X)),
    identity(
        "log of an entry",
        lambda X, k: log(pick(softmax(X), k)),
        lambda X, k: -cross_entropy_at(X, k),
    ),
    identity(
        "entry of log_softmax",
        lambda X, k: pick(log_softmax(X), k),
        lambda X, k: -cross_entropy_at(X, k),
    ),
    identity(
        "cross-entropy",
        lambda X, k: logsumexp(X) - pick(X, k),
        lambda X, k: cross_entropy_at(X, k),
    ),
    identity("other classes", lambda X: 1 - softmax(X), lambda X: softmax_complement(X)),
    identity(
        "all but one class",
        lambda X, k: 1 - pick(softmax(X), k),
        lambda X, k: softmax_complement_power_at(X, k, 1),
    ),
    identity(
        "entry of the other classes",
        lambda X, k: pick(softmax_complement(X), k),
        lambda X, k: softmax_complement_power_at(X, k, 1),
    ),
    identity(
        "power of all but one",
        lambda X, k, p: softmax_complement_power_at(X, k, 1) ** p,
        lambda X, k, p: softmax_complement_power_at(X, k, p),
    ),
    identity(
        "all but a power of one class",
        lambda X, k, q: 1 - pick(softmax(X), k) ** q,
        lambda X, k, q: softmax_power_gap(X, k, q),
    ),
    identity(
        "softmax less one-hot",
        lambda X, k: softmax(X) - where(is_class(k), 1, 0),
        lambda X, k: softmax_minus_one_hot(X, k),
    ),
    identity(
        "softmax less target",
        lambda X, T: softmax(X) - T,
        lambda X, T: softmax_minus(X, T),
        T="Simplex",
    ),
    identity(
        "softmax of a mass less target",
        lambda X, T: softmax(X) * total(T) - T,
        lambda X, T: softmax_minus(X, T),
    ),
    identity(
        "soft cross-entropy",
        lambda X, T: total(T * log_softmax(X)),
        lambda X, T: -cross_entropy_with(X, T),
    ),
    identity(
        "soft cross-entropy by logsumexp",
        lambda X, T: logsumexp(X) - total(T * X),
        lambda X, T: cross_entropy_with(X, T),
        T="Simplex",
    ),
    identity(
        "soft categorical focal",
        lambda X, T, p: total(T * softmax_complement(X) ** p * log_softmax(X)),
        lambda X, T, p: -softmax_focal(X, T, p),
    ),
    identity(
        "mass elsewhere",
        lambda X, T: total(T * softmax_complement(X)),
        lambda X, T: softmax_error_rate(X, T),
    ),
    identity(
        "Gini impurity of a softmax",
        lambda X: 1 - total(softmax(X) * softmax(X)),
        lambda X: softmax_error_rate(X, softmax(X)),
    ),
    identity(
        "cross-entropy of two softmaxes",
        lambda Y, X: cross_entropy_with(X, softmax(Y)),
        lambda Y, X: softmax_cross_entropy(Y, X),
    ),
    identity(
        "mass not here",
        lambda X, T: 1 - total(T * softmax(X)),
        lambda X, T: softmax_error_rate(X, T),
        T="Simplex",
    ),
    identity(
        "share of the cross-entropies",
        lambda X, k: cross_entropy_at(X, k) / total(log_softmax(X)),
        lambda X, k: -cross_entropy_share(X, k),
    ),
    identity(
        "mean cross-entropy",
        lambda X: total(log_softmax(X)) / class_count(),
        lambda X: -mean_cross_entropy(X),
    ),
    identity(
        "mean cross-entropy by logsumexp",
        lambda X: logsumexp(X) - total(X) / class_count(),
        lambda X: mean_cross_entropy(X),
    ),
)
