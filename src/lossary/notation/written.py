"""What a reader is shown of a loss: its formula as written, and derivatives of that formula.

The author's own names for parts (p, p_t, error) stay letters of the formulas.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from types import FrameType
from typing import Any

from lossary.calculus import derivative, diagonal, gradient
from lossary.formula import Expression, variable, walk
from lossary.functions import maximum
from lossary.notation.products import number_of
from lossary.notation.reading import Reader
from lossary.notation.told import gradient_told, hessian_told, told_in
from lossary.render.latex import SYMBOLS
from lossary.rewriting import rebuild, substitute

_SHORT = re.compile(r"[A-Za-z]{1,2}(_[a-z0-9])?")
_LETTERS = "uvwfgh"


class Written:
    """A formula with its derivatives by the first argument, each looked at when it is asked for.

    ``sets`` names the set that each argument lies in.
    """

    def __init__(
        self,
        formula: Callable[..., Any],
        symbols: Mapping[str, Expression],
        sets: Mapping[str, str],
    ) -> None:
        self._formula, self._symbols = formula, symbols
        self._reader = Reader(sets)

    @cached_property
    def _parts(self) -> tuple[Expression, dict[str, Expression]]:
        return parts_of(self._formula, self._symbols)

    @property
    def _first(self) -> Expression:
        return next(iter(self._symbols.values()))

    @property
    def value(self) -> Expression:
        """The formula as its author wrote it."""
        return self._parts[0]

    @cached_property
    def gradient(self) -> Expression:
        """The first derivative."""
        if told := told_in(self.value):
            return self._reader(gradient_told(self.value, told))
        return self._reader.in_cases(gradient(_arranged(self.value), self._first))

    @cached_property
    def hessian(self) -> Expression:
        """The second derivative, its diagonal."""
        if told := told_in(self.value):
            return self._reader(hessian_told(self.value, told))
        return self._reader.in_cases(diagonal(derivative(self.gradient, self._first)))

    @cached_property
    def lettered(self) -> tuple[tuple[Expression, ...], tuple[tuple[Expression, Expression], ...]]:
        """Value, gradient and Hessian by the author's names, and what these stand for."""
        read = self._reader
        shown = [self.value, self.gradient, self.hessian]
        meanings: list[tuple[Expression, Expression]] = []
        for part, letter in reversed(_letters(*self._parts, self._symbols).items()):
            known = {read(-part): -letter, read(1 - part): 1 - letter, read(part): letter}
            known[part] = letter  # the outer part before what it holds
            after = [substitute(formula, known) for formula in shown]
            inside = [substitute(meaning, known) for _, meaning in meanings]
            if any(node is letter for node in walk(*after, *inside)):
                shown = after
                meanings = [(other, new) for (other, _), new in zip(meanings, inside, strict=True)]
                meanings.append((letter, part))
        value, *derivatives = shown
        return (value, *map(read, derivatives)), tuple(reversed(meanings))


def parts_of(
    formula: Callable[..., Any], symbols: Mapping[str, Any]
) -> tuple[Expression, dict[str, Expression]]:
    """Trace a formula, and look at what its author has named."""
    seen: dict[str, Any] = {}
    code = getattr(formula, "__code__", None)

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            seen.update(frame.f_locals)

    kept = sys.getprofile()
    sys.setprofile(watch)
    try:
        result = formula(**symbols)
    finally:
        sys.setprofile(kept)
    within = set(walk(result))
    return result, {
        name: part
        for name, part in seen.items()
        if name not in symbols
        and isinstance(part, Expression)
        and part.arguments
        and part is not result
        and part in within
    }


def _letters(
    value: Expression, named: Mapping[str, Expression], symbols: Mapping[str, Expression]
) -> dict[Expression, Expression]:
    """Give the author's short names to parts that have them, unless an argument looks alike."""
    taken = {SYMBOLS.get(name, name) for name in symbols}
    if any("positions" in symbol.axes for symbol in symbols.values()):
        taken.add("u")  # the position
    free = iter(letter for letter in _LETTERS if letter not in taken)
    found: dict[Expression, Expression] = {}
    for name, part in named.items():
        if _SHORT.fullmatch(name) and part is not value:
            letter = next(free) if SYMBOLS.get(name, name) in taken else name
            found[part] = variable(letter, axes=part.axes)
    return found


def _arranged(expression: Expression) -> Expression:
    """At a tie of a maximum with a number, the slope is the number's."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        arguments = tuple(done[a] for a in node.arguments)
        if node.operator == "maximum" and number_of(arguments[0]) is not None:
            done[node] = maximum(arguments[1], arguments[0])
        else:
            done[node] = rebuild(node, arguments)
    return done[expression]
