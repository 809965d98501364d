"""Once a recipe answers a function of PyTorch's door, its like does not run the function again."""

import warnings

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba", reason="recipes are compiled by Numba")

import torch.nn.functional as peer  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402

import lossary as L  # noqa: E402
from lossary.engine.recipes import recipe  # noqa: E402
from lossary.torch import classification, computing, functional, regression  # noqa: E402

pytestmark = pytest.mark.usefixtures("recipes_at_once")

ROWS, CLASSES = 6, 5


def logits(seed=0):
    made = torch.Generator().manual_seed(seed)
    return torch.randn(ROWS, CLASSES, generator=made).requires_grad_()


def labels():
    return torch.arange(ROWS) % CLASSES


def both(name, *args, **named):
    """Value and gradient by the door and by PyTorch."""
    found = []
    for module in (functional, peer):
        x = args[0].detach().requires_grad_()
        value = getattr(module, name)(x, *args[1:], **named)
        (slope,) = torch.autograd.grad(value.sum(), x)
        found.append((value.detach(), slope))
    return found


def agree(name, *args, **named):
    ours, theirs = both(name, *args, **named)
    for mine, own in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, own, equal_nan=True)


NUMBERS = torch.linspace(-2, 2, 30), torch.linspace(1, 0, 30)
CALLS = {
    "labels": ("cross_entropy", (logits(), labels()), {}),
    "class weights": ("cross_entropy", (logits(), labels(), torch.rand(CLASSES)), {}),
    "ignored": ("cross_entropy", (logits(), labels()), {"ignore_index": 2}),
    "smoothed": ("cross_entropy", (logits(), labels()), {"label_smoothing": 0.3}),
    "each": ("cross_entropy", (logits(), labels()), {"reduction": "none"}),
    "likelihood": ("nll_loss", (logits(), labels()), {"reduction": "sum"}),
    "binary": ("binary_cross_entropy_with_logits", NUMBERS, {}),
    "weighted": ("binary_cross_entropy_with_logits", (*NUMBERS, torch.rand(30)), {}),
    "huber": ("huber_loss", NUMBERS, {"delta": 0.4}),
    "squared": ("mse_loss", NUMBERS, {"reduction": "sum"}),
    "absolute": ("l1_loss", NUMBERS, {}),
    "weighted squared": ("mse_loss", NUMBERS, {"weight": torch.rand(30)}),
    "weighted absolute": ("l1_loss", NUMBERS, {"weight": torch.tensor([0.0, 2.5, 1.0] * 10)}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_function_is_not_run_again(call, monkeypatch):
    name, args, named = call
    agree(name, *args, **named)

    def forbidden(*_, **__):
        raise AssertionError("the door was run again")

    for module in (classification, regression, computing):
        monkeypatch.setattr(module, "Request", forbidden)
    agree(name, *args, **named)
    changed = [(x * 0.5).detach() if x.is_floating_point() else x.flip(0) for x in args]
    agree(name, *changed, **named)  # its numbers are read anew


@pytest.mark.parametrize(
    "named",
    [
        {"reduction": "sum"},
        {"reduction": "none"},
        {"ignore_index": 1},
        {"label_smoothing": 0.25},
        {"label_smoothing": 1.0},
        {"weight": torch.tensor([1.0, 2.0, 0.0, 0.5, 3.0])},
    ],
    ids=str,
)
def test_other_arguments_are_another_call(named):
    agree("cross_entropy", logits(), labels())
    agree("cross_entropy", logits(), labels(), **named)
    agree("cross_entropy", logits(), labels())


def test_other_tensors_are_another_call():
    x, t = logits(), labels()
    agree("cross_entropy", x, t)
    agree("cross_entropy", x[:4], t[:4])
    agree("cross_entropy", x.double(), t)
    agree("cross_entropy", x.detach().t().contiguous().t(), t)
    agree("cross_entropy", x.detach().repeat(1, 2)[:, ::2], t)
    with torch.no_grad():
        assert not functional.cross_entropy(x, t).requires_grad
    assert functional.cross_entropy(x, t).requires_grad
    target = torch.zeros(ROWS, CLASSES)
    for moves in (False, True, False):
        moving = target.clone().requires_grad_(moves)
        functional.mse_loss(x, moving).backward()
        assert (moving.grad is not None) == moves
    minus = torch._neg_view(x.detach())  # a bit that no shape shows
    agree("cross_entropy", minus, t)


def test_what_a_recipe_refuses_is_said_by_the_door():
    x, t = logits(), labels()
    agree("cross_entropy", x, t)
    wrong = t.clone()
    wrong[3] = CLASSES
    with pytest.raises(IndexError):
        functional.cross_entropy(x, wrong)
    with pytest.raises(RuntimeError):
        functional.cross_entropy(x, t, label_smoothing=1.5)
    agree("cross_entropy", x, t)


@pytest.mark.parametrize("number", [torch.inf, -torch.inf, torch.nan])
def test_infinity_is_answered_by_pytorch(number):
    x = logits().detach()
    agree("cross_entropy", x, labels())
    agree("cross_entropy", x, labels(), reduction="none")
    for named in ({}, {"reduction": "none"}):
        for column in (1, 2):  # the label's, and another
            x = logits().detach()
            x[1, column] = number
            agree("cross_entropy", x, labels(), **named)


def test_a_sum_beyond_its_type_is_infinite():
    x, t = torch.full((4,), 1e19), torch.zeros(4)
    for scale in (1e-19, 1.0):
        agree("mse_loss", x * scale, t, reduction="sum")


def test_old_arguments_warn_each_time():
    x, t = NUMBERS
    for _ in range(3):
        with pytest.warns(UserWarning, match="size_average"):
            functional.mse_loss(x, t, size_average=False)
        with pytest.warns(UserWarning, match="target size"):
            functional.mse_loss(x, t[:1])


def test_whoever_watches_sees_the_function():
    seen = []

    class Watcher(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            seen.append(function)
            return function(*args, **(kwargs or {}))

    x, t = logits(), labels()
    agree("cross_entropy", x, t)
    with Watcher():
        functional.cross_entropy(x, t)
    assert functional.cross_entropy in seen


def test_transforms_and_other_engines_go_the_long_road():
    x, t = logits(), labels()
    agree("cross_entropy", x, t)
    batch = torch.stack([x.detach(), -x.detach()])
    rows = torch.func.vmap(functional.cross_entropy, (0, None))(batch, t)
    torch.testing.assert_close(rows, torch.stack([peer.cross_entropy(b, t) for b in batch]))
    value, slope = torch.func.jvp(lambda x: functional.cross_entropy(x, t), (x,), (x,))
    torch.testing.assert_close(value, peer.cross_entropy(x, t))
    assert torch.isfinite(slope)
    with L.using(engine="array"):
        agree("cross_entropy", x, t)
    x = x.detach().double().requires_grad_()
    agree("cross_entropy", x, t)
    assert torch.autograd.gradcheck(lambda x: functional.cross_entropy(x, t), x)
    assert torch.autograd.gradgradcheck(lambda x: functional.cross_entropy(x, t), x)


def test_autocast_chooses_the_type_of_halves():
    x, t = logits().detach().bfloat16(), labels()
    for enabled in (True, False, True):
        with torch.autocast("cpu", enabled=enabled):
            found = [m.cross_entropy(x, t).dtype for m in (functional, peer)]
        assert found[0] is found[1]


def test_a_graph_that_stays_gives_the_same_gradient_again():
    x, t = logits(), labels()
    for module in (L.cross_entropy, functional.cross_entropy):
        value = module(x, t)
        found = [torch.autograd.grad(value, x, retain_graph=True)[0] for _ in range(2)]
        found[0].mul_(3.0)  # what was handed over is the caller's
        found.append(torch.autograd.grad(value, x)[0])
        torch.testing.assert_close(found[1], found[2], rtol=0, atol=0)
        with pytest.raises(RuntimeError, match="second time"):
            torch.autograd.grad(value, x)


def test_hyper_parameters_are_checked_and_read_each_time():
    x, t = NUMBERS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for delta in (0.5, 1.0, 0.25, 0.5):
            torch.testing.assert_close(
                L.huber(x, t, delta=delta), peer.huber_loss(x, t, delta=delta)
            )
    for _ in range(2):
        with pytest.raises(L.DomainError):
            L.huber(x, t, delta=-1.0)


def test_plans_are_bounded(monkeypatch):
    monkeypatch.setattr(recipe, "MOST", 8)
    for size in range(2, 20):
        L.squared_error(torch.ones(size), torch.zeros(size))
    assert 0 < len(recipe.plans) <= 8
