"""Who waits for a call of PyTorch's function sees it, under a patch and in lossary's own doors.

Tracers, modes and subclasses of tensors take part by ``__torch_function__``; TorchScript compiles
what PyTorch's functions say.
"""

import copy
import io
import pickle

import pytest

torch = pytest.importorskip("torch")

import lossary as L  # noqa: E402
import lossary.torch as doors  # noqa: E402
from lossary.torch import functional, modules  # noqa: E402

F = torch.nn.functional
EXACT, ROUNDED = 4.1399375e-08, 0.0
LOGITS, LABEL = torch.tensor([[17.0, 0.0]]), torch.tensor([0])
# The door hands ctc_loss on to PyTorch, which no patch replaces.
NAMES = [name for name in functional.__all__ if hasattr(F, name) and name != "ctc_loss"]


@pytest.fixture(params=["patched", "door"])
def place(request):
    """Return where the losses are: PyTorch's own place under a patch, or the door."""
    if request.param == "door":
        yield doors, functional
    else:
        with L.patched("torch", quiet=True):
            yield torch.nn, F


def is_exact(value):
    return value.item() == pytest.approx(EXACT)


class Seen(torch.Tensor):
    """A tensor that keeps what functions it was given to."""

    calls: list = []  # noqa: RUF012

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(func)
        return super().__torch_function__(func, types, args, kwargs or {})


class Watch(torch.overrides.TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls.append(func)
        return func(*args, **(kwargs or {}))


class Model(torch.nn.Module):
    """A network with a criterion and two functions of a place."""

    def __init__(self, nn, functions):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.criterion, self.functions = nn.CrossEntropyLoss(), functions

    def forward(self, x, label):
        z = self.layer(x)
        return self.criterion(z, label) + self.functions.mse_loss(z, x)


def arguments(name, of):
    """Return what a function of torch.nn.functional cannot do without."""
    three = ("linear_cross_entropy", "gaussian_nll_loss", "cosine_embedding_loss")
    three += ("margin_ranking_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss")
    return [of() for _ in range(3 if name in three else 2)]


class TestSymbolicTraces:
    def test_a_criterion(self, place):
        nn, functions = place
        graph = torch.fx.symbolic_trace(nn.CrossEntropyLoss())
        targets = [node.target for node in graph.graph.nodes if node.op == "call_function"]
        assert targets == [functions.cross_entropy]
        assert is_exact(graph(LOGITS, LABEL))
        assert is_exact(torch.fx.Interpreter(graph).run(LOGITS, LABEL))

    def test_a_model(self, place):
        model = Model(*place)
        assert torch.fx.symbolic_trace(model)(LOGITS, LABEL) == model(LOGITS, LABEL)

    @pytest.mark.parametrize("name", NAMES)
    def test_every_function(self, place, name):
        function = getattr(place[1], name)
        graph = torch.fx.Graph()
        tracer = torch.fx.proxy.GraphAppendingTracer(graph)
        proxies = arguments(name, lambda: torch.fx.Proxy(graph.placeholder("x"), tracer))
        node = function(*proxies).node
        assert node.op == "call_function"
        assert node.target is function

    def test_a_trace_outlives_the_patch(self):
        with L.patched("torch", quiet=True):
            graph = torch.fx.symbolic_trace(torch.nn.CrossEntropyLoss())
            twin = pickle.loads(pickle.dumps(graph))
            assert is_exact(twin(LOGITS, LABEL))
        for each in (graph, twin, copy.deepcopy(graph)):
            assert each(LOGITS, LABEL).item() == ROUNDED


class TestOverrides:
    def test_a_subclass_sees_the_call(self, place):
        Seen.calls.clear()
        got = place[1].cross_entropy(LOGITS.as_subclass(Seen), LABEL)
        assert Seen.calls == [place[1].cross_entropy]
        assert type(got) is Seen
        assert got.as_subclass(torch.Tensor).item() == pytest.approx(EXACT)

    def test_a_subclass_answers_for_itself(self, place):
        class Own(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return "mine" if func is place[1].mse_loss else NotImplemented

        assert place[1].mse_loss(torch.zeros(2), LOGITS.as_subclass(Own)) == "mine"

    def test_a_mode_sees_the_call_and_no_more(self, place):
        with Watch() as mode:
            got = place[1].cross_entropy(LOGITS, LABEL)
        assert mode.calls == [place[1].cross_entropy]
        assert is_exact(got)

    def test_a_default_device(self, place):
        with torch.device("cpu"):
            assert is_exact(place[1].cross_entropy(LOGITS, LABEL))


class TestOtherWaysToTrace:
    def test_make_fx(self, place):
        from torch.fx.experimental.proxy_tensor import make_fx

        def loss(x, label):
            return place[1].cross_entropy(x, label)

        assert is_exact(make_fx(loss)(LOGITS, LABEL)(LOGITS, LABEL))

    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
    def test_torch_jit_trace(self, place):
        traced = torch.jit.trace(place[0].MSELoss(), (LOGITS, LOGITS + 1))
        assert traced(LOGITS, LOGITS - 3).item() == 9.0

    def test_export(self, place):
        program = torch.export.export(place[0].CrossEntropyLoss(), (LOGITS, LABEL))
        assert is_exact(program.module()(LOGITS, LABEL))

    def test_functionalize_as_without_a_patch(self):
        call = torch.func.functionalize(lambda x: F.mse_loss(x, x + 1))
        wanted = call(LOGITS)
        with L.patched("torch", quiet=True):
            assert torch.equal(call(LOGITS), wanted)

    def test_counting_operations(self, place):
        from torch.utils.flop_counter import FlopCounterMode

        model = Model(*place)
        with FlopCounterMode(display=False) as counter:
            model(LOGITS, LABEL).backward()
        assert counter.get_total_flops() == 16

    def test_saved_criteria(self, place):
        file = io.BytesIO()
        torch.save(place[0].CrossEntropyLoss(weight=torch.ones(2)), file)
        file.seek(0)
        assert is_exact(torch.load(file, weights_only=False)(LOGITS, LABEL))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestTorchScript:
    def test_criteria_stay_pytorchs_under_a_patch(self):
        with L.patched("torch", quiet=True):
            scripted = torch.jit.script(torch.nn.CrossEntropyLoss())
            assert scripted(LOGITS, LABEL).item() == ROUNDED
            file = io.BytesIO()
            torch.jit.save(scripted, file)

    @pytest.mark.parametrize("name", NAMES)
    def test_the_door_says_what_to_do(self, name):
        with pytest.raises(TypeError, match=f"(?s){name}: TorchScript cannot .* without its loss"):
            torch.jit.script(getattr(functional, name))

    @pytest.mark.parametrize("name", modules.__all__)
    def test_so_do_its_criteria_each_time(self, name):
        settings = {"LinearCrossEntropyLoss": (2, 2)}.get(name, ())
        for _ in range(2):
            model = torch.nn.Sequential(getattr(doors, name)(*settings))
            with pytest.raises(TypeError, match=f"{name}: TorchScript cannot compile"):
                torch.jit.script(model)
