"""The door of PyTorch: the criteria of torch.nn, its loss functions, and the catalogue as modules.

``python -m tests.peers.torch`` compares values, gradients and errors over PyTorch's own samples;
here stand the rest of the contract, the signatures that the seeds print, and a part of that run.
"""

import copy
import inspect
import math
import pickle
import re
import warnings

import pytest

torch = pytest.importorskip("torch")

import lossary as L  # noqa: E402
import lossary.torch as door  # noqa: E402
from lossary.torch import computing, functional, modules  # noqa: E402

F = torch.nn.functional
ROWS, CLASSES = 6, 5


def data():
    """Return tensors by their role in a call."""
    torch.manual_seed(0)
    unit = torch.rand(ROWS, CLASSES) * 0.8 + 0.1
    return {
        "x": unit.clone(),
        "y": unit.flip(0) * 0.9,
        "z": unit.flip(1) + 0.5,
        "binary": (torch.rand(ROWS, CLASSES) > 0.5).float(),
        "sign": torch.sign(torch.randn(ROWS, CLASSES)),
        "row_sign": torch.sign(torch.randn(ROWS)),
        "label": torch.randint(0, CLASSES, (ROWS,)),
        "labels": torch.randint(0, CLASSES, (ROWS, CLASSES)),
        "masses": unit.softmax(1),
        "log_masses": unit.flip(0).log_softmax(1),
        "list": torch.tensor([3, 0, -1, 1, 2]).repeat(ROWS, 1),
        "sequence": torch.randn(7, ROWS, CLASSES).log_softmax(-1),
        "list_of_labels": torch.tensor([0, 2, 3]).repeat(ROWS, 1),
        "lengths": torch.full((ROWS,), 7),
        "target_lengths": torch.tensor([3, 2, 1, 0, 3, 2]),
    }


# Function: the roles of its tensors, and settings that take every branch of the door.
CALLS = [
    ("l1_loss", "x y", {}),
    ("l1_loss", "x y", {"weight": "masses"}),
    ("mse_loss", "x y", {}),
    ("mse_loss", "x y", {"weight": "masses", "reduction": "sum"}),
    ("smooth_l1_loss", "x y", {"beta": 0.1}),
    ("smooth_l1_loss", "x y", {"beta": 0.0}),
    ("huber_loss", "x y", {"delta": 0.1}),
    ("huber_loss", "x y", {"weight": "masses"}),
    ("kl_div", "log_masses masses", {"reduction": "batchmean"}),
    ("kl_div", "log_masses log_masses", {"reduction": "sum", "log_target": True}),
    ("poisson_nll_loss", "x y", {}),
    ("poisson_nll_loss", "x z", {"full": True}),
    ("poisson_nll_loss", "x y", {"log_input": False}),
    ("gaussian_nll_loss", "x y z", {}),
    ("gaussian_nll_loss", "x y z", {"full": True, "eps": 1.0}),
    ("gaussian_nll_loss", "x y z", {"full": True, "reduction": "sum"}),
    ("nll_loss", "log_masses label", {"weight": "masses_row", "ignore_index": 2}),
    ("cross_entropy", "x label", {}),
    ("cross_entropy", "x label", {"weight": "masses_row", "label_smoothing": 0.1}),
    ("cross_entropy", "x label", {"ignore_index": 1, "label_smoothing": 0.1}),
    ("cross_entropy", "x masses", {"weight": "masses_row", "label_smoothing": 0.1}),
    ("binary_cross_entropy", "x binary", {"weight": "masses"}),
    ("binary_cross_entropy_with_logits", "x binary", {}),
    ("binary_cross_entropy_with_logits", "x binary", {"weight": "masses"}),
    ("binary_cross_entropy_with_logits", "x binary", {"pos_weight": "masses_row"}),
    ("multilabel_soft_margin_loss", "x binary", {"weight": "masses_row"}),
    ("soft_margin_loss", "x sign", {}),
    ("hinge_embedding_loss", "x sign", {"margin": 0.5}),
    ("margin_ranking_loss", "x y sign", {"margin": 0.1}),
    ("multi_margin_loss", "x label", {"p": 2, "weight": "masses_row"}),
    ("multilabel_margin_loss", "x list", {}),
    ("multilabel_margin_loss", "x list", {"reduction": "none"}),
    ("cosine_embedding_loss", "x y row_sign", {"margin": 0.1}),
    ("triplet_margin_loss", "x y z", {}),
    ("triplet_margin_loss", "x y z", {"swap": True, "p": 1.0}),
    ("triplet_margin_loss", "x y z", {"swap": True}),
    ("triplet_margin_with_distance_loss", "x y z", {"margin": 0.5}),
]  # fmt: skip
each_call = pytest.mark.parametrize(
    ("name", "roles", "settings"), CALLS, ids=[f"{n} {' '.join(s)}".strip() for n, _, s in CALLS]
)


