"""The door of TensorFlow: the losses of tf.nn, compared with TensorFlow's own.

In the middle of the range values and gradients have to be TensorFlow's; in the tails, where
TensorFlow rounds to 0 or overflows, they have to be right, which mpmath decides.
"""

import inspect

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

import lossary as L  # noqa: E402
from lossary.accuracy.ulps import FORMATS, ulps  # noqa: E402
from lossary.engine.recipes import tensorflow_graph  # noqa: E402
from lossary.tensorflow import nn  # noqa: E402

ROWS, CLASSES = 6, 5
DTYPES = ["float32", "float64", "float16", "bfloat16"]
TOLERANCE = {"float64": 1e-12, "float32": 2e-6, "float16": 4e-3, "bfloat16": 3e-2}


def data(dtype="float32", scale=1.0):
    """Return tensors by their role in a call."""
    random = np.random.default_rng(0)
    wide = {
        "x": random.normal(size=(ROWS, CLASSES)) * scale,
        "count": random.poisson(3.0, size=(ROWS, CLASSES)).astype(float),
        "binary": (random.random((ROWS, CLASSES)) > 0.5).astype(float),
        "unit": random.random((ROWS, CLASSES)),
        "masses": random.dirichlet(np.ones(CLASSES), size=ROWS),
        "columns": random.dirichlet(np.ones(ROWS), size=CLASSES).T,
        "weight": random.random(CLASSES) + 0.5,
    }
    table = {name: tf.cast(tf.constant(x), dtype) for name, x in wide.items()}
    return table | {"label": tf.constant(random.integers(0, CLASSES, ROWS))}


# Function: the roles of its tensors in TensorFlow's order, and settings.
CALLS = [
    ("softmax_cross_entropy_with_logits", "masses x", {}),
    ("softmax_cross_entropy_with_logits", "columns x", {"axis": 0}),
    ("softmax_cross_entropy_with_logits", "masses x", {"axis": 1}),
    ("sparse_softmax_cross_entropy_with_logits", "label x", {}),
    ("sigmoid_cross_entropy_with_logits", "binary x", {}),
    ("sigmoid_cross_entropy_with_logits", "unit x", {}),
    ("weighted_cross_entropy_with_logits", "unit x", {"pos_weight": 1.5}),
    ("weighted_cross_entropy_with_logits", "unit x", {"pos_weight": 0.0}),
    ("weighted_cross_entropy_with_logits", "unit x", {"pos_weight": "weight"}),
    ("log_poisson_loss", "count x", {}),
    ("log_poisson_loss", "count x", {"compute_full_loss": True}),
    ("l2_loss", "x", {}),
]
each_call = pytest.mark.parametrize(
    ("name", "roles", "settings"), CALLS, ids=[f"{n} {r} {' '.join(s)}" for n, r, s in CALLS]
)
each_name = pytest.mark.parametrize("name", nn.__all__)


def prepared(roles, settings, dtype="float32", scale=1.0):
    """Return the tensors and settings of a call."""
    table = data(dtype, scale)
    named = {k: table[v] if isinstance(v, str) else v for k, v in settings.items()}
    return [table[role] for role in roles.split()], named


def value_and_gradients(function, tensors, named, wrap=lambda f: f):
    """Return the value, and gradients by everything that can have one."""
    owners = [x for x in [*tensors, *named.values()] if tf.is_tensor(x) and x.dtype.is_floating]

    def run():
        with tf.GradientTape() as tape:
            tape.watch(owners)
            value = function(*tensors, **named)
            total = tf.reduce_sum(tf.cast(value, "float64"))
        return [value, *tape.gradient(total, owners)]

    return wrap(run)()


