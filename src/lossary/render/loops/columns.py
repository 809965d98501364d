"""Losses with a class axis and few classes: a block of rows at a time, a lane for each row.

Rows shorter than some vectors would leave most lanes empty. So a block of rows is transposed, each
pass goes from class to class, and the inner loop is over the rows: sums and peaks need no reduction
across lanes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lossary.formula import Expression, variable, walk
from lossary.render.kernel import Kernel
from lossary.render.loops.shared import (
    Scope,
    extras,
    hoisted,
    indented,
    keep_of,
    row_results,
    weighed,
)
from lossary.render.numba import LOADS, STORES

__all__ = ["columns"]


def columns(kernel: Kernel) -> Iterator[str]:
    """Return the lines of the function."""
    scope = Scope(kernel)
    body = list(_block(kernel, scope))
    shaped = next(o for o in kernel.operands if o.place == "class")
    yield f"rows, classes = {shaped.name}_.shape"
    yield from _buffers(kernel, body)
    yield "for block in range(first, last):"
    yield "    begin = block * step"
    yield "    n = min(step, rows - begin)"
    yield "    bad = 0"
    yield "    sum = 0.0"
    yield from indented(body)
    yield "    wrong[block] = bad"
    yield "    sums[block] = sum"


def _buffers(kernel: Kernel, body: Sequence[str]) -> Iterator[str]:
    """Make room for what belongs to each row, and to each class of each row."""
    labels = {o.name for o in kernel.operands if o.place == "label"}
    text = "\n".join(body)
    for name in dict.fromkeys(re.findall(r"\b(\w+)_t\b", text)):
        yield f"{name}_t = np.empty((classes, step))"
    for name in dict.fromkeys(re.findall(r"\b(\w+)_r\b", text)):
        kind = ", np.int64" if name in labels or re.fullmatch(r"place_of_peak\d+", name) else ""
        kind = ", np.bool_" if name == "keep" else kind
        yield f"{name}_r = np.empty(step{kind})"


def _block(kernel: Kernel, scope: Scope) -> Iterator[str]:
    yield "for i in range(n):"
    yield from indented(_load(kernel, scope))
    for node in walk(*kernel.plan.results):
        if node.operator == "pick":
            array, label = (argument.payload for argument in node.arguments)
            scope.name(node, f"{array}_t[{label}_r[i], i]")
    for operand in kernel.operands:
        if operand.place in {"row", "label"}:
            scope.name(variable(operand.name), f"{operand.name}_r[i]")
        elif operand.place == "class":
            symbol = variable(operand.name, class_axis=True)
            scope.name(symbol, f"{operand.name}_j[i]")
    last = len(kernel.plan.reductions) - 1
    for number in range(last + 1):
        yield from _pass(
            kernel, scope, number, [c for c in kernel.conditions if c.class_axis and number == last]
        )
    yield "for i in range(n):"
    yield from indented(_finish(kernel, scope))


def _load(kernel: Kernel, scope: Scope) -> Iterator[str]:
    yield "r = begin + i"
    yield from extras(kernel, "r", "")
    keep = keep_of(kernel)
    if kernel.weight and kernel.check:
        yield "bad += select(both(weight >= 0.0, weight < inf), 0, 1)"
    if kernel.weight:
        yield "weight_r[i] = weight"
    if kernel.upstream:
        yield "upstream_r[i] = upstream"
    if keep:
        yield f"keep_r[i] = {keep}"
    for operand in kernel.operands:
        if operand.place == "label":
            yield f"label = {operand.name}_[r]"
            yield "outside = either(label < 0, label >= classes)"
            yield f"bad += select({'both(keep_r[i], outside)' if keep else 'outside'}, 1, 0)"
            yield f"{operand.name}_r[i] = 0 if outside else label"
        elif operand.place == "row":
            load = LOADS[operand.storage].format(f"{operand.name}_[r]")
            yield f"{operand.name}_r[i] = {load}"
    loads = [
        f"{o.name}_t[j, i] = {LOADS[o.storage].format(f'{o.name}_[r, j]')}"
        for o in kernel.operands
        if o.place == "class"
    ]
    yield "for j in range(classes):"
    yield from indented(loads)


def _pass(kernel: Kernel, scope: Scope, number: int, checks: list[Expression]) -> Iterator[str]:
    stored = kernel.plan.kept[number]
    reductions = [_Reduction(kernel, scope, *group) for group in _groups(kernel, number)]
    places = [p for p in kernel.plan.written(number) if p < len(kernel.results)]
    roots = [
        *stored,
        *(reduction.argument for reduction in reductions),
        *(kernel.outcomes[place] for place in places),
        *checks,
    ]
    if not roots:
        return
    yield "for i in range(n):"
    starts = [*hoisted(roots, scope, "_r[i]"), *(line for r in reductions for line in r.start())]
    yield from indented(starts or ["pass"])
    body, texts = scope.texts(roots, "c")
    parts = iter(texts)
    for node in stored:
        name = scope.fresh("kept")
        body.append(f"{name}_j[i] = {next(parts)}")
        scope.name(node, f"{name}_j[i]")
    for reduction in reductions:
        body += reduction.step(next(parts))
    for place in places:
        result = kernel.results[place]
        final = _counted(kernel, _rowwise(weighed(kernel, result, next(parts))))
        body.append(f"{result.name}_j[i] = {final}")
    body += [f"bad += select({_excused(kernel, text)}, 0, 1)" for text in parts]
    yield "for j in range(classes):"
    names = dict.fromkeys(re.findall(r"\b(\w+)_j\b", "\n".join(body)))
    yield from (f"    {name}_j = {name}_t[j]" for name in names)
    yield "    for i in range(n):"
    yield from indented(indented(body))
    for reduction in reductions:
        reduction.finish()


def _groups(kernel: Kernel, number: int) -> Iterator[tuple[Expression, list[Expression]]]:
    """Yield what is reduced, and the reductions that are had together: a peak and its place."""
    groups: dict[tuple[Expression, bool], list[Expression]] = {}
    for node in kernel.plan.reductions[number]:
        groups.setdefault((node.arguments[0], node.operator == "total"), []).append(node)
    for (argument, _), nodes in groups.items():
        yield argument, nodes


class _Reduction:
    """A sum, or a peak and its place, for each row of a block."""

    def __init__(
        self, kernel: Kernel, scope: Scope, argument: Expression, nodes: list[Expression]
    ) -> None:
        self.kernel, self.scope, self.argument, self.nodes = kernel, scope, argument, nodes
        self.total = nodes[0].operator == "total"
        self.mark = scope.fresh("total" if self.total else "peak")
        self.placed = any(node.operator == "argpeak" for node in nodes)

    def start(self) -> Iterator[str]:
        yield f"{self.mark}_r[i] = {'0.0' if self.total else '-inf'}"
        if self.total and not self.kernel.spare:
            yield f"error_of_{self.mark}_r[i] = 0.0"
        if self.placed:
            yield f"place_of_{self.mark}_r[i] = 0"

    def step(self, text: str) -> Iterator[str]:
        mark = self.mark
        if self.total and self.kernel.spare:
            yield f"{mark}_r[i] += {text}"
        elif self.total:
            both = f"{mark}_r[i], error_of_{mark}_r[i]"
            yield f"{both} = add({both}, {text})"
        else:
            yield f"{mark} = {text}"
            yield f"higher = {mark} > {mark}_r[i]"
            if self.placed:
                yield f"place_of_{mark}_r[i] = select(higher, j, place_of_{mark}_r[i])"
            yield f"{mark}_r[i] = select(higher, {mark}, {mark}_r[i])"

    def finish(self) -> None:
        """Name the result for what comes after."""
        mark = self.mark
        for node in self.nodes:
            if node.operator == "argpeak":
                self.scope.name(node, f"place_of_{mark}_r[i]")
            elif self.total and not self.kernel.spare:
                self.scope.name(node, f"({mark}_r[i] + error_of_{mark}_r[i])")
            else:
                self.scope.name(node, f"{mark}_r[i]")


def _counted(kernel: Kernel, text: str) -> str:
    """Return 0 for a row that does not count, whatever was computed from it."""
    return f"select(keep_r[i], {text}, 0.0)" if keep_of(kernel) else text


def _excused(kernel: Kernel, right: str) -> str:
    return f"either(not keep_r[i], {right})" if keep_of(kernel) else right


def _rowwise(text: str) -> str:
    return re.sub(r"\b(weight|upstream)\b", r"\1_r[i]", text)


def _finish(kernel: Kernel, scope: Scope) -> Iterator[str]:
    yield "r = begin + i"
    yield from row_results(
        kernel,
        scope,
        "sum = lane_sum(sum, {0})",
        lambda text: _counted(kernel, _rowwise(text)),
        lambda text: _excused(kernel, text),
    )
    pairs = zip(kernel.results, kernel.outcomes, strict=True)
    if shaped := [result for result, outcome in pairs if outcome.class_axis]:
        yield "for j in range(classes):"
        for result in shaped:
            final = STORES[result.storage].format(f"{result.name}_t[j, i]")
            yield f"    {result.array}_[r, j] = {final}"
