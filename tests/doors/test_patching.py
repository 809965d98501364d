"""``lossary.patch`` and ``lossary.patched``: a framework's own names lead to lossary and back."""

import copy
import functools
import os
import pickle
import re
import subprocess
import sys
import threading
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import lossary as L  # noqa: E402
from lossary import patching  # noqa: E402
from lossary.errors import install_line  # noqa: E402
from lossary.torch import computing, functional, modules  # noqa: E402

F = torch.nn.functional
with L.patched("torch", quiet=True) as _report:
    KEPT = _report.kept
NAMES = [name for name in functional.__all__ if name not in KEPT]
CRITERIA = sorted(n for n, f in modules.CRITERIA.items() if f.__name__ not in KEPT)


def names_of(module):
    """What a module holds, but for the warnings that Python has noted there."""
    return {name: x for name, x in vars(module).items() if name != "__warningregistry__"}


# In a tuple, where no patch reaches them.
OWN = (names_of(F),)
EXACT, ROUNDED = 4.1399375e-08, 0.0


def confident(function=None):
    """Return a cross-entropy for which PyTorch has 0 and lossary the exact value."""
    x, y = torch.tensor([[17.0, 0.0]]), torch.tensor([0])
    return (F.cross_entropy if function is None else function)(x, y).item()


def functions_everywhere():
    """Return what every name of every module is bound to, where it is a function or a class."""
    kinds = (type(functools.wraps), type)
    return {
        (name, key): value
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType)
        for key, value in list(vars(module).items())
        if type(value) in kinds
    }


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    for report in list(patching._active.values()):
        report.undo()


