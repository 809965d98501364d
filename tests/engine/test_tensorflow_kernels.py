"""Kernels in graphs of TensorFlow: its XLA calls them in training steps and in what it compiles,
they give the numbers of NumPy's kernels, and whatever else becomes of a graph is the array text.
"""

import numpy as np
import pytest

import lossary as L
from engines import same
from outside import check_nan, each_bad
from samples import has_kernels, sample, those

pytestmark = pytest.mark.representative

tf = pytest.importorskip("tensorflow")
pytest.importorskip("numba")

from lossary.engine.recipes import tensorflow_kernels, xla_kernels  # noqa: E402

if not tensorflow_kernels.is_open():
    pytest.skip("this TensorFlow does not show its XLA", allow_module_level=True)

CALL = "XlaCallModule"
ROWS = np.random.default_rng(0).normal(size=(64, 10)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 10, 64)

each_loss = those(lambda loss: has_kernels(loss) and not loss.over_positions)


def step(loss, **options):
    """Return value and gradient of a loss, as a training step computes them."""

    def both(first, *others):
        with tf.GradientTape() as tape:
            tape.watch(first)
            value = loss(first, *others, **options)
        return value, tape.gradient(value, first)

    return both


def made(function, *arrays, open_ended=False, engine="fused", **settings):
    """Return the graph of a function of such arrays."""
    rank = [None] * open_ended
    specs = [
        tf.TensorSpec((*rank, *x.shape[len(rank) :]), x.dtype) for x in map(np.asarray, arrays)
    ]
    with L.using(engine=engine):
        return tf.function(function, autograph=False, **settings).get_concrete_function(*specs)


def calls(graph):
    found = graph.graph.as_graph_def()
    bodies = [found.node, *(own.node_def for own in found.library.function)]
    return sum(node.op == CALL for nodes in bodies for node in nodes)


GRAPHS = {
    "graph": {},
    "graph, any length": {"open_ended": True},
    "XLA": {"jit_compile": True},
    "XLA, any length": {"jit_compile": True, "open_ended": True},
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("dtype", "reduction"), [("float32", "mean"), ("float64", "none")])
@each_loss
def test_the_numbers_are_those_of_numpys_kernels(loss, dtype, reduction):
    data, parameters = sample(loss, shape=(5,), dtype=np.dtype(dtype))
    data = [np.asarray(x) for x in data]
    options = {"reduction": reduction, **parameters}
    with L.using(engine="fused"):
        value, slope = loss.value_and_gradient(*data, **options)
    for settings in GRAPHS.values():
        graph = made(step(loss, **options), *data, **settings)
        assert calls(graph) == 1
        found, derived = graph(*map(tf.constant, data))
        same(np.asarray(found), np.asarray(value))
        np.testing.assert_array_equal(derived.numpy(), slope)


@pytest.mark.sampled(4)
@each_loss
def test_a_value_outside_its_set_is_nan_as_without_a_kernel(loss):
    _, numbers = sample(loss, shape=(3,))
    graph = None
    for what, weight, parameters, data in each_bad(loss):
        if what.partition(" ")[0] in parameters:
            continue  # an array, which no kernel takes

        def both(weight, *data):
            return step(loss, weight=weight, reduction="none", **numbers)(*data)

        graph = graph or made(both, weight, *data, jit_compile=True)
        assert calls(graph) == 1
        values, slopes = graph(*map(tf.constant, (weight, *data)))
        check_nan(loss, what, values.numpy(), slopes.numpy())


@pytest.mark.parametrize("settings", GRAPHS.values(), ids=GRAPHS)
def test_options_and_what_comes_from_above(settings):
    weight, table = np.linspace(0, 2, 64), np.linspace(0.5, 1.5, 10)
    mask, labels = np.arange(64) % 3 > 0, np.where(LABELS == 2, -1, LABELS)
    options = {"ignore_index": -1, "label_smoothing": 0.1, "reduction": "none"}

    def both(x, y, weight, mask):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = 3 * L.cross_entropy(
                x, y, weight=weight, mask=mask, class_weight=tf.constant(table, x.dtype), **options
            )
        return value, tape.gradient(value, x)

    arrays = ROWS, labels, weight.astype("f"), mask
    graph = made(both, *arrays, **settings)
    assert calls(graph) == 1
    value, slope = graph(*map(tf.constant, arrays))
    options |= {"weight": arrays[2], "mask": mask, "class_weight": table.astype("f")}
    wanted = L.cross_entropy.value_and_gradient(ROWS, labels, **options)
    for found, own in zip((value, slope), wanted, strict=True):
        np.testing.assert_allclose(found, 3 * own, rtol=2e-6, atol=1e-7)


OPEN = [name for name, settings in GRAPHS.items() if "open_ended" in settings]


