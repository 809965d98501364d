"""Expressions as plain text: the notation of textbooks as far as a terminal can show it.

Entries of a row carry an index: ``c`` in a formula, ``j`` inside a sum. ``z`` without an index is
the whole row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, pi

from lossary.formula import Expression
from lossary.render.latex import SYMBOLS
from lossary.render.textbook import (
    CALLS,
    CLASS_CALLS,
    RANKED,
    ROW_CALLS,
    TOLD,
    among,
    comparisons,
    is_strict,
    of_pairs,
    summand,
    textbook,
    with_indices,
)
from lossary.rewriting import is_bracket

ATOM, POWER, PRODUCT, SUM, COMPARE, LOGIC, CASES = 9, 8, 6, 5, 4, 3, 0

# What LaTeX's names of symbols look like; the symbols themselves stand in one table, SYMBOLS.
GLYPHS = {
    r"\hat y": "ŷ", r"\ell": "ℓ", r"\eta": "η", r"\delta": "δ", r"\beta": "β", r"\gamma": "γ",
    r"\alpha": "α", r"\varepsilon": "ε", r"\lambda": "λ", r"\mu": "μ", r"\tau": "τ",
    r"\rho": "ρ", r"\Delta": "Δ", r"\ell_w": "ℓw", r"\ell_l": "ℓl", r"\rho_w": "ρw",
    r"\rho_l": "ρl", r"\ell_0": "ℓ₀", "z_0": "z₀", r"\lambda_+": "λ₊", r"\lambda_-": "λ₋",
    "t_1": "t₁", "t_2": "t₂", r"\varepsilon_-": "ε₋", r"\varepsilon_+": "ε₊",
    "w_+": "w₊", "n_+": "n₊", "n_-": "n₋", r"\gamma_{+}": "γ₊", r"\gamma_{-}": "γ₋", r"\nu": "ν",
    "x'": "x′", "y'": "y′",
}  # fmt: skip

FRACTIONS = {0.5: "½", 0.25: "¼", 0.75: "¾", pi: "π"}
SUPERSCRIPTS = {2: "²", 3: "³", 4: "⁴"}
INDICES = ("c", "j", "k")

# Functions along the class axis, and relations with their mirror images.
SUMS = {"total": "Σ_{0} {1}", "peak": "max_{0} {1}", "argpeak": "argmax_{0} {1}"}
RELATIONS = {"less": ("<", ">"), "less_equal": ("≤", "≥"), "equal": ("=", "=")}


def symbol(name: str) -> str:
    """Return the letter that stands for an argument in formulas.

    >>> symbol("delta"), symbol("prediction"), symbol("elasticity")
    ('δ', 'ŷ', 'elasticity')
    """
    known = SYMBOLS.get(name, name)
    return GLYPHS.get(known, known if known.isalnum() else name)


def plain(expression: Expression) -> str:
    """Return an expression in one line.

    >>> from lossary.formula import variable
    >>> x, y = variable("prediction"), variable("target")
    >>> plain((x - y) * ((x - y) / 2))
    '½ (ŷ - y)²'
    """
    found = textbook(expression)
    return _bound(with_indices(found, "c", "j") if found.paired else found, CASES, "c")


# One line. A spelling is a text and how tightly it binds.


def _bound(node: Expression, binding: int, index: str | None) -> str:
    tightness, text = _spell(node, index)
    return f"({text})" if tightness < binding else text


def _spell(node: Expression, index: str | None) -> tuple[int, str]:
    operator, arguments = node.operator, node.arguments
    if operator == "variable":
        return ATOM, symbol(str(node.payload)) + _suffix(node, index)
    if operator == "constant":
        return _number(float(node.payload or 0))
    if operator in {"add", "subtract"}:
        return _sum(node, index)
    if operator in {"multiply", "divide", "negative", "weighted"} or _square(node):
        return _product(node, index)
    if operator == "power":
        return POWER, _raised(_bound(arguments[0], ATOM, index), arguments[1], index)
    if operator in CALLS:
        text = CALLS[operator].format(*(_bound(a, CASES, index) for a in arguments))
        return _call_binding(CALLS[operator]), text
    if operator in ROW_CALLS or operator in CLASS_CALLS:
        template = {**ROW_CALLS, **CLASS_CALLS}[operator]
        text = template.format(*(_bound(a, CASES, None) for a in arguments))
        suffix = _suffix(node, index) if operator in CLASS_CALLS else ""
        return _call_binding(template), text + suffix
    if operator in SUMS:
        inner = _next(index)
        if some := among(node):
            which = f"{{{inner}: {_bound(some[0], CASES, inner)}}}"
            return PRODUCT, SUMS[operator].format(which, _bound(some[1], PRODUCT, inner))
        return PRODUCT, SUMS[operator].format(inner, _bound(arguments[0], PRODUCT, inner))
    if operator in RANKED:
        return _ranked(node, index or "i")
    if operator == "total_of_others":
        return _of_others(node, index or "i")
    if operator in TOLD:
        return PRODUCT, TOLD[operator].format(index or "c", _bound(arguments[0], POWER, None))
    if operator == "pick":
        return _spell(arguments[0], _bound(arguments[1], ATOM, None))
    return _logic(node, index)


_COMPARED = {">=": "≥", "<=": "≤"}


def _ranked(node: Expression, index: str) -> tuple[int, str]:
    """Print a sum along an order, over those members j whose key compares with that of i."""
    _, beside = RANKED[node.operator]
    inner = _next(index)
    which = ", ".join(
        f"{_bound(key, SUM, inner)} {_COMPARED.get(sign, sign)} {_bound(key, SUM, index)}"
        for key, sign in comparisons(node)
    )
    which += {"": "", "others": f", {inner} ≠ {index}", "before": f", {inner} < {index}"}[beside]
    word = "max" if node.operator == "peak_from" else "Σ"
    text = f"{word}_{{{inner}: {which}}} {_bound(summand(node), PRODUCT, inner)}"
    if node.operator.endswith("_exp"):
        return PRODUCT, f"exp({_bound(-node.arguments[2], CASES, index)}) {text}"
    return PRODUCT, text


def _of_others(node: Expression, index: str) -> tuple[int, str]:
    """Print a sum over the other members j of the pairs of member i."""
    inner = _next(index)
    condition, body = of_pairs(node, index, inner)
    which = f"{inner} ≠ {index}"
    if condition is not None:
        told = _bound(condition, CASES, index)
        which = f"{inner}: {told}" + ("" if is_strict(condition) else f", {which}")
    return PRODUCT, f"Σ_{{{which}}} {_bound(body, PRODUCT, index)}"


def _call_binding(template: str) -> int:
    """``log σ(x)`` needs brackets before it is raised to a power."""
    return POWER if template.startswith("log ") else ATOM


def _logic(node: Expression, index: str | None) -> tuple[int, str]:
    operator, arguments = node.operator, node.arguments
    texts = [_bound(a, SUM, index) for a in arguments[:2]]
    if operator in RELATIONS:
        straight, turned = RELATIONS[operator]
        if arguments[0].operator == "constant":
            return COMPARE, f"{texts[1]} {turned} {texts[0]}"
        return COMPARE, f"{texts[0]} {straight} {texts[1]}"
    if operator in {"logical_and", "logical_or"}:
        word = "and" if operator == "logical_and" else "or"
        return LOGIC, f" {word} ".join(_bound(a, COMPARE, index) for a in arguments)
    if operator == "logical_not" and arguments[0].operator == "equal":
        return COMPARE, " ≠ ".join(_bound(a, SUM, index) for a in arguments[0].arguments)
    if operator == "logical_not":
        return COMPARE, f"not {_bound(arguments[0], ATOM, index)}"
    if operator == "class_index":
        return ATOM, index or "c"
    if operator == "class_count":
        return ATOM, "C"
    if operator == "where" and is_bracket(node):
        return ATOM, f"[{_bound(arguments[0], COMPARE, index)}]"
    rows = [f"{value} if {when}" if when else value for value, when in cases(node, index)]
    return ATOM, f"[{'; '.join(rows)}]"


def _suffix(node: Expression, index: str | None) -> str:
    return f"_{index}" if node.class_axis and index else ""


def _next(index: str | None) -> str:
    return INDICES[min(INDICES.index(index) + 1, len(INDICES) - 1)] if index in INDICES else "j"


def _number(value: float) -> tuple[int, str]:
    if value in {inf, -inf}:
        return (ATOM, "∞") if value > 0 else (SUM, "-∞")
    return (ATOM if value >= 0 else SUM), FRACTIONS.get(value, f"{value:g}")


def _raised(base: str, exponent: Expression, index: str | None) -> str:
    if exponent.operator == "constant" and exponent.payload in SUPERSCRIPTS:
        return base + SUPERSCRIPTS[int(exponent.payload)]  # pyright: ignore[reportArgumentType]
    return f"{base}^{_bound(exponent, ATOM, index)}"


def _is_number(node: Expression) -> bool:
    """Whether a node is a number that may be multiplied out; π stays a letter."""
    return node.operator == "constant" and node.payload != pi


def _square(node: Expression) -> bool:
    if node.operator != "power" or node.arguments[1].operator != "constant":
        return False
    return node.arguments[1].payload in SUPERSCRIPTS


@dataclass
class Product:
    """A number times factors over factors, each with how often it occurs."""

    number: float = 1.0
    above: dict[Expression, int] = field(default_factory=dict)
    below: dict[Expression, int] = field(default_factory=dict)

    def take(self, node: Expression, *, inverse: bool = False, times: int = 1) -> None:
        """Add a factor, looking into products and quotients."""
        if _is_number(node):
            value = float(node.payload or 0) ** times
            self.number = self.number / value if inverse and value else self.number * value
        elif node.operator in {"multiply", "weighted"}:
            for argument in node.arguments:
                self.take(argument, inverse=inverse, times=times)
        elif node.operator == "divide":
            self.take(node.arguments[0], inverse=inverse, times=times)
            self.take(node.arguments[1], inverse=not inverse, times=times)
        elif node.operator == "negative":
            self.number *= (-1) ** times
            self.take(node.arguments[0], inverse=inverse, times=times)
        elif _square(node):
            power = int(node.arguments[1].payload)  # pyright: ignore[reportArgumentType]
            self.take(node.arguments[0], inverse=inverse, times=times * power)
        else:
            side = self.below if inverse else self.above
            side[node] = side.get(node, 0) + times


def _product(node: Expression, index: str | None) -> tuple[int, str]:
    product = Product()
    product.take(node)
    text = _factors(product, index)
    if product.number < 0:
        return SUM, f"-{text}"
    single = not product.below and abs(product.number) == 1 and len(product.above) == 1
    return (POWER if single else PRODUCT), text


def _factors(product: Product, index: str | None, *, last: bool = True) -> str:
    """Spell a product without its sign; a sum at its end needs no brackets if it is the last."""
    size = abs(product.number)
    above = [_power(f, times, index) for f, times in sorted(product.above.items(), key=_rank)]
    below = [_power(f, times, index) for f, times in sorted(product.below.items(), key=_rank)]
    if size != 1 or not above:
        above.insert(0, _number(size)[1])
    if last and not below and _ends_in_sum(product):
        above[-1] = above[-1].removeprefix("(").removesuffix(")")
    text = " ".join(above)
    if not below:
        return text
    return f"{text}/{below[0]}" if len(below) == 1 else f"{text}/({' '.join(below)})"


def _ends_in_sum(product: Product) -> bool:
    sums = [times for factor, times in product.above.items() if factor.operator in SUMS]
    return sums == [1]


def _power(node: Expression, times: int, index: str | None) -> str:
    if times == 1:
        return _bound(node, POWER, index)
    return _bound(node, ATOM, index) + SUPERSCRIPTS.get(times, f"^{times}")


def _rank(item: tuple[Expression, int]) -> int:
    """Order factors as textbooks do: letters, shares, brackets, functions, sums."""
    operator = item[0].operator
    inner = item[0].arguments[0].operator if operator == "pick" else operator
    if inner in {"constant", "variable", "class_count"}:
        return 0
    if inner in {"sigmoid", "softmax"}:
        return 1
    return 2 if operator in {"add", "subtract"} else 4 if operator in SUMS else 3


def _sum(node: Expression, index: str | None) -> tuple[int, str]:
    number, place, terms = 0.0, None, []
    parts = _terms(node, 1)
    for sign, term in parts:
        if _is_number(term):
            number += sign * float(term.payload or 0)
            place = len(terms) if place is None else place
            continue
        product = Product()
        product.take(term)
        negative = (product.number < 0) != (sign < 0)
        text = _factors(product, index, last=term is parts[-1][1])
        terms.append(("-" if negative else "+", text))
    if place is not None and (number or not terms):
        terms.insert(place, ("-" if number < 0 else "+", _number(abs(number))[1]))
    first, *rest = terms
    start = f"-{first[1]}" if first[0] == "-" else first[1]
    text = " ".join([start, *(f"{sign} {word}" for sign, word in rest)])
    return (SUM if rest or first[0] == "-" else PRODUCT), text


def _terms(node: Expression, sign: int) -> list[tuple[int, Expression]]:
    if node.operator == "add":
        return [*_terms(node.arguments[0], sign), *_terms(node.arguments[1], sign)]
    if node.operator == "subtract":
        return [*_terms(node.arguments[0], sign), *_terms(node.arguments[1], -sign)]
    if node.operator == "negative" and node.arguments[0].operator in {"add", "subtract"}:
        return _terms(node.arguments[0], -sign)
    return [(sign, node)]


def cases(node: Expression, index: str | None) -> list[tuple[str, str]]:
    """Return (value, condition) in the order in which they are asked; the last has none."""
    if node.operator != "where" or is_bracket(node):
        return [(_bound(node, CASES, index), "")]
    condition, value, other = node.arguments
    when = _bound(condition, COMPARE, index)
    inner = [(v, f"{when} and {w}" if w else when) for v, w in cases(value, index)]
    return [*inner, *cases(other, index)]
