"""From an expression to the source text of a function: names, temporaries, parentheses, types."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lossary.formula import Expression, apply, variable, walk
from lossary.functions.vocabulary import fixed_place
from lossary.render.lowering import laid_out, lower
from lossary.render.target import ATOM, BESIDE, COMPARE, POWER, UNARY, Target, target
from lossary.rewriting import substitute


@dataclass(frozen=True)
class Program:
    """A function to print: named results over named arguments."""

    name: str
    arguments: tuple[str, ...]
    results: tuple[Expression, ...]
    summary: str = ""


def render(program: Program, name: str) -> str:
    """Print a program as the source text of one function."""
    language = target(name)
    names = {argument: _own_name(argument, language) for argument in program.arguments}
    results = [_renamed(result, names) for result in _results(program, language)]
    like = names[next(iter(program.arguments))]
    lines = [f"def {program.name}({', '.join(names.values())}):"]
    if program.summary:
        first, *more = program.summary.split("\n")
        lines.append(f'    """{first}' + ("" if more else '"""'))
        lines += [*(f"    {line}".rstrip() for line in more), *(['    """'] if more else [])]
    printer = Printer(language, results, like)
    body = [printer.printed(result, 0) for result in results]
    lines += [f"    {line}" for line in printer.lines]
    lines.append(f"    return {', '.join(body)}")
    imports, used = language.imports, {node.operator for node in walk(*results)}
    for room, sums in dict.fromkeys(BESIDE[word] for word in BESIDE if word in used):
        imports += f"\nfrom lossary.kernels.{room}.{language.name.split()[0]} import {sums}"
    return f"{imports}\n\n\n" + "\n".join(lines) + "\n"


def _results(program: Program, language: Target) -> Sequence[Expression]:
    spare = language.relax is not None
    holding = "held" in language.spellings
    found = [lower(result, spare=spare, holding=holding) for result in program.results]
    found = found if language.relax is None else language.relax(found)
    return [laid_out(result) for result in found]


def _own_name(argument: str, language: Target) -> str:
    """Return a name that neither a temporary nor a global word of the text has."""
    taken = argument in _globals(language.name) or re.fullmatch(r"t\d+_*", argument)
    return f"{argument}_" if taken else argument


@cache
def _globals(name: str) -> frozenset[str]:
    """Return the words that a text looks up outside its function."""
    language = target(name)
    texts = [text for _, text in language.spellings.values()]
    texts += [language.imports, language.cast, language.constant, language.number, language.typed]
    return frozenset(re.findall(r"(?<![.\w])[^\W\d]\w*(?!\w|=)", " ".join(texts)))


def _renamed(expression: Expression, names: Mapping[str, str]) -> Expression:
    changed = {old: new for old, new in names.items() if old != new}
    replacements = {
        node: variable(changed[str(node.payload)], class_axis=node.class_axis)
        for node in walk(expression)
        if node.operator == "variable" and node.payload in changed
    }
    return substitute(expression, replacements) if replacements else expression


