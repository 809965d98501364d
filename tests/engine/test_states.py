"""States of losses: the next one is a function of the batch and of the old one, and no more."""

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.errors import DomainError, ShapeError

each_library = pytest.mark.parametrize("library", [Library(n) for n in NAMES], ids=NAMES)
RNG = np.random.default_rng(0)
OUTPUTS, CENTER = RNG.normal(size=(8, 3)), np.array([1.0, -2.0, 0.5])
LABELS = np.array([0, 2, 2, 1, 0, 2, 2, 0])
NOW, BEFORE = RNG.normal(size=8), RNG.normal(size=8)
SIGNS = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
KEEP = np.array([True, False, True, True, False, True, True, True])


def rewards_middle(now, before, signs, old, keep):
    r = 0.1 * (now - before)
    good, bad = r[keep & (signs > 0)].mean(), r[keep & (signs < 0)].mean()
    return 0.75 * old + 0.25 * (good + bad) / 2


# The loss, its data, the state and settings, and what follows from the examples that are kept.
CASES = {
    "dino": (
        (OUTPUTS,),
        {"center": CENTER, "momentum": 0.75},
        lambda keep: 0.75 * CENTER + 0.25 * OUTPUTS[keep].mean(0),
    ),
    "seesaw": (
        (LABELS,),
        {"class_counts": np.array([10.0, 0.0, 3.0])},
        lambda keep: np.array([10, 0, 3]) + np.bincount(LABELS[keep], minlength=3),
    ),
    "logit_adjusted": (
        (LABELS,),
        {"class_counts": np.zeros(3)},
        lambda keep: np.bincount(LABELS[keep], minlength=3),
    ),
    "kahneman_tversky": (
        (NOW, BEFORE),
        {},
        lambda keep: max(0, (NOW - BEFORE)[keep].mean()),
    ),
    "binary_classifier_preference": (
        (NOW, BEFORE, SIGNS),
        {"baseline": 0.5, "momentum": 0.75},
        lambda keep: rewards_middle(NOW, BEFORE, SIGNS, 0.5, keep),
    ),
}
each_state = pytest.mark.parametrize("name", CASES)
ALL = np.ones(8, bool)


def given(library, data):
    as_labels = [library.labels if x.dtype.kind == "i" else library.array for x in data]
    return [
        put(x) if put is library.labels else put(x, "float64")
        for put, x in zip(as_labels, data, strict=True)
    ]


def settings(library, values):
    return {
        k: library.array(v, "float64") if isinstance(v, np.ndarray) else v
        for k, v in values.items()
    }


def test_every_state_of_the_catalogue_is_tried():
    assert {name for name, loss in L.catalogue.items() if loss.state} == set(CASES)


@each_library
@each_state
def test_the_next_state_is_what_its_source_says(name, library):
    data, state, true = CASES[name]
    with library.wide():
        found = L.catalogue[name].next_state(*given(library, data), **settings(library, state))
        np.testing.assert_allclose(library.plain(found), true(ALL), rtol=1e-14)


@each_library
@each_state
def test_masked_examples_take_no_part(name, library):
    data, state, true = CASES[name]
    spoiled = [np.where(KEEP if x.ndim < 2 else KEEP[:, None], x, x[0]) for x in data]
    with library.wide():
        keep = library.array(KEEP, "bool_" if library.name == "numpy" else "bool")
        found = L.catalogue[name].next_state(
            *given(library, spoiled), mask=keep, **settings(library, state)
        )
        np.testing.assert_allclose(library.plain(found), true(KEEP), rtol=1e-14)
        weight = library.array(KEEP.astype(float) * 2.5, "float64")
        if name not in {"seesaw", "logit_adjusted"}:  # which count the weights
            weighed = L.catalogue[name].next_state(
                *given(library, spoiled), weight=weight, **settings(library, state)
            )
            np.testing.assert_allclose(library.plain(weighed), true(KEEP), rtol=1e-13)


