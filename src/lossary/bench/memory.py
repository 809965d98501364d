"""The extra memory of a step at its peak, as the operating system counts it.

Linux keeps the largest resident size of a process, and lets it be reset through
``/proc/self/clear_refs``. That counts whoever allocates (NumPy, PyTorch, XLA, TensorFlow), unlike
``tracemalloc``, which sees NumPy only. Free pages are handed back first, so that memory that was
used before counts again. On a GPU it is PyTorch's own allocator that counts.

A library that keeps freed memory to itself (TensorFlow under XLA does) shows less than the gradient
that it returns; then nothing is reported, rather than too little.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

from lossary.bench.contestant import Prepared

__all__ = ["SMALLEST", "peak"]

# The kernel counts resident pages per processor and adds them up now and then.
SMALLEST = 1 << 22


def peak(prepared: Prepared, gradient: int) -> int | None:
    """Return the bytes beyond those held before the call, its result included, or None.

    ``gradient`` is the size in bytes of the gradient that the call returns.
    """
    found = prepared.peak() if prepared.peak else _resident(prepared)
    hidden = found is not None and prepared.fresh and found < 0.9 * gradient
    return None if hidden else found


def _resident(prepared: Prepared) -> int | None:
    if not sys.platform.startswith("linux"):
        return None
    gc.collect()
    _trim()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    before = _status("VmRSS")
    with prepared.around():
        result = prepared.step()
        prepared.wait()
    peak = _status("VmHWM")
    del result
    return max(0, peak - before)


def _trim() -> None:
    """Hand free memory back to the system, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")