def prepared(roles, settings, dtype=torch.float32):
    """Return the tensors and settings of a call."""
    table = {k: v.to(dtype) if v.is_floating_point() else v for k, v in data().items()}
    table["masses_row"] = table["masses"][0]
    named = {k: table[v] if k.endswith("weight") else v for k, v in settings.items()}
    return [table[role] for role in roles.split()], named


def value_and_gradient(function, tensors, named):
    first = tensors[0].detach().clone().requires_grad_()
    value = function(first, *tensors[1:], **named)
    (gradient,) = torch.autograd.grad(value.sum(), first)
    return value.detach(), gradient


def same(got, wanted, **tolerance):
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, **tolerance)


class TestTheContractIsPyTorchs:
    def test_every_criterion_and_function_is_there(self):
        criteria = {
            name for name, kind in vars(torch.nn.modules.loss).items()
            if inspect.isclass(kind) and issubclass(kind, torch.nn.modules.loss._Loss)
            and not name.startswith("_")
        }  # fmt: skip
        assert set(modules.__all__) == criteria - {"NLLLoss2d"}

    @pytest.mark.parametrize("name", functional.__all__)
    def test_functions_have_the_same_signature(self, name):
        own, peer = (inspect.signature(getattr(m, name)).parameters for m in (functional, F))
        assert [(p.name, p.kind, p.default) for p in own.values()] == [
            (p.name, p.kind, p.default) for p in peer.values()
        ]

    @pytest.mark.parametrize("name", modules.__all__)
    def test_criteria_are_constructed_and_called_alike(self, name):
        own, peer = getattr(door, name), getattr(torch.nn, name)
        assert inspect.signature(own) == inspect.signature(peer)
        assert list(inspect.signature(own.forward).parameters) == list(
            inspect.signature(peer.forward).parameters
        )

    @each_call
    @pytest.mark.parametrize("road", ["short", "general"])
    def test_value_and_gradient(self, name, roles, settings, road, monkeypatch):
        if road == "general":
            monkeypatch.setattr(computing, "SMALL", 0)
        tensors, named = prepared(roles, settings)
        own, peer = getattr(functional, name), getattr(F, name)
        same(value_and_gradient(own, tensors, named), value_and_gradient(peer, tensors, named))

    @each_call
    def test_second_derivatives(self, name, roles, settings):
        tensors, named = prepared(roles, settings, torch.float64)

        def loss(x):
            return getattr(functional, name)(x, *tensors[1:], **named)

        first = tensors[0].detach().clone().requires_grad_()
        assert torch.autograd.gradcheck(loss, first)
        assert torch.autograd.gradgradcheck(loss, first)

    @pytest.mark.parametrize("size_average", [None, True, False])
    @pytest.mark.parametrize("reduce", [None, True, False])
    def test_legacy_arguments_win_and_warn(self, size_average, reduce):
        tensors, _ = prepared("x y", {})
        legacy = {"size_average": size_average, "reduce": reduce, "reduction": "sum"}
        if size_average is None and reduce is None:
            same([functional.mse_loss(*tensors, **legacy)], [F.mse_loss(*tensors, **legacy)])
            return
        with pytest.warns(UserWarning, match="size_average and reduce args"):
            wanted = F.mse_loss(*tensors, **legacy)
        with pytest.warns(UserWarning, match="size_average and reduce args"):
            same([functional.mse_loss(*tensors, **legacy)], [wanted])
        with pytest.warns(UserWarning, match="size_average and reduce args"):
            same([door.MSELoss(**legacy)(*tensors)], [wanted])

    def test_broadcasting_warns_and_a_name_of_the_mean_is_deprecated(self):
        x, y = torch.rand(3, 1), torch.rand(3)
        with pytest.warns(UserWarning, match="target size"):
            got = functional.smooth_l1_loss(x, y)
        with pytest.warns(UserWarning, match="target size"):
            same([got], [F.smooth_l1_loss(x, y)])
        with pytest.warns(UserWarning, match="elementwise_mean"):
            same([functional.mse_loss(y, y + 1, reduction="elementwise_mean")], [torch.tensor(1.0)])

    @pytest.mark.parametrize(
        ("name", "roles", "settings"),
        [
            ("mse_loss", "x y", {"reduction": "total"}),
            ("huber_loss", "x y", {"delta": -1.0}),
            ("smooth_l1_loss", "x y", {"beta": -1.0}),
            ("l1_loss", "x y", {"weight": "masses_row"}),
            ("cross_entropy", "x label", {"label_smoothing": 1.5}),
            ("cross_entropy", "x row_sign", {}),
            ("cross_entropy", "x labels", {}),
            ("nll_loss", "x label", {"weight": "row_sign"}),
            ("binary_cross_entropy", "z binary", {}),
            ("binary_cross_entropy", "x row_sign", {}),
            ("binary_cross_entropy_with_logits", "x label", {}),
            ("multi_margin_loss", "x label", {"p": 3}),
            ("triplet_margin_loss", "x y z", {"margin": -1.0}),
            ("triplet_margin_loss", "x y row_sign", {}),
            ("cosine_embedding_loss", "x y sign", {}),
        ],
    )
    def test_errors_have_pytorchs_types_and_words(self, name, roles, settings):
        tensors, named = prepared(roles, settings)
        named = {
            k: data()[v] if isinstance(v, str) and v in data() else v for k, v in named.items()
        }
        with pytest.raises(Exception) as wanted:
            getattr(F, name)(*tensors, **named)
        with pytest.raises(type(wanted.value)) as got:
            getattr(functional, name)(*tensors, **named)
        assert str(got.value) == str(wanted.value)

    @pytest.mark.parametrize("label", [-1, CLASSES, -CLASSES])
    @pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
    def test_a_label_outside_is_an_index_error(self, name, label):
        with pytest.raises(IndexError, match="out of bounds"):
            getattr(functional, name)(torch.rand(1, CLASSES), torch.tensor([label]))

    def test_nothing_counts(self):
        x, labels = torch.rand(2, 3, requires_grad=True), torch.tensor([-100, -100])
        assert functional.cross_entropy(x, labels).isnan()
        total = functional.cross_entropy(x, labels, reduction="sum")
        total.backward()
        assert total == 0
        assert not x.grad.any()

    @pytest.mark.parametrize("road", ["short", "general"])
    def test_a_weight_of_zero_has_a_gradient(self, road, monkeypatch):
        if road == "general":
            monkeypatch.setattr(computing, "SMALL", 0)
        x, y = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0])
        for own, peer in ((functional.l1_loss, F.l1_loss), (functional.huber_loss, F.huber_loss)):
            found = []
            for function in (own, peer):
                weight = torch.tensor([0.0, 1.0], requires_grad=True)
                function(x, y, weight=weight).backward()
                found.append(weight.grad)
            same(found[:1], found[1:])

    def test_an_infinite_delta_is_pytorchs(self):
        tensors, _ = prepared("x y", {})
        wanted = F.huber_loss(*tensors, delta=math.inf)
        same([functional.huber_loss(*tensors, delta=math.inf)], [wanted])

    def test_other_numbers_are_pytorchs(self):
        x, whole = torch.tensor([1 + 2j, 3j]), torch.tensor([1, 5])
        same([functional.l1_loss(x, x + 2)], [F.l1_loss(x, x + 2)])
        got = functional.l1_loss(whole, whole - 2, reduction="none")
        same([got], [F.l1_loss(whole, whole - 2, reduction="none")])

    @each_call
    def test_autocast_and_halves_return_pytorchs_dtype(self, name, roles, settings):
        tensors, named = prepared(roles, settings, torch.bfloat16)
        own, peer = getattr(functional, name), getattr(F, name)
        if name not in {"multi_margin_loss", "multilabel_margin_loss"}:  # which it has in no half
            assert own(*tensors, **named).dtype == peer(*tensors, **named).dtype
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert own(*tensors, **named).dtype == peer(*tensors, **named).dtype


