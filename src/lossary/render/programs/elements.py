"""Elementwise losses: a program takes a block of elements."""

from __future__ import annotations

from collections.abc import Iterator

from lossary.render.programs.shared import TritonProgram, word


def elements(program: TritonProgram) -> Iterator[str]:
    """Print what one program does with a block of elements."""
    yield "begin = tl.program_id(0).to(tl.int64) * BLOCK"
    yield "lane = tl.arange(0, BLOCK)"
    yield "there = lane < size - begin"
    yield from program.numbers()
    yield from program.keep("begin + lane", "there")
    for operand in program.kernel.operands:
        if operand.place != "number":
            name = word(operand.name)
            yield f"{name} = {program.load(f'{name}_ + begin + lane', 'keep', operand.storage)}"
    lines, texts = program.scope.texts(program.roots, "t")
    yield from lines
    yield from program.factor(texts)
    for result, value in zip(program.kernel.results, texts, strict=False):
        if program.kernel.written(result):
            final = program.final(result, value)
            yield f"tl.store({result.name}_ + begin + lane, {final}, there)"
        else:
            yield program.sum(result, value)
