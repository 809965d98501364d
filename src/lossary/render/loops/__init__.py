"""The loops of a CPU kernel: one pass over memory, in float64 but for rows that ``lanes`` names."""

from __future__ import annotations

from dataclasses import replace

from lossary.render.kernel import Kernel
from lossary.render.loops.columns import Columns
from lossary.render.loops.elements import Elements
from lossary.render.loops.rows import Rows
from lossary.render.loops.shared import parameters
from lossary.render.numba import imports
from lossary.render.walk import indented

__all__ = ["kernel_text"]


def kernel_text(kernel: Kernel, *, cached: bool, short: bool = False) -> str:
    """Print a kernel as the source of a module with one function, named like the kernel.

    ``short`` rows, of few classes, are computed side by side.
    """
    loops = (Columns if short else Rows) if kernel.class_axis else Elements
    kernel = replace(kernel, single=loops is Rows and kernel.suits_single)
    header = f"def {kernel.name}({', '.join(parameters(kernel))}):"
    options = f"nogil=True, error_model='numpy', cache={cached}, pipeline_class=Apart"
    text = "\n".join([f"@njit({options})", header, *indented(loops(kernel).lines())]) + "\n"
    return f"{imports(text, kernel.spare)}\n\n\n{text}"
