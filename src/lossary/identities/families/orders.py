"""Identities along an order: exponentials of what ranks at least as high."""

from __future__ import annotations

from lossary.functions import cumulate, excess_from, exp, log, logsumexp_from
from lossary.identities.rules import identity

ORDERS = (
    identity(
        "logsumexp from each on",
        lambda X, k: log(cumulate(exp(X), k)),
        lambda X, k: logsumexp_from(X, k),
    ),
    identity(
        "excess from each on",
        lambda X, k: logsumexp_from(X, k) - X,
        lambda X, k: excess_from(X, 1, k),
    ),
)
