"""A patch reaches the processes that are started under it, however they come to be."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.together

pytest.importorskip("torch")

SCRIPT = '''
import json, multiprocessing as mp, sys
from concurrent.futures import ProcessPoolExecutor

import torch
from torch.nn.functional import cross_entropy

def confident(*_):
    """0 by PyTorch, and the exact value by lossary."""
    x, y = torch.tensor([[17.0, 0.0]]), torch.tensor([0])
    return torch.nn.CrossEntropyLoss()(x, y).item() == cross_entropy(x, y).item() != 0.0

def put(rank, results):
    results.put(confident())

def below(_):
    with mp.get_context("spawn").Pool(1) as pool:
        return pool.map(confident, [0])[0]

def by_torch(_):
    results = mp.get_context("spawn").SimpleQueue()
    torch.multiprocessing.spawn(put, (results,))
    return results.get()

def by_pool(method):
    with ProcessPoolExecutor(1, mp.get_context(method)) as pool:
        return pool.submit(confident).result()

def by_joblib(_):
    from joblib import Parallel, delayed
    return Parallel(2)(delayed(confident)() for _ in range(2)) == [True] * 2

def grandchild(_):
    with ProcessPoolExecutor(1, mp.get_context("spawn")) as pool:
        return pool.submit(below, 0).result()

if __name__ == "__main__":
    import lossary as L
    found = {}
    for way, method in json.loads(sys.argv[1]):
        with L.patched("torch", quiet=True):
            during = globals()[way](method)
        found[way] = during, by_pool("spawn") if method == "forkserver" else None
    print(json.dumps(found))
'''
WAYS = [("by_torch", "spawn"), ("by_pool", "forkserver"), ("grandchild", "spawn"),
        ("by_joblib", "loky")]  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each way says, one after the other from one process."""
    script = tmp_path_factory.mktemp("spawned") / "script.py"
    script.write_text(SCRIPT)
    ways = [way for way in WAYS if way[0] != "by_joblib" or find_spec("joblib")]
    done = subprocess.run([sys.executable, "-W", "ignore", script, json.dumps(ways)],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("way", "method"), WAYS, ids=[way for way, _ in WAYS])
def test_the_children_are_patched_and_not_those_after(found, way, method):
    if way == "by_joblib":
        pytest.importorskip("joblib")
    assert found[way] == [True, False if method == "forkserver" else None]
