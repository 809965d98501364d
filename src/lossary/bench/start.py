"""What a new process waits for: the import, its first call, and the files that a call visits."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping

IMPORT, WARM, COLD = "import", "first call, kernels on disk", "first call, no kernels"
FILES = "files of ours that a call visits"  # once its recipe is there
# What is measured, and how much of it there may be at most: seconds, and a number of files.
STARTING: Mapping[str, float] = {IMPORT: 0.09, WARM: 0.3, COLD: 0.3, FILES: 8}
ROUNDS = 5

_MEASURED = """
import json, sys, time
import numpy
start = time.perf_counter()
import lossary
imported = time.perf_counter() - start
x = numpy.linspace(-1, 1, 100_000, dtype=numpy.float32)
y = x[::-1].copy()
start = time.perf_counter()
lossary.huber.value_and_gradient(x, y)
called = time.perf_counter() - start
for _ in range(20):  # until such calls have their recipe
    lossary.huber.value_and_gradient(x, y)
files = set()
home = lossary.__path__[0]
def look(frame, event, argument):
    if event == "call" and frame.f_code.co_filename.startswith(home):
        files.add(frame.f_code.co_filename)
sys.setprofile(look)
lossary.huber.value_and_gradient(x, y)
sys.setprofile(None)
print(json.dumps([imported, called, len(files)]))
"""


def starting(rounds: int = ROUNDS) -> dict[str, float]:
    """Return the medians of new processes, by the names in ``STARTING``.

    The kernels' cache is a new folder: without kernels for the first process, and filled for the
    others by ``lossary warm``, where that has kernels to make. All have the bytecode of what they
    import, as pip leaves it.
    """
    with tempfile.TemporaryDirectory() as folder:
        _process(folder, LOSSARY_COMPILE="never")
        cold = _process(folder)
        fill(folder)
        warm = [_process(folder) for _ in range(rounds)]
        files = _process(folder, LOSSARY_COMPILE="now")[2]
    imported, called, _ = (statistics.median(column) for column in zip(*warm, strict=True))
    return {IMPORT: imported, WARM: called, COLD: cold[1], FILES: files}


def fill(folder: str) -> None:
    """Fill a cache of kernels; where there is no compiler, nothing."""
    command = [sys.executable, "-m", "lossary", "warm", "huber", "--dtype", "float32"]
    subprocess.run(command, env=_environment(folder), capture_output=True, check=False)  # noqa: S603


def _process(folder: str, **more: str) -> list[float]:
    command = [sys.executable, "-c", _MEASURED]
    done = subprocess.run(  # noqa: S603
        command, env=_environment(folder) | more, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def _environment(folder: str) -> dict[str, str]:
    """Return an environment whose kernels and compiled modules lie in a folder."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "LOSSARY_CACHE_DIR": folder, "PYTHONPYCACHEPREFIX": folder}
