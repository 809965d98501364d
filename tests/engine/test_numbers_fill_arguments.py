"""A Python number in the place of a target fills it: an array could be misaligned, it cannot."""

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from samples import LOSSES, sample

FILLABLE = [
    pytest.param(loss, i, id=f"{loss.name}-{a.name}")
    for loss in LOSSES
    for i, a in list(enumerate(loss.inputs))[1:]
    if not a.domain.by_row
]


def number_of(domain):
    """A number of the set that no dtype rounds."""
    value = domain.inside[1]
    return int(value) if domain.integer else float(value)


def pair(loss, i, library, dtype="float32"):
    """Good data with a constant array in place i, and the same with a number there."""
    arrays, parameters = sample(loss, shape=(3, 2), dtype=np.dtype(dtype))
    value = number_of(loss.inputs[i].domain)
    arrays[i] = np.full_like(arrays[i], value)
    full = [library.array(x, dtype if x.dtype.kind == "f" else "int64") for x in arrays]
    filled = [*full]
    filled[i] = value
    return full, filled, parameters


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("loss", "i"), FILLABLE)
def test_a_number_is_the_array_full_of_it(loss, i, name):
    library = Library(name)
    full, filled, parameters = pair(loss, i, library)
    for reduction in ("mean", "none"):
        truth, slope = loss.value_and_gradient(*full, reduction=reduction, **parameters)
        value, own = loss.value_and_gradient(*filled, reduction=reduction, **parameters)
        assert library.dtype(value) == library.dtype(truth)
        np.testing.assert_array_equal(library.plain(value), library.plain(truth))
        np.testing.assert_array_equal(library.plain(own), library.plain(slope))
        called = loss(*filled, reduction=reduction, **parameters)
        np.testing.assert_array_equal(library.plain(called), library.plain(truth))


FUSED = [c for c in FILLABLE if c.id in {"binary_cross_entropy-target", "cross_entropy-label"}]


@pytest.mark.parametrize("name", ["numpy", "torch"])
@pytest.mark.parametrize(("loss", "i"), FUSED)
def test_a_number_reaches_a_kernel(loss, i, name):
    pytest.importorskip("numba")
    library = Library(name)
    full, filled, parameters = pair(loss, i, library)
    with L.using(engine="fused"):
        assert "a fused kernel" in loss.explain(*filled, **parameters)
        truth = loss.value_and_gradient(*full, **parameters)
        found = loss.value_and_gradient(*filled, **parameters)
        for x, y in zip(found, truth, strict=True):
            np.testing.assert_array_equal(library.plain(x), library.plain(y))


def test_the_idiom_of_adversarial_training():
    torch = pytest.importorskip("torch")
    score = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    real, fake = torch.ones(3), torch.zeros(3)
    for target, whole in ((1.0, real), (0.0, fake), (1, real), (0.9, real * 0.9)):
        value = L.binary_cross_entropy(score, target)
        (slope,) = torch.autograd.grad(value, score)
        truth = L.binary_cross_entropy(score, whole)
        (expected,) = torch.autograd.grad(truth, score)
        assert value == truth
        assert torch.equal(slope, expected)


def test_a_python_label_is_a_label_for_every_library():
    for name in NAMES:
        library = Library(name)
        row, rows = library.array(np.zeros(3)), library.array(np.zeros((4, 3)))
        assert float(L.cross_entropy(row, 2)) == pytest.approx(np.log(3), rel=1e-6)
        assert float(L.cross_entropy(rows, 2)) == pytest.approx(np.log(3), rel=1e-6)
        with pytest.raises(L.DomainError, match="got 3"):
            L.cross_entropy(rows, 3)
        moved = library.array(np.zeros((4, 3, 2)))
        assert L.cross_entropy(moved, 2, axis=1, reduction="none").shape == (4, 2)


@pytest.mark.parametrize("name", ["torch", "jax", "tensorflow"])
def test_a_number_in_a_compiled_graph(name):
    library = Library(name)
    logits = library.array(np.linspace(-1, 1, 12).reshape(4, 3))
    real = library.compiled(lambda x: L.binary_cross_entropy(x, 1.0))
    third = library.compiled(lambda x: L.cross_entropy(x, 2))
    assert float(real(logits)) == pytest.approx(float(L.binary_cross_entropy(logits, 1.0)))
    assert float(third(logits)) == pytest.approx(float(L.cross_entropy(logits, 2)))


def test_the_prediction_is_not_filled():
    """A number there is the other order of the arguments more often than not."""
    with pytest.raises(L.ShapeError, match=r"the order is \(logit, target\)"):
        L.binary_cross_entropy(1.0, [0.0, 1.0])


def test_an_array_without_axes_is_not_spread():
    for target in (np.float64(1.0), np.asarray(1.0)):
        with pytest.raises(L.ShapeError, match=r"float\(target\)"):
            L.binary_cross_entropy([0.0, 1.0], target)


def test_a_weight_and_a_mask_go_with_a_number():
    x = np.array([1.0, 2.0, np.nan])
    keep, weight = [True, True, False], [1.0, 3.0, 1.0]
    truth = L.squared_error(x, np.zeros(3), mask=keep, weight=weight)
    assert L.squared_error(x, 0.0, mask=keep, weight=weight) == truth
    truth = L.binary_cross_entropy(x, np.ones(3), mask=keep, class_weight=[1.0, 2.0])
    assert L.binary_cross_entropy(x, 1.0, mask=keep, class_weight=[1.0, 2.0]) == truth
    assert L.squared_error.sums(x, 0.0, mask=keep) == (5.0, 2.0)