def same(got, wanted, tolerance):
    for a, b in zip(got, wanted, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            found, right = (tf.cast(x, "float64").numpy() for x in (a, b))
            np.testing.assert_allclose(
                found, right, rtol=tolerance, atol=tolerance * max(np.abs(right).max(), 0.1)
            )


def take_road(road, monkeypatch):
    """Set the core on a road, and return what to wrap a call in."""
    if road == "operations":
        return lambda f: lambda: in_operations(f)
    if road == "compiled":
        monkeypatch.setattr(tensorflow_graph, "LEAST", 0)
    return (lambda f: f) if road == "eager" else lambda f: tf.function(f, autograph=False)


def in_operations(function):
    with L.using(engine="array"):
        return function()


class TestTheContractIsTensorFlows:
    @each_name
    def test_signatures(self, name):
        own, peer = (inspect.signature(getattr(m, name)).parameters for m in (nn, tf.nn))
        assert [(p.name, p.kind, p.default) for p in own.values()] == [
            (p.name, p.kind, p.default) for p in peer.values()
        ]

    @pytest.mark.sampled(3)
    @each_call
    @pytest.mark.parametrize(
        ("road", "dtype"),
        [(r, d) for r in ("eager", "operations", "function") for d in DTYPES]
        + [("compiled", "float32"), ("compiled", "bfloat16")],
    )
    def test_value_and_gradients(self, name, roles, settings, road, dtype, monkeypatch):
        wrap = take_road(road, monkeypatch)
        tensors, named = prepared(roles, settings, dtype)
        wanted = value_and_gradients(getattr(tf.nn, name), tensors, named)
        got = value_and_gradients(getattr(nn, name), tensors, named, wrap)
        same(got, wanted, TOLERANCE[dtype])

    @each_call
    def test_wide_samples(self, name, roles, settings):
        tensors, named = prepared(roles, settings, "float64", scale=8.0)
        wanted = value_and_gradients(getattr(tf.nn, name), tensors, named)
        same(value_and_gradients(getattr(nn, name), tensors, named), wanted, 1e-10)

    @pytest.mark.sampled(3)
    @each_call
    @pytest.mark.parametrize("road", ["eager", "operations", "function", "compiled"])
    def test_second_derivatives(self, name, roles, settings, road, monkeypatch):
        wrap = take_road(road, monkeypatch)
        dtype, tolerance = ("float32", 2e-5) if road == "compiled" else ("float64", 1e-10)
        tensors, named = prepared(roles, settings, dtype)

        def hessian_product(function):
            x = tensors[-1]
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    value = function(*tensors, **named)
                slope = inner.gradient(value, x)
                product = tf.reduce_sum(slope * tf.cast(tf.range(CLASSES), x.dtype))
            return [outer.gradient(product, x)]

        got = wrap(lambda: hessian_product(getattr(nn, name)))()
        same(got, hessian_product(getattr(tf.nn, name)), tolerance)

    @each_call
    @pytest.mark.parametrize("road", ["eager", "operations"])
    def test_forward_mode_and_persistent_tapes(self, name, roles, settings, road, monkeypatch):
        wrap = take_road(road, monkeypatch)
        tensors, named = prepared(roles, settings)
        x = tensors[-1]

        def derivatives(function):
            with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
                tangent = accumulator.jvp(function(*tensors, **named))
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(x)
                slope = tape.gradient(function(*tensors, **named), x)
            return [tangent, slope, tape.gradient(slope, x)]

        got = wrap(lambda: derivatives(getattr(nn, name)))()
        same(got, derivatives(getattr(tf.nn, name)), 1e-5)

    @each_call
    def test_batches_of_any_size_in_one_graph(self, name, roles, settings):
        tensors, named = prepared(roles, settings)
        open_ended = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in tensors]
        graph = tf.function(
            lambda *t: getattr(nn, name)(*t, **named), input_signature=open_ended, autograph=False
        )
        for rows in (ROWS, 2):
            some = [x[:rows] for x in tensors]
            same([graph(*some)], [getattr(tf.nn, name)(*some, **named)], 2e-6)
        traced = graph.get_concrete_function()
        assert traced.output_shapes == tf.function(
            lambda *t: getattr(tf.nn, name)(*t, **named), input_signature=open_ended
        ).get_concrete_function().output_shapes  # fmt: skip

    @each_call
    def test_compiled_by_xla(self, name, roles, settings):
        tensors, named = prepared(roles, settings)
        compiled = tf.function(jit_compile=True, autograph=False)
        got = value_and_gradients(getattr(nn, name), tensors, named, compiled)
        same(got, value_and_gradients(getattr(tf.nn, name), tensors, named), 1e-5)

    @each_call
    def test_lists_arrays_and_variables(self, name, roles, settings):
        tensors, named = prepared(roles, settings)
        wanted = getattr(tf.nn, name)(*tensors, **named)
        *before, last = tensors
        for convert in (tf.Variable, lambda x: x.numpy(), lambda x: x.numpy().tolist()):
            same([getattr(nn, name)(*before, convert(last), **named)], [wanted], 2e-6)

    def test_a_variable_receives_its_gradient(self):
        weights = tf.Variable([[0.5, -1.0]])
        with tf.GradientTape() as tape:
            loss = nn.sparse_softmax_cross_entropy_with_logits([1], weights)
        np.testing.assert_allclose(tape.gradient(loss, weights), [[0.81757, -0.81757]], rtol=1e-5)

    def test_ragged_tensors_and_empty_batches_are_tensorflows(self):
        x, y = (tf.ragged.constant(r) for r in ([[1.0, 2.0], [3.0]], [[0.0, 1.0], [1.0]]))
        got, wanted = (m.sigmoid_cross_entropy_with_logits(y, x) for m in (nn, tf.nn))
        assert got.to_list() == wanted.to_list()
        none = tf.zeros((0, 3))
        assert nn.softmax_cross_entropy_with_logits(none, none).shape == (0,)
        assert nn.l2_loss(none) == 0

    def test_broadcast_rows_are_tensorflows(self):
        table = data()
        one_row = table["masses"][:1]
        got, wanted = (
            m.softmax_cross_entropy_with_logits(labels=one_row, logits=table["x"])
            for m in (nn, tf.nn)
        )
        same([got], [wanted], 1e-6)

    def test_names_in_graphs(self):
        @tf.function(autograph=False)
        def graph(x):
            return nn.l2_loss(x, name="weight_decay")

        operations = graph.get_concrete_function(tf.ones(2)).graph.get_operations()
        assert any(o.name.startswith("weight_decay/") for o in operations)


