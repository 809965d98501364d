"""Formulas for readers: parts that repeat, and cases within formulas, get a letter of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossary.formula import Expression, variable, walk
from lossary.render.latex import latex
from lossary.render.textbook import chosen_among
from lossary.rewriting import is_bracket, substitute

LONG = 25  # signs; shorter formulas need no letters
WORTH_A_LETTER = 12  # signs of a repeated part
WORTH_IN_A_LONG_ONE = 4  # the same, where a formula is longer than MOST
LETTERS = ("u", "v", "w", "h")
MOST = 600  # characters of LaTeX; a derivative that is longer chooses letters for itself


Named = Sequence[tuple[Expression, Expression]]
"""Letters of the author, and what they stand for."""


def used(named: Named, roots: Sequence[Expression]) -> Named:
    """Letters in the formulas, and in what these letters stand for; inner ones come first."""
    seen = set(walk(*roots))
    kept = []
    for letter, part in reversed(named):
        if letter in seen:
            kept.append((letter, part))
            seen |= set(walk(part))
    return kept[::-1]


def with_meanings(formula: Expression, named: Named) -> str:
    """Return the LaTeX of a formula with letters for its parts, and below what these stand for."""
    (text,), meanings = abbreviate([formula], named=used(named, [formula]))
    if not meanings:
        return text
    told = r" \\ ".join(rf"{letter} &= {meaning}" for letter, meaning in meanings)
    return rf"\begin{{aligned}} & {text} \\ \text{{with }} {told} \end{{aligned}}"


def abbreviate(
    formulas: Sequence[Expression],
    followers: Sequence[Expression] = (),
    named: Named = (),
) -> tuple[list[str], list[tuple[str, str]]]:
    r"""Return the LaTeX of all formulas, and the letters in them with what they stand for.

    Letters are chosen for ``formulas``; ``followers`` use them where they can, and choose letters
    too where they are long. ``named`` are letters that the formulas have already.

    >>> from lossary.formula import variable
    >>> from lossary.functions import exp, where
    >>> x = variable("score")
    >>> size = where(x < 0, -x, x)
    >>> abbreviate([exp(size) + exp(2 * size)])[0]
    ['e^{u} + e^{2 \\, u}']
    >>> abbreviate([exp(x)])
    (['e^{s}'], [])
    """
    found = _abbreviated(formulas, followers, named)
    if any(len(text) > MOST for text in found[0][len(formulas) :]):
        shared = _abbreviated([*formulas, *followers], (), named, WORTH_IN_A_LONG_ONE)
        return min(found, shared, key=lambda texts: max(map(len, texts[0])))
    return found


def _abbreviated(
    formulas: Sequence[Expression],
    followers: Sequence[Expression],
    named: Named,
    worth: int = WORTH_A_LETTER,
) -> tuple[list[str], list[tuple[str, str]]]:
    known: dict[Expression, Expression] = {}
    if any(_signs(latex(formula)) >= LONG for formula in formulas):
        for node in _candidates(formulas, pairs=worth < WORTH_A_LETTER):
            if _is_choice(node) or _signs(latex(substitute(node, known))) >= worth:
                known[node] = variable(f"part{len(known)}", axes=node.axes)
    count = len(known)
    used = {latex(n) for n in walk(*formulas, *followers) if n.operator == "variable"}
    if any("positions" in n.axes for n in walk(*formulas)):
        used.add("u")  # the position
    free = [letter for letter in LETTERS if letter not in used][:3]
    letters = free if count <= len(free) else [f"{free[0]}_{_index(i + 1)}" for i in range(count)]

    def spell(expression: Expression, known: dict[Expression, Expression]) -> str:
        text = latex(substitute(expression, known))
        return re.sub(r"\\mathrm\{part(\d+)\}", lambda found: letters[int(found[1])], text)

    meanings = [(latex(letter), latex(part)) for letter, part in named]
    meanings += [
        (spell(letter, {}), spell(part, {p: other for p, other in known.items() if p is not part}))
        for part, letter in known.items()
    ]
    return [spell(formula, known) for formula in (*formulas, *followers)], meanings


def _index(number: int) -> str:
    return f"{number}" if number < 10 else f"{{{number}}}"


def _candidates(formulas: Sequence[Expression], *, pairs: bool) -> list[Expression]:
    """Parts used twice in a formula, and cases inside a formula; inner parts come first.

    With ``pairs`` what belongs to a pair of members gets a letter too, with both indices.
    """
    found: set[Expression] = set()
    for formula in formulas:
        users: dict[Expression, set[Expression]] = {}
        spelled = chosen_among([formula])
        for node in walk(formula):
            for position, argument in enumerate(node.arguments):
                next_case = node.operator == argument.operator == "where" and position == 2
                known = next_case or (node, argument) in spelled or (argument.paired and not pairs)
                known = known or argument.operator == "within"  # it is no number
                if argument.arguments and not known:
                    users.setdefault(argument, set()).add(node)
        found |= {part for part, using in users.items() if _is_choice(part) or len(using) > 1}
    found -= set(formulas)
    return [node for node in walk(*formulas) if node in found]


def _is_choice(node: Expression) -> bool:
    return node.operator == "where" and not is_bracket(node)


def _signs(text: str) -> int:
    """Count what a reader sees: a command is one sign, braces and spaces are none."""
    text = re.sub(r"\\(left|right|,|text|mathrm|begin|end)\b|[{}\s]", "", text)
    return len(re.sub(r"\\[A-Za-z]+", "x", text))