class TestTheTailsAreExact:
    def test_the_confident_class(self):
        x = torch.tensor([[17.0, 0.0]], requires_grad=True)
        loss = door.CrossEntropyLoss()(x, torch.tensor([0]))
        loss.backward()
        assert loss.item() == pytest.approx(4.139938e-08, rel=1e-6)
        assert x.grad.tolist()[0] == pytest.approx([-4.139938e-08, 4.139938e-08], rel=1e-6)
        assert F.cross_entropy(x, torch.tensor([0])) == 0  # what PyTorch gives

    def test_soft_margin_far_out(self):
        x = torch.tensor([-100.0], requires_grad=True)
        loss = door.SoftMarginLoss()(x, torch.tensor([1.0]))
        loss.backward()
        assert (loss.item(), x.grad.item()) == (100.0, -1.0)

    def test_an_excluded_class(self):
        x = torch.tensor([[0.0, 0.0, -math.inf]], requires_grad=True)
        loss = door.CrossEntropyLoss(label_smoothing=0.1)(x, torch.tensor([0]))
        loss.backward()
        assert loss.isfinite()
        assert x.grad.isfinite().all()
        masses = torch.tensor([[1.0, 0.0, 0.0]])
        assert F.cross_entropy(x, masses).isnan()
        assert functional.cross_entropy(x, masses).item() == pytest.approx(math.log(2))

    def test_a_term_without_mass(self):
        x, t = torch.tensor([-math.inf, 0.0]), torch.tensor([0.0, 1.0])
        assert F.kl_div(x, t, reduction="sum").isnan()
        assert functional.kl_div(x, t, reduction="sum") == 0
        log_t = t.log()
        assert F.kl_div(x, log_t, reduction="sum", log_target=True).isnan()
        assert functional.kl_div(x, log_t, reduction="sum", log_target=True) == 0

    @pytest.mark.parametrize("road", ["short", "general"])
    @pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
    def test_an_ignored_row_counts_nothing_whatever_it_holds(self, name, road, monkeypatch):
        if road == "general":
            monkeypatch.setattr(computing, "SMALL", 0)
        x = torch.tensor([[math.nan, -1.0], [-0.5, -1.0], [math.inf, 2.0]], requires_grad=True)
        loss = getattr(functional, name)(x, torch.tensor([-100, 1, -100]))
        loss.backward()
        alone = getattr(functional, name)(x[1:2].detach(), torch.tensor([1]))
        assert loss == alone
        assert x.grad[[0, 2]].tolist() == [[0.0, 0.0], [0.0, 0.0]]

    @pytest.mark.parametrize("road", ["short", "general"])
    def test_pytorchs_floors_are_kept_by_name(self, road, monkeypatch):
        if road == "general":
            monkeypatch.setattr(computing, "SMALL", 0)
        p = torch.tensor([0.0, 1.0, 1e-20, 1 - 2.0**-24, 0.5, 0.0, 1.0])
        t = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.25, 0.0, 0.25])
        named = {"reduction": "none"}
        got = value_and_gradient(functional.binary_cross_entropy, [p, t], named)
        wanted = value_and_gradient(F.binary_cross_entropy, [p, t], named)
        same(got, wanted, rtol=1e-5, atol=1e-5)

    def test_a_zero_vector(self):
        x, y = torch.zeros(1, 3), torch.tensor([[1.0, 2.0, 2.0]])
        one = torch.ones(1)
        got = value_and_gradient(functional.cosine_embedding_loss, [x, y, one], {})
        same(got, value_and_gradient(F.cosine_embedding_loss, [x, y, one], {}))


