"""Losses with a class axis: a program takes a tile of whole rows, or one row in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lossary.formula import Expression, walk
from lossary.render.kernel import Result
from lossary.render.programs.text import Text, word
from lossary.render.triton import by_peak


def begin(text: Text) -> Iterator[str]:
    """Find the rows of the program, and read what belongs to each."""
    yield "row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]"
    yield "there = row < rows"
    yield f"class_count = tl.full((), classes, tl.{text.work})"
    yield from text.numbers()
    yield from text.keep("row", "there")
    for operand in text.kernel.operands:
        name = word(operand.name)
        if operand.place in {"row", "label"}:
            yield f"{name} = {text.load(f'{name}_ + row', 'keep', operand.storage)}"
        if operand.place == "label":
            yield f"known_{operand.name} = ({name} >= 0) & ({name} < classes)"
    yield from _picks(text)


def _picks(text: Text) -> Iterator[str]:
    """Read the entries at labels at the start: a kernel in place overwrites them."""
    labels = {word(o.name): o.name for o in text.kernel.operands if o.place == "label"}
    for node in [node for node in walk(*text.roots) if node.operator == "pick"]:
        array, label = (str(argument.payload) for argument in node.arguments)
        place, name = f"{array}_ + row * {array}_step + {label}", f"at_{label}_{array}"
        valid = f"keep & known_{labels[label]}"
        yield f"{name} = {text.load(place, valid)}"
        text.scope.name(node, name)


def loads(text: Text, roots: Iterable[Expression]) -> Iterator[str]:
    """Read the arrays with a class axis that the roots need."""
    used = {str(node.payload) for node in walk(*roots) if node.operator == "variable"}
    for operand in text.kernel.operands:
        name = word(operand.name)
        if operand.place == "class" and name in used:
            place = f"{name}_ + row * {name}_step + column"
            yield f"{name} = {text.load(place, 'inside', operand.storage)}"


def tile(first: str = "") -> Iterator[str]:
    """Find the classes of the tile: those present, and those that count."""
    yield f"column = {first}tl.arange(0, BLOCK)[None, :]"
    yield "present = there & (column < classes)"
    yield "inside = keep & present"


def store(text: Text, result: Result, value: str) -> str:
    """Write a result that has an entry for each class."""
    place = f"{result.name}_ + row * {result.name}_step + column"
    return f"tl.store({place}, {text.final(result, value)}, present)"


def row_result(text: Text, result: Result, value: str) -> str:
    """Write, or add up, a result that has one number for each row."""
    if result is text.kernel.summed:
        return text.sum(result, value)
    return f"tl.store({result.name}_ + row, {text.final(result, value)}, there)"


def barrier(text: Text) -> Iterator[str]:
    """No warp may overwrite in place what another one has still to pick."""
    if text.scope.known and any(text.spread(r) for r in text.kernel.results):
        yield "tl.debug_barrier()"


def resident(text: Text) -> Iterator[str]:
    """Read whole rows once, and compute all from the registers."""
    roots = [by_peak(root) for root in text.roots]
    yield from tile()
    yield from loads(text, text.scope.replaced(roots))
    lines, texts = text.scope.texts(roots, "t")
    yield from lines
    yield from barrier(text)
    yield from text.factor(texts)
    for result, value in zip(text.kernel.results, texts, strict=False):
        spread = text.spread(result)
        yield store(text, result, value) if spread else row_result(text, result, value)
