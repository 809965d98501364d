"""Errors say what was found and where, and the way out that fits what was found.

One table: a call that goes wrong, what its message must contain, and what it must not, because it
would send the reader elsewhere. Data are NumPy's; each row runs on every library that it can.
"""

import inspect
import json
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.domain import Label, Logits, Positive, Real
from lossary.engine.options import options_of
from lossary.errors import install_line
from lossary.functions import (
    cross_entropy_at,
    log,
    logsumexp,
    pick,
    softplus,
    total,
)
from samples import CLASSES, LOSSES, each_loss, of_rows, sample, those

X = np.array([0.5, -1.0, 2.0, 0.25])
BITS = np.array([0.0, 1.0, 1.0, 0.0])
SIGNS = 2 * BITS - 1
LOGITS = np.array([[0.5, 1.0, -1.0], [2.0, 0.0, 0.5], [0.0, 0.25, 1.0], [1.0, 1.5, 0.0]])
LABEL = np.array([0, 2, 1, 0])
ROWS = np.eye(3)[LABEL] * 0.7 + 0.1
IMAGE, PIXELS = np.zeros((2, 3, 4, 5)), np.zeros((2, 4, 5), np.int64)

EVERYWHERE = {
    # what is wrong: the loss, its data, its keywords, what must be said, what must not
    "a focal alpha that is a weight": (
        "focal", (X, BITS), {"alpha": 2}, ("alpha", "[0, 1]", "got 2", "class_weight="),
        ("from_probability",),
    ),
    "signs as targets": (
        "binary_cross_entropy", (X, SIGNS), {},
        ("target", "got -1 at index (0,)", "soft_margin", "hinge", "(target + 1) / 2"),
        ("from_probability",),
    ),
    "signs as binary targets": (
        "focal", (X, SIGNS), {}, ("got -1", "(target + 1) / 2"), ("soft targets",),
    ),
    "pixels as targets": (
        "binary_cross_entropy", (X, BITS * 255), {}, ("got 255", "1 / 255", "cross_entropy"),
        ("from_probability",),
    ),
    "logits as probabilities": (
        "binary_cross_entropy_from_probability", (X, BITS), {},
        ("probability", "got -1 at index (1,)", "for logits use binary_cross_entropy"), (),
    ),
    "logits as a row of probabilities": (
        "cross_entropy_from_probabilities", (LOGITS, LABEL), {},
        ("got -1 at index (0, 2)", "for logits use cross_entropy"), (),
    ),
    "probabilities as log-probabilities": (
        "negative_log_likelihood", (ROWS, LABEL), {},
        ("log", "cross_entropy_from_probabilities"), (),
    ),
    "rates below 0": ("poisson_from_rate", (X, BITS), {}, ("got -1", "poisson takes"), ()),
    "bits as signs": ("hinge", (X, BITS), {}, ("2 * label - 1",), ()),
    "labels from 1": (
        "cross_entropy", (LOGITS, LABEL + 1), {}, ("got 3 at index (1,)", "subtract 1"), (),
    ),
    "labels that others leave out": (
        "cross_entropy", (LOGITS, np.where(LABEL == 2, -100, LABEL)), {},
        ("got -100", "ignore_index=-100"), ("subtract",),
    ),
    "NaN in the prediction": (
        "huber", (np.where(X == 2, np.nan, X), X), {}, ("got nan at index (2,)", "mask="), (),
    ),
    "NaN in the target": (
        "huber", (X, np.where(X == 2, np.nan, X)), {}, ("target", "nan at index (2,)", "mask="), (),
    ),
    "a percentage as a share": (
        "quantile", (X, X), {"quantile": 90}, ("got 90", "90 per cent is 0.9"), (),
    ),
    "classes on axis 1": (
        "cross_entropy", (IMAGE, PIXELS), {}, ("(2, 3, 4)", "got (2, 4, 5)", "axis=1"),
        ("broadcast",),
    ),
    "distributions on axis 1": (
        "soft_cross_entropy", (IMAGE, np.moveaxis(np.eye(3)[PIXELS], -1, 1)), {},
        ("sum", "axis="), ("unnormalised",),
    ),
    "labels for distributions": (
        "soft_cross_entropy", (LOGITS, LABEL), {}, ("got (4,)", "use cross_entropy"), (),
    ),
    "labels for distributions of probabilities": (
        "soft_cross_entropy_from_probabilities", (ROWS, LABEL), {},
        ("use cross_entropy_from_probabilities",), (),
    ),
    "one-hot rows for labels": (
        "categorical_focal", (LOGITS, np.eye(3, dtype=np.int64)[LABEL]), {},
        ("soft_categorical_focal", "argmax"), (),
    ),
    "several labels in a row": (
        "soft_cross_entropy", (LOGITS, np.ones((4, 3))), {},
        ("a row with sum 3", "binary_cross_entropy"), (),
    ),
    "floats for labels": (
        "cross_entropy", (LOGITS, LABEL.astype(float)), {}, ("got float64", "cast"), (),
    ),
    "a column beside a vector": (
        "huber", (X[:, None], X), {}, ("(4, 1)", "(4,)", "squeeze(-1)"), (),
    ),
    "arguments the other way round": (
        "cross_entropy", (LABEL, LOGITS), {}, ("logits", "int64", "(logits, label)"), (),
    ),
    "class weights as a weight": (
        "cross_entropy", (LOGITS, LABEL), {"weight": [1.0, 2.0, 3.0]},
        ("(3,)", "(4,)", "class_weight="), (),
    ),
    "class weights by name": (
        "cross_entropy", (LOGITS, LABEL), {"class_weight": {0: 1.0, 1: 2.0, 2: 1.0}},
        ("class_weight", "3 classes", "lossary.class_weights"), (),
    ),
    "class weights as a word": (
        "cross_entropy", (LOGITS, LABEL), {"class_weight": "balanced"},
        ("'balanced'", "lossary.class_weights.inverse_frequency"), (),
    ),
    "a mask of classes": (
        "cross_entropy", (LOGITS, LABEL), {"mask": np.ones((4, 3), bool)}, ("-inf",), (),
    ),
    "a weight for each row of elements": (
        "huber", (LOGITS, LOGITS), {"weight": np.ones(4)}, ("(4,)", "weight[:, None]"), (),
    ),
    "numbers as a mask": ("huber", (X, X), {"mask": X}, ("float64", "weight=", "mask != 0"), ()),
    "from_logits=True for logits": (
        "binary_cross_entropy", (X, BITS), {"from_logits": True},
        ("always takes logits", "leave from_logits out"), ("did you mean",),
    ),
    "from_logits=False for logits": (
        "binary_cross_entropy", (X, BITS), {"from_logits": False},
        ("binary_cross_entropy_from_probability",), ("did you mean",),
    ),
    "from_logits=True for probabilities": (
        "cross_entropy_from_probabilities", (ROWS, LABEL), {"from_logits": True},
        ("for logits use cross_entropy",), ("it takes probabilities, label",),
    ),
    "the old flags": ("huber", (X, X), {"size_average": True}, ('reduction="mean"',), ()),
    "a weight by another name": ("huber", (X, X), {"sample_weight": X}, ("called weight",), ()),
    "an axis by another name": ("cross_entropy", (LOGITS, LABEL), {"dim": 1}, ("called axis",), ()),
    "a target by another name": (
        "cross_entropy", (LOGITS,), {"labels": LABEL}, ("called label", "(logits, label)"), (),
    ),
    "a label to ignore without labels": (
        "huber", (X, X), {"ignore_index": -100}, ("mask=",), ("it takes",),
    ),
    "an average": ("huber", (X, X), {"reduction": "avg"}, ("'avg'", '"mean"'), ()),
    "no reduction": ("huber", (X, X), {"reduction": None}, ("None", '"none"'), ()),
    "a batch mean": ("huber", (X, X), {"reduction": "batchmean"}, ("'batchmean'", '"mean"'), ()),
    "settings without data": (
        "huber", (), {"delta": 2.0},
        ("prediction, target", "functools.partial", "lossary.torch.Huber(delta=...)"), (),
    ),
    "a setting in third place": ("huber", (X, X, 1.0), {}, ("got 3", "(delta)", "by keyword"), ()),
    "no target": ("huber", (X,), {}, ("needs target", "huber(prediction, target)"), ()),
    "None": ("huber", (None, X), {}, ("got None", "return"), ("object",)),
    "None for labels": ("cross_entropy", (LOGITS, None), {}, ("label", "got None"), ("object",)),
    "words": ("huber", (X, ["a", "b", "c", "d"]), {}, ("target", "'a' at index (0,)"), ("<U1",)),
    "names of classes": (
        "cross_entropy", (LOGITS, ["cat", "dog", "cat", "cow"]), {}, ("'cat'", "np.unique"), (),
    ),
    "a hole in a list": (
        "huber", (X, [1.0, None, 2.0, 3.0]), {}, ("got None at index (1,)", "mask="), (),
    ),
    "rows of several lengths": (
        "huber", ([[1.0, 2.0], [3.0]], X), {}, ("prediction", "[0]", "[1]", "pad", "mask="), (),
    ),
    "rows of several lengths, deeper": (
        "huber", (X, [[[1.0], [2.0]], [[3.0], [4.0, 5.0]]]), {}, ("[1, 0]", "[1, 1]"), (),
    ),
    "a dictionary": ("huber", ({"logits": X}, X), {}, ("a dict", "logits"), ("object",)),
    "a set": ("huber", ({1.0, 2.0}, X), {}, ("a set", "order"), ("object",)),
    "a generator": ("huber", ((x for x in X), X), {}, ("a generator", "list"), ("object",)),
    "a function": ("huber", (abs, X), {}, ("call it",), ("object",)),
    "a number of another library": (
        "huber", (X, np.float64(1.0)), {}, ("()", "float(target)"), (),
    ),
    "a number for the prediction": (
        "binary_cross_entropy", (1.0, BITS), {}, ("(4,)", "(logit, target)"), ("one-hot",),
    ),
    "a number for a distribution": (
        "soft_cross_entropy", (LOGITS, 1), {}, ("target", "the number 1"), (),
    ),
    "a fraction for a label": ("cross_entropy", (LOGITS, 0.5), {}, ("label", "0.5", "int"), ()),
}  # fmt: skip


