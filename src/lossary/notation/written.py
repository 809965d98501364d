"""What a reader is shown of a loss: its formula as written, and derivatives of that formula.

The author's own names for parts (p, p_t, error) stay letters of the formulas.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from inspect import signature
from types import FrameType
from typing import Any

from lossary.calculus import derivative, diagonal, gradient
from lossary.formula import Expression, variable, walk
from lossary.functions import FUNCTIONS, maximum
from lossary.notation.letters import with_meanings
from lossary.notation.products import number_of
from lossary.notation.reading import Reader
from lossary.notation.told import gradient_told, hessian_told, told_in
from lossary.render.latex import SYMBOLS, latex
from lossary.rewriting import rebuild, substitute

_SHORT = re.compile(r"[A-Za-z]{1,2}(_[a-z0-9])?")
_LETTERS = "uvwfgh"
LONGEST = (300, 600, 600)
"""Characters of LaTeX up to which value and derivatives are written out, without letters."""


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
        return (value, *map(read, derivatives)), tuple(_unfolded(reversed(meanings)))

    def latex(self, order: int) -> str:
        """Return the value (0), first (1) or second derivative, with letters where it is long."""
        text = latex(getattr(self, ("value", "gradient", "hessian")[order]))
        if len(text) <= LONGEST[order]:
            return text
        formulas, named = self.lettered
        return with_meanings(formulas[order], named)


Meanings = Iterable[tuple[Expression, Expression]]


def _unfolded(meanings: Meanings) -> Iterator[tuple[Expression, Expression]]:
    """Yield letters with what they stand for, and before each what its own meaning has named."""
    words: dict[str, Expression] = {}
    told: set[Expression] = set()
    for letter, part in meanings:
        if part not in told_in(part):
            yield letter, part
            continue
        means: Any = FUNCTIONS[part.operator].means
        symbols = dict(zip(signature(means).parameters, part.arguments, strict=True))
        meaning, named = parts_of(means, symbols, helpers=True)
        own = {
            inner: variable(name, axes=inner.axes)
            for name, inner in named.items()
            if inner.operator != "pick" and words.setdefault(name, inner) is inner
        }
        for inner in walk(meaning):
            if inner in own and inner not in told:
                told.add(inner)
                others = {other: word for other, word in own.items() if other is not inner}
                yield own[inner], substitute(inner, others)
        yield letter, substitute(meaning, own)


def parts_of(
    formula: Callable[..., Any], symbols: Mapping[str, Any], *, helpers: bool = False
) -> tuple[Expression, dict[str, Expression]]:
    """Trace a formula, and look at what its author has named.

    With ``helpers``, what a function beside the formula returns has the name of that function.
    """
    seen: dict[str, Any] = {}
    code = getattr(formula, "__code__", None)

    def watch(frame: FrameType, event: str, result: Any) -> None:
        if event != "return":
            return
        if frame.f_code is code:
            seen.update(frame.f_locals)
        elif helpers and code and frame.f_code.co_filename == code.co_filename:
            seen[_name_of(frame)] = result

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


def _name_of(frame: FrameType) -> str:
    """Return the name of a function, with its argument if it has one only."""
    name, arguments = frame.f_code.co_name.strip("_"), frame.f_code.co_argcount
    first = next(iter(frame.f_locals.values()), None)
    if arguments == 1 and isinstance(first, Expression) and first.operator == "variable":
        return f"{name}_of_{first.payload}"
    return name


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
