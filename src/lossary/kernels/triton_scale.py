"""Multiply an array by a number on the device that is nearly always 1; the host never looks."""

# Triton's own words stand for tensors and constants alike.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import triton
import triton.language as tl

_BLOCK = 4096

_PROGRAMS = 1024
"""More would cost time to start where there is nothing to do; a GPU has some hundred processors."""


@triton.jit
def scale_kernel(
    x_: tl.tensor,
    factor_: tl.tensor,
    size: tl.tensor,
    DOUBLE: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Leave at once if the factor is 1: then no memory is touched."""
    wide = tl.float64 if DOUBLE else tl.float32
    factor = tl.load(factor_).to(wide)
    if factor != 1.0:
        for block in range(tl.program_id(0), tl.cdiv(size, BLOCK), tl.num_programs(0)):
            place = tl.cast(block, tl.int64) * BLOCK + tl.arange(0, BLOCK)
            there = place < size
            x = tl.load(x_ + place, there).to(wide)
            tl.store(x_ + place, (x * factor).to(x_.dtype.element_ty), there)


def scale_in_place(x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Multiply a contiguous array by a number on the device, and return it."""
    blocks = -(-x.numel() // _BLOCK)
    if blocks:
        with current(x):
            scale_kernel[(min(blocks, _PROGRAMS),)](
                x,
                factor.detach(),
                x.numel(),
                DOUBLE=x.dtype == torch.float64,
                BLOCK=_BLOCK,
                enable_fp_fusion=False,  # there is nothing to fuse; Triton warns without it
            )
    return x


def current(x: torch.Tensor) -> AbstractContextManager[Any]:
    """Triton launches on the current device, which need not be that of the data."""
    return torch.cuda.device(x.device) if x.device.type == "cuda" else nullcontext()


def probe(device: torch.device) -> None:
    """Compile and launch a kernel; raises whatever is in the way, such as a missing compiler."""
    scale_in_place(torch.ones(1, device=device), torch.ones((), device=device))