class Printer:
    """Print nodes; a node used more than once becomes a temporary when it is first needed."""

    def __init__(
        self, language: Target, results: Sequence[Expression], like: str, prefix: str = "t"
    ) -> None:
        self.language: Target = language
        self.like: str = like
        self.prefix: str = prefix
        self.lines: list[str] = []
        self.names: dict[Expression, str] = {}
        self.uses: Counter[Expression] = Counter(results)
        nodes = [*walk(*results)]
        self.whole: set[Expression] = set() if language.mixes else _whole_numbers(nodes)
        for node in nodes:
            self._count(node)
        for node in nodes:
            if self.uses[node] > 1 and node.arguments:
                self.names[node] = self._store(node)

    def _count(self, node: Expression) -> None:
        """Count how often the node's spelling writes each argument down."""
        template = self.language.spellings.get(node.operator, (0, ""))[1]
        for i, argument in enumerate(node.arguments):
            self.uses[argument] += max(template.count(f"{{{i}}}"), 1)

    def _store(self, node: Expression) -> str:
        name = f"{self.prefix}{len(self.names)}"
        self.lines.append(f"{name} = {self._spell(node)[1]}")
        return name

    def printed(self, node: Expression, binding: int) -> str:
        """Print a node for a place that binds as tightly as ``binding``."""
        if node in self.names:
            return self.names[node]
        tightness, text = self._spell(node)
        return f"({text})" if tightness < binding else text

    def _spell(self, node: Expression) -> tuple[int, str]:
        if node.operator == "variable":
            return ATOM, str(node.payload)
        if node.operator == "constant":
            return self._number(node)
        spelling = _SPECIAL.get(node.operator)
        if spelling and (special := spelling(self, node)):
            return special
        tightness, template = self.language.spellings[node.operator]
        if tightness == ATOM:
            texts = [self._argument(a) for a in node.arguments]
        else:
            texts = [self.printed(a, tightness + (i > 0)) for i, a in enumerate(node.arguments)]
        if node.operator in _MIXING and 0 < sum(a in self.whole for a in node.arguments) < 2:
            # A variable beside a place may be a label, too.
            texts = [
                self.language.cast.format(text, like=self.like)
                if a in self.whole or a.operator == "variable"
                else text
                for a, text in zip(node.arguments, texts, strict=True)
            ]
        return tightness, template.format(*texts, like=self.like)

    def _argument(self, node: Expression) -> str:
        """Print an argument of a call, where a plain number may need a dtype."""
        text = self.printed(node, 0)
        if node.operator == "constant":
            return self.language.constant.format(text, like=self.like)
        if not _is_count(node):
            return text
        holds = self.language.spellings[node.operator][0] == COMPARE
        return (self.language.condition if holds else self.language.count).format(
            text, like=self.like
        )

    def _number(self, node: Expression) -> tuple[int, str]:
        text = repr(node.payload)
        if text in {"inf", "-inf", "nan"}:
            return ATOM, self.language.number.format(text)
        return (UNARY if text.startswith("-") else ATOM), text

    def _bound(self, node: Expression) -> tuple[int, str] | None:
        """Print a maximum or minimum with a plain number, where the target has its own word."""
        template = self.language.bounds.get(node.operator)
        x, y = sorted(node.arguments, key=lambda x: x.operator == "constant")
        if template is None or y.operator != "constant":
            return None
        return ATOM, template.format(self._argument(x), self.printed(y, 0))

    def _of_data(self, node: Expression) -> tuple[int, str] | None:
        """Print what a target has a word of its own for where it is taken of an argument."""
        x, template = node.arguments[0], self.language.of_data.get(node.operator)
        if template is None or x.operator != "variable":
            return None
        return ATOM, template.format(self.printed(x, 0))

    def _pick(self, node: Expression) -> tuple[int, str] | None:
        """Print the entry at a fixed place, which every library slices."""
        x, label = node.arguments
        place = fixed_place(label)
        if place is None:
            return None
        return ATOM, f"{self.printed(x, ATOM)}[..., {place}:{place + 1}]"

    def _equal(self, node: Expression) -> tuple[int, str] | None:
        """Print whether a class has a fixed place: indices are whole numbers, and places too."""
        index, place = node.arguments
        if index.operator != "class_index" or fixed_place(place) is None:
            return None
        return COMPARE, f"{self.printed(index, COMPARE)} == {fixed_place(place)}"

    def _power(self, node: Expression) -> tuple[int, str] | None:
        base, exponent = node.arguments
        if exponent.operator == "constant" and exponent.payload == 2:
            if base in self.names or not base.arguments:
                return self._spell(apply("multiply", base, base))
            return POWER, f"{self.printed(base, ATOM)} ** 2"
        return None

    def _where(self, node: Expression) -> tuple[int, str] | None:
        condition, x, y = node.arguments
        if x.operator != "constant" or y.operator != "constant":
            return None
        # Two plain numbers carry no dtype: the library would choose its own.
        template = self.language.spellings["where"][1]
        texts = [self.printed(condition, 0), self._exactly(x), self._exactly(y)]
        chosen = template.format(*texts, like=self.like)
        return ATOM, self.language.cast.format(chosen, like=self.like)

    def _exactly(self, node: Expression) -> str:
        """Print one of two plain numbers: a library that reads them as float32 is to keep both."""
        text = self.printed(node, 0)
        value = float(node.payload or 0)
        with np.errstate(over="ignore"):
            rounds = math.isfinite(value) and float(np.float32(value)) != value
        return self.language.typed.format(text, like=self.like) if rounds else text


_MIXING = frozenset(
    ["add", "subtract", "multiply", "divide", "less", "less_equal", "equal", "maximum", "minimum"]
)  # fmt: skip


def _whole_numbers(nodes: Sequence[Expression]) -> set[Expression]:
    """Return what is of a type of whole numbers: indices of classes, and labels."""
    found = {node for node in nodes if node.operator in {"class_index", "argpeak"}}
    for node in nodes:
        if node.operator == "pick" or (node.operator == "equal" and node.arguments[0] in found):
            found |= {node.arguments[1]} if node.arguments[1].operator == "variable" else set()
        elif node.operator == "negative" and node.arguments[0] in found:
            found.add(node)
    return found


def _is_count(node: Expression) -> bool:
    """Whether an expression is made of the number of classes, and of plain numbers."""
    if not node.arguments:
        return node.operator in {"constant", "class_count"}
    return all(map(_is_count, node.arguments))  # which ends at the first variable


_SPECIAL = {
    "maximum": Printer._bound,  # noqa: SLF001
    "minimum": Printer._bound,  # noqa: SLF001
    "peak": Printer._of_data,  # noqa: SLF001
    "argpeak": Printer._of_data,  # noqa: SLF001
    "total": Printer._of_data,  # noqa: SLF001
    "equal": Printer._equal,  # noqa: SLF001
    "pick": Printer._pick,  # noqa: SLF001
    "power": Printer._power,  # noqa: SLF001
    "where": Printer._where,  # noqa: SLF001
}
