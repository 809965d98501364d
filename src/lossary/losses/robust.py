"""Losses of an error that tame outliers, tilt, or leave small errors alone."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import NonNegative, OpenUnit, Positive, Real
from lossary.functions import absolute, exp, log, maximum, sqrt, where

_SCALE = (
    "Scaled as in Barron 2019, so that it is half the squared error over scale^2 near 0; other "
    "texts leave out the factor or the division."
)
_REDESCENDING = (
    "Not convex, and its gradient goes back to 0 far out: start near a solution, or from huber."
)


@loss(
    source="Vapnik 1995, The Nature of Statistical Learning Theory, "
    "doi:10.1007/978-1-4757-2440-0; Smola and Schoelkopf 2004, "
    "doi:10.1023/B:STCO.0000035301.49549.88",
    elsewhere=(
        "sklearn.linear_model.SGDRegressor (loss='epsilon_insensitive')",
        "sklearn.svm.LinearSVR (loss='epsilon_insensitive')",
    ),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="Support vector regression: errors below ``epsilon`` are free, so that few examples "
    "carry the solution.",
    traps=("epsilon is in units of the target: 0.1 means something only after scaling.",),
)
def epsilon_insensitive(prediction: Real, target: Real, *, epsilon: NonNegative = 0.1):
    """Size of the error beyond ``epsilon``; what is closer costs nothing."""
    return maximum(absolute(prediction - target) - epsilon, 0)


@loss(
    source="Vapnik 1995, The Nature of Statistical Learning Theory, "
    "doi:10.1007/978-1-4757-2440-0; Ho and Lin 2012, JMLR 13:3323-3348, eq. 3",
    elsewhere=(
        "sklearn.linear_model.SGDRegressor (loss='squared_epsilon_insensitive')",
        "sklearn.svm.LinearSVR (loss='squared_epsilon_insensitive')",
    ),
    promises="non_negative zero_at_target symmetric convex even",
    choose="epsilon_insensitive without a kink, for solvers that want a slope everywhere.",
    traps=("The square is of what exceeds epsilon, not of the error.",),
)
def squared_epsilon_insensitive(prediction: Real, target: Real, *, epsilon: NonNegative = 0.1):
    """Square of the error beyond ``epsilon``."""
    return maximum(absolute(prediction - target) - epsilon, 0) ** 2


@loss(
    source="Charbonnier et al. 1994, doi:10.1109/ICIP.1994.413553; Barron 2019, arXiv:1701.03077, "
    "eq. 1 with alpha = 1",
    elsewhere=("kornia.losses.charbonnier_loss",),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="The absolute error with its kink rounded off: image restoration, optical flow.",
    traps=(
        _SCALE,
        "sqrt(error^2 + epsilon^2), as many write it, is scale times this plus epsilon: not 0 for "
        "a perfect prediction.",
    ),
)
def charbonnier(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Square root of one plus the squared error, less one: a smooth absolute error."""
    return sqrt(((prediction - target) / scale) ** 2 + 1) - 1


@loss(
    source="Charbonnier et al. 1997, doi:10.1109/83.551699; Hartley and Zisserman 2004, "
    "Multiple View Geometry, A6.8",
    elsewhere=("xgboost (objective='reg:pseudohubererror')",),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="Huber without a seam: smooth everywhere, with a scale.",
    traps=(
        "It is delta^2 times charbonnier with scale = delta: half the squared error near 0, and "
        "delta times the absolute error far out.",
    ),
)
def pseudo_huber(prediction: Real, target: Real, *, delta: Positive = 1.0):
    """Squared error near zero that becomes ``delta`` times the absolute error."""
    return delta**2 * (sqrt(1 + ((prediction - target) / delta) ** 2) - 1)


