"""Memory that the tests of one file leave to those of the next."""

import ctypes
import os
import sys
from pathlib import Path
from types import SimpleNamespace

STATM = Path("/proc/self/statm")
ROOM = 1 << 29
"""Bytes by which a process may grow before it gives back what graphs hold."""

_last = SimpleNamespace(kept=0)


def resident():
    """Return the bytes that this process holds; 0 where the system does not say."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if STATM.exists() else 0


def release(room=ROOM):
    """Drop JAX' machine code once it has grown: it keeps all that it ever compiled, for each shape.

    Those of one file are of little use to the next, and a worker ended with gigabytes of them. To
    drop them takes 0.2 s.
    """
    if "jax" not in sys.modules or resident() < _last.kept + room:
        return
    sys.modules["jax"].clear_caches()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc keeps what was freed
    if trim:
        trim(0)
    _last.kept = resident()
