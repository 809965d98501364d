"""Identities of losses of an error: distances, roots and fading slopes."""

from __future__ import annotations

from lossary.functions import (
    absolute,
    biweight,
    excess,
    exp_gap,
    expm1,
    fair_error,
    general_robust,
    log,
    log1p,
    log1p_gap,
    log1p_square,
    log_gap,
    log_ratio,
    one_minus_gaussian,
    pseudo_huber,
    rate_divergence,
    ratio_gap,
    relative_error,
    rest_share,
    square_share,
    symmetric_error,
    where,
)
from lossary.identities.rules import POSITIVE, identity

ROBUST = (
    identity(
        "error beyond",
        lambda x, y, e: absolute(x - y) - e,
        lambda x, y, e: excess(x, y, e),
        e="NonNegative",
    ),
    identity(
        "level",
        lambda x, c: x * x / (x * x + c),
        lambda x, c: square_share(x, c),
        c=POSITIVE,
    ),
    identity(
        "level of a ratio",
        lambda x, v, c: x * x / (v * v * (x * x / (v * v) + c)),
        lambda x, v, c: square_share(x / v, c),
        c=POSITIVE,
    ),
    identity(
        "level as a rest",
        lambda x, c: rest_share(c, x * x),
        lambda x, c: square_share(x, c),
        c=POSITIVE,
    ),
    identity(
        "level beside a scale",
        lambda x, v: x * x / (x * x + v * v),
        lambda x, v: square_share(x / v, 1),
    ),
    identity("biweight", lambda x: 1 - (1 - x * x) ** 3, lambda x: biweight(x)),
    identity(
        "biweight of a ratio",
        lambda x, v: 1 - (-relative_error(x, v) * (1 + x / v)) ** 3,
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
    identity(
        "general robust",
        lambda x, v, a: where(
            a == 2,
            x * x / (2 * v * v),
            where(
                a == 0,
                log1p_square(x / v, 2),
                absolute(2 - a) / a * ((x * x / (v * v * absolute(2 - a)) + 1) ** (a / 2) - 1),
            ),
        ),
        lambda x, v, a: general_robust(x / v, a),
    ),
    identity("less its tangent at 1", lambda x: x - log(x) - 1, lambda x: log_gap(x)),
    identity("less its logarithm", lambda x: x - log1p(x), lambda x: log1p_gap(x)),
    identity("less its tangent", lambda x: expm1(x) - x, lambda x: exp_gap(x)),
    identity(
        "less its tangent, of a difference",
        lambda x, y, t: expm1(t * (x - y)) + t * (y - x),
        lambda x, y, t: exp_gap(t * (x - y)),
    ),
)
