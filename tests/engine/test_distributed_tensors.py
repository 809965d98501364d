"""PyTorch's distributed tensors: whoever holds which part, the loss is that of one process."""

import json
import os
import subprocess
import sys

import pytest

import samples

torch = pytest.importorskip("torch")

if not torch.distributed.is_available():
    pytest.skip("PyTorch without distributed tensors", allow_module_level=True)

import distributed_cases as cases  # noqa: E402

pytestmark = [pytest.mark.representative, pytest.mark.together]

CORE = "test_the_core_in_parts_or_copies"
"""Its losses are those that the processes are given: most runs ask for some of the catalogue."""


@pytest.fixture(scope="module")
def found(request, tmp_path_factory):
    """Return for each number of processes what differs from one process, by case."""
    place = tmp_path_factory.mktemp("distributed")
    asked = [item for item in request.session.items if getattr(item, "originalname", "") == CORE]
    names = [item.callspec.params["loss"].name for item in asked]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", cases.__file__, place, *names],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=place,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {n: json.loads((place / f"{n}.json").read_text()) for n in cases.SIZES}


def differing(found, prefix):
    """Return what differs among the cases of a name, of which there must be some."""
    for by_case in found.values():
        own = {name: x for name, x in by_case.items() if name.startswith(prefix)}
        assert own, f"no case is called {prefix}"
        yield from (f"{name}: {x}" for name, x in own.items() if x)


def assert_same(found, prefix):
    assert not "\n".join(differing(found, prefix))


@samples.each_loss
def test_the_core_in_parts_or_copies(found, loss):
    assert_same(found, f"core {loss.name} ")


@pytest.mark.parametrize("place", ["door", "patched"])
@pytest.mark.parametrize("case", cases.door_calls())
def test_the_doors_in_parts_or_copies(found, case, place):
    assert_same(found, f"{place} {case} ")


@pytest.mark.parametrize("mesh", ["", "plane "], ids=["line", "plane"])
class TestMixtures:
    @pytest.mark.parametrize("what", ["plain label", "plain logits", "open sum"])
    @pytest.mark.parametrize("place", ["core", "door"])
    def test_a_plain_tensor_is_the_same_everywhere(self, found, mesh, place, what):
        assert_same(found, f"{mesh}{place} {what}")

    @pytest.mark.parametrize("option", ["weight", "mask", "class_weight", "ignore_index"])
    def test_so_is_an_option(self, found, mesh, option):
        assert_same(found, f"{mesh}core option {option}")

    @pytest.mark.parametrize("what", ["gradient", "hessian", "sums"])
    def test_other_results(self, found, mesh, what):
        assert_same(found, f"{mesh}core {what}")

    def test_without_a_reduction_the_rows_stay_where_they_are(self, found, mesh):
        assert_same(found, f"{mesh}core stays in parts")


def test_a_context_of_the_caller_stays_open():
    from torch.distributed.tensor import DTensor
    from torch.distributed.tensor.experimental import implicit_replication

    import lossary as L

    with implicit_replication():
        L.squared_error(torch.zeros(2), torch.ones(2))
        assert DTensor._op_dispatcher._allow_implicit_replication
    L.squared_error(torch.zeros(2), torch.ones(2))
    assert not DTensor._op_dispatcher._allow_implicit_replication
