"""Which engine computes a call: the array library's own operations, or a fused kernel."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from math import prod
from typing import Any

from lossary.engine import leases
from lossary.engine.arguments import Call
from lossary.errors import MissingExtraError, install_line, warn

ENGINES = ("auto", "array", "fused")

CUTOFF = 1 << 15
"""Elements from which ``auto`` takes a kernel for the first call already.

Below, the array library answers until a recipe is ready: ``lossary bench`` measures where the two
cross.
"""

GPU_CUTOFF = 1 << 14
"""Elements from which ``auto`` takes a Triton kernel for tensors on a GPU.

An estimate, not yet a measurement: below, either engine waits for launches and none for memory,
and the first call must not compile a kernel for it. ``benchmarks/gpu.sh`` measures it.
"""

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
"""Whether Triton's interpreter stands in for a GPU, for tests on a machine without one.

With ``TRITON_INTERPRET=1`` in the environment when Python starts, ``engine="fused"`` sends tensors
of PyTorch on the CPU to the Triton kernels instead of Numba's.
"""

ELSEWHERE = "is not an array of numbers in this machine's own memory"
"""Why a kernel cannot read an argument."""

_chosen: ContextVar[str] = ContextVar("engine", default="auto")


@contextmanager
def using(*, engine: str | None = None, lend: bool | None = None) -> Iterator[None]:
    """Compute with one engine inside the ``with`` block, in this thread or task.

    ``array`` is the array library's own operations, ``fused`` a kernel wherever one can run, and
    ``auto``, the default, a kernel where it pays. With ``lend=False`` large results lie in memory
    of their own, as NumPy and PyTorch would take it, and not in memory that comes back.
    ``fused`` raises MissingExtraError where neither Numba nor Triton is installed.

    >>> import lossary as L
    >>> with L.using(engine="array"):
    ...     print(L.huber([3.0], [0.0]))
    2.5
    """
    if engine is not None and engine not in ENGINES:
        raise ValueError(
            f"engine must be one of {', '.join(map(repr, ENGINES))}, got {engine!r}\n"
            "hint: fused is Numba's kernels on a CPU and Triton's on a GPU"
        )
    if engine == "fused" and not _can_compile():
        raise MissingExtraError("cpu", "engine='fused'")
    wanted: Any = ((_chosen, engine), (leases.lending, lend))
    tokens = [(where, where.set(x)) for where, x in wanted if x is not None]
    try:
        yield
    finally:
        for where, token in tokens:
            where.reset(token)


@cache
def _can_compile() -> bool:
    return any(map(find_spec, ("numba", "triton")))


def chosen() -> str:
    """Return the engine that ``using`` has chosen here."""
    return _chosen.get()


def kernels_allowed() -> bool:
    """Whether the engine that is chosen allows a kernel."""
    return _chosen.get() != "array"


def obstacle(call: Call) -> str | None:
    """Return why the array library computes this call, or None if a kernel may."""
    if _chosen.get() == "array":
        return "engine='array' is chosen"
    if call.definition.without_kernel:
        return call.definition.without_kernel
    if not call.library.concrete([call.prediction]):  # sizes may not be known yet, either
        return f"{call.definition.inputs[0].name} {ELSEWHERE}"
    size = prod(call.library.shape(call.prediction))
    if size == 0:
        return "there are no elements"
    if _chosen.get() == "auto" and size < CUTOFF:
        return (
            f"{size} elements are fewer than {CUTOFF}; a kernel takes over when such calls have "
            "come often"
        )
    return _absent()


def on_gpu(call: Call) -> bool:
    """Whether it is a Triton kernel that could compute this call."""
    if call.library.on_gpu(call.prediction):
        return True
    return INTERPRETED and _chosen.get() == "fused" and call.library.name == "torch"


def obstacle_on_gpu(call: Call) -> str | None:
    """Return why the array library computes a call on a GPU, or None if a kernel may."""
    if _chosen.get() == "array":
        return "engine='array' is chosen"
    if call.definition.without_kernel:
        return call.definition.without_kernel
    if not call.library.dense(call.prediction):  # such as a compiler's: nothing may be launched
        return f"{call.definition.inputs[0].name} is not an ordinary array of numbers"
    size = prod(call.library.shape(call.prediction))
    if size == 0:
        return "there are no elements"
    if _chosen.get() == "auto" and size < GPU_CUTOFF:
        return f"{size} elements are fewer than {GPU_CUTOFF}, where a kernel on a GPU begins to pay"
    if "triton" not in sys.modules and "tensorflow" in sys.modules:
        # Both bring LLVM; the second to register its options aborts the process if it is Triton.
        return (
            "TensorFlow was imported before Triton, and importing Triton now would end this "
            "process: put import triton before import tensorflow"
        )
    return _without_triton(call.prediction.device)


@cache
def _without_triton(device: object) -> str | None:
    """Return what is wrong with Triton here, if anything is: ask it for a very small kernel."""
    if find_spec("triton") is None:
        return f"Triton is not installed: {install_line('gpu')}"
    try:
        importlib.import_module("lossary.kernels.triton_scale").probe(device)
    except Exception as error:  # noqa: BLE001  (no compiler, an old GPU or driver: whatever it is)
        return f"Triton makes no kernels here: {type(error).__name__}: {error}"
    return None


@cache
def numba_is_there() -> bool:
    """Whether Numba is installed; where it is not, one warning says what that costs."""
    if find_spec("numba") is not None:
        return True
    warn(
        "Numba is not installed: losses run by array operations, which take several times as long "
        f"as its kernels\nhint: {install_line('cpu')}"
    )
    return False


def _absent() -> str | None:
    return None if numba_is_there() else f"Numba is not installed: {install_line('cpu')}"


@cache
def without_numba() -> str | None:
    """Return what is wrong with Numba here, if anything is.

    It is imported for that, which takes longer than a first call: a call asks when it has to wait.
    """
    if (absent := _absent()) is not None:
        return absent
    try:
        importlib.import_module("numba")
    except ImportError as error:  # such as a NumPy that it does not know
        return f"Numba cannot be imported: {error}"
    return None
