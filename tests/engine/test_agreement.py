"""Every library gives the numbers of NumPy in float64: value, gradient, second derivative.

In a narrow type the reference is the same computation in float64 on the same narrow numbers; its
own error, when it is stored in the narrow type, is half a unit in the last place. No library may
be off by more than a stated multiple of that.
"""

from math import log10

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.domain import Logits, Simplex
from lossary.functions import class_count, log, sqrt, total
from samples import LOSSES, arrays, parameters

pytestmark = pytest.mark.representative

ROWS = 6
# Half units in the last place, of the largest number in the row for losses of rows.
ALLOWED = 16
# A second derivative that changes its sign is a difference of larger parts.
CHANGING = {
    "bi_tempered": 64,
    "generalized_dice": 32,
    "soft_categorical_focal": 64,
}
WIDTHS = {"float64": 2.0**-53, "float32": 2.0**-24, "bfloat16": 2.0**-8, "float16": 2.0**-11}

CASES = [
    pytest.param(loss, name, dtype, id=f"{loss.name}-{name}-{dtype}")
    for loss in LOSSES
    for name in NAMES
    for dtype in WIDTHS
    if (name, dtype) not in {("numpy", "float64"), ("numpy", "bfloat16")}
]


@L.loss(source="a test: the number of classes is a plain number to some libraries")
def by_width(logits: Logits, target: Simplex):
    return total(logits * target) / sqrt(class_count()) + log(2 * class_count()) * total(logits**2)


@pytest.mark.representative
@pytest.mark.parametrize("name", NAMES)
def test_functions_of_the_number_of_classes(name):
    library = Library(name)
    with library.wide():
        check_agreement(by_width, library, "float64")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("loss", "name", "dtype"), CASES)
def test_the_library_agrees_with_numpy_in_float64(loss, name, dtype):
    library = Library(name)
    if dtype == "float64":
        with library.wide():
            check_agreement(loss, library, dtype)
    else:
        check_agreement(loss, library, dtype)


def narrowed(library, data, dtype):
    """The data in the library's narrow type, and what these narrow numbers are in float64."""
    held = [library.array(x, dtype if x.dtype.kind == "f" else x.dtype.name) for x in data]
    return held, [library.plain(h).astype(x.dtype) for h, x in zip(held, data, strict=True)]


def ordinary(loss):
    """Scales of 1, where a default is for cosines: others go to the ends of a narrow type."""
    return {
        a.name: a.domain.neutral
        for a in loss.parameters
        if a.domain.name == "Positive"
        and isinstance(a.default, float)
        and abs(log10(a.default)) >= 1
    }


def check_agreement(loss, library, dtype):
    data = arrays(loss, np.random.default_rng(12), (ROWS,))
    held, exact = narrowed(library, data, dtype)
    more = {"check": False, **parameters(loss), **ordinary(loss)}
    result = "float64" if dtype == "float64" else "float32"

    value = loss(*held, reduction="none", **more)
    assert library.dtype(value) == result
    compare(library.plain(value), loss(*exact, reduction="none", **more), WIDTHS[result])

    for derive in (loss.gradient, loss.hessian):
        found = derive(*held, reduction="sum", **more)
        assert library.dtype(found) == dtype
        allowed = CHANGING.get(loss.name, ALLOWED) if derive == loss.hessian else ALLOWED
        truth = derive(*exact, reduction="sum", **more)
        compare(library.plain(found), truth, WIDTHS[dtype], allowed)

    mean, slope = loss.value_and_gradient(*held, **more)
    truth = loss.value_and_gradient(*exact, **more)
    compare(library.plain(mean), truth[0], WIDTHS[result], ROWS * ALLOWED)
    compare(library.plain(slope), truth[1], WIDTHS[dtype])

    if library.name != "numpy":  # what the library's own differentiation hands out
        own, slope = library.slope(lambda x: loss(x, *held[1:], **more), held[0])
        assert library.dtype(slope) == dtype
        compare(library.plain(own), truth[0], WIDTHS[result], ROWS * ALLOWED)
        compare(library.plain(slope), truth[1], WIDTHS[dtype])


def compare(found, truth, half_unit, allowed=ALLOWED):
    found, truth = np.asarray(found, dtype=np.float64), np.asarray(truth)
    assert found.shape == truth.shape
    size = np.max(np.abs(truth), axis=-1, keepdims=True) if truth.ndim else np.abs(truth)
    assert np.all(np.abs(found - truth) <= allowed * half_unit * size)
