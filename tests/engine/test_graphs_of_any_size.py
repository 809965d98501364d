"""Sizes and numbers that PyTorch's graphs know only when they run are ordinary input.

A loss compiles as often as PyTorch's own for the same calls, exports with dynamic dimensions, and
gives what the eager call gives.
"""

import contextlib
import functools
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from test_torch_door import each_call, prepared  # noqa: E402
from torch._dynamo.testing import CompileCounterWithBackend  # noqa: E402
from torch.export import Dim, export  # noqa: E402

import lossary as L  # noqa: E402
import lossary.torch.functional as F  # noqa: E402
from libraries import Library  # noqa: E402
from lossary.domain import Real  # noqa: E402
from lossary.engine.numbered import identified, identity  # noqa: E402
from samples import arrays, each_loss, parameters, those  # noqa: E402

pytestmark = pytest.mark.representative

TORCH = Library("torch")
SIZES = (5, 2, 7)


class Counted:
    """A function as a compiled graph, and how many graphs it took."""

    def __init__(self, function, backend="aot_eager"):
        torch.compiler.reset()
        self.counter = CompileCounterWithBackend(backend)
        self.compiled = torch.compile(function, backend=self.counter, fullgraph=True)

    def __call__(self, *args, **kwargs):
        return self.compiled(*args, **kwargs)

    @property
    def graphs(self):
        return self.counter.frame_count


def batch(loss, size, dtype=np.float64):
    rng = np.random.default_rng(size)
    return [TORCH.array(x, str(x.dtype)) for x in arrays(loss, rng, (size,), dtype=dtype)]


def check(got, wanted, **tolerance):
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=0, **tolerance)


# -------------------------------------------------------------------------------- compilation


@pytest.mark.sampled(3)
@each_loss
def test_one_graph_serves_every_batch(loss):
    settings = parameters(loss)
    graph = Counted(lambda *tensors: loss(*tensors, **settings))
    for size in SIZES:
        tensors = batch(loss, size)
        marked(tensors[0].requires_grad_(), *tensors[1:])
        check(of_itself(graph, *tensors), loss.value_and_gradient(*tensors, **settings))
    assert graph.graphs == 1


def marked(*tensors):
    """Say that the first length is one of many, as a second batch would."""
    for x in tensors:
        if x.dim():
            torch._dynamo.mark_dynamic(x, 0)


def of_itself(function, first, *others):
    """Differentiate with respect to the very tensor that is given."""
    value = function(first, *others)
    (slope,) = torch.autograd.grad(value.sum(), first)
    return value.detach(), slope


