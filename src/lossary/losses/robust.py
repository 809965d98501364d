"""Losses of an error that tame outliers, tilt, or leave small errors alone."""

from __future__ import annotations

from lossary.definition import loss
from lossary.domain import NonNegative, NonZero, OpenUnit, Positive, Real
from lossary.functions import absolute, exp, log, maximum, minimum, pi, sin, sqrt, where


@loss(
    source="Vapnik 1995, The Nature of Statistical Learning Theory, "
    "doi:10.1007/978-1-4757-2440-0; Smola and Schölkopf 2004, "
    "doi:10.1023/B:STCO.0000035301.49549.88",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def epsilon_insensitive(prediction: Real, target: Real, *, epsilon: NonNegative = 0.1):
    """Size of the error beyond ``epsilon``; what is closer costs nothing."""
    return maximum(absolute(prediction - target) - epsilon, 0)


@loss(
    source="Vapnik 1995, The Nature of Statistical Learning Theory, "
    "doi:10.1007/978-1-4757-2440-0; Ho and Lin 2012, JMLR 13:3323-3348",
    promises="non_negative zero_at_target symmetric convex even",
)
def squared_epsilon_insensitive(prediction: Real, target: Real, *, epsilon: NonNegative = 0.1):
    """Square of the error beyond ``epsilon``."""
    return maximum(absolute(prediction - target) - epsilon, 0) ** 2


@loss(
    source="Charbonnier et al. 1994, doi:10.1109/ICIP.1994.413553; Barron 2019, arXiv:1701.03077, "
    "eq. 3",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def charbonnier(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Square root of one plus the squared error, less one: a smooth absolute error."""
    return sqrt(((prediction - target) / scale) ** 2 + 1) - 1


@loss(
    source="Charbonnier et al. 1997, doi:10.1109/83.551699; Hartley and Zisserman 2004, "
    "Multiple View Geometry, A6.8",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def pseudo_huber(prediction: Real, target: Real, *, delta: Positive = 1.0):
    """Squared error near zero that becomes ``delta`` times the absolute error."""
    return delta**2 * (sqrt(1 + ((prediction - target) / delta) ** 2) - 1)


@loss(
    source="Black and Anandan 1996, doi:10.1006/cviu.1996.0006; Barron 2019, arXiv:1701.03077, "
    "eq. 1 as alpha goes to 0",
    promises="non_negative zero_at_target symmetric even bounded_gradient",
)
def cauchy(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Logarithm of one plus half the squared error, in units of ``scale``."""
    return log(((prediction - target) / scale) ** 2 / 2 + 1)


@loss(
    source="Geman and McClure 1985, Bayesian image analysis; Barron 2019, arXiv:1701.03077, eq. 1 "
    "with alpha = -2",
    promises="non_negative zero_at_target symmetric even bounded_gradient",
)
def geman_mcclure(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error that levels off at 2."""
    square = ((prediction - target) / scale) ** 2
    return 2 * square / (square + 4)


@loss(
    source="Dennis and Welsch 1978, doi:10.1080/03610917808812083; Barron 2019, arXiv:1701.03077, "
    "eq. 1 as alpha goes to -infinity",
    promises="non_negative zero_at_target symmetric even bounded_gradient",
)
def welsch(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error that levels off at 1 as a normal density does at 0."""
    return 1 - exp(-(((prediction - target) / scale) ** 2) / 2)


@loss(
    source="Beaton and Tukey 1974, doi:10.1080/00401706.1974.10489171",
    promises="non_negative zero_at_target symmetric even bounded_gradient",
)
def tukey(prediction: Real, target: Real, *, scale: Positive = 4.685):
    """Squared error that is constant beyond ``scale``: Tukey's biweight."""
    error = (prediction - target) / scale
    outside = absolute(prediction - target) > scale
    return scale**2 / 6 * where(outside, 1, 1 - (1 - error**2) ** 3)


@loss(
    source="Fair 1974, On the robust estimation of econometric models, Annals of Economic and "
    "Social Measurement 3:667-677; Rey 1983, Introduction to Robust and Quasi-Robust Statistical "
    "Methods",
    promises="non_negative zero_at_target symmetric convex even bounded_gradient",
)
def fair(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that grows ever more slowly towards the absolute error."""
    size = absolute(prediction - target) / scale
    return scale**2 * (size - log(1 + size))


@loss(
    source="Feng et al. 2018, arXiv:1711.06753",
    promises="non_negative zero_at_target symmetric even bounded_gradient",
)
def wing(prediction: Real, target: Real, *, width: Positive = 10.0, curvature: Positive = 2.0):
    """Logarithm of the error within ``width``, its size beyond."""
    x = absolute(prediction - target)
    c = width - width * log(1 + width / curvature)
    return where(x < width, width * log(1 + x / curvature), x - c)


@loss(
    source="Newey and Powell 1987, doi:10.2307/1911031",
    promises="non_negative zero_at_target convex",
)
def expectile(prediction: Real, target: Real, *, expectile: OpenUnit = 0.5):
    """Tilted squared error, whose minimiser is the ``expectile`` of the target."""
    error = target - prediction
    return where(error >= 0, expectile, 1 - expectile) * error**2


@loss(
    source="Makridakis 1993, doi:10.1016/0169-2070(93)90079-3",
    promises="non_negative zero_at_target symmetric",
)
def symmetric_absolute_percentage_error(prediction: Real, target: Real):
    """Size of the error in percent of the mean size of prediction and truth."""
    size = absolute(prediction) + absolute(target)
    return 200 * where(size == 0, 0, absolute(prediction - target) / size)


@loss(
    source="Varian 1975, A Bayesian approach to real estate assessment; Zellner 1986, "
    "doi:10.1080/01621459.1986.10478289",
    promises="non_negative zero_at_target convex",
)
def linex(prediction: Real, target: Real, *, tilt: NonZero = 1.0):
    """Exponential of the error on one side, nearly linear on the other."""
    error = prediction - target
    return exp(tilt * error) - tilt * error - 1


@loss(
    source="Dabney et al. 2017 (QR-DQN), arXiv:1710.10044, eq. 10",
    promises="non_negative zero_at_target convex bounded_gradient",
)
def quantile_huber(
    prediction: Real, target: Real, *, quantile: OpenUnit = 0.5, delta: Positive = 1.0
):
    """The Huber loss, tilted so that its minimiser is near the ``quantile`` of the target."""
    error = target - prediction
    size = absolute(error)
    near, far = error**2 / 2, delta * (size - delta / 2)
    return where(error < 0, 1 - quantile, quantile) * where(size <= delta, near, far)


@loss(
    source="Zheng 2011, doi:10.1007/s13042-011-0031-2",
    promises="non_negative convex bounded_gradient",
)
def smooth_quantile(
    prediction: Real, target: Real, *, quantile: OpenUnit = 0.5, width: Positive = 1.0
):
    """Tilted absolute error whose kink is rounded off over about ``width``."""
    error = target - prediction
    return quantile * error + width * log(1 + exp(-error / width))


@loss(
    source="Barron 2019, arXiv:1701.03077, eq. 1 and 8",
    promises="non_negative zero_at_target symmetric even",
)
def barron(prediction: Real, target: Real, *, shape: Real = 1.0, scale: Positive = 1.0):
    """A family from squared errors to errors that hardly count when large, by its ``shape``."""
    x, b = (prediction - target) / scale, absolute(shape - 2)
    general = b / shape * ((x**2 / b + 1) ** (shape / 2) - 1)
    return where(shape == 2, x**2 / 2, where(shape == 0, log(x**2 / 2 + 1), general))


@loss(
    source="Blake and Zisserman 1987, Visual Reconstruction, ch. 3",
    promises="non_negative zero_at_target symmetric bounded_gradient",
)
def truncated_squared_error(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error that is constant beyond scale: an outlier costs no more than that."""
    return minimum((prediction - target) ** 2, scale**2)


@loss(
    source="Owen 2007, doi:10.1090/conm/443/08555; for depths: Laina et al. 2016, "
    "arXiv:1606.00373, eq. 2",
    promises="non_negative zero_at_target symmetric even convex",
)
def reverse_huber(prediction: Real, target: Real, *, delta: Positive = 1.0):
    """Absolute error where it is small, squared error where it is large: berHu."""
    size = abs(prediction - target)
    return where(size <= delta, size, (size**2 + delta**2) / (2 * delta))


@loss(
    source="Andrews 1974, Technometrics 16:523; Holland and Welsch 1977, "
    "doi:10.1080/03610927708827533",
    promises="non_negative zero_at_target symmetric even bounded_gradient",
)
def andrews(prediction: Real, target: Real, *, scale: Positive = 1.339):
    """A sine's wave: the pull of an error grows, falls, and is none from pi times the scale on."""
    half = (prediction - target) / scale / 2
    return 2 * scale**2 * where(abs(half) > pi / 2, 1, sin(half) ** 2)