class TestPyTorch:
    def test_every_function_is_replaced_and_given_back(self):
        with L.patched("torch", quiet=True) as report:
            assert [row.name for row in report.functions] == [
                f"torch.nn.functional.{name}" for name in NAMES
            ]
            for name in NAMES:
                assert getattr(F, name) is not OWN[0][name]
            assert confident() == pytest.approx(EXACT)
        assert names_of(F) == OWN[0]
        assert confident() == ROUNDED

    def test_nothing_else_changes_anywhere(self):
        before = functions_everywhere()
        with L.patched("torch", quiet=True) as report:
            during = functions_everywhere()
            changed = {key for key in before if during[key] is not before[key]}
            assert {f"{m}.{n}" for m, n in changed} == {
                p for r in report.functions for p in r.places
            }
        after = functions_everywhere()
        assert all(after[key] is before[key] for key in before)

    def test_those_that_lossary_leaves_to_pytorch(self):
        assert set(KEPT) <= {"ctc_loss", "multilabel_margin_loss"}
        assert "ctc_loss" in KEPT
        scores, label = torch.zeros(4, 1, 3).log_softmax(2), torch.tensor([[1, 2]])
        wanted = torch.nn.CTCLoss()(scores, label, torch.tensor([4]), torch.tensor([2]))
        with L.patched("torch", quiet=True):
            assert F.ctc_loss is OWN[0]["ctc_loss"]
            got = torch.nn.CTCLoss()(scores, label, torch.tensor([4]), torch.tensor([2]))
        assert torch.equal(got, wanted)

    @pytest.mark.parametrize("name", CRITERIA)
    def test_criteria_of_all_kinds_call_the_core(self, name, monkeypatch):
        settings = {
            "LinearCrossEntropyLoss": {"in_features": 5, "num_classes": 5},
            "KLDivLoss": {"reduction": "batchmean"},
        }.get(name, {})
        made_before = getattr(torch.nn, name)(**settings)
        torch.manual_seed(0)
        unit = torch.rand(4, 5) * 0.8 + 0.1
        label = torch.arange(4)
        data = {
            "CrossEntropyLoss": (unit, label),
            "LinearCrossEntropyLoss": (unit, label),
            "MultiMarginLoss": (unit, label),
            "NLLLoss": (unit.log(), label),
            "HingeEmbeddingLoss": (unit, torch.ones(4, 5)),
            "SoftMarginLoss": (unit, torch.ones(4, 5)),
            "MultiLabelSoftMarginLoss": (unit, torch.ones(4, 5)),
            "CosineEmbeddingLoss": (unit, unit.flip(0), torch.ones(4)),
            "MarginRankingLoss": (unit, unit.flip(0), torch.ones(4, 5)),
            "MultiLabelMarginLoss": (unit, label.reshape(4, 1).expand(4, 5)),
            "GaussianNLLLoss": (unit, unit.flip(0), unit),
        }.get(name, (unit, unit.flip(0), unit.flip(1))[: 3 if "Triplet" in name else 2])
        calls = []
        original = computing.Asked
        monkeypatch.setattr(computing, "Asked", lambda *a: calls.append(1) or original(*a))
        wanted = made_before(*data)
        assert not calls
        with L.patched("torch", quiet=True) as report:
            assert f"torch.nn.{name}" in {row.name for row in report.classes}
            got, asked = made_before(*data), len(calls)
            made_during = getattr(torch.nn, name)(**settings)
            made_during.load_state_dict(made_before.state_dict())
            torch.testing.assert_close(made_during(*data), got)
            assert len(calls) == 2 * asked > 0
        torch.testing.assert_close(got, wanted)
        torch.testing.assert_close(made_during(*data), wanted)
        assert len(calls) == 2 * asked
        assert type(made_during) is type(made_before)

    def test_names_that_a_module_imported(self):
        user = ModuleType("some_training_script")
        exec("from torch.nn.functional import cross_entropy, mse_loss as mse", vars(user))
        sys.modules[user.__name__] = user
        try:
            with L.patched("torch", quiet=True) as report:
                assert confident(user.cross_entropy) == pytest.approx(EXACT)
                places = {place for row in report.functions for place in row.places}
                assert {f"{user.__name__}.cross_entropy", f"{user.__name__}.mse"} <= places
            assert user.cross_entropy is OWN[0]["cross_entropy"]
        finally:
            del sys.modules[user.__name__]

    def test_names_that_were_imported_in_between(self):
        user = ModuleType("some_late_script")
        sys.modules[user.__name__] = user
        try:
            with L.patched("torch", quiet=True):
                exec("from torch.nn.functional import cross_entropy", vars(user))
                held = functools.partial(F.cross_entropy, reduction="sum")
                assert confident(held) == pytest.approx(EXACT)
            assert user.cross_entropy is OWN[0]["cross_entropy"]
            assert confident(held) == ROUNDED
        finally:
            del sys.modules[user.__name__]

    def test_classes_subclasses_copies_and_pickles(self):
        class Mine(torch.nn.CrossEntropyLoss):
            def forward(self, logits, label):
                return super().forward(logits, label)

        before, mine, kind = torch.nn.CrossEntropyLoss(), Mine(), torch.nn.CrossEntropyLoss
        saved = pickle.dumps(before)
        with L.patched("torch", quiet=True):
            assert torch.nn.CrossEntropyLoss is kind
            during = torch.nn.CrossEntropyLoss(weight=torch.ones(2))
            for criterion in (before, mine, during, pickle.loads(saved), copy.deepcopy(during)):
                assert isinstance(criterion, torch.nn.CrossEntropyLoss)
                assert confident(criterion) == pytest.approx(EXACT)
            saved = pickle.dumps(during)
            assert pickle.loads(pickle.dumps(F.cross_entropy)) is F.cross_entropy
            assert repr(during) == "CrossEntropyLoss()"
        for criterion in (before, mine, during, pickle.loads(saved)):
            assert confident(criterion) == ROUNDED

    def test_a_network_learns_the_same(self):
        def weights():
            torch.manual_seed(0)
            net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
            x, y = torch.randn(32, 4), torch.arange(32) % 3
            optimizer = torch.optim.SGD(net.parameters(), 0.1)
            for _ in range(20):
                optimizer.zero_grad()
                torch.nn.CrossEntropyLoss(label_smoothing=0.1)(net(x), y).backward()
                optimizer.step()
            return torch.cat([p.detach().flatten() for p in net.parameters()])

        wanted = weights()
        with L.patched("torch", quiet=True):
            got = weights()
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)

    def test_torch_compile_notices(self):
        def loss(x, y):
            return F.cross_entropy(x, y)

        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        criterion = torch.compile(torch.nn.CrossEntropyLoss(), fullgraph=True, backend="aot_eager")
        for _ in range(2):
            assert confident(compiled) == confident(criterion) == ROUNDED
            with L.patched("torch", quiet=True):
                assert confident(compiled) == pytest.approx(EXACT)
                assert confident(criterion) == pytest.approx(EXACT)
        assert confident(compiled) == confident(criterion) == ROUNDED

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_torchscript_stays_pytorchs(self):
        with L.patched("torch", quiet=True):
            assert confident(torch.jit.script(_scripted)) == ROUNDED

    def test_transforms(self):
        x, y = torch.tensor([[17.0, 0.0]]), torch.tensor([0])
        with L.patched("torch", quiet=True):
            slope = torch.func.grad(lambda x: F.cross_entropy(x, y))(x)
            assert slope.flatten().tolist() == pytest.approx([-EXACT, EXACT])


