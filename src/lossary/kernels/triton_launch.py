"""Launch the Triton kernel of a loss on torch tensors; the host never waits for the device."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from lossary.kernels import modules
from lossary.render.kernel import Kernel, Operand
from lossary.render.triton import Text, word

__all__ = ["LIMITS", "Tile", "run", "text", "tile"]

Number = float | torch.Tensor

STORED = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


@dataclass
class Limits:
    """How much one program takes."""

    elements: int = 1024
    """Elements of an elementwise loss."""
    resident: int = 16384
    """Classes of all arrays together whose rows stay in the registers; longer rows are streamed.

    Compiled for a Hopper, cross-entropy of 32768 classes spills 300 bytes per thread, of 16384 none.
    """
    streamed: int = 8192
    """Classes of a streamed row that are taken at once."""


LIMITS = Limits()


@dataclass(frozen=True)
class Tile:
    """The shape of a program's data: rows, classes (or elements), warps, and how rows are taken."""

    rows: int
    block: int
    warps: int
    streamed: bool


def tile(kernel: Kernel, classes: int) -> Tile:
    """Return the tile for rows of some length.

    A thread holds 8 to 32 numbers of each array: more would spill out of the registers, fewer leave
    loads too narrow to fill the bus.
    """
    arrays = sum(operand.place == "class" for operand in kernel.operands)
    double = any(o.storage == "float64" for o in kernel.operands if o.place == "class")
    block = 1 << max(classes - 1, 0).bit_length()
    if block * arrays * (1 + double) > LIMITS.resident:
        block = min(LIMITS.streamed, block)
        return Tile(1, block, _warps(block), streamed=True)
    return Tile(max(1, 1024 // block), block, _warps(block), streamed=False)


def _warps(block: int) -> int:
    return 4 if block <= 2048 else 8 if block <= 4096 else 16 if block <= 16384 else 32


@lru_cache(maxsize=4096)
def text(kernel: Kernel, *, streamed: bool = False, pointers: frozenset[str] = frozenset()) -> Text:
    """Return the text of a kernel, made once."""
    return Text(kernel, streamed=streamed, pointers=pointers)


@lru_cache(maxsize=4096)
def _compiled(kernel: Kernel, streamed: bool, pointers: frozenset[str]) -> Any:
    source = text(kernel, streamed=streamed, pointers=pointers).source
    return getattr(modules.load(f"{kernel.name}_triton", source), f"{kernel.name}_kernel")


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
    chosen = tile(kernel, classes) if kernel.class_axis else Tile(LIMITS.elements, 1, 4, False)
    programs = -(-rows // chosen.rows)
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
        sizes = {"BLOCK": chosen.block if kernel.class_axis else chosen.rows}
        if kernel.class_axis:
            sizes["ROWS"] = chosen.rows
        function = _compiled(kernel, chosen.streamed, pointers)
        with _current(like):
            # The compensated arithmetic needs each product rounded as it is written.
            function[(programs,)](
                *launched, **sizes, num_warps=chosen.warps, enable_fp_fusion=False
            )
    for target, source in back:
        target.copy_(source)
    if own.summed is not None and sums is not None:
        results[own.summed.name] = sums[0] if programs == 1 else sums.sum()
    return {result.name: results[result.name] for result in kernel.results}


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
            table = values[f"{word(first)}_"]
            if table.data_ptr() != x.data_ptr():  # the table is a copy
                back.append((x, table.view(x.shape)))
            room = table
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
