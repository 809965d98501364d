"""Losses with a class axis: a row at a time, as many passes over it as the plan has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lossary.formula import Expression, walk
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
from lossary.rewriting import substitute

__all__ = ["rows"]

BLOCK = 1024
"""Classes whose temporaries stay in the first cache."""


def rows(kernel: Kernel) -> Iterator[str]:
    """Return the lines of the function."""
    shaped = next(o for o in kernel.operands if o.place == "class")
    yield f"rows, classes = {shaped.name}_.shape"
    for index in _blocks(kernel):
        yield f"block{index} = np.empty({BLOCK})"
    if any(map(_peaks, kernel.plan.reductions)):
        yield f"scratch = np.empty({BLOCK // 2})"
    for index, _ in enumerate(_kept(kernel)):
        yield f"kept{index} = np.empty(classes)"
    yield "for block in range(first, last):"
    yield "    bad = 0"
    yield "    sum = 0.0"
    yield "    rest = 0.0"
    yield "    for r in range(block * step, min(block * step + step, rows)):"
    yield from indented(indented(_one_row(kernel)))
    yield "    wrong[block] = bad"
    yield "    sums[block] = sum + rest"


def _arguments(reductions: Iterable[Expression]) -> list[Expression]:
    """Return what the reductions of a pass reduce, each once."""
    return list(dict.fromkeys(node.arguments[0] for node in reductions))


def _peaks(reductions: Iterable[Expression]) -> list[Expression]:
    """Return what a pass takes the peak of, each once."""
    return _arguments(node for node in reductions if node.operator != "total")


def _blocks(kernel: Kernel) -> range:
    """Peaks are taken of a block of values; those of an array itself need no copy."""
    return range(max(len(_computed(kernel, nodes)) for nodes in kernel.plan.reductions))


def _computed(kernel: Kernel, reductions: Iterable[Expression]) -> list[Expression]:
    return [x for x in _peaks(reductions) if not _lies_in_memory(kernel, x)]


def _lies_in_memory(kernel: Kernel, x: Expression) -> bool:
    """Whether x is an argument that can be compared as it is stored."""
    return not x.arguments and kernel.operand(str(x.payload)).storage in {"float32", "float64"}


def _kept(kernel: Kernel) -> dict[Expression, int]:
    return {node: i for i, node in enumerate(n for kept in kernel.plan.kept for n in kept)}


def _one_row(kernel: Kernel) -> Iterator[str]:
    scope = Scope(kernel)
    for operand in kernel.operands:
        if operand.place == "row":
            yield f"{operand.name} = {LOADS[operand.storage].format(f'{operand.name}_[r]')}"
        elif operand.place == "label":
            yield f"{operand.name} = {operand.name}_[r]"
    yield from extras(kernel, "r", "")
    yield from _skipped(kernel)
    yield from _picks(kernel, scope)
    last = len(kernel.plan.reductions) - 1
    for number in range(last + 1):
        checks = [c for c in kernel.conditions if c.class_axis and number == last]
        yield from _one_pass(kernel, scope, number, checks)
    yield from row_results(kernel, scope, "sum, rest = add(sum, rest, {0})")


def _skipped(kernel: Kernel) -> Iterator[str]:
    """Leave out rows that do not count, and rows whose label is no class."""
    if kernel.weight and kernel.check:
        yield "bad += select(both(weight >= 0.0, weight < inf), 0, 1)"
    if keep := keep_of(kernel):
        yield f"if not {keep}:"
        yield from indented(_zeros(kernel))
        yield "    continue"
    for operand in kernel.operands:
        if operand.place == "label":
            yield f"if {operand.name} < 0 or {operand.name} >= classes:"
            yield "    bad += 1"
            yield from indented(_zeros(kernel))
            yield "    continue"


def _zeros(kernel: Kernel) -> Iterator[str]:
    for result in kernel.results:
        if result.derivative or not kernel.reduce:
            place = (
                f"{result.array}_[r, :]" if result.expression.class_axis else f"{result.array}_[r]"
            )
            yield f"{place} = 0"


def _picks(kernel: Kernel, scope: Scope) -> Iterator[str]:
    """Load entries at a label before a gradient may be written over them."""
    for node in walk(*kernel.plan.results):
        if node.operator == "pick":
            array, label = (argument.payload for argument in node.arguments)
            name = scope.fresh("picked")
            place = f"{array}_[r, {label}]"
            yield f"{name} = {LOADS[kernel.operand(str(array)).storage].format(place)}"
            scope.name(node, name)


def _one_pass(kernel: Kernel, scope: Scope, number: int, checks: list[Expression]) -> Iterator[str]:
    reductions, stored = kernel.plan.reductions[number], kernel.plan.kept[number]
    places = [p for p in kernel.plan.written(number) if p < len(kernel.results)]
    totals = [node for node in reductions if node.operator == "total"]
    peaks = _peaks(reductions)
    computed = _computed(kernel, reductions)
    roots = [
        *stored,
        *(node.arguments[0] for node in totals),
        *computed,
        *(kernel.outcomes[place] for place in places),
        *checks,
    ]
    if not roots and not peaks:
        return
    yield from hoisted(roots, scope)
    yield from _starts(reductions, scope)
    loads = list(_class_loads(kernel, roots, scope))
    lines, texts = scope.texts(roots, "c")
    parts = iter(texts)
    body = [line for _, line in loads] + lines
    body += [f"kept{_kept(kernel)[node]}_b[i] = {next(parts)}" for node in stored]
    for node in totals:
        part = f"part_of_{scope.known[node]}"
        body.append(f"{part} = lane_sum({part}, {next(parts)})")
    body += [f"block{i}[i] = {next(parts)}" for i, _ in enumerate(computed)]
    for place in places:
        result = kernel.results[place]
        final = STORES[result.storage].format(weighed(kernel, result, next(parts)))
        body.append(f"{result.array}_b[i] = {final}")
    body += [f"bad += select({text}, 0, 1)" for text in parts]
    yield f"for start in range(0, classes, {BLOCK}):"
    yield f"    n = min({BLOCK}, classes - start)"
    inside = [f"{x.payload}_b" for x in peaks if _lies_in_memory(kernel, x)]
    yield from indented(_views([*body, *inside]))
    yield from (f"    part_of_{scope.known[node]} = 0.0" for node in totals)
    if body:
        yield "    for i in range(n):"
        if any(re.search(r"\bj\b", line) for line in body):
            yield "        j = start + i"
        yield from indented(indented(body))
    yield from indented(_steps(reductions, computed, scope))
    yield from (f"{scope.known[node]} += error_of_{scope.known[node]}" for node in totals)
    for node in stored:
        scope.name(node, f"kept{_kept(kernel)[node]}_b[i]")


def _class_loads(
    kernel: Kernel, roots: Sequence[Expression], scope: Scope
) -> Iterator[tuple[str, str]]:
    replaced = [substitute(root, scope.known) for root in roots]
    used = {node.payload for node in walk(*replaced) if node.operator == "variable"}
    for operand in kernel.operands:
        if operand.place == "class" and operand.name in used:
            load = LOADS[operand.storage].format(f"{operand.name}_b[i]")
            yield operand.name, f"{operand.name} = {load}"


def _views(body: Sequence[str]) -> Iterator[str]:
    """Cut the block out of each array: an index from 0 is one that vectorises."""
    for name in dict.fromkeys(re.findall(r"\b(\w+)_b\b", "\n".join(body))):
        whole = f"{name}[" if re.fullmatch(r"kept\d+", name) else f"{name}_[r, "
        yield f"{name}_b = {whole}start : start + n]"


def _starts(reductions: Sequence[Expression], scope: Scope) -> Iterator[str]:
    for node in reductions:
        if node.operator == "total":
            name = scope.fresh("total")
            yield f"{name} = error_of_{name} = 0.0"
            scope.name(node, name)
    for argument in _peaks(reductions):
        name = scope.fresh("peak")
        yield f"{name} = -inf"
        yield f"place_of_{name} = 0"
        for node in reductions:
            if node.arguments[0] is argument and node.operator != "total":
                scope.name(node, name if node.operator == "peak" else f"place_of_{name}")
        scope.peaks[argument] = name


def _steps(
    reductions: Sequence[Expression],
    computed: Sequence[Expression],
    scope: Scope,
) -> Iterator[str]:
    """Add what a block has given to what the row has so far."""
    for node in reductions:
        if node.operator == "total":
            total = scope.known[node]
            yield f"{total}, error_of_{total} = add({total}, error_of_{total}, part_of_{total})"
    blocks = {node: f"block{i}" for i, node in enumerate(computed)}
    for argument in _peaks(reductions):
        peak, values = scope.peaks[argument], blocks.get(argument, f"{argument.payload}_b")
        yield f"highest = block_peak({values}, n, scratch)"
        yield f"if highest > {peak}:"
        yield f"    {peak} = highest"
        if any(n.operator == "argpeak" and n.arguments[0] is argument for n in reductions):
            yield f"    place_of_{peak} = start + first_place({values}, n, highest)"
