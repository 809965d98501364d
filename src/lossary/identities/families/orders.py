"""Identities along an order: exponentials of what ranks at least as high."""

from __future__ import annotations

from lossary.functions import (
    cumulate,
    earlier_ties,
    efron_excess,
    entmax_loss_at,
    entmax_root,
    excess_from,
    exp,
    log,
    log_ratio,
    logsumexp_from,
    pick,
    share_from,
    sparsemax,
    sparsemax_loss_at,
    tied,
    total,
    where,
)
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
    identity(
        "softmax from each on",
        lambda X, k: exp(X) / cumulate(exp(X), k),
        lambda X, k: share_from(X, 1, k),
    ),
    identity(
        "logarithm of a softmax from each on",
        lambda X, k: log(share_from(X, 1, k)),
        lambda X, k: -excess_from(X, 1, k),
    ),
    identity(
        "share from each on",
        lambda X, k: log_ratio(exp(X), cumulate(exp(X), k)),
        lambda X, k: -excess_from(X, 1, k),
    ),
    identity(
        "excess by Efron",
        lambda X, E, k: (
            log(
                cumulate(exp(X), k)
                - where(E > 0, earlier_ties(E, k) / tied(E, k), 0) * tied(E * exp(X), k)
            )
            - X
        ),
        lambda X, E, k: efron_excess(X, E, k),
    ),
    identity(
        "entmax loss",
        lambda Z, k: (
            total(Z * entmax_root(Z) * entmax_root(Z))
            - 4 / 3 * total(entmax_root(Z) ** 3)
            + 4 / 3
            - pick(Z, k)
        ),
        lambda Z, k: entmax_loss_at(Z, k),
    ),
    identity(
        "sparsemax loss",
        lambda Z, k: (
            total(Z * sparsemax(Z)) - total(sparsemax(Z) * sparsemax(Z)) / 2 + 0.5 - pick(Z, k)
        ),
        lambda Z, k: sparsemax_loss_at(Z, k),
    ),
)
