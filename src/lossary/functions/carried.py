"""Functions of a computed argument, which make its rounding good to first order.

exp amplifies the rounding of its argument by that argument, which goes up to 745.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from collections.abc import Callable

from lossary.formula import Expression, constant
from lossary.functions.compensated import product_error, rounding, sum_error
from lossary.functions.elementwise import sigmoid, softplus
from lossary.functions.vocabulary import absolute, exp, named, where


def _quotient(x: Expression, y: Expression, rounded: Expression) -> Expression:
    back = rounded * y
    return ((x - back) - product_error(rounded, y, back)) / y


# What rounding has taken from an operation, whose result is the last argument; the errors of its
# operands, which come before it, are added in proportion.
_OPERATIONS: dict[str, Callable[..., Expression]] = {
    "add": lambda dx, dy, x, y, u: sum_error(x, y, u) + (dx + dy),
    "subtract": lambda dx, dy, x, y, u: sum_error(x, -y, u) + (dx - dy),
    "multiply": lambda dx, dy, x, y, u: product_error(x, y, u) + (dx * y + dy * x),
    "divide": lambda dx, dy, x, y, u: _quotient(x, y, u) + (dx - u * dy) / y,
    "negative": lambda dx, x, u: -dx,
}


def _lost(x: Expression) -> Expression:
    """Return what roundings have taken from a sum of products, to first order."""
    if x.operator not in _OPERATIONS:
        return constant(0)
    errors = (_lost(argument) for argument in x.arguments)
    return _OPERATIONS[x.operator](*errors, *x.arguments, x)


def _correction(x: Expression) -> Expression:
    error = rounding(_lost(x))
    return where(absolute(error) < 1, error, 0)  # a larger one belongs to what is 0 or infinite


# Slopes make good what the argument has lost, as values do.


@named(means=exp, slope=lambda x: (exp_of_rounded(x),))
def exp_of_rounded(x: Expression) -> Expression:
    """exp(x) of a computed x."""
    return exp(x) * (1 + _correction(x))


@named(
    means=softplus,
    slope=lambda x: (sigmoid_of_rounded(x),),
)
def softplus_of_rounded(x: Expression) -> Expression:
    """log(1 + exp(x)) of a computed x."""
    return softplus(x) + sigmoid(x) * _correction(x)


@named(
    means=sigmoid,
    slope=lambda x: (sigmoid_of_rounded(x) * sigmoid_of_rounded(-x),),
)
def sigmoid_of_rounded(x: Expression) -> Expression:
    """1 / (1 + exp(-x)) of a computed x."""
    return sigmoid(x) * (1 + sigmoid(-x) * _correction(x))
