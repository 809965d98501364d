"""Formulas over several lines: cases below each other, and letters for parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lossary.definition import Argument
from lossary.formula import Expression, variable, walk
from lossary.notation.letters import Named, used
from lossary.render.textbook import chosen_among, textbook, with_indices
from lossary.render.unicode import INDICES, RELATIONS, cases, plain, symbol
from lossary.rewriting import is_bracket, substitute

LETTERS = "uvwabdefghmnpqrs"
LONG, WORTH_A_LETTER = 30, 17  # characters


@dataclass(frozen=True)
class Formula:
    """A formula as rows of (value, condition); the last row has an empty condition."""

    rows: tuple[tuple[str, str], ...]

    @property
    def lines(self) -> list[str]:
        """The rows as text, with a brace before cases."""
        if len(self.rows) == 1:
            return [self.rows[0][0]]
        width = max(len(value) for value, _ in self.rows)
        brace = ["⎧", *"⎪" * (len(self.rows) - 2), "⎩"]
        if len(self.rows) > 2:
            brace[len(self.rows) // 2] = "⎨"
        return [
            f"{mark} {value:<{width}}  {f'if {when}' if when else 'otherwise'}"
            for mark, (value, when) in zip(brace, self.rows, strict=True)
        ]

    @property
    def size(self) -> int:
        """How many characters a reader faces."""
        return sum(len(value) + len(when) for value, when in self.rows)


def read(
    *expressions: Expression, named: Named = ()
) -> tuple[list[Formula], list[tuple[str, Formula]]]:
    """Return formulas for reading, and what the letters stand for that they share.

    ``named`` are letters that the formulas have already.

    >>> x = variable("score")
    >>> from lossary.functions import exp, where
    >>> size = where(x < 0, -x, x)
    >>> (formula,), letters = read(exp(size) + exp(2 * size))
    >>> formula.lines, [(letter, *meaning.lines) for letter, meaning in letters]
    (['exp(u) + exp(2 u)'], [('u', '⎧ -s  if s < 0', '⎩ s   otherwise')])
    """
    roots = [textbook(expression) for expression in expressions]
    known: dict[Expression, Expression] = {}
    free = _free_letters([*roots, *(part for pair in named for part in pair)])
    for part in _parts(roots):
        if free and (_is_choice(part) or len(plain(substitute(part, known))) >= WORTH_A_LETTER):
            known[part] = variable(free.pop(0), axes=part.axes)
    formulas = [_formula(substitute(root, known)) for root in roots]
    letters = [(plain(letter), _formula(textbook(part))) for letter, part in used(named, roots)]
    for part, letter in known.items():
        others = {p: other for p, other in known.items() if p is not part}
        letters.append((plain(letter), _formula(substitute(part, others))))
    return formulas, letters


def letter(argument: Argument) -> str:
    """Return how formulas write an argument, with an index where it has entries.

    >>> import lossary as L
    >>> [letter(argument) for argument in L.cross_entropy.arguments]
    ['z_c', 't', 'ε']
    """
    return symbol(argument.name) + ("_c" if argument.domain.class_axis else "")


def meanings(letters: Sequence[tuple[str, Formula]]) -> list[str]:
    """Return what letters stand for, one below the other.

    >>> meanings([("p", Formula((("σ(z)", ""),)))])
    ['p = σ(z)']
    """
    width = max((len(letter) for letter, _ in letters), default=0)
    lines = []
    for letter, meaning in letters:
        heads = [f"{letter:<{width}} = ", *[" " * (width + 3)] * len(meaning.lines)]
        lines += [head + line for head, line in zip(heads, meaning.lines, strict=False)]
    return lines


def _formula(node: Expression) -> Formula:
    return Formula(tuple(cases(with_indices(node, "c", "j") if node.paired else node, "c")))


def _is_choice(node: Expression) -> bool:
    return node.operator == "where" and not is_bracket(node)


def _free_letters(roots: Sequence[Expression]) -> list[str]:
    used = {symbol(str(n.payload)) for n in walk(*roots) if n.operator == "variable"}
    return [letter for letter in LETTERS if letter not in {*used, *INDICES}]


def _parts(roots: Sequence[Expression]) -> list[Expression]:
    """Parts that deserve a letter: cases inside a formula, and long parts used twice in one."""
    found: set[Expression] = set()
    for root in roots:
        users: dict[Expression, int] = {}
        spelled = chosen_among([root])
        for node in walk(root):
            for place, argument in enumerate(node.arguments):
                if (node, argument) in spelled or argument.paired:
                    continue
                if argument.operator == "within":  # it is no number
                    continue
                if _is_choice(argument) and not (node.operator == "where" and place > 0):
                    found.add(argument)
                if argument.arguments and argument.operator not in RELATIONS:
                    users[argument] = users.get(argument, 0) + 1
        if len(plain(root)) > LONG:
            found |= {part for part, count in users.items() if count > 1}
    return [node for node in walk(*roots) if node in found - set(roots)]
