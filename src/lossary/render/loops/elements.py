"""Elementwise losses: blocks of elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossary.render.kernel import Kernel
from lossary.render.loops.shared import (
    Scope,
    extras,
    guarded,
    indented,
    keep_of,
    parameters,
    weighed,
)
from lossary.render.numba import LOADS, STORES

__all__ = ["elements"]


def elements(kernel: Kernel) -> Iterator[str]:
    """Return the lines of the function."""
    arrays = [name for name in parameters(kernel) if name.endswith("_")]
    yield f"size = {arrays[0]}.shape[0]"
    yield "for block in range(first, last):"
    yield from indented(_one_block(kernel, arrays))


def _one_block(kernel: Kernel, arrays: Sequence[str]) -> Iterator[str]:
    yield "begin = block * step"
    yield "n = min(step, size - begin)"
    for name in arrays:
        yield f"{name[:-1]}_b = {name}[begin : begin + n]"
    yield "bad = 0"
    yield "sum = 0.0"
    yield "for i in range(n):"
    yield from indented(_one_element(kernel))
    yield "wrong[block] = bad"
    yield "sums[block] = sum"


def _one_element(kernel: Kernel) -> Iterator[str]:
    for operand in kernel.operands:
        if operand.place != "number":
            place = f"{operand.name}_b[i]"
            yield f"{operand.name} = {LOADS[operand.storage].format(place)}"
    yield from extras(kernel, "i", "b")
    if keep_of(kernel):
        yield f"keep = {keep_of(kernel)}"
    lines, texts = Scope(kernel).texts(kernel.plan.results, "t")
    yield from lines
    outcomes, checks = texts[: len(kernel.results)], texts[len(kernel.results) :]
    for result, text in zip(kernel.results, outcomes, strict=True):
        final = guarded(kernel, weighed(kernel, result, text))
        if result.derivative or not kernel.reduce:
            yield f"{result.array}_b[i] = {STORES[result.storage].format(final)}"
        else:
            yield f"sum = lane_sum(sum, {final})"
    if kernel.weight and kernel.check:
        yield "bad += select(both(weight >= 0.0, weight < inf), 0, 1)"
    if checks:
        right = checks[0]
        for check in checks[1:]:
            right = f"both({right}, {check})"
        yield f"right = either(not keep, {right})" if keep_of(kernel) else f"right = {right}"
        yield "bad += select(right, 0, 1)"
