"""Launch the Triton kernel of a loss on torch tensors; the host never waits for the device."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from lossary.formula import walk
from lossary.kernels import modules
from lossary.kernels.triton_scale import current
from lossary.render.kernel import Kernel
from lossary.render.programs import Text, source, word
from lossary.render.spare import WORDS

Number = float | torch.Tensor

STORED = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


@dataclass(frozen=True)
class Tile:
    """The data of one program: rows, and classes or elements of each; its warps; see ``Text``."""

    rows: int
    block: int
    warps: int
    streamed: bool = False


# How many numbers of its arrays a thread holds, by the weight of the formula: a node counts 1, an
# elementary function 10 more. Compiled for a Hopper, nearly nothing spills out of the registers.
_HELD = ((120, 32), (180, 16))
_LEAST_HELD = 8
_FUNCTIONS = frozenset({"exp", "log", "log1p", "expm1", "tanh", "power", *WORDS})
_MOST_WARPS = 16  # with 32, a thread would have 64 registers


@lru_cache(maxsize=4096)
def tile(kernel: Kernel, classes: int) -> Tile:
    """Return the tile of an elementwise loss, or for rows of some length."""
    weight = sum(1 + 10 * (node.operator in _FUNCTIONS) for node in walk(*text(kernel).roots))
    held = next((numbers for most, numbers in _HELD if weight <= most), _LEAST_HELD)
    double = 1 + (text(kernel).work == "float64")
    if not kernel.class_axis:
        return Tile(1, 128 * min(8, held // (2 * double)), 4)
    arrays = sum(operand.place == "class" for operand in kernel.operands)
    each = _power_of_two(held // (arrays * double))
    block = 1 << max(classes - 1, 0).bit_length()
    if block > 32 * _MOST_WARPS * each:
        return Tile(1, 32 * 8 * each, 8, streamed=True)
    warps = min(_MOST_WARPS, max(4, block // (32 * min(each, 16))))
    return Tile(max(1, 128 * min(each, 8) // block), block, warps)


def _power_of_two(x: int) -> int:
    """Return the largest power of two that is not above x, at least 1."""
    return 1 << max(x, 1).bit_length() - 1


@lru_cache(maxsize=4096)
def text(
    kernel: Kernel,
    *,
    streamed: bool = False,
    pointers: frozenset[str] = frozenset(),
    unless: bool = False,
) -> Text:
    """Return the text of a kernel, made once."""
    return Text(kernel, streamed=streamed, pointers=pointers, unless=unless)


@lru_cache(maxsize=4096)
def compiled(text: Text) -> Any:
    """Return the kernel of a text, which Triton compiles for each size of tile."""
    name = text.kernel.name
    return getattr(modules.load(f"{name}_triton", source(text)), f"{name}_kernel")


def run(
    kernel: Kernel,
    arrays: Mapping[str, torch.Tensor],
    numbers: Mapping[str, Number],
    *,
    scale: Number = 1.0,
    weight: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
    upstream: torch.Tensor | None = None,
    inplace: bool = False,
    out: Mapping[str, torch.Tensor] | None = None,
    unless: torch.Tensor | None = None,
) -> dict[str, torch.Tensor]:
    """Return the results of a kernel by name: a sum as a float64 number, derivatives as arrays.

    ``arrays`` are the operands, class axis last; labels, row operands, ``weight``, ``mask`` and
    ``upstream`` have the shape without it. Numbers may be tensors of one element on the device.
    With ``inplace`` the derivative for the first class-axis operand overwrites it; ``out`` names
    other contiguous tensors to write into. Where ``unless``, a number on the device, is 1, nothing
    is done, and the arrays stay what they are.

    Raises RuntimeError for tensors on the CPU outside Triton's interpreter.
    """
    facts = _facts(kernel)
    like = arrays[facts.shaped]
    _reachable(like)
    classes = like.shape[-1] if kernel.class_axis else 1
    rows = like.numel() // classes if classes else 0
    chosen = tile(kernel, classes)
    programs = -(-rows // (chosen.rows if kernel.class_axis else chosen.block))
    values: dict[str, Any] = {"rows": rows, "classes": classes, "size": rows}
    for name, own, is_table in facts.arrays:
        if is_table:
            values[f"{own}_"] = table = _table(arrays[name])
            values[f"{own}_step"] = table.stride(0)
        else:
            values[f"{own}_"] = _flat(arrays[name])
    for name, x in (("weight_", weight), ("mask_", mask), ("upstream_", upstream)):
        if x is not None:
            values[name] = _flat(x)
    pointers = _numbers(facts, {**numbers, None: scale}, like, values)
    if unless is not None:
        values["unless_"] = unless.detach()
    results, back = _outputs(facts, arrays, like, values, out or {}, inplace)
    if facts.summed:
        values["sums_"] = torch.empty(programs, dtype=torch.float64, device=like.device)
    if programs and classes:
        own = text(kernel, streamed=chosen.streamed, pointers=pointers, unless=unless is not None)
        _launch(own, chosen, programs, values)
    for place, copied in back:
        place.copy_(copied)
    if facts.summed:
        sums = values["sums_"]
        results[facts.summed] = sums[0] if programs == 1 else sums.sum()
    return results


def _launch(text: Text, chosen: Tile, programs: int, values: dict[str, Any]) -> None:
    launched = [values[name] for name in text.parameters if name in values]
    sizes = {"BLOCK": chosen.block} | ({"ROWS": chosen.rows} if text.kernel.class_axis else {})
    with current(next(x for x in launched if isinstance(x, torch.Tensor))):
        # The compensated arithmetic needs each product rounded as it is written.
        compiled(text)[(programs,)](
            *launched, **sizes, num_warps=chosen.warps, enable_fp_fusion=False
        )


@dataclass(frozen=True)
class _Facts:
    """What a launch needs to know of a kernel: names, in the loss and in the text."""

    shaped: str
    arrays: tuple[tuple[str, str, bool], ...]
    """Operands: name, word, and whether they have a class axis."""
    results: tuple[tuple[str, torch.dtype, bool, bool], ...]
    """Arrays that are written: name, type, whether they have a class axis, and may be in place."""
    summed: str
    double: bool


@lru_cache(maxsize=4096)
def _facts(kernel: Kernel) -> _Facts:
    own = text(kernel)
    operands = [o for o in kernel.operands if o.place != "number"]
    shaped = next(o.name for o in operands if o.place in {"class", "element"})
    written = [result for result in kernel.results if kernel.written(result)]
    return _Facts(
        shaped,
        tuple((o.name, word(o.name), o.place == "class") for o in operands),
        tuple(
            (
                result.name,
                STORED[result.storage],
                own.spread(result),
                own.spread(result) and own.derived(result).name == shaped,
            )
            for result in written
        ),
        kernel.summed.name if kernel.summed else "",
        own.work == "float64",
    )


def _numbers(
    facts: _Facts,
    numbers: Mapping[str | None, Number],
    like: torch.Tensor,
    values: dict[str, Any],
) -> frozenset[str]:
    """Put the numbers among the values, and return which of them are tensors; None is the scale."""
    pointers = set()
    for name, x in numbers.items():
        own = "scale" if name is None else word(name)
        # A plain number would reach a kernel in float64 as a float32.
        if facts.double or isinstance(x, torch.Tensor):
            values[f"{own}_"] = _on_device(x, like)
            pointers.add(own)
        else:
            values[own] = x
    return frozenset(pointers)


def _reachable(x: torch.Tensor) -> None:
    if x.device.type == "cpu" and os.environ.get("TRITON_INTERPRET") != "1":
        raise RuntimeError(
            "Triton kernels run on a GPU, and these tensors are on the CPU\n"
            "hint: move them with .to('cuda'), or set TRITON_INTERPRET=1 before importing triton"
        )


def _flat(x: torch.Tensor) -> torch.Tensor:
    x = x.detach().contiguous()
    return x.view(torch.uint8) if x.dtype == torch.bool else x


def _table(x: torch.Tensor) -> torch.Tensor:
    """Return x as rows whose classes lie side by side; rows may be apart, or one and the same."""
    rows = x.detach().reshape(-1, x.shape[-1])
    return rows if rows.stride(-1) == 1 or rows.shape[-1] == 1 else rows.contiguous()


def _on_device(x: Number, like: torch.Tensor) -> torch.Tensor:
    if isinstance(x, torch.Tensor):
        return x.detach().to(like.device)
    # A fill on the device; a copy from the host would wait for the work before it.
    return torch.full((), x, dtype=torch.float64, device=like.device)


def _outputs(
    facts: _Facts,
    arrays: Mapping[str, torch.Tensor],
    like: torch.Tensor,
    values: dict[str, Any],
    out: Mapping[str, torch.Tensor],
    inplace: bool,
) -> tuple[dict[str, torch.Tensor], list[tuple[torch.Tensor, torch.Tensor]]]:
    """Make room for the arrays that are written: every element of them is."""
    results: dict[str, torch.Tensor] = {}
    back: list[tuple[torch.Tensor, torch.Tensor]] = []
    tables = any(is_table for _, _, is_table in facts.arrays)
    for name, dtype, spread, may in facts.results:
        if inplace and may:
            results[name] = like
            room = _in_place(facts, arrays, values)
            if room.data_ptr() != like.data_ptr():
                back.append((like, room.view(like.shape)))
        else:
            shape = like.shape if spread or not tables else like.shape[:-1]
            room = out.get(name)
            if room is None:
                room = torch.empty(shape, dtype=dtype, device=like.device)
            results[name] = room
            room = room.view(-1, shape[-1]) if spread else room
        values[f"{name}_"] = room
        if spread:
            values[f"{name}_step"] = room.stride(0)
    return results, back


def _in_place(
    facts: _Facts, arrays: Mapping[str, torch.Tensor], values: dict[str, Any]
) -> torch.Tensor:
    """Return the table to write over, or another one where that would spoil what is still read."""
    x, table = arrays[facts.shaped], values[f"{word(facts.shaped)}_"]
    own = x.untyped_storage().data_ptr()
    beside = [values[f"{w}_"].untyped_storage().data_ptr() for _, w, _ in facts.arrays]
    alone = beside.count(own) == 1 and 0 not in table.stride()
    return table if alone else torch.empty_like(table)
