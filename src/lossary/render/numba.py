"""Numba's spellings: scalar arithmetic in float64, with our own vector mathematics."""

from __future__ import annotations

import re
from dataclasses import replace

from lossary.render.spare import WORDS
from lossary.render.target import ATOM, OPERATORS, UNARY, Target

SPELLINGS = {
    **OPERATORS,
    "power": (ATOM, "power({0}, {1})"),
    "absolute": (ATOM, "abs({0})"),
    "sign": (ATOM, "sign({0})"),
    "floor": (ATOM, "floor({0})"),
    "sqrt": (ATOM, "sqrt({0})"),
    "exp": (ATOM, "exp({0})"),
    "expm1": (ATOM, "expm1({0})"),
    "log": (ATOM, "log({0})"),
    "log1p": (ATOM, "log1p({0})"),
    "tanh": (ATOM, "tanh({0})"),
    "sin": (ATOM, "sin({0})"),
    "cos": (ATOM, "cos({0})"),
    "maximum": (ATOM, "maximum({0}, {1})"),
    "minimum": (ATOM, "minimum({0}, {1})"),
    "logical_and": (ATOM, "both({0}, {1})"),
    "logical_or": (ATOM, "either({0}, {1})"),
    "logical_not": (UNARY, "not {0}"),
    "where": (ATOM, "select({0}, {1}, {2})"),
    "total": (ATOM, "lane_sum({0})"),
    "peak": (ATOM, "block_peak({0}, n)"),
    "argpeak": (ATOM, "first_place({0}, n, {1})"),
    "pick": (ATOM, "{0}"),
    "log1p_unit": (ATOM, "log1p_unit({0})"),
    "power_of_positive": (ATOM, "power_of_positive({0}, {1})"),
    "class_index": (ATOM, "j"),
    "class_count": (ATOM, "float64(classes)"),
}

TARGET = Target("numba", "from numba import njit", SPELLINGS, "{0}", number="{0}", own=WORDS)

SINGLE = replace(
    TARGET,
    spellings={
        **SPELLINGS,
        "exp": (ATOM, "exp_single({0})"),
        "exp_difference": (ATOM, "exp_difference({0}, {1})"),
    },
    own=WORDS | {"exp_difference"},
)
"""What belongs to a class, in float32: ``lanes`` says which functions that can be."""

LOADS = {
    "float64": "{0}",
    "float32": "float64({0})",
    "bfloat16": "bfloat16_to_float64({0})",
    "float16": "float16_to_float64({0})",
    "integer": "float64({0})",
    "boolean": "float64({0})",
}
STORES = {
    "float64": "{0}",
    "float32": "float32({0})",
    "bfloat16": "float64_to_bfloat16({0})",
    "float16": "float64_to_float16({0})",
}

# Where the words of a kernel come from.
_SOURCES = {
    "numba": ("float32", "float64", "int32", "njit"),
    "math": ("cos", "inf", "nan", "sin"),
    "lossary.kernels.vector_math": (
        "bfloat16_to_float64", "float16_to_float64", "float64_to_bfloat16", "float64_to_float16",
        "floor", "maximum", "minimum", "sign", "sqrt",
    ),
    "lossary.kernels.vector_math.single": ("exp as exp_single", "exp_difference"),
    "lossary.kernels.sums": ("add", "block_peak", "block_sum", "both", "counted", "either",
                             "first_place", "lane_sum"),
    "lossary.kernels.vector_math.machine": ("select",),
    "lossary.kernels.apart": ("Apart",),
}  # fmt: skip

# Functions that come exact, and faster where float64 has precision to spare.
_PRECISE = {
    "lossary.kernels.vector_math": ("exp", "expm1", "log", "log1p", "power", "tanh"),
}
_SPARE = {
    # The exact logarithms: a difference of two may be far smaller than each.
    "lossary.kernels.vector_math": ("log", "log1p", "power_plain as power"),
    "lossary.kernels.vector_math.spare": (
        "exp", "expm1", "log1p_unit", "power as power_of_positive", "tanh",
    ),
}  # fmt: skip


def imports(text: str, spare: bool) -> str:
    """Return the lines that import the words of a text."""
    functions = _SPARE if spare else _PRECISE
    words = set(re.findall(r"\w+", text))
    lines = ["import numpy as np"]
    for module in dict.fromkeys([*_SOURCES, *functions]):
        names = (*_SOURCES.get(module, ()), *functions.get(module, ()))
        if used := sorted(name for name in names if name.split()[-1] in words):
            lines.append(f"from {module} import {', '.join(used)}")
    return "\n".join(lines)
