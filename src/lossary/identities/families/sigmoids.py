"""Identities of sigmoids: their two sides, powers, logarithms and slopes."""

from __future__ import annotations

from lossary.functions import (
    absolute,
    bernoulli_cross_entropy,
    exp,
    expm1,
    log,
    log1mexp,
    log1p,
    log_cosh_difference,
    log_ratio,
    log_sigmoid,
    log_softplus,
    maximum,
    shifted_focal,
    sigmoid,
    sigmoid_cross_entropy,
    sigmoid_cross_entropy_slope,
    sigmoid_focal,
    sigmoid_power,
    sigmoid_quality_focal,
    softplus,
    tanh,
    where,
)
from lossary.identities.rules import identity

SIGMOIDS = (
    identity("sigmoid", lambda x: 1 / (1 + exp(-x)), lambda x: sigmoid(x)),
    identity("one of two", lambda x, y: exp(x) / (exp(x) + exp(y)), lambda x, y: sigmoid(x - y)),
    identity("sigmoid by tanh", lambda x: 1 + tanh(x), lambda x: 2 * sigmoid(2 * x)),
    identity("other side of tanh", lambda x: 1 - tanh(x), lambda x: 2 * sigmoid(-2 * x)),
    identity("tanh by a sigmoid", lambda x: 2 * sigmoid(x) - 1, lambda x: tanh(x / 2)),
    identity("tanh by exponentials", lambda x: expm1(x) * sigmoid(-x), lambda x: tanh(x / 2)),
    identity(
        "ratio of two sigmoids",
        lambda x, y: log_ratio(sigmoid(x), sigmoid(y)),
        lambda x, y: softplus(-y) - softplus(-x),
    ),
    identity(
        "gap of a power of a sigmoid",
        lambda x, p: 1 - sigmoid_power(x, p),
        lambda x, p: -expm1(-p * softplus(-x)),
    ),
    identity("other side", lambda x: 1 - sigmoid(x), lambda x: sigmoid(-x)),
    identity("tail", lambda x: exp(x) * sigmoid(-x), lambda x: sigmoid(x)),
    identity("power of sigmoid", lambda x, p: sigmoid(x) ** p, lambda x, p: sigmoid_power(x, p)),
    identity("log sigmoid", lambda x: log(sigmoid(x)), lambda x: -softplus(-x)),
    identity("log_sigmoid", lambda x: log_sigmoid(x), lambda x: -softplus(-x)),
    identity("log of the other side", lambda x: log1p(-sigmoid(x)), lambda x: -softplus(x)),
    identity(
        "log between two sigmoids",
        lambda x, y: log(sigmoid(x) - sigmoid(y)),
        lambda x, y: log1mexp(x - y) - softplus(-x) - softplus(y),
    ),
    identity(
        "log between two sigmoids of one scale",
        lambda x, y, z, s: log(sigmoid((x - z) / s) - sigmoid((y - z) / s)),
        lambda x, y, z, s: log1mexp((x - y) / s) - softplus((z - x) / s) - softplus((y - z) / s),
    ),
    identity(
        "log between two sigmoids of sums over one scale",
        lambda x, y, s: log(sigmoid(x / s) - sigmoid(y / s)),
        lambda x, y, s: log1mexp((x - y) / s) - softplus(-x / s) - softplus(y / s),
    ),
    identity("softplus", lambda x: log1p(exp(x)), lambda x: softplus(x)),
    identity(
        "softplus by size",
        lambda x: maximum(x, 0) + softplus(-absolute(x)),
        lambda x: softplus(x),
    ),
    identity(
        "log of two exponentials",
        lambda x, y: log(exp(x) + exp(y)),
        lambda x, y: where(
            x - y < 0,
            y + softplus(x - y),
            # At a tie each has half of the slope; infinite ones have no difference.
            where(x - y > 0, x + softplus(y - x), x / 2 + y / 2 + log(2)),
        ),
    ),
    identity(
        "softplus of a scaled difference",
        lambda x, y, z, b: softplus(b * x - b * y + z),
        lambda x, y, z, b: softplus(b * (x - y) + z),
        b="Positive",
    ),
    identity(
        "softplus of a difference of products",
        lambda x, y, b: softplus(b * x - b * y),
        lambda x, y, b: softplus(b * (x - y)),
        b="Positive",
    ),
    identity("mirrored softplus", lambda x: softplus(x) - x, lambda x: softplus(-x)),
    identity("log softplus", lambda x: log(softplus(x)), lambda x: log_softplus(x)),
    identity("odds", lambda x: softplus(x) - softplus(-x), lambda x: x),
    identity(
        "both sides",
        lambda x: softplus(x) + softplus(-x),
        lambda x: 2 * log_cosh_difference(absolute(x) / 2, 0) + 2 * log(2),
    ),
    identity(
        "one side and half of the other",
        lambda x: softplus(-x) + softplus(x) / 2,
        lambda x: sigmoid_cross_entropy(x, 0.5, 2, 1),
    ),
    identity("exp of softplus", lambda x: exp(-softplus(x)), lambda x: sigmoid(-x)),
    identity(
        "cross-entropy of log-odds",
        lambda x, t: softplus(x) - t * x,
        lambda x, t: sigmoid_cross_entropy(x, t, 1, 1),
        t="any",
    ),
    identity(
        "binary cross-entropy",
        lambda x, t, w, n: w * t * softplus(-x) + n * (1 - t) * softplus(x),
        lambda x, t, w, n: sigmoid_cross_entropy(x, t, w, n),
    ),
    identity(
        "complement of a target",
        lambda x, t, w, n: sigmoid_cross_entropy(x, 1 - t, w, n),
        lambda x, t, w, n: sigmoid_cross_entropy(-x, t, n, w),
    ),
    identity(
        "equal weights",
        lambda x, t, w: sigmoid_cross_entropy(x, t, w, w),
        lambda x, t, w: w * sigmoid_cross_entropy(x, t, 1, 1),
    ),
    identity(
        "target of 0 or 1",
        lambda x, t: sigmoid_cross_entropy(x, t, 1, 1),
        lambda x, t: softplus(where(t == 1, -x, x)),
        t="Binary Binaries",
    ),
    identity(
        "cross-entropy of a probability",
        lambda p, t: t * log(p) + (1 - t) * log1p(-p),
        lambda p, t: -bernoulli_cross_entropy(p, t),
    ),
    identity(
        "sigmoid less target",
        lambda x, t: sigmoid(x) - t,
        lambda x, t: sigmoid_cross_entropy_slope(x, t, 1, 1),
        t="Unit Binary Binaries",
    ),
    identity(
        "soft focal",
        lambda x, t, g: (
            (t * sigmoid(-x) + (1 - t) * sigmoid(x)) ** g * sigmoid_cross_entropy(x, t, 1, 1)
        ),
        lambda x, t, g: sigmoid_focal(x, t, g),
    ),
    identity(
        "soft focal by p_t",
        lambda x, t, g: (
            (1 - t * sigmoid(x) - (1 - t) * sigmoid(-x)) ** g * sigmoid_cross_entropy(x, t, 1, 1)
        ),
        lambda x, t, g: sigmoid_focal(x, t, g),
    ),
)

QUALITIES = (
    identity(
        "probability of a target of 0 or 1",
        lambda x, t: t * sigmoid(x) + (1 - t) * sigmoid(-x),
        lambda x, t: sigmoid(where(t == 1, x, -x)),
        t="Binary Binaries",
    ),
    identity(
        "absent and shifted",
        lambda x, g, m: (
            maximum(sigmoid_cross_entropy_slope(x, m, 1, 1), 0) ** g
            * log1p(-maximum(sigmoid_cross_entropy_slope(x, m, 1, 1), 0))
        ),
        lambda x, g, m: -shifted_focal(x, g, m),
    ),
    identity(
        "quality focal",
        lambda x, t, p: (
            absolute(sigmoid_cross_entropy_slope(x, t, 1, 1)) ** p
            * sigmoid_cross_entropy(x, t, 1, 1)
        ),
        lambda x, t, p: sigmoid_quality_focal(x, t, p),
    ),
)
