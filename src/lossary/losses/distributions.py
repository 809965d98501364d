"""Losses of the parameters of a distribution: likelihoods, and scores of a whole forecast."""

from __future__ import annotations

from math import inf
from typing import Annotated, Any

from lossary.definition import loss
from lossary.domain import (
    Angle,
    Count,
    Domain,
    Levels,
    Logit,
    NonNegative,
    OpenUnit,
    Positive,
    Real,
    Scores,
    Unit,
)
from lossary.functions import (
    absolute,
    betainc,
    beyond,
    class_count,
    class_index,
    cos,
    erf,
    exp,
    gammainc,
    gammaincc,
    held,
    i0e,
    i1e,
    lgamma,
    log,
    maximum,
    minimum,
    ndtr,
    negative_log_between,
    negative_log_between_normal,
    pi,
    sigmoid,
    sqrt,
    student_t_crps,
    tied,
    total,
    where,
)

BetweenOneAndTwo = Annotated[
    Any,
    Domain("BetweenOneAndTwo", "a number strictly between 1 and 2", "(1, 2)",
           lambda x: (x > 1) & (x < 2), (1.5, 1.1, 1.9), (1.0, 2.0, float("nan")), neutral=1.5,
           interval=True),
]  # fmt: skip

AboveOne = Annotated[
    Any,
    Domain("AboveOne", "a finite number above 1", r"(1, \infty)",
           lambda x: (x > 1) & (x < inf), (5.0, 1.5, 30.0), (1.0, 0.5, inf, float("nan")),
           neutral=5.0, interval=True),
]  # fmt: skip


@loss(source="Nelder and Wedderburn 1972, doi:10.2307/2344614", promises="convex proper")
def gamma(log_mean: Real, target: Positive):
    """Negative log-likelihood of a gamma distribution of shape 1, from the log of its mean."""
    return log_mean + target * exp(-log_mean)


@loss(
    source="Jørgensen 1987, J. R. Stat. Soc. B 49:127, for 1 < power < 2", promises="convex proper"
)
def tweedie(log_mean: Real, target: NonNegative, *, power: BetweenOneAndTwo = 1.5):
    """Part of half the Tweedie deviance that depends on the mean, from the log of the mean."""
    rest = 2 - power
    return exp(rest * log_mean) / rest + target * exp((1 - power) * log_mean) / (power - 1)


@loss(
    source="Hilbe 2011, Negative Binomial Regression (NB2), doi:10.1017/CBO9780511973420",
    promises="proper",
)
def negative_binomial(log_mean: Real, target: NonNegative, *, dispersion: Positive = 1.0):
    """Negative log-likelihood of an overdispersed count, without its constant part."""
    spread = log(1 + dispersion * exp(log_mean))
    return (target + 1 / dispersion) * spread - target * log_mean


@loss(source="Laplace 1774, Mémoire sur la probabilité des causes", promises="")
def laplace(location: Real, target: Real, scale: Positive):
    """Negative log-likelihood of a Laplace distribution with this location and scale."""
    return absolute(location - target) / scale + log(2 * scale)


@loss(source="Kingma and Welling 2013, arXiv:1312.6114, app. B", promises="non_negative convex")
def gaussian_kl(mean: Real, variance: Positive):
    """Relative entropy of a normal distribution to the standard one."""
    return (mean**2 + variance - 1 - log(variance)) / 2


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Jordan, "
    "Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    promises="non_negative",
)
def crps_logistic(location: Real, target: Real, scale: Positive):
    """Continuous ranked probability score of a logistic distribution."""
    z = (target - location) / scale
    return scale * (z - 2 * log(sigmoid(z)) - 1)


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Jordan, "
    "Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    promises="non_negative",
)
def crps_laplace(location: Real, target: Real, scale: Positive):
    """Continuous ranked probability score of a Laplace distribution."""
    z = absolute(target - location) / scale
    return scale * (z + exp(-z) - 3 / 4)


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437, eq. 21; closed form: "
    "Jordan, Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    promises="non_negative",
)
def crps_normal(location: Real, target: Real, scale: Positive):
    """Continuous ranked probability score of a normal distribution."""
    z = (target - location) / scale
    density = exp(-(z**2) / 2) / sqrt(2 * pi)
    return scale * (z * erf(z / sqrt(2)) + 2 * density - 1 / sqrt(pi))


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Jordan, "
    "Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    promises="non_negative",
)
def crps_exponential(rate: Positive, target: NonNegative):
    """Continuous ranked probability score of an exponential distribution."""
    return target - 2 * (1 - exp(-rate * target)) / rate + 1 / (2 * rate)


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Jordan, "
    "Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    promises="non_negative",
)
def crps_gamma(rate: Positive, target: NonNegative, *, shape: Positive = 1.0):
    """Continuous ranked probability score of a gamma distribution of this rate and shape."""
    below, below_next = gammainc(shape, rate * target), gammainc(shape + 1, rate * target)
    apart = exp(lgamma(shape + 1 / 2) - lgamma(shape)) / sqrt(pi)
    return target * (2 * below - 1) - shape / rate * (2 * below_next - 1) - apart / rate


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Wei and Held "
    "2014, doi:10.1007/s11749-014-0380-8; Jordan, Krüger and Lerch 2019, "
    "doi:10.18637/jss.v090.i12, app. A",
    promises="non_negative",
)
def crps_poisson(rate: Positive, target: Count):
    """Continuous ranked probability score of a Poisson distribution."""
    below = gammaincc(target + 1, rate)
    mass = exp(target * log(rate) - rate - lgamma(target + 1))
    apart = rate * (i0e(2 * rate) + i1e(2 * rate))
    return (target - rate) * (2 * below - 1) + 2 * rate * mass - apart


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Baran and "
    "Lerch 2015, doi:10.1002/qj.2521; Jordan, Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, "
    "app. A",
    promises="non_negative",
)
def crps_log_normal(location: Real, target: Positive, scale: Positive):
    """Continuous ranked probability score of an amount whose logarithm is normal."""
    z = (log(target) - location) / scale
    mean = exp(location + scale**2 / 2)
    inside = ndtr(z - scale) - ndtr(-scale / sqrt(2))  # two numbers near 1 have lost theirs
    return target * (2 * ndtr(z) - 1) - 2 * mean * inside


