"""Identities of normal numbers by their spread, in whichever way that is given."""

from __future__ import annotations

from lossary.functions import (
    exp,
    log,
    log1p,
    log1p_square_times_exp,
    ndtr,
    negative_log_between_normal,
    over_softplus,
    softplus,
    square_over_softplus,
    square_times_exp,
)
from lossary.identities.rules import identity

NORMALS = (
    identity(
        "square times an exponential",
        lambda x, y: x * x * exp(y),
        lambda x, y: square_times_exp(x, y),
    ),
    identity(
        "Student's t by a logarithm",
        lambda x, y, v: log1p(square_times_exp(x, y) / v),
        lambda x, y, v: log1p_square_times_exp(x, y, v),
    ),
    identity(
        "Cauchy by a logarithm",
        lambda x, y: log1p(square_times_exp(x, y)),
        lambda x, y: log1p_square_times_exp(x, y, 1),
    ),
    identity(
        "logarithm between two normal probabilities",
        lambda x, y: log(ndtr(x) - ndtr(y)),
        lambda x, y: -negative_log_between_normal(0, y, x, 1),
    ),
    identity("over a softplus", lambda x, s: x / softplus(s), lambda x, s: over_softplus(x, s)),
    identity(
        "square over a softplus",
        lambda x, s: x * x / (softplus(s) * softplus(s)),
        lambda x, s: square_over_softplus(x, s),
    ),
)
