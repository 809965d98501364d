"""Expressions as an author writes them: operators, and functions by their names."""

from __future__ import annotations

from lossary.formula import Expression

ATOM, POWER, UNARY, PRODUCT, SUM, BITS, COMPARE = 9, 8, 7, 6, 5, 4, 3  # as Python binds them

OPERATORS = {
    "add": (SUM, "+"),
    "subtract": (SUM, "-"),
    "multiply": (PRODUCT, "*"),
    "weighted": (PRODUCT, "*"),
    "divide": (PRODUCT, "/"),
    "power": (POWER, "**"),
    "logical_and": (BITS, "&"),
    "logical_or": (BITS, "|"),
    "less": (COMPARE, "<"),
    "less_equal": (COMPARE, "<="),
    "equal": (COMPARE, "=="),
}
NAMES = {"absolute": "abs", "sum_of_three": "sum"}
MOST = 170
"""Characters; what is longer loses its innermost parts."""


def written(expression: Expression) -> str:
    """Return an expression as Python, the innermost parts of a long one as dots.

    >>> from lossary.formula import variable
    >>> from lossary.functions import exp
    >>> x, y = variable("x"), variable("y")
    >>> written((x - (y - 1)) ** 2 / exp(-x))
    '(x - (y - 1))**2 / exp(-x)'
    """
    text = _spell(expression, 99)[1]
    depth = 8
    while len(text) > MOST and depth > 2:
        text, depth = _spell(expression, depth)[1], depth - 1
    return text


def _spell(node: Expression, depth: int) -> tuple[int, str]:
    operator, arguments = node.operator, node.arguments
    if operator == "variable":
        return ATOM, str(node.payload)
    if operator == "constant":
        value = float(node.payload or 0)
        return (UNARY if value < 0 else ATOM), f"{value:g}" if value % 1 else f"{value:.17g}"
    if not depth:
        return ATOM, "…"
    depth -= 1
    if operator == "sum_of_three":
        return SUM, " + ".join(_bound(a, SUM, depth) for a in arguments).replace("+ -", "- ")
    if operator == "multiply" and arguments[0] is arguments[1]:
        return POWER, f"{_bound(arguments[0], ATOM, depth)}**2"
    if operator == "multiply" and arguments[1].operator == "divide":
        above, below = arguments[1].arguments
        if above is arguments[0]:
            square = f"{_bound(above, ATOM, depth)}**2"
            return PRODUCT, f"{square} / {_bound(below, POWER, depth)}"
    if operator in OPERATORS:
        binding, sign = OPERATORS[operator]
        gap = "" if binding == POWER else " "
        left = _bound(arguments[0], binding + (binding in {POWER, COMPARE, BITS}), depth)
        right = _bound(
            arguments[1], binding + (operator not in {"add", "multiply", "power"}), depth
        )
        return binding, f"{left}{gap}{sign}{gap}{right}"
    if operator in {"negative", "logical_not"}:
        sign = "-" if operator == "negative" else "~"
        return UNARY, sign + _bound(arguments[0], UNARY, depth)
    name = NAMES.get(operator, operator.removesuffix("_of_rounded"))
    return ATOM, f"{name}({', '.join(_spell(a, depth)[1] for a in arguments)})"


def _bound(node: Expression, binding: int, depth: int) -> str:
    tightness, text = _spell(node, depth)
    return f"({text})" if tightness < binding else text
