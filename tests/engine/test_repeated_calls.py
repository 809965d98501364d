"""A call like the last one is taken for it, and one that differs in anything is not."""

import contextlib

import pytest

import lossary as L

torch = pytest.importorskip("torch")
pytest.importorskip("numba", reason="recipes are compiled by Numba")

from torch.autograd import forward_ad  # noqa: E402
from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402

import lossary.torch.functional as LF  # noqa: E402
from lossary.engine.recipes import torch as recipes  # noqa: E402
from lossary.engine.recipes.recipe import VALUE, plans  # noqa: E402

pytestmark = pytest.mark.usefixtures("recipes_at_once")


def inputs(rows=6, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(rows, 4, dtype=dtype, requires_grad=True), torch.randn(rows, 4, dtype=dtype)


def known_as(loss):
    """What the plans of a loss, or of a function of the door, are remembered by."""
    return LF.huber_loss.__wrapped__ if loss is LF.huber_loss else (loss, VALUE)


def training(loss, **options):
    """The same call over and over, until it is known."""
    x, t = inputs()
    for _ in range(4):
        loss(x, t, **options).backward()
    assert recipes.repeated(known_as(loss), (x, t, *options.values()), options) is not None


def differently(kind, x, t, options):
    """Inputs, options and surroundings that differ from those of training in one respect."""
    around = contextlib.nullcontext()
    y = x.detach()
    if kind == "longer":
        x, t = inputs(7)
    elif kind == "double":
        x, t = inputs(dtype=torch.float64)
    elif kind == "a target of another type":
        t = t.double()
    elif kind == "no gradient":
        x = y
    elif kind == "a target with a gradient":
        t = t.requires_grad_()
    elif kind == "no graph":
        around = torch.no_grad()
    elif kind == "inference":
        around = torch.inference_mode()
    elif kind == "another order of memory":
        x = y.t().contiguous().t().requires_grad_()
    elif kind == "a step between numbers":
        x = torch.stack([y, y], -1)[..., 0].requires_grad_()
    elif kind == "a negative bit":
        x = torch._neg_view(-y).requires_grad_()
    elif kind == "a parameter":
        x = torch.nn.Parameter(y)
    elif kind == "array":
        around = L.using(engine="array")
    elif kind == "another sum":
        options = {"reduction": "sum"}
    elif kind == "another number":
        options = {"delta": 0.25}
    elif kind == "options beside":
        options = options | {"weight": torch.rand(6, 4)}
    return x, t, options, around


KINDS = [
    "longer", "double", "a target of another type", "no gradient", "a target with a gradient",
    "no graph", "inference", "another order of memory", "a step between numbers", "a negative bit",
    "a parameter", "array", "another sum", "another number", "options beside", "nothing",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"reduction": "mean"}, {"delta": 2.0}], ids=str)
@pytest.mark.parametrize("loss", [L.huber, LF.huber_loss], ids=["core", "door"])
def test_what_differs_is_seen(loss, options, kind):
    training(loss, **options)
    x, t, more, around = differently(kind, *inputs(), options)
    values = {"delta": 1.0, "weight": torch.ones(()), "reduction": "mean"} | more
    error = (x.detach() - t.detach()).abs()
    each = torch.where(
        error <= values["delta"], error**2 / 2, values["delta"] * (error - values["delta"] / 2)
    ) * values["weight"]  # fmt: skip
    count = values["weight"].expand(error.shape).sum() if "weight" in more else error.numel()
    wanted = each.sum() / (1 if values["reduction"] == "sum" else count)
    if loss is LF.huber_loss and "weight" in more:
        wanted = torch.nn.functional.huber_loss(x, t, **more).detach()
    with around:
        found = loss(x, t, **more)
    graph = kind not in {"no gradient", "no graph", "inference"}
    assert found.requires_grad == graph
    torch.testing.assert_close(found.detach(), wanted, rtol=1e-5, atol=0, check_dtype=False)
    assert found.dtype is (torch.float64 if kind == "double" else found.dtype)
    if graph:
        found.backward()
        assert x.grad.shape == x.shape
        assert (t.grad is None) == (kind != "a target with a gradient")


@pytest.mark.parametrize("loss", [L.huber, LF.huber_loss], ids=["core", "door"])
def test_transforms_are_seen(loss):
    training(loss)
    x, t = inputs()
    wanted = loss(x.double(), t.double()).detach()
    slope = torch.func.grad(loss)(x.detach(), t)
    each = torch.func.vmap(loss, in_dims=(0, None))(torch.stack([x, x]), t)
    with forward_ad.dual_level():
        dual = loss(forward_ad.make_dual(x, torch.ones_like(x)), t)
        tangent = forward_ad.unpack_dual(dual).tangent
    torch.testing.assert_close(each.double(), wanted.expand(2))
    torch.testing.assert_close(tangent, slope.sum())


@pytest.mark.parametrize("loss", [L.huber, LF.huber_loss], ids=["core", "door"])
def test_numbers_of_another_kind_are_seen(loss):
    """1, 1.0 and True are equal, and so are lists of them."""
    training(loss, delta=1.0)
    x, t = inputs()
    what = known_as(loss)
    for delta in (1, True):
        assert recipes.repeated(what, (x, t, delta), {"delta": delta}) is None
    assert recipes.repeated(what, (x, t, 1.0), {"other": 1.0}) is None
    assert recipes.repeated(what, (x,), {}) is None
    assert recipes.repeated(what, (x, 0.5, 1.0), {"delta": 1.0}) is None


def test_without_pytorchs_look_each_call_is_looked_up(monkeypatch):
    monkeypatch.setattr(recipes, "_Guards", None)
    x, t = inputs()
    first = [L.huber(x, t).item() for _ in range(5)]
    assert len(set(first)) == 1
    assert plans[L.huber, VALUE].guard is None


@pytest.mark.parametrize("loss", [L.huber, LF.huber_loss], ids=["core", "door"])
def test_after_an_evaluation_there_is_a_graph_again(loss):
    x, t = inputs()
    with torch.no_grad():
        values = [loss(x, t) for _ in range(4)]
        assert recipes.repeated(known_as(loss), (x, t), {}) is not None
    assert not any(value.requires_grad for value in values)
    loss(x, t).backward()
    assert x.grad is not None


@pytest.mark.parametrize("loss", [L.huber, LF.huber_loss], ids=["core", "door"])
def test_a_compiler_reads_no_guard(loss):
    training(loss)
    x, t = inputs()
    wanted = loss(2 * x, t).detach()
    compiled = torch.compile(lambda a, b: loss(2 * a, b), backend="aot_eager", fullgraph=True)
    found = compiled(x, t)
    found.backward()
    torch.testing.assert_close(found.detach(), wanted)
    assert x.grad is not None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("loss", [L.huber, LF.huber_loss], ids=["core", "door"])
def test_tracers_are_seen(loss):
    class Module(torch.nn.Module):
        def forward(self, a, b):
            return loss(a, b)

    training(loss)
    x, t = inputs()
    wanted = loss(2 * x, t).detach()
    graphs = [make_fx(Module())(x, t), torch.jit.trace(Module(), (x, t))]
    graphs += [torch.export.export(Module(), (x.detach(), t), strict=s).module() for s in (0, 1)]
    for graph in graphs:
        torch.testing.assert_close(graph(2 * x.detach(), t).detach(), wanted)
