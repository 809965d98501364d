"""The kernels for GPUs: they compile, and in Triton's interpreter or on a GPU they are right."""

import os
import re

import pytest

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")

from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

import lossary as L  # noqa: E402
from lossary.kernels import triton_launch  # noqa: E402
from lossary.render.programs import word  # noqa: E402
from made_kernels import kernel  # noqa: E402
from samples import each_with_kernels  # noqa: E402
from triton_runs import run  # noqa: E402

pytestmark = pytest.mark.representative

CASES = "triton_cases.py"


def test_in_the_interpreter(lane):
    """Also on a machine with a GPU: there the interpreter shows whether Triton or the text errs."""
    run(CASES, *lane, TRITON_INTERPRET="1", CUDA_VISIBLE_DEVICES="")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_the_gpu():
    run(CASES, "--thorough", TRITON_INTERPRET="0")


# --------------------------------------------------------------- compilation, without any GPU

POINTERS = {
    "float64": "*fp64",
    "float32": "*fp32",
    "bfloat16": "*bf16",
    "float16": "*fp16",
    "integer": "*i64",
    "boolean": "*u8",
}
HOPPER = GPUTarget("cuda", 90, 32)


def signature(program):
    """The types of a kernel's parameters."""
    made = program.kernel
    stored = {f"{word(o.name)}_": o.storage for o in made.operands if o.place != "number"}
    stored |= {f"{r.name}_": r.storage for r in made.results}
    stored |= {"weight_": made.weight, "upstream_": made.upstream, "mask_": "boolean"}
    stored |= {"sums_": "float64"}
    types = {}
    for parameter in program.parameters:
        name, _, constant = parameter.partition(": tl.")
        if constant:
            types[name] = constant
        elif name == "unless_":
            types[name] = POINTERS["float32"]
        elif name in stored:
            types[name] = POINTERS[stored[name]]
        elif name.endswith("_"):  # a number on the device
            types[name] = POINTERS[program.work]
        else:
            types[name] = "i32" if name.endswith(("_step", "rows", "classes", "size")) else "fp32"
    return types


def compiled(made, *, streamed=False, pointers=frozenset()):
    """Return the assembly of a kernel for a small tile."""
    program = triton_launch.program_of(made, streamed=streamed, pointers=pointers, unless=True)
    function = triton_launch.compiled(program)
    tile = {"BLOCK": 32, "ROWS": 1} if made.class_axis else {"BLOCK": 32}
    source = ASTSource(function, signature(program), tile)
    options = {"num_warps": 1, "enable_fp_fusion": False}
    return triton.compile(source, target=HOPPER, options=options).asm


@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter is chosen")
@each_with_kernels
def test_every_loss_compiles_for_a_gpu(loss):
    """Down to the machine code of a Hopper, with weights, masks and checks."""
    made, _ = kernel(loss, storage="bfloat16", weight="float32", mask=True)
    # Functions of float32 must not be the processor's approximations; halves need its 2^x only.
    for streamed in (False, True) if loss.class_axis else (False,):
        assembly = compiled(made, streamed=streamed)
        assert assembly["cubin"]
        assert not re.search(r"(lg2|sqrt|tanh|sin)\.approx", assembly["ptx"])


@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter is chosen")
@pytest.mark.parametrize("name", ["focal", "cross_entropy", "cosine_embedding"])
def test_float64_with_numbers_on_the_device_compiles(name):
    loss = L.catalogue[name]
    made, numbers = kernel(
        loss, parameters={a.name: 0.5 for a in loss.parameters}, storage="float64"
    )
    pointers = frozenset(map(word, numbers)) | {"scale"}
    for streamed in (False, True) if loss.class_axis else (False,):
        assert compiled(made, streamed=streamed, pointers=pointers)["cubin"]


def test_on_the_cpu_the_error_says_what_to_do(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    made, numbers = kernel(L.squared_error)
    x = torch.zeros(3)
    with pytest.raises(RuntimeError, match="on the CPU"):
        triton_launch.run(made, {"prediction": x, "target": x}, numbers)


def test_tiles_hold_rows_that_fit():
    made, _ = kernel(L.cross_entropy)
    for classes in (1, 2, 3, 1023, 1024, 1025, 16_384, 16_385, 262_144):
        chosen = triton_launch.tile(made, classes)
        assert chosen.block & (chosen.block - 1) == 0
        assert chosen.streamed or chosen.block >= classes
        assert chosen.rows * chosen.block <= 32 * 32 * chosen.warps
        assert chosen.streamed == (classes > 16_384)


def test_heavy_formulas_get_smaller_tiles():
    light, heavy = (triton_launch.tile(kernel(x)[0], 1) for x in (L.huber, L.soft_focal))
    assert light.block == 2 * heavy.block == 1024
