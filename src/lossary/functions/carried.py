"""Functions of a computed argument, which make its rounding good to first order.

exp amplifies the rounding of its argument by that argument, which goes up to 745.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial, inf

from lossary.formula import Expression, constant
from lossary.functions.coefficients import polynomial
from lossary.functions.compensated import product_error, rounding, running_sum, sum_error
from lossary.functions.elementwise import (
    sigmoid,
    sigmoid_cross_entropy,
    sigmoid_cross_entropy_beside,
    sigmoid_cross_entropy_slope,
    softplus,
)
from lossary.functions.error_function import hazard_excess, log_ndtr, normal_hazard
from lossary.functions.gaps import exp_gap
from lossary.functions.vocabulary import (
    absolute,
    argpeak,
    cos,
    exp,
    expm1,
    held,
    is_class,
    minimum,
    named,
    pick,
    sin,
    total,
    where,
)


def entry_at(values: Expression, place: Expression) -> Expression:
    """Return the entry at a place that is computed: kernels pick at labels only."""
    return total(where(is_class(place), values, 0))


def _quotient(x: Expression, y: Expression, rounded: Expression) -> Expression:
    back = rounded * y
    return ((x - back) - product_error(rounded, y, back)) / y


def _sine_error(x: Expression, u: Expression) -> Expression:
    """Return what sqrt(1 - x^2) is short of, by what its square is short of."""
    square, rounded = x * x, u * u
    rest = 1 - square
    left = (rest - rounded) + sum_error(constant(1), -square, rest)
    left = left - product_error(x, x, square) - product_error(u, u, rounded)
    return where(u > 0, left / (2 * u), 0)


# What the series of cosine and sine have beyond 1 - x^2 / 2 and x, over x^4 and x^3.
_COSINE = [(-1) ** k / factorial(2 * k) for k in range(2, 12)]
_SINE = [(-1) ** k / factorial(2 * k + 1) for k in range(1, 12)]


def _cosine_error(x: Expression, u: Expression) -> Expression:
    """Return what cos(x) is short of, for angles up to 1."""
    square = x * x
    beyond = square * square * polynomial(_COSINE, square)
    left = ((1 - u) - square / 2) - product_error(x, x, square) / 2
    return where(absolute(x) <= 1, left + beyond, 0)


def _angle_error(x: Expression, u: Expression) -> Expression:
    """Return what sin(x) is short of, for angles up to 1."""
    square = x * x
    return where(absolute(x) <= 1, (x - u) + x * square * polynomial(_SINE, square), 0)


def _last_rounding(*parts: Expression) -> Expression:
    """Return what is lost where a running sum takes in what its roundings have left."""
    rounded, rest = running_sum(*parts)
    return sum_error(rounded, rest, rounded + rest)


# What rounding has taken from an operation, whose result is the last argument; the errors of its
# operands, which come before it, are added in proportion.
_OPERATIONS: dict[str, Callable[..., Expression]] = {
    "add": lambda dx, dy, x, y, u: sum_error(x, y, u) + (dx + dy),
    "subtract": lambda dx, dy, x, y, u: sum_error(x, -y, u) + (dx - dy),
    "multiply": lambda dx, dy, x, y, u: product_error(x, y, u) + (dx * y + dy * x),
    "divide": lambda dx, dy, x, y, u: _quotient(x, y, u) + (dx - u * dy) / y,
    "negative": lambda dx, x, u: -dx,
    "sum_of_three": lambda dx, dy, dz, x, y, z, u: _last_rounding(x, y, z) + (dx + dy + dz),
    "maximum": lambda dx, dy, x, y, u: where(y < x, dx, dy),
    "held": lambda dx, x, u: held(dx),
    "cos": lambda dx, x, u: _cosine_error(x, u) - dx * sin(x),
    "sin": lambda dx, x, u: _angle_error(x, u) + dx * cos(x),
    "sine_of_cosine": lambda dx, x, u: _sine_error(x, u),
    "peak": lambda dx, x, u: entry_at(dx, argpeak(x)),
    "pick": lambda dx, _, x, label, u: pick(dx, label),
    "where": lambda _, dx, dy, condition, x, y, u: where(condition, dx, dy),
}


_EXACT = frozenset(["negative", "maximum", "held", "peak", "pick", "where"])  # nothing is lost
_NOTHING = constant(0)
_ENDLESS = 1e100  # beside which a rest is nothing
_LARGE = 40  # an exponential that may overflow, beside which 1 is lost


def lost_by(x: Expression) -> Expression:
    """Return what roundings have taken from a sum of products, to first order."""
    if x.operator not in _OPERATIONS:
        return _NOTHING
    errors = [lost_by(argument) for argument in x.arguments]
    if x.operator in _EXACT and all(error is _NOTHING for error in errors):
        return _NOTHING
    return _OPERATIONS[x.operator](*errors, *x.arguments, x)


def is_rounded(x: Expression) -> bool:
    """Whether an expression is computed from what is given, and so may have lost something."""
    return lost_by(x) is not _NOTHING


def made_good(x: Expression) -> tuple[Expression, Expression]:
    """Return a computed x with what its roundings have lost, as a number and a rest."""
    lost = rounding(lost_by(x))
    lost = where(absolute(lost) < inf, lost, 0)  # it is no number where x is infinite
    whole = x + lost
    rest = rounding(sum_error(x, lost, whole))
    return whole, where(absolute(rest) < 1, rest, 0)


# Slopes make good what the argument has lost, as values do.


@named(means=exp, slope=lambda x: (exp_of_rounded(x),))
def exp_of_rounded(x: Expression) -> Expression:
    """exp(x) of a computed x."""
    whole, rest = made_good(x)
    return exp(whole) * (1 + rest)


@named(
    means=expm1,
    slope=lambda x: (exp_of_rounded(x),),
)
def expm1_of_rounded(x: Expression) -> Expression:
    """exp(x) - 1 of a computed x."""
    whole, rest = made_good(x)
    return where(whole > _LARGE, exp(whole) * (1 + rest) - 1, expm1(whole) + exp(whole) * rest)


@named(
    means=exp_gap,
    slope=lambda x: (expm1_of_rounded(x),),
)
def exp_gap_of_rounded(x: Expression) -> Expression:
    """exp(x) - 1 - x of a computed x."""
    whole, rest = made_good(x)
    large = exp(whole) * (1 + rest) - minimum(whole, 1e30)  # beside an infinite one
    return where(whole > _LARGE, large, exp_gap(whole) + expm1(whole) * rest)


@named(
    means=softplus,
    slope=lambda x: (sigmoid_of_rounded(x),),
)
def softplus_of_rounded(x: Expression) -> Expression:
    """log(1 + exp(x)) of a computed x."""
    whole, rest = made_good(x)
    return softplus(whole) + sigmoid(whole) * rest


@named(
    means=sigmoid,
    slope=lambda x: (sigmoid_of_rounded(x) * sigmoid_of_rounded(-x),),
)
def sigmoid_of_rounded(x: Expression) -> Expression:
    """1 / (1 + exp(-x)) of a computed x."""
    whole, rest = made_good(x)
    return sigmoid(whole) * (1 + sigmoid(-whole) * rest)


@named(
    means=sigmoid_cross_entropy_slope,
)
def sigmoid_cross_entropy_slope_of_rounded(
    x: Expression, target: Expression, positive: Expression, negative: Expression
) -> Expression:
    """The slope of sigmoid_cross_entropy_of_rounded."""
    whole, rest = made_good(x)
    slope = (negative * (1 - target) + positive * target) * sigmoid(whole) * sigmoid(-whole)
    return sigmoid_cross_entropy_slope(whole, target, positive, negative) + slope * rest


@named(
    means=sigmoid_cross_entropy,
    slope=lambda x, *others: (
        sigmoid_cross_entropy_slope_of_rounded(x, *others),
        *sigmoid_cross_entropy_beside(x, *others),
    ),
)
def sigmoid_cross_entropy_of_rounded(
    x: Expression, target: Expression, positive: Expression, negative: Expression
) -> Expression:
    """Cross-entropy of a yes-or-no target with computed log-odds."""
    whole, rest = made_good(x)
    known = (whole, target, positive, negative)
    return sigmoid_cross_entropy(*known) + sigmoid_cross_entropy_slope(*known) * rest


@named(means=normal_hazard, slope=lambda x: (_bent_hazard(x),))
def normal_hazard_of_rounded(x: Expression) -> Expression:
    """normal_hazard(x) of a computed x."""
    whole, rest = made_good(x)
    return normal_hazard(whole) * (1 + hazard_excess(whole) * rest)  # far out the excess is 0


def _bent_hazard(x: Expression) -> Expression:
    near = normal_hazard_of_rounded(x) * hazard_excess(x)
    return where(absolute(x) < _ENDLESS, near, where(x > 0, 1, 0))


@named(means=log_ndtr, slope=lambda x: (normal_hazard_of_rounded(-x),))
def log_ndtr_of_rounded(x: Expression) -> Expression:
    """Logarithm of the probability that a standard normal number lies below a computed x."""
    whole, rest = made_good(x)
    more = where(absolute(whole) < _ENDLESS, normal_hazard(-whole) * rest, 0)
    return log_ndtr(whole) + more
