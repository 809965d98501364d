"""The loops of a CPU kernel: one pass over memory, in float64 throughout."""

from __future__ import annotations

from lossary.render.kernel import Kernel
from lossary.render.loops.columns import columns
from lossary.render.loops.elements import elements
from lossary.render.loops.rows import rows
from lossary.render.loops.shared import parameters
from lossary.render.numba import imports

__all__ = ["kernel_text"]


def kernel_text(kernel: Kernel, *, cached: bool, short: bool = False) -> str:
    """Print a kernel as the source of a module with one function, named like the kernel.

    ``short`` rows, of few classes, are computed side by side.
    """
    loops = (columns if short else rows) if kernel.class_axis else elements
    body = list(loops(kernel))
    header = f"def {kernel.name}({', '.join(parameters(kernel))}):"
    options = f"nogil=True, error_model='numpy', cache={cached}, pipeline_class=Apart"
    text = "\n".join([f"@njit({options})", header, *(f"    {line}" for line in body)]) + "\n"
    return f"{imports(text, kernel.spare)}\n\n\n{text}"
