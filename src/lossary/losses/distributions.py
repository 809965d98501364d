"""Losses of the parameters of a distribution: likelihoods, and scores of a whole forecast."""

from __future__ import annotations

from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import Domain, NonNegative, OpenUnit, Positive, Real
from lossary.functions import absolute, exp, log, maximum, sigmoid

_SPREAD = "Takes the scale, not its logarithm: keep it above 0 by softplus or exp."
_FORECAST = (
    "In the units of the target, as the absolute error, which it becomes for a scale near 0."
)

BetweenOneAndTwo = Annotated[
    Any,
    Domain("BetweenOneAndTwo", "a number strictly between 1 and 2", "(1, 2)",
           lambda x: (x > 1) & (x < 2), (1.5, 1.1, 1.9), (1.0, 2.0, float("nan")), neutral=1.5,
           interval=True),
]  # fmt: skip


@loss(
    source="Nelder and Wedderburn 1972, doi:10.2307/2344614",
    elsewhere=("sklearn._loss.HalfGammaLoss", "xgboost (objective='reg:gamma')",
               "lightgbm (objective='gamma')", "gamma_deviance"),
    promises="convex proper",
    choose="Positive amounts whose spread grows in proportion to their mean: costs, durations.",
    traps=(
        "The prediction is the logarithm of the mean.",
        "Without the part that no prediction can change: the deviance is twice its excess over "
        "1 + log(target).",
        "A target of 0 is refused; choose tweedie where 0 occurs.",
    ),
)  # fmt: skip
def gamma(log_mean: Real, target: Positive):
    """Negative log-likelihood of a gamma distribution of shape 1, from the log of its mean."""
    return log_mean + target * exp(-log_mean)


@loss(
    source="Jørgensen 1987, J. R. Stat. Soc. B 49:127, for 1 < power < 2",
    elsewhere=("sklearn._loss.HalfTweedieLoss", "xgboost (objective='reg:tweedie')",
               "lightgbm (objective='tweedie')", "tweedie_deviance"),
    promises="convex proper",
    choose="Amounts that are often exactly 0 and else positive: claims, rainfall.",
    traps=(
        "The prediction is the logarithm of the mean.",
        "Part of half the deviance: scikit-learn's mean_tweedie_deviance is twice its excess over "
        "the least value.",
        "Values of different power are not comparable.",
    ),
)  # fmt: skip
def tweedie(log_mean: Real, target: NonNegative, *, power: BetweenOneAndTwo = 1.5):
    """Part of half the Tweedie deviance that depends on the mean, from the log of the mean."""
    rest = 2 - power
    return exp(rest * log_mean) / rest + target * exp((1 - power) * log_mean) / (power - 1)


@loss(
    source="Hilbe 2011, Negative Binomial Regression (NB2), doi:10.1017/CBO9780511973420",
    promises="proper",
    choose="Counts whose spread exceeds that of Poisson: variance = mean + dispersion mean^2.",
    traps=(
        "Parameters differ: here (log of the mean, dispersion); torch takes (total_count, logits), "
        "SciPy (n, p) with n = 1 / dispersion.",
        "Without the part that only the count and the dispersion change, so that dispersion is a "
        "setting here, not a prediction.",
    ),
)
def negative_binomial(log_mean: Real, target: NonNegative, *, dispersion: Positive = 1.0):
    """Negative log-likelihood of an overdispersed count, without its constant part."""
    spread = log(1 + dispersion * exp(log_mean))
    return (target + 1 / dispersion) * spread - target * log_mean


@loss(
    source="Laplace 1774, Mémoire sur la probabilité des causes",
    elsewhere=("torch.distributions.Laplace",),
    promises="",
    choose="gaussian for errors with heavier tails: the location is a median, the scale a mean "
    "absolute error.",
    traps=(
        _SPREAD,
        "With its constant log 2, so that it is a likelihood; it can be below 0.",
        "A scale close to 0 on an exact hit is rewarded without bound.",
    ),
)
def laplace(location: Real, target: Real, scale: Positive):
    """Negative log-likelihood of a Laplace distribution with this location and scale."""
    return absolute(location - target) / scale + log(2 * scale)


@loss(
    source="Kingma and Welling 2013, arXiv:1312.6114, app. B",
    elsewhere=("kl_of_gaussians", "VAE"),
    promises="non_negative convex",
    choose="The regulariser of a variational autoencoder: one value per latent dimension; take the "
    "sum over dimensions and the mean over examples.",
    traps=(
        "Takes the variance: give exp(log_variance) if that is what the encoder puts out.",
        "The mean over everything, as reduction='mean' has it, weighs it less against the "
        "reconstruction the more dimensions there are.",
    ),
)
def gaussian_kl(mean: Real, variance: Positive):
    """Relative entropy of a normal distribution to the standard one."""
    return (mean**2 + variance - 1 - log(variance)) / 2


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Jordan, "
    "Krueger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    elsewhere=("scoringrules.crps_logistic",),
    promises="non_negative",
    choose="A forecast of location and scale that one large error should not rule: it grows like "
    "the absolute error, where the likelihood of a normal distribution squares it.",
    traps=(_SPREAD, _FORECAST, "scoringrules takes the observation first."),
)
def crps_logistic(location: Real, target: Real, scale: Positive):
    """Continuous ranked probability score of a logistic distribution."""
    z = (target - location) / scale
    return scale * (z - 2 * log(sigmoid(z)) - 1)


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Jordan, "
    "Krueger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    elsewhere=("scoringrules.crps_laplace",),
    promises="non_negative",
    choose="crps_logistic for errors whose distribution has a sharp peak.",
    traps=(_SPREAD, _FORECAST, "scoringrules takes the observation first."),
)
def crps_laplace(location: Real, target: Real, scale: Positive):
    """Continuous ranked probability score of a Laplace distribution."""
    z = absolute(target - location) / scale
    return scale * (z + exp(-z) - 3 / 4)


@loss(
    source="Winkler 1972, doi:10.1080/01621459.1972.10481224; Gneiting and Raftery 2007, "
    "doi:10.1198/016214506000001437, eq. 43",
    elsewhere=("scoringrules.interval_score", "Winkler"),
    promises="convex bounded_gradient",
    choose="Two outputs that should enclose the target with probability 1 - alpha, as narrowly as "
    "possible.",
    traps=(
        "alpha is the probability of a miss: 0.1 for an interval of 90 %.",
        "Bounds in the wrong order are not refused: their width is then below 0.",
    ),
)
def interval_score(lower: Real, upper: Real, target: Real, *, alpha: OpenUnit = 0.1):
    """Width of an interval, and ``2 / alpha`` for each unit by which the target lies outside."""
    outside = maximum(lower - target, 0) + maximum(target - upper, 0)
    return upper - lower + 2 / alpha * outside
