"""What is given back between files."""

import numpy as np
import pytest

import memory


@pytest.mark.skipif(not memory.STATM.exists(), reason="the system does not say what is held")
def test_graphs_are_dropped_when_a_process_has_grown_and_not_before(monkeypatch):
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(memory._last, "kept", 0)
    function = jax.jit(lambda x: x + 1)
    assert function(np.float32(1)) == 2
    memory.release(room=1 << 50)
    assert function._cache_size() == 1
    memory.release(room=0)
    assert function._cache_size() == 0
    assert 0 < memory._last.kept <= 2 * memory.resident()
    assert function(np.float32(1)) == 2
