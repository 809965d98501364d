"""Identities of logarithms and exponentials of numbers near 1 and 0."""

from __future__ import annotations

from lossary.functions import (
    absolute,
    cosh,
    exp,
    exp_gap,
    exp_minus_exp,
    expm1,
    gaussian_nll,
    log,
    log1mexp,
    log1p,
    log1p_difference,
    log1p_odds_ratio,
    log1p_square,
    log_cloglog,
    log_cosh_difference,
    log_odds,
    log_part,
    log_ratio,
    log_share,
    poisson_nll,
    poisson_rate_nll,
    power_complement,
    relative_error,
    rest_share,
    scaled_softplus,
    sigmoid_cross_entropy,
    sinh,
    softplus,
    sqrt,
    tanh,
)
from lossary.identities.rules import POSITIVE, PROBABILITY, identity

LOGARITHMS = (
    identity("log1p", lambda x: log(1 + x), lambda x: log1p(x)),
    identity("expm1", lambda x: exp(x) - 1, lambda x: expm1(x)),
    identity("log exp", lambda x: log(exp(x)), lambda x: x),
    identity("exp log", lambda x: exp(log(x)), lambda x: x),
    identity("exp of a scaled log", lambda x, p: exp(p * log(x)), lambda x, p: x**p),
    identity("product of exponentials", lambda x, y: exp(x) * exp(y), lambda x, y: exp(x + y)),
    identity(
        "square over an exponential", lambda x, y: x * x / exp(y), lambda x, y: x * x * exp(-y)
    ),
    identity(
        "square over a squared exponential",
        lambda x, y: x * x / (exp(y) * exp(y)),
        lambda x, y: x * x * exp(-2 * y),
    ),
    identity("quotient of exponentials", lambda x, y: exp(x) / exp(y), lambda x, y: exp(x - y)),
    identity(
        "log of a scaled exponential",
        lambda x, y: log(y * exp(x)),
        lambda x, y: x + log(y),
        y=POSITIVE,
    ),
    identity(
        "log of an exponential over", lambda x, y: log_ratio(exp(x), y), lambda x, y: x - log(y)
    ),
    identity("log over an exponential", lambda x, y: log_ratio(y, exp(x)), lambda x, y: log(y) - x),
    identity(
        "log of a scaled exponential over",
        lambda x, y, z: log_ratio(z * exp(x), y),
        lambda x, y, z: x + log_ratio(z, y),
    ),
    identity("log of a power", lambda x, p: log(x**p), lambda x, p: p * log(absolute(x))),
    identity("log of a square", lambda x: log(x * x), lambda x: 2 * log(absolute(x))),
    identity("log of a root", lambda x: log(sqrt(x)), lambda x: log(x) / 2),
    identity("log1p of expm1", lambda x: log1p(expm1(x)), lambda x: x),
    identity("log1mexp", lambda x: log(-expm1(x)), lambda x: log1mexp(-x)),
    identity("log1mexp of exp", lambda x: log1mexp(exp(x)), lambda x: log_cloglog(x)),
    identity("log of a quotient", lambda x, y: log(x / y), lambda x, y: log_ratio(x, y), y="any"),
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
    identity(
        "log of a student's t with a scale",
        lambda x, s, v: log1p(x * x / (s * s * v)),
        lambda x, s, v: log1p_square(x / s, v),
    ),
    identity(
        "log of a Cauchy with a scale",
        lambda x, s: log1p(x * x / (s * s)),
        lambda x, s: log1p_square(x / s, 1),
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
        "odds ratio of costs",
        lambda x, y: softplus(log1mexp(x) - log1mexp(y) + x - y),
        lambda x, y: log1p_odds_ratio(-x, -y),
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
    identity(
        "log of scaled exponentials",
        lambda x, y, c: log(c * (exp(x) + exp(y))),
        lambda x, y, c: log(c) + log(exp(x) + exp(y)),
        c=POSITIVE,
    ),
    identity(
        "log1p cosh",
        lambda x: log1p(cosh(x)),
        lambda x: 2 * log_cosh_difference(x / 2, 0) + log(2),
    ),
    identity(
        "share of two",
        lambda x, y: log_ratio(x, x + y),
        lambda x, y: log_part(x, y),
        x=POSITIVE,
        y=POSITIVE,
    ),
    identity("log of a rest", lambda x, y: log(rest_share(x, y)), lambda x, y: log_share(y, x)),
    identity(
        "share of two positive numbers",
        lambda x, y: log_share(x, y),
        lambda x, y: log_part(x, y),
        x="Positive",
        y="Positive",
    ),
    identity(
        "whole over its part",
        lambda x, y: log(-relative_error(y, -x)),
        lambda x, y: -log_part(x, y),
        x=POSITIVE,
        y=POSITIVE,
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
    identity("Poisson of one event", lambda x: poisson_nll(x, 1), lambda x: 1 + exp_gap(x)),
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
