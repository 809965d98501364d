"""The engine with the kernels for GPUs: in Triton's interpreter, and on a GPU if there is one."""

import os

import pytest

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")

from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

import lossary as L  # noqa: E402
from engines import kernels_only  # noqa: E402
from lossary.engine import selection  # noqa: E402
from lossary.engine.libraries import torch as engine_of_torch  # noqa: E402
from lossary.kernels import triton_launch, triton_scale  # noqa: E402
from lossary.kernels.triton_scale import scale_kernel  # noqa: E402
from triton_runs import run  # noqa: E402

CASES = "gpu_engine_cases.py"


def test_in_the_interpreter(lane):
    run(CASES, *lane, TRITON_INTERPRET="1", CUDA_VISIBLE_DEVICES="")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_the_gpu():
    run(CASES, "--thorough", TRITON_INTERPRET="0")


needs_the_compiler = pytest.mark.skipif(
    os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter is chosen"
)
KINDS = {
    torch.float64: "*fp64",
    torch.float32: "*fp32",
    torch.bfloat16: "*bf16",
    torch.float16: "*fp16",
    torch.int64: "*i64",
    torch.uint8: "*u8",
}


def compiled(function, values, constants, **options):
    """The machine code of a Hopper, for what a launch would pass."""
    types = {
        name: KINDS[x.dtype]
        if isinstance(x, torch.Tensor)
        else "fp32"
        if isinstance(x, float)
        else "i32"
        for name, x in values.items()
    }
    source = ASTSource(function, types | dict.fromkeys(constants, "constexpr"), constants)
    options = {"enable_fp_fusion": False, **options}
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options).asm["cubin"]


@needs_the_compiler
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_scaling_kernel_compiles_for_a_gpu(dtype):
    double = dtype == torch.float64
    factor = torch.ones((), dtype=torch.float64 if double else torch.float32)
    values = {"x_": torch.ones(1, dtype=dtype), "factor_": factor, "size": 1}
    assert compiled(scale_kernel, values, {"DOUBLE": double, "BLOCK": 4096})


@pytest.fixture
def launches(monkeypatch):
    """Tensors on the CPU pass for those on a GPU; a launch compiles the kernel, and is counted."""
    done = []

    def launch(text, tile, programs, values):
        sizes = {"BLOCK": tile.block} | ({"ROWS": tile.rows} if text.kernel.class_axis else {})
        names = [name.partition(":")[0] for name in text.parameters]
        own = {name: values[name] for name in names if name not in sizes}
        assert compiled(triton_launch.compiled(text), own, sizes, num_warps=tile.warps)
        done.append(names)

    monkeypatch.setattr(engine_of_torch, "_has_values", lambda x: False)
    monkeypatch.setattr(engine_of_torch._Torch, "on_gpu", lambda library, x: True)
    monkeypatch.setattr(selection, "_without_triton", lambda device: None)
    monkeypatch.setattr(triton_launch, "_reachable", lambda x: None)
    monkeypatch.setattr(triton_launch, "_launch", launch)
    monkeypatch.setattr(triton_scale, "scale_in_place", lambda x, factor: x)
    return done


@needs_the_compiler
@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_what_the_engine_launches_compiles_for_a_gpu(launches, name):
    """Forward and backward, with the types that the engine passes."""
    loss = L.catalogue[name]
    target = torch.tensor([0, 4, 2]) if loss.class_axis else torch.randn(3)
    x = torch.randn(3, 5) if loss.class_axis else torch.randn(3)
    ones = torch.ones(3)
    for dtype, options in (
        (torch.float32, {"weight": ones, "mask": ones > 0}),
        (torch.bfloat16, {"reduction": "mean"}),
        (torch.float32, {"reduction": "none"}),
    ):
        y = target if loss.class_axis else target.to(dtype)
        own = x.to(dtype).requires_grad_()
        with kernels_only():
            value = loss(own, y, **options)
            torch.autograd.grad(value, own, torch.ones_like(value))
    # One forward pass each; the backward pass of halves, and of what is not reduced.
    assert len(launches) == 5
    assert sum("unless_" in names for names in launches) == 1
