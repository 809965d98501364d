"""Before its kernel is ready a short call on tensors runs NumPy's text, with PyTorch's answers."""

import numpy as np
import pytest

import lossary as L
from call_options import OF_LABELS, OPTIONS, arrays_of, filled
from samples import each_loss, sample

torch = pytest.importorskip("torch")

from lossary.engine.recipes import recipe  # noqa: E402
from lossary.engine.recipes.torch_text import Text  # noqa: E402


@pytest.fixture
def texts(monkeypatch):
    """No kernel is ever ready; returns the plans that answered."""
    monkeypatch.setattr("lossary.engine.recipes.torch.find", lambda *args: None)
    monkeypatch.setattr(recipe, "plans", met := {})
    for module in ("torch", "torch_text"):
        monkeypatch.setattr(f"lossary.engine.recipes.{module}.plans", met)
    return met


def tensors_of(loss, dtype=torch.float64):
    inputs, parameters = sample(loss)
    tensors = [torch.from_numpy(x) for x in inputs]
    return [x.to(dtype) if x.is_floating_point() else x for x in tensors], parameters


def leaves_of(loss, tensors):
    return [
        x.clone().requires_grad_() if a.domain.continuous and x.is_floating_point() else x
        for x, a in zip(tensors, loss.inputs, strict=True)
    ]


def walked(loss, tensors, more):
    """The loss, its gradients on two walks, and those of the first gradient."""
    leaves = leaves_of(loss, tensors)
    value = loss(*leaves, **more)
    moving = [x for x in leaves if x.requires_grad]
    up = torch.linspace(0.5, 2.0, value.numel(), dtype=value.dtype).reshape(value.shape)
    first = torch.autograd.grad(value, moving, up, retain_graph=True, allow_unused=True)
    second = torch.autograd.grad(value, moving, 3 * up, create_graph=True, allow_unused=True)
    total = sum(x.square().sum() for x in second if x is not None and x.requires_grad)
    bent = ()
    if isinstance(total, torch.Tensor):
        bent = torch.autograd.grad(total, moving, allow_unused=True)
    return [value.detach(), *first, *second, *bent]


def same(call, rtol):
    with L.using(engine="array"):
        wanted = call()
    for own, theirs in zip(call(), wanted, strict=True):
        assert (own is None) == (theirs is None)
        if own is not None:
            assert own.dtype is theirs.dtype
            torch.testing.assert_close(own, theirs, rtol=rtol, atol=rtol, equal_nan=True)


def answered(met):
    return [type(plan) for plan in met.values()] == [Text]


@each_loss
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_catalogue_agrees(loss, reduction, texts):
    tensors, parameters = tensors_of(loss)
    if loss.over_positions and reduction == "none":
        pytest.skip("a loss over positions has no values to leave alone")
    same(lambda: walked(loss, tensors, {**parameters, "reduction": reduction}), 1e-9)
    assert answered(texts)


@pytest.mark.parametrize(
    ("name", "options"),
    [*(("cross_entropy", o) for o in (*OPTIONS.values(), *OF_LABELS.values())),
     *(("huber", OPTIONS[case]) for case in ("weight", "mask"))],
)  # fmt: skip
def test_options_agree(name, options, texts):
    loss = L.catalogue[name]
    tensors, parameters = tensors_of(loss, torch.float32)
    arrays = arrays_of(len(tensors[0]), tensors[0].shape[-1], np.float32)
    more = parameters | filled(options, arrays)
    more = {k: torch.from_numpy(x) if isinstance(x, np.ndarray) else x for k, x in more.items()}
    same(lambda: walked(loss, tensors, more), 4e-7)
    # Values that are not reduced, and may not count, wait for a kernel.
    waits = options.get("reduction") == "none" and len(options) > 1
    assert answered(texts) != waits


def test_values_outside_their_sets_are_told_as_ever(texts):
    x, label = torch.zeros(3, 4), torch.tensor([0, 7, 1])
    with pytest.raises(L.DomainError) as own:
        L.cross_entropy(x, label)
    with L.using(engine="array"), pytest.raises(L.DomainError) as wanted:
        L.cross_entropy(x, label)
    assert str(own.value) == str(wanted.value)


def test_a_gradient_shares_no_memory_with_what_it_is_made_of(texts):
    x, t = torch.tensor([1.0, 2.0], dtype=torch.float64), torch.tensor([3.0, 5.0]).double()
    x.requires_grad_()
    kept = x.detach().clone(), t.clone()
    L.squared_error(x, t, reduction="sum").backward()
    x.grad.zero_()
    assert torch.equal(x.detach(), kept[0])
    assert torch.equal(t, kept[1])
    assert answered(texts)


def test_what_a_text_cannot_read_takes_the_long_road(texts):
    half = torch.zeros(3, dtype=torch.bfloat16)
    L.huber(half, half)
    weight = torch.ones(3, requires_grad=True)
    L.huber(torch.zeros(3), torch.zeros(3), weight=weight).backward()
    with L.using(engine="array"):
        L.huber(torch.zeros(3), torch.zeros(3))
    assert not texts


def test_the_call_says_who_computes_it(texts):
    x = torch.zeros(3)
    assert L.huber.explain(x, x).startswith("huber: numpy operations on the memory of the tensors,")
    with L.using(engine="array"):
        assert L.huber.explain(x, x).startswith("huber: torch operations,")


def test_derivatives_of_what_needs_a_gradient_keep_their_graph(texts):
    (x, label), _ = tensors_of(L.cross_entropy)
    slope = L.cross_entropy.gradient(x.requires_grad_(), label)
    assert answered(texts)
    assert slope.requires_grad
    assert not L.cross_entropy.gradient(x.detach(), label).requires_grad
    with torch.no_grad():
        assert not L.cross_entropy.gradient(x, label).requires_grad
