"""The same numbers give the same bits, wherever arrays lie in memory.

LLVM may look at run time how far apart arrays lie before it takes a loop with vectors, in which a
sum has another last bit.
"""

import os
import platform
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

import lossary as L
from engines import by_kernels, by_operations, kernels_only
from libraries import imported
from samples import arrays, each_loss, each_with_kernels, parameters

pytestmark = pytest.mark.representative

numba = pytest.importorskip("numba")

FAR = 1 << 13
"""Bytes: farther than any vector loop reaches at once."""

# One loss for each way through a kernel, and some whose elements cost least.
SOME = ("huber", "absolute_error", "quantile", "focal", "cross_entropy", "soft_cross_entropy")
some = pytest.mark.parametrize("name", SOME)


def placed(values, order, gap, shift):
    """Copies of arrays in one buffer, in that order and so many bytes apart."""
    room = np.zeros(sum(x.nbytes + gap + 64 for x in values) + shift + 64, np.uint8)
    place = -room.ctypes.data % 64 + shift
    found = {}
    for i in order:
        there = room[place : place + values[i].nbytes].view(values[i].dtype)
        found[i] = there.reshape(values[i].shape)
        found[i][...] = values[i]
        place += values[i].nbytes + gap
    return [found[i] for i in range(len(values))]


def bits(found):
    parts = found if isinstance(found, tuple) else (found,)
    return b"".join(np.asarray(x).tobytes() for x in parts)


def anywhere(call, values, shifts=(0, 8)):
    """The different results of a call on copies of its arrays that lie here and there."""
    orders = list(permutations(range(len(values))))
    places = [(o, gap, shift) for o in orders for gap in (0, 16, FAR) for shift in shifts]
    return {bits(call(*placed(values, *place))) for place in places}


def derivative(road, method, options):
    """A call whose last array is where the derivative goes."""

    def call(*given):
        *inputs, out = given
        return road(method, *inputs, out=out, **options)

    return call


# Elements: fewer and more than a loop of vectors takes at once, for 2 to 8 lanes, 1 to 4 at a time.
SIZES = (3, 7, 8, 9, 10, 12, 13, 20, 33, 40)


def draws(loss, dtype="float64", sizes=SIZES, classes=(4,)):
    rng = np.random.default_rng(0)
    rows = any(a.domain.class_axis for a in loss.inputs)
    for number in (3, 10) if rows else sizes:
        for count in classes if rows else (4,):
            yield arrays(loss, rng, (number,), count, dtype)


@each_with_kernels
def test_bits_do_not_depend_on_where_arrays_lie(loss):
    options = parameters(loss)
    for values in draws(loss):
        for road in (by_kernels, by_operations):
            call = derivative(road, loss.value_and_gradient, options)
            assert len(anywhere(call, [*values, np.zeros_like(values[0])])) == 1


@pytest.mark.parametrize("name", ["huber", "quantile", "cross_entropy"])
def test_bits_of_all_results_do_not_depend_on_where_arrays_lie(name):
    loss = L.catalogue[name]
    for values in draws(loss, "float32", (7, 10, 20), (4, 140)):
        weight = np.linspace(0, 2, len(values[0]))
        for method, options in ((loss.hessian, {}), (loss.value_and_gradient, {"weight": weight})):
            call = derivative(by_kernels, method, options)
            assert len(anywhere(call, [*values, np.zeros_like(values[0])], (0, 4, 8))) == 1
        assert len(anywhere(lambda *inputs: by_kernels(loss, *inputs), values)) == 1


@some
def test_bits_do_not_depend_on_alignment(name):
    loss = L.catalogue[name]
    for values in draws(loss, sizes=(10,)):
        for road in (by_kernels, by_operations):
            found = anywhere(lambda *inputs: road(loss, *inputs), values, (0, 1, 4, 8))  # noqa: B023
            assert len(found) == 1


@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_a_gradient_over_the_prediction_is_the_same_bits(name):
    torch, loss = imported("torch"), L.catalogue[name]
    for values in draws(loss, sizes=(10, 40), classes=(4, 140)):
        found = set()
        for inplace in (False, True):
            x = torch.tensor(values[0], requires_grad=True)
            with kernels_only():
                value = loss(x * 1, torch.tensor(values[1]), inplace=inplace)
            value.backward()
            found.add(bits((value.detach(), x.grad)))
        assert len(found) == 1


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_gradient_may_go_over_a_prediction_that_shares_memory_with_the_target(shift):
    torch = imported("torch")
    room = torch.linspace(-3, 4, 52, dtype=torch.float64)
    expected = by_operations(L.huber.gradient, room[1:51], room[1 + shift : 51 + shift])
    leaf = room.clone().requires_grad_()
    together = leaf * 1
    prediction, target = together[1:51], together.detach()[1 + shift : 51 + shift]
    with kernels_only():
        L.huber(prediction, target, inplace=True).backward()
    assert torch.equal(leaf.grad[1:51], expected)


@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
@pytest.mark.usefixtures("recipes_at_once")
def test_bits_of_small_torch_tensors_do_not_depend_on_where_they_lie(name):
    torch = imported("torch")
    from lossary.torch import functional

    function = {"huber": functional.huber_loss, "cross_entropy": functional.cross_entropy}[name]

    def call(*inputs):
        x, target = map(torch.from_numpy, inputs)
        x = x.requires_grad_()
        value = function(x, target)
        value.backward()
        return value.detach(), x.grad

    for values in draws(L.catalogue[name], classes=(4, 140)):
        assert len(anywhere(call, values)) == 1


PROGRAM = """
import sys
sys.path[:0] = {folders!r}
from test_determinism import depending
print(*depending())
"""


def depending():
    """The names of some losses whose kernels look at addresses."""
    for name in ("huber", "absolute_error", "cross_entropy"):
        loss = L.catalogue[name]
        call = derivative(by_kernels, loss.value_and_gradient, {})
        for values in draws(loss):
            if len(anywhere(call, [*values, np.zeros_like(values[0])])) > 1:
                yield name
                break


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="x86's vectors")
def test_bits_do_not_depend_on_where_arrays_lie_with_shorter_vectors():
    """AVX2: what is left over of a loop has vectors too, and arrays 128 bytes apart are close."""
    from llvmlite.binding import get_host_cpu_features

    if not get_host_cpu_features().get("avx2"):
        pytest.skip("this processor has no AVX2")
    program = PROGRAM.format(folders=[str(path) for path in Path(__file__).parents[:2]])
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_CPU_NAME": "haswell"},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []


@each_loss
def test_a_large_array_gives_the_bits_of_its_parts(loss):
    """NumPy's elements are computed by blocks."""
    values = arrays(loss, np.random.default_rng(3), (20_000,), dtype="float32")
    options = {"reduction": "none", **parameters(loss)}
    for road in (loss, loss.gradient, loss.hessian):
        whole = by_operations(road, *values, **options)
        parts = [
            by_operations(road, *(x[start : start + 5_000] for x in values), **options)
            for start in range(0, 20_000, 5_000)
        ]
        assert bits(whole) == bits(np.concatenate(parts))
