"""Triton's spellings, and what has to change in an expression before it is printed for Triton."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lossary.formula import Expression, apply, constant, variable, walk
from lossary.functions import peak
from lossary.render.spare import WORDS
from lossary.render.target import ATOM, BITS, OPERATORS, UNARY, Target
from lossary.rewriting import rebuild

SPELLINGS = {
    **OPERATORS,
    "power": (ATOM, "real.power({0}, {1})"),
    "absolute": (ATOM, "tl.abs({0})"),
    "sign": (ATOM, "real.sign({0})"),
    "floor": (ATOM, "tl.floor({0})"),
    "sqrt": (ATOM, "real.sqrt({0})"),
    "exp": (ATOM, "real.exp({0})"),
    "expm1": (ATOM, "real.expm1({0})"),
    "log": (ATOM, "real.log({0})"),
    "log1p": (ATOM, "real.log1p({0})"),
    "tanh": (ATOM, "real.tanh({0})"),
    "sin": (ATOM, "tl.sin({0})"),
    "cos": (ATOM, "tl.cos({0})"),
    "maximum": (ATOM, "real.maximum({0}, {1})"),
    "minimum": (ATOM, "real.minimum({0}, {1})"),
    "logical_and": (BITS, "{0} & {1}"),
    "logical_or": (BITS, "{0} | {1}"),
    "logical_not": (UNARY, "~{0}"),
    "where": (ATOM, "tl.where({0}, {1}, {2})"),
    # Lanes beyond the row hold f(0), whatever f is: they are masked here, after f.
    "total": (ATOM, "tl.sum(tl.where(inside, {0}, 0.0), 1, keep_dims=True)"),
    "peak": (ATOM, 'tl.max(tl.where(inside, {0}, float("-inf")), 1, keep_dims=True)'),
    "argpeak": (
        ATOM,
        "tl.min(tl.where(inside & ({0} == {1}), column, classes), 1, keep_dims=True)",
    ),
    "pick": (ATOM, "{0}"),
    "class_index": (ATOM, "column"),
    "class_count": (ATOM, "class_count"),
    "log1p_unit": (ATOM, "real.log1p_unit({0})"),
    "power_of_positive": (ATOM, "real.power_of_positive({0}, {1})"),
}

_DOUBLE = Target("triton", "import triton", SPELLINGS, "{0}", own=WORDS)
# Triton's float32 quotient is an approximation within 2 ulp, which compensated sums cannot bear.
_SINGLE = replace(_DOUBLE, spellings={**SPELLINGS, "divide": (ATOM, "tl.div_rn({0}, {1})")})
# For halves float32 has digits to spare, though not many.
_SPARE = replace(_DOUBLE, spellings={**SPELLINGS, "exp": (ATOM, "real.exp_of_half({0})")})

TARGETS: Mapping[str, Target] = {"float64": _DOUBLE, "float32": _SINGLE, "halves": _SPARE}

# Numbers in a definition that stand for the precision or the range of float64, and what they are in
# float32: what halves a number, what rounds it to one bit, and the ends of the safe range.
_IN_SINGLE = {
    2.0**27 + 1: 2.0**12 + 1,
    2.0**52 + 1: 2.0**23 + 1,
    2.0**-100: 2.0**-42,
    1e-290: 1e-34,
    1e290: 1e34,
    1e300: 1e36,
}


def fitted(expression: Expression, work: str) -> Expression:
    """Fit a lowered expression to the arithmetic, ``float32`` or ``float64``."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        if node.operator == "constant" and work == "float32":
            number = float(node.payload or 0)
            done[node] = constant(_IN_SINGLE.get(number, number))
        else:
            done[node] = _spelled(rebuild(node, tuple(done[a] for a in node.arguments)), work)
    return done[expression]


def _spelled(node: Expression, work: str) -> Expression:
    """Rewrite what Triton would misread or float32 cannot bear."""
    operator, arguments = node.operator, node.arguments
    if operator == "power" and arguments[1] is constant(2):
        return apply("multiply", arguments[0], arguments[0])
    if operator in {"power", "power_of_positive"}:
        return apply(operator, *(_typed(argument, work) for argument in arguments))
    if operator == "multiply" and _is_reciprocal(arguments[1]):
        divisor = arguments[1].arguments[1]
        return node if _is_one_plus(divisor) else apply("divide", arguments[0], divisor)
    if operator == "where" and work == "float64":
        condition, x, y = arguments
        return apply("where", condition, _typed(x, work) if y.operator == "constant" else x, y)
    return node


def _typed(node: Expression, work: str) -> Expression:
    """Give a plain number the type of the work; by itself it is a float32, or no tensor."""
    if node.operator != "constant":
        return node
    text = repr(node.payload)
    text = f'float("{text}")' if text in {"inf", "-inf", "nan"} else text
    return variable(f"tl.full((), {text}, tl.{work})")


def _is_reciprocal(node: Expression) -> bool:
    return node.operator == "divide" and node.arguments[0] is constant(1)


def _is_one_plus(node: Expression) -> bool:
    """Whether a reciprocal is safe: that of a subnormal divisor would be infinite."""
    one = node.operator == "add" and any(a is constant(1) for a in node.arguments)
    return one and any(a.operator in {"exp", "total"} for a in node.arguments)


def by_peak(root: Expression) -> Expression:
    """Look for the place of the peak by its value: a comparison less for each class."""
    done: dict[Expression, Expression] = {}
    for node in walk(root):
        arguments = tuple(done[a] for a in node.arguments)
        if node.operator == "argpeak":
            done[node] = apply("argpeak", *arguments, peak(arguments[0]), class_axis=False)
        else:
            done[node] = rebuild(node, arguments)
    return done[root]