def pairwise(x, y):
    return (x - y).abs().sum(-1)


# Every criterion: settings (a string names a tensor) and the roles of its tensors.
MADE = [
    ("L1Loss", {}, "x y"),
    ("MSELoss", {"reduction": "sum"}, "x y"),
    ("SmoothL1Loss", {"beta": 0.2}, "x y"),
    ("HuberLoss", {"delta": 0.2}, "x y"),
    ("KLDivLoss", {"reduction": "batchmean", "log_target": True}, "log_masses log_masses"),
    ("PoissonNLLLoss", {"full": True}, "x z"),
    ("GaussianNLLLoss", {"full": True, "eps": 1.0}, "x y z"),
    ("NLLLoss", {"weight": "masses_row", "ignore_index": 2}, "log_masses label"),
    ("CrossEntropyLoss", {"weight": "masses_row", "label_smoothing": 0.1}, "x label"),
    ("LinearCrossEntropyLoss", {"in_features": CLASSES, "num_classes": CLASSES}, "x label"),
    ("BCELoss", {"weight": "masses_row"}, "x binary"),
    ("BCEWithLogitsLoss", {"pos_weight": "masses_row"}, "x binary"),
    ("MultiLabelSoftMarginLoss", {"weight": "masses_row"}, "x binary"),
    ("SoftMarginLoss", {}, "x sign"),
    ("HingeEmbeddingLoss", {"margin": 0.5}, "x sign"),
    ("MarginRankingLoss", {"margin": 0.1}, "x y sign"),
    ("MultiMarginLoss", {"weight": "masses_row", "p": 2}, "x label"),
    ("MultiLabelMarginLoss", {}, "x list"),
    ("CosineEmbeddingLoss", {"margin": 0.1}, "x y row_sign"),
    ("TripletMarginLoss", {"swap": True}, "x y z"),
    ("TripletMarginWithDistanceLoss", {"distance_function": pairwise}, "x y z"),
    ("CTCLoss", {"blank": 1}, "sequence list_of_labels lengths target_lengths"),
]
each_made = pytest.mark.parametrize(("name", "settings", "roles"), MADE, ids=[m[0] for m in MADE])


