"""Numbers that change from call to call, such as those of a schedule, are not kept for ever."""

import gc
import linecache
import sys
from types import ModuleType

import numpy as np
import pytest

import lossary as L
from libraries import Library

COUNT = {"numpy": 1000, "jax": 20, "tensorflow": 20}
SETTINGS = {
    "huber": ("delta", lambda n: 0.5 + n / 1e6),
    "cross_entropy": ("label_smoothing", lambda n: 0.1 + n / 1e6),
    "focal": ("gamma", lambda n: 1.5 + n / 1e6),
}


def caches():
    """The sizes of all caches of functions in lossary's modules, and of what Python keeps."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("lossary") and isinstance(module, ModuleType):
            for word, function in list(vars(module).items()):
                if hasattr(type(function), "cache_info"):  # modules look for names they lack
                    found[f"{name}.{word}"] = function.cache_info().currsize
    return found | {"linecache": len(linecache.cache)}


def data_of(name, library):
    if name == "cross_entropy":
        return library.array([[1.0, 2.0, 0.5]]), library.labels([1])
    return library.array([0.5, 3.0]), library.array([0.0, 1.0])


@pytest.mark.parametrize("library", COUNT)
@pytest.mark.parametrize("name", SETTINGS)
def test_a_number_that_changes_fills_no_cache(name, library):
    loss, (parameter, value) = L.catalogue[name], SETTINGS[name]
    data = data_of(name, Library(library))

    def calls(first, last):
        for n in range(first, last):
            loss(*data, **{parameter: value(n)})

    calls(0, 2)
    before = caches()
    calls(2, COUNT[library])
    assert caches() == before


def test_ten_thousand_numbers_leave_no_memory_behind():
    prediction, target = np.array([0.5, 3.0]), np.zeros(2)

    def calls(first, last):
        for n in range(first, last):
            L.huber(prediction, target, delta=0.5 + n / 1e5)
            L.huber.gradient(prediction, target, delta=0.5 + n / 1e5)

    calls(0, 100)
    gc.collect()
    before = sys.getallocatedblocks()
    calls(100, 10_100)
    gc.collect()
    assert sys.getallocatedblocks() - before < 1000


def test_numbers_of_a_keras_loss_share_one_compiled_function():
    pytest.importorskip("keras")
    from lossary import keras as door
    from lossary.keras import computing

    y, x = np.zeros((2, 3), "float32"), np.full((2, 3), 3.0, "float32")
    door.losses.Huber(delta=0.5)(y, x)
    before = computing._jitted.cache_info().currsize, computing._graph.cache_info().currsize
    for delta in (0.25, 0.7, 1.5):
        value = door.losses.Huber(delta=delta)(y, x)
        np.testing.assert_allclose(float(value), delta * (3 - delta / 2), rtol=1e-6)
    after = computing._jitted.cache_info().currsize, computing._graph.cache_info().currsize
    assert after == before
