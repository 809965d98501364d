"""The engine with the kernels for GPUs: in Triton's interpreter, and on a GPU if there is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

HERE = Path(__file__).parent


def run(**environment):
    """Run the cases in a process of their own, where Triton has not been imported yet."""
    command = [sys.executable, "-m", "pytest", "gpu_engine_cases.py", "-q", "-o", "addopts="]
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


def test_in_the_interpreter():
    run(TRITON_INTERPRET="1", CUDA_VISIBLE_DEVICES="")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_the_gpu():
    run(TRITON_INTERPRET="0")
