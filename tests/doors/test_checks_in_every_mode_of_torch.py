"""A bad value is never a plausible number, whatever PyTorch does with the call.

Eager calls raise (test_domains.py, test_torch_door.py). Where tensors are traced, batched,
differentiated by torch.func or watched, nothing can be raised: value and gradient are NaN.
"""

import contextlib
import functools
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

import lossary as L  # noqa: E402
import lossary.torch.functional as F  # noqa: E402
from libraries import Library  # noqa: E402
from samples import LOSSES, sample  # noqa: E402

pytestmark = pytest.mark.representative

TORCH = Library("torch")


class Watching(TorchDispatchMode):
    """A mode that sees every operation and changes none."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return operation(*args, **(kwargs or {}))


class Wrapped(torch.Tensor):
    """A subclass that changes nothing."""


def by_autograd(function, first, *others):
    first = first.detach().requires_grad_()
    value = function(first, *others)
    (slope,) = torch.autograd.grad(value, first)
    return value.detach(), slope


def watched(function, *tensors):
    with Watching():
        return by_autograd(function, *tensors)


def of_a_subclass(function, *tensors):
    value, slope = by_autograd(function, *(x.as_subclass(Wrapped) for x in tensors))
    return value.as_subclass(torch.Tensor), slope.as_subclass(torch.Tensor)


def differentiated(function, *tensors):
    slope, value = torch.func.grad_and_value(function)(*tensors)
    return value, slope


def pushed_forward(function, first, *others):
    def of_first(x):
        return function(x, *others)

    value, tangent = torch.func.jvp(of_first, (first,), (torch.ones_like(first),))
    return value, tangent


def batched(function, *tensors):
    """Call it on two equal batches at once."""
    both = [torch.stack([x, x]) for x in tensors]
    slopes, values = torch.func.vmap(torch.func.grad_and_value(function))(*both)
    return values[1], slopes[1]


def batched_loss(function, *tensors):
    """Differentiate the losses of two equal batches at once."""
    first, *others = (torch.stack([x, x]) for x in tensors)
    first.requires_grad_()
    values = torch.func.vmap(function)(first, *others)
    (slopes,) = torch.autograd.grad(values.sum(), first)
    return values[1].detach(), slopes[1]


EAGER = [watched, of_a_subclass, differentiated, pushed_forward, batched, batched_loss]


# A graph is made of a good batch, and then gets a bad one.


def compiled(function, good):
    torch.compiler.reset()
    graph = torch.compile(function, backend="aot_eager", fullgraph=True)
    by_autograd(graph, *good)
    return functools.partial(by_autograd, graph)


def recorded(function, good):
    return functools.partial(differentiated, make_fx(function)(*good))


def _plain(function):
    """TorchScript traces functions and modules only."""

    def call(*tensors):
        return function(*tensors)

    return call


def traced(function, good):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is deprecated, and that sizes are looked at
        graph = torch.jit.trace(_plain(function), good, check_trace=False)
    return functools.partial(by_autograd, graph)


def exported(function, good):
    class Module(torch.nn.Module):
        def forward(self, *tensors):
            return function(*tensors)

    return functools.partial(by_autograd, torch.export.export(Module(), good).module())


GRAPHS = [compiled, recorded, traced, exported]


def prepared(mode, function, good):
    """Return what runs the function in a mode."""
    return mode(function, good) if mode in GRAPHS else functools.partial(mode, function)


def refusing(mode):
    """The context in which an error is an answer, too: the best one, where values can be seen."""
    errors = () if mode in GRAPHS else (L.DomainError, IndexError, RuntimeError, ValueError)
    return contextlib.suppress(*errors)


def numbers(*tensors):
    return torch.cat([x.detach().reshape(-1).double() for x in tensors])


# ------------------------------------------------------------------------------ the catalogue

ARGUMENTS = [
    pytest.param(loss, place, id=f"{loss.name}-{argument.name}")
    for loss in LOSSES
    for place, argument in enumerate(loss.inputs)
    if not all(map(np.isnan, argument.domain.outside))
]


def spoiled(loss, place):
    """Good data of three elements or rows, and the same with one value outside its set."""
    good, parameters = sample(loss, shape=(3,), dtype=np.float32)
    bad = [x.copy() for x in good]
    bad[place][1] = next(v for v in loss.inputs[place].domain.outside if not np.isnan(v))
    return (
        [TORCH.array(x, str(x.dtype)) for x in good],
        [TORCH.array(x, str(x.dtype)) for x in bad],
        parameters,
    )


@pytest.mark.parametrize("mode", EAGER, ids=lambda mode: mode.__name__)
@pytest.mark.parametrize(("loss", "place"), ARGUMENTS)
def test_of_the_catalogue(mode, loss, place):
    good, bad, parameters = spoiled(loss, place)

    def function(*tensors):
        return loss(*tensors, **parameters)

    assert not numbers(*mode(function, *good)).isnan().any()
    with refusing(mode):
        value, slope = mode(function, *bad)
        assert value.isnan()
        assert slope.isnan().any()


# ----------------------------------------------------------------------------------- the door

torch.manual_seed(0)
X, Y = torch.randn(4, 3), torch.randn(4, 3)
P, Q = torch.rand(4, 3) * 0.8 + 0.1, torch.rand(4, 3)
LABEL, BAD_LABEL = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 3, 2])
W = torch.tensor([0.5, 1.0, 2.0])
LISTS = torch.tensor([[0, -1, 0], [1, 2, -1], [2, -1, -1], [0, 1, 2]])
LOG_P = torch.randn(5, 4, 3).log_softmax(-1)
LENGTHS = torch.tensor([5, 5, 5, 5]), torch.tensor([2, 1, 2, 2])
TARGETS = torch.tensor([[1, 2], [1, 0], [2, 1], [1, 1]])


def changed(tensor, place, value):
    tensor = tensor.clone()
    tensor[place] = value
    return tensor


def ctc(log_probs, targets):
    return F.ctc_loss(log_probs, targets, *LENGTHS)


# Function, settings, good tensors, and the place of one that is exchanged for a bad one.
DOOR = {
    "cross_entropy": (F.cross_entropy, {}, (X, LABEL), 1, BAD_LABEL),
    "cross_entropy below 0": (F.cross_entropy, {}, (X, LABEL), 1, changed(LABEL, 0, -1)),
    "cross_entropy weighted": (F.cross_entropy, {"weight": W}, (X, LABEL), 1, BAD_LABEL),
    "cross_entropy smoothed": (F.cross_entropy, {"label_smoothing": 0.1}, (X, LABEL), 1, BAD_LABEL),
    "cross_entropy both": (
        F.cross_entropy, {"label_smoothing": 0.1, "weight": W}, (X, LABEL), 1, BAD_LABEL,
    ),
    "cross_entropy ignoring": (F.cross_entropy, {"ignore_index": 2}, (X, LABEL), 1, BAD_LABEL),
    "nll_loss": (F.nll_loss, {"weight": W}, (X.log_softmax(1), LABEL), 1, BAD_LABEL),
    "multi_margin_loss": (F.multi_margin_loss, {}, (X, LABEL), 1, BAD_LABEL),
    "multilabel_margin_loss": (
        F.multilabel_margin_loss, {}, (X, LISTS), 1, changed(LISTS, (3, 1), 3),
    ),
    "binary_cross_entropy": (F.binary_cross_entropy, {}, (P, Q), 0, changed(P, (1, 1), 1.5)),
    "binary_cross_entropy target": (F.binary_cross_entropy, {}, (P, Q), 1, changed(Q, 0, -0.25)),
    "gaussian_nll_loss": (F.gaussian_nll_loss, {}, (X, Y, P), 2, changed(P, (2, 0), -1.0)),
    "ctc_loss": (ctc, {}, (LOG_P, TARGETS), 1, changed(TARGETS, (2, 1), 10**9)),
}  # fmt: skip


@pytest.mark.sampled(3)
@pytest.mark.parametrize("mode", [*EAGER, *GRAPHS], ids=lambda mode: mode.__name__)
@pytest.mark.parametrize("name", DOOR)
def test_of_the_door(mode, name):
    function, settings, good, place, bad = DOOR[name]
    if name == "ctc_loss" and mode not in {watched, of_a_subclass, differentiated, traced}:
        pytest.skip("PyTorch's own operator knows no such mode")

    def call(*tensors):
        return function(*tensors, **settings)

    run = prepared(mode, call, good)
    assert not numbers(*run(*good)).isnan().any()
    with refusing(mode):
        value, slope = run(*(bad if i == place else x for i, x in enumerate(good)))
        assert value.isnan()
        assert slope.isnan().any()


@pytest.mark.parametrize("name", DOOR)
def test_of_the_door_in_eager_calls(name):
    function, settings, good, place, bad = DOOR[name]
    tensors = [*good]
    tensors[place] = bad
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        function(*tensors, **settings)


def test_a_label_beyond_the_length_of_a_ctc_target_is_padding():
    padded = changed(TARGETS, (1, 1), 99)
    assert ctc(LOG_P, padded) == ctc(LOG_P, TARGETS)
    torch.testing.assert_close(watched(ctc, LOG_P, padded)[0], ctc(LOG_P, TARGETS))


def test_a_ctc_label_that_is_no_class_is_named():
    with pytest.raises(IndexError, match=r"from 0 to 2, got 9 at index \(2, 1\)"):
        ctc(LOG_P, changed(TARGETS, (2, 1), 9))


@pytest.mark.parametrize("mode", [*EAGER, compiled], ids=lambda mode: mode.__name__)
def test_under_a_patch_too(mode):
    with L.patched("torch", quiet=True), refusing(mode):
        value, slope = prepared(mode, torch.nn.CrossEntropyLoss(), (X, LABEL))(X, BAD_LABEL)
        assert value.isnan()
        assert slope.isnan().any()


@pytest.mark.parametrize("mode", GRAPHS, ids=lambda mode: mode.__name__)
@pytest.mark.parametrize("size", [3, 20_000], ids=["small", "large"])
def test_a_graph_holds_the_check_and_not_a_result(mode, size):
    """Made from large arrays, too, which an eager call would give to a kernel."""
    good = torch.rand(size), torch.rand(size).round()
    run = prepared(mode, L.focal.__call__, good)
    torch.testing.assert_close(run(good[0] + 1, good[1])[0], L.focal(good[0] + 1, good[1]))
    value, slope = run(good[0], changed(good[1], 1, 0.3))
    assert value.isnan()
    assert slope.isnan().any()
