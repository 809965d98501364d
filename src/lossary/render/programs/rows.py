"""Losses with a class axis: a program takes a tile of whole rows, or one row in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lossary.formula import Expression, walk
from lossary.render.kernel import Result
from lossary.render.programs.shared import TritonProgram, word
from lossary.render.triton import by_peak
from lossary.render.walk import place_of


def begin(program: TritonProgram) -> Iterator[str]:
    """Find the rows of the program, and read what belongs to each."""
    yield "row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]"
    yield "there = row < rows"
    yield f"class_count = tl.full((), classes, tl.{program.work})"
    yield from program.numbers()
    yield from program.keep("row", "there")
    for operand in program.kernel.operands:
        name = word(operand.name)
        if operand.place in {"row", "label"}:
            yield f"{name} = {program.load(f'{name}_ + row', 'keep', operand.storage)}"
        if operand.place == "label":
            yield f"known_{operand.name} = ({name} >= 0) & ({name} < classes)"
    yield from _picks(program)


def _picks(program: TritonProgram) -> Iterator[str]:
    """Read the entries at labels at the start: a kernel in place overwrites them."""
    labels = {word(o.name): o.name for o in program.kernel.operands if o.place == "label"}
    for node in [node for node in walk(*program.roots) if node.operator == "pick"]:
        array, label = str(node.arguments[0].payload), place_of(node.arguments[1])
        place, name = f"{array}_ + row * {array}_step + {label}", f"at_{label}_{array}"
        valid = f"keep & known_{labels[label]}" if label in labels else "keep"
        yield f"{name} = {program.load(place, valid)}"
        program.scope.name(node, name)


def loads(program: TritonProgram, roots: Iterable[Expression]) -> Iterator[str]:
    """Read the arrays with a class axis that the roots need."""
    used = {str(node.payload) for node in walk(*roots) if node.operator == "variable"}
    for operand in program.kernel.operands:
        name = word(operand.name)
        if operand.place == "class" and name in used:
            place = f"{name}_ + row * {name}_step + column"
            yield f"{name} = {program.load(place, 'inside', operand.storage)}"


def tile(first: str = "") -> Iterator[str]:
    """Find the classes of the tile: those present, and those that count."""
    yield f"column = {first}tl.arange(0, BLOCK)[None, :]"
    yield "present = there & (column < classes)"
    yield "inside = keep & present"


def store(program: TritonProgram, result: Result, value: str) -> str:
    """Write a result that has an entry for each class."""
    place = f"{result.name}_ + row * {result.name}_step + column"
    return f"tl.store({place}, {program.final(result, value)}, present)"


def row_result(program: TritonProgram, result: Result, value: str) -> str:
    """Write, or add up, a result that has one number for each row."""
    if result is program.kernel.summed:
        return program.sum(result, value)
    return f"tl.store({result.name}_ + row, {program.final(result, value)}, there)"


def barrier(program: TritonProgram) -> Iterator[str]:
    """No warp may overwrite in place what another one has still to pick."""
    if program.scope.known and any(program.spread(r) for r in program.kernel.results):
        yield "tl.debug_barrier()"


def resident(program: TritonProgram) -> Iterator[str]:
    """Read whole rows once, and compute all from the registers."""
    roots = [by_peak(root) for root in program.roots]
    yield from tile()
    yield from loads(program, program.scope.replaced(roots))
    lines, texts = program.scope.texts(roots, "t")
    yield from lines
    yield from barrier(program)
    yield from program.factor(texts)
    for result, value in zip(program.kernel.results, texts, strict=False):
        spread = program.spread(result)
        yield store(program, result, value) if spread else row_result(program, result, value)