@loss(
    source="Black and Anandan 1996, doi:10.1006/cviu.1996.0006; Barron 2019, arXiv:1701.03077, "
    "eq. 8 with alpha = 0",
    elsewhere=("kornia.losses.cauchy_loss",),
    promises="non_negative zero_at_target symmetric even bounded_gradient",
    choose="Outliers by orders of magnitude: it grows with the logarithm of the error. Also called "
    "the Lorentzian.",
    traps=(_SCALE, _REDESCENDING),
)
def cauchy(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Logarithm of one plus half the squared error, in units of ``scale``."""
    return log(((prediction - target) / scale) ** 2 / 2 + 1)


@loss(
    source="Geman and McClure 1985, Bayesian image analysis; Barron 2019, arXiv:1701.03077, eq. 1 "
    "with alpha = -2",
    elsewhere=("kornia.losses.geman_mcclure_loss",),
    promises="non_negative zero_at_target symmetric even bounded_gradient",
    choose="Outliers that should count the same however far out they are: at most 2.",
    traps=(_SCALE, _REDESCENDING, "x^2 / (x^2 + scale^2) is another parametrisation, at most 1."),
)
def geman_mcclure(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error that levels off at 2."""
    square = ((prediction - target) / scale) ** 2
    return 2 * square / (square + 4)


@loss(
    source="Dennis and Welsch 1978, doi:10.1080/03610917808812083; Barron 2019, arXiv:1701.03077, "
    "eq. 8 with alpha = -infinity",
    elsewhere=("kornia.losses.welsch_loss",),
    promises="non_negative zero_at_target symmetric even bounded_gradient",
    choose="Outliers that should not count at all. Also called Leclerc, and correntropy.",
    traps=(_SCALE, _REDESCENDING),
)
def welsch(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error that levels off at 1 as a normal density does at 0."""
    return 1 - exp(-(((prediction - target) / scale) ** 2) / 2)


@loss(
    source="Beaton and Tukey 1974, doi:10.1080/00401706.1974.10489171",
    elsewhere=("statsmodels.robust.norms.TukeyBiweight", "biweight"),
    promises="non_negative zero_at_target symmetric even bounded_gradient",
    choose="Outliers that should have no influence: beyond ``scale`` the gradient is exactly 0. "
    "The default 4.685 has 95 % efficiency for normal errors of variance 1.",
    traps=(
        _REDESCENDING,
        "Here near 0 half the squared error, and at most scale^2 / 6; some texts multiply by 6.",
        "The default supposes errors of standard deviation 1: divide by a robust scale first.",
    ),
)
def tukey(prediction: Real, target: Real, *, scale: Positive = 4.685):
    """Squared error that is constant beyond ``scale``: Tukey's biweight."""
    error = (prediction - target) / scale
    inside = absolute(prediction - target) <= scale
    return scale**2 / 6 * where(inside, 1 - (1 - error**2) ** 3, 1)


@loss(
    source="Fair 1974, doi:10.3386/w0013; Rey 1983, doi:10.1007/978-3-642-69389-2, sec. 6.4.5",
    elsewhere=("lightgbm (objective='fair')",),
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
    choose="Robust and smooth, between squared and absolute error.",
    traps=("LightGBM's fair_c is scale; its metric has the same factor scale^2.",),
)
def fair(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that grows ever more slowly towards the absolute error."""
    size = absolute(prediction - target) / scale
    return scale**2 * (size - log(1 + size))


@loss(
    source="Feng et al. 2018, arXiv:1711.06753, eq. 5",
    elsewhere=("segmentation_models_pytorch.losses._functional.wing_loss",),
    promises="non_negative zero_at_target symmetric even bounded_gradient",
    choose="Landmarks that are nearly right already: small errors pull harder than with the "
    "absolute error, large ones as hard.",
    traps=(
        "Defaults differ: width 10 and curvature 2 in the paper, 5 and 0.5 in "
        "segmentation_models_pytorch.",
        "Made for errors in pixels; on coordinates in [0, 1] only the logarithmic part is left.",
    ),
)
def wing(prediction: Real, target: Real, *, width: Positive = 10.0, curvature: Positive = 2.0):
    """Logarithm of the error within ``width``, its size beyond."""
    size = absolute(prediction - target)
    offset = width - width * log(1 + width / curvature)
    return where(size < width, width * log(1 + size / curvature), size - offset)


@loss(
    source="Newey and Powell 1987, doi:10.2307/1911031",
    elsewhere=("catboost (loss_function='Expectile')", "xgboost (objective='reg:expectileerror')"),
    promises="non_negative zero_at_target convex",
    choose="A tail of the distribution, as quantile, where the size of excesses counts as well.",
    traps=(
        "expectile = 0.5 is half the squared error.",
        "The 0.9-expectile is not the 0.9-quantile: of a normal distribution it is the "
        "0.81-quantile.",
    ),
)
def expectile(prediction: Real, target: Real, *, expectile: OpenUnit = 0.5):
    """Tilted squared error, whose minimiser is the ``expectile`` of the target."""
    error = target - prediction
    return where(error >= 0, expectile, 1 - expectile) * error**2


@loss(
    source="Makridakis 1993, doi:10.1016/0169-2070(93)90079-3",
    elsewhere=("torchmetrics.SymmetricMeanAbsolutePercentageError", "SMAPE"),
    promises="non_negative zero_at_target symmetric",
    choose="To report in the units of forecasting competitions (M3, M4). To train on, choose "
    "absolute_error of logarithms.",
    traps=(
        "From 0 to 200 percent; torchmetrics returns a fraction from 0 to 2, others divide by the "
        "sum instead of the mean and end at 100.",
        "A prediction of the wrong sign costs 200 whatever its size, with gradient 0.",
        "Two zeros cost 0; libraries hide an epsilon there.",
    ),
)
def symmetric_absolute_percentage_error(prediction: Real, target: Real):
    """Size of the error in percent of the mean size of prediction and truth."""
    size = absolute(prediction) + absolute(target)
    return 200 * where(size > 0, absolute(prediction - target) / size, 0)
