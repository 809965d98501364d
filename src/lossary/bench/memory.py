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
from typing import Self

# The kernel counts resident pages per processor and adds them up now and then.
SMALLEST = 1 << 22


class Watch:
    """The extra memory of what runs in its context: ``found`` afterwards, None if unknown.

    ``gradient`` is the size in bytes of the gradient that is held at the end, if it is new.
    """

    def __init__(self, gradient: int, *, cuda: bool = False) -> None:
        self.gradient, self.cuda = gradient, cuda
        self.found: int | None = None

    def __enter__(self) -> Self:
        self.before = self._start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.before is not None and error[0] is None:
            found = max(0, self._peak() - self.before)
            self.found = None if found < 0.9 * self.gradient else found

    def _start(self) -> int | None:
        """Forget earlier peaks and return what is held."""
        gc.collect()
        if self.cuda:
            import torch

            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            return torch.cuda.memory_allocated()
        if not sys.platform.startswith("linux"):
            return None
        _trim()
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        except OSError:
            return None
        return _status("VmRSS")

    def _peak(self) -> int:
        if self.cuda:
            import torch

            return torch.cuda.max_memory_allocated()
        return _status("VmHWM")


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
