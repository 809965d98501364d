"""What a loss keeps for the backward pass is what PyTorch's autograd knows of: no more, no longer.

On every road: small tensors by NumPy's text or by a kernel, larger ones by operations of PyTorch,
and the fused kernels. ``gpu_engine_cases.py`` has the road over Triton.
"""

import gc
import types
import weakref

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from test_torch_door import CALLS, each_call, prepared  # noqa: E402

import lossary as L  # noqa: E402
from lossary.definition import Definition  # noqa: E402
from lossary.engine.program import Variant  # noqa: E402
from lossary.engine.recipes.recipe import Recipe  # noqa: E402
from lossary.torch import computing, functional  # noqa: E402
from samples import each_loss, sample  # noqa: E402

pytestmark = pytest.mark.representative

F = torch.nn.functional
LARGE = 40_000


def regression(size):
    return torch.linspace(-2, 2, size), torch.linspace(1, -1, size)


def labelled(size):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(size // 5, 5, generator=generator), torch.arange(size // 5) % 5


def by_core(loss, engine="auto", **options):
    def call(*tensors):
        with L.using(engine=engine):
            return loss(*tensors, **options)

    return call


ROADS = {
    "small": (functional.mse_loss, regression(40)),
    "small rows": (functional.cross_entropy, labelled(40)),
    "operations": (functional.mse_loss, regression(3000)),
    "operations on rows": (functional.cross_entropy, labelled(3000)),
    "fused": (functional.mse_loss, regression(LARGE)),
    "fused rows": (functional.cross_entropy, labelled(LARGE)),
    "core": (L.huber, regression(40)),
    "core, fused": (by_core(L.huber, "fused"), regression(40)),
    "core, fused, unreduced": (by_core(L.huber, "fused", reduction="none"), regression(40)),
    "core, weighted": (
        by_core(L.huber, "fused", weight=torch.ones(40), mask=np.arange(40) % 3 > 0),
        regression(40),
    ),
}
each_road = pytest.mark.parametrize("road", ROADS)


def taken(road):
    """A loss, and its data as a model would hand them over: the first is no leaf."""
    loss, (first, *others) = ROADS[road]
    return loss, first.clone().requires_grad_(), [x.clone() for x in others]


class Layer(torch.autograd.Function):
    """Hands over what lies in an array of NumPy, so that the end of its memory can be seen."""

    @staticmethod
    def forward(_ctx, _leaf, array):
        return torch.from_numpy(array)

    @staticmethod
    def backward(_ctx, *upstream):
        return upstream[0], None


def held(value):
    """The tensors and arrays that nodes of a graph reach by attributes of their own."""
    found, seen, rest = [], set(), [value.grad_fn]
    while rest:
        x = rest.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, torch.autograd.graph.Node):
            rest += [node for node, _ in x.next_functions if node is not None]
            rest.append(getattr(x, "__dict__", None))
        elif isinstance(x, (torch.Tensor, np.ndarray)):
            found.append(x)
        elif isinstance(x, types.FunctionType):
            rest += [cell.cell_contents for cell in x.__closure__ or ()]
        elif not isinstance(x, (type, types.ModuleType, Definition, Variant, Recipe)):
            rest += gc.get_referents(x)
    return found


# ------------------------------------------------------------------------------ nothing outlives


@each_road
def test_losses_that_are_kept_hold_no_data(road):
    loss, leaf, others = taken(road)
    losses, memory = [], []
    for _ in range(3):
        array, target = leaf.detach().numpy().copy(), others[0].numpy().copy()
        value = loss(Layer.apply(leaf, array), torch.from_numpy(target)).sum()
        assert held(value) == []
        memory += [weakref.ref(array), weakref.ref(target)]
        losses.append(value)
        del array, target, value
        losses[-1].backward()
        assert all(alive() is None for alive in memory[-2:])
    assert all(held(value) == [] for value in losses)


@each_call
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_no_function_of_the_door_holds_an_array(name, roles, settings, reduction):
    tensors, named = prepared(roles, {"reduction": reduction, **settings})
    first = tensors[0].requires_grad_() * 1
    value = getattr(functional, name)(first, *tensors[1:], **named).sum()
    assert held(value) == []
    value.backward()
    assert held(value) == []


@each_loss
def test_no_loss_of_the_catalogue_holds_an_array(loss):
    arrays, parameters = sample(loss)
    tensors = [torch.from_numpy(x) for x in arrays]
    first = tensors[0].requires_grad_() * 1
    value = loss(first, *tensors[1:], weight=np.ones(5), **parameters)
    assert held(value) == []
    value.backward()
    assert held(value) == []


