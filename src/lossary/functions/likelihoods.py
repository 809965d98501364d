"""Likelihoods with heavy or uneven tails, whose errors in units of a scale may overflow."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression, constant
from lossary.functions.carried import exp_of_rounded, expm1_of_rounded
from lossary.functions.coefficients import polynomial
from lossary.functions.compensated import sum_of_three
from lossary.functions.elementwise import sech_squared
from lossary.functions.exponentials import cosh, log_cosh_difference
from lossary.functions.gamma_function import lgamma
from lossary.functions.robust import excess
from lossary.functions.vocabulary import absolute, exp, log, log1p, named, pi, tanh, where

_LOG_2, _HALF_LOG_2_PI = 0.6931471805599453, 0.9189385332046727
_FADED = -800  # exp(w) is 0 below, also times a power of w

# ------------------------------------------------------------------------------ log-normal


@named(
    means=lambda x, t, s: (x - log(t)) / s**2,
)
def log_normal_nll_slope(x: Expression, t: Expression, scale: Expression) -> Expression:
    """The slope of log_normal_nll in x."""
    return (x - log(t)) / scale / scale


@named(
    means=lambda x, t, s: (1 + (log(t) - x) / s**2) / t,
    # Parts that may both be infinite are added before they are divided.
    slope=lambda x, t, s: (
        -1 / s / s / t,
        ((1 - (log(t) - x)) / s / s - 1) / t / t,
        -2 * (log(t) - x) / s / s / s / t,
    ),
)
def log_normal_nll_target_slope(x: Expression, t: Expression, scale: Expression) -> Expression:
    """The slope of log_normal_nll in the target."""
    return (1 + (log(t) - x) / scale / scale) / t


@named(
    means=lambda x, t, s: (1 - ((log(t) - x) / s) ** 2) / s,
    # Squares may under- or overflow.
    slope=lambda x, t, s: (
        -2 * ((x - log(t)) / s) / s / s,
        2 * ((x - log(t)) / s) / s / s / t,
        (3 * ((x - log(t)) / s) * ((x - log(t)) / s) - 1) / s / s,
    ),
)
def log_normal_nll_scale_slope(x: Expression, t: Expression, scale: Expression) -> Expression:
    """The slope of log_normal_nll in the scale."""
    z = (log(t) - x) / scale
    return (1 - z) * (1 + z) / scale


@named(
    means=lambda x, t, s: ((log(t) - x) / s) ** 2 / 2 + log(s) + log(t),
    # Parts that may both be infinite are added before they are divided.
    slope=lambda x, t, s: (
        log_normal_nll_slope(x, t, s),
        log_normal_nll_target_slope(x, t, s),
        log_normal_nll_scale_slope(x, t, s),
    ),
)
def log_normal_nll(x: Expression, t: Expression, scale: Expression) -> Expression:
    """The likelihood of an amount whose logarithm is normal."""
    z = (log(t) - x) / scale
    return sum_of_three(z * z / 2, log(scale), log(t))


# -------------------------------------------------------------------------------- logistic


def _bent(w: Expression, power: int) -> Expression:
    """Return w^power tanh'(w / 2) / 2, 0 far out."""
    fade = sech_squared(w / 2) / 2
    return where(absolute(w) > -_FADED, 0, w * fade if power == 1 else w * (w * fade))


@named(
    means=lambda x, y, s: tanh((x - y) / s / 2) / s,
    # Far out its slope of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        sech_squared((x - y) / s / 2) / 2 / s / s,
        -(sech_squared((x - y) / s / 2) / 2 / s / s),
        -(tanh((x - y) / s / 2) + _bent((x - y) / s, 1)) / s / s,
    ),
)
def logistic_nll_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of logistic_nll in x."""
    return tanh((x - y) / scale / 2) / scale


@named(
    means=lambda x, y, s: (1 - (x - y) / s * tanh((x - y) / s / 2)) / s,
    # Far out its slope of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        -(tanh((x - y) / s / 2) + _bent((x - y) / s, 1)) / s / s,
        (tanh((x - y) / s / 2) + _bent((x - y) / s, 1)) / s / s,
        (2 * ((x - y) / s * tanh((x - y) / s / 2)) + _bent((x - y) / s, 2) - 1) / s / s,
    ),
)
def logistic_nll_scale_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of logistic_nll in the scale."""
    w = (x - y) / scale
    return (1 - w * tanh(w / 2)) / scale


