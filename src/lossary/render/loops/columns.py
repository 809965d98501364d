"""Losses with a class axis and few classes: a block of rows at a time, a lane for each row.

Rows shorter than some vectors would leave most lanes empty. So a block of rows is transposed, each
pass goes from class to class, and the inner loop is over the rows: sums and peaks need no reduction
across lanes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lossary.formula import Expression, variable, walk
from lossary.render.kernel import Kernel
from lossary.render.loops.shared import Loops
from lossary.render.numba import LOADS, STORES
from lossary.render.walk import Reduce, Reduction, indented, place_of

_PEAK = Reduce(
    start=("{0}_r[i] = -inf",),
    step=(
        "{0} = {1}",
        "higher = {0} > {0}_r[i]",
        "{0}_r[i] = select(higher, {0}, {0}_r[i])",
    ),
    called="{0}_r[i]",
    placed="place_of_{0}_r[i]",
)
_PLACE = "place_of_{0}_r[i] = select(higher, j, place_of_{0}_r[i])"
_PEAKS = {
    "peak": _PEAK,
    "argpeak": replace(
        _PEAK,
        start=(*_PEAK.start, "place_of_{0}_r[i] = 0"),
        step=(*_PEAK.step[:2], _PLACE, *_PEAK.step[2:]),
    ),
}
EXACT = {
    "total": Reduce(
        start=("{0}_r[i] = 0.0", "error_of_{0}_r[i] = 0.0"),
        step=("{0}_r[i], error_of_{0}_r[i] = add({0}_r[i], error_of_{0}_r[i], {1})",),
        called="({0}_r[i] + error_of_{0}_r[i])",
    ),
    **_PEAKS,
}
SPARE = {
    "total": Reduce(start=("{0}_r[i] = 0.0",), step=("{0}_r[i] += {1}",), called="{0}_r[i]"),
    **_PEAKS,
}


class Columns(Loops):
    """The loops over the classes and the rows of each block."""

    index = "_r[i]"

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.reduces: Mapping[str, Reduce] = SPARE if kernel.spare else EXACT
        self.keep = "keep_r[i]" if self.condition else ""

    def lines(self) -> Iterator[str]:
        """Return the lines of the function."""
        body = list(self._block())
        shaped = next(o for o in self.kernel.operands if o.place == "class")
        yield f"rows, classes = {shaped.name}_.shape"
        yield from self._buffers("\n".join(body))
        yield "for block in range(first, last):"
        yield "    begin = block * step"
        yield "    n = min(step, rows - begin)"
        yield "    bad = 0"
        yield "    sum = 0.0"
        yield from indented(body)
        yield "    wrong[block] = bad"
        yield "    sums[block] = sum"

    def _buffers(self, text: str) -> Iterator[str]:
        """Make room for what belongs to each row, and to each class of each row."""
        labels = {o.name for o in self.kernel.operands if o.place == "label"}
        for name in dict.fromkeys(re.findall(r"\b(\w+)_t\b", text)):
            yield f"{name}_t = np.empty((classes, step))"
        for name in dict.fromkeys(re.findall(r"\b(\w+)_r\b", text)):
            whole = name in labels or re.fullmatch(r"place_of_peak\d+", name)
            truth = name == "keep" or re.fullmatch(r"truth\d+", name)
            kind = ", np.int64" if whole else ", np.bool_" if truth else ""
            yield f"{name}_r = np.empty(step{kind})"

    def _block(self) -> Iterator[str]:
        yield from self.for_row(list(self._load()))
        self._name()
        yield from self.passes()
        yield from self.for_row(list(self._finish()))

    def _name(self) -> None:
        """Name what lies in the room of the block."""
        for node in walk(*self.kernel.plan.results):
            if node.operator == "pick":
                array, label = node.arguments[0].payload, place_of(node.arguments[1], "_r[i]")
                self.scope.name(node, f"{array}_t[{label}, i]")
        for operand in self.kernel.operands:
            if operand.place in {"row", "label"}:
                self.scope.name(variable(operand.name), f"{operand.name}_r[i]")
            elif operand.place == "class":
                symbol = variable(operand.name, class_axis=True)
                self.scope.name(symbol, f"{operand.name}_j[i]")

    def _load(self) -> Iterator[str]:
        kernel = self.kernel
        yield "r = begin + i"
        yield from self.extras("_[r]")
        yield from self.weight_check()
        yield from (f"{name}_r[i] = {name}" for name in kernel.extras if name != "mask")
        if self.keep:
            yield f"{self.keep} = {self.condition}"
        for operand in kernel.operands:
            if operand.place == "label":
                yield f"label = {operand.name}_[r]"
                yield "outside = either(label < 0, label >= classes)"
                counts = f"both({self.keep}, outside)" if self.keep else "outside"
                yield f"bad += select({counts}, 1, 0)"
                yield f"{operand.name}_r[i] = 0 if outside else label"
            elif operand.place == "row":
                load = LOADS[operand.storage].format(f"{operand.name}_[r]")
                yield f"{operand.name}_r[i] = {load}"
        yield "for j in range(classes):"
        for operand in kernel.operands:
            if operand.place == "class":
                load = LOADS[operand.storage].format(f"{operand.name}_[r, j]")
                yield f"    {operand.name}_t[j, i] = {load}"

    def for_row(self, lines: Sequence[str]) -> Iterator[str]:
        """Do something for each row of the block."""
        yield "for i in range(n):"
        yield from indented(lines or ["pass"])

    def loads(self, roots: Sequence[Expression]) -> Sequence[str]:
        """Load nothing: the numbers of a class are read where they are used."""
        return ()

    def room_for(self, node: Expression) -> str:
        """Return where a node is kept for later passes."""
        return f"{self.scope.fresh('kept')}_j[i]"

    def store(self, place: int, text: str) -> str:
        """Store a result that has an entry for each class; ``_finish`` turns it back."""
        result = self.kernel.results[place]
        return f"{result.name}_j[i] = {self.final(result, text)}"

    def for_classes(self, body: Sequence[str], reductions: Sequence[Reduction]) -> Iterator[str]:
        """Go from class to class, and in each from row to row."""
        yield "for j in range(classes):"
        names = dict.fromkeys(re.findall(r"\b(\w+)_j\b", "\n".join(body)))
        yield from (f"    {name}_j = {name}_t[j]" for name in names)
        yield from indented(self.for_row(body))

    def _finish(self) -> Iterator[str]:
        yield "r = begin + i"
        yield from self.row_results("sum = lane_sum(sum, {0})")
        pairs = zip(self.kernel.results, self.results, strict=True)
        if shaped := [result for result, outcome in pairs if outcome.class_axis]:
            yield "for j in range(classes):"
            for result in shaped:
                final = STORES[result.storage].format(f"{result.name}_t[j, i]")
                yield f"    {result.array}_[r, j] = {final}"
