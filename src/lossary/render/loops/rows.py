"""Losses with a class axis: a row at a time, as many passes over it as the plan has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lossary.formula import Expression, walk
from lossary.render.kernel import Kernel
from lossary.render.lanes import at, in_lanes, places_in
from lossary.render.loops.shared import Loops
from lossary.render.numba import LOADS, SINGLE, STORES
from lossary.render.walk import Reduce, Reduction, indented, place_of

BLOCK = 1024
"""Classes whose temporaries stay in the first cache."""

# Peaks are taken of a block of values.
_PEAK = Reduce(
    start=("{0} = -inf",),
    step=("{2}[i] = {1}",),
    closing=(
        "highest = block_peak({2}, n)",
        "if highest > {0}:",
        "    {0} = highest",
    ),
)
_PLACE = "    place_of_{0} = start + first_place({2}, n, highest)"
REDUCES = {
    "total": Reduce(
        start=("{0} = error_of_{0} = 0.0",),
        opening=("part_of_{0} = 0.0",),
        step=("part_of_{0} = lane_sum(part_of_{0}, {1})",),
        closing=("{0}, error_of_{0} = add({0}, error_of_{0}, part_of_{0})",),
        end=("{0} += error_of_{0}",),
    ),
    "peak": _PEAK,
    "argpeak": replace(
        _PEAK,
        start=("{0} = -inf", "place_of_{0} = 0"),
        closing=(*_PEAK.closing, _PLACE),
    ),
}

# Sums of float32 are made of a block of values too, in float64.
IN_SINGLE = {
    **REDUCES,
    "total": Reduce(
        start=("{0} = error_of_{0} = 0.0",),
        step=("{2}[i] = {1}",),
        closing=("{0}, error_of_{0} = add({0}, error_of_{0}, block_sum({2}, n))",),
        end=("{0} += error_of_{0}",),
    ),
}

# What makes room, by the names in the text.
_ROOMS = {r"block\d+": BLOCK, r"kept\d+": "classes"}


class Rows(Loops):
    """The loop over the rows of each block."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.reduces: Mapping[str, Reduce] = IN_SINGLE if kernel.single else REDUCES

    def lines(self) -> Iterator[str]:
        """Return the lines of the function."""
        body = list(self._one_row())
        shaped = next(o for o in self.kernel.operands if o.place == "class")
        yield f"rows, classes = {shaped.name}_.shape"
        for pattern, size in _ROOMS.items():
            for name in dict.fromkeys(re.findall(rf"\b({pattern})(?:_b)?\b", "\n".join(body))):
                kind = ", np.float32" if self.kernel.single else ""
                yield f"{name} = np.empty({size}{kind})"
        yield "for block in range(first, last):"
        yield "    bad = 0"
        yield "    sum = 0.0"
        yield "    rest = 0.0"
        yield "    for r in range(block * step, min(block * step + step, rows)):"
        yield from indented(indented(body))
        yield "    wrong[block] = bad"
        yield "    sums[block] = sum + rest"

    def _one_row(self) -> Iterator[str]:
        for operand in self.kernel.operands:
            if operand.place == "row":
                yield f"{operand.name} = {LOADS[operand.storage].format(f'{operand.name}_[r]')}"
            elif operand.place == "label":
                yield f"{operand.name} = {operand.name}_[r]"
        yield from self.extras("_[r]")
        yield from self._skipped()
        yield from self._picks()
        yield from self.passes()
        yield from self.row_results("sum, rest = add(sum, rest, {0})")

    def _skipped(self) -> Iterator[str]:
        """Leave out rows that do not count, and rows whose label is no class."""
        yield from self.weight_check()
        if self.condition:
            yield f"if not {self.condition}:"
            yield from self._zeros()
        for operand in self.kernel.operands:
            if operand.place == "label":
                yield f"if {operand.name} < 0 or {operand.name} >= classes:"
                yield "    bad += 1"
                yield from self._zeros()

    def _zeros(self) -> Iterator[str]:
        for result in filter(self.kernel.written, self.kernel.results):
            place = "r, :" if result.expression.class_axis else "r"
            yield f"    {result.array}_[{place}] = 0"
        yield "    continue"

    def _picks(self) -> Iterator[str]:
        """Load entries at a label before a gradient may be written over them."""
        for node in walk(*self.kernel.plan.results):
            if node.operator == "pick":
                array, label = str(node.arguments[0].payload), place_of(node.arguments[1])
                name, load = self.scope.fresh("picked"), LOADS[self.kernel.operand(array).storage]
                yield f"{name} = {load.format(f'{array}_[r, {label}]')}"
                self.scope.name(node, name)

    def reductions(self, nodes: Sequence[Expression]) -> Iterator[Reduction]:
        """Find room for a block of what has a peak; an array itself needs no copy."""
        computed = 0
        for reduction in super().reductions(nodes):
            x = reduction.argument
            if reduction.nodes[0].operator == "total" and not self.kernel.single:
                yield reduction
            elif reduction.nodes[0].operator != "total" and self._lies_in_memory(x):
                spelled = replace(reduction.spelled, step=())
                yield replace(reduction, spelled=spelled, room=f"{x.payload}_b")
            else:
                yield replace(reduction, room=f"block{computed}")
                computed += 1

    def _lies_in_memory(self, x: Expression) -> bool:
        """Whether x is an argument that can be compared as it is stored."""
        stored = () if x.arguments else (self.kernel.operand(str(x.payload)).storage,)
        return stored in {("float32",), ("float64",)}

    def loads(self, roots: Sequence[Expression]) -> Iterator[str]:
        """Load what the roots need of a class."""
        used = {node.payload for node in walk(*roots) if node.operator == "variable"}
        for operand in self.kernel.operands:
            if operand.place == "class" and operand.name in used:
                load = "{0}" if self.kernel.single else LOADS[operand.storage]
                yield f"{operand.name} = {load.format(f'{operand.name}_b[i]')}"

    def room_for(self, node: Expression) -> str:
        """Return where a node is kept for later passes."""
        return f"{self.scope.fresh('kept')}_b[i]"

    def store(self, place: int, text: str) -> str:
        """Store a result that has an entry for each class."""
        result = self.kernel.results[place]
        if self.kernel.single:
            factor = " * ".join(self.kernel.factors(result))
            return f"{result.array}_b[i] = ({text}) * float32({factor})"
        return f"{result.array}_b[i] = {STORES[result.storage].format(self.final(result, text))}"

    def class_texts(self, roots: Sequence[Expression]) -> tuple[list[str], list[str]]:
        """Print what belongs to a class in the numbers that its lanes hold."""
        if not self.kernel.single:
            return super().class_texts(roots)
        return self.scope.printed(in_lanes(self.scope.replaced(roots)), "c", SINGLE)

    def class_check(self, text: str) -> str:
        """Count a class that is outside its set, in numbers as wide as the others."""
        return f"outside = counted(outside, not {text})" if self.kernel.single else self.check(text)

    def over_classes(
        self,
        roots: Sequence[Expression],
        written: Callable[[Iterable[str]], list[str]],
        reductions: Sequence[Reduction],
    ) -> Iterable[str]:
        """Do the same; of float32, a label's entry apart, so that the loop compares no places."""
        found = in_lanes(self.scope.replaced(roots)) if self.kernel.single else []
        places, others = places_in(found), at(found, None)
        if not places or others is None:
            return super().over_classes(roots, written, reductions)
        first, last = list[str](), list[str]()
        for place in places:
            before, after = self._entry(found, place, written)
            first += before
            last += after
        lines, texts = self.scope.printed(others, "c", SINGLE)
        body = [*self.loads(others), *lines, *written(texts)]
        return self.for_classes(body, reductions, (first, last))

    def _entry(
        self,
        roots: Sequence[Expression],
        place: Expression,
        written: Callable[[Iterable[str]], list[str]],
    ) -> tuple[list[str], list[str]]:
        """Return the lines that compute and that write what roots are at a place of the block."""
        found = at(roots, place) or roots
        own = {x: y for x, y in zip(roots, found, strict=True) if x is not y}
        lines, texts = self.scope.printed([*own.values()], "p", SINGLE)
        names = {x: self.scope.fresh("entry") for x in own}
        lines = [*self.loads([*own.values()]), *lines]
        lines += map("{} = {}".format, names.values(), texts)
        inside = [f"i = {place.payload} - start", "if 0 <= i < n:"]
        begin = [f"{name} = float32(0.0)" for name in names.values()]
        if any(re.search(r"\bj\b", line) for line in lines):
            lines.insert(0, f"j = {place.payload}")
        entries = written(names.get(x, "") for x in roots)
        entries = [line for line in entries if any(name in line for name in names.values())]
        return [*begin, *inside, *indented(lines)], [*inside, *indented(entries)]

    def for_classes(
        self,
        body: Sequence[str],
        reductions: Sequence[Reduction],
        around: tuple[Sequence[str], Sequence[str]] = ((), ()),
    ) -> Iterator[str]:
        """Go from block to block, and in each from class to class.

        ``around`` stands before and after the classes of a block: single entries are computed
        before they may be written over, and written last.
        """
        yield f"for start in range(0, classes, {BLOCK}):"
        yield f"    n = min({BLOCK}, classes - start)"
        read = [*body, *around[0], *(reduction.room for reduction in reductions)]
        yield from indented(_views(read))
        yield from indented(line for r in reductions for line in r.lines("opening"))
        yield from indented(around[0])
        counting = any(line.startswith("outside = ") for line in body)
        if counting:
            yield "    outside = int32(0)"
        if body:
            yield "    for i in range(n):"
            if any(re.search(r"\bj\b", line) for line in body):
                yield f"        j = {'int32(start + i)' if self.kernel.single else 'start + i'}"
            yield from indented(indented(body))
        yield from indented(around[1])
        if counting:
            yield "    bad += outside"
        yield from indented(line for r in reductions for line in r.lines("closing"))


def _views(lines: Iterable[str]) -> Iterator[str]:
    """Cut the block out of each array: an index from 0 is one that vectorises."""
    for name in dict.fromkeys(re.findall(r"\b(\w+)_b\b", "\n".join(lines))):
        whole = f"{name}[" if re.fullmatch(r"kept\d+", name) else f"{name}_[r, "
        yield f"{name}_b = {whole}start : start + n]"
