"""Elementwise losses: a program takes a block of elements."""

from __future__ import annotations

from collections.abc import Iterator

from lossary.render.programs.text import Text, word


def elements(text: Text) -> Iterator[str]:
    """Print what one program does with a block of elements."""
    yield "begin = tl.program_id(0).to(tl.int64) * BLOCK"
    yield "lane = tl.arange(0, BLOCK)"
    yield "there = lane < size - begin"
    yield from text.numbers()
    yield from text.keep("begin + lane", "there")
    for operand in text.kernel.operands:
        if operand.place != "number":
            name = word(operand.name)
            yield f"{name} = {text.load(f'{name}_ + begin + lane', 'keep', operand.storage)}"
    lines, texts = text.scope.texts(text.roots, "t")
    yield from lines
    yield from text.factor(texts)
    for result, value in zip(text.kernel.results, texts, strict=False):
        if text.kernel.written(result):
            final = text.final(result, value)
            yield f"tl.store({result.name}_ + begin + lane, {final}, there)"
        else:
            yield text.sum(result, value)
