"""Elementary functions for Triton, in float32 and float64, with errors below about one ulp.

Triton's own ``exp`` of a float32 multiplies by log2(e) and asks the processor for 2^x: the rounding
of the product alone is worth up to 60 ulp. Its ``log1p``, ``expm1`` and ``tanh`` exist only where
CUDA's library does, so not in the interpreter. ``machine`` has what every Triton target has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import triton
import triton.language as tl

from lossary.kernels import modules
from lossary.kernels.elementary import exponential, logarithm, plain, powers, spelled
from lossary.kernels.elementary.coefficients import evaluated, polynomials
from lossary.kernels.triton_math import machine

__all__ = ["functions"]

_MODULES = (machine, plain, exponential, logarithm, powers)


def functions(title: str, constants: Mapping[str, float], prefix: str, bits: int) -> dict[str, Any]:
    """Return the functions of a format for the module ``title``."""
    own = {
        **constants,
        "FLOAT": tl.dtype(f"fp{bits}"),
        "INTEGER": tl.dtype(f"int{bits}"),
        "SIGN": -1 << bits - 1,
    }
    words = {name: tl.constexpr(value) for name, value in own.items()}
    words |= {word: _series(word, own, title) for word, own in polynomials(prefix).items()}
    return spelled(title, _MODULES, {"tl": tl, **words}, triton.jit, tl.constexpr)


def _series(name: str, coefficients: Sequence[float], title: str) -> Any:
    """Return a polynomial; Triton reads the text of a function, so that there has to be one."""
    lines: list[str] = []

    def times(x: str, y: str) -> str:
        lines.append(f"x{len(lines)} = {x} * {y}")
        return f"x{len(lines) - 1}"

    def fused(a: str, b: str, c: str) -> str:
        return f"tl.fma({a}, {b}, {c})"

    # A GPU has other work while it waits; only long series are worth a multiplication more.
    count = len(coefficients)
    result = evaluated([*map(repr, coefficients)], "x", fused, times, (count > 3) + (count > 6))
    body = "\n    ".join([*lines, f"return {result}"])
    imports = "import triton\nimport triton.language as tl"
    text = f"{imports}\n\n\n@triton.jit\ndef {name}(x):\n    {body}\n"
    return vars(modules.in_memory(f"{title}.{name}", text))[name]
