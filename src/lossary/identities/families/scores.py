"""Identities of scores of a whole forecast: likelihoods and CRPS."""

from __future__ import annotations

from lossary.functions import (
    absolute,
    beta_nll,
    cos,
    erf,
    exp,
    exp_gap,
    expm1,
    exponential_crps,
    factorial_gap,
    gamma_crps,
    gamma_nll,
    gammainc,
    gammaincc,
    gaussian_nll,
    gumbel_nll,
    held,
    i0e,
    i1e,
    laplace_crps,
    laplace_nll,
    lgamma,
    log,
    log1p,
    log1p_square,
    log_cosh_difference,
    log_ndtr,
    log_normal_crps,
    log_normal_nll,
    log_ratio,
    log_sinh_over,
    logistic_crps,
    logistic_nll,
    ndtr,
    negative_binomial_nll,
    normal_crps,
    pi,
    poisson_crps,
    poisson_rate_nll,
    rate_divergence,
    scaled_softplus,
    sinh,
    sqrt,
    student_t_constant,
    student_t_nll,
    tweedie_nll,
    von_mises_nll,
    weighed_gaussian_nll,
)
from lossary.identities.rules import POSITIVE, identity

SCORES = (
    identity(
        "beta",
        lambda a, b, t: (
            lgamma(a) + lgamma(b) - lgamma(a + b) - (a - 1) * log(t) - (b - 1) * log1p(-t)
        ),
        lambda a, b, t: beta_nll(a, b, t),
        a=POSITIVE,
        b=POSITIVE,
        t="OpenUnit",
    ),
    identity(
        "von Mises",
        lambda x, y, k: log(2 * pi * i0e(k)) + k - k * cos(x - y),
        lambda x, y, k: von_mises_nll(x, y, k),
        k=POSITIVE,
    ),
    identity(
        "von Mises and Fisher",
        lambda k, c: log_ratio(k, c * sinh(k)),
        lambda k, c: -log_sinh_over(k) - log(c),
        c=POSITIVE,
    ),
    identity("sinh over", lambda x: log_ratio(sinh(x), x), lambda x: log_sinh_over(x)),
    identity("over sinh", lambda x: log_ratio(x, sinh(x)), lambda x: -log_sinh_over(x)),
    identity("log sinh", lambda x: log(sinh(x)), lambda x: log_sinh_over(x) + log(x), x="Positive"),
    identity(
        "Poisson with its constant",
        lambda r, t: poisson_rate_nll(r, t) + lgamma(t + 1),
        lambda r, t: rate_divergence(t, r) + factorial_gap(t),
        t="Count",
    ),
    identity(
        "gamma of a mean", lambda x, t: x + t / exp(x), lambda x, t: gamma_nll(x, t), t=POSITIVE
    ),
    identity("gamma", lambda x, t: x + t * exp(-x), lambda x, t: gamma_nll(x, t), t=POSITIVE),
    identity("gamma of one", lambda x: gamma_nll(x, 1), lambda x: 1 + exp_gap(-x)),
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
        lambda x, y, s, v: (v + 1) / 2 * log1p_square((x - y) / s, v) + log(s),
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
        lambda x, s: s * (exp_gap(-absolute(x) / s) + 0.25),
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
    identity(
        "score of a Poisson distribution",
        lambda r, y: (
            (y - r) * (2 * gammaincc(y + 1, r) - 1)
            + 2 * r * exp(-(factorial_gap(y) + rate_divergence(y, r)))
            - r * (i0e(2 * r) + i1e(2 * r))
        ),
        lambda r, y: poisson_crps(r, y),
        r=POSITIVE,
        y="Count",
    ),
    identity(
        "score of a gamma distribution",
        lambda r, y, a: (
            y * (2 * gammainc(a, r * y) - 1)
            - a / r * (2 * gammainc(a + 1, r * y) - 1)
            - exp(lgamma(a + 0.5) - lgamma(a)) / sqrt(pi) / r
        ),
        lambda r, y, a: gamma_crps(r, y, a),
    ),
    identity(
        "score of a log-normal distribution",
        lambda x, t, s: (
            t * (2 * ndtr((log(t) - x) / s) - 1)
            - 2 * exp(x + s * s / 2) * (ndtr((log(t) - x) / s - s) - ndtr(-s / sqrt(2)))
        ),
        lambda x, t, s: log_normal_crps(x, t, s),
    ),
    identity(
        "Gaussian times a power of its variance",
        lambda x, y, v, b: held(v**b) * gaussian_nll(x, y, v),
        lambda x, y, v, b: weighed_gaussian_nll(x, y, v, held(v**b)),
    ),
    identity("logarithm of a normal probability", lambda x: log(ndtr(x)), lambda x: log_ndtr(x)),
    identity(
        "score of a logistic distribution",
        lambda x, s: s * (2 * log_cosh_difference(x / s / 2, 0) + 2 * log(2) - 1),
        lambda x, s: logistic_crps(x, s),
    ),
)