def converted(library, x):
    """An array as the library's own; everything else as it is."""
    if not isinstance(x, np.ndarray) or x.ndim == 0:
        return x
    return library.array(x, {"f": "float64", "b": "bool"}.get(x.dtype.kind, "int64"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", EVERYWHERE)
def test_a_mistake_gets_the_way_out_that_fits(case, name):
    loss, data, options, said, unsaid = EVERYWHERE[case]
    library = Library(name)
    with library.wide():
        data = [converted(library, x) for x in data]
        options = {key: converted(library, x) for key, x in options.items()}
        with pytest.raises((ValueError, TypeError)) as caught:
            L.catalogue[loss](*data, **options)
    message = str(caught.value)
    assert message.startswith(loss), message
    for word in said:
        assert word in message, message
    for word in unsaid:
        assert word not in message, message
    assert isinstance(caught.value, L.LossaryError) or "\nhint: " in message


@each_loss
def test_only_probabilities_are_told_of_logits(loss):
    """Whatever is wrong with a target or a setting, the prediction is not blamed for it."""
    arrays, parameters = sample(loss, shape=(3,))
    for i, a in list(enumerate(loss.inputs))[1:]:
        for value in a.domain.outside:
            wrong = [x.copy() for x in arrays]
            wrong[i][(1, 2) if a.domain.class_axis else (1,)] = value
            with pytest.raises(L.DomainError) as caught:
                loss(*wrong, **parameters)
            assert "for logits" not in str(caught.value)
            assert "softmax first" not in str(caught.value)


@those(lambda loss: loss.inputs[0].domain.name in {"Unit", "Simplex"})
def test_probabilities_name_the_loss_for_logits(loss):
    arrays, parameters = sample(loss, shape=(3,))
    arrays[0][1] = 3.0
    arrays[0][1, ...] = -3.0
    with pytest.raises(L.DomainError, match="logits") as caught:
        loss(*arrays, **parameters)
    named = re.search(r"for logits use (\w+)", str(caught.value))
    twin = loss.name.partition("_from_")[0]
    if named:
        assert named[1] == twin
        assert L.catalogue[named[1]].inputs[0].domain.name in {"Logit", "Logits"}
    else:
        assert L.catalogue.get(twin, loss).inputs[0].domain.name not in {"Logit", "Logits"}
        one = loss.inputs[0].domain.name == "Unit"
        assert ("sigmoid" if one else "softmax") in str(caught.value)


@each_loss
def test_nan_anywhere_names_the_mask(loss):
    arrays, parameters = sample(loss, shape=(3,))
    for i, a in enumerate(loss.inputs):
        if a.domain.integer:
            continue
        wrong = [x.copy() for x in arrays]
        wrong[i][1] = np.nan
        with pytest.raises(L.DomainError, match="mask="):
            loss(*wrong, **parameters)
        loss(*wrong, mask=of_rows(loss, [True, False, True]), **parameters)  # and the mask helps


@each_loss
def test_from_logits_is_explained_by_every_loss(loss):
    arrays, parameters = sample(loss, shape=(3,))
    for value in (True, False):
        with pytest.raises(TypeError) as caught:
            loss(*arrays, from_logits=value, **parameters)
        hint = str(caught.value).partition("\nhint: ")[2]
        assert re.search("from_logits out|use |logarithm|softmax", hint)
        for name in re.findall(r"use (\w+)", hint):
            assert name in L.catalogue


@those(lambda loss: "class_weight" in options_of(loss) and loss.class_axis)
def test_class_weights_as_a_weight_name_the_right_option(loss):
    arrays, parameters = sample(loss, shape=(CLASSES + 1,))
    with pytest.raises(L.ShapeError, match="class_weight="):
        loss(*arrays, weight=np.ones(CLASSES), **parameters)


def test_derivatives_say_what_has_none():
    for wrt, kind in (("delta", "a hyper-parameter"), ("pred", "no argument")):
        with pytest.raises(ValueError, match=f"which is {kind}\nhint: choose from prediction"):
            L.huber.gradient(X, X, wrt=wrt)
    with pytest.raises(ValueError, match="which is a discrete argument"):
        L.cross_entropy.gradient(LOGITS, LABEL, wrt="label")


def test_an_unknown_engine_is_told_what_the_engines_are():
    said = r"got 'numba'\nhint: fused is Numba's"
    with pytest.raises(ValueError, match=said), L.using(engine="numba"):
        pass


# -------------------------------------------------------------------------------- definitions


def surplus(prediction: Real, target: Real):
    """Wrong."""
    return softplus(prediction, target)


def lacking(logits: Logits, label: Label):
    """Wrong."""
    return cross_entropy_at(logits)


def based(prediction: Real, target: Real):
    """Wrong."""
    return log(prediction, 2)


def fixed(logits: Logits, label: Label):
    """Wrong."""
    return logsumexp(logits) - pick(logits, -1)


def shifted(logits: Logits, label: Label):
    """Wrong."""
    return -pick(logits, label + 1)


def summed(prediction: Real, target: Real):
    """Wrong."""
    return total(prediction - target)


def normalised(prediction: Real, target: Real):
    """Wrong."""
    return logsumexp(prediction) - target


def preset(prediction: Real, target: Real = 0.0):
    """Wrong."""
    return abs(prediction - target)


def misfit(prediction: Real, target: Real, *, delta: Positive = -1.0):
    """Wrong."""
    return abs(prediction - target) * delta


def worded(prediction: Real, target: Real, *, delta: Positive = "1"):
    """Wrong."""
    return abs(prediction - target) * delta


def swapped(label: Label, logits: Logits):
    """Wrong."""
    return -pick(logits, label)


DEFINITIONS = {
    surplus: ("softplus takes 1 argument, got 2", "write softplus(x)", "return softplus("),
    lacking: ("cross_entropy_at takes 2 arguments, got 1", "return cross_entropy_at(logits)"),
    based: ("log() takes 1 positional argument", "return log(prediction, 2)"),
    fixed: ("pick takes a label", "got -1", "pick(x, 0)", "- pick(logits, -1)"),
    shifted: ("pick takes a label", "annotate an argument with Label"),
    summed: ("along the class axis", "no argument has that axis", "Logits"),
    normalised: ("along the class axis", "no argument has that axis"),
    preset: ("target is data", "*, target: Real = 0.0"),
    misfit: ("default of delta", "above 0", "got -1.0"),
    worded: ("default of delta", "got '1'"),
    swapped: ("label comes first, as the prediction", "put the prediction first"),
}


@pytest.mark.parametrize("formula", DEFINITIONS, ids=lambda f: f.__name__)
def test_a_mistake_in_a_definition_is_refused_at_its_line(formula):
    with pytest.raises(L.FormulaError) as caught:
        L.loss(source="nobody")(formula)
    said = str(caught.value)
    place = re.search(r"test_error_messages\.py:(\d+): ", said)
    first = formula.__code__.co_firstlineno
    assert first <= int(place[1]) <= first + 2, said
    assert "\nhint: " in said
    for word in DEFINITIONS[formula]:
        assert word in said, said


def test_an_argument_named_like_an_option_takes_its_place():
    @L.loss(source="nobody")
    def neuron(weight: Real, x: Real):
        """A product."""
        return weight * x

    assert list(inspect.signature(neuron).parameters).count("weight") == 1
    assert neuron([2.0], x=[3.0]) == neuron(weight=[2.0], x=[3.0]) == 6.0
    assert neuron.gradient([2.0], [3.0]) == 3.0


# -------------------------------------------------------------------------------------- doors

DOORS = {
    "torch": "torch",
    "keras": "keras",
    "tensorflow": "tensorflow",
    "optax": "optax",
    "sklearn": "sklearn",
}


def test_a_door_without_its_framework_names_the_extra():
    """Whether it is asked for by an import or as an attribute, first or last."""
    program = f"""
        import json, sys
        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {[*DOORS.values()]!r}:
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        sys.meta_path.insert(0, Absent())
        import lossary
        said = []
        for line in ("import lossary.{{0}}", "lossary.{{0}}", "import lossary.{{0}}"):
            for door in {[*DOORS]!r}:
                try:
                    exec(line.format(door))
                except lossary.MissingExtraError as error:
                    said.append(str(error))
        print(json.dumps(said))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    wanted = [f"lossary.{door} needs an extra: {install_line(door)}" for door in DOORS]
    assert json.loads(done.stdout) == 3 * wanted


def test_a_door_opens_after_the_plain_import():
    program = """
        import lossary, sys
        assert "sklearn" not in sys.modules
        print(lossary.sklearn.scorer)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert "function scorer" in done.stdout


@those(lambda loss: len(loss.inputs) == 2)
def test_keras_is_told_the_loss_that_it_can_use(loss):
    """Keras calls a loss with the target first: half of the losses would not notice."""
    keras = pytest.importorskip("keras")
    from keras.src.losses.losses import LossFunctionWrapper

    import lossary.keras

    arrays, parameters = sample(loss, shape=(3,))
    wrapped = LossFunctionWrapper(loss, **parameters)
    with pytest.raises(TypeError, match="was called by Keras") as caught:
        wrapped.call(*map(keras.ops.convert_to_tensor, reversed(arrays)))
    made = re.search(r"loss=(lossary\.keras.*\(\)) for model.compile", str(caught.value))[1]
    assert isinstance(eval(made[:-2], {"lossary": lossary}), type)
    assert f"lossary.{loss.name}(y_pred, y_true)" in str(caught.value)
    around = LossFunctionWrapper(lambda t, p: loss(p, t, check=False, **parameters))
    assert np.isfinite(float(around.call(*map(keras.ops.convert_to_tensor, reversed(arrays)))))


ELSEWHERE = {
    "prediction": (L.huber, {"target": X}),
    "target": (L.huber, {"target": X}),
    "delta": (L.huber, {"target": X, "delta": 1.0}),
    "weight": (L.huber, {"target": X, "weight": 1 + X**2}),
    "mask": (L.huber, {"target": X, "mask": BITS > 0}),
    "label": (L.cross_entropy, {"label": LABEL}),
    "class_weight": (L.cross_entropy, {"label": LABEL, "class_weight": np.ones(CLASSES)}),
}


@pytest.mark.parametrize("rows", [4, 4096])
@pytest.mark.parametrize("argument", ELSEWHERE)
def test_a_tensor_on_another_device_is_named(argument, rows):
    """A device without memory stands for a GPU, which not every machine has."""
    torch = pytest.importorskip("torch")
    loss, given = ELSEWHERE[argument]
    first = LOGITS if loss is L.cross_entropy else X
    given = {loss.inputs[0].name: first, **given}
    tensors = {
        name: torch.as_tensor(
            np.resize(x, (rows, *np.shape(x)[1:])) if np.shape(x)[:1] == (4,) else x
        )
        for name, x in given.items()
    }
    tensors[argument] = tensors[argument].to("meta")
    data = [tensors.pop(a.name) for a in loss.inputs]
    with pytest.raises(L.DeviceError, match="cpu") as caught:
        loss(*data, **tensors)
    said = str(caught.value)
    other = "target" if argument == "prediction" else argument
    assert said.startswith(f"{loss.name}: {other} is on ")
    assert f'hint: {other}.to("' in said
    assert "meta" in said
    assert isinstance(caught.value, RuntimeError)  # as PyTorch's own is


def test_each_loss_is_in_the_table_of_the_catalogue():
    assert {row[0] for row in EVERYWHERE.values()} <= {loss.name for loss in LOSSES}
