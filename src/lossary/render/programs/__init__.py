"""The programs of a GPU kernel in Triton: one read and one write of the data.

Elementwise losses take a block of elements per program. Losses with a class axis take a tile of
whole rows where a row fits on the chip (``resident``: it is read once), else one row in blocks, as
often as the plan has passes (``streamed``: the row stays in the second cache). The arithmetic is
float32, and float64 where the data are.
"""

from __future__ import annotations

from lossary.render.programs.elements import elements
from lossary.render.programs.rows import begin, resident
from lossary.render.programs.streamed import Streamed
from lossary.render.programs.text import Text, word
from lossary.render.walk import indented

__all__ = ["Text", "source", "word"]

_IMPORTS = """import triton
import triton.language as tl

import lossary.kernels.triton_math.{} as real
"""

_ARITHMETIC = {"float64": "double", "float32": "single"}


def source(text: Text) -> str:
    """Return the source of a module with one function, ``NAME_kernel``."""
    vars(text).pop("scope", None)
    if text.kernel.class_axis:
        body = [*begin(text), *(Streamed(text).lines() if text.streamed else resident(text))]
    else:
        body = list(elements(text))
    if text.unless:
        body = ["if tl.load(unless_) == 1.0:", "    return", *body]
    header = [f"{name}," for name in text.parameters]
    lines = ["@triton.jit", f"def {text.kernel.name}_kernel(", *indented(header), "):"]
    return "\n".join([_IMPORTS.format(_ARITHMETIC[text.work]), "", *lines, *indented(body)]) + "\n"
