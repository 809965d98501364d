"""A row that does not fit on the chip, in blocks: as often as the plan has passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lossary.formula import Expression
from lossary.render.passes import Plan
from lossary.render.programs.rows import barrier, loads, row_result, store, tile
from lossary.render.programs.text import Text
from lossary.render.triton import SPELLINGS
from lossary.render.walk import Reduce, Reduction, Walk, indented


def reduces(work: str) -> Mapping[str, Reduce]:
    """Return the table of reductions: over a block of classes at once."""
    total, peak, place = (
        SPELLINGS[name][1].format("{1}", "highest") for name in ("total", "peak", "argpeak")
    )
    zeros, lowest = f"tl.zeros((ROWS, 1), tl.{work})", 'tl.full((ROWS, 1), float("-inf"), tl.{})'
    peaks = Reduce(
        start=(f"{{0}} = {lowest.format(work)}",),
        step=(f"highest = {peak}", "{0} = tl.maximum({0}, highest)"),
    )
    placed = f"place_of_{{0}} = tl.where(highest > {{0}}, {place}, place_of_{{0}})"
    return {
        "total": Reduce(
            start=(f"{{0}} = {zeros}", f"error_of_{{0}} = {zeros}"),
            step=(f"{{0}}, error_of_{{0}} = real.add({{0}}, error_of_{{0}}, {total})",),
            end=("{0} += error_of_{0}",),
        ),
        "peak": peaks,
        "argpeak": replace(
            peaks,
            start=(*peaks.start, "place_of_{0} = tl.zeros((ROWS, 1), tl.int32)"),
            step=(peaks.step[0], placed, peaks.step[1]),
        ),
    }


class Streamed(Walk):
    """The loops of a program over the blocks of its row."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.kernel, text.results, text.scope)
        self.text: Text = text
        self.reduces = reduces(text.work)
        self.skipping: bool = bool(text.kernel.weight or text.kernel.mask)

    def lines(self) -> Iterator[str]:
        """Complete the reductions pass by pass, then write the results."""
        text, results = self.text, self.kernel.results
        if self.skipping:
            yield "# Of a row that does not count nothing is read."
        counts = " * tl.max(tl.max(keep.to(tl.int32), 1), 0)" if self.skipping else ""
        yield f"limit = classes{counts}"
        for nodes in Plan(text.roots).reductions:
            yield from self.one_pass(nodes)
        yield from barrier(text)
        spread = [place for place, result in enumerate(results) if text.spread(result)]
        yield from self.scope.hoisted([self.results[place] for place in spread])
        rest = [place for place in range(len(results)) if place not in spread]
        roots = [self.results[place] for place in rest]
        right = [] if text.right is None else [text.right]
        lines, texts = self.scope.texts([*roots, *right], "t")
        yield from lines
        yield from text.factor(texts)
        yield from self.one_pass((), places=spread)
        if spread and self.skipping:
            yield from self._zeros(spread)
        for place, value in zip(rest, texts, strict=False):
            yield row_result(text, results[place], value)

    def _zeros(self, places: Sequence[int]) -> Iterator[str]:
        """Write the derivatives of a row that does not count."""
        yield "for start in range(limit, classes, BLOCK):"
        yield from indented(tile("start + "))
        for place in places:
            name = self.kernel.results[place].name
            zeros = f"tl.zeros((ROWS, BLOCK), tl.{self.text.work})"
            yield f"    tl.store({name}_ + row * {name}_step + column, {zeros}, present)"

    def for_classes(self, body: Sequence[str], reductions: Sequence[Reduction]) -> Iterator[str]:
        """Go from block to block."""
        yield "for start in range(0, limit, BLOCK):"
        yield from indented([*tile("start + "), *body])

    def loads(self, roots: Sequence[Expression]) -> Iterator[str]:
        """Load what the roots need of a block."""
        return loads(self.text, roots)

    def store(self, place: int, text: str) -> str:
        """Store a result that has an entry for each class."""
        return store(self.text, self.kernel.results[place], text)
