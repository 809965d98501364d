"""TensorFlow's ways of making graphs: lengths, ranks and numbers that are known only when a graph
runs give eager's numbers, and a value outside its set gives NaN in value and gradient.
"""

import inspect

import numpy as np
import pytest

import lossary as L
from outside import check_nan, each_bad, good
from samples import each_loss

pytestmark = pytest.mark.representative

tf = pytest.importorskip("tensorflow")

Spec = tf.TensorSpec


def close(got, wanted):
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=1e-6, atol=1e-7)


def graph(*signature, **settings):
    return tf.function(input_signature=signature or None, autograph=False, **settings)


def open_ended(x):
    """What is left of an array's shape when a graph knows its rank and dtype only."""
    return Spec([None] * np.ndim(x), np.asarray(x).dtype)


@each_loss
def test_a_graph_for_any_shape_computes_and_checks_as_eager_calls_do(loss):
    weight, parameters, data = good(loss)
    names = list(parameters)

    @graph(*map(open_ended, (weight, *parameters.values(), *data)))
    def run(weight, *tensors):
        options = dict(zip(names, tensors[: len(names)], strict=True)) | {"weight": weight}
        first, *others = tensors[len(names) :]
        with tf.GradientTape() as tape:
            tape.watch(first)
            values = loss(first, *others, reduction="none", **options)
        return values, tape.gradient(values, first)

    values, slopes = run(weight, *parameters.values(), *data)
    options = {"weight": weight, **parameters}
    close(values, loss(*data, reduction="none", **options))
    close(slopes, loss.gradient(*data, reduction="none", **options))
    for what, bad_weight, bad_parameters, bad in each_bad(loss):
        check_nan(loss, what, *run(bad_weight, *bad_parameters.values(), *bad))


X = tf.constant([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0]])


def one(x, label):
    return L.cross_entropy(x, label)


def slope(x, label):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = one(x, label)
    return tape.gradient(value, x)


def nested(x, label):
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        first = slope(x, label)
    return first, outer.jacobian(first, x)


def pushed(x, label):
    with tf.autodiff.ForwardAccumulator(x, x) as forward:
        value = one(x, label)
    return value, forward.jvp(value)


def slope_of_recomputed(x, label):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.recompute_grad(lambda x: one(x, label))(x)
    return tape.gradient(value, x)


ANY = (Spec([None, None]), Spec([None], tf.int32))
MODES = {
    "graph": graph(*ANY)(slope),
    "rewritten graph": tf.function(slope),
    "XLA": graph(*ANY, jit_compile=True)(slope),
    "nested tapes": graph(*ANY)(nested),
    "forward mode": graph(*ANY)(pushed),
    "vectorized_map": lambda x, y: tf.vectorized_map(lambda row: one(*row), (x, y)),
    "vectorized_map of slopes": lambda x, y: tf.vectorized_map(lambda row: slope(*row), (x, y)),
    "map_fn": graph(*ANY)(
        lambda x, y: tf.map_fn(lambda row: one(*row), (x, y), fn_output_signature=tf.float32)
    ),
    "data": lambda x, y: next(iter(tf.data.Dataset.from_tensors((x, y)).map(one))),
    "checkpoint": graph(*ANY)(slope_of_recomputed),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_label_outside_is_never_a_number(mode):
    run = MODES[mode]
    assert all(np.isfinite(x).all() for x in tf.nest.flatten(run(X, tf.constant([0, 2]))))
    for wrong in (3, -1):
        found = run(X, tf.constant([wrong, 2]))
        assert all(np.isnan(x).any() for x in tf.nest.flatten(found))


def test_a_graph_without_a_known_rank():
    run = graph(Spec(None), Spec(None), Spec(None), Spec(None))(
        lambda x, y, w, d: L.huber(x, y, weight=w, delta=d)
    )
    for shape in ((), (3,), (2, 3)):
        x = np.linspace(-2, 3, np.prod(shape, dtype=int), dtype="float32").reshape(shape)
        close(run(x, x * 0, x * x, np.float32(0.5)), L.huber(x, x * 0, weight=x * x, delta=0.5))
    with pytest.raises(L.ShapeError, match=r"logits has an unknown number of axes .*\n.*ensure"):
        graph(Spec(None), Spec(None, tf.int32))(one)(X, tf.constant([0, 1]))


@pytest.mark.parametrize("xla", [False, True])
def test_shapes_that_meet_only_in_the_graph_are_never_broadcast(xla):
    run = graph(Spec([None, 3]), Spec([None, 3]), jit_compile=xla)(L.huber)
    close(run(X, X * 0), L.huber(X.numpy(), X.numpy() * 0))
    assert np.isnan(run(X, X[:1]))
    soft = graph(Spec([None, 3]), Spec([None, 3]), jit_compile=xla)(L.soft_cross_entropy)
    assert np.isnan(soft(X, tf.nn.softmax(X)[:1]))


def test_masks_ignored_labels_and_class_weights_of_a_graph():
    options = {"class_weight": [1.0, 2.0, 3.0], "label_smoothing": 0.1, "ignore_index": 1}
    labels, mask = np.array([0, 1, 2, 2]), np.array([True, True, True, False])
    logits = np.linspace(-1, 2, 12, dtype="float32").reshape(4, 3)
    shares = np.full((4, 3), 1 / 3, dtype="float32")

    @graph(*map(open_ended, (logits, labels, mask, shares)), Spec([], tf.int32))
    def run(x, y, keep, shares, ignored):
        options["ignore_index"] = ignored
        return (
            L.cross_entropy(x, y, mask=keep, **options),
            *L.cross_entropy.sums(x, y, mask=keep, **options),
            L.soft_cross_entropy(x, shares, mask=keep, class_weight=[1.0, 2.0, 3.0]),
        )

    got = run(logits, labels, mask, shares, 1)
    options["ignore_index"] = 1
    close(got[0], L.cross_entropy(logits, labels, mask=mask, **options))
    close(got[1:3], L.cross_entropy.sums(logits, labels, mask=mask, **options))
    soft = L.soft_cross_entropy(logits, shares, mask=mask, class_weight=[1.0, 2.0, 3.0])
    close(got[3], soft)
    bad = graph(Spec([3]))(lambda t: L.cross_entropy(X, tf.constant([0, 1]), class_weight=t))
    assert np.isnan(bad([1.0, -1.0, 1.0]))


def test_a_saved_model_serves_several_batch_sizes(tmp_path):
    module = tf.Module()
    module.loss = graph(*ANY)(one)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path)).loss
    for n in (2, 1):
        close(loaded(X[:n], tf.constant([0, 2])[:n]), one(X[:n].numpy(), np.array([0, 2])[:n]))
    assert np.isnan(loaded(X, tf.constant([0, 3])))
    assert float(loaded(X[:0], tf.zeros(0, tf.int32))) == 0.0