def _scored(location: Any, target: Any, scale: Any, *, degrees_of_freedom: Any) -> Any:
    """The score at the middle, and what adds up from there."""
    return student_t_crps(location, target, scale, degrees_of_freedom)


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437; closed form: Jordan, "
    "Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, app. A",
    promises="non_negative",
    computed=_scored,
)
def crps_student_t(
    location: Real, target: Real, scale: Positive, *, degrees_of_freedom: AboveOne = 5.0
):
    """Continuous ranked probability score of a Student's t with over one degree of freedom."""
    v, z = degrees_of_freedom, (target - location) / scale
    grown = 1 + z**2 / v
    inside = betainc(1 / 2, v / 2, 1 - 1 / grown)
    root = exp(lgamma((v + 1) / 2) - lgamma(v / 2))  # sqrt(pi) over the beta function of 1/2, v/2
    apart = exp(lgamma(v - 1 / 2) - lgamma(v)) * root
    beyond = 2 * sqrt(v / pi) / (v - 1) * root * (grown ** ((1 - v) / 2) - apart)
    return scale * (absolute(z) * inside + beyond)


@loss(
    source="Winkler 1972, doi:10.1080/01621459.1972.10481224; Gneiting and Raftery 2007, "
    "doi:10.1198/016214506000001437, sec. 6.2",
    promises="convex bounded_gradient",
)
def interval_score(lower: Real, upper: Real, target: Real, *, alpha: OpenUnit = 0.1):
    """Width of an interval, and ``2 / alpha`` for each unit by which the target lies outside."""
    outside = maximum(lower - target, 0) + maximum(target - upper, 0)
    return upper - lower + 2 / alpha * outside


@loss(
    source="Johnson, Kotz and Balakrishnan 1995, Continuous Univariate Distributions, vol. 2, "
    "ch. 23",
    promises="convex",
)
def logistic(location: Real, target: Real, scale: Positive):
    """Negative log-likelihood of a logistic distribution with this location and scale."""
    z = (target - location) / scale
    return z + log(scale) + 2 * log(1 + exp(-z))


@loss(
    source="Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions, vol. 1, "
    "ch. 14",
    promises="convex",
)
def log_normal(location: Real, target: Positive, scale: Positive):
    """Negative log-likelihood of an amount whose logarithm is normal."""
    z = (log(target) - location) / scale
    return z**2 / 2 + log(scale) + log(target) + log(2 * pi) / 2


@loss(
    source="Gumbel 1958, Statistics of Extremes; Johnson, Kotz and Balakrishnan 1995, Continuous "
    "Univariate Distributions, vol. 2, ch. 22",
    promises="convex",
)
def gumbel(location: Real, target: Real, scale: Positive):
    """Negative log-likelihood of a Gumbel distribution, that of largest values."""
    z = (target - location) / scale
    return z + exp(-z) + log(scale)


@loss(
    source="Student 1908, doi:10.1093/biomet/6.1.1; Lange, Little and Taylor 1989, "
    "doi:10.1080/01621459.1989.10478852",
    promises="bounded_gradient",
)
def student_t(location: Real, target: Real, scale: Positive, *, degrees_of_freedom: Positive = 5.0):
    """Negative log-likelihood of a Student's t, whose tails forgive outliers."""
    v, z = degrees_of_freedom, (target - location) / scale
    constant = log(pi * v) / 2 + lgamma(v / 2) - lgamma((v + 1) / 2)
    return (v + 1) / 2 * log(1 + z**2 / v) + log(scale) + constant


