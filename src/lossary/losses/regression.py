"""Losses of a number against a number."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import AboveMinusOne, NonNegative, NonZero, OpenUnit, Positive, Real
from lossary.functions import (
    gaussian_nats,
    log1p_difference,
    log_cosh_difference,
    poisson_nats,
    poisson_rate_nats,
    relative_error,
    where,
)


@loss(
    source="Gauss 1809, Theoria motus corporum coelestium; Legendre 1805",
    elsewhere=(
        "torch.nn.MSELoss", "torch.nn.functional.mse_loss", "keras.losses.MeanSquaredError",
        "keras.losses.mean_squared_error", "optax.losses.squared_error",
        "sklearn.metrics.mean_squared_error",
    ),
    promises="non_negative zero_at_target symmetric convex even",
    choose="The default for regression with a linear output; its minimiser is the mean. Choose it "
    "when large errors are the signal (anomalies matter), not corruption.",
    traps=(
        "No factor 1/2: half_squared_error has it, and so have optax.l2_loss and boosters.",
        "An outlier counts with the square of its error: one prediction of 1000 for a truth of 1 "
        "among ten gives a mean near 99 800, where the absolute error gives 99.9.",
        "Its gradient 2r is larger than that of the absolute error only where |r| > 1/2: which of "
        "the two converges faster depends on where you start.",
    ),
)  # fmt: skip
def squared_error(prediction: Real, target: Real):
    """Square of the error: its minimiser is the mean, and outliers pull hard."""
    error = prediction - target
    return error * error


@loss(
    source="Nielsen 2015, Neural Networks and Deep Learning, ch. 3, eq. 6 (the quadratic cost)",
    elsewhere=("optax.losses.l2_loss", "tf.nn.l2_loss", "sklearn._loss.HalfSquaredError"),
    promises="non_negative zero_at_target symmetric convex even",
    choose="The quadratic cost: squared error whose gradient is the plain error. Fine for a linear "
    "output neuron; behind a sigmoid it learns slowly when the neuron is saturated.",
    traps=(
        "Behind a sigmoid its gradient carries the factor sigma'(z), which vanishes when the "
        "neuron is confidently wrong; cross-entropy cancels that factor.",
        "tf.nn.l2_loss takes one tensor and sums; pass the error as prediction and 0 as target.",
    ),
)
def half_squared_error(prediction: Real, target: Real):
    """Half the squared error: the quadratic cost, whose gradient is the error itself."""
    error = prediction - target
    return error / 2 * error


@loss(
    source="Laplace 1774; Boscovich 1757",
    elsewhere=(
        "torch.nn.L1Loss", "torch.nn.functional.l1_loss", "keras.losses.MeanAbsoluteError",
        "keras.losses.mean_absolute_error",
        "sklearn.metrics.mean_absolute_error", "sklearn._loss.AbsoluteError",
    ),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="When outliers are corruption: its minimiser is the median. Expect a constant gradient "
    "that does not shrink near the minimum, so lower the learning rate towards the end.",
    traps=(
        "MAE and L1 are one loss under two names; reductions 'mean', 'sum' and 'none' are a "
        "separate choice.",
        "The derivative at 0 is 0 by convention (the kink).",
    ),
)  # fmt: skip
def absolute_error(prediction: Real, target: Real):
    """Size of the error: its minimiser is the median, and outliers pull no harder than others."""
    return abs(prediction - target)


@loss(
    source="de Myttenaere et al. 2016, doi:10.1016/j.neucom.2015.12.114",
    elsewhere=(
        "keras.losses.MeanAbsolutePercentageError",
        "keras.losses.mean_absolute_percentage_error",
        "sklearn.metrics.mean_absolute_percentage_error",
    ),
    promises="non_negative zero_at_target convex",
    choose="When errors count relative to the truth and the truth is never near 0.",
    traps=(
        "A target of 0 has no percentage: libraries hide an epsilon there (1e-7 in Keras, "
        "2.2e-16 in scikit-learn) and return numbers up to 1e15; here it is a DomainError.",
        "In percent, as in Keras; scikit-learn returns the fraction.",
        "The denominator is the size of the target; a formula without the absolute value can go "
        "below 0.",
    ),
)  # fmt: skip
def absolute_percentage_error(prediction: Real, target: NonZero):
    """Size of the error in percent of the true value."""
    return 100 * abs(relative_error(prediction, target))


@loss(
    source="RMSLE as used by Kaggle since 2012; keras.losses.MeanSquaredLogarithmicError",
    elsewhere=(
        "keras.losses.MeanSquaredLogarithmicError",
        "keras.losses.mean_squared_logarithmic_error", "sklearn.metrics.mean_squared_log_error",
    ),
    promises="non_negative zero_at_target symmetric",
    choose="For positive quantities over several orders of magnitude, where a ratio matters and "
    "guessing too low is worse than too high.",
    traps=(
        "Keras replaces negative predictions by 1e-7 without a word; here a prediction of -1 or "
        "less is a DomainError.",
    ),
)  # fmt: skip
def squared_log_error(prediction: AboveMinusOne, target: AboveMinusOne):
    """Squared difference of log(1 + prediction) and log(1 + target)."""
    error = log1p_difference(prediction, target)
    return error * error


@loss(
    source="Huber 1964, doi:10.1214/aoms/1177703732",
    elsewhere=(
        "torch.nn.HuberLoss", "torch.nn.functional.huber_loss", "keras.losses.Huber",
        "keras.losses.huber", "optax.losses.huber_loss", "sklearn._loss.HuberLoss",
    ),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="The robust compromise: squared error for the bulk, absolute error for outliers. Choose "
    "delta by cross-validation, near the size at which an error stops being noise.",
    traps=(
        "For large delta it becomes half the squared error; for small delta it becomes delta "
        "times the absolute error, and goes to 0. Texts that state the limits the other way "
        "round are wrong.",
        "smooth_l1 is huber / delta; the two agree only at delta = beta = 1.",
    ),
)  # fmt: skip
def huber(prediction: Real, target: Real, *, delta: Positive = 1.0):
    """Squared error near zero, absolute error beyond ``delta``."""
    error = prediction - target
    return where(abs(error) <= delta, error / 2 * error, delta * (abs(error) - delta / 2))


@loss(
    source="Girshick 2015, Fast R-CNN, arXiv:1504.08083, eq. 3",
    elsewhere=("torch.nn.SmoothL1Loss", "torch.nn.functional.smooth_l1_loss"),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="Box regression in detectors, and wherever gradients should have size 1 far out.",
    traps=(
        "Also called Huber, but equal to it only at beta = delta = 1: smooth_l1 = huber / beta.",
        "beta = 0 is exactly the absolute error; for large beta the loss goes to 0.",
    ),
)
def smooth_l1(prediction: Real, target: Real, *, beta: NonNegative = 1.0):
    """Absolute error with its kink rounded off within ``beta``."""
    error = prediction - target
    return where(abs(error) < beta, error * (error / beta) / 2, abs(error) - beta / 2)


@loss(
    source="Saleh and Saleh 2022, arXiv:2208.04564",
    elsewhere=("keras.losses.LogCosh", "keras.losses.log_cosh", "optax.losses.log_cosh"),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="Like huber with delta near 1, but smooth everywhere: for second-order methods.",
    traps=("log(cosh(x)) as written overflows for errors above 89 in float32; this does not.",),
)
def log_cosh(prediction: Real, target: Real):
    """Logarithm of the hyperbolic cosine of the error: a Huber loss without a seam."""
    return log_cosh_difference(prediction, target)


@loss(
    source="Koenker and Bassett 1978, doi:10.2307/1913643",
    elsewhere=("sklearn.metrics.mean_pinball_loss", "sklearn._loss.PinballLoss"),
    promises="non_negative zero_at_target convex bounded_gradient",
    choose="To predict a quantile instead of the middle: intervals, stock levels, worst cases.",
    traps=("quantile = 0.5 is half the absolute error.",),
)
def quantile(prediction: Real, target: Real, *, quantile: OpenUnit = 0.5):
    """Tilted absolute error, whose minimiser is the ``quantile`` of the target."""
    error = target - prediction
    return where(error >= 0, quantile * error, (1 - quantile) * -error)


@loss(
    source="Nelder and Wedderburn 1972, doi:10.2307/2344614",
    elsewhere=(
        "torch.nn.PoissonNLLLoss", "torch.nn.functional.poisson_nll_loss",
        "tf.nn.log_poisson_loss", "sklearn._loss.HalfPoissonLoss",
    ),
    promises="convex proper",
    choose="Counts and other non-negative targets whose spread grows with their mean.",
    traps=(
        "The prediction is the logarithm of the rate, as in torch and scikit-learn; "
        "keras.losses.Poisson takes the rate itself.",
        "Without the constant log(target!), so that the value can be below 0.",
    ),
)  # fmt: skip
def poisson(log_rate: Real, target: NonNegative):
    """Negative log-likelihood of a count, without the part that no prediction can change."""
    return poisson_nats(log_rate, target)


@loss(
    source="Nelder and Wedderburn 1972, doi:10.2307/2344614",
    elsewhere=("keras.losses.Poisson", "keras.losses.poisson"),
    promises="convex proper",
    choose="Counts, from a model whose output is already a rate; poisson takes its logarithm, "
    "which no optimiser can push below 0.",
    traps=(
        "A rate of 0 for a count above 0 costs infinity; Keras adds 1e-7 inside the logarithm, "
        "torch (log_input=False) 1e-8.",
        "Without the constant log(target!), so that the value can be below 0.",
    ),
)
def poisson_from_rate(rate: NonNegative, target: NonNegative):
    """Negative log-likelihood of a count, from the rate itself, without the constant part."""
    return poisson_rate_nats(rate, target)


@loss(
    source="Nix and Weigend 1994, doi:10.1109/ICNN.1994.374138",
    elsewhere=("torch.nn.GaussianNLLLoss", "torch.nn.functional.gaussian_nll_loss"),
    promises="convex",
    choose="A network that predicts how sure it is: one output for the mean, one for the variance, "
    "which must be kept above 0 (softplus or exp).",
    traps=(
        "Takes the variance, not the standard deviation.",
        "Without the constant log(2 pi) / 2, which torch adds with full=True; the value can be "
        "below 0.",
        "A variance close to 0 on an exact hit is rewarded without bound: torch clamps at 1e-6.",
    ),
)
def gaussian(mean: Real, target: Real, variance: Positive):
    """Negative log-likelihood of a normal distribution with this mean and variance."""
    return gaussian_nats(mean, target, variance)
