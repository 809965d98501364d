"""What the oracle is asked: losses by libraries and types, and the ledger of what misses."""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.accuracy.measure import errors
from lossary.accuracy.samples import SUBNORMAL
from lossary.accuracy.truth import truths
from lossary.formula import walk

SOURCES = (*NAMES, "fused")  # the last is NumPy through the kernels

LEDGER = tomllib.loads((Path(__file__).parent / "gaps.toml").read_text())
SIZE = 60
STEP = 4  # without --thorough every so many of the points are measured
TYPES = ("float64", "float32", "float16", "bfloat16")
EVERY = "all"  # the ledger's word for a gap of a whole library


def key(gap):
    return gap["loss"], gap["library"], gap["dtype"], gap["what"]


GAPS = {key(gap): gap for gap in LEDGER["gaps"]}

# Half precision is widened on the way in and rounded on the way out, by the library and not by
# the loss: NumPy and PyTorch show it for every loss, others for one of each family and the gaps.
ONE_OF_EACH = {loss.family: name for name, loss in reversed(L.catalogue.items())}.values()
WIDENED = {("jax", "float16"), ("jax", "bfloat16"), ("torch", "float16")} | {
    ("tensorflow", "float16"), ("tensorflow", "bfloat16"),
}  # fmt: skip


def is_measured(name, library, dtype):
    if library == "fused":
        return dtype in {"float64", "float32"}
    if (library, dtype) in WIDENED:
        return name in ONE_OF_EACH or any(k[:3] == (name, library, dtype) for k in GAPS)
    return (library, dtype) != ("numpy", "bfloat16")


MARKS = {
    ("numpy", "float64"): (),
    ("numpy", "float32"): (),
    ("fused", "float32"): pytest.mark.covering,
}
"""All losses are measured by NumPy, and every part of a kernel in one type: a kernel takes a second
to compile, and the texts of the other libraries are the same expressions.
"""


CASES = [
    pytest.param(
        (name, library, dtype),
        id=f"{name}-{library}-{dtype}",
        marks=MARKS.get((library, dtype), pytest.mark.representative),
    )
    for name in L.catalogue
    for library in SOURCES
    for dtype in TYPES
    if is_measured(name, library, dtype)
]


@cache
def is_of_pairs(loss):
    """Whether a loss sums over all pairs of the members of a row."""
    return any(n.operator == "total_of_others" for n in walk(loss.expression(frozenset())))


def true_values(loss, dtype, step):
    """The batches with their truths; float16 and bfloat16 have fewer numbers."""
    size = SIZE if dtype in {"float64", "float32"} else SIZE // 3
    if step > 1 and is_of_pairs(loss):  # in a row of 20 mpmath computes 190 pairs for each slope
        return truths(loss, dtype, size, step=4 * step, longest=10)
    return truths(loss, dtype, size, step=step)


@cache
def parts(name, library, dtype, step):
    """The errors of a case."""
    truth = true_values(L.catalogue[name], dtype, step)
    if library == "fused":
        pytest.importorskip("numba")
        if step > 1:
            truth = at_usual_parameters(truth)
        return errors(L.catalogue[name], "numpy", dtype, truth, "fused")
    assert Library(library).module  # skips without the library
    if step > 1 and library == "jax":
        truth = of_two_lengths(truth)
    return errors(L.catalogue[name], library, dtype, truth)


def of_two_lengths(truth):
    """The batches of the shortest and the longest rows: JAX compiles each operation for each."""
    lengths = [next(iter(t.batch.arrays.values())).shape[1:] for t in truth]
    ends = min(lengths), max(lengths)
    return [t for t, length in zip(truth, lengths, strict=True) if length in ends]


def at_usual_parameters(truth):
    """The batches at the defaults, which come first.

    Each other setting is a kernel to compile, a second or more, of expressions that NumPy is
    measured with at that setting; what a kernel adds is the loop around them, of which Python runs
    the text at every setting (`engine/test_kernel_texts.py`).
    """
    usual = {name: x for name, x in truth[0].batch.parameters.items() if np.ndim(x) == 0}
    return [t for t in truth if all(t.batch.parameters[name] is x for name, x in usual.items())]


def worst(found, what, kind):
    """The largest error, and the largest in units of the bar."""
    chosen = [p for p in found if (p.what, p.kind) == (what, kind) and p.errors.size]
    return (
        max((float(p.errors.max()) for p in chosen), default=0.0),
        max((float(p.errors.max()) / p.bar for p in chosen), default=0.0),
    )


def has_subnormal_numbers(library, dtype):
    """Whether the library computes with them; the values of half precision are float32."""
    kind = "float32" if dtype == "float16" else dtype
    return (EVERY, library, kind, SUBNORMAL) not in GAPS
