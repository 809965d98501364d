"""What an object is, told by its type before its memory is read.

The memory of a masked, sparse or symbolic array, or of one with units, is not the numbers that it
stands for. Such an array is honoured or refused by name, never read as a plain one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from lossary.errors import DtypeError

_FILL = "fill it with x.filled(value), or drop what is masked with x.compressed()"

# Module and name of a class among the ancestors (an empty name stands for all): words, way out.
_NOT_PLAIN: tuple[tuple[str, str, str, str], ...] = (
    ("numpy.ma", "MaskedArray", "a masked array", _FILL),
    ("numpy", "matrix", "a numpy.matrix", "pass np.asarray(x)"),
    ("scipy.sparse", "", "a sparse array", "pass x.toarray()"),
    ("jax.experimental.sparse", "", "a sparse array", "pass x.todense()"),
    ("torch.masked", "MaskedTensor", "a MaskedTensor",
     "pass x.get_data(), and mask=x.get_mask() to the loss"),
    ("tensorflow", "RaggedTensor", "a RaggedTensor",
     "pass x.to_tensor(), and mask=tf.sequence_mask(x.row_lengths()) to the loss"),
    ("tensorflow", "SparseTensor", "a SparseTensor", "pass tf.sparse.to_dense(x)"),
    ("tensorflow", "IndexedSlices", "IndexedSlices", "pass tf.convert_to_tensor(x)"),
    ("keras", "Variable", "a Keras variable", "pass x.value"),
    ("keras", "KerasTensor", "a symbolic KerasTensor",
     "the losses of lossary.keras take it; this one takes numbers"),
)  # fmt: skip

_STRINGS = (
    "x.astype(float) reads numbers; np.unique(x, return_inverse=True) makes indices of classes"
)
_WAYS_OUT = {
    "O": "make it numbers with x.astype(float), once what is missing is filled or masked",
    "U": _STRINGS,
    "S": _STRINGS,
    "T": _STRINGS,
    "M": "count from a date: (x - start) / np.timedelta64(1, 's')",
    "m": "divide by a unit: x / np.timedelta64(1, 's')",
}


@cache
def is_masked(kind: type) -> bool:
    """Whether objects of a type are masked arrays of NumPy."""
    return any(_is(ancestor, "numpy.ma", "MaskedArray") for ancestor in kind.__mro__)


@cache
def refusal(kind: type) -> str | None:
    """Return what objects of a type are and the way out, if they cannot be read as numbers."""
    for module, name, words, hint in _NOT_PLAIN:
        if any(_is(ancestor, module, name) for ancestor in kind.__mro__):
            return f"{words}\nhint: {hint}"
    if issubclass(kind, np.ndarray) and any(
        getattr(kind, hook) is not getattr(np.ndarray, hook)
        for hook in ("__array_ufunc__", "__array_function__")
    ):
        # Arithmetic of its own, as with units: the bare numbers may mean something else.
        name = f"{kind.__module__}.{kind.__qualname__}"
        return f"{name}, a subclass of numpy.ndarray\nhint: pass the plain numbers that are meant"
    return None


def _is(kind: type, module: str, name: str) -> bool:
    return (not name or kind.__name__ == name) and f"{kind.__module__}.".startswith(f"{module}.")


def way_out(x: Any) -> str:
    """Return the hint for an array whose elements are no real numbers."""
    dtype: Any = getattr(x, "dtype", None)
    name = str(dtype).removeprefix("torch.").removeprefix("<dtype: '")
    if getattr(dtype, "names", None):
        hint = f"take one of its fields, such as x[{dtype.names[0]!r}]"
    elif name.startswith("key<"):
        hint = "pass jax.random.key_data(x)"
    elif name.startswith(("float8", "float4", "int4", "uint4", "int2", "uint2")):
        hint = "cast it to float32 or int32"
    elif name.startswith("string"):
        hint = "tf.strings.to_number(x) reads numbers"
    elif name.startswith(("qint", "quint")):
        hint = "make it floating-point numbers, with x.dequantize() or tf.quantization.dequantize"
    else:
        hint = _WAYS_OUT.get(getattr(dtype, "kind", ""), "")
    return f"\nhint: {hint}" if hint else ""


def plain(who: str, data: Any) -> np.ndarray:
    """Return data as a plain array of NumPy; DtypeError for what stands for other numbers.

    A masked array of which nothing is masked is a plain one.
    """
    if is_masked(type(data)):
        from numpy import ma

        if not ma.is_masked(data):
            return np.asarray(data)
    if (wrong := refusal(type(data))) or (wrong := refused_within(data)):
        raise DtypeError(f"{who} must be plain numbers, got {wrong}")
    return np.asarray(data)


def refused_within(data: Any) -> str | None:
    """Return the refusal of a list of masked arrays and the like, which would lose their masks."""
    if type(data) in {list, tuple}:
        for kind in {*map(type, data)}:
            if is_masked(kind):
                return "a list with masked arrays\nhint: make one of it: np.ma.array(x)"
            if wrong := refusal(kind):
                return f"a list with {wrong}"
    return None


def first_place(wrong: Any) -> tuple[int, ...]:
    """Return the index of the first True, as a message names it."""
    return tuple(map(int, np.argwhere(wrong)[0]))