X = tf.constant([[1.0, 2.0], [3.0, 4.0]])
MISFITS = [
    ("softmax_cross_entropy_with_logits", {"labels": [[1.0, 0.0, 0.0]], "logits": X}),
    ("softmax_cross_entropy_with_logits", {"labels": X, "logits": X, "axis": 2}),
    ("softmax_cross_entropy_with_logits", {"labels": X, "logits": tf.cast(X, tf.int32)}),
    ("softmax_cross_entropy_with_logits", {"labels": 1.0, "logits": 2.0}),
    ("softmax_cross_entropy_with_logits", {"labels": "a", "logits": X}),
    ("sparse_softmax_cross_entropy_with_logits", {"labels": [0, 2], "logits": X}),
    ("sparse_softmax_cross_entropy_with_logits", {"labels": [0, -1], "logits": X}),
    ("sparse_softmax_cross_entropy_with_logits", {"labels": [0], "logits": X}),
    ("sparse_softmax_cross_entropy_with_logits", {"labels": [[0], [1]], "logits": X}),
    ("sparse_softmax_cross_entropy_with_logits", {"labels": [0.0, 1.0], "logits": X}),
    ("sparse_softmax_cross_entropy_with_logits", {"labels": 0, "logits": 1.0}),
    ("sigmoid_cross_entropy_with_logits", {"labels": X[0], "logits": X}),
    ("sigmoid_cross_entropy_with_logits", {"labels": tf.cast(X, tf.int32), "logits": X}),
    ("sigmoid_cross_entropy_with_logits", {"labels": tf.cast(X, tf.float64), "logits": X}),
    ("sigmoid_cross_entropy_with_logits", {"logits": X}),
    ("weighted_cross_entropy_with_logits", {"labels": X[0], "logits": X, "pos_weight": 1.0}),
    ("weighted_cross_entropy_with_logits", {"labels": X, "logits": X, "pos_weight": [1.0] * 3}),
    ("weighted_cross_entropy_with_logits", {"labels": X, "logits": X}),
    ("log_poisson_loss", {"targets": X[0], "log_input": X}),
    ("log_poisson_loss", {"targets": tf.cast(X, tf.float64), "log_input": X}),
    ("l2_loss", {"t": [1, 2]}),
    ("l2_loss", {"t": "a"}),
    ("l2_loss", {}),
]


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize(("name", "arguments"), MISFITS)
def test_misfits_raise_what_tensorflow_raises(name, arguments, wrap):
    # Missing arguments have to be missing under tf.function too.
    if wrap is tf.function and not {"labels", "targets", "t"} & set(arguments):
        pytest.skip("nothing to trace")
    results = []
    for module in (tf.nn, nn):
        function = getattr(module, name)
        with pytest.raises(Exception) as caught:
            wrap(lambda: function(**arguments))()  # noqa: B023  (called at once)
        results.append(caught.value)
    assert type(results[1]) is type(results[0])


class TestLabelsOutside:
    def test_in_a_graph_on_a_cpu_they_raise(self):
        graph = tf.function(nn.sparse_softmax_cross_entropy_with_logits)
        with pytest.raises(tf.errors.InvalidArgumentError, match="outside 0 to"):
            graph(labels=tf.constant([0, 5]), logits=X)

    @pytest.mark.parametrize("size", [2, 30000])
    def test_eager_they_raise_whatever_the_size(self, size):
        labels = tf.constant([0] * (size - 1) + [2])
        with pytest.raises(tf.errors.InvalidArgumentError, match="outside the valid range"):
            nn.sparse_softmax_cross_entropy_with_logits(labels, tf.ones((size, 2)))

    def test_under_xla_they_are_nan(self):
        graph = tf.function(nn.sparse_softmax_cross_entropy_with_logits, jit_compile=True)
        found = graph(labels=tf.constant([0, 5]), logits=X).numpy()
        assert np.isfinite(found[0])
        assert np.isnan(found[1])