def criteria(name, settings, dtype=torch.float32):
    """Return our criterion and PyTorch's, with the same parameters."""
    _, named = prepared("", settings, dtype)
    own, peer = (getattr(m, name)(**named).to(dtype) for m in (door, torch.nn))
    own.load_state_dict(peer.state_dict())
    return own, peer


class TestShortCalls:
    """What comes often is compiled: the same numbers, from a kernel."""

    @pytest.mark.parametrize(
        ("name", "settings", "roles"),
        [
            ("MSELoss", {"reduction": "sum"}, "x y"),
            ("BCELoss", {}, "x binary"),
            ("CrossEntropyLoss", {"weight": "masses_row", "ignore_index": 2}, "x label"),
            ("MultiMarginLoss", {}, "x label"),
        ],
    )
    def test_the_kernel_gives_what_numpy_gave(self, name, settings, roles, recipes_at_once):
        tensors, _ = prepared(roles, {})
        own, peer = criteria(name, settings)
        with L.using(engine="array"):
            first = value_and_gradient(own, tensors, {})
        assert not recipes_at_once
        for _ in range(2):
            same(value_and_gradient(own, tensors, {}), first)
        assert [met.recipe.entry is not None for met in recipes_at_once.values()] == [True]
        same(first, value_and_gradient(peer, tensors, {}))

    def test_a_kernel_that_does_not_compile_costs_no_call(self, monkeypatch, recipes_at_once):
        from lossary.kernels import modules

        def load(*_):
            raise RuntimeError("no compiler")

        monkeypatch.setattr(modules, "load", load)
        tensors, _ = prepared("x y", {})
        wanted = value_and_gradient(F.mse_loss, tensors, {})
        for _ in range(3):
            same(value_and_gradient(functional.mse_loss, tensors, {}), wanted)
        assert [met.recipe.entry for met in recipes_at_once.values()] == [None]

    def test_nothing_counts(self, recipes_at_once):
        x, labels = torch.rand(2, 3, requires_grad=True), torch.tensor([-100, -100])
        for _ in range(3):
            assert functional.cross_entropy(x, labels).isnan()
            functional.cross_entropy(x, labels, reduction="sum").backward()
        assert not x.grad.any()
        assert len(recipes_at_once) == 2