@named(
    means=lambda x, y, s: 2 * log(2 * cosh((x - y) / s / 2)) + log(s),
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        logistic_nll_slope(x, y, s),
        -logistic_nll_slope(x, y, s),
        logistic_nll_scale_slope(x, y, s),
    ),
)
def logistic_nll(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The likelihood of a logistic distribution, 0 for two equal numbers and a scale of 1/4."""
    bent = log_cosh_difference((x - y) / scale / 2, constant(0))
    return sum_of_three(2 * bent, constant(2 * _LOG_2), log(scale))


# ------------------------------------------------------------------------- extreme values


def _grown(w: Expression, power: int) -> Expression:
    """Return w^power exp(w), 0 far out."""
    product = w * exp_of_rounded(w) if power == 1 else w * (w * exp_of_rounded(w))
    return where(w < _FADED, 0, product)


@named(
    means=lambda x, y, s: (exp((x - y) / s) - 1) / s,
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        exp_of_rounded((x - y) / s) / s / s,
        -exp_of_rounded((x - y) / s) / s / s,
        -(expm1_of_rounded((x - y) / s) + _grown((x - y) / s, 1)) / s / s,
    ),
)
def gumbel_nll_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of gumbel_nll in x."""
    return expm1_of_rounded((x - y) / scale) / scale


@named(
    means=lambda x, y, s: (1 - (x - y) / s * (exp((x - y) / s) - 1)) / s,
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        -(expm1_of_rounded((x - y) / s) + _grown((x - y) / s, 1)) / s / s,
        (expm1_of_rounded((x - y) / s) + _grown((x - y) / s, 1)) / s / s,
        _gumbel_bend((x - y) / s) / s / s,
    ),
)
def gumbel_nll_scale_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of gumbel_nll in the scale."""
    error = (x - y) / scale
    return (1 - error * expm1_of_rounded(error)) / scale


def _gumbel_bend(w: Expression) -> Expression:
    return 2 * (w * expm1_of_rounded(w)) + _grown(w, 2) - 1


@named(
    means=lambda x, y, s: (y - x) / s + exp((x - y) / s) + log(s),
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        gumbel_nll_slope(x, y, s),
        -gumbel_nll_slope(x, y, s),
        gumbel_nll_scale_slope(x, y, s),
    ),
)
def gumbel_nll(x: Expression, y: Expression, scale: Expression) -> Expression:
    """Z + exp(-z) + log(scale) for z = (y - x) / scale; the exponential wins over z."""
    error = (x - y) / scale
    growth = exp_of_rounded(error)
    return where(growth == inf, inf, sum_of_three(growth, -error, log(scale)))


# ---------------------------------------------------------------------------- Student's t

# With e = x - y, everything is a quotient of powers of e and s over v s^2 + e^2. Near its middle
# (|e| < s) it is written in z = e / s, and beyond in w = s / e: neither is above 1.


def _inside(x: Expression, y: Expression, s: Expression) -> Expression:
    return absolute(x - y) < s


def _z(x: Expression, y: Expression, s: Expression) -> Expression:
    return where(_inside(x, y, s), x - y, 0) / s


def _w(x: Expression, y: Expression, s: Expression) -> Expression:
    return s / _far(x, y, s)


def _far(x: Expression, y: Expression, s: Expression) -> Expression:
    return where(_inside(x, y, s), s, x - y)


def _student_bend(x: Expression, y: Expression, s: Expression, v: Expression) -> Expression:
    """Return -2 v (v + 1) s e / (v s^2 + e^2)^2, the mixed second derivative."""
    z, w, e = _z(x, y, s), _w(x, y, s), _far(x, y, s)
    below, beyond = v + z * z, v * (w * w) + 1
    near = -2 * ((v + 1) / below * z / s) * ((v / below) / s)
    far = -2 * ((v + 1) / beyond * w / e) * ((v / beyond) / e)
    return where(_inside(x, y, s), near, far)


def _student_curvature(x: Expression, y: Expression, s: Expression, v: Expression) -> Expression:
    z, w, e = _z(x, y, s), _w(x, y, s), _far(x, y, s)
    below, beyond = v + z * z, v * (w * w) + 1
    near = (v + 1) / below * ((v - z * z) / below) / s / s
    far = (v + 1) / beyond * ((v * (w * w) - 1) / beyond) / e / e
    return where(_inside(x, y, s), near, far)


def _student_scale_curvature(
    x: Expression, y: Expression, s: Expression, v: Expression
) -> Expression:
    z, w = _z(x, y, s), _w(x, y, s)
    zz, ww = z * z, w * w
    below, beyond = v + zz, v * ww + 1
    near = (v / below) * ((zz * (1 + zz) - v) / below + 3 * (zz * (v / below)))
    far = (v / beyond) * ((ww * (1 - v * ww) + 1) / beyond + 3 * (ww * (v / beyond)))
    return where(_inside(x, y, s), near, far) / s / s


@named(
    means=lambda x, y, s, v: (v + 1) * (x - y) / (v * s**2 + (x - y) ** 2),
    # Squares may under- or overflow.
    slope=lambda x, y, s, v: (
        _student_curvature(x, y, s, v),
        -_student_curvature(x, y, s, v),
        _student_bend(x, y, s, v),
        _student_slope_by_freedom(x, y, s, v),
    ),
)
def student_t_slope(x: Expression, y: Expression, scale: Expression, v: Expression) -> Expression:
    """The slope of student_t_nll in x."""
    z, w = _z(x, y, scale), _w(x, y, scale)
    near = (v + 1) / (v + z * z) * z / scale
    far = (v + 1) / (v * (w * w) + 1) / _far(x, y, scale)
    return where(_inside(x, y, scale), near, far)


def _student_slope_by_freedom(
    x: Expression, y: Expression, s: Expression, v: Expression
) -> Expression:
    z, w = _z(x, y, s), _w(x, y, s)
    below, beyond = v + z * z, v * (w * w) + 1
    near = z * (z * z - 1) / below / below / s
    return where(_inside(x, y, s), near, (1 - w * w) / beyond / beyond / _far(x, y, s))


@named(
    means=lambda x, y, s, v: v * (s**2 - (x - y) ** 2) / (v * s**2 + (x - y) ** 2) / s,
    # Squares may under- or overflow.
    slope=lambda x, y, s, v: (
        _student_bend(x, y, s, v),
        -_student_bend(x, y, s, v),
        _student_scale_curvature(x, y, s, v),
        -_student_slope_by_freedom(x, y, s, v) * (x - y) / s,
    ),
)
def student_t_scale_slope(
    x: Expression, y: Expression, scale: Expression, v: Expression
) -> Expression:
    """The slope of student_t_nll in the scale, whose zero is where the error is the scale."""
    z, w = absolute(_z(x, y, scale)), absolute(_w(x, y, scale))
    short = -excess(x, y, scale)
    near = v / (v + z * z) * (short / scale * (1 + z))
    far = v / (v * (w * w) + 1) * (short / absolute(_far(x, y, scale)) * (1 + w))
    return where(_inside(x, y, scale), near, far) / scale


def _student_by_freedom(x: Expression, y: Expression, s: Expression, v: Expression) -> Expression:
    z, w = _z(x, y, s), _w(x, y, s)
    near, far = z * z / (v + z * z), 1 / (v * (w * w) + 1)
    return (_log_of_student(x, y, s, v) - (v + 1) / v * where(_inside(x, y, s), near, far)) / 2


def _log_of_student(x: Expression, y: Expression, s: Expression, v: Expression) -> Expression:
    error = (x - y) / s
    square = error / v * error
    far = 2 * (log(absolute(_far(x, y, s))) - log(s)) - log(v)
    return where(square < 1e300, log1p(square), far)


@named(
    means=lambda x, y, s, v: (v + 1) / 2 * log(1 + ((x - y) / s) ** 2 / v) + log(s),
    # Over a common denominator: right near its zero.
    slope=lambda x, y, s, v: (
        student_t_slope(x, y, s, v),
        -student_t_slope(x, y, s, v),
        student_t_scale_slope(x, y, s, v),
        _student_by_freedom(x, y, s, v),
    ),
)
def student_t_nll(x: Expression, y: Expression, scale: Expression, v: Expression) -> Expression:
    """Part of the likelihood of a Student's t that location and scale change."""
    return (v + 1) / 2 * _log_of_student(x, y, scale, v) + log(scale)


