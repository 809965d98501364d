"""The catalogue's classes in ``lossary.keras`` check what they are given, on each backend.

A value outside its set raises where numbers can be looked at; in a compiled graph the value of its
sample is NaN. The tests run on the backend that ``KERAS_BACKEND`` names, PyTorch unless set;
``test_keras_backends.py`` runs them again on the other two.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

import lossary as L

keras = pytest.importorskip("keras")
import test_keras_door as door_tests  # noqa: E402
from test_domains import outside  # noqa: E402

import lossary.keras as door  # noqa: E402
from lossary.keras.contract import LabelError  # noqa: E402
from samples import sample  # noqa: E402

pytestmark = [
    pytest.mark.representative,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

BACKEND, numbers = door_tests.BACKEND, door_tests.numbers
LOSSES = door.catalogue.offered()
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
tensor = keras.ops.convert_to_tensor


def made(loss, **options):
    needed = {a.name: a.domain.inside[0] for a in loss.parameters if a.required}
    return getattr(door, door.catalogue.class_name(loss))(**needed, **options)


def good(loss, rows):
    """Return y_true and y_pred of so many samples: float32, labels as integers."""
    prediction, target = sample(loss, shape=(rows,) if loss.class_axis else (rows, 2))[0]
    return [x.astype("float32") if x.dtype.kind == "f" else x for x in (target, prediction)]


def bad_values(loss):
    """(place among y_true and y_pred, name, argument, value)"""
    prediction, target = loss.inputs
    for place, name, argument in ((0, "y_true", target), (1, "y_pred", prediction)):
        for value in outside(argument.domain):
            yield place, name, argument, value
        if argument.domain.mass == "sum":
            yield place, name, argument, 0.9


def spoiled(loss, rows, place, value, row):
    """Return good arrays with one number exchanged, and the number's index."""
    arrays = good(loss, rows)
    index = (row,) if arrays[place].ndim == 1 else (row, 1)
    arrays[place][index] = value
    return arrays, index


@each_loss
def test_a_value_outside_its_set_raises(loss):
    own = made(loss)
    for place, name, argument, value in bad_values(loss):
        arrays, index = spoiled(loss, 3, place, value, 1)
        error = LabelError if argument.domain.integer else L.DomainError
        with pytest.raises(error) as caught:
            own(*arrays)
        said = str(caught.value)
        assert said.startswith(f"{loss.name}: {name} must be "), said
        assert f"got {value:g} at index {index}" in said or "got a row with sum" in said


@each_loss
def test_a_value_outside_its_set_is_nan_in_a_graph(loss):
    """All bad values in one batch, one to a sample; the samples between them are good."""
    if BACKEND == "torch" and loss.name not in {"focal", "cross_entropy", "jensen_shannon"}:
        pytest.skip("compiling takes long, and the core's graphs are tested for every loss")
    bad = list(bad_values(loss))
    arrays = good(loss, 2 * len(bad))
    for i, (place, _, _, value) in enumerate(bad):
        arrays[place][2 * i] = spoiled(loss, 2 * len(bad), place, value, 2 * i)[0][place][2 * i]
    graph = door_tests.TestGraphs.compiled(made(loss, reduction=None).__call__)
    if BACKEND == "torch":
        # Eager pieces raise; a GPU's or a whole graph's cannot.
        found = whole_graph(loss, arrays)
    else:
        found = numbers(graph(*map(tensor, arrays)))
    assert np.isnan(found).tolist() == [True, False] * len(bad)


def whole_graph(loss, arrays):
    import torch

    torch.compiler.reset()
    own = made(loss, reduction=None)
    graph = torch.compile(own.call, backend="aot_eager", fullgraph=True)
    return numbers(graph(*map(tensor, arrays)))


@each_loss
def test_good_samples_have_the_values_of_the_loss(loss):
    target, prediction = good(loss, 4)
    parameters = {a.name: a.domain.inside[0] for a in loss.parameters if a.required}
    wanted = loss(prediction, target, reduction="none", **parameters)
    found = made(loss, reduction=None)(target, prediction)
    door_tests.same(found, wanted if loss.class_axis else wanted.mean(-1))


@each_loss
def test_what_is_masked_may_be_anything(loss):
    keep = np.array([True, False, True])
    own = made(loss, reduction="sum")
    target, prediction = good(loss, 3)
    wanted = own(target[keep], prediction[keep])
    for place, _, _, value in bad_values(loss):
        y_true, y_pred = map(tensor, spoiled(loss, 3, place, value, 1)[0])
        keras.src.backend.set_keras_mask(y_pred, tensor(keep))
        door_tests.same(own(y_true, y_pred), wanted)


@pytest.mark.skipif(BACKEND != "torch", reason="only PyTorch's large tensors take another road")
@each_loss
def test_large_tensors_are_checked_too(loss):
    own = made(loss)
    for place, name, _, value in bad_values(loss):
        arrays, index = spoiled(loss, 1200, place, value, 1199)
        with pytest.raises(L.DomainError, match=f"{name} must be ") as caught:
            own(*arrays)
        assert f"at index {index}" in str(caught.value) or "got a row with sum" in str(caught.value)


def test_rows_that_a_half_has_rounded_are_accepted():
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(300), 20).astype("float32")
    for dtype in ("bfloat16", "float16", "float32"):
        y = keras.ops.cast(tensor(rows), dtype)
        for kind in (door.KlDivergenceFromProbabilities, door.JensenShannon):
            assert abs(float(kind()(y, y))) < 1e-6
        with pytest.raises(L.DomainError, match="got a row with sum"):
            door.JensenShannon()(y, y * 0.8)


