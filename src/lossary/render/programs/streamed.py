"""A row that does not fit on the chip, in blocks: as often as the plan has passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossary.formula import Expression, variable
from lossary.render.passes import Plan, row_parts
from lossary.render.programs.rows import barrier, loads, row_result, store, tile
from lossary.render.programs.text import Text, indented
from lossary.render.triton import SPELLINGS

__all__ = ["streamed"]


def streamed(text: Text) -> Iterator[str]:
    """Complete the reductions pass by pass, then write the results."""
    kernel, plan = text.kernel, Plan(text.roots)
    skipping = kernel.weight or kernel.mask
    if skipping:
        yield "# Of a row that does not count nothing is read."
    counts = " * tl.max(tl.max(keep.to(tl.int32), 1), 0)" if skipping else ""
    yield f"limit = classes{counts}"
    for reductions in plan.reductions:
        if reductions:
            yield from _reduction_pass(text, reductions)
    yield from barrier(text)
    spread = [place for place, r in enumerate(kernel.results) if text.spread(r)]
    yield from _row_values(text, [text.results[place] for place in spread])
    rest = [place for place in range(len(kernel.results)) if place not in spread]
    roots = [text.results[place] for place in rest]
    lines, texts = text.printed([*roots, text.right] if text.right is not None else roots)
    yield from lines
    yield from text.factor(texts)
    if spread:
        yield from _writing_pass(text, spread)
    for place, value in zip(rest, texts, strict=False):
        yield row_result(text, kernel.results[place], value)


def _row_values(text: Text, roots: Sequence[Expression]) -> Iterator[str]:
    """Compute what a loop over the row needs and does not change, and name it."""
    parts = row_parts(roots, text.known)
    lines, texts = text.printed(parts)
    yield from lines
    for number, (part, value) in enumerate(zip(parts, texts, strict=True)):
        name = f"r{text.count}_{number}"
        yield f"{name} = {value}"
        text.known[part] = variable(name)


def _reduction_pass(text: Text, reductions: Sequence[Expression]) -> Iterator[str]:
    arguments = list(dict.fromkeys(node.arguments[0] for node in reductions))
    yield from _row_values(text, arguments)
    lines, texts = text.printed(arguments)
    body = [*tile("start + "), *loads(text, text.replaced(arguments)), *lines]
    ends: list[str] = []
    for argument, value in zip(arguments, texts, strict=True):
        text.count += 1
        own = [node for node in reductions if node.arguments[0] is argument]
        yield from _starts({node.operator for node in own}, text.count, text.work)
        body += _steps({node.operator for node in own}, text.count, value)
        for node in own:
            text.known[node] = variable(f"{_KINDS[node.operator]}{text.count}")
            if node.operator == "total":
                ends.append(f"total{text.count} += error{text.count}")
    yield "for start in range(0, limit, BLOCK):"
    yield from indented(body)
    yield from ends


def _writing_pass(text: Text, places: Sequence[int]) -> Iterator[str]:
    kernel = text.kernel
    roots = [text.results[place] for place in places]
    lines, texts = text.printed(roots)
    stores = [store(text, kernel.results[p], t) for p, t in zip(places, texts, strict=True)]
    yield "for start in range(0, limit, BLOCK):"
    yield from indented(tile("start + "))
    yield from indented([*loads(text, text.replaced(roots)), *lines, *stores])
    if kernel.weight or kernel.mask:
        yield "for start in range(limit, classes, BLOCK):"
        yield from indented(tile("start + "))
        for place in places:
            name = kernel.results[place].name
            zeros = f"tl.zeros((ROWS, BLOCK), tl.{text.work})"
            yield f"    tl.store({name}_ + row * {name}_step + column, {zeros}, present)"


_KINDS = {"total": "total", "peak": "peak", "argpeak": "place"}


def _starts(operators: set[str], mark: int, work: str) -> Iterator[str]:
    """Begin the sums and peaks of one argument of reductions."""
    if "total" in operators:
        yield f"total{mark} = tl.zeros((ROWS, 1), tl.{work})"
        yield f"error{mark} = tl.zeros((ROWS, 1), tl.{work})"
    if operators & {"peak", "argpeak"}:
        yield f'peak{mark} = tl.full((ROWS, 1), float("-inf"), tl.{work})'
    if "argpeak" in operators:
        yield f"place{mark} = tl.zeros((ROWS, 1), tl.int32)"


def _steps(operators: set[str], mark: int, text: str) -> Iterator[str]:
    """Take a block into the sums and peaks."""
    if "total" in operators:
        part = SPELLINGS["total"][1].format(text)
        yield f"total{mark}, error{mark} = real.add(total{mark}, error{mark}, {part})"
    if operators & {"peak", "argpeak"}:
        yield f"highest = {SPELLINGS['peak'][1].format(text)}"
    if "argpeak" in operators:
        place = SPELLINGS["argpeak"][1].format(text, "highest")
        yield f"place{mark} = tl.where(highest > peak{mark}, {place}, place{mark})"
    if operators & {"peak", "argpeak"}:
        yield f"peak{mark} = tl.maximum(peak{mark}, highest)"
