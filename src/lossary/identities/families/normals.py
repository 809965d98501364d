"""Identities of normal numbers by their spread, in whichever way that is given."""

from __future__ import annotations

from lossary.functions import (
    exp,
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
    identity("over a softplus", lambda x, s: x / softplus(s), lambda x, s: over_softplus(x, s)),
    identity(
        "square over a softplus",
        lambda x, s: x * x / (softplus(s) * softplus(s)),
        lambda x, s: square_over_softplus(x, s),
    ),
)
