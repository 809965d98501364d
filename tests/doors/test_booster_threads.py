"""Kernels leave the host's threads alone: their number, and the calls that come from them."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.together

pytest.importorskip("xgboost")
pytest.importorskip("lightgbm")
pytest.importorskip("catboost")
pytest.importorskip("sklearn")

PROGRAM = """
import json, os, sys, threading
import catboost, lightgbm, numpy as np, sklearn.ensemble, xgboost
from threadpoolctl import threadpool_info
import lossary as L
from lossary.kernels import pool

def limits():
    found = {k: x for k, x in os.environ.items() if k.startswith(("OMP_", "KMP_", "MKL_"))}
    return [found, sorted((x["filepath"], x["num_threads"]) for x in threadpool_info())]

shared = []
called = pool._called
def counted(count, *rest):
    shared.append(count)
    return called(count, *rest)
pool._called = counted

ROWS = 200_000
rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, 3)).astype(np.float32)
y = (rng.random(ROWS) < 1 / (1 + np.exp(-X[:, 0]))).astype(np.float32)
name = "binary_cross_entropy"

def by_xgboost():
    told = {"nthread": 2, "max_depth": 2}
    data = xgboost.DMatrix(X, y)
    return L.boosters.xgboost(name).train(told, data, 4).margin(data)

def by_lightgbm():
    told = {"num_threads": 2, "num_leaves": 4, "verbose": -1}
    return L.boosters.lightgbm(name).train(told, lightgbm.Dataset(X, y, params=told), 4).margin(X)

def by_catboost():
    told = {"iterations": 4, "depth": 2, "thread_count": 2, "verbose": 0,
            "allow_writing_files": False}
    return L.boosters.catboost(name).train(told, catboost.Pool(X, y)).margin(X)

def by_hist_gradient_boosting():
    kind = L.boosters.HistGradientBoostingClassifier
    loss = L.boosters.hist_gradient_boosting(name)
    model = kind(loss=loss, max_iter=4, max_depth=2, early_stopping=False).fit(X, y)
    return model._raw_predict(X)

def measured(host):
    train, alone, beside = globals()["by_" + host], [], []
    shared.clear()
    before = limits()
    for _ in range(20):  # until the kernels of this kind of call are compiled and share the work
        alone.append(train())
        if shared or host == "catboost":
            break
    after = limits()
    both = [threading.Thread(target=lambda: beside.append(train())) for _ in range(2)]
    for one in both: one.start()
    for one in both: one.join()
    far = max(float(abs(x - alone[0]).max()) for x in [*alone, *beside])
    return {"before": before, "after": after, "last": limits(), "far": far,
            "trainings": len(beside), "shared": len(shared)}

print(json.dumps({host: measured(host) for host in sys.argv[1:]}))
"""


HOSTS = ("xgboost", "lightgbm", "catboost", "hist_gradient_boosting")


@pytest.fixture(scope="module")
def measured():
    """What each host says, one after the other in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *HOSTS],
        env={**os.environ, "LOSSARY_NUM_THREADS": "2"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("host", HOSTS)
def test_threads_of_the_host_are_as_they_were(measured, host):
    """Two trainings at once, each on two threads of the host, end within the time of twenty."""
    found = measured[host]
    assert found["before"] == found["after"] == found["last"]
    assert found["trainings"] == 2
    # Sums of the host's own threads are added in another order.
    assert found["far"] < 1e-4
    if host != "catboost":  # which asks for a thousand rows at a time
        assert found["shared"] > 0
