"""The identities: on the left what authors write, on the right what is computed.

Each pair is the same real number for all symbols for which the left side is one. Left sides are in
normal form, in words that the other identities leave alone; where they are not,
`tests/language/test_identities.py` says so.
"""

from __future__ import annotations

from lossary.functions import (
    absolute,
    bernoulli_cross_entropy,
    biweight,
    box_iou,
    box_iou_gap,
    box_iou_power,
    box_iou_power_gap,
    centred,
    class_count,
    cosh,
    cosine,
    cosine_gap,
    cross_entropy_at,
    cross_entropy_share,
    cross_entropy_with,
    difference_of_squares,
    distance_difference,
    erf,
    excess,
    exp,
    exp_gap,
    exp_minus_exp,
    expm1,
    exponential_crps,
    fair_error,
    gamma_nll,
    gaussian_nll,
    gumbel_nll,
    hypot,
    is_class,
    jeffreys_term,
    jensen_gap,
    laplace_crps,
    laplace_nll,
    lgamma,
    log,
    log1mexp,
    log1p,
    log1p_difference,
    log1p_gap,
    log1p_odds_ratio,
    log1p_square,
    log1p_total_exp,
    log_box_iou,
    log_cosh_difference,
    log_gap,
    log_ndtr,
    log_normal_nll,
    log_odds,
    log_ratio,
    log_relative_entropy,
    log_sigmoid,
    log_softmax,
    log_softplus,
    logistic_crps,
    logistic_nll,
    logsumexp,
    maximum,
    mean_cross_entropy,
    ndtr,
    negative_binomial_nll,
    norm,
    normal_crps,
    one_minus_gaussian,
    peak,
    pi,
    pick,
    poisson_nll,
    poisson_rate_nll,
    power_complement,
    pseudo_huber,
    rate_divergence,
    ratio_gap,
    relative_entropy,
    relative_entropy_term,
    relative_error,
    scaled_softplus,
    shifted_focal,
    sigmoid,
    sigmoid_cross_entropy,
    sigmoid_cross_entropy_slope,
    sigmoid_focal,
    sigmoid_power,
    sigmoid_quality_focal,
    sinh,
    size_power,
    softmax,
    softmax_complement,
    softmax_complement_power_at,
    softmax_cross_entropy,
    softmax_divergence,
    softmax_error_rate,
    softmax_focal,
    softmax_minus,
    softmax_minus_one_hot,
    softmax_power_gap,
    softplus,
    sqrt,
    square_share,
    student_t_constant,
    student_t_nll,
    symmetric_error,
    tanh,
    tanimoto_gap,
    total,
    tweedie_nll,
    unit,
    where,
)
from lossary.identities.rivals import RIVALS
from lossary.identities.rules import identity
from lossary.identities.shares import SHARES

PROBABILITY = "Unit OpenUnit Simplex"
POSITIVE = "Positive"