@pytest.mark.parametrize("kind", OPEN)
def test_one_graph_serves_every_batch(kind):
    graph = made(step(L.cross_entropy), ROWS, LABELS, **GRAPHS[kind])
    assert calls(graph) == 1
    for n in (64, 7, 1, 0):
        value, slope = graph(tf.constant(ROWS[:n]), tf.constant(LABELS[:n]))
        wanted = L.cross_entropy.value_and_gradient(ROWS[:n], LABELS[:n])
        for found, own in zip((value, slope), wanted, strict=True):
            np.testing.assert_allclose(found, own, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", OPEN)
def test_lengths_that_differ_are_nan_or_refused(kind):
    graph = made(step(L.cross_entropy), ROWS, LABELS, **GRAPHS[kind])
    value, slope = graph(tf.constant(ROWS), tf.constant(LABELS[:1]))
    assert np.isnan(value).all()
    assert np.isnan(slope).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="broadcast"):
        graph(tf.constant(ROWS), tf.constant(LABELS[:5]))


X, Y = tf.constant(ROWS), tf.constant(LABELS)


def curved(x, y):
    with tf.GradientTape() as outer:
        outer.watch(x)
        first = tf.reduce_sum(step(L.cross_entropy)(x, y)[1] ** 2)
    return outer.gradient(first, x)


def curved_from_outside(x, y):
    """A step is a function of its own, which is differentiated as it stands."""
    inner = tf.function(step(L.cross_entropy), autograph=False)
    with tf.GradientTape() as outer:
        outer.watch(x)
        first = tf.reduce_sum(inner(x, y)[1] ** 2)
    return outer.gradient(first, x)


def of_a_function(x, y):
    """TensorFlow differentiates the graph of a function, with no tape inside."""
    inner = tf.function(L.cross_entropy, autograph=False)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = inner(x, y)
    return tape.gradient(value, x)


def of_a_loop(x, y):
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.while_loop(
            lambda n, _: n < 3,
            lambda n, total: (n + 1, total + L.cross_entropy(x, y)),
            (0, 0.0),
            maximum_iterations=3,
        )[1]
    return tape.gradient(total, x)


def upstream(x, y):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.exp(L.cross_entropy(x, y)) + 3 * L.cross_entropy(2 * x, y) ** 2
    return tape.gradient(value, x)


def jacobian(x, y):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = L.cross_entropy(x, y, reduction="none")
    return tape.jacobian(value, x)


WAYS = [curved, curved_from_outside, of_a_function, of_a_loop, upstream, jacobian]


@pytest.mark.parametrize("settings", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_derivatives_are_those_of_the_text(way, settings):
    kernel = made(way, ROWS, LABELS, **settings)
    text = made(way, ROWS, LABELS, engine="array", **settings)
    if "jit_compile" in settings or way not in (of_a_function, of_a_loop):
        assert calls(kernel)
    assert not calls(text)
    np.testing.assert_allclose(kernel(X, Y), text(X, Y), rtol=3e-5, atol=1e-7)


def test_what_only_evaluates_may_be_saved():
    assert not calls(made(L.cross_entropy, ROWS, LABELS))
    assert calls(made(L.cross_entropy, ROWS, LABELS, jit_compile=True))


def test_where_there_is_no_kernel():
    half = ROWS.astype("float16")
    assert calls(made(step(L.cross_entropy), half, LABELS, jit_compile=True))  # as float32
    for loss, arrays, options in (
        (L.cross_entropy, (ROWS, LABELS[:10]), {"axis": 0}),
        (L.huber, (ROWS, ROWS), {"delta": tf.constant(0.5)}),  # a number of the graph's
        (L.cross_entropy, (ROWS, LABELS), {"ignore_index": tf.constant(1)}),
        (L.huber, (ROWS, ROWS), {"weight": tf.constant(abs(ROWS[:1]))}),  # one that repeats
    ):
        graph = made(step(loss, **options), *arrays, jit_compile=True)
        assert not calls(graph)
        value, slope = graph(*map(tf.constant, arrays))
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


def test_a_graph_says_what_computes_it():
    said = []
    made(
        lambda x, y: said.append(L.cross_entropy.explain(x, y)) or x, ROWS, LABELS, jit_compile=True
    )
    assert said == ["cross_entropy: a fused kernel that XLA calls"]


def test_an_interface_of_another_version_means_the_text(monkeypatch):
    monkeypatch.setattr(tensorflow_kernels, "_interface", lambda: None)
    assert not calls(made(step(L.cross_entropy), ROWS, LABELS, jit_compile=True))


def test_a_name_that_is_taken_is_refused_in_words():
    made(step(L.cross_entropy), ROWS, LABELS)
    made(step(L.huber), ROWS, ROWS)
    first, second, *_ = {code.address for code in xla_kernels._registered.values()}
    tensorflow_kernels.register("lossary_twice", first)
    with pytest.raises(RuntimeError, match="lossary_twice"):
        tensorflow_kernels.register("lossary_twice", second)


def test_threads_share_the_work_and_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4096, 200)).astype("float32"), rng.integers(0, 200, 4096)
    found = []
    for threads in ("1", "8"):
        monkeypatch.setenv("LOSSARY_NUM_THREADS", threads)
        found.append(made(step(L.cross_entropy), x, y)(tf.constant(x), tf.constant(y)))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
