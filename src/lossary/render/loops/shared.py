"""What the loops of all kernels share: parameters, weights, what counts."""

from __future__ import annotations

from collections.abc import Iterator

from lossary.render.kernel import Kernel, Result
from lossary.render.numba import LOADS, STORES, TARGET
from lossary.render.walk import Scope, Walk


def parameters(kernel: Kernel) -> list[str]:
    """Return the parameters of the function; names that end in _ are arrays."""
    names = [o.name if o.place == "number" else f"{o.name}_" for o in kernel.operands]
    names += [f"{name}_" for name in kernel.extras]
    written = [f"{r.name}_" for r in kernel.results if r.over is None and kernel.written(r)]
    return ["first", "last", "step", *names, "scale", *written, "sums", "wrong"]


class Loops(Walk):
    """The text of a kernel. ``keep`` says whether an element counts, and is empty if it must."""

    keep = ""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, kernel.outcomes, Scope(TARGET))

    @property
    def condition(self) -> str:
        """What makes an element count; empty for always."""
        parts = ["weight != 0.0"] * bool(self.kernel.weight) + ["mask"] * self.kernel.mask
        return f"both({', '.join(parts)})" if len(parts) == 2 else "".join(parts)

    def extras(self, place: str) -> Iterator[str]:
        """Load what belongs to an element or row beside the data."""
        for name, storage in self.kernel.extras.items():
            word = f"{name}{place}"
            yield f"{name} = {word if name == 'mask' else LOADS[storage].format(word)}"

    def weight_check(self) -> Iterator[str]:
        """Count a weight that is none."""
        if self.kernel.weight and self.kernel.check:
            yield "bad += select(both(weight >= 0.0, weight < inf), 0, 1)"

    def final(self, result: Result, text: str) -> str:
        """Return a result with its weights; 0 for what does not count, whatever it came from."""
        factors = [f if f == "scale" else f + self.index for f in self.kernel.factors(result)]
        weighed = " * ".join([f"({text})", *factors]) if factors else text
        return f"select({self.keep}, {weighed}, 0.0)" if self.keep else weighed

    def check(self, text: str) -> str:
        """Count what is outside its set."""
        right = f"either(not {self.keep}, {text})" if self.keep else text
        return f"bad += select({right}, 0, 1)"

    def passes(self) -> Iterator[str]:
        """Walk over the row as often as the plan has passes; the last one checks the classes."""
        plan, last = self.kernel.plan, len(self.kernel.plan.reductions) - 1
        checks = [condition for condition in self.kernel.conditions if condition.class_axis]
        for number, (nodes, kept) in enumerate(zip(plan.reductions, plan.kept, strict=True)):
            places = [place for place in plan.written(number) if place < len(self.kernel.results)]
            yield from self.one_pass(nodes, kept, places, checks if number == last else ())

    def row_results(self, added: str) -> Iterator[str]:
        """Write or add up what a row has one of, and count what is wrong with the row."""
        pairs = zip(self.kernel.results, self.results, strict=True)
        rows = [(result, outcome) for result, outcome in pairs if not outcome.class_axis]
        conditions = [condition for condition in self.kernel.conditions if not condition.class_axis]
        lines, texts = self.scope.texts([*(outcome for _, outcome in rows), *conditions], "r")
        yield from lines
        for (result, _), text in zip(rows, texts, strict=False):
            final = self.final(result, text)
            if result is self.kernel.summed:
                yield added.format(final)
            else:
                yield f"{result.name}_[r] = {STORES[result.storage].format(final)}"
        yield from map(self.check, texts[len(rows) :])