class TestLabels:
    def test_labels_of_any_dtype(self):
        rows = np.array([[0.5, 1.0], [2.0, 0.0]], "float32")
        wanted = L.cross_entropy(rows, [1, 0])
        for kind in ("int8", "uint8", "int32", "int64", "float32", "float64", "bool"):
            label = np.array([1, 0]).astype(kind)
            for y in (label, label[:, None], label.tolist()):
                door_tests.same(door.CrossEntropy()(y, rows), wanted)

    @pytest.mark.parametrize("label", [1.5, float("nan"), 1e12, 2.0**31 + 1])
    def test_a_number_that_is_no_label(self, label):
        rows = np.zeros((2, 3), "float32")
        with pytest.raises(LabelError, match=r"y_true must be a class index from 0 to 2, got"):
            door.CrossEntropy()(np.array([1.0, label]), rows)

    @pytest.mark.parametrize("label", [2**31, 2**32 + 1, -(2**32) + 1])
    def test_a_wide_integer_does_not_become_another_label(self, label):
        with pytest.raises(LabelError, match="y_true must be a class index"):
            door.CrossEntropy()(np.array([1, label]), np.zeros((2, 3), "float32"))

    @pytest.mark.skipif(BACKEND == "torch", reason="eager: the label raises")
    def test_a_number_that_is_no_label_is_nan_in_a_graph(self):
        own = door.CrossEntropy(reduction=None)
        y = tensor(np.array([1.0, 1.5, -1.0, np.nan, 3.0, 2.0], "float32"))
        found = numbers(door_tests.TestGraphs.compiled(own.__call__)(y, tensor(np.eye(6, 3))))
        assert np.isnan(found).tolist() == [False, True, True, True, True, False]


def test_a_model_that_is_fitted_gets_nan_or_an_error():
    """Keras' own training step: eager on PyTorch, compiled elsewhere."""
    x, y = np.ones((4, 3), "float32"), np.full((4, 1), 0.3, "float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", loss=door.Focal())
    if BACKEND == "torch":
        with pytest.raises(L.DomainError, match=r"focal: y_true must be 0 or 1, got 0.3"):
            model.fit(x, y, verbose=0)
    else:
        assert np.isnan(model.fit(x, y, verbose=0).history["loss"][0])


class TestSettings:
    @pytest.mark.parametrize(
        ("make", "error", "words"),
        [
            (lambda: door.CrossEntropy(axis=(1, 2)), ValueError, "one whole number, got (1, 2)"),
            (lambda: door.CrossEntropy(axis=[1]), ValueError, "hint: axis=1"),
            (lambda: door.JensenShannon(axis="1"), ValueError, "got '1'"),
            (lambda: door.JensenShannon(axis=True), ValueError, "got True"),
            (lambda: door.JensenShannon(axis=None), ValueError, "got None"),
            (lambda: door.SquaredError(axis=1), TypeError, "SquaredError has no axis"),
            (lambda: door.Focal(from_logits=True), TypeError, "takes y_pred as logit, always"),
            (lambda: door.Quantile(quantile=1.5), ValueError, "quantile must be"),
            (lambda: door.Quantile(quantile="0.5"), TypeError, "got str '0.5'"),
            (lambda: door.Quantile(quantile=None), TypeError, "got NoneType None"),
            (lambda: door.Quantile(quantile=[0.5, 1.5]), ValueError, "got 1.5 at index (1,)"),
            (lambda: door.Quantile(quantile=tensor([0.5, -1.0])), ValueError, "at index (1,)"),
            (lambda: door.Focal(alpha=[[0.5], [0.2, 0.3]]), TypeError, "got list"),
            (lambda: door.SparseCategoricalCrossentropy(axis=(1, 2)), ValueError, "one whole"),
            (lambda: door.CosineSimilarity(axis="1"), ValueError, "CosineSimilarity: axis must be"),
            (lambda: door.Dice(axis=1.5), ValueError, "Dice: axis must be"),
        ],
    )
    def test_what_cannot_be_is_refused_at_construction(self, make, error, words):
        with pytest.raises(error) as caught:
            make()
        assert words in str(caught.value)

    def test_an_axis_that_is_not_there(self):
        with pytest.raises(L.ShapeError, match=r"axis 3 is outside y_pred of shape \(1, 2\)"):
            door.CrossEntropy(axis=3)([1], [[0.2, 0.3]])

    @pytest.mark.parametrize("name", ["CosineSimilarity", "CategoricalCrossentropy",
                                      "CategoricalFocalCrossentropy"])  # fmt: skip
    @pytest.mark.parametrize("axis", [(1, 2), [-1, 1], (0, 2), None])
    def test_several_axes_are_keras(self, name, axis):
        """A vector, or the classes, may fill several axes, as in Keras."""
        rng = np.random.default_rng(0)
        y, p = rng.random((2, 2, 3, 4)).astype("float32")
        if BACKEND == "tensorflow" and name != "CosineSimilarity":
            pytest.skip("Keras refuses them there")
        if name == "CategoricalCrossentropy" and BACKEND == "jax":
            pytest.skip("Keras refuses them there")
        own, peer = (getattr(m, name)(axis=axis, reduction=None) for m in (door, keras.losses))
        door_tests.same(own(y, p), peer(y, p))
