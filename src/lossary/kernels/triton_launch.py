"""Launch the Triton kernel of a loss on torch tensors; the host never waits for the device."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from lossary.formula import walk
from lossary.kernels import modules
from lossary.render.kernel import Kernel, Operand
from lossary.render.programs import Text, source, word
from lossary.render.spare import WORDS

__all__ = ["Tile", "run", "text", "tile"]

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
def text(kernel: Kernel, *, streamed: bool = False, pointers: frozenset[str] = frozenset()) -> Text:
    """Return the text of a kernel, made once."""
    return Text(kernel, streamed=streamed, pointers=pointers)


@lru_cache(maxsize=4096)
def _compiled(kernel: Kernel, streamed: bool, pointers: frozenset[str]) -> Any:
    module = modules.load(
        f"{kernel.name}_triton", source(text(kernel, streamed=streamed, pointers=pointers))
    )
    return getattr(module, f"{kernel.name}_kernel")


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
) -> dict[str, torch.Tensor]:
    """Return the results of a kernel by name: a sum as a float64 number, derivatives as arrays.

    ``arrays`` are the operands, class axis last; labels, row operands, ``weight``, ``mask`` and
    ``upstream`` have the shape without it. Numbers may be tensors of one element on the device.
    With ``inplace`` the derivative for the first class-axis operand overwrites it.

    Raises RuntimeError for tensors on the CPU outside Triton's interpreter.
    """
    shaped = next(o for o in kernel.operands if o.place in {"class", "element"})
    like = arrays[shaped.name]
    _reachable(like)
    classes = like.shape[-1] if kernel.class_axis else 1
    rows = like.numel() // classes if classes else 0
    shape = like.shape[:-1] if kernel.class_axis else like.shape
    chosen = tile(kernel, classes)
    programs = -(-rows // (chosen.rows if kernel.class_axis else chosen.block))
    own = text(kernel, streamed=chosen.streamed)
    given = {word(name): x for name, x in numbers.items()} | {"scale": scale}
    pointers = frozenset(n for n, x in given.items() if isinstance(x, torch.Tensor))
    if own.work == "float64":  # a plain number would reach the kernel as a float32
        pointers = frozenset(given)
    own = text(kernel, streamed=chosen.streamed, pointers=pointers)

    values: dict[str, Any] = {"rows": rows, "classes": classes, "size": rows}
    for operand in kernel.operands:
        if operand.place != "number":
            values |= _operand(operand, arrays[operand.name])
    for name, x in (("weight", weight), ("mask", mask), ("upstream", upstream)):
        if x is not None:
            values[f"{name}_"] = _flat(x)
    for name, x in given.items():
        values |= {f"{name}_": _on_device(x, like)} if name in pointers else {name: x}
    results, back = _outputs(kernel, own, arrays, values, shape, inplace)
    sums = None
    if own.summed is not None:
        sums = values["sums_"] = torch.empty(programs, dtype=torch.float64, device=like.device)
    if programs and classes:
        launched = [values[name] for name in own.parameters if "constexpr" not in name]
        sizes = {"BLOCK": chosen.block} | ({"ROWS": chosen.rows} if kernel.class_axis else {})
        function = _compiled(kernel, chosen.streamed, pointers)
        with _current(like):
            # The compensated arithmetic needs each product rounded as it is written.
            function[(programs,)](
                *launched, **sizes, num_warps=chosen.warps, enable_fp_fusion=False
            )
    for place, copied in back:
        place.copy_(copied)
    if own.summed is not None and sums is not None:
        results[own.summed.name] = sums[0] if programs == 1 else sums.sum()
    return {result.name: results[result.name] for result in kernel.results}


def _is_another(table: torch.Tensor, x: torch.Tensor) -> bool:
    """Whether a table is a copy of x, or x holds one number in several places."""
    return table.data_ptr() != x.data_ptr() or 0 in table.stride()


def _same_memory(x: torch.Tensor) -> Callable[[torch.Tensor], bool]:
    own = x.untyped_storage().data_ptr()
    return lambda other: other.untyped_storage().data_ptr() == own


def _reachable(x: torch.Tensor) -> None:
    if x.device.type == "cpu" and os.environ.get("TRITON_INTERPRET") != "1":
        raise RuntimeError(
            "Triton kernels run on a GPU, and these tensors are on the CPU\n"
            "hint: move them with .to('cuda'), or set TRITON_INTERPRET=1 before importing triton"
        )


def _current(x: torch.Tensor) -> AbstractContextManager[Any]:
    """Triton launches on the current device, which need not be that of the data."""
    return torch.cuda.device(x.device) if x.device.type == "cuda" else nullcontext()


def _flat(x: torch.Tensor) -> torch.Tensor:
    x = x.detach().contiguous()
    return x.view(torch.uint8) if x.dtype == torch.bool else x


def _table(x: torch.Tensor) -> torch.Tensor:
    """Return x as rows whose classes lie side by side; rows may be apart, or one and the same."""
    rows = x.detach().reshape(-1, x.shape[-1])
    return rows if rows.stride(-1) == 1 or rows.shape[-1] == 1 else rows.contiguous()


def _operand(operand: Operand, x: torch.Tensor) -> dict[str, Any]:
    name = word(operand.name)
    if operand.place == "class":
        table = _table(x)
        return {f"{name}_": table, f"{name}_step": table.stride(0)}
    return {f"{name}_": _flat(x)}


def _on_device(x: Number, like: torch.Tensor) -> torch.Tensor:
    if isinstance(x, torch.Tensor):
        return x.detach().to(like.device)
    # A fill on the device; a copy from the host would wait for the work before it.
    return torch.full((), x, dtype=torch.float64, device=like.device)


def _outputs(
    kernel: Kernel,
    own: Text,
    arrays: Mapping[str, torch.Tensor],
    values: dict[str, Any],
    shape: torch.Size,
    inplace: bool,
) -> tuple[dict[str, torch.Tensor], list[tuple[torch.Tensor, torch.Tensor]]]:
    """Make room for the arrays that are written: every element of them is."""
    results: dict[str, torch.Tensor] = {}
    back: list[tuple[torch.Tensor, torch.Tensor]] = []
    first = next((o.name for o in kernel.operands if o.place == "class"), "")
    for result in kernel.results:
        if not own.written(result):
            continue
        if inplace and own.spread(result) and own.derived(result).name == first:
            x = results[result.name] = arrays[first]
            room = values[f"{word(first)}_"]
            others = [values[n] for n in own.parameters if n.endswith("_") and n in values]
            if _is_another(room, x) or sum(map(_same_memory(x), others)) > 1:
                room = torch.empty_like(room)
                back.append((x, room.view(x.shape)))
        else:
            full = (*shape, arrays[first].shape[-1]) if own.spread(result) and first else shape
            device = next(iter(arrays.values())).device
            made = torch.empty(full, dtype=STORED[result.storage], device=device)
            results[result.name] = made
            room = made.view(-1, full[-1]) if own.spread(result) else made
        values[f"{result.name}_"] = room
        if own.spread(result):
            values[f"{result.name}_step"] = room.stride(0)
    return results, back
