"""Memory of large results comes back when nobody refers to it, and not before."""

import gc
import os
import sys
import threading
import weakref

import numpy as np
import pytest

import lossary as L
from lossary.engine import leases

SIZE = leases.FROM // 8  # float64 numbers


@pytest.fixture(autouse=True)
def _empty(monkeypatch):
    monkeypatch.setenv("LOSSARY_POOL_MIB", "64")
    leases.release_memory()
    yield
    leases.release_memory()


def lent(size=SIZE):
    return leases.blank((size,), np.dtype(np.float64))


def address(x):
    return x.__array_interface__["data"][0]


def test_memory_comes_back():
    x = lent()
    place = address(x)
    del x
    assert leases.held() == leases.FROM
    assert address(lent()) == place


@pytest.mark.parametrize("keep", [lambda x: x[5:7], lambda x: x.reshape(2, -1), memoryview])
def test_a_view_keeps_its_memory(keep):
    x = lent()
    view, place = keep(x), address(x)
    del x
    assert leases.held() == 0
    assert address(lent()) != place
    del view
    assert leases.held() > 0


def test_two_arrays_never_share():
    several = [lent() for _ in range(5)]
    for number, x in enumerate(several):
        x[:] = number
    assert [set(x) for x in several] == [{float(n)} for n in range(5)]


def test_a_weak_reference_does_not_keep_memory():
    x = lent()
    reference = weakref.ref(x)
    del x
    assert reference() is None
    assert leases.held() == leases.FROM


def test_what_lies_idle_is_bounded(monkeypatch):
    several = [lent() for _ in range(40)]
    assert len({address(x) for x in several}) == 40
    several.clear()
    assert 0 < leases.held() <= 64 << 20
    monkeypatch.setenv("LOSSARY_POOL_MIB", "0")
    x = lent()
    assert x.base is None
    monkeypatch.setenv("LOSSARY_POOL_MIB", "a lot")
    with pytest.raises(ValueError, match="LOSSARY_POOL_MIB must be a whole number"):
        lent()


def test_sizes_that_are_used_no_more_go():
    del (x := [lent(2 * SIZE)])[:]
    assert leases.held() == 2 * leases.FROM
    for _ in range(70):
        x = lent()
        del x
    assert leases.held() == leases.FROM


def test_memory_can_be_released():
    x = lent()
    del x
    assert L.release_memory() == leases.FROM
    assert leases.held() == 0


def test_small_arrays_are_not_lent():
    assert leases.blank((10,), np.dtype(np.float64)).base is None


def test_threads_share_it():
    wrong = []

    def work(number):
        for _ in range(50):
            x = lent()
            x[::4096] = number
            if (x[::4096] != number).any():
                wrong.append(number)
            del x

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*os.fork:RuntimeWarning")  # JAX warns where it was imported
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # so does Python of threads
def test_a_child_has_memory_of_its_own():
    x = lent()
    x[0] = 1
    reader, writer = os.pipe()
    if os.fork() == 0:  # the child ends here, whatever it finds
        x[0] = 2
        y = lent()
        os.write(writer, b"good" if address(y) != address(x) else b"bad!")
        os._exit(0)
    os.close(writer)
    assert os.read(reader, 10) == b"good"
    assert x[0] == 1


class TestGradients:
    """What a call hands out is lent, in every library whose memory can be."""

    def test_of_numpy(self):
        x, y = np.ones(SIZE), np.zeros(SIZE)
        with L.using(engine="fused"):
            gradient = L.squared_error.gradient(x, y)
            place = address(gradient)
            del gradient
            assert address(L.squared_error.gradient(x, y)) == place
        with L.using(engine="fused", lend=False):
            assert L.squared_error.gradient(x, y).base is None

    def test_of_autograd(self):
        torch = pytest.importorskip("torch")
        x = torch.ones(SIZE, dtype=torch.float64, requires_grad=True)
        places = []
        for _ in range(5):
            x.grad = None
            gc.collect()
            with L.using(engine="fused"):
                L.squared_error(x, torch.zeros(SIZE, dtype=torch.float64)).backward()
            places.append(x.grad.data_ptr())
        assert len(set(places[1:])) == 1
        kept = x.grad
        x.grad = None
        with L.using(engine="fused"):
            L.squared_error(x, torch.zeros(SIZE, dtype=torch.float64)).backward()
        assert x.grad.data_ptr() != kept.data_ptr()
        torch.testing.assert_close(x.grad, kept)

    def test_a_loss_that_is_kept_keeps_no_memory(self):
        torch = pytest.importorskip("torch")
        x = torch.ones(SIZE, dtype=torch.float64, requires_grad=True)
        with L.using(engine="fused"):
            value = L.squared_error(x, torch.zeros(SIZE, dtype=torch.float64))
        value.backward()
        x.grad = None
        assert leases.held() == leases.FROM
        assert sys.getrefcount(value) >= 2
