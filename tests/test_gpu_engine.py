"""The engine with the kernels for GPUs: in Triton's interpreter, and on a GPU if there is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")

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


@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter is chosen")
@pytest.mark.parametrize("kind", ["fp64", "fp32", "bf16", "fp16"])
def test_the_scaling_kernel_compiles_for_a_gpu(kind):
    """Down to the machine code of a Hopper, without one."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from lossary.kernels.triton_scale import scale_kernel

    double = kind == "fp64"
    types = {"x_": f"*{kind}", "factor_": "*fp64" if double else "*fp32", "size": "i64"}
    constants = {"DOUBLE": double, "BLOCK": 4096}
    source = ASTSource(scale_kernel, types | dict.fromkeys(constants, "constexpr"), constants)
    target, options = GPUTarget("cuda", 90, 32), {"enable_fp_fusion": False}
    made = triton.compile(source, target=target, options=options)
    assert made.asm["cubin"]