def _scripted(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(x, y)


class TestTheEnd:
    def test_twice_is_once(self):
        first, second = L.patch("torch", quiet=True), L.patch("torch", quiet=True)
        assert first is second
        first.undo()
        assert names_of(F) == OWN[0]
        second.undo()
        assert not second.active
        assert names_of(F) == OWN[0]

    def test_blocks_in_blocks(self):
        with L.patched("torch", quiet=True):
            with L.patched("torch", quiet=True) as inner:
                assert confident() == pytest.approx(EXACT)
            assert inner.active
            assert confident() == pytest.approx(EXACT)
        assert names_of(F) == OWN[0]

    def test_a_block_leaves_a_patch_alone(self):
        report = L.patch("torch", quiet=True)
        with L.patched("torch", quiet=True):
            pass
        assert confident() == pytest.approx(EXACT)
        with L.patched("torch", quiet=True):
            report.undo()
            assert confident() == ROUNDED
        assert names_of(F) == OWN[0]

    def test_again_and_again(self):
        for _ in range(3):
            with L.patched("torch", quiet=True):
                assert confident() == pytest.approx(EXACT)
            assert names_of(F) == OWN[0]

    def test_an_error_in_the_block(self):
        with pytest.raises(ZeroDivisionError), L.patched("torch", quiet=True):
            1 / 0  # noqa: B018
        assert names_of(F) == OWN[0]

    def test_an_error_while_patching(self, monkeypatch):
        monkeypatch.setattr(patching, "_exchange_calls", lambda *_: 1 / 0)
        framework = patching.FRAMEWORKS["torch"]
        spoiled = patching.Framework(**{**vars(framework), "wrapper": "mse_loss"})
        monkeypatch.setitem(patching.FRAMEWORKS, "torch", spoiled)
        with pytest.raises(ZeroDivisionError):
            L.patch("torch", quiet=True)
        assert names_of(F) == OWN[0]
        assert not patching._active

    def test_what_others_put_there_stays(self):
        def own(x, y):
            return x.sum()

        report = L.patch("torch", quiet=True)
        F.cross_entropy = own
        report.undo()
        assert F.cross_entropy is own
        F.cross_entropy = OWN[0]["cross_entropy"]
        assert names_of(F) == OWN[0]

    def test_many_threads(self):
        barrier, results = threading.Barrier(8), []

        def work():
            barrier.wait()
            for _ in range(3):
                with L.patched("torch", quiet=True):
                    results.append(confident())

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == pytest.approx([EXACT] * 24)
        assert names_of(F) == OWN[0]

    def test_a_patch_outlives_the_block_it_is_made_in(self):
        with L.patched("torch", quiet=True):
            report = L.patch("torch", quiet=True)
        assert confident() == pytest.approx(EXACT)
        report.undo()
        assert names_of(F) == OWN[0]


class TestTheReport:
    def test_it_is_printed_to_the_error_stream(self, capsys):
        with L.patched("torch") as report:
            pass
        out, err = capsys.readouterr()
        assert not out
        assert "torch.nn.functional.cross_entropy" in err
        assert "CrossEntropyLoss" in err
        assert "left as they are: ctc_loss" in err
        L.patch("torch", quiet=True)
        assert capsys.readouterr() == ("", "")
        assert str(report).splitlines()[1].startswith("torch.nn.functional.binary_cross_entropy ->")

    def test_it_says_what_and_whether(self):
        report = L.patch("torch", quiet=True)
        names = sum(len(row.places) for row in report.functions)
        assert repr(report) == (
            f"<lossary in torch {torch.__version__}: {len(NAMES)} functions, {names} names, "
            f"{len(CRITERIA)} classes, active>"
        )
        report.undo()
        assert repr(report).endswith("undone>")

    def test_names_are_known_by_where_they_live(self):
        with L.patched("torch", quiet=True):
            assert F.cross_entropy.__module__ == "torch.nn.functional"
            assert F.cross_entropy.__qualname__ == "cross_entropy"

    def test_other_frameworks(self):
        with pytest.raises(ValueError, match="must be one of 'torch', 'keras'"):
            L.patch("pytorch")

    def test_a_framework_that_is_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "optax", None)
        monkeypatch.delitem(sys.modules, "lossary.optax", raising=False)
        with pytest.raises(L.MissingExtraError, match=re.escape(install_line("optax"))):
            L.patch("optax")


