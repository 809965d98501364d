"""Work of a short call that several threads share: the same bits on any number of them."""

import numpy as np
import pytest

import lossary as L
from call_options import OF_LABELS, OPTIONS, arrays_of, filled
from lossary.engine import forms, leases
from lossary.engine.recipes.running import Recipe
from lossary.kernels import openmp, pool
from samples import sample

pytest.importorskip("numba", reason="recipes are compiled by Numba")

pytestmark = pytest.mark.representative

ROWS, CLASSES = 6_001, 7


@pytest.fixture(autouse=True)
def shared_work(recipes_at_once, monkeypatch):
    """Threads share work that is smaller than what pays."""
    monkeypatch.setattr(forms, "PARALLEL_FROM", dict.fromkeys(forms.PARALLEL_FROM, 1 << 12))


def noted(function, place, calls):
    """The function, which notes one of its arguments."""

    def noting(*given):
        calls.append(given[place])
        return function(*given)

    return noting


@pytest.mark.parametrize("options", [{}, OPTIONS["mask"], OF_LABELS["both"]], ids=str)
def test_threads_of_ours_do_not_change_a_bit(options, monkeypatch):
    inputs, _ = sample(L.cross_entropy, shape=(ROWS,), classes=CLASSES)
    options = filled(options, arrays_of(ROWS, CLASSES, np.float64))
    called, found = [], []
    monkeypatch.setattr(pool, "_called", noted(pool._called, 0, called))
    for number in ("1", "2", "5"):
        monkeypatch.setenv("LOSSARY_NUM_THREADS", number)
        value, gradient = L.cross_entropy.value_and_gradient(*inputs, **options)
        found.append((value, gradient.tobytes()))
    assert called == [1, 4]
    assert found[1:] == found[:1] * 2


@pytest.fixture
def teams(monkeypatch):
    """On how many threads of PyTorch's the calls are shared, one after the other."""
    pytest.importorskip("torch")
    if not openmp.parallel():
        pytest.skip("PyTorch runs on no OpenMP that is called like GNU's here")
    called, shared = [], Recipe._shared

    def noting(recipe, *given):
        own = recipe.team
        recipe.team = own and noted(own, 1, called)
        try:
            return shared(recipe, *given)
        finally:
            recipe.team = own

    monkeypatch.setattr(Recipe, "_shared", noting)
    return called


WORK = [
    ("binary_cross_entropy", {}),
    ("binary_cross_entropy", {"weight": "weight", "mask": "mask"}),
    ("huber", {"mask": "mask"}),
    ("huber", {"reduction": "none", "weight": "weight"}),
    ("cross_entropy", {"class_weight": "table", "ignore_index": 2}),
]


def both(loss, tensors, options):
    import torch

    leaf = tensors[0].clone().requires_grad_()
    value = loss(leaf, *tensors[1:], **options)
    value.backward(torch.ones_like(value))
    return [value.detach(), leaf.grad]


@pytest.mark.parametrize(("name", "options"), WORK, ids=str)
def test_threads_of_pytorch_do_not_change_a_bit(name, options, teams, monkeypatch):
    import torch

    loss = L.catalogue[name]
    inputs, parameters = sample(loss, shape=(ROWS,), classes=CLASSES, dtype=np.float32)
    tensors = [torch.from_numpy(x) for x in inputs]
    arrays = arrays_of(ROWS, CLASSES, np.float32)
    extras = {name: torch.from_numpy(x) for name, x in arrays.items()}
    found = []
    for number in ("1", "2", "5"):
        monkeypatch.setenv("LOSSARY_NUM_THREADS", number)
        found.append(both(loss, tensors, parameters | filled(options, extras)))
    assert teams == [2, 5]
    assert all(torch.equal(a, b) for other in found for a, b in zip(other, found[0], strict=True))
    with L.using(engine="array"):
        wanted = both(loss, tensors, parameters | filled(options, extras))
    for mine, own in zip(found[0], wanted, strict=True):
        torch.testing.assert_close(mine, own, rtol=3e-6, atol=1e-10)


def test_a_wrong_value_is_found_by_whichever_thread(teams):
    torch = pytest.importorskip("torch")
    x, t = torch.zeros(ROWS, requires_grad=True), torch.zeros(ROWS)
    for _ in range(2):
        L.binary_cross_entropy(x, t).backward()
    t[5_900] = 2.0
    with pytest.raises(L.DomainError, match=r"got 2 at index \(5900,\)"):
        L.binary_cross_entropy(x, t)
    assert len(teams) == 3


def test_threads_without_openmp_are_ours(teams, monkeypatch):
    monkeypatch.setattr(openmp, "_address", lambda: 0)
    torch = pytest.importorskip("torch")
    x, t = torch.zeros(ROWS, requires_grad=True), torch.zeros(ROWS)
    for _ in range(2):
        L.binary_cross_entropy(x, t).backward()
    assert not teams


def test_millions_of_numbers_are_shared_too_and_their_gradient_lies_in_lent_memory(
    teams, monkeypatch
):
    import torch

    monkeypatch.setenv("LOSSARY_NUM_THREADS", "2")
    leases.release_memory()
    x = torch.zeros(1 << 21, requires_grad=True)
    for _ in range(3):
        x.grad = None
        L.huber(x, torch.ones(1 << 21)).backward()
    assert teams[-1] == 2
    assert x.grad is not None
    x.grad = None
    assert leases.held() >= x.nbytes
