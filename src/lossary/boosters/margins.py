"""Margins: what the trees of a booster add up to, and the way from there to a prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossary.engine import Loss
from lossary.errors import DomainError

Numbers = NDArray[Any]


def _sigmoid(margin: Numbers) -> Numbers:
    small = np.exp(-abs(margin))
    return np.where(margin >= 0, 1.0, small) / (1.0 + small)


def _softmax(margin: Numbers) -> Numbers:
    powers = np.exp(margin - margin.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _above_minus_one(margin: Numbers) -> Numbers:
    return np.maximum(margin, margin.dtype.type(-1 + 1e-6))


@dataclass(frozen=True)
class Link:
    """A way from margins to predictions: ``inverse`` is what statistics calls the inverse link."""

    name: str
    inverse: Callable[[Numbers], Numbers]


LINKS = {
    link.name: link
    for link in (
        Link("identity", lambda margin: margin),
        Link("exp", np.exp),
        Link("sigmoid", _sigmoid),
        Link("softmax", _softmax),
        Link("above_minus_one", _above_minus_one),  # XGBoost's reg:squaredlogerror
    )
}

_BY_NAME = {
    "logit": "sigmoid",
    "logits": "softmax",
    "log_rate": "exp",
    "log_mean": "exp",
    "log_hazard": "exp",
}
"""Links by the name of the first argument, which is the space that it lives in."""

_BY_DOMAIN = {
    "Real": "identity",
    "Logit": "identity",
    "Logits": "softmax",
    "Scores": "identity",
    "AboveMinusOne": "above_minus_one",
}
"""Links by the set of the first argument; a margin is any number, so that others have none."""

_INSTEAD = {
    "rate": "poisson takes the logarithm of the rate",
    "probability": "binary_cross_entropy takes log-odds",
    "probabilities": "cross_entropy takes logits",
    "log_probabilities": "cross_entropy takes logits",
}


def link_of(loss: Loss, chosen: str | None) -> Link:
    """Return the link of a loss; DomainError if its predictions are no margins.

    >>> import lossary as L
    >>> link_of(L.poisson, None).name
    'exp'
    """
    first = loss.inputs[0]
    known = _BY_DOMAIN.get(first.domain.name)
    if known is None:
        instead = _INSTEAD.get(first.name, "write the loss of a Real or Logit with lossary.loss")
        raise DomainError(
            f"{loss.name} takes a {first.name}, {first.domain}; a booster's trees add up to any "
            f"number\nhint: {instead}"
        )
    if chosen is not None and chosen not in LINKS:
        raise ValueError(f"link must be one of {', '.join(LINKS)}, got {chosen!r}")
    return LINKS[chosen or _BY_NAME.get(first.name, known)]
