"""The rules: the derivative of each primitive, and what holds at a corner."""

from __future__ import annotations

from collections.abc import Callable

from lossary.formula import Expression, apply, constant
from lossary.functions import (
    argpeak,
    is_class,
    log,
    pick,
    sech_squared,
    sign,
    sqrt,
    total,
    weighted,
    where,
)
from lossary.rewriting import ONE, ZERO

KINKS = {
    "absolute": "0 at 0",
    "sign": "0 everywhere",
    "floor": "0 everywhere",
    "maximum": "at a tie, the second argument's; in a loss a number counts as the second",
    "minimum": "at a tie, the second argument's",
    "where": "that of the branch taken",
    "peak": "that of the first largest class",
}

# Partial derivative of each smooth primitive with respect to each argument.
PARTIALS: dict[str, tuple[Callable[..., Expression], ...]] = {
    "add": (lambda x, y: ONE, lambda x, y: ONE),
    "subtract": (lambda x, y: ONE, lambda x, y: constant(-1)),
    "multiply": (lambda x, y: y, lambda x, y: x),
    "divide": (lambda x, y: 1 / y, lambda x, y: -(x / y) / y),
    "negative": (lambda x: constant(-1),),
    "power": (lambda x, p: p * x ** (p - 1), lambda x, p: weighted(x**p, log(x))),
    "sign": (lambda x: ZERO,),
    "floor": (lambda x: ZERO,),
    "sqrt": (lambda x: 1 / (2 * sqrt(x)),),
    "exp": (lambda x: apply("exp", x),),
    "expm1": (lambda x: apply("exp", x),),
    "log": (lambda x: 1 / x,),
    "log1p": (lambda x: 1 / (1 + x),),
    "tanh": (lambda x: sech_squared(x),),  # noqa: PLW0108
    "sin": (lambda x: apply("cos", x),),
    "cos": (lambda x: -apply("sin", x),),
}

# The arguments at whose 0 a word has an infinite slope: beside it the slope 0 of |x| wins.
STEEP = {"power": (0,), "sqrt": (0,), "log": (0,), "divide": (1,), "log_ratio": (0, 1)}

# What chooses or scales a tangent rather than multiplies it by a partial derivative.
PUSHES: dict[str, tuple[Callable[..., Expression | None] | None, ...]] = {
    "absolute": (lambda t, x: weighted(sign(x), t),),  # 0 at 0, also of an infinite slope
    "maximum": (
        lambda t, x, y: where(y < x, t, ZERO),
        lambda t, x, y: where(y < x, ZERO, t),
    ),
    "minimum": (
        lambda t, x, y: where(x < y, t, ZERO),
        lambda t, x, y: where(x < y, ZERO, t),
    ),
    "where": (
        None,
        lambda t, c, x, y: where(c, t, ZERO),
        lambda t, c, x, y: where(c, ZERO, t),
    ),
    "weighted": (
        lambda t, w, v: weighted(t, v),
        lambda t, w, v: weighted(w, t),
    ),
}

# Primitives along the class axis: what reduces a column, and which entries the diagonal keeps.
REDUCTIONS: dict[str, tuple[Callable[..., Expression], Callable[..., Expression]]] = {
    "total": (lambda v, x: total(v), lambda d, x: d),
    "peak": (
        lambda v, x: pick(v, argpeak(x)),
        lambda d, x: where(is_class(argpeak(x)), d, ZERO),
    ),
    "pick": (
        lambda v, x, label: pick(v, label),
        lambda d, x, label: where(is_class(label), d, ZERO),
    ),
}

DISCRETE = frozenset(
    [
        "less", "less_equal", "equal", "logical_and", "logical_or", "logical_not", "argpeak",
        "class_index", "class_count", "held", "peak_from", "earlier_ties", "within",
    ]
)  # fmt: skip
