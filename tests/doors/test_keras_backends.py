"""The doors of Keras on its other backends, all of a backend in one process of its own."""

import pytest

pytest.importorskip("keras")

from test_keras_door import OTHERS, python

FILES = ("tests/doors/test_keras_door.py", "tests/doors/test_keras_domains.py")
WORDS = ("gradients", "Tails", "outside", "any_size", "activation", "Quantile", "Labels", "fitted")


@pytest.mark.parametrize("backend", OTHERS)
def test_on_the_other_backends(backend):
    options = ("-x", "-k", " or ".join(WORDS), "-p", "no:cacheprovider", "-n0")
    found = python("-m", "pytest", *options, *FILES, backend=backend)
    assert found.returncode == 0, found.stdout[-3000:]
    for name in FILES:
        assert f"{name} ." in found.stdout
