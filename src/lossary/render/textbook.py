"""Formulas as a textbook has them: named functions are replaced by what they mean.

How a function is computed is the engine's concern; a reader wants log(1 + exp(z)), not a sum of a
maximum and a correction. A few functions keep their names: those that textbooks name too.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any

from lossary import functions
from lossary.errors import FormulaError
from lossary.formula import Expression, apply, walk
from lossary.functions import (
    FUNCTIONS,
    digamma,
    exp,
    lgamma,
    log,
    log1p,
    ndtr,
    total,
    trigamma,
)

__all__ = ["CALLS", "CLASS_CALLS", "ROW_CALLS", "meaning_of", "textbook"]

# Functions of numbers, and functions of whole rows. The second kind has a value per row, the third
# a value per class, which carries the index.
CALLS = {
    "sign": "sgn({0})", "floor": "⌊{0}⌋", "sqrt": "√({0})", "exp": "exp({0})", "log": "log({0})",
    "tanh": "tanh({0})", "sigmoid": "σ({0})", "log_sigmoid": "log σ({0})",
    "log_cosh": "log cosh({0})", "sech_squared": "sech({0})²", "absolute": "|{0}|",
    "cosh": "cosh({0})", "sinh": "sinh({0})", "sin": "sin({0})", "cos": "cos({0})",
    "atan": "atan({0})", "acos": "acos({0})", "lgamma": "log Γ({0})", "digamma": "ψ({0})",
    "trigamma": "ψ′({0})", "erf": "erf({0})", "erfc": "erfc({0})", "ndtr": "Φ({0})",
    "log_ndtr": "log Φ({0})", "i0e": "exp(-|{0}|) I₀({0})", "i1e": "exp(-|{0}|) I₁({0})",
    "maximum": "max({0}, {1})", "minimum": "min({0}, {1})",
}  # fmt: skip
ROW_CALLS = {"norm": "‖{0}‖", "cosine": "cos({0}, {1})", "inner": "⟨{0}, {1}⟩"}
CLASS_CALLS = {"softmax": "softmax({0})", "log_softmax": "log softmax({0})"}


_ROOT_2PI = (2 * pi) ** 0.5


def _opaque(name: str, *arguments: Any, class_axis: bool = False) -> Expression:
    return apply(name, *arguments, class_axis=class_axis)


def _sigmoid(x: Expression) -> Expression:
    return _opaque("sigmoid", x, class_axis=x.class_axis)


def _softmax(x: Expression) -> Expression:
    return _opaque("softmax", x, class_axis=True)


def _log_softmax(x: Expression) -> Expression:
    return _opaque("log_softmax", x, class_axis=True)


def _at(x: Expression, label: Expression) -> Expression:
    return _opaque("pick", x, label)


def _is(label: Expression) -> Expression:
    """1 for the class of the label, else 0: Iverson's bracket."""
    return _opaque("bracket", _opaque("class_index", class_axis=True), label, class_axis=True)


def _inner(x: Expression, y: Expression) -> Expression:
    return _opaque("inner", x, y)


def _union(x: Expression, y: Expression) -> Expression:
    return _norm(x) ** 2 + _norm(y) ** 2 - _inner(x, y)


def _norm(x: Expression) -> Expression:
    return _opaque("norm", x)