OPTIONS = {
    "weight": lambda n: {"weight": torch.linspace(0, 1, n)},
    "one weight for all": lambda n: {"weight": torch.ones(1)},
    "mask": lambda n: {"mask": torch.arange(n) > 0},
    "both": lambda n: {"weight": torch.linspace(0, 1, n), "mask": torch.arange(n) > 0},
    "sum": lambda n: {"reduction": "sum"},
    "none": lambda n: {"reduction": "none"},
    "denominator": lambda n: {"denominator": torch.tensor(float(n))},
    "empty": lambda n: {"mask": torch.zeros(n, dtype=torch.bool), "empty": "nan"},
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("loss", [L.focal, L.cross_entropy], ids=lambda loss: loss.name)
def test_options_do_not_tie_a_graph_to_a_size(loss, option):
    graph = Counted(lambda tensors, options: loss(*tensors, **options), "eager")
    for size in SIZES:
        tensors, options = batch(loss, size), OPTIONS[option](size)
        got = graph(tensors, options)
        check([got], [loss(*tensors, **options)], equal_nan=True)
    assert graph.graphs <= graphs_of_pytorch()


@functools.cache
def graphs_of_pytorch():
    """How many graphs PyTorch's own operations take for these sizes."""
    own = Counted(lambda x, y: (x - y).square().mean(), "eager")
    for size in SIZES:
        own(torch.ones(size), torch.zeros(size))
    return own.graphs


@pytest.mark.parametrize("option", ["class_weight", "ignore_index"])
def test_options_of_labels_do_not_tie_a_graph_to_a_size(option):
    value = torch.tensor([1.0, 2.0, 0.5, 1.0]) if option == "class_weight" else 1
    graph = Counted(lambda *tensors: L.cross_entropy(*tensors, **{option: value}), "eager")
    for size in SIZES:
        tensors = batch(L.cross_entropy, size)
        check([graph(*tensors)], [L.cross_entropy(*tensors, **{option: value})])
    assert graph.graphs == 2


@pytest.mark.sampled(4)
@each_call
def test_one_graph_of_the_door_serves_every_batch(name, roles, settings):
    function = getattr(F, name)
    graph = Counted(lambda xs, named: function(*xs, **named))
    for size in SIZES:
        tensors, named = prepared_for(size, roles, settings)
        marked(tensors[0].requires_grad_(), *tensors[1:], *per_row(named))
        got = of_itself(lambda *xs, named=named: graph(xs, named), *tensors)
        check(got, of_itself(lambda *xs, named=named: function(*xs, **named), *tensors))
    assert graph.graphs == 1


def per_row(named):
    """Return the settings that have a row for each of the batch; others have one for each class."""
    return [v for v in named.values() if isinstance(v, torch.Tensor) and v.dim() == 2]


def prepared_for(size, roles, settings):
    """Return the tensors and settings of a call for so many rows."""
    found, named = prepared(roles, settings, torch.float64)
    repeated = [x.repeat(size, *[1] * (x.dim() - 1))[: size + 1] for x in found]
    named = {
        k: v.repeat(size, 1)[: size + 1] if isinstance(v, torch.Tensor) and v.dim() == 2 else v
        for k, v in named.items()
    }
    return repeated, named


# -------------------------------------------------------------------------- hyper-parameters


def scalars(loss):
    return [a for a in loss.parameters if a.domain.continuous and not a.domain.class_axis]


@those(scalars)
def test_hyper_parameters_may_change(loss):
    """Numbers that the graph knows only when it runs."""
    names = [a.name for a in scalars(loss)]
    tensors = batch(loss, 3)
    settings = parameters(loss)

    def call(*numbers):
        return loss(*tensors, **settings | dict(zip(names, numbers, strict=True)))

    graph = Counted(call, "eager")
    with torch._dynamo.config.patch(specialize_float=False):
        for place in (1, 2, 0):
            numbers = [float(a.domain.inside[place]) for a in scalars(loss)]
            check([graph(*numbers)], [call(*numbers)])
    assert graph.graphs <= 2


def test_each_number_may_have_a_graph_of_its_own():
    x, y = batch(L.huber, 3)
    graph = Counted(lambda delta: L.huber(x, y, delta=delta), "eager")
    for delta in (0.5, 0.6, 0.7):
        check([graph(delta)], [L.huber(x, y, delta=delta)])


def test_a_hyper_parameter_outside_its_set_is_refused_or_nan():
    x, y = torch.tensor([3.0]), torch.tensor([0.0])
    graph = Counted(lambda d: L.huber(x, y, delta=d), "eager")
    with torch._dynamo.config.patch(specialize_float=False):
        assert graph(0.5) == 1.375
        assert graph(0.75) == L.huber(x, y, delta=0.75)
        with contextlib.suppress(L.DomainError):  # PyTorch may come to know the number after all
            assert graph(-1.0).isnan()


@pytest.mark.parametrize("option", ["ignore_index", "label_smoothing"])
def test_options_of_a_criterion_may_change(option):
    tensors = prepared_for(4, "x label", {})[0]
    values = {"ignore_index": (-100, 2, 1, 3), "label_smoothing": (0.1, 0.2, 0.3)}[option]
    for function in (F.cross_entropy, L.cross_entropy):
        graph = Counted(lambda v, f=function: f(*tensors, **{option: v}), "eager")
        for value in values:
            check([graph(value)], [function(*tensors, **{option: value})])


def test_the_operator_of_kernels_takes_what_changes():
    """Inside ``using(engine="fused")`` the graph holds a kernel."""
    graph = Counted(lambda x, y, d: L.huber(x, y, delta=d, denominator=x.shape[0] + 1))
    with L.using(engine="fused"), torch._dynamo.config.patch(specialize_float=False):
        for size, delta in ((4, 0.5), (2, 0.75), (7, 0.625)):
            tensors = batch(L.huber, size)
            tensors[0].requires_grad_()
            got = of_itself(lambda x, y, d=delta: graph(x, y, d), *tensors)
            wanted = L.huber.value_and_gradient(*tensors, delta=delta, denominator=size + 1)
            check(got, wanted)


def test_a_graph_on_disk_names_a_loss_by_what_it_computes():
    """Two programs that define their losses in another order do not find each other's."""

    def defined(factor, name="own"):
        def own(prediction: Real, target: Real):
            """An error, scaled."""
            return factor * (prediction - target) ** 2

        own.__name__ = name
        return L.loss(source="nobody")(own)

    first, other = defined(2), defined(3)
    assert identity(first) == identity(defined(2))
    assert identity(first) != identity(other)
    assert identity(first) != identity(defined(2, "another"))
    assert identified(identity(other)) is other
    named = {identity(loss) for loss in L.catalogue.values()}
    assert len(named) == len(L.catalogue)
    # Where a test before has defined one of them again, that one computes the same.
    assert all(identity(identified(name)) == name for name in named)


# ------------------------------------------------------------------------------------- export


class Module(torch.nn.Module):
    def __init__(self, function, named):
        super().__init__()
        self.function, self.named = function, named

    def forward(self, *tensors):
        return self.function(*tensors, **self.named)


def exported(function, tensors, named):
    """Return the graph for any number of rows, of tensors that have as many of them."""
    batches = Dim("batch")
    shapes = tuple({0: batches} if x.dim() else None for x in tensors)
    return export(Module(function, named), tuple(tensors), dynamic_shapes=(shapes,)).module()


def with_weights(function, roles, settings, size):
    """Return a function of tensors, among them the settings that have a row for each sample."""
    tensors, named = prepared_for(size, roles, settings)
    own = [k for k, v in named.items() if isinstance(v, torch.Tensor) and v.dim() == 2]

    def call(*given):
        weights = dict(zip(own, given[len(tensors) :], strict=True))
        return function(*given[: len(tensors)], **named | weights)

    return call, [*tensors, *(named[k] for k in own)]


@pytest.mark.sampled(3)
@each_loss
def test_the_catalogue_exports_with_a_dynamic_batch(loss):
    settings = parameters(loss)
    graph = exported(loss, batch(loss, 4), settings)
    for size in SIZES:
        tensors = batch(loss, size)
        tensors[0].requires_grad_()
        check(of_itself(graph, *tensors), loss.value_and_gradient(*tensors, **settings))


@pytest.mark.sampled(4)
@each_call
def test_the_door_exports_with_a_dynamic_batch(name, roles, settings):
    function = getattr(F, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = exported(*with_weights(function, roles, settings, 4), {})
        for size in SIZES:
            call, tensors = with_weights(function, roles, settings, size)
            check([graph(*tensors)], [call(*tensors)])
