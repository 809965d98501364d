"""The rules of simplification: what each operator becomes for some of its arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import is_
from typing import Any

import numpy as np

from lossary.formula import Expression, apply, constant
from lossary.functions import (
    class_count,
    sigmoid,
    sign,
    softmax,
    softmax_complement,
    total,
    weighted,
    where,
)

ZERO, ONE = constant(0), constant(1)

# Every rule holds for real numbers; ``0 * x -> 0`` and ``x - x -> 0`` would hide
# a NaN of x, and are safe here because zeros come from masks and constants of our own rules.

# Constants fold as IEEE arithmetic says: 0 / 0 is nan, exp(1000) is inf.
FOLDS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negative": lambda x: 0.0 - x,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "absolute": np.absolute,
    "weighted": lambda w, v: w * v if w else 0.0,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}

# Comparisons of constants, which decide a choice.
DECISIONS: dict[str, Callable[..., bool]] = {
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "equal": lambda x, y: x == y,
}

# Functions whose size is at most 1, so that a weight of 0 needs no guard.
BOUNDED = frozenset(
    {
        "sigmoid", "sigmoid_power", "tanh", "sign", "softmax", "softmax_complement",
        "softmax_minus_one_hot",
    }
)  # fmt: skip

COMPLEMENTS: dict[str, Callable[..., Expression]] = {
    "sigmoid": lambda x: sigmoid(-x),
    "softmax": softmax_complement,
    "softmax_complement": softmax,
}


def _is(node: Expression, operator: str) -> bool:
    return node.operator == operator


def _is_constant(node: Expression) -> bool:
    return node.operator == "constant"


def _negated(x: Expression) -> Expression | None:
    """Return -x if that is at hand without a new node around x."""
    if _is(x, "negative"):
        return x.arguments[0]
    if _is_constant(x) and isinstance(x.payload, float) and x.payload < 0:
        return constant(-x.payload)
    return None


def _merge_where(operator: str) -> Callable[[Expression, Expression], Expression | None]:
    """Two ``where`` with one condition become one: where(c, a, b) + where(c, d, e)."""

    def rule(x: Expression, y: Expression) -> Expression | None:
        if not (_is(x, "where") and _is(y, "where") and x.arguments[0] is y.arguments[0]):
            return None
        condition, a, b = x.arguments
        _, c, d = y.arguments
        return where(condition, apply(operator, a, c), apply(operator, b, d))

    return rule


def _mask_inside(operator: str) -> Callable[[Expression, Expression], Expression | None]:
    """A mask moves inside a product: where(c, a, 0) * y becomes where(c, a * y, 0)."""

    def rule(x: Expression, y: Expression) -> Expression | None:
        if not _is(x, "where"):
            return None
        condition, a, b = x.arguments
        if not (a is ZERO or b is ZERO):
            return None
        return where(condition, apply(operator, a, y), apply(operator, b, y))

    return rule


def _add(x: Expression, y: Expression) -> Expression | None:
    if x is ZERO:
        return y
    if y is ZERO:
        return x
    if (minus := _negated(y)) is not None:
        return x - minus
    if (minus := _negated(x)) is not None:
        return y - minus
    return 2 * x if x is y or _are_turned(x, y) else None


def _are_turned(x: Expression, y: Expression) -> bool:
    """Whether two products differ in the order of their factors: the two halves of a square."""
    both = _is(x, "multiply") and _is(y, "multiply")
    return both and all(map(is_, x.arguments, y.arguments[::-1]))


def _factor(x: Expression, y: Expression) -> Expression | None:
    """P - p b becomes p (1 - b), the form that complements resolve."""
    if _is(y, "multiply") and x.operator in COMPLEMENTS and any(a is x for a in y.arguments):
        return x * (1 - (y.arguments[1] if y.arguments[0] is x else y.arguments[0]))
    return None


def _signs(x: Expression) -> tuple[Expression, Expression] | None:
    """Split a product into a choice between two constants, such as a sign, and the rest."""
    if not _is(x, "multiply"):
        return None
    for choice, rest in (x.arguments, x.arguments[::-1]):
        if _is(choice, "where") and all(_is_constant(a) for a in choice.arguments[1:]):
            return choice, rest
    if _is_constant(x.arguments[0]) and (inner := _signs(x.arguments[1])):
        return inner[0], x.arguments[0] * inner[1]
    return None


def _common_sign(operator: str) -> Callable[[Expression, Expression], Expression | None]:
    """S a + s b becomes s (a + b), where s chooses between two constants."""

    def rule(x: Expression, y: Expression) -> Expression | None:
        first, second = _signs(x), _signs(y)
        if first and second and first[0] is second[0]:
            return first[0] * apply(operator, first[1], second[1])
        return None

    return rule


def _sign_outwards(x: Expression, y: Expression) -> Expression | None:
    """(s a) b becomes s (a b), so that common signs meet; constants stay in front."""
    if _is_constant(x) or _is_constant(y):
        return None
    if (parts := _signs(x)) and not _signs(y) and not _is(y, "where"):
        return parts[0] * (parts[1] * y)
    if (parts := _signs(y)) and not _signs(x) and not _is(x, "where"):
        return parts[0] * (x * parts[1])
    return None


def _subtract(x: Expression, y: Expression) -> Expression | None:
    if y is ZERO:
        return x
    if x is ZERO:
        return -y
    if x is y:
        return ZERO
    if _is(x, "subtract") and x.arguments[1] is y:
        return x.arguments[0] - 2 * y  # exact, where (c - y) - y rounds twice
    if (minus := _negated(y)) is not None:
        return x + minus
    if _is(x, "negative") and x.arguments[0] is y:
        return -(2 * y)
    if x is ONE and y.operator in COMPLEMENTS:
        return COMPLEMENTS[y.operator](*y.arguments)
    return None


def _multiply(x: Expression, y: Expression) -> Expression | None:
    if x is ZERO or y is ZERO:
        return ZERO
    if x is ONE:
        return y
    if y is ONE:
        return x
    return None


def _multiply_signs(x: Expression, y: Expression) -> Expression | None:
    if _is(x, "negative"):
        return -(x.arguments[0] * y)
    if _is(y, "negative"):
        return -(x * y.arguments[0])
    if _is_constant(x) and x.payload == -1:
        return -y
    if _is_constant(y) and y.payload == -1:
        return -x
    return None


def _multiply_constants(x: Expression, y: Expression) -> Expression | None:
    """Constants go to the front and fold: (2 x) / 2, 2 (x / 2)."""
    if _is_constant(y) and not _is_constant(x):
        return y * x
    if _is_constant(x) and _is(y, "multiply") and _is_constant(y.arguments[0]):
        return (x * y.arguments[0]) * y.arguments[1]
    if _is_constant(x) and _is(y, "divide") and _is_constant(y.arguments[1]):
        return (x / y.arguments[1]) * y.arguments[0]
    if _is(y, "divide") and y.arguments[0] is ONE:
        return x / y.arguments[1]
    if _is(x, "divide") and x.arguments[0] is ONE:
        return y / x.arguments[1]
    # A factor below 1 stays inside: moved out, the product left behind could overflow.
    if _is(y, "multiply") and _is_at_least_one(y.arguments[0]):
        return y.arguments[0] * (x * y.arguments[1])
    if _is(x, "multiply") and _is_at_least_one(x.arguments[0]):
        return x.arguments[0] * (x.arguments[1] * y)
    return None


def _is_at_least_one(x: Expression) -> bool:
    return _is_constant(x) and isinstance(x.payload, float) and abs(x.payload) >= 1


# Dividing by a power of two and multiplying by its reciprocal give the same bits.
_EXACT_DIVISORS = {2.0, 4.0, 8.0}


def _divide(x: Expression, y: Expression) -> Expression | None:
    if x is ZERO:
        return ZERO
    if y is ONE:
        return x
    if _is(x, "negative"):
        return -(x.arguments[0] / y)
    if _is_constant(y) and y.payload in _EXACT_DIVISORS:
        return (1 / y) * x
    if _is_constant(y) and _is(x, "multiply") and _is_constant(x.arguments[0]):
        return (x.arguments[0] / y) * x.arguments[1]
    if (
        _is(x, "multiply")
        and _is(y, "multiply")
        and _is_constant(x.arguments[0])
        and x.arguments[0] is y.arguments[0]
    ):
        return x.arguments[1] / y.arguments[1]
    return None


def _negative(x: Expression) -> Expression | None:
    if _is(x, "negative"):
        return x.arguments[0]
    if _is(x, "subtract"):
        return x.arguments[1] - x.arguments[0]
    if _is(x, "log_sigmoid"):
        return apply("softplus", -x.arguments[0])
    return None


def _negative_where(x: Expression) -> Expression | None:
    if _is(x, "where"):
        condition, a, b = x.arguments
        if a is ZERO or b is ZERO or (_negated(a) is not None and _negated(b) is not None):
            return where(condition, -a, -b)
    return None


def _power(x: Expression, p: Expression) -> Expression | None:
    if p is ONE:
        return x
    if p is ZERO:
        return ONE
    return None


def _where(condition: Expression, x: Expression, y: Expression) -> Expression | None:
    if x is y:
        return x
    decide = DECISIONS.get(condition.operator)
    if decide and all(_is_constant(a) for a in condition.arguments):
        return x if decide(*(a.payload for a in condition.arguments)) else y
    if _is(condition, "equal") and condition.arguments[0] is condition.arguments[1]:
        return x
    if _is(condition, "logical_not"):
        return where(condition.arguments[0], y, x)
    if _is(x, "where") and x.arguments[0] is condition:
        return where(condition, x.arguments[1], y)
    if _is(y, "where") and y.arguments[0] is condition:
        return where(condition, x, y.arguments[2])
    return None


def _weighted(w: Expression, v: Expression) -> Expression | None:
    if w is ZERO or v is ZERO:
        return ZERO
    if _is_constant(w):
        return w * v
    if _is_constant(v) and isinstance(v.payload, float) and math.isfinite(v.payload):
        return w * v
    if _is(v, "negative"):
        return -weighted(w, v.arguments[0])
    if _is(w, "negative"):
        return -weighted(w.arguments[0], v)
    if _is_bounded(v):
        return w * v
    return None


def _is_bounded(v: Expression) -> bool:
    if v.operator in {"multiply", "negative"}:
        return all(_is_bounded(a) for a in v.arguments)
    return v.operator in BOUNDED


def _same_everywhere(x: Expression, *_: Expression) -> Expression | None:
    """Each class holds the same number: its peak, or the entry of any class."""
    return None if x.class_axis else x


def _pick(x: Expression, label: Expression) -> Expression | None:
    """The number of the class at a place is that place."""
    return label if _is(x, "class_index") else _same_everywhere(x)


def _total(x: Expression) -> Expression | None:
    if x is ZERO:
        return ZERO
    if not x.class_axis:
        return class_count() * x
    if _is(x, "negative"):
        return -total(x.arguments[0])
    return None


def _total_of_others(x: Expression) -> Expression | None:
    if _is(x, "negative"):
        return -apply("total_of_others", x.arguments[0], class_axis=True)
    return None


Rule = Callable[..., Expression | None]

RULES: dict[str, tuple[Rule, ...]] = {
    "add": (_add, _merge_where("add"), _common_sign("add")),
    "subtract": (_subtract, _merge_where("subtract"), _factor, _common_sign("subtract")),
    "multiply": (
        _multiply,
        _multiply_signs,
        _multiply_constants,
        _merge_where("multiply"),
        _mask_inside("multiply"),
        lambda x, y: _mask_inside("multiply")(y, x),
        _sign_outwards,
    ),
    "divide": (_divide, _mask_inside("divide")),
    "negative": (_negative, _negative_where),
    "power": (_power,),
    "sigmoid_power": (lambda x, p: {ZERO: ONE, ONE: sigmoid(x)}.get(p),),
    "softmax_complement_power_at": (lambda x, label, p: ONE if p is ZERO else None,),
    "where": (_where,),
    "weighted": (_weighted,),
    "total": (_total,),
    "total_of_others": (_total_of_others,),
    "other": (_same_everywhere,),
    "held": (lambda x: x if _is_constant(x) else None,),
    "peak": (_same_everywhere,),
    "pick": (_pick,),
    "absolute": (lambda x: abs(x.arguments[0]) if _is(x, "negative") else None,),
    "sign": (lambda x: -sign(x.arguments[0]) if _is(x, "negative") else None,),
}
