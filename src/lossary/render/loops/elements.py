"""Elementwise losses: blocks of elements."""

from __future__ import annotations

from collections.abc import Iterator

from lossary.render.kernel import Kernel
from lossary.render.loops.shared import Loops, parameters
from lossary.render.numba import LOADS, STORES
from lossary.render.walk import indented


class Elements(Loops):
    """The loop over the elements of each block."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.keep = "keep" if self.condition else ""

    def lines(self) -> Iterator[str]:
        """Return the lines of the function."""
        arrays = [name for name in parameters(self.kernel) if name.endswith("_")]
        yield f"size = {arrays[0]}.shape[0]"
        yield "for block in range(first, last):"
        yield "    begin = block * step"
        yield "    n = min(step, size - begin)"
        yield from (f"    {name}b = {name}[begin : begin + n]" for name in arrays)
        yield "    bad = 0"
        yield "    sum = 0.0"
        yield "    for i in range(n):"
        yield from indented(indented(self._one_element()))
        yield "    wrong[block] = bad"
        yield "    sums[block] = sum"

    def _one_element(self) -> Iterator[str]:
        kernel = self.kernel
        for operand in kernel.operands:
            if operand.place != "number":
                yield f"{operand.name} = {LOADS[operand.storage].format(f'{operand.name}_b[i]')}"
        yield from self.extras("_b[i]")
        if self.keep:
            yield f"keep = {self.condition}"
        lines, texts = self.scope.texts(kernel.plan.results, "t")
        yield from lines
        for result, text in zip(kernel.results, texts, strict=False):
            final = self.final(result, text)
            if result is kernel.summed:
                yield f"sum = lane_sum(sum, {final})"
            else:
                yield f"{result.array}_b[i] = {STORES[result.storage].format(final)}"
        yield from self.weight_check()
        if checks := texts[len(kernel.results) :]:
            right = checks[0]
            for check in checks[1:]:
                right = f"both({right}, {check})"
            yield self.check(right)
