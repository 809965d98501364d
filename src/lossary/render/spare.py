"""Cheaper forms of an expression, for a computation with precision to spare.

Each rule holds for real numbers and costs a few roundings of float64, far below the digits of
float32.
"""

from __future__ import annotations

from collections.abc import Sequence

from lossary.formula import Expression, apply, constant, walk
from lossary.functions import absolute, exp, expm1, where
from lossary.rewriting import rebuild

WORDS = frozenset({"log1p_unit", "power_of_positive"})
"""Words that the rules bring in: log(1 + x) for x in [0, 1], and a power of a number above 0."""


def relax(expressions: Sequence[Expression]) -> tuple[Expression, ...]:
    """Apply the rules to lowered expressions, together: they share their divisors."""
    return _by_reciprocals(by_rules(expressions))


def by_rules(expressions: Sequence[Expression]) -> tuple[Expression, ...]:
    """Apply the rules for single functions, each of which is as exact as what it replaces."""
    done: dict[Expression, Expression] = {}
    for node in walk(*expressions):
        changed = rebuild(node, tuple(done[a] for a in node.arguments))
        cheaper = _RULES[changed.operator](changed) if changed.operator in _RULES else None
        done[node] = changed if cheaper is None else cheaper
    return tuple(done[expression] for expression in expressions)


def _log1p(node: Expression) -> Expression | None:
    """log1p of exp(-|x|), which lies in [0, 1]."""
    (x,) = node.arguments
    small = x.operator == "exp" and _never_positive(x.arguments[0])
    return apply("log1p_unit", x) if small else None


def _tanh(node: Expression) -> Expression | None:
    """tanh(x / 2) = (1 - e) / (1 + e) for e = exp(-x): the sigmoids beside it need e anyway."""
    (half,) = node.arguments
    if half.operator != "multiply" or half.arguments[0] is not constant(0.5):
        return None
    x = half.arguments[1]
    fade = -absolute(x)
    missing = expm1(fade)
    return where(x < 0, missing, -missing) / (1 + exp(fade))


def _power(node: Expression) -> Expression | None:
    base, exponent = node.arguments
    if exponent is constant(2) or not _never_negative(base):
        return None
    return apply("power_of_positive", base, exponent)


_RULES = {"log1p": _log1p, "tanh": _tanh, "power": _power}


def _never_positive(x: Expression) -> bool:
    if x.operator == "negative":
        return x.arguments[0].operator == "absolute"
    first = x.arguments[0] if x.operator == "multiply" else None
    return (
        first is not None
        and first.operator == "constant"
        and float(first.payload or 0.0) < 0
        and x.arguments[1].operator == "absolute"
    )


def _never_negative(x: Expression) -> bool:
    if x.operator in {"exp", "absolute", "sqrt"}:
        return True
    if x.operator == "constant":
        return float(x.payload or 0.0) >= 0
    if x.operator == "maximum":
        return any(map(_never_negative, x.arguments))
    if x.operator in {"add", "multiply", "divide", "total", "pick", "minimum"}:
        return all(map(_never_negative, x.arguments[: 1 if x.operator == "pick" else None]))
    return x.operator == "where" and all(map(_never_negative, x.arguments[1:]))


def _by_reciprocals(expressions: Sequence[Expression]) -> tuple[Expression, ...]:
    """Divide once where a divisor serves several numerators, or a row serves all its classes."""
    uses: dict[Expression, int] = {}
    divisions = [node for node in walk(*expressions) if node.operator == "divide"]
    for node in divisions:
        numerator, divisor = node.arguments
        every_class = numerator.class_axis and not divisor.class_axis
        plain = divisor.operator == "constant" or numerator is constant(1)
        uses[divisor] = uses.get(divisor, 0) + (2 if every_class else 0 if plain else 1)
    done: dict[Expression, Expression] = {}
    for node in walk(*expressions):
        arguments = tuple(done[a] for a in node.arguments)
        if node.operator == "divide" and uses[node.arguments[1]] > 1:
            done[node] = arguments[0] * (1 / arguments[1])
        else:
            done[node] = rebuild(node, arguments)
    return tuple(done[expression] for expression in expressions)
