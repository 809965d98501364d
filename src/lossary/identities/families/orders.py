"""Identities along an order, and of probabilities that are solved for."""

from __future__ import annotations

from lossary.functions import (
    bi_tempered_at,
    cumulate,
    earlier_ties,
    efron_excess,
    entmax_loss_at,
    entmax_root,
    excess_from,
    exp,
    log,
    logsumexp_from,
    pick,
    share_from,
    sparsemax,
    sparsemax_loss_at,
    tempered_softmax,
    tied,
    total,
    tsallis_loss_at,
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
    identity(
        "bi-tempered loss",
        lambda X, k, t, s: (
            where(
                t == 1,
                -log(pick(tempered_softmax(X, s), k)),
                (1 - pick(tempered_softmax(X, s), k) ** (1 - t)) / (1 - t),
            )
            - (1 - total(tempered_softmax(X, s) ** (2 - t))) / (2 - t)
        ),
        lambda X, k, t, s: bi_tempered_at(X, k, t, s),
    ),
    identity(
        "Tsallis loss",
        lambda X, k, t: (
            total(X * tempered_softmax(X, t))
            + (1 - total(tempered_softmax(X, t) ** (2 - t))) / ((2 - t) * (1 - t))
            - pick(X, k)
        ),
        lambda X, k, t: tsallis_loss_at(X, k, t),
    ),
)