def test_neither_does_the_kernel_of_small_tensors(recipes_at_once):
    for road in ("small", "small rows"):
        test_losses_that_are_kept_hold_no_data(road)
    assert recipes_at_once
    assert all(met.recipe.entry is not None for met in recipes_at_once.values())


# --------------------------------------------------------------------------------- a second walk


def walked_twice(loss, tensors, named=None):
    """What a second walk through a graph that was not retained says."""
    first = tensors[0].detach().clone().requires_grad_()
    value = loss(first, *tensors[1:], **(named or {})).sum()  # no other node saves anything
    value.backward()
    with pytest.raises(RuntimeError) as caught:
        value.backward()
    return str(caught.value)


@each_road
def test_a_graph_is_walked_once_unless_it_is_retained(road):
    loss, leaf, others = taken(road)
    assert "second time" in walked_twice(loss, [leaf, *others])
    value = loss(leaf * 1, *others).sum()
    value.backward(retain_graph=True)
    once = leaf.grad.clone()
    leaf.grad.zero_()  # what was handed over is the caller's
    for times in (1, 2):
        value.backward(retain_graph=True)
        torch.testing.assert_close(leaf.grad, times * once)
    (half,) = torch.autograd.grad(value * 0.5, leaf)
    torch.testing.assert_close(half, once / 2)


@pytest.mark.usefixtures("recipes_at_once")
@pytest.mark.parametrize("road", ["small", "small rows"])
def test_neither_is_that_of_the_kernel_of_small_tensors(road):
    test_a_graph_is_walked_once_unless_it_is_retained(road)


@each_call
def test_a_second_walk_is_refused_in_pytorchs_words(name, roles, settings):
    tensors, named = prepared(roles, settings)
    assert "second time" in walked_twice(getattr(functional, name), tensors, named)


# -------------------------------------------------------------------------------------- hooks


def clobbered(loss, leaf, others, order=1):
    """The gradient from what hooks have kept elsewhere; all that was passed in is overwritten."""
    with torch.autograd.graph.saved_tensors_hooks(lambda x: x.clone(), lambda x: x):
        value = loss(leaf, *others).sum()
    for x in (leaf, *others):
        x.data.fill_(float("nan") if x.is_floating_point() else 0)
    (found,) = torch.autograd.grad(value, leaf, create_graph=order > 1)
    return found if order == 1 else torch.autograd.grad(found.square().sum(), leaf)[0]


@each_road
@pytest.mark.parametrize("order", [1, 2])
def test_hooks_see_all_that_is_kept(road, order):
    loss, leaf, others = taken(road)
    (wanted,) = torch.autograd.grad(loss(leaf, *others).sum(), leaf, create_graph=order > 1)
    if order > 1:
        (wanted,) = torch.autograd.grad(wanted.square().sum(), leaf)
    assert torch.equal(clobbered(loss, leaf, others, order), wanted)


@pytest.mark.usefixtures("recipes_at_once")
@pytest.mark.parametrize("order", [1, 2])
def test_hooks_see_what_the_kernel_of_small_tensors_keeps(order):
    test_hooks_see_all_that_is_kept("small", order)
    test_hooks_see_all_that_is_kept("small rows", order)


@each_road
def test_what_is_saved_may_lie_on_the_cpu(road):
    loss, leaf, others = taken(road)
    (wanted,) = torch.autograd.grad(loss(leaf, *others).sum(), leaf)
    with torch.autograd.graph.save_on_cpu():
        value = loss(leaf, *others).sum()
    assert torch.equal(torch.autograd.grad(value, leaf)[0], wanted)


@each_road
@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_compute_the_same(road, reentrant):
    from torch.utils.checkpoint import checkpoint

    loss, leaf, others = taken(road)
    (wanted,) = torch.autograd.grad(loss(leaf * 2, *others).sum(), leaf)
    value = checkpoint(lambda x: loss(x * 2, *others).sum(), leaf, use_reentrant=reentrant)
    value.backward()
    assert torch.equal(leaf.grad, wanted)


@each_road
def test_one_prediction_may_be_used_in_many_losses(road):
    loss, leaf, others = taken(road)
    (once,) = torch.autograd.grad(loss(leaf, *others).sum(), leaf)
    inner = leaf * 1
    inner.retain_grad()
    seen = []
    inner.register_hook(seen.append)
    total = sum(loss(inner, *others).sum() for _ in range(3))
    total.backward()
    torch.testing.assert_close(leaf.grad, 3 * once)
    torch.testing.assert_close(inner.grad, 3 * once)
    assert len(seen) == 1


# ------------------------------------------------------------- data that change before backward


