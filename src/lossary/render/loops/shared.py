"""What the loops of all kernels share: parameters, names, weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from lossary.formula import Expression, variable
from lossary.render.kernel import Kernel, Result
from lossary.render.numba import LOADS, STORES, TARGET
from lossary.render.passes import row_parts
from lossary.render.target import Printer
from lossary.rewriting import substitute

__all__ = [
    "Scope",
    "extras",
    "guarded",
    "hoisted",
    "indented",
    "keep_of",
    "parameters",
    "row_results",
    "weighed",
]


def parameters(kernel: Kernel) -> list[str]:
    """Return the parameters of the function; names that end in _ are arrays."""
    names = [o.name if o.place == "number" else f"{o.name}_" for o in kernel.operands]
    names += ["weight_"] * bool(kernel.weight) + ["mask_"] * kernel.mask
    names += ["upstream_"] * bool(kernel.upstream)
    written = [
        f"{r.name}_"
        for r in kernel.results
        if r.over is None and (r.derivative or not kernel.reduce)
    ]
    return ["first", "last", "step", *names, "scale", *written, "sums", "wrong"]


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Move lines into a block."""
    return (f"    {line}" for line in lines)


class Scope:
    """Prints expressions in one place of the text, where some parts already have a name."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.known = kernel, dict[Expression, Expression]()
        self.peaks: dict[Expression, str] = {}
        self.count = 0

    def fresh(self, word: str) -> str:
        """Return a name that no other part has."""
        self.count += 1
        return f"{word}{self.count}"

    def name(self, node: Expression, name: str) -> None:
        """From here on the node is called so."""
        self.known[node] = variable(name, class_axis=node.class_axis)

    def texts(self, roots: Sequence[Expression], prefix: str) -> tuple[list[str], list[str]]:
        """Return the lines that compute the roots, and the text of each root."""
        replaced = [substitute(root, self.known) for root in roots]
        printer = Printer(TARGET, replaced, "", self.fresh(prefix) + "_")
        texts = [printer.text(root, 0) for root in replaced]
        return printer.lines, texts


def factor_of(kernel: Kernel) -> str:
    """Return what derivatives are multiplied by."""
    parts = ["weight"] * bool(kernel.weight) + ["upstream"] * bool(kernel.upstream)
    return " * ".join(["scale", *parts])


def keep_of(kernel: Kernel) -> str:
    """Return the condition under which an element counts; empty for always."""
    parts = ["weight != 0.0"] * bool(kernel.weight) + ["mask"] * kernel.mask
    return f"both({', '.join(parts)})" if len(parts) == 2 else "".join(parts)


def extras(kernel: Kernel, index: str, suffix: str) -> Iterator[str]:
    """Load what belongs to an element or row beside the data."""
    if kernel.weight:
        yield f"weight = {LOADS[kernel.weight].format(f'weight_{suffix}[{index}]')}"
    if kernel.mask:
        yield f"mask = mask_{suffix}[{index}]"
    if kernel.upstream:
        yield f"upstream = {LOADS[kernel.upstream].format(f'upstream_{suffix}[{index}]')}"


def weighed(kernel: Kernel, result: Result, text: str) -> str:
    """Return a result with its weights."""
    factor = factor_of(kernel) if result.derivative else "weight" if kernel.weight else ""
    return f"({text}) * {factor}" if factor else text


def guarded(kernel: Kernel, text: str) -> str:
    """Return 0 for what does not count, whatever was computed from it."""
    keep = keep_of(kernel)
    return f"select(keep, {text}, 0.0)" if keep else text


def hoisted(roots: Sequence[Expression], scope: Scope, index: str = "") -> Iterator[str]:
    """Compute for the whole row what a loop over the classes needs of it."""
    parts = row_parts(roots, scope.known)
    lines, texts = scope.texts(parts, "r")
    yield from lines
    for part, text in zip(parts, texts, strict=True):
        name = scope.fresh("row") + index
        yield f"{name} = {text}"
        scope.name(part, name)


def row_results(
    kernel: Kernel,
    scope: Scope,
    added: str,
    counted: Callable[[str], str] = str,
    excused: Callable[[str], str] = str,
) -> Iterator[str]:
    """Write or add up what a row has one of, and count what is wrong with the row.

    ``added`` is the line that adds; ``counted`` and ``excused`` wrap results and checks.
    """
    pairs = zip(kernel.results, kernel.outcomes, strict=True)
    rows = [(result, outcome) for result, outcome in pairs if not outcome.class_axis]
    conditions = [condition for condition in kernel.conditions if not condition.class_axis]
    lines, texts = scope.texts([*(outcome for _, outcome in rows), *conditions], "r")
    yield from lines
    for (result, _), text in zip(rows, texts, strict=False):
        final = counted(weighed(kernel, result, text))
        if result is summed(kernel):
            yield added.format(final)
        else:
            yield f"{result.name}_[r] = {STORES[result.storage].format(final)}"
    for text in texts[len(rows) :]:
        yield f"bad += select({excused(text)}, 0, 1)"


def summed(kernel: Kernel) -> Result | None:
    """Return the result that is added up instead of written, if there is one."""
    return next((r for r in kernel.results if kernel.reduce and not r.derivative), None)
