"""Without Numba losses compute the same, and one warning says what that costs and what cures it."""

import subprocess
import sys

SCRIPT = """
import sys, warnings

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numba", "triton"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in ("numba", "triton") else found(name, *a)

import numpy as np
import lossary as L

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    few, many = np.full(64, 3.0), np.full(1 << 16, 3.0)
    found = {float(L.huber(few, 0.0)) for _ in range(40)} | {float(L.huber(many, 0.0))}
    print(len(said), found)
    print(said[0].message, said[0].filename)
try:
    with L.using(engine="fused"):
        L.huber(few, few)
except Exception as error:
    print(type(error).__name__, error)
"""


def test_one_warning_names_the_cost_and_the_cure():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    counts, warning, hint, error, *_ = done.stdout.splitlines()
    assert counts == "1 {2.5}"
    assert "several times as long" in warning
    assert "pip install" in hint
    assert hint.endswith("<string>")  # the caller's own line
    assert error.startswith("MissingExtraError engine='fused' needs")