# Named functions in the words of a textbook, where tracing what they mean does not give them.
TEXTBOOK: dict[str, Callable[..., Expression]] = {
    "binary_nats": lambda x, y, positive, negative: (
        positive * y * log1p(exp(-x)) + negative * (1 - y) * log1p(exp(x))
    ),
    "binary_residual": lambda x, y, positive, negative: (
        negative * (1 - y) * _sigmoid(x) - positive * y * _sigmoid(-x)
    ),
    "poisson_rate_nats": lambda rate, y: rate - y * log(rate),
    "poisson_rate_residual": lambda rate, y: 1 - y / rate,
    "power_complement": lambda x, power: 1 - x**power,
    "power_below": lambda x, power: x ** (power - 1),
    "relative_nats": lambda t, x: t * (log(t) - x),
    "log_relative_entropy": lambda t, x: exp(t) * (t - x),
    "softmax_miss": lambda x, target: total(target * (1 - _softmax(x))),
    "faded_binary_nats": lambda x, y, power: (
        (y * _sigmoid(-x) + (1 - y) * _sigmoid(x)) ** power
        * (y * log1p(exp(-x)) + (1 - y) * log1p(exp(x)))
    ),
    "faded_cross_entropy_with": lambda x, target, power: -total(
        target * (1 - _softmax(x)) ** power * _log_softmax(x)
    ),
    "bernoulli_nats": lambda p, y: -(y * log(p) + (1 - y) * log(1 - p)),
    "bernoulli_residual": lambda p, y: (p - y) / (p * (1 - p)),
    "log_cosh_difference": lambda x, y: _opaque("log_cosh", x - y, class_axis=x.class_axis),
    "distance_difference": lambda a, near, far: _norm(a - near) - _norm(a - far),
    "sigmoid_power": lambda x, power: _sigmoid(x) ** power,
    "log1p_difference": lambda x, y: log((1 + x) / (1 + y)),
    "log_ratio": lambda x, y: log(x / y),
    "log_to_middle": lambda x, y: log(2 * x / (x + y)),
    "jensen_gap": lambda x, y: (
        x * log(2 * x / (x + y)) / 2 + y * log(2 * y / (x + y)) / 2
    ),
    "logsumexp": lambda x: log(total(exp(x))),
    "softmax_complement": lambda x: 1 - _softmax(x),
    "softmax_residual": lambda x, label: _softmax(x) - _is(label),
    "softmax_minus": lambda x, target: _softmax(x) - target,
    "softmax_complement_power_at": lambda x, label, power: (1 - _at(_softmax(x), label)) ** power,
    "softmax_share_of_rest": lambda x, label: _softmax(x) / (1 - _at(_softmax(x), label)),
    "cross_entropy_at": lambda x, label: -_at(_log_softmax(x), label),
    "cross_entropy_with": lambda x, target: -total(target * _log_softmax(x)),
    "mean_cross_entropy": lambda x: -(total(_log_softmax(x)) / _opaque("class_count")),
    "unit": lambda x: x / _norm(x),
    "cosine_gap": lambda x, y: 1 - _opaque("cosine", x, y),
    "tanimoto_gap": lambda x, y: 1 - _inner(x, y) / _union(x, y),
    "unit_rejection": lambda y, x: y / _norm(y) - _opaque("cosine", y, x) * (x / _norm(x)),
    "softmax_minus_uniform": lambda x: _softmax(x) - 1 / _opaque("class_count"),
    "relative_entropy": lambda t, p: total(t * log(t / p)),
    "centred": lambda x: x - total(x) / _opaque("class_count"),
    "tanimoto_slope": lambda x, y: (
        (2 * (x - y) - (1 - _inner(x, y) / _union(x, y)) * (2 * x - y)) / _union(x, y)
    ),
    "softplus_of_rounded": lambda x: log(1 + exp(x)),
    "sigmoid_of_rounded": _sigmoid,
    "log1mexp": lambda x: log(1 - exp(-x)),
    "softmax_shift": lambda y, x: x - y - total(_softmax(y) * (x - y)),
    "softmax_change": lambda y, x: _softmax(x) - _softmax(y),
    "softmax_divergence": lambda y, x: total(_softmax(y) * log(_softmax(y) / _softmax(x))),
    "normal_hazard": lambda x: exp(-(x**2) / 2) / _ROOT_2PI / ndtr(-x),
    "hazard_excess": lambda x: exp(-(x**2) / 2) / _ROOT_2PI / ndtr(-x) - x,
    "stirling_gap": lambda x: lgamma(x) - (x - 1 / 2) * log(x) + x - log(_ROOT_2PI),
    "stirling_slope": lambda x: digamma(x) - log(x) + 1 / (2 * x),
    "stirling_bend": lambda x: trigamma(x) - 1 / x - 1 / (2 * x**2),
    "log1p": lambda x: log(1 + x),
    "expm1": lambda x: exp(x) - 1,
}  # fmt: skip


def textbook(expression: Expression) -> Expression:
    """Replace named functions by what they mean."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        arguments = tuple(done[a] for a in node.arguments)
        if (meaning := meaning_of(node.operator, arguments)) is not None:
            done[node] = textbook(meaning)
        elif node.arguments:
            done[node] = apply(node.operator, *arguments, class_axis=node.class_axis)
        else:
            done[node] = node
    return done[expression]


def meaning_of(operator: str, arguments: tuple[Expression, ...]) -> Expression | None:
    """Return what a function means: by the table, or by tracing the fact that the oracle uses."""
    if operator in TEXTBOOK:
        return TEXTBOOK[operator](*arguments)
    if operator not in FUNCTIONS or operator in CALLS | ROW_CALLS | CLASS_CALLS:
        return None
    try:
        meaning = FUNCTIONS[operator].means(functions, *arguments)
    except (FormulaError, AttributeError, TypeError):
        return None  # the meaning looks at its numbers, so that the function keeps its name
    if not isinstance(meaning, Expression) or meaning.operator == operator:
        return None
    return meaning
