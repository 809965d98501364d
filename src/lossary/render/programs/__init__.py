"""The programs of a GPU kernel in Triton: one read and one write of the data.

Elementwise losses take a block of elements per program. Losses with a class axis take a tile of
whole rows where a row fits on the chip (``resident``: it is read once), else one row in blocks, as
often as the plan has passes (``streamed``: the row stays in the second cache). The arithmetic is
float32, and float64 where the data are.
"""

from __future__ import annotations

from lossary.render.programs.elements import elements
from lossary.render.programs.rows import begin, resident
from lossary.render.programs.shared import TritonProgram, word
from lossary.render.programs.streamed import Streamed
from lossary.render.walk import indented

__all__ = ["TritonProgram", "source", "word"]

_IMPORTS = """import triton
import triton.language as tl

import lossary.kernels.triton_math.{} as real
"""

_ARITHMETIC = {"float64": "double", "float32": "single"}


def source(program: TritonProgram) -> str:
    """Return the source of a module with one function, ``NAME_kernel``."""
    vars(program).pop("scope", None)
    if program.kernel.class_axis:
        body = [
            *begin(program),
            *(Streamed(program).lines() if program.streamed else resident(program)),
        ]
    else:
        body = list(elements(program))
    if program.unless:
        body = ["if tl.load(unless_) == 1.0:", "    return", *body]
    header = [f"{name}," for name in program.parameters]
    lines = ["@triton.jit", f"def {program.kernel.name}_kernel(", *indented(header), "):"]
    return (
        "\n".join([_IMPORTS.format(_ARITHMETIC[program.work]), "", *lines, *indented(body)]) + "\n"
    )
