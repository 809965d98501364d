"""Shapes that can be read in two ways, and a class axis that says nothing."""

import inspect
import warnings

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.engine.ambiguity import is_constant_for_one_class
from lossary.engine.options import options_of
from samples import CLASSES, arrays, each_loss, of_rows, parameters, sample, those

rows_of_classes = those(lambda loss: loss.class_axis and "class_weight" in options_of(loss))
rows = those(lambda loss: loss.class_axis)
rows_of_any_length = those(lambda loss: loss.class_axis and not loss.entries)
each_library = pytest.mark.parametrize("name", NAMES)


def line():
    """The number of the line that calls this."""
    return inspect.currentframe().f_back.f_lineno


# ------------------------------------------------------------------- as many rows as classes


@rows_of_classes
def test_as_many_weights_as_rows_and_classes_are_warned_of(loss):
    """A batch of as many rows as there are classes must not end a training: no error here."""
    data, settings = sample(loss, shape=(CLASSES,))
    weight = np.arange(1.0, CLASSES + 1)
    with pytest.warns(UserWarning, match=rf"{loss.name}: weight of shape \({CLASSES},\)") as seen:
        value, place = loss(*data, weight=weight, **settings), line()
    said = str(seen[0].message)
    assert "weight[:, None] says rows" in said
    assert "class_weight= says classes" in said
    assert (seen[0].filename, seen[0].lineno) == (__file__, place)
    assert value == loss(*data, weight=weight[:, None], **settings)  # without a warning


@rows
def test_a_column_of_weights_is_one_per_row(loss):
    data, settings = sample(loss, shape=(3, 2))
    weight = np.random.default_rng(0).uniform(0.5, 2, (3, 2))
    keep = weight > 1
    truth = loss.value_and_gradient(*data, weight=weight, mask=of_rows(loss, keep), **settings)
    own = loss.value_and_gradient(*data, weight=weight[..., None], mask=keep[..., None], **settings)
    assert own[0] == truth[0]
    assert np.array_equal(own[1], truth[1])
    moved = [
        np.moveaxis(x, -1, 1) if a.domain.class_axis else x
        for a, x in zip(loss.inputs, data, strict=True)
    ]
    second = loss(*moved, axis=1, weight=weight[:, None], mask=keep[:, None], **settings)
    assert second == pytest.approx(truth[0], rel=1e-14)


def test_a_warning_can_be_answered_once_and_for_all():
    data, settings = sample(L.cross_entropy, shape=(CLASSES,))
    weight = np.arange(1.0, CLASSES + 1)
    L.cross_entropy(*data, weight=weight, check=False, **settings)
    L.cross_entropy(*data, class_weight=weight)
    L.cross_entropy(*data, mask=weight > 1)
    L.cross_entropy(*data, weight=np.ones(1))
    five, _ = sample(L.cross_entropy, shape=(CLASSES + 1,))
    L.cross_entropy(*five, weight=np.ones(CLASSES + 1))


# --------------------------------------------------------------- places that are as many as classes


@rows_of_classes
def test_weights_for_places_that_could_be_for_classes_are_refused(loss):
    """Lengths that the program fixes, not the batch: always wrong or never."""
    data, settings = sample(loss, shape=(2, CLASSES))
    weight = np.arange(1.0, CLASSES + 1)
    with pytest.raises(L.ShapeError) as caught:
        loss(*data, weight=weight, **settings)
    said = str(caught.value)
    assert said.startswith(f"{loss.name}: weight of shape ({CLASSES},) can be one number per class")
    assert "weight[None, :] says places, class_weight= says classes" in said
    spread = np.broadcast_to(weight, (2, CLASSES))
    assert loss(*data, weight=weight[None, :], **settings) == loss(*data, weight=spread, **settings)
    loss(*data, class_weight=weight, **settings)


@each_library
def test_the_same_on_every_library_and_axis(name):
    library = Library(name)
    logits = library.array(np.zeros((2, 3, 3)))
    label = library.labels(np.zeros((2, 3)))
    weight = library.array([1.0, 2.0, 3.0])
    with pytest.raises(L.ShapeError, match="class_weight= says classes"):
        L.cross_entropy(logits, label, axis=1, weight=weight)
    small, few = library.array(np.zeros((3, 3))), library.labels([0, 1, 2])
    with pytest.warns(UserWarning, match=r"weight\[None, :\] says rows"):
        L.cross_entropy(small, few, axis=0, weight=weight)


