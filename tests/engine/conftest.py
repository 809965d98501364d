"""The libraries that a test of the engine runs on, one after the other."""

import pytest

from libraries import NAMES, Library


@pytest.fixture(params=NAMES)
def library(request):
    return Library(request.param)


@pytest.fixture(params=NAMES[1:])
def framework(request):
    """A library with gradients, compiled graphs and bfloat16 of its own: all but NumPy."""
    return Library(request.param)


@pytest.fixture
def float64(library):
    """For tests in float64, which JAX has only when asked."""
    with library.wide():
        yield