def test_a_changing_batch_and_number_are_traced_as_often_as_tensorflows_own():
    def traces(loss):
        run = tf.function(loss, autograph=False, reduce_retracing=True)
        for n, delta in ((4, 0.5), (4, 0.6), (2, 0.7), (3, 0.8), (7, 0.9)):
            x = tf.range(n, dtype=tf.float32)
            run(x, x * 0, tf.constant(delta))
        return run.experimental_get_tracing_count()

    peer = traces(lambda x, y, d: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, x)) * d)
    assert traces(lambda x, y, d: L.huber(x, y, delta=d)) == peer == 2


def test_autograph_leaves_the_engine_as_it_is_written(monkeypatch):
    from lossary.engine import evaluate
    from lossary.engine.calls import Calls

    callers, whole = [], evaluate.value

    def spy(*args):
        callers.append(inspect.currentframe().f_back.f_code.co_filename)
        return whole(*args)

    monkeypatch.setattr(evaluate, "value", spy)
    tf.function(lambda x: L.huber(x, x * 0))(X)
    assert callers == [inspect.getsourcefile(Calls)]


# ------------------------------------------------------------------------------ tf.nn's door

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("mode", ["eager", "graph", "XLA"])
@pytest.mark.parametrize("row", [[INF, 0.0, INF], [INF, 0.0, 0.0], [NAN, 0.0, 0.0]], ids=str)
def test_an_overflow_of_logits_is_nan_as_in_tensorflow(row, mode):
    from lossary.tensorflow import nn

    def both(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            found = [
                nn.softmax_cross_entropy_with_logits(labels=[[0.0, 1.0, 0.0]] * 2, logits=x),
                nn.sparse_softmax_cross_entropy_with_logits(labels=[1, 1], logits=x),
            ]
        return found, [tape.gradient(values, x) for values in found]

    runs = {"eager": both, "graph": graph()(both), "XLA": graph(jit_compile=True)(both)}
    for found in tf.nest.flatten(runs[mode](tf.constant([[0.0, 1.0, -1.0], row]))):
        assert np.isfinite(found[0]).all()
        assert np.isnan(found[1]).any()


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_label_outside_raises_or_is_nan_in_every_mode_of_the_door(wrong):
    from lossary.tensorflow import nn

    def values(x, label):
        return nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=x)

    labels = tf.constant([wrong, 2])
    with pytest.raises(tf.errors.InvalidArgumentError):
        values(X, labels)
    with pytest.raises(tf.errors.InvalidArgumentError):
        graph(*ANY)(values)(X, labels)
    compiled = graph(Spec([2, 3]), Spec([2], tf.int32), jit_compile=True)(values)
    assert np.isnan(compiled(X, labels)).tolist() == [True, False]