def test_a_hyper_parameter_per_class_is_not_one_per_place():
    data, _ = sample(L.categorical_focal, shape=(2, CLASSES))
    with pytest.raises(L.ShapeError, match=r"gamma\[None, :\] says places") as caught:
        L.categorical_focal(*data, gamma=np.ones(CLASSES))
    assert "class_weight" not in str(caught.value)


@each_loss
def test_a_vector_that_fits_the_first_axis_and_the_last_is_warned_of(loss):
    data, settings = sample(loss, shape=(3, 3))
    with pytest.warns(UserWarning, match=r"weight\[None, :\] the last|says the last") as seen:
        value = loss(*data, weight=np.array([1.0, 2.0, 3.0]), **settings)
    assert any("weight[:, None] the first" in str(warning.message) for warning in seen)
    assert value == loss(*data, weight=np.array([[1.0, 2.0, 3.0]]), **settings)


@pytest.mark.parametrize("name", ["torch", "jax", "tensorflow"])
def test_a_graph_is_made_in_silence(name):
    library = Library(name)
    logits, label = library.array(np.zeros((3, 3))), library.labels([0, 1, 2])
    weight, column = library.array([1.0, 2.0, 3.0]), library.array(np.zeros((3, 1)))
    weighed = library.compiled(lambda z, y, w: L.cross_entropy(z, y, weight=w))
    alone = library.compiled(L.cross_entropy)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "cross_entropy:")
        weighed(logits, label, weight)
        alone(column, label * 0)


# ------------------------------------------------------------------------------------- one class


def one(loss, seed):
    """Rows of one class, which is certain where it is a probability."""
    rng = np.random.default_rng(seed)
    drawn = arrays(loss, rng, (5,), 1)
    return [
        np.zeros_like(x) if a.domain.mass == "sum of exponentials" else x
        for a, x in zip(loss.inputs, drawn, strict=True)
    ]


@rows_of_any_length
def test_it_is_known_for_which_losses_one_class_says_nothing(loss):
    """Constant in the prediction, up to its sign: the gradient is 0 everywhere."""
    flat = True
    for seed in range(5):
        data = one(loss, seed)
        slope = loss.gradient(*data, check=False, reduction="sum", **parameters(loss))
        free = loss.inputs[0].domain.mass is None
        with np.errstate(invalid="ignore"):
            known = not np.isnan(loss(*data, check=False, reduction="sum", **parameters(loss)))
        flat &= bool(np.all(slope == 0) and known) if free else True
    assert is_constant_for_one_class(loss) is flat or not flat
    if is_constant_for_one_class(loss):
        assert flat


@rows_of_any_length
def test_one_class_is_warned_of_where_it_says_nothing(loss):
    data = one(loss, 0)
    if not is_constant_for_one_class(loss) or loss.over_positions:
        loss(*data, **parameters(loss))  # pytest makes a warning an error
        return
    with pytest.warns(UserWarning, match="nothing is learned") as seen:
        _, place = loss(*data, **parameters(loss)), line()
    said = str(seen[0].message)
    assert said.startswith(f"{loss.name}: {loss.inputs[0].name} has ")
    assert (seen[0].filename, seen[0].lineno) == (__file__, place)
    assert "axis=" in said


@each_library
def test_the_silent_zero_of_the_report(name):
    library = Library(name)
    logits, label = library.array([[0.3], [0.9]]), library.labels([0, 0])
    with pytest.warns(UserWarning, match="binary_cross_entropy takes two classes in one column"):
        assert float(L.cross_entropy(logits, label)) == 0.0


def test_the_warning_is_shown_once_for_a_line():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        for _ in range(3):
            L.cross_entropy([[0.3], [0.9]], [0, 0])
    assert len(seen) == 1


def test_modules_of_torch_warn_at_the_callers_line():
    torch = pytest.importorskip("torch")
    import lossary.torch as nn

    criterion = nn.CategoricalFocal()
    with pytest.warns(UserWarning, match="one class") as seen:
        criterion(torch.zeros(2, 1), torch.zeros(2, dtype=torch.int64))
    assert seen[0].filename == __file__


def test_keras_and_the_core_warn_by_one_mechanism():
    pytest.importorskip("keras")
    import lossary.keras as losses
    from lossary import errors
    from lossary.keras import classification

    assert classification.warn is errors.warn
    with pytest.warns(SyntaxWarning, match="one class") as seen:
        losses.categorical_crossentropy([[1.0]], [[0.5]])
    assert seen[0].filename == __file__
