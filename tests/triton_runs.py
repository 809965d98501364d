"""Cases for Triton in a process of their own, where Triton has not been imported yet."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(cases, *options, **environment):
    """Run a file of cases; it must pass, and hold some."""
    command = [sys.executable, "-m", "pytest", cases, "-q", "-o", "addopts=", *options]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
