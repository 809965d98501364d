"""A call by each engine: the fused kernels against the array library's own operations."""

import contextlib

import numpy as np

import lossary as L
from lossary.engine import evaluate

# Both engines compute in float64, with elementary functions of their own; a narrower result is
# the same number rounded, but for a tie. Random inputs cancel a few digits of some gradients.
NEAR = {"float64": 1e-12, "float32": 1.3e-7, "float16": 1e-3, "bfloat16": 8e-3}


class AnotherRoadError(AssertionError):
    """The array library computed what a kernel should have computed."""


@contextlib.contextmanager
def kernels_only():
    """Only kernels may compute: what falls back on the array library fails the test."""
    work_of = evaluate.work_of

    def refuse(call, choice):
        raise AnotherRoadError(f"{call.definition.name} was not computed by a kernel")

    evaluate.work_of = refuse
    try:
        with L.using(engine="fused"):
            yield
    finally:
        evaluate.work_of = work_of


def by_kernels(function, *arguments, **options):
    """What a function of the public interface returns if only kernels may compute."""
    with kernels_only():
        return function(*arguments, **options)


def by_operations(function, *arguments, **options):
    """What it returns by the array library's operations."""
    with L.using(engine="array"):
        return function(*arguments, **options)


def agree(function, *arguments, near=NEAR, **options):
    """Both engines return the same type, shape and numbers; return what the kernels found."""
    found = by_kernels(function, *arguments, **options)
    expected = by_operations(function, *arguments, **options)
    same(found, expected, near)
    return found


def same(found, expected, near=NEAR):
    """Compare results, or tuples of them."""
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for mine, own in zip(found, expected, strict=True):
            same(mine, own, near)
        return
    assert type(found) is type(expected)
    assert getattr(found, "dtype", None) == getattr(expected, "dtype", None)
    assert np.shape(found) == np.shape(expected)
    dtype = getattr(found, "dtype", np.dtype(float))
    name = getattr(dtype, "name", str(dtype).removeprefix("torch."))
    np.testing.assert_allclose(plain(found), plain(expected), rtol=near[name], atol=0)


def plain(x):
    """As float64 of NumPy."""
    if type(x).__module__.startswith("torch"):
        x = x.detach().double().numpy()
    return np.asarray(x).astype(np.float64)


def outcome(function, *arguments, **options):
    """The type and the words of the error that a call raises."""
    try:
        return function(*arguments, **options)
    except Exception as error:  # noqa: BLE001  (whatever it is, both engines must raise it)
        return type(error), str(error)
