"""Losses of a number against a number."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import AboveMinusOne, Exponent, NonNegative, NonZero, OpenUnit, Positive, Real
from lossary.functions import (
    cosh,
    exp,
    log,
    where,
)


@loss(
    source="Gauss 1809, Theoria motus corporum coelestium; Legendre 1805",
    promises="non_negative zero_at_target symmetric convex even",
)
def squared_error(prediction: Real, target: Real):
    """Square of the error: its minimiser is the mean, and outliers pull hard."""
    return (prediction - target) ** 2


@loss(
    source="Nielsen 2015, Neural Networks and Deep Learning, ch. 3, eq. 6 (the quadratic cost)",
    promises="non_negative zero_at_target symmetric convex even",
)
def half_squared_error(prediction: Real, target: Real):
    """Half the squared error: the quadratic cost, whose gradient is the error itself."""
    return (prediction - target) ** 2 / 2


@loss(
    source="Laplace 1774; Boscovich 1757",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def absolute_error(prediction: Real, target: Real):
    """Size of the error: its minimiser is the median, and outliers pull no harder than others."""
    return abs(prediction - target)


@loss(
    source="Forsythe 1972, Robust estimation of straight line regression coefficients by "
    "minimizing pth power deviations, Technometrics 14, p. 159",
    promises="non_negative zero_at_target symmetric convex even",
)
def power_error(prediction: Real, target: Real, *, power: Exponent = 1.5):
    """Power of the size of the error: between absolute and squared error, and beyond."""
    return abs(prediction - target) ** power


@loss(
    source="de Myttenaere et al. 2016, doi:10.1016/j.neucom.2015.12.114",
    promises="non_negative zero_at_target convex",
)
def absolute_percentage_error(prediction: Real, target: NonZero):
    """Size of the error in percent of the true value."""
    return 100 * abs((prediction - target) / target)


@loss(
    source="RMSLE as used by Kaggle since 2012; keras.losses.MeanSquaredLogarithmicError",
    promises="non_negative zero_at_target symmetric",
)
def squared_log_error(prediction: AboveMinusOne, target: AboveMinusOne):
    """Squared difference of log(1 + prediction) and log(1 + target)."""
    return (log(1 + prediction) - log(1 + target)) ** 2


@loss(
    source="Huber 1964, doi:10.1214/aoms/1177703732",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def huber(prediction: Real, target: Real, *, delta: Positive = 1.0):
    """Squared error near zero, absolute error beyond ``delta``."""
    error = prediction - target
    return where(abs(error) <= delta, error**2 / 2, delta * (abs(error) - delta / 2))


@loss(
    source="Girshick 2015, Fast R-CNN, arXiv:1504.08083, eq. 3",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def smooth_l1(prediction: Real, target: Real, *, beta: NonNegative = 1.0):
    """Absolute error with its kink rounded off within ``beta``."""
    error = prediction - target
    return where(abs(error) < beta, error**2 / (2 * beta), abs(error) - beta / 2)


@loss(
    source="Saleh and Saleh 2022, arXiv:2208.04564",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def log_cosh(prediction: Real, target: Real):
    """Logarithm of the hyperbolic cosine of the error: a Huber loss without a seam."""
    return log(cosh(prediction - target))


@loss(
    source="Koenker and Bassett 1978, doi:10.2307/1913643",
    promises="non_negative zero_at_target convex bounded_gradient",
)
def quantile(prediction: Real, target: Real, *, quantile: OpenUnit = 0.5):
    """Tilted absolute error, whose minimiser is the ``quantile`` of the target."""
    error = target - prediction
    return where(error >= 0, quantile * error, (quantile - 1) * error)


@loss(source="Nelder and Wedderburn 1972, doi:10.2307/2344614", promises="convex proper")
def poisson(log_rate: Real, target: NonNegative):
    """Negative log-likelihood of a count, without the part that no prediction can change."""
    return exp(log_rate) - target * log_rate


@loss(source="Nelder and Wedderburn 1972, doi:10.2307/2344614", promises="convex proper")
def poisson_from_rate(rate: NonNegative, target: NonNegative):
    """Negative log-likelihood of a count, from the rate itself, without the constant part."""
    return rate - target * log(rate)


@loss(source="Nix and Weigend 1994, doi:10.1109/ICNN.1994.374138", promises="convex")
def gaussian(mean: Real, target: Real, variance: Positive):
    """Negative log-likelihood of a normal distribution with this mean and variance."""
    return (log(variance) + (target - mean) ** 2 / variance) / 2
