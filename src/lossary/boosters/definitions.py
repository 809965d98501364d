"""Losses that boosters train and the catalogue has not got, written as a user would.

They are whole losses: they run on every array library, and have gradient, Hessian and domains.
"""

from __future__ import annotations

from types import MappingProxyType

from lossary.domain import AboveMinusOne, Logit, Real
from lossary.engine import Loss, loss
from lossary.functions import (
    expm1,
    log,
    log1p_difference,
    softplus,
)


@loss(
    source="Half of the loss of keras.losses.MeanSquaredLogarithmicError",
    promises="non_negative zero_at_target symmetric",
)
def half_squared_log_error(prediction: AboveMinusOne, target: AboveMinusOne):
    """Half the squared difference of log(1 + prediction) and log(1 + target)."""
    error = log1p_difference(prediction, target)
    return error * error / 2


@loss(
    source="McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x (proportional odds)",
    promises="non_negative convex bounded_gradient",
)
def cumulative_link(prediction: Real, lower: Logit, upper: Logit):
    """Negative log-probability that a logistic variable around the score lies between two cuts.

    ``lower`` is -inf for the lowest grade and ``upper`` inf for the highest.
    """
    # σ(a) - σ(b) = σ(a) σ(-b) (1 - exp(b - a))
    width = log(-expm1(lower - upper))
    return softplus(prediction - upper) + softplus(lower - prediction) - width


LOSSES = MappingProxyType({x.name: x for x in vars().copy().values() if isinstance(x, Loss)})
"""Every loss of this module by name."""
