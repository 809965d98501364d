"""NumPy's spellings, which are the array API's."""

from __future__ import annotations

from lossary.render.target import ATOM, BITS, IN_ORDER, IN_PAIRS, OPERATORS, POWER, UNARY, Target

SPELLINGS = {
    **OPERATORS,
    **IN_ORDER,
    **IN_PAIRS,
    "power": (POWER, "{0} ** {1}"),
    "absolute": (ATOM, "np.abs({0})"),
    "sign": (ATOM, "np.sign({0})"),
    "floor": (ATOM, "np.floor({0})"),
    "sqrt": (ATOM, "np.sqrt({0})"),
    "exp": (ATOM, "np.exp({0})"),
    "expm1": (ATOM, "np.expm1({0})"),
    "log": (ATOM, "np.log({0})"),
    "log1p": (ATOM, "np.log1p({0})"),
    "tanh": (ATOM, "np.tanh({0})"),
    "sin": (ATOM, "np.sin({0})"),
    "cos": (ATOM, "np.cos({0})"),
    "maximum": (ATOM, "np.maximum({0}, {1})"),
    "minimum": (ATOM, "np.minimum({0}, {1})"),
    "logical_and": (BITS, "{0} & {1}"),
    "logical_or": (BITS, "{0} | {1}"),
    "logical_not": (UNARY, "~{0}"),
    "where": (ATOM, "np.where({0}, {1}, {2})"),
    "total": (ATOM, "np.sum({0}, axis=-1, keepdims=True)"),
    "peak": (ATOM, "np.max({0}, axis=-1, keepdims=True)"),
    "argpeak": (ATOM, "np.argmax({0}, axis=-1, keepdims=True)"),
    "pick": (ATOM, "np.take_along_axis({0}, {1}, axis=-1)"),
    "class_index": (ATOM, "np.arange({like}.shape[-1])"),
    "class_count": (ATOM, "{like}.shape[-1]"),
}

TARGET = Target("numpy", "import numpy as np", SPELLINGS, "{0}.astype({like}.dtype)")