class TestCriteria:
    def test_the_list_of_criteria_is_complete(self):
        assert [name for name, *_ in MADE] == modules.__all__

    @each_made
    def test_state_repr_and_copies(self, name, settings, roles):
        tensors, _ = prepared(roles, {})
        own, peer = criteria(name, settings)
        assert isinstance(own, getattr(torch.nn, name))
        assert repr(own) == repr(peer)
        assert own.state_dict().keys() == peer.state_dict().keys()
        wanted = peer(*tensors)
        for criterion in (own, copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
            assert type(criterion) is getattr(door, name)
            same([criterion(*tensors)], [wanted])
        own.to(torch.float64)
        assert all(b.dtype == torch.float64 for b in (*own.buffers(), *own.parameters()))

    @each_made
    @pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
    def test_reductions(self, name, settings, roles, reduction):
        tensors, _ = prepared(roles, {})
        own, peer = criteria(name, settings)
        own.reduction = peer.reduction = reduction
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean of kl_div
            wanted = value_and_gradient(peer, tensors, {})
            same(value_and_gradient(own, tensors, {}), wanted, equal_nan=True)

    @each_made
    def test_autocast(self, name, settings, roles):
        tensors, _ = prepared(roles, {}, torch.bfloat16)
        own, peer = criteria(name, settings, torch.bfloat16)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            try:
                wanted = peer(*tensors).dtype
            except RuntimeError as error:  # BCELoss refuses autocast, for one
                with pytest.raises(RuntimeError, match=re.escape(str(error)[:40])):
                    own(*tensors)
            else:
                assert own(*tensors).dtype == wanted

    @each_made
    def test_torch_func(self, name, settings, roles):
        (first, *others), _ = prepared(roles, {})
        own, peer = criteria(name, settings)
        state = dict(own.named_parameters()) | dict(own.named_buffers())

        def loss(x):
            return torch.func.functional_call(own, state, (x, *others)).sum()

        wanted = value_and_gradient(peer, [first, *others], {})[1]
        same([torch.func.grad(loss)(first)], [wanted])

    def test_tensors_by_name(self):
        x, t = torch.tensor([0.0]), torch.tensor([3.0])
        assert door.PoissonNLLLoss()(log_input=x, target=t) == 1
        assert door.MSELoss()(target=t, input=x) == 9

    def test_constructors_refuse_what_pytorch_refuses(self):
        with pytest.raises(ValueError, match="margin"):
            door.TripletMarginLoss(margin=-1.0)
        with pytest.raises(TypeError, match="delta"):
            door.HuberLoss(delta=1j)

    @pytest.mark.parametrize("name", ["CrossEntropyLoss", "PoissonNLLLoss"])
    def test_compiled_as_one_graph(self, name):
        """And exported; test_graphs_of_any_size.py has every function."""
        settings, roles = next((s, r) for n, s, r in MADE if n == name)
        tensors, _ = prepared(roles, {})
        torch.compiler.reset()
        criterion, _ = criteria(name, settings)
        compiled = torch.compile(criterion, fullgraph=True, backend="aot_eager")
        same(value_and_gradient(compiled, tensors, {}), value_and_gradient(criterion, tensors, {}))
        program = torch.export.export(criterion, tuple(tensors))
        same([program.module()(*tensors)], [criterion(*tensors)])

    def test_a_linear_layer_in_the_loss(self):
        torch.manual_seed(0)
        peer = torch.nn.LinearCrossEntropyLoss(CLASSES, 3, bias=True)
        own = door.LinearCrossEntropyLoss(CLASSES, 3, bias=True)
        own.load_state_dict(peer.state_dict())
        (x,), _ = prepared("x", {})
        labels = torch.tensor([0, 1, 2, 0, 1, 2])
        own(x, labels).backward()
        peer(x, labels).backward()
        same([p.grad for p in own.parameters()], [p.grad for p in peer.parameters()])


@each_call
class TestTransforms:
    def test_gradient_per_sample(self, name, roles, settings):
        tensors, named = prepared(roles, settings)
        loss = getattr(functional, name)
        if name == "poisson_nll_loss" or "batchmean" in named.values():
            named["reduction"] = "sum"  # a sample has no rows
        shared = {k: v for k, v in named.items() if not isinstance(v, torch.Tensor) or v.dim() == 1}
        got = torch.vmap(torch.func.grad(lambda *t: loss(*t, **shared)))(*tensors)
        for i in range(ROWS):
            one = [t[i] for t in tensors]
            same([got[i]], [value_and_gradient(getattr(F, name), one, shared)[1]])


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "roles"),
    [
        pytest.param(name, args, kwargs, roles, marks=pytest.mark.seed(item))
        for item, name, args, kwargs, roles in [
            (20, "BCELoss", (None, None, None, "mean"), {}, "x binary"),
            (20, "BCELoss", (), {"weight": None, "size_average": None, "reduce": None}, "x binary"),
            (21, "BCEWithLogitsLoss", (None, None, None, "mean", None), {}, "x binary"),
            (21, "BCEWithLogitsLoss", (), {"pos_weight": torch.tensor(2.0)}, "x binary"),
            (22, "CrossEntropyLoss", (None, None, -100, None, "mean"), {}, "x label"),
            (22, "CrossEntropyLoss", (), {"weight": torch.rand(CLASSES)}, "x label"),
            (22, "CrossEntropyLoss", (), {"ignore_index": 1}, "x label"),
            (23, "SoftMarginLoss", (), {}, "x sign"),
            (33, "KLDivLoss", (None, None, "mean", False), {}, "log_masses masses"),
            (33, "KLDivLoss", (), {"log_target": True}, "log_masses log_masses"),
            (34, "L1Loss", (None, None, "mean"), {}, "x y"),
            (37, "SmoothL1Loss", (None, None, "mean", 1.0), {}, "x y"),
            (37, "SmoothL1Loss", (), {"beta": 0.1}, "x y"),
            (38, "MSELoss", (None, None, "mean"), {}, "x y"),
            (43, "HingeEmbeddingLoss", (1.0, None, None, "mean"), {}, "x sign"),
            (46, "CosineEmbeddingLoss", (0.0, None, None, "mean"), {}, "x y row_sign"),
            (46, "CosineEmbeddingLoss", (), {"margin": 0.5}, "x y row_sign"),
        ]
    ],
)  # fmt: skip
def test_signatures_of_pytorch_1_7(name, args, kwargs, roles):
    """Constructors work with the arguments in the order that the seeds print."""
    tensors, _ = prepared(roles, {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mean of kl_div
        wanted = getattr(torch.nn, name)(*args, **kwargs)(*tensors)
        same([getattr(door, name)(*args, **kwargs)(*tensors)], [wanted])


@pytest.mark.seed(34, 37, 38)
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("l1_loss", (None, None, "mean")),
        ("smooth_l1_loss", (None, None, "mean", 1.0)),
        ("mse_loss", (None, None, "sum")),
    ],
)
def test_functions_of_pytorch_1_7(name, args):
    tensors, _ = prepared("x y", {})
    same([getattr(functional, name)(*tensors, *args)], [getattr(F, name)(*tensors, *args)])


