"""Write the page of where the doors differ from their frameworks, by asking every door.

Each ``tests/peers/<framework>_differences.py`` calls both and prints its section; it runs in a
process of its own, because frameworks disagree about what else is loaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGE = HERE / "differences.md"

HEAD = """---
hide-toc: true
---

# Where the doors differ, and why

A door has its framework's names, defaults, reductions, dtypes and errors, and passes its
framework's own tests. Where the framework returns NaN for a finite input, a wrong number or a
gradient that is not that of its value, the door returns the right one. These are the cases, with
the numbers of both; "exact" is the result in higher precision. Below each table stand the
framework's peculiarities that a door keeps, by name, because working code depends on them.

`python docs/generate.py --differences` calls both sides and writes this page; a test runs the calls
again and fails where nothing differs any more. Packages without a door, such as MONAI, torchvision
or TRL, stand [beside ours on a page of their own](peers.md).
"""


def modules() -> list[str]:
    """Return the modules that print a section, PyTorch's first."""
    names = sorted(p.stem for p in (ROOT / "tests/peers").glob("*_differences.py"))
    return sorted(names, key=lambda name: name != "torch_differences")


def printed(module: str, *arguments: str, **environment: str) -> str:
    """Run a module of ``tests/peers`` in a process of its own, and return what it prints."""
    run = subprocess.run(
        [sys.executable, "-m", f"tests.peers.{module}", *arguments],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(f"docs: {module} {' '.join(arguments)} failed\n{run.stderr[-2000:]}")
    return run.stdout


def section(module: str) -> str:
    """Run one module and return its section."""
    # TensorFlow imports Keras, whose PyTorch backend would bring in Triton, too late.
    return printed(module, KERAS_BACKEND="tensorflow").strip()


def write() -> None:
    """Write the page; it takes a minute."""
    sections = [section(module) for module in modules()]
    PAGE.write_text("\n\n".join([HEAD.strip(), *sections]) + "\n", encoding="utf-8")