class TestOnEveryRoad:
    @pytest.mark.parametrize("road", ["eager", "operations", "function", "compiled"])
    def test_excluded_classes_and_certain_answers(self, road, monkeypatch):
        wrap = take_road(road, monkeypatch)
        rows = tf.constant([[0.0, 0.0, -np.inf], [17.0, 0.0, -np.inf]])
        masses = tf.constant([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
        value, _, slope = value_and_gradients(
            nn.softmax_cross_entropy_with_logits, [masses, rows], {}, wrap
        )
        np.testing.assert_allclose(value, [np.log(2), 4.139938e-08], rtol=1e-6)
        assert np.isfinite(slope).all()
        sure = wrap(lambda: nn.sigmoid_cross_entropy_with_logits([1.0, 0.0], [np.inf, -np.inf]))()
        assert not sure.numpy().any()


mpmath = pytest.importorskip("mpmath")


def _nats(m, row):
    """Minus the log-probabilities of one row, exactly."""
    total = m.log(m.fsum(m.exp(m.mpf(v)) for v in row))
    return [total - m.mpf(v) for v in row]


def _probabilities(m, row):
    return [m.exp(-v) for v in _nats(m, row)]


def _softplus(m, x):
    return m.log1p(m.exp(m.mpf(x)))


def _sigmoid(m, x):
    return 1 / (1 + m.exp(-m.mpf(x)))


# Function: value and gradient by logits of one row (or number), as mpmath numbers.
TRUTH = {
    "softmax_cross_entropy_with_logits": lambda m, t, x: (
        m.fsum(m.mpf(a) * b for a, b in zip(t, _nats(m, x), strict=True)),
        [p * m.fsum(map(m.mpf, t)) - m.mpf(a)
         for a, p in zip(t, _probabilities(m, x), strict=True)],
    ),
    "sparse_softmax_cross_entropy_with_logits": lambda m, label, x: (
        _nats(m, x)[label],
        [p - (k == label) for k, p in enumerate(_probabilities(m, x))],
    ),
    "sigmoid_cross_entropy_with_logits": lambda m, z, x: (
        m.mpf(z) * _softplus(m, -x) + (1 - m.mpf(z)) * _softplus(m, x),
        _sigmoid(m, x) - m.mpf(z),
    ),
    "weighted_cross_entropy_with_logits": lambda m, z, x: (
        m.mpf(1.5) * m.mpf(z) * _softplus(m, -x) + (1 - m.mpf(z)) * _softplus(m, x),
        (1 - m.mpf(z)) * _sigmoid(m, x) - m.mpf(1.5) * m.mpf(z) * _sigmoid(m, -x),
    ),
    "log_poisson_loss": lambda m, z, x: (
        m.exp(m.mpf(x)) - m.mpf(z) * m.mpf(x),
        m.exp(m.mpf(x)) - m.mpf(z),
    ),
}  # fmt: skip


def tails(name, size=40):
    """Return labels and logits from the middle to far out."""
    random = np.random.default_rng(1)
    spread = np.exp(random.uniform(np.log(0.1), np.log(80.0), size=size))
    if name == "log_poisson_loss":
        return random.poisson(3.0, size).astype(np.float32), np.float32(spread - 40)
    if "softmax" not in name:
        signs = random.choice([-1.0, 1.0], size)
        return (random.random(size) > 0.5).astype(np.float32), np.float32(spread * signs)
    logits = np.float32(random.normal(size=(size, 4)) * spread[:, None])
    if name.startswith("sparse"):
        return random.integers(0, 4, size), logits
    return np.eye(4, dtype=np.float32)[random.integers(0, 4, size)], logits


def worst(function, name, labels, logits):
    """Return the largest error of value and gradient in units of the last place."""
    named = {"pos_weight": 1.5} if name.startswith("weighted") else {}
    x = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(labels, x, **named)
    slope = tape.gradient(value, x).numpy()
    errors = [0.0, 0.0]
    with mpmath.workprec(400):
        for i, found in enumerate(value.numpy()):
            label = labels[i].tolist()
            exact, slopes = TRUTH[name](mpmath, label, logits[i].tolist())
            errors[0] = max(errors[0], ulps(float(found), exact, FORMATS["float32"]))
            pairs = zip(np.ravel(slope[i]), np.ravel(slopes), strict=True)
            for one, wanted in pairs:
                errors[1] = max(errors[1], ulps(float(one), wanted, FORMATS["float32"]))
    return errors


@pytest.mark.parametrize("name", TRUTH)
def test_in_the_tails_the_door_is_right(name):
    labels, logits = tails(name)
    own = worst(getattr(nn, name), name, labels, logits)
    peer = worst(getattr(tf.nn, name), name, labels, logits)
    assert max(own) <= 2
    assert max(own) <= max(peer)
    if "softmax" in name or "weighted" in name:
        assert max(peer) > 1e6  # TensorFlow's logarithm of 1 plus little is 0