SIGMOIDS = (
    identity("sigmoid", lambda x: 1 / (1 + exp(-x)), lambda x: sigmoid(x)),
    identity("logistic", lambda x: exp(x) / (1 + exp(x)), lambda x: sigmoid(x)),
    identity("one of two", lambda x, y: exp(x) / (exp(x) + exp(y)), lambda x, y: sigmoid(x - y)),
    identity("sigmoid by tanh", lambda x: 1 + tanh(x), lambda x: 2 * sigmoid(2 * x)),
    identity("other side of tanh", lambda x: 1 - tanh(x), lambda x: 2 * sigmoid(-2 * x)),
    identity("other side", lambda x: 1 - sigmoid(x), lambda x: sigmoid(-x)),
    identity("tail", lambda x: exp(x) * sigmoid(-x), lambda x: sigmoid(x)),
    identity("power of sigmoid", lambda x, p: sigmoid(x) ** p, lambda x, p: sigmoid_power(x, p)),
    identity("log sigmoid", lambda x: log(sigmoid(x)), lambda x: -softplus(-x)),
    identity("log_sigmoid", lambda x: log_sigmoid(x), lambda x: -softplus(-x)),
    identity("log of the other side", lambda x: log1p(-sigmoid(x)), lambda x: -softplus(x)),
    identity("softplus", lambda x: log1p(exp(x)), lambda x: softplus(x)),
    identity(
        "softplus by size",
        lambda x: maximum(x, 0) + softplus(-absolute(x)),
        lambda x: softplus(x),
    ),
    identity(
        "log of two exponentials",
        lambda x, y: log(exp(x) + exp(y)),
        lambda x, y: maximum(x, y) + softplus(-absolute(x - y)),
    ),
    identity(
        "softplus of a scaled difference",
        lambda x, y, z, b: softplus(b * x - b * y + z),
        lambda x, y, z, b: softplus(b * (x - y) + z),
        b=POSITIVE,
    ),
    identity(
        "softplus of a difference of products",
        lambda x, y, b: softplus(b * x - b * y),
        lambda x, y, b: softplus(b * (x - y)),
        b=POSITIVE,
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
        t="Unit",
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

LOGARITHMS = (
    identity("log1p", lambda x: log(1 + x), lambda x: log1p(x)),
    identity("expm1", lambda x: exp(x) - 1, lambda x: expm1(x)),
    identity("log exp", lambda x: log(exp(x)), lambda x: x),
    identity("log1p of expm1", lambda x: log1p(expm1(x)), lambda x: x),
    identity("log1mexp", lambda x: log(-expm1(x)), lambda x: log1mexp(-x)),
    identity("log of a quotient", lambda x, y: log(x / y), lambda x, y: log_ratio(x, y)),
    identity("log of twice a share", lambda x, y: log(2 * x / y), lambda x, y: log_ratio(2 * x, y)),
    identity(
        "difference of logarithms", lambda x, y: log(x) - log(y), lambda x, y: log_ratio(x, y)
    ),
    identity(
        "difference of log1p",
        lambda x, y: log1p(x) - log1p(y),
        lambda x, y: log1p_difference(x, y),
    ),
    identity(
        "log of a ratio of successors",
        lambda x, y: log_ratio(1 + x, 1 + y),
        lambda x, y: log1p_difference(x, y),
    ),
    identity("logit", lambda p: log(p) - log1p(-p), lambda p: log_ratio(p, 1 - p)),
    identity(
        "log of a student's t", lambda x, v: log1p(x * x / v), lambda x, v: log1p_square(x, v)
    ),
    identity("log of a Cauchy", lambda x: log1p(x * x), lambda x: log1p_square(x, 1)),
    identity(
        "difference of exponentials",
        lambda x, y: exp(x) - exp(y),
        lambda x, y: exp_minus_exp(x, y),
    ),
    identity(
        "odds ratio",
        lambda x, y: softplus(log_odds(y) - log_odds(x)),
        lambda x, y: log1p_odds_ratio(x, y),
    ),
    identity(
        "softplus with a factor",
        lambda x, c: log1p(c * exp(x)),
        lambda x, c: scaled_softplus(x, c),
        c=POSITIVE,
    ),
    identity("cosh", lambda x: exp(x) + exp(-x), lambda x: 2 * cosh(x)),
    identity("sinh", lambda x: exp_minus_exp(x, -x), lambda x: 2 * sinh(x)),
    identity("tanh", lambda x: sinh(x) / cosh(x), lambda x: tanh(x)),
    identity(
        "log cosh of a difference",
        lambda x, y: log(cosh(x - y)),
        lambda x, y: log_cosh_difference(x, y),
    ),
    identity("log cosh", lambda x: log(cosh(x)), lambda x: log_cosh_difference(x, 0)),
    identity("log of twice", lambda x: log(2 * cosh(x)), lambda x: log(cosh(x)) + log(2)),
    identity(
        "log cosh by softplus",
        lambda x: x + softplus(-2 * x) - log(2),
        lambda x: log(cosh(x)),
    ),
    identity(
        "logistic density",
        lambda x: x + 2 * softplus(-x),
        lambda x: 2 * log_cosh_difference(x / 2, 0) + 2 * log(2),
    ),
    identity(
        "power complement",
        lambda x, p: 1 - x**p,
        lambda x, p: power_complement(x, p),
        x=PROBABILITY,
    ),
    identity(
        "smooth pinball",
        lambda x, y, q, w: q * (y - x) + w * softplus((x - y) / w),
        lambda x, y, q, w: w * sigmoid_cross_entropy((x - y) / w, q, 1, 1),
        w=POSITIVE,
        q="OpenUnit Unit",
    ),
    identity("Poisson", lambda x, t: exp(x) - t * x, lambda x, t: poisson_nll(x, t)),
    identity(
        "Poisson of a rate",
        lambda x, t: x - t * log(x),
        lambda x, t: poisson_rate_nll(x, t),
        x="NonNegative Positive",
    ),
    identity(
        "Gaussian",
        lambda x, y, v: log(v) / 2 + (x - y) * (x - y) / (2 * v),
        lambda x, y, v: gaussian_nll(x, y, v),
    ),
)

DIFFERENCES = (
    identity("relative error", lambda x, y: (x - y) / y, lambda x, y: relative_error(x, y)),
    identity("ratio less one", lambda x, y: x / y - 1, lambda x, y: relative_error(x, y)),
    identity(
        "ratio of sizes", lambda x, y: absolute(x) / absolute(y), lambda x, y: absolute(x / y)
    ),
    identity(
        "difference of squares",
        lambda x, y: x * x - y * y,
        lambda x, y: difference_of_squares(x, y),
    ),
    identity("hypot", lambda x, y: sqrt(x * x + y * y), lambda x, y: hypot(x, y)),
    identity("hypot of 1", lambda x: sqrt(1 + x * x), lambda x: hypot(x, 1)),
    identity(
        "hypot of a ratio", lambda x, y: sqrt(1 + x * x / (y * y)), lambda x, y: hypot(x / y, 1)
    ),
    identity("pseudo-Huber", lambda x: hypot(x, 1) - 1, lambda x: pseudo_huber(x, 1)),
    identity(
        "Charbonnier", lambda x, y: hypot(x, y) - y, lambda x, y: pseudo_huber(x, y), y=POSITIVE
    ),
    identity(
        "far part of Huber",
        lambda x, d: d * absolute(x) - d * d / 2,
        lambda x, d: d * (absolute(x) - d / 2),
    ),
    identity("square of a size", lambda x: absolute(x) * absolute(x), lambda x: x * x),
    identity(
        "power of a size",
        lambda x, p: absolute(x) ** p,
        lambda x, p: size_power(x, p),
        p="Exponent",
    ),
    identity("root of a square", lambda x: sqrt(x * x), lambda x: absolute(x)),
    identity("root", lambda x: x**0.5, lambda x: sqrt(x)),
    identity("size by cases", lambda x: where(x < 0, -x, x), lambda x: absolute(x)),
    identity("positive part", lambda x: where(0 < x, x, 0), lambda x: maximum(x, 0)),
    identity(
        "pinball",
        lambda x, q: maximum(q * x, x * (q - 1)),
        lambda x, q: where(x >= 0, q * x, (1 - q) * -x),
        q="OpenUnit Unit",
    ),
)

ROBUST = (
    identity(
        "error beyond",
        lambda x, y, e: absolute(x - y) - e,
        lambda x, y, e: excess(x, y, e),
        e="NonNegative",
    ),
    identity("level", lambda x: x * x / (x * x + 4), lambda x: square_share(x, 4)),
    identity(
        "level of a ratio",
        lambda x, v: x * x / (v * v * (x * x / (v * v) + 4)),
        lambda x, v: square_share(x / v, 4),
    ),
    identity("biweight", lambda x: 1 - (1 - x * x) ** 3, lambda x: biweight(x)),
    identity(
        "biweight of a ratio",
        lambda x, v: 1 - (1 - x * x / (v * v)) ** 3,
        lambda x, v: biweight(x / v),
    ),
    identity(
        "Cauchy",
        lambda x, v: log1p(x * x / (2 * v * v)),
        lambda x, v: log1p_square(x / v, 2),
    ),
    identity(
        "Welsch",
        lambda x, y, v: expm1((x - y) * (y - x) / (2 * v * v)),
        lambda x, y, v: -one_minus_gaussian(x, y, v),
    ),
    identity(
        "Fair",
        lambda x, v: v * v * log1p_gap(absolute(x) / v),
        lambda x, v: fair_error(x, v),
        v=POSITIVE,
    ),
    identity(
        "pseudo-Huber in its own units",
        lambda x, y: pseudo_huber(x / y, 1),
        lambda x, y: pseudo_huber(x, y) / y,
        y=POSITIVE,
    ),
    identity(
        "squared units",
        lambda x, y: y * y * pseudo_huber(x, y) / y,
        lambda x, y: y * pseudo_huber(x, y),
        y=POSITIVE,
    ),
    identity(
        "symmetric relative error",
        lambda x, y: absolute(x - y) / (absolute(x) + absolute(y)),
        lambda x, y: symmetric_error(x, y),
    ),
    identity(
        "ratio less its tangent at 1",
        lambda x, y: relative_error(x, y) - log_ratio(x, y),
        lambda x, y: ratio_gap(x, y),
    ),
    identity(
        "ratio less its tangent by the inverse ratio",
        lambda x, y: relative_error(x, y) + log_ratio(y, x),
        lambda x, y: ratio_gap(x, y),
    ),
    identity(
        "divergence of amounts",
        lambda x, y: y - x + x * log_ratio(x, y),
        lambda x, y: rate_divergence(x, y),
    ),
    identity("less its tangent at 1", lambda x: x - log(x) - 1, lambda x: log_gap(x)),
    identity("less its logarithm", lambda x: x - log1p(x), lambda x: log1p_gap(x)),
    identity("less its tangent at 0", lambda x: exp(x) - x - 1, lambda x: exp_gap(x)),
    identity("less its tangent", lambda x: expm1(x) - x, lambda x: exp_gap(x)),
    identity(
        "less its tangent, of a difference",
        lambda x, y, t: expm1(t * (x - y)) + t * (y - x),
        lambda x, y, t: exp_gap(t * (x - y)),
    ),
)

SCORES = (
    identity(
        "gamma of a mean", lambda x, t: x + t / exp(x), lambda x, t: gamma_nll(x, t), t=POSITIVE
    ),
    identity("gamma", lambda x, t: x + t * exp(-x), lambda x, t: gamma_nll(x, t), t=POSITIVE),
    identity(
        "Tweedie",
        lambda x, t, p: exp((2 - p) * x) / (2 - p) + t * exp((1 - p) * x) / (p - 1),
        lambda x, t, p: tweedie_nll(x, t, p),
    ),
    identity(
        "negative binomial",
        lambda x, t, c: (t + 1 / c) * scaled_softplus(x, c) - t * x,
        lambda x, t, c: negative_binomial_nll(x, t, c),
    ),
    identity(
        "logistic likelihood",
        lambda x, y, s: log(s) + 2 * log_cosh_difference((x - y) / s / 2, 0) + 2 * log(2),
        lambda x, y, s: logistic_nll(x, y, s),
    ),
    identity(
        "log-normal",
        lambda x, t, s: (log(t) - x) * (log(t) - x) / (2 * s * s) + log(s) + log(t),
        lambda x, t, s: log_normal_nll(x, t, s),
    ),
    identity(
        "Gumbel",
        lambda x, y, s: (y - x) / s + exp((x - y) / s) + log(s),
        lambda x, y, s: gumbel_nll(x, y, s),
    ),
    identity(
        "Student's t",
        lambda x, y, s, v: (v + 1) / 2 * log1p((x - y) * (x - y) / (s * s * v)) + log(s),
        lambda x, y, s, v: student_t_nll(x, y, s, v),
    ),
    identity(
        "constant of a Student's t",
        lambda v: log(pi * v) / 2 + lgamma(v / 2) - lgamma((v + 1) / 2),
        lambda v: student_t_constant(v),
    ),
    identity(
        "Laplace",
        lambda x, y, s: absolute(x - y) / s + log(2 * s),
        lambda x, y, s: laplace_nll(x, y, s),
    ),
    identity(
        "score of a Laplace distribution",
        lambda x, s: s * (poisson_nll(-absolute(x) / s, 1) - 0.75),
        lambda x, s: laplace_crps(x, s),
    ),
    identity(
        "score of a normal distribution",
        lambda x, y, s: (
            s
            * (
                (y - x) / s * erf((y - x) / s / sqrt(2))
                + 2 * (exp((x - y) * (y - x) / (2 * s * s)) / sqrt(2 * pi))
                - 1 / sqrt(pi)
            )
        ),
        lambda x, y, s: normal_crps(x, y, s),
    ),
    identity(
        "score of an exponential distribution",
        lambda r, y: y + 2 * expm1(-r * y) / r + 1 / (2 * r),
        lambda r, y: exponential_crps(r, y),
    ),
    identity("logarithm of a normal probability", lambda x: log(ndtr(x)), lambda x: log_ndtr(x)),
    identity(
        "score of a logistic distribution",
        lambda x, s: s * (2 * log_cosh_difference(x / s / 2, 0) + 2 * log(2) - 1),
        lambda x, s: logistic_crps(x, s),
    ),
)

CLASSES = (
    identity("logsumexp", lambda X: log(total(exp(X))), lambda X: logsumexp(X)),
    identity("logsumexp beside 0", lambda X: log1p(total(exp(X))), lambda X: log1p_total_exp(X)),
    identity("softmax", lambda X: exp(X) / total(exp(X)), lambda X: softmax(X)),
    identity(
        "entry of softmax",
        lambda X, k: exp(pick(X, k)) / total(exp(X)),
        lambda X, k: pick(softmax(X), k),
    ),
    identity(
        "entry of a softmax at a temperature",
        lambda X, k, s: exp(pick(X, k) / s) / total(exp(X / s)),
        lambda X, k, s: pick(softmax(X / s), k),
    ),
    identity(
        "entry of a scaled softmax",
        lambda X, k, s: exp(s * pick(X, k)) / total(exp(s * X)),
        lambda X, k, s: pick(softmax(s * X), k),
    ),
    identity(
        "cross-entropy at a temperature",
        lambda X, k, s: logsumexp(X / s) - pick(X, k) / s,
        lambda X, k, s: cross_entropy_at(X / s, k),
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
    identity("softmax by logsumexp", lambda X: exp(X - logsumexp(X)), lambda X: softmax(X)),
    identity("log softmax", lambda X: log(softmax(X)), lambda X: log_softmax(X)),
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
    identity(
        "cross-entropy in one logarithm",
        lambda X, k: log_ratio(exp(pick(X, k)), total(exp(X))),
        lambda X, k: -cross_entropy_at(X, k),
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

VECTORS = (
    identity("norm", lambda X: sqrt(total(X * X)), lambda X: norm(X)),
    identity("square of a norm", lambda X: norm(X) * norm(X), lambda X: total(X * X)),
    identity("unit", lambda X: X / norm(X), lambda X: unit(X)),
    identity("cosine", lambda X, Y: total(X * Y) / (norm(X) * norm(Y)), lambda X, Y: cosine(X, Y)),
    identity(
        "cosine in one root",
        lambda X, Y: total(X * Y) / sqrt(total(X * X) * total(Y * Y)),
        lambda X, Y: cosine(X, Y),
    ),
    identity("cosine of units", lambda X, Y: total(unit(X) * unit(Y)), lambda X, Y: cosine(X, Y)),
    identity("cosine distance", lambda X, Y: 1 - cosine(X, Y), lambda X, Y: cosine_gap(X, Y)),
    identity("centred", lambda X: X - total(X) / class_count(), lambda X: centred(X)),
    identity(
        "difference of distances",
        lambda X, Y, Z: norm(X - Y) - norm(X - Z),
        lambda X, Y, Z: distance_difference(X, Y, Z),
    ),
    identity(
        "Tanimoto",
        lambda X, Y: 1 - total(X * Y) / total(X * X + Y * Y - X * Y),
        lambda X, Y: tanimoto_gap(X, Y),
    ),
    identity(
        "Tanimoto by distance",
        lambda X, Y: total((X - Y) * (X - Y)) / total(X * X + Y * Y - X * Y),
        lambda X, Y: tanimoto_gap(X, Y),
    ),
)

BOXES = (
    identity("gap of boxes", lambda B, A: 1 - box_iou(B, A), lambda B, A: box_iou_gap(B, A)),
    identity(
        "logarithm of an IoU", lambda B, A: log(box_iou(B, A)), lambda B, A: log_box_iou(B, A)
    ),
    identity(
        "power of an IoU",
        lambda B, A, p: box_iou(B, A) ** p,
        lambda B, A, p: box_iou_power(B, A, p),
    ),
    identity(
        "gap of a power of an IoU",
        lambda B, A, p: 1 - box_iou_power(B, A, p),
        lambda B, A, p: box_iou_power_gap(B, A, p),
    ),
)

IDENTITIES = (
    *SIGMOIDS,
    *QUALITIES,
    *LOGARITHMS,
    *DIFFERENCES,
    *ROBUST,
    *SCORES,
    *CLASSES,
    *RIVALS,
    *DIVERGENCES,
    *VECTORS,
    *BOXES,
    *SHARES,
)
