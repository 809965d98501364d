"""Fused kernels for small tensors that come again and again.

A kernel computes a small loss and its gradients in a microsecond or two, and takes seconds to
compile. So it is compiled when so many calls of its kind have come that their time would have paid
for it; its machine code stays in the user's cache, where the next process finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lossary.engine import fused
from lossary.engine.program import Variant
from lossary.engine.selection import chosen, without_numba
from lossary.render.kernel import Storage

__all__ = ["PATIENCE", "Kind", "run_of"]

PATIENCE = 20_000
"""Calls of a kind before it is compiled: about a second of NumPy, which is what compiling takes."""

Run = Callable[..., tuple[float, list[Tensor]] | None]

_STORAGES: dict[torch.dtype, Storage] = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.int64: "integer",
}


class Kind(NamedTuple):
    """What shapes a kernel; calls of one kind share it."""

    variant: Variant
    moving: tuple[bool, ...]
    dtypes: tuple[torch.dtype, ...]
    classes: int
    weight: torch.dtype | None
    mask: bool


_calls: dict[Kind, int] = {}
_runs: dict[Kind, Run | None] = {}


def run_of(kind: Kind) -> Run | None:
    """Return what computes calls of this kind, ``(sum, slopes)``; None before it pays."""
    found = _runs.get(kind)
    if found is not None or kind in _runs:
        return found
    _calls[kind] = count = _calls.get(kind, 0) + 1
    if count > PATIENCE and chosen() != "array":
        del _calls[kind]
        readable = all(dtype in _STORAGES for dtype in (*kind.dtypes, kind.weight or torch.float32))
        _runs[kind] = _run(kind) if readable and not without_numba() else None
    return _runs.get(kind)


def _run(kind: Kind) -> Run:
    """Return a function of tensors, hyper-parameters, weight, mask and scale; None: no kernel."""
    inputs = kind.variant.definition.inputs
    rows = [kind.classes > 0 and a.domain.class_axis for a in inputs]
    shapes = [(-1, kind.classes) if row else -1 for row in rows]
    moved = [i for i, moves in enumerate(kind.moving) if moves]
    step = fused.step_of(kind.classes)
    form = _form(kind, moved)
    function: Callable[..., None] | None = None
    types = [np.float64 if kind.dtypes[i] == torch.float64 else np.float32 for i in moved]

    def run(
        tensors: tuple[Tensor, ...],
        parameters: tuple[float, ...],
        weight: Tensor | None,
        mask: Tensor | None,
        scale: float,
    ) -> tuple[float, list[Tensor]] | None:
        nonlocal function
        words = [
            x.detach().numpy().reshape(shape) for x, shape in zip(tensors, shapes, strict=True)
        ]
        slopes = [np.empty(words[i].shape, t) for i, t in zip(moved, types, strict=True)]
        blocks = -(-len(words[0]) // step)
        sums, wrong = np.empty(blocks), np.empty(blocks, np.int64)
        extras = [x.detach().numpy().reshape(-1) for x in (weight, mask) if x is not None]
        arguments = [*words, *map(float, parameters), *extras, scale, *slopes, sums, wrong]
        if function is None:
            try:
                function = fused.ready(form, step, arguments)
            except Exception:  # noqa: BLE001  (a kernel that does not compile costs no call)
                _runs[kind] = None
                return None
        function(0, blocks, step, *arguments)
        found = [
            torch.from_numpy(slope).view(tensors[i].shape)
            for i, slope in zip(moved, slopes, strict=True)
        ]
        return float(sums[0] if blocks == 1 else sums.sum()), found

    return run


def _form(kind: Kind, moved: list[int]) -> fused.Form:
    names = [kind.variant.definition.inputs[i].name for i in moved]
    results: list[tuple[str, Storage]] = [("value", "float64")]
    for name, i in zip(names, moved, strict=True):
        results.append((f"gradient:{name}", _STORAGES[kind.dtypes[i]]))
    return fused.Form(
        kind.variant,
        tuple(results),
        tuple(_STORAGES[dtype] for dtype in kind.dtypes),
        (0.0,) * len(kind.dtypes),
        None if kind.weight is None else _STORAGES[kind.weight],
        kind.mask,
        None,
        reduce=True,
        check=False,
        short=fused.is_short(kind.classes),
        over=False,
    )