# Gamma(z + 1/2) / Gamma(z) for z from 10 on: its logarithm less log(z) / 2 is a series in 1 / z, of
# (2^(1 - 2k) - 2) B_2k / (2k (2k - 1)) z^(1 - 2k) with Bernoulli's numbers; and from z to z + 1 it
# grows by log(1 + 1 / (2 z)). Without a choice: v may be a number in Python.
_STEPS = 10
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
_RATIO_SERIES = [
    (2.0 ** (1 - 2 * k) - 2) * number / (2 * k * (2 * k - 1))
    for k, number in enumerate(_BERNOULLI, 1)
]


@named(
    means=lambda v: log(pi * v) / 2 + lgamma(v / 2) - lgamma((v + 1) / 2),
)
def student_t_constant(v: Expression) -> Expression:
    """The rest of it, which goes to log(2 pi) / 2 for many degrees of freedom."""
    grown = sum((log1p(1 / (v + 2 * k)) for k in range(1, _STEPS)), log1p(1 / v))
    return _HALF_LOG_2_PI + (grown - log1p(2 * _STEPS / v) / 2 - _ratio_tail(v))


def _ratio_tail(v: Expression) -> Expression:
    inverse = 1 / (v / 2 + _STEPS)
    return inverse * polynomial(_RATIO_SERIES, inverse * inverse)


def student_t_constant_change(v: Expression) -> Expression:
    """Return how the constant changes to 2 v - 1 degrees of freedom, right also near v = 1."""
    many, more = 2 * v - 1, v - 1
    grown = sum(
        (log1p(-more / (many + 2 * k) / (v + 2 * k + 1)) for k in range(1, _STEPS)),
        log1p(-more / many / (v + 1)),
    )
    steps = log1p(-2 * _STEPS * more / many / (v + 2 * _STEPS))
    return grown - steps / 2 - (_ratio_tail(many) - _ratio_tail(v))