@loss(
    source="Gneiting and Raftery 2007, doi:10.1198/016214506000001437, eq. 21, for the empirical "
    "distribution, as Jordan, Krüger and Lerch 2019, doi:10.18637/jss.v090.i12, compute it",
    promises="non_negative",
)
def crps_ensemble(members: Scores, target: Real):
    """Continuous ranked probability score of the empirical distribution of an ensemble."""
    farther = where(members > target, beyond(1, by=members), beyond(1, by=-members))
    ranks = 2 * farther + tied(1, by=members)
    return total(absolute(members - target) * ranks) / class_count() ** 2


@loss(
    source="Ferro 2014, doi:10.1002/qj.2270",
    promises="non_negative",
)
def fair_crps_ensemble(members: Scores, target: Real):
    """CRPS of the distribution that the members of an ensemble are drawn from, without bias."""
    farther = where(members > target, beyond(1, by=members), beyond(1, by=-members))
    ranks = 2 * farther + tied(1, by=members) - 1
    distances = where(ranks > 0, absolute(members - target) * ranks, 0)
    return total(distances) / (class_count() * (class_count() - 1))


@loss(
    source="Seitzer et al. 2022, arXiv:2203.09168, eq. 5",
    promises="",
)
def beta_gaussian(mean: Real, target: Real, variance: Positive, *, beta: Unit = 0.5):
    """Gaussian likelihood times a power of its variance, which has no gradient: beta-NLL."""
    nats = (log(variance) + (mean - target) ** 2 / variance) / 2
    return held(variance**beta) * nats


@loss(
    source="Koenker and Bassett 1978, doi:10.2307/1913643; levels in the middle of equal parts: "
    "Dabney et al. 2017, arXiv:1710.10044, lemma 2",
    promises="non_negative convex bounded_gradient",
)
def multi_quantile(quantiles: Scores, target: Real, *, quantile_levels: Levels | None = None):
    """Mean over several quantiles of their tilted absolute errors."""
    tau = (class_index() + 0.5) / class_count() if quantile_levels is None else quantile_levels
    error = target - quantiles
    return total(maximum(tau * error, (tau - 1) * error)) / class_count()


@loss(
    source="Johnson, Kotz and Balakrishnan 1995, Continuous Univariate Distributions, vol. 2, "
    "ch. 25",
    promises="",
)
def beta(alpha: Positive, beta: Positive, target: OpenUnit):
    """Negative log-likelihood of a share between 0 and 1 under a beta distribution."""
    constant = lgamma(alpha) + lgamma(beta) - lgamma(alpha + beta)
    return constant - (alpha - 1) * log(target) - (beta - 1) * log(1 - target)


@loss(
    source="von Mises 1918, Physikalische Zeitschrift 19:490-500; Mardia and Jupp 2000, "
    "Directional Statistics, doi:10.1002/9780470316979, sec. 3.5.4",
    promises="",
)
def von_mises(location: Angle, target: Angle, concentration: Positive):
    """Negative log-likelihood of an angle, around a direction and with a concentration."""
    constant = log(2 * pi * i0e(concentration)) + concentration
    return constant - concentration * cos(location - target)


def _between(location: Any, lower: Any, upper: Any, *, scale: Any) -> Any:
    """The difference of the bounds by itself, which is right however close they are."""
    return negative_log_between(location, lower, upper, scale)


@loss(
    source="McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x, whose difference of two "
    "distribution functions stands here in factors; as interval-censored times: Kalbfleisch and "
    "Prentice 2002, doi:10.1002/9781118032985, sec. 3.2",
    promises="non_negative convex bounded_gradient",
    computed=_between,
)
def logistic_interval(location: Real, lower: Logit, upper: Logit, *, scale: Positive = 1.0):
    """Negative log-probability that a logistic number lies between two bounds: ordinal logit."""
    low, high = minimum(lower, upper), maximum(lower, upper)
    beyond = log(1 + exp((location - high) / scale)) + log(1 + exp((low - location) / scale))
    return where(lower == upper, inf, beyond - log(1 - exp((low - high) / scale)))


def _between_normal(location: Any, lower: Any, upper: Any, *, scale: Any) -> Any:
    """The density at the nearer bound times an integral between both, however far out they are."""
    return negative_log_between_normal(location, lower, upper, scale)


@loss(
    source="McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x; as interval-censored times: "
    "Kalbfleisch and Prentice 2002, doi:10.1002/9781118032985, sec. 3.2",
    promises="non_negative convex",
    computed=_between_normal,
)
def normal_interval(location: Real, lower: Logit, upper: Logit, *, scale: Positive = 1.0):
    """Negative log-probability that a normal number lies between two bounds: ordinal probit."""
    # The same difference on either side of the middle: two numbers near 1 have lost theirs.
    turn = where(lower + upper > 2 * location, -1, 1)
    inside = ndtr(turn * (upper - location) / scale) - ndtr(turn * (lower - location) / scale)
    return where(lower == upper, inf, -log(absolute(inside)))
