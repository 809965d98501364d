"""From the text of a kernel to a module: a file in the user's cache where that is possible.

Both just-in-time compilers want a file: Numba to keep its machine code beside it, Triton to read
the source. Where no file can be written the kernel is compiled in memory, each time anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import linecache
import os
import sys
import tempfile
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from lossary import files

_ENVIRONMENT = "LOSSARY_CACHE_DIR"


@cache
def directory() -> Path | None:
    """Return where kernels are kept, or None where nothing can be written.

    ``LOSSARY_CACHE_DIR`` names another place.
    """
    from platformdirs import user_cache_path

    own = os.environ.get(_ENVIRONMENT)
    place = (Path(own) if own else user_cache_path("lossary")) / "kernels" / fingerprint()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return None


@cache
def fingerprint() -> str:
    """Identify what machine code contains beside a text: our functions and the compilers."""
    compilers = [_version(name) for name in ("numba", "triton")]
    digest = hashlib.sha256(repr(compilers).encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # a tenth of a first call

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _stem(name: str, text: str) -> str:
    return f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _path(name: str, text: str) -> Path | None:
    place = directory()
    return None if place is None else place / f"{_stem(name, text)}.py"


def imported_as(name: str, text: str) -> str:
    """Return the name under which a module, once loaded, can be imported by another."""
    return f"lossary_kernel_{_stem(name, text)}"


def stored(name: str, text: str) -> bool:
    """Whether the module is in the cache already."""
    path = _path(name, text)
    return path is not None and path.exists()


def compiled(name: str, text: str, function: str) -> bool:
    """Whether machine code of the function is in the cache, for some machine at least."""
    path = _path(name, text)
    if path is None:
        return False
    return any((path.parent / "__pycache__").glob(f"{path.stem}.{function}-*.nbi"))


@lru_cache(maxsize=1024)
def load(name: str, text: str) -> ModuleType:
    """Return the module of that text, from a file if one can be written."""
    path = _path(name, text)
    if path is None:
        return in_memory(name, text)
    try:
        if not _holds(path, text):
            files.write(path, text.encode())
    except OSError:
        return in_memory(name, text)
    spec = importlib.util.spec_from_file_location(imported_as(name, text), path)
    assert spec is not None and spec.loader is not None  # noqa: PT018, S101  (a path ending in .py)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Numba's stored machine code names the module it came from
    spec.loader.exec_module(module)
    return module


def _holds(path: Path, text: str) -> bool:
    """Whether the file is there and whole: it is going to be run."""
    return path.exists() and path.read_bytes() == text.encode()


def in_memory(name: str, text: str) -> ModuleType:
    """Return the module without a file; each process compiles it anew."""
    module = ModuleType(imported_as(name, text))
    text = text.replace("cache=True", "cache=False")
    filename = f"<lossary kernel {name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = module.__dict__
    exec(compile(text, filename, "exec"), namespace)  # noqa: S102  (our own rendered text)
    sys.modules[module.__name__] = module
    return module