@pytest.mark.seed(48, 49)
def test_reduce_and_size_average_as_the_seeds_say():
    tensors, _ = prepared("x y", {})
    with pytest.warns(UserWarning, match="size_average"):
        vector = door.MSELoss(reduce=False)(*tensors)
    with pytest.warns(UserWarning, match="size_average"):
        mean = door.MSELoss(reduce=True, size_average=True)(*tensors)
    with pytest.warns(UserWarning, match="size_average"):
        total = door.MSELoss(reduce=True, size_average=False)(*tensors)
    assert vector.shape == tensors[0].shape
    same([mean, total], [vector.mean(), vector.sum()])


class TestTheCatalogueAsModules:
    @pytest.mark.parametrize("loss", L.catalogue.values(), ids=list(L.catalogue))
    def test_every_loss_has_one(self, loss):
        kind = getattr(door, "".join(part.capitalize() for part in loss.name.split("_")))
        needed = {a.name: 2.0 for a in loss.parameters if a.required}
        module = kind(**needed)
        assert module.loss is loss
        assert repr(pickle.loads(pickle.dumps(module))) == repr(module)
        assert all(a.name in inspect.signature(kind).parameters for a in loss.parameters)

    def test_settings_belong_to_the_module_and_weights_to_the_call(self):
        tensors, _ = prepared("x label", {})
        weight = torch.rand(ROWS)
        module = door.CrossEntropy(label_smoothing=0.1, class_weight=torch.rand(CLASSES))
        wanted = L.cross_entropy(
            *tensors, label_smoothing=0.1, class_weight=module.class_weight, weight=weight
        )
        same([module(*tensors, weight=weight)], [wanted])
        assert list(module.state_dict()) == ["class_weight"]
        assert (
            repr(module) == "CrossEntropy(label_smoothing=0.1, class_weight=tensor of shape (5,))"
        )

    def test_a_parameter_is_learned(self):
        tensors, _ = prepared("x y", {})
        module = door.SmoothL1(beta=torch.nn.Parameter(torch.tensor(0.5)))
        module(*tensors).backward()
        assert module.beta.grad != 0
        assert repr(module) == "SmoothL1(beta=0.5)"

    def test_misspelt_settings_are_refused(self):
        with pytest.raises(TypeError, match="gama"):
            door.Focal(gama=2.0)

    def test_compiled_as_one_graph(self):
        tensors, _ = prepared("x binary", {})
        torch.compiler.reset()
        focal = door.Focal(gamma=2.0)
        compiled = torch.compile(focal, fullgraph=True, backend="aot_eager")
        same(value_and_gradient(compiled, tensors, {}), value_and_gradient(focal, tensors, {}))


