"""Losses that boosters have built in and the catalogue has not got yet, written as a user would.

They are whole losses: they run on every array library, and have gradient, Hessian and domains.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Any

from lossary.domain import AboveMinusOne, Domain, Logit, NonNegative, OpenUnit, Positive, Real
from lossary.engine import Loss, loss
from lossary.functions import (
    absolute,
    exp,
    expm1,
    log,
    log1p,
    log1p_difference,
    softplus,
    sqrt,
    where,
)

BetweenOneAndTwo = Annotated[
    Any,
    Domain("BetweenOneAndTwo", "a number strictly between 1 and 2", "(1, 2)",
           lambda x: (x > 1) & (x < 2), (1.5, 1.1, 1.9), (1.0, 2.0, float("nan")), neutral=1.5),
]  # fmt: skip


@loss(
    source="Nelder and Wedderburn 1972, doi:10.2307/2344614",
    promises="convex proper",
)
def gamma(log_mean: Real, target: Positive):
    """Negative log-likelihood of a gamma distribution of shape 1, from the log of its mean."""
    return log_mean + target * exp(-log_mean)


@loss(
    source="Jørgensen 1987, J. R. Stat. Soc. B 49:127, for 1 < power < 2",
    promises="convex proper",
)
def tweedie(log_mean: Real, target: NonNegative, *, power: BetweenOneAndTwo = 1.5):
    """Part of half the Tweedie deviance that depends on the mean, from the log of the mean."""
    rest = 2 - power
    return exp(rest * log_mean) / rest + target * exp((1 - power) * log_mean) / (power - 1)


@loss(
    source="Hilbe 2011, Negative Binomial Regression (NB2), eq. 8.7",
    promises="proper",
)
def negative_binomial(log_mean: Real, target: NonNegative, *, dispersion: Positive = 1.0):
    """Negative log-likelihood of an overdispersed count, without its constant part."""
    spread = softplus(log_mean + log(dispersion))  # log(1 + dispersion mean)
    return (target + 1 / dispersion) * spread - target * log_mean


@loss(
    source="Charbonnier et al. 1997, doi:10.1109/83.551699; Hartley and Zisserman 2004, A6.8",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def pseudo_huber(prediction: Real, target: Real, *, delta: Positive = 1.0):
    """Squared error near zero that becomes ``delta`` times the absolute error."""
    error = prediction - target
    return error * error / (1 + sqrt(1 + (error / delta) ** 2))


@loss(
    source="Fair 1974, doi:10.3386/w0013; Rey 1983, sec. 6.4.5",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def fair(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that grows ever more slowly towards the absolute error."""
    size = absolute(prediction - target) / scale
    return scale**2 * (size - log1p(size))


@loss(
    source="Newey and Powell 1987, doi:10.2307/1911031",
    promises="non_negative zero_at_target convex",
)
def expectile(prediction: Real, target: Real, *, expectile: OpenUnit = 0.5):
    """Tilted squared error, whose minimiser is the ``expectile`` of the target."""
    error = target - prediction
    return where(error >= 0, expectile, 1 - expectile) * error**2


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
