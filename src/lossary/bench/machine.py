"""The machine and the versions behind a measurement, without names or places of either."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = (
    "numpy", "scipy", "scikit-learn", "numba", "llvmlite", "torch", "triton", "jax", "jaxlib",
    "optax", "tensorflow", "tensorflow-cpu", "keras", "ml_dtypes", "liger-kernel", "quack-kernels",
    "cut-cross-entropy", "flash-attn",
)  # fmt: skip


def cores() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def load() -> float | None:
    """Return how many programs wanted to run over the last minute, or None."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def facts(device: str = "cpu") -> dict[str, Any]:
    """Return what a reader needs to place the numbers."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": cores(),
        "memory_gib": _memory(),
        "simd": _simd(),
        "cache": _cache(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load_before": load(),
    }
    if device == "cuda":
        import torch

        gpu = torch.cuda.get_device_properties(0)
        found["gpu"] = f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB"
        found["cuda"] = torch.version.cuda
    return found


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return None


def _simd() -> list[str]:
    """Return the extensions that NumPy found, the most important ones of a Linux list after it."""
    config: Any = np.show_config(mode="dicts")
    found = list(config.get("SIMD Extensions", {}).get("found", []))
    with contextlib.suppress(OSError):
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
        found += [name for name in ("avx2", "avx512f", "avx512_bf16", "sve") if name in flags]
    return found


def _cache() -> dict[str, str]:
    """Return the sizes of the caches as Linux tells them."""
    found = {}
    for place in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        with contextlib.suppress(OSError):
            kind, level, size = (
                (place / name).read_text(encoding="ascii").strip()
                for name in ("type", "level", "size")
            )
            if kind != "Instruction":
                found[f"L{level}"] = size
    return found


def versions() -> dict[str, str]:
    """Return the versions of the packages that take part, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@contextlib.contextmanager
def limited(threads: int) -> Iterator[None]:
    """Give everybody the same number of threads, and put things back afterwards.

    PyTorch, scikit-learn and Lossary's own pool are told the number. XLA and TensorFlow take what
    the process may use, so on Linux the process is confined to as many processors.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(environment("LOSSARY_NUM_THREADS", str(threads)))
        stack.enter_context(environment("TF_CPP_MIN_LOG_LEVEL", "2"))
        # Otherwise JAX takes three quarters of a GPU's memory for itself.
        stack.enter_context(environment("XLA_PYTHON_CLIENT_PREALLOCATE", "false"))
        if threads < cores() and hasattr(os, "sched_setaffinity"):
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, sorted(before)[:threads])
            stack.callback(os.sched_setaffinity, 0, before)
        if importlib.util.find_spec("torch"):
            import torch

            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        yield


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
