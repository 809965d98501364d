"""A label is what it was given as: no type on the way is so narrow that it names another class."""

import numpy as np
import pytest

import lossary as L
from engines import by_kernels
from libraries import NAMES, Library
from lossary import class_weights
from lossary.errors import DomainError, DtypeError
from samples import CLASSES, sample, those

each_library = pytest.mark.parametrize("library", [*map(Library, NAMES)], ids=NAMES)
takes_labels = those(
    lambda loss: loss.class_axis and any(x.domain.integer for x in loss.inputs[1:2])
)

WRAP = 1 << 32
"""Labels this far apart are one label to 32 bits."""

BEYOND = {
    "int64": [WRAP + 2, -WRAP + 1],
    "uint64": [WRAP + 2, 2**63, 2**64 - 100, 2**64 - 1],
    "uint32": [2**31, 2**32 - 100],
    "int32": [2**31 - 1, -(2**31)],
    "uint8": [255, 156],
    "int8": [-1, -100, 127],
}


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@each_library
def test_a_label_of_another_class_is_refused_in_every_type(library, wide):
    """With or without `ignore_index`, which is -100 in many programs."""
    with library.wide("float64" if wide else "float32"):
        logits = library.array([[0.0, 1.0, 5.0]])
        for dtype, labels in BEYOND.items():
            for label in np.array(labels, dtype):
                options = {} if label == -100 else {"ignore_index": -100}
                with pytest.raises(DomainError, match="label must be a class index from 0 to 2"):
                    L.cross_entropy(logits, label[None], **options)


@takes_labels
def test_every_loss_of_labels_checks_them_before_they_are_narrowed(loss):
    jax = Library("jax").module
    (first, label, *rest), settings = sample(loss)
    first = jax.numpy.asarray(first, "float32")
    rest = [jax.numpy.asarray(x) for x in rest]
    with pytest.raises(DomainError, match=f"{loss.inputs[1].name} must be a class index"):
        loss(first, label + WRAP, *rest, **settings)
    keep = np.arange(len(label)) < 3
    masked = loss(first, np.where(keep, label, label + WRAP), *rest, mask=keep, **settings)
    assert masked == loss(first, label, *rest, mask=keep, **settings)


def test_such_a_label_is_an_error_where_a_graph_is_made_for_it():
    jax = Library("jax").module
    label = np.array([WRAP + 2, 1])
    with pytest.raises(DomainError, match=r"label must be a class index from 0 to 2, got 4\.29"):
        jax.jit(lambda z: L.cross_entropy(z, label, reduction="none"))(np.eye(2, 3))


def test_where_nothing_can_be_raised_such_a_label_is_nan():
    jax = Library("jax").module
    with jax.enable_x64(True):
        label = jax.numpy.asarray([WRAP + 2, 1])
        values = jax.jit(lambda z, y: L.cross_entropy(z, y, reduction="none"))(np.eye(2, 3), label)
    assert np.isnan(values).tolist() == [True, False]


@each_library
def test_labels_of_any_type_name_their_class(library):
    logits = np.random.default_rng(0).normal(size=(3, 200)).astype(np.float32)
    expected = L.cross_entropy(logits, [0, 100, 127])
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        label = np.array([0, 100, 127]).astype(dtype)
        found = L.cross_entropy(library.array(logits), label)
        np.testing.assert_allclose(library.plain(found), expected, rtol=1e-6)
    found = L.cross_entropy(library.array(logits), [0, 100, 127])
    np.testing.assert_allclose(library.plain(found), expected, rtol=1e-6)


@each_library
def test_an_ignored_label_that_the_type_of_the_labels_lacks_is_nobodys(library):
    logits = library.array(np.eye(3))
    expected = library.plain(L.cross_entropy(logits, [0, 1, 2]))
    for dtype in ("uint8", "int8", "int32", "int64", "uint64"):
        for ignored in (-100, 255, WRAP, WRAP + 2, 2**63, -(2**70)):
            label = np.array([0, 1, 2]).astype(dtype)
            found = L.cross_entropy(logits, label, ignore_index=ignored)
            assert library.plain(found) == expected
    far = np.array([0, WRAP + 1, 2])
    found = L.cross_entropy(logits, far, ignore_index=WRAP + 1)
    expected = L.cross_entropy(logits, [0, 1, 2], ignore_index=1)
    assert library.plain(found) == library.plain(expected)


def test_kernels_see_labels_as_they_were_given():
    logits = np.zeros((9000, CLASSES), np.float32)
    label = np.zeros(9000, np.uint64)
    assert by_kernels(L.cross_entropy, logits, label) == pytest.approx(np.log(CLASSES))
    label[7] = 2**64 - 100
    with pytest.raises(DomainError, match=r"index \(7,\)"), L.using(engine="fused"):
        L.cross_entropy(logits, label, ignore_index=-100)


def test_the_door_of_optax_makes_a_label_outside_nan():
    pytest.importorskip("optax")
    import jax.numpy as jnp

    from lossary import optax as door

    logits = np.array([[0.0, 1.0, 5.0], [1.0, 2.0, 3.0]], np.float32)
    for dtype in (np.int64, np.uint64):
        label = np.array([WRAP + 2, 0], dtype)
        for name in (
            "softmax_cross_entropy_with_integer_labels",
            "multiclass_hinge_loss",
            "multiclass_perceptron_loss",
        ):
            found = getattr(door, name)(jnp.asarray(logits), label)
            assert np.isnan(found).tolist() == [True, False]


def test_counts_of_labels_of_any_integer_type():
    for dtype in ("int8", "uint8", "int64", "uint64", "bool"):
        assert class_weights.counts(np.array([0, 1, 1], dtype), classes=2).tolist() == [1, 2]
    with pytest.raises(DomainError, match="9223372036854775808"):
        class_weights.counts(np.array([2**63], np.uint64), classes=2)
    with pytest.raises(DtypeError, match="label must be integers, got float64"):
        class_weights.counts([0.0, 1.0], classes=2)