def changed(function, tensors, named, place):
    """The gradient after a tensor was changed in place; None where autograd refuses."""
    leaf = tensors[0].detach().clone().requires_grad_()
    tensors = [leaf * 1, *(x.clone() for x in tensors[1:])]
    value = function(*tensors, **named).sum()
    with torch.no_grad():
        tensors[place].fill_(0)
    try:
        value.backward()
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)  # noqa: PT017  (or nothing raised)
        return None
    return leaf.grad


@each_call
@pytest.mark.parametrize("road", ["short", "general"])
def test_data_may_change_in_place_where_pytorch_allows_it(name, roles, settings, road, monkeypatch):
    if road == "general":
        monkeypatch.setattr(computing, "SMALL", 0)
    tensors, named = prepared(roles, settings)
    own, peer = getattr(functional, name), getattr(F, name)
    clean = tensors[0].detach().clone().requires_grad_()
    own(clean, *tensors[1:], **named).sum().backward()
    for place in range(len(tensors)):
        found, allowed = (changed(f, tensors, named, place) for f in (own, peer))
        if allowed is not None:
            torch.testing.assert_close(found, allowed)
        if found is not None:  # where PyTorch refuses, too, it is the gradient of the value
            assert torch.equal(found, clean.grad)


@pytest.mark.parametrize("size", [40, 3000, LARGE])
def test_predictions_must_not_change_where_pytorch_needs_them(size):
    for name in ("mse_loss", "huber_loss", "smooth_l1_loss", "soft_margin_loss"):
        for place in (0, 1):
            assert changed(getattr(functional, name), regression(size), {}, place) is None
    assert changed(functional.nll_loss, labelled(size), {}, 0) is None


@pytest.mark.parametrize("size", [40, 3000, LARGE])
@pytest.mark.parametrize("name", ["l1_loss", "cross_entropy"])
def test_predictions_may_change_at_every_size(name, size):
    tensors = labelled(size) if name == "cross_entropy" else regression(size)
    found, wanted = (changed(getattr(m, name), tensors, {}, 0) for m in (functional, F))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("size", [40, LARGE])
def test_what_has_changed_is_not_read_again(size):
    """The gradient was there; to make it a second time, or to differentiate it, needs the data."""
    logits, label = labelled(size)
    leaf = logits.requires_grad_()
    (wanted,) = torch.autograd.grad(functional.cross_entropy(leaf, label), leaf)
    for walks in ([False, True], [True], [False, False]):
        inner = leaf * 1
        value = functional.cross_entropy(inner, label)
        inner.detach().zero_()
        for first, create in enumerate(walks):
            if create or (first and size == LARGE):
                with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                    torch.autograd.grad(value, leaf, retain_graph=True, create_graph=create)
            else:
                (found,) = torch.autograd.grad(value, leaf, retain_graph=True)
                assert torch.equal(found, wanted)


# ------------------------------------------------------------------------- logits given away


def given_away(change=lambda x: x):
    """Logits that hold the gradient by now, what they come from, and the loss."""
    logits, label = labelled(40)
    leaf = logits.requires_grad_()
    logits = leaf * 1
    with L.using(engine="fused"):
        value = L.cross_entropy(change(logits), label, inplace=True)
    return leaf, logits, value


each_view = pytest.mark.parametrize(
    "change", [lambda x: x, lambda x: x.view(-1, 5)], ids=["whole", "view"]
)


@each_view
def test_logits_that_hold_the_gradient_cannot_be_trained_on(change):
    _, logits, value = given_away(change)
    with pytest.raises(RuntimeError, match="inplace=True"):
        (value + logits.logsumexp(-1).mean()).backward()
    _, logits, value = given_away(change)
    value.backward()
    with pytest.raises(RuntimeError, match="inplace=True"):
        logits.sum().backward()


@each_view
def test_they_hold_the_gradient_and_may_be_read(change):
    leaf, logits, value = given_away(change)
    label = torch.arange(8) % 5
    (wanted,) = torch.autograd.grad(functional.cross_entropy(leaf, label), leaf)
    torch.testing.assert_close(logits.detach(), wanted)
    value.backward()
    torch.testing.assert_close(leaf.grad, wanted)


@each_view
def test_they_must_not_change_before_the_backward_pass(change):
    _, logits, value = given_away(change)
    logits.detach().mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def test_the_rest_of_a_tensor_of_which_a_part_was_given_away_can_be_trained_on():
    logits, label = labelled(40)
    leaf = logits.requires_grad_()
    logits = leaf * 1
    with L.using(engine="fused"):
        value = L.cross_entropy(logits[:4], label[:4], inplace=True)
    (value + logits[4:].sum()).backward()
    assert torch.equal(leaf.grad[4:], torch.ones(4, 5))


def test_every_call_of_the_door_is_looked_at():
    assert {name for name, *_ in CALLS} == set(functional.__all__) - {
        "ctc_loss", "linear_cross_entropy",
    }  # fmt: skip
