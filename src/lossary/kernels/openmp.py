"""PyTorch's own threads: those of the OpenMP that it runs on.

They wait actively for their next work, so that ours, beside them, come late: on two cores an
operation of PyTorch's keeps the second one busy for a while after it has ended. Called the same
way as PyTorch calls them they are there within two microseconds.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

_inherited = False
"""Whether this process was forked: GNU's OpenMP does not find its threads again there."""


def parallel() -> int:
    """Return the address of ``GOMP_parallel`` for PyTorch's threads; 0 where there are none."""
    return 0 if _inherited or "torch" not in sys.modules else _address()


@cache
def _address() -> int:
    import torch

    if not torch.backends.openmp.is_available():
        return 0
    try:
        # A library is asked for what it was linked with, too.
        function = ctypes.CDLL(torch._C.__file__).GOMP_parallel  # noqa: SLF001
    except (AttributeError, OSError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _inherit() -> None:
    global _inherited  # noqa: PLW0603  (one for the process)
    _inherited = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_inherit)
