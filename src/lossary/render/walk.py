"""The one walk over a row of classes that the kernels of all languages take.

In each pass what belongs to the whole row is computed first, then a loop over the classes loads,
evaluates, reduces and stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lossary.formula import Expression, variable
from lossary.functions.vocabulary import TRUTHS, fixed_place
from lossary.render.kernel import Kernel
from lossary.render.passes import row_parts
from lossary.render.target import Target
from lossary.render.text import Printer
from lossary.rewriting import substitute


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Move lines into a block."""
    return (f"    {line}" for line in lines)


def place_of(label: Expression, index: str = "") -> str:
    """Return the text of the place that an entry is picked at; an argument's has an index."""
    place = fixed_place(label)
    return f"{label.payload}{index}" if place is None else str(place)


class Scope:
    """Prints expressions in one place of the text, where some parts already have a name."""

    def __init__(self, target: Target) -> None:
        self.target: Target = target
        self.known: dict[Expression, Expression] = {}
        self.count: int = 0

    def fresh(self, word: str) -> str:
        """Return a name that no other part has."""
        self.count += 1
        return f"{word}{self.count}"

    def name(self, node: Expression, name: str) -> None:
        """From here on the node is called so."""
        self.known[node] = variable(name, class_axis=node.class_axis)

    def replaced(self, roots: Iterable[Expression]) -> list[Expression]:
        """Put in the names of what has one."""
        return [substitute(root, self.known) for root in roots]

    def texts(self, roots: Sequence[Expression], prefix: str) -> tuple[list[str], list[str]]:
        """Return the lines that compute the roots, and the text of each root."""
        return self.printed(self.replaced(roots), prefix, self.target)

    def printed(
        self, roots: Sequence[Expression], prefix: str, target: Target
    ) -> tuple[list[str], list[str]]:
        """Return the same for roots that have their names already."""
        printer = Printer(target, roots, "", self.fresh(prefix) + "_")
        texts = [printer.printed(root, 0) for root in roots]
        return printer.lines, texts

    def hoisted(self, roots: Sequence[Expression], index: str = "") -> Iterator[str]:
        """Compute for the whole row what a loop over the classes needs of it, and name it."""
        parts = row_parts(roots, self.known)
        lines, texts = self.texts(parts, "r")
        yield from lines
        for part, text in zip(parts, texts, strict=True):
            name = self.fresh("truth" if part.operator in TRUTHS else "row") + index
            yield f"{name} = {text}"
            self.name(part, name)


@dataclass(frozen=True)
class Reduce:
    """How a reduction is spelled: ``{0}`` is its name, ``{1}`` the text of what is reduced.

    ``{2}`` is where a block of that lies. The lines stand before the loop, at the head of a block
    of classes, for each class, at the end of a block, and after the loop; ``called`` is the result.
    """

    start: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()
    step: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    called: str = "{0}"
    placed: str = "place_of_{0}"


@dataclass(frozen=True)
class Reduction:
    """The sum of an argument in a pass, or its peak with or without its place: one evaluation."""

    argument: Expression
    nodes: tuple[Expression, ...]
    name: str
    spelled: Reduce
    room: str = ""

    def lines(self, place: str, text: str = "") -> list[str]:
        """Spell the lines for a place."""
        return [line.format(self.name, text, self.room) for line in getattr(self.spelled, place)]

    def finish(self, scope: Scope) -> None:
        """Name the results for what comes after."""
        for node in self.nodes:
            placed = node.operator == "argpeak"
            called = self.spelled.placed if placed else self.spelled.called
            scope.name(node, called.format(self.name))


class Walk:
    """A walk over the classes of a row; a dialect spells loops, loads and stores.

    ``reduces`` is its table of reductions, ``index`` what stands behind a number of a row, and
    ``results`` are what the kernel computes.
    """

    reduces: Mapping[str, Reduce]
    index = ""

    def __init__(self, kernel: Kernel, results: Sequence[Expression], scope: Scope) -> None:
        self.kernel: Kernel = kernel
        self.results: Sequence[Expression] = results
        self.scope: Scope = scope

    def one_pass(
        self,
        nodes: Sequence[Expression],
        kept: Sequence[Expression] = (),
        places: Sequence[int] = (),
        checks: Sequence[Expression] = (),
    ) -> Iterator[str]:
        """Take the reductions of a pass, keep nodes for later ones, store results, and check."""
        scope = self.scope
        reductions = list(self.reductions(nodes))
        reduced = [r for r in reductions if r.lines("step")]
        arguments = [r.argument for r in reduced]
        roots = [*kept, *arguments, *(self.results[place] for place in places), *checks]
        if not roots and not reductions:
            return
        starts = [line for r in reductions for line in r.lines("start")]
        yield from self.for_row([*scope.hoisted(roots, self.index), *starts])
        rooms = [self.room_for(node) for node in kept]

        def written(texts: Iterable[str]) -> list[str]:
            parts = iter(texts)
            lines = [f"{room} = {next(parts)}" for room in rooms]
            lines += [line for r in reduced for line in r.lines("step", next(parts))]
            lines += [self.store(place, next(parts)) for place in places]
            return lines + [self.class_check(text) for text in parts]

        yield from self.over_classes(roots, written, reductions)
        for reduction in reductions:
            yield from reduction.lines("end")
            reduction.finish(scope)
        for node, room in zip(kept, rooms, strict=True):
            scope.name(node, room)

    def reductions(self, nodes: Sequence[Expression]) -> Iterator[Reduction]:
        """Group the reductions of a pass: sums, and each peak with its place."""
        groups: dict[tuple[bool, Expression], list[Expression]] = {}
        for node in nodes:
            groups.setdefault((node.operator != "total", node.arguments[0]), []).append(node)
        for is_peak, argument in sorted(groups, key=lambda group: group[0]):
            own = groups[is_peak, argument]
            placed = any(node.operator == "argpeak" for node in own)
            kind = ("argpeak" if placed else "peak") if is_peak else "total"
            name = self.scope.fresh("peak" if is_peak else "total")
            yield Reduction(argument, tuple(own), name, self.reduces[kind])

    def over_classes(
        self,
        roots: Sequence[Expression],
        written: Callable[[Iterable[str]], list[str]],
        reductions: Sequence[Reduction],
    ) -> Iterable[str]:
        """Load what roots need of each class, compute their texts, and write these."""
        lines, texts = self.class_texts(roots)
        body = [*self.loads(self.scope.replaced(roots)), *lines, *written(texts)]
        return self.for_classes(body, reductions)

    def for_row(self, lines: Sequence[str]) -> Iterable[str]:
        """Do something for a row."""
        return lines

    def for_classes(self, body: Sequence[str], reductions: Sequence[Reduction]) -> Iterable[str]:
        """Do something for each class."""
        raise NotImplementedError

    def loads(self, roots: Sequence[Expression]) -> Iterable[str]:
        """Load what the roots need of a class."""
        raise NotImplementedError

    def room_for(self, node: Expression) -> str:
        """Return where a node is kept for later passes."""
        raise NotImplementedError

    def store(self, place: int, text: str) -> str:
        """Store a result that has an entry for each class."""
        raise NotImplementedError

    def check(self, text: str) -> str:
        """Count what is outside its set."""
        raise NotImplementedError

    def class_texts(self, roots: Sequence[Expression]) -> tuple[list[str], list[str]]:
        """Return the lines that compute what belongs to a class, and the text of each root."""
        return self.scope.texts(roots, "c")

    def class_check(self, text: str) -> str:
        """Count a class that is outside its set."""
        return self.check(text)
