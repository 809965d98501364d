"""TensorFlow's tensors by NumPy's engine and by XLA: the same numbers, gradients and refusals as
by its operations, one by one."""

import os
import subprocess
import sys

import numpy as np
import pytest

import lossary as L
from outside import each_bad, good
from samples import each_loss

tf = pytest.importorskip("tensorflow")

from lossary.engine.recipes import tensorflow, tensorflow_graph  # noqa: E402


def close(got, wanted):
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=2e-6, atol=1e-7)


def graph(function):
    return tf.function(function, autograph=False)


def in_operations(function):
    with L.using(engine="array"):
        return function()


ROADS = {
    "eager": lambda f: f(),
    "compiled": lambda f: graph(f)(),
    "operations": in_operations,
}


@pytest.fixture
def every_size_is_compiled(monkeypatch):
    monkeypatch.setattr(tensorflow_graph, "LEAST", 0)


@pytest.mark.sampled(15)
@each_loss
def test_values_slopes_and_refusals(loss, every_size_is_compiled):
    weight, parameters, data = good(loss)

    def run(road, weight, parameters, data):
        weight, first, *others = map(tf.constant, (weight, *data))
        options = {name: tf.constant(x) for name, x in parameters.items()} | {"weight": weight}

        def both():
            with tf.GradientTape() as tape:
                tape.watch(first)
                value = loss(first, *others, **options)
            return value, tape.gradient(value, first)

        return ROADS[road](both)

    for road in ROADS:
        value, slope = run(road, weight, parameters, data)
        close(value, loss(*data, weight=weight, **parameters))
        close(slope, loss.gradient(*data, weight=weight, **parameters))
    _, *bad = next(each_bad(loss))
    with pytest.raises(L.DomainError):
        run("eager", *bad)
    assert all(np.isnan(x).any() for x in run("compiled", *bad))


ROWS, CLASSES = 500, 40
RANDOM = np.random.default_rng(0)
LOGITS = (3 * RANDOM.normal(size=(ROWS, CLASSES))).astype("float32")
LABELS = RANDOM.integers(0, CLASSES, ROWS)
WEIGHT = RANDOM.random(ROWS).astype("float32")


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_options_and_what_comes_from_above(road, reduction):
    x, label, weight = map(tf.constant, (LOGITS, LABELS, WEIGHT))
    options = {"reduction": reduction, "label_smoothing": 0.1}

    def slope():
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(3.0 * L.cross_entropy(x, label, weight=weight, **options))
        return tape.gradient(value, x)

    wanted = 3 * L.cross_entropy.gradient(LOGITS, LABELS, weight=WEIGHT, **options)
    close(ROADS[road](slope), wanted)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("axis", [0, 1])
def test_another_axis(road, axis):
    data = LOGITS if axis else LOGITS.T.copy()
    x, label = tf.constant(data), tf.constant(LABELS)

    def slope():
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = L.cross_entropy(x, label, axis=axis, reduction="none")
        return tape.gradient(value, x, tf.constant(WEIGHT))

    wanted = L.cross_entropy.gradient(data, LABELS, axis=axis, reduction="none", weight=WEIGHT)
    close(ROADS[road](slope), wanted)


@pytest.mark.parametrize("road", ROADS)
def test_second_derivatives_and_several_arguments(road):
    x, mean = tf.constant(LOGITS), tf.constant(LOGITS[::-1].copy())

    def slopes():
        with tf.GradientTape(persistent=True) as outer:
            outer.watch([x, mean])
            with tf.GradientTape() as tape:
                tape.watch([x, mean])
                value = L.pseudo_huber(x, mean, delta=2.0)
            first, second = tape.gradient(value, [x, mean])
        return first, second, outer.gradient(first, x)

    first, second, curved = ROADS[road](slopes)
    close(first, L.pseudo_huber.gradient(LOGITS, LOGITS[::-1], delta=2.0))
    close(second, -np.asarray(first))
    close(curved, L.pseudo_huber.hessian(LOGITS, LOGITS[::-1], delta=2.0))


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_gradient_of_halves_is_rounded_once(road, dtype):
    x = tf.cast(tf.constant(LOGITS), dtype)

    def slope():
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = 1024.0 * L.huber(x, tf.zeros_like(x))
        return tape.gradient(value, x)

    found = ROADS[road](slope)
    wide = tf.cast(x, tf.float32).numpy()
    wanted = tf.cast(1024 * L.huber.gradient(wide, np.zeros_like(wide)), dtype)
    np.testing.assert_array_equal(tf.cast(found, tf.float32), tf.cast(wanted, tf.float32))


def test_memory_that_a_tensor_shares_is_nobody_elses():
    """A gradient stays what it was when others are computed, and when it is let go of itself."""
    x = tf.constant(np.resize(LOGITS, 3_000_000))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        value = L.huber(x, tf.zeros_like(x))
    first = tape.gradient(value, x)
    before = first.numpy()
    others = [tape.gradient(value, x, tf.constant(k)) for k in (2.0, 3.0)]
    del tape, value, others
    L.huber.gradient(x.numpy() * 0 + 1, np.zeros(3_000_000, "float32"))
    np.testing.assert_array_equal(first, before)


def test_the_first_call_of_a_program_is_in_a_graph():
    """What is imported while a graph is traced sees symbols where it would see eager tensors."""
    program = (
        "import tensorflow as tf, lossary as L\n"
        "f = tf.function(lambda x: L.huber(x, 0 * x), autograph=False)\n"
        "x = tf.linspace(-3.0, 3.0, 4096)\n"
        "print(float(f(x)) == float(L.huber(x, 0 * x)))\n"
        "print(*(op.type for op in f.get_concrete_function(x).graph.get_operations()))\n"
    )
    # With PyTorch as Keras' backend TensorFlow would bring in Triton, which must come before it.
    ran = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    assert ran.returncode == 0, ran.stderr
    same, *operations = ran.stdout.split()
    assert same == "True"
    assert "PartitionedCall" in operations


def test_each_road_says_so():
    x = tf.constant(LOGITS)
    assert "on the memory of the tensors" in L.huber.explain(x, x)
    said = []
    graph(lambda x: said.append(L.huber.explain(x, x)) or x)(x)
    assert said == ["huber: tensorflow operations, which XLA compiles"]
    with L.using(engine="array"):
        assert "tensorflow operations, because" in L.huber.explain(x, x)
    assert tensorflow.is_memory(x)


def test_a_value_is_not_computed_again_where_its_gradients_are_of_no_use(monkeypatch):
    x, labels = tf.random.stateless_normal((5, 4), (1, 2)), tf.constant([0, 3, 1, 2, 2])

    def both(axis):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = L.cross_entropy(x, labels, axis=axis, reduction="none")
            assert not long_roads
        return value, tape.gradient(value, x, tf.constant([1.0, 2.0, 0.0, -1.0, 0.5]))

    evaluate, long_roads = tensorflow.evaluate.value, []
    monkeypatch.setattr(
        tensorflow.evaluate,
        "value",
        lambda *a, **k: long_roads.append(a[0].name) or evaluate(*a, **k),
    )
    wanted = both(-1)
    assert not long_roads
    monkeypatch.setattr(tensorflow, "_way", lambda *_: None)
    found = both(-1)
    assert long_roads == ["cross_entropy"]  # for the gradient alone
    for own, other in zip(found, wanted, strict=True):
        close(own, other)
