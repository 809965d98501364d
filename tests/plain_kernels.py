"""The texts of CPU kernels run by plain Python: nothing is compiled, so that many can be tried.

What stands for the compiled functions is NumPy's; how those themselves are is tested elsewhere.
"""

import contextlib
import re
from types import SimpleNamespace

import ml_dtypes
import numpy as np

from engines import agree
from lossary.engine import forms, machine_code
from lossary.kernels import modules
from samples import sample

NEAR = {"float64": 1e-9, "float32": 1e-6, "float16": 2e-3, "bfloat16": 1.6e-2}
"""How far results may lie apart, by what they are stored in."""


def added(total, error, value):
    """The compensated sum of `lossary.kernels.sums.add`."""
    rounded = total + value
    lost = (total - rounded) + value if abs(total) >= abs(value) else (value - rounded) + total
    return rounded, error + (lost if abs(rounded) < np.inf else 0.0)


def widened(dtype):
    return lambda word: np.float64(np.uint16(word).view(dtype))


def narrowed(dtype):
    return lambda number: np.asarray(number).astype(dtype).view(np.uint16)


def unwritten(shape, dtype=np.float64):
    """Room in which what nobody has written shows."""
    return np.full(shape, {np.bool_: True, np.int64: -1}.get(dtype, np.nan), dtype)


WORDS = {
    "njit": lambda **options: lambda function: function,
    "Apart": None,
    "float32": np.float32,
    "float64": np.float64,
    "inf": np.inf,
    "nan": np.nan,
    "add": added,
    "int32": np.int32,
    "block_peak": lambda values, n: values[:n].max(),
    "block_sum": lambda values, n: np.sum(values[:n], dtype=np.float64),
    "counted": lambda count, truth: count + bool(truth),
    "first_place": lambda values, n, value: int(np.argmax(values[:n] == value)),
    "both": lambda x, y: bool(x) and bool(y),
    "either": lambda x, y: bool(x) or bool(y),
    "lane_sum": lambda total, value: total + value,
    "exp_difference": lambda x, y: np.exp(x - y),
    "select": lambda condition, x, y: x if condition else y,
    "power_plain": np.power,
    "power_of_positive": np.power,
    "log1p_unit": np.log1p,
    "bfloat16_to_float64": widened(ml_dtypes.bfloat16),
    "float16_to_float64": widened(np.float16),
    "float64_to_bfloat16": narrowed(ml_dtypes.bfloat16),
    "float64_to_float16": narrowed(np.float16),
} | {
    name: getattr(np, name)
    for name in (
        "exp", "expm1", "log", "log1p", "tanh", "power", "sqrt", "floor", "sign", "maximum",
        "minimum", "sin", "cos",
    )
}  # fmt: skip

IMPORT = re.compile(r"^from \S+ import (.*)$", re.MULTILINE)


def plain(name, text):
    """The module of a kernel, as Python runs it."""
    kinds = {"int64": np.int64, "bool_": np.bool_, "float32": np.float32}
    known = {"np": SimpleNamespace(empty=unwritten, **kinds)}
    for line in IMPORT.findall(text):
        for word in line.split(", "):
            source, _, alias = word.partition(" as ")
            known[alias or source] = WORDS.get(source) or WORDS[source.removeprefix("spare_")]
    body = IMPORT.sub("", text).replace("import numpy as np", "")
    exec(body, known)
    function = known[name]

    def run(first, last, step, *arguments):
        with np.errstate(all="ignore"):
            numbers = [np.float64(a) if isinstance(a, float) else a for a in arguments]
            function(first, last, step, *numbers)

    return SimpleNamespace(**{name: run})


@contextlib.contextmanager
def nothing_compiled():
    """Let Python run the texts of kernels, and forget the ones that were made before."""
    load, made = modules.load, dict(machine_code._machine_code)
    modules.load = plain
    forget()
    try:
        yield
    finally:
        modules.load = load
        forget()
        machine_code._machine_code.update(made)


def forget():
    machine_code._machine_code.clear()
    forms.source.cache_clear()


def check_kernel(loss, classes, dtype="float64", reduction="none", **options):
    """A kernel gives what the array text gives."""
    arrays, parameters = sample(loss, shape=(5,), classes=classes, dtype=dtype)
    options = {name: value[:5] if np.ndim(value) else value for name, value in options.items()}
    with nothing_compiled():
        agree(
            loss.value_and_gradient,
            *arrays,
            near=NEAR,
            reduction=reduction,
            **parameters | options,
        )
