"""Compiled functions that call each other by address: each is compiled once, whoever calls it."""

import pytest

numba = pytest.importorskip("numba")

import numpy as np  # noqa: E402

import lossary as L  # noqa: E402
from lossary.engine.recipes.recipe import drafted  # noqa: E402
from lossary.kernels import modules  # noqa: E402
from lossary.kernels.linking import by_address  # noqa: E402


@numba.njit(error_model="numpy")
def inner(x):
    if x < 0:
        raise ValueError("below zero")
    return 3.0 / x


word = by_address(inner, "(float64,)")


@numba.njit("float64(float64)", error_model="numpy")
def outer(x):
    return word(x) + 1.0


def test_results_and_errors_are_those_of_the_function():
    assert outer(2.0) == 2.5
    with pytest.raises(ValueError, match="below zero"):
        outer(-1.0)


def test_its_code_is_not_that_of_the_caller():
    (made,) = outer.overloads.values()
    (own,) = inner.overloads.values()
    assert "fdiv" in own.library.get_llvm_str()
    assert "fdiv" not in made.library.get_llvm_str()


def test_other_types_are_another_function():
    whole = by_address(inner, "(int64,)")
    doubled = numba.njit("float64(int64)")(lambda x: 2.0 * whole(x))
    assert doubled(4) == 1.5
    assert outer(4.0) == 1.75


@pytest.mark.parametrize("loss", [L.huber, L.cross_entropy, L.binary_cross_entropy])
def test_all_around_a_kernel_call_it_with_the_same_types(loss):
    """Each other kind of call would compile it once more."""
    data = {"label": np.array([0, 1]), "logits": np.ones((2, 3), np.float32)}
    arrays = tuple(data.get(a.name, np.ones(2, np.float32)) for a in loss.inputs)
    _, printed = drafted(loss, arrays, {"weight": np.ones(2)}, (0,))
    own, *around = printed(marking=True)
    function = getattr(modules.load(*own), f"fused_{loss.name}")
    before = set(function.overloads)  # of other tests
    for text in around:
        modules.load(*text)
    assert len(around) == 2
    assert len(set(function.overloads) - before) <= 1