def test_each_improvement_of_the_ledger_is_one():
    """The table of differences holds only calls where the door is finite and differs."""
    differences = pytest.importorskip("peers.torch_differences")
    for entry in differences.improvements():
        own, peer = (getattr(m, entry["door"]) for m in (functional, F))
        got = differences.outcome(own, entry, torch.float32)
        other = differences.outcome(peer, entry, torch.float32)
        assert all(x.isfinite().all() for x in got), entry
        pairs = zip(got, other, strict=True)
        assert any(not torch.allclose(a, b, rtol=1e-3, atol=0) for a, b in pairs), entry


class TestTheHarness:
    """A part of ``python -m tests.peers.torch``, and that it notices a spoiled door."""

    @pytest.fixture(autouse=True)
    def _generators(self):
        pytest.importorskip("expecttest", reason="PyTorch's own generators import it")
        self.harness = pytest.importorskip("peers.torch")

    def test_pytorchs_samples_pass(self):
        outcomes, _ = self.harness.run("mse_loss", [torch.float32, torch.bfloat16], 0.0)
        assert len(outcomes) == 28
        assert [o.trouble for o in outcomes if o.state == "failed"] == []
        assert {o.road for o in outcomes} == {"core"}

    def test_a_spoiled_door_fails(self, capsys):
        outcomes, stale = self.harness.run("mse_loss", [torch.float32], 0.01)
        assert all(o.state == "failed" for o in outcomes)
        assert self.harness.report(outcomes, stale, verbose=False) == 1
        assert "FAILED: mse_loss" in capsys.readouterr().out

    def test_a_run_without_a_door_fails(self):
        assert self.harness.main(["--filter", "no_such_loss"]) == 1
