"""What ``torch.compile`` keeps on disk never gives one library's loss for the other's."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.together

pytest.importorskip("torch")

SCRIPT = '''
import json, sys, threading
import torch
import torch.nn.functional as F
import lossary as L

before = torch.nn.CrossEntropyLoss()

def each(x, y):
    """The same loss in four places; compiled, their calls stand in one graph."""
    built = torch.nn.CrossEntropyLoss()
    smooth = F.cross_entropy(x, y, label_smoothing=0.5)
    return F.cross_entropy(x, y), before(x, y), built(x, y), smooth, F.mse_loss(x, x + 1)

def measured():
    compiled, found = torch.compile(each, fullgraph=True), {}
    def work():
        x, y = torch.tensor([[17.0, 0.0]], requires_grad=True), torch.tensor([0])
        found["values"] = values = compiled(x, y)
        sum(values[:3]).backward()
        found["slope"] = x.grad[0, 0].item()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    from torch._dynamo.utils import counters
    hits = counters["aot_autograd"]["autograd_cache_hit"]
    counters.clear()
    return [*(v.item() for v in found["values"]), found["slope"], hits]

results = []
for state in sys.argv[1:]:
    if state == "upgraded":
        L.__version__ = "another"
    if state == "own":
        results.append(measured())
    else:
        with L.patched("torch", quiet=True):
            results.append(measured())
print(json.dumps(results))
'''


def run(place, *states):
    """Return for each state three confident losses, two others, a slope, and hits on the disk."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", place / "script.py", *states],
        capture_output=True, text=True, check=False,
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(place / "cache"), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(states, json.loads(done.stdout), strict=True))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Run each order in a process of its own, all with the same directory."""
    place = tmp_path_factory.mktemp("compiled")
    (place / "script.py").write_text(SCRIPT)
    orders = ("patched", "own"), ("own", "patched", "upgraded")
    return [run(place, *states) for states in orders]


def test_patched_is_exact_in_every_order(found):
    for states in found:
        for state in states.keys() - {"own"}:
            *confident, slope = (*states[state][:3], states[state][5])
            assert confident == pytest.approx([4.1399375e-08] * 3, rel=1e-5)
            assert slope == pytest.approx(-3 * 4.1399375e-08, rel=1e-5)


def test_unpatched_is_pytorchs_in_every_order(found):
    for states in found:
        assert states["own"][:3] == [0.0] * 3
        assert states["own"][5] == 0.0


def test_what_another_process_compiled_is_used(found):
    _, later = found
    assert later["own"][-1] == later["patched"][-1] == 1


def test_another_version_compiles_anew(found):
    assert found[1]["upgraded"][-1] == 0


def test_functions_and_stand_ins_go_into_graphs_alike():
    from torch._dynamo import trace_rules

    import lossary as L

    def kinds(functions):
        return [trace_rules.lookup(f) for f in functions]

    with L.patched("torch", quiet=True) as report:
        originals = [old for old, _ in report.pairs]
    wanted = kinds(originals)
    with L.patched("torch", quiet=True) as report:
        assert kinds(new for _, new in report.pairs) == wanted
    assert kinds(originals) == wanted
    with L.patched("torch", quiet=True) as report:
        trace_rules.clear_lru_cache()
        assert kinds(new for _, new in report.pairs) == wanted
    assert kinds(originals) == wanted


def test_the_mark_goes_with_the_patch():
    from torch.compiler import config

    import lossary as L

    before = config.cache_key_tag
    with config.patch(cache_key_tag="mine"):
        with L.patched("torch", quiet=True):
            assert config.cache_key_tag.startswith(f"mine lossary {L.__version__} ")
            with config.patch(cache_key_tag="yours"), L.using(engine="fused"):
                assert config.cache_key_tag.startswith("yours lossary")
                assert config.cache_key_tag.endswith(" fused")
        assert config.cache_key_tag == "mine"
    assert config.cache_key_tag == before