@each_state
def test_nan_behind_a_mask_is_not_seen(name):
    data, state, true = CASES[name]
    if data[0].dtype.kind == "f":
        data = [np.where(KEEP if x.ndim < 2 else KEEP[:, None], x, np.nan) for x in data]
    found = L.catalogue[name].next_state(*data, mask=KEEP, **state)
    np.testing.assert_allclose(found, true(KEEP), rtol=1e-14)


@each_state
def test_sums_of_batches_or_machines_add_up(name):
    data, state, true = CASES[name]
    step = L.catalogue[name].next_state
    like = next((v for v in state.values() if isinstance(v, np.ndarray)), None)
    parts = [step.sums(*(x[part] for x in data), like=like) for part in (slice(0, 3), slice(3, 8))]
    found = step.of_sums(*map(sum, zip(*parts, strict=True)), **state)
    np.testing.assert_allclose(found, true(ALL), rtol=1e-14)


@each_state
def test_of_nothing_the_state_stays(name):
    data, state, _ = CASES[name]
    found = L.catalogue[name].next_state(*data, mask=~ALL, **state)
    old = next((state[k] for k in ("center", "class_counts", "baseline") if k in state), 0.0)
    np.testing.assert_array_equal(found, old)


def test_the_old_state_is_as_it_was():
    center = CENTER.copy()
    L.dino.next_state(OUTPUTS, center=center)
    np.testing.assert_array_equal(center, CENTER)


def test_nothing_is_differentiated_through_a_state():
    torch = pytest.importorskip("torch")
    outputs = torch.tensor(OUTPUTS, requires_grad=True)
    found = L.dino.next_state(outputs, center=torch.tensor(CENTER))
    assert not found.requires_grad
    jax = pytest.importorskip("jax")
    slope = jax.grad(lambda x: L.dino.next_state(x, center=0.0).sum())(jax.numpy.asarray(OUTPUTS))
    assert not np.asarray(slope).any()


def test_states_go_through_compiled_steps():
    jax = pytest.importorskip("jax")
    step = jax.jit(lambda x, c, m: L.dino.next_state(x, center=c, mask=m))
    found = step(*map(jax.numpy.asarray, (OUTPUTS, CENTER, KEEP)))
    np.testing.assert_allclose(found, L.dino.next_state(OUTPUTS, center=CENTER, mask=KEEP), 1e-6)
    counted = jax.jit(lambda y, c: L.seesaw.next_state(y, class_counts=c))
    np.testing.assert_array_equal(counted(jax.numpy.asarray(LABELS), jax.numpy.zeros(3)), [3, 1, 4])
    tf = pytest.importorskip("tensorflow")
    step = tf.function(lambda x, c: L.dino.next_state(x, center=c))
    found = step(tf.constant(OUTPUTS), tf.constant(CENTER))
    np.testing.assert_allclose(found, L.dino.next_state(OUTPUTS, center=CENTER), 1e-14)


def test_an_ignored_label_is_not_counted():
    found = L.seesaw.next_state([0, -100, 1], class_counts=[0.0, 0.0])
    np.testing.assert_array_equal(found, [1.0, 1.0])


def test_a_running_state_is_that_of_the_whole_data():
    counts = np.zeros(3)
    for part in np.split(LABELS, 4):
        counts = L.seesaw.next_state(part, class_counts=counts)
    np.testing.assert_array_equal(counts, np.bincount(LABELS))


def test_what_is_wrong_is_told():
    with pytest.raises(AttributeError, match="huber has no state"):
        _ = L.huber.next_state
    with pytest.raises(TypeError, match="takes target, got 2 arrays"):
        L.dino.next_state(OUTPUTS, OUTPUTS, center=CENTER)
    with pytest.raises(ShapeError, match="class_counts has one number for each class"):
        L.seesaw.next_state(LABELS)
    with pytest.raises(DomainError, match="momentum"):
        L.dino.next_state(OUTPUTS, center=CENTER, momentum=1.5)
    with pytest.raises(DomainError, match="target"):
        L.dino.next_state(OUTPUTS * np.nan, center=CENTER)