def test_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    from sklearn.linear_model import Ridge

    calls = ([1, 1], [2.0, 2.0])
    X, y = np.arange(12.0).reshape(6, 2) ** 2, np.arange(6.0).astype("float16") * 1000
    model = Ridge().fit(X, y)
    wanted = metrics.get_scorer("neg_mean_squared_error")(model, X, y)
    with L.patched("sklearn", quiet=True) as report:
        assert metrics.hinge_loss(*calls, labels=[0, 1]) == 0.0
        scorer = metrics.get_scorer("neg_mean_squared_error")
        places = {place for row in report.functions for place in row.places}
        assert "_Scorer._score_func" in places
        assert scorer(model, X, y) == pytest.approx(wanted)
    assert metrics.hinge_loss(*calls, labels=[0, 1]) == 3.0
    assert scorer._score_func is not metrics.mean_squared_error
    assert scorer(model, X, y) == wanted


def test_optax():
    optax = pytest.importorskip("optax")
    x, y = np.array([[17.0, 0.0]], "float32"), np.array([0])
    own = (optax.softmax_cross_entropy_with_integer_labels,)
    with L.patched("optax", quiet=True):
        for place in (optax, optax.losses):
            got = place.softmax_cross_entropy_with_integer_labels(x, y)
            assert float(got[0]) == pytest.approx(EXACT)
    assert optax.softmax_cross_entropy_with_integer_labels is own[0]
    assert float(own[0](x, y)[0]) == ROUNDED


KERAS = """
import pickle
import numpy as np, keras, lossary as L

def loss(f):
    value = f(np.array([[1.0, 0.0]], "f4"), np.array([[17.0, 0.0]], "f4"))
    return float(np.ravel(keras.ops.convert_to_numpy(value))[0])

def function(y, x):
    return keras.losses.categorical_crossentropy(y, x, from_logits=True)

def by_name(y, x):
    return keras.losses.get("categorical_crossentropy")(y, x, from_logits=True)

class Mine(keras.losses.CategoricalCrossentropy):
    pass

def names():
    kinds = (keras.losses.CategoricalCrossentropy, keras.losses.categorical_crossentropy)
    return (*kinds, keras.losses.get("mse"), keras.metrics.MeanSquaredError)

own = (names(),)
# Keras imports all of TensorFlow for a pickle.
PICKLES = keras.backend.backend() == "torch"
before, mine = keras.losses.CategoricalCrossentropy(from_logits=True), Mine(from_logits=True)
each = [before, mine, function, by_name]
assert [loss(f) for f in each] == [0.0] * 4, [loss(f) for f in each]
with L.patched("keras", quiet=True) as report:
    assert keras.losses.CategoricalCrossentropy is own[0][0]
    during = keras.losses.CategoricalCrossentropy(from_logits=True)
    wrapped = keras.losses.deserialize(keras.losses.serialize(during))
    each += [during, wrapped, pickle.loads(pickle.dumps(before)) if PICKLES else before]
    found = [loss(f) for f in each]
    assert all(abs(x / 4.1399375e-08 - 1) < 1e-5 for x in found), found
    model = keras.Sequential([keras.layers.Dense(3)])
    model.compile("sgd", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((8, 2)), np.ones((8, 3)))
    assert len(report.functions) == len(report.classes) == 18, report
    assert keras.losses.dice is keras.src.losses.losses.dice
assert [loss(f) for f in each] == [0.0] * 7
assert own[0] == names()
if PICKLES:
    pickle.loads(pickle.dumps(during))
model.train_on_batch(np.ones((8, 2)), np.ones((8, 3)))
print("all of it")
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_keras(backend):
    pytest.importorskip("keras")
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", KERAS], env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.stdout == "all of it\n", done.stderr


TENSORFLOW = """
import tensorflow as tf, lossary as L
def call():
    nn = tf.nn
    return float(nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=[[17.0, 0.0]])[0])
own = tf.nn.l2_loss
assert call() == 0.0
with L.patched("tensorflow", quiet=True):
    assert abs(call() / 4.1399375e-08 - 1) < 1e-5
assert call() == 0.0 and tf.nn.l2_loss is own
print("all of it")
"""


def test_tensorflow():
    pytest.importorskip("tensorflow")
    # With PyTorch as Keras' backend TensorFlow would bring in Triton, which must come before it.
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run([sys.executable, "-c", TENSORFLOW], env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.stdout == "all of it\n", done.stderr
