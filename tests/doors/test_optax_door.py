"""The door of optax: its losses by name, compared with optax' own and, in the tails, with mpmath.

``python -m tests.peers.optax`` runs optax' own tests with the doors in place; a part of it is here.
"""

import functools
import inspect

import numpy as np
import pytest

jax = pytest.importorskip("jax")
pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from optax import losses  # noqa: E402

from lossary import optax as door  # noqa: E402
from lossary.accuracy.ulps import FORMATS, ulps  # noqa: E402

ROWS, CLASSES = 6, 5
QUICK = {"xla_backend_optimization_level": 0}  # of compiling; the arithmetic is the same
TOLERANCE = {"float64": 1e-11, "float32": 3e-6, "float16": 8e-3, "bfloat16": 6e-2}


def data(dtype="float32", scale=1.0):
    """Return arrays by their role in a call."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(ROWS, CLASSES)) * scale
    masses = random.dirichlet(np.ones(CLASSES), size=ROWS)
    table = {
        "x": logits,
        "y": random.normal(size=(ROWS, CLASSES)) * scale,
        "z": random.normal(size=(ROWS, CLASSES)) * scale,
        "unit": random.random((ROWS, CLASSES)),
        "sign": random.choice([-1.0, 1.0], (ROWS, CLASSES)),
        "masses": masses,
        "log_masses": np.log(random.dirichlet(np.ones(CLASSES), size=ROWS)),
        "log_probabilities": logits - np.log(np.exp(logits).sum(-1, keepdims=True)),
        "row": random.random(CLASSES) + 0.5,
        "column": random.random((ROWS, 1)) + 0.5,
    }
    arrays = {name: jnp.asarray(x, dtype) for name, x in table.items()}
    return arrays | {
        "label": jnp.asarray(random.integers(0, CLASSES, ROWS), "int32"),
        "label_of_columns": jnp.asarray(random.integers(0, ROWS, CLASSES), "int32"),
        "bits": jnp.asarray(random.random((ROWS, CLASSES)) > 0.5),
        "keep": jnp.asarray(random.random((ROWS, CLASSES)) > 0.3),
        "keep_rows": jnp.asarray(random.random(ROWS) > 0.3),
    }


# Function: the roles of its arrays, and settings that take every branch of the door.
CALLS = [
    ("squared_error", "x y", {}),
    ("squared_error", "x", {}),
    ("l2_loss", "x y", {}),
    ("huber_loss", "x y", {}),
    ("huber_loss", "x row", {"delta": 0.3}),
    ("huber_loss", "x", {"delta": "column"}),
    ("log_cosh", "x y", {}),
    ("cosine_similarity", "x y", {}),
    ("cosine_similarity", "x y", {"axis": 0, "where": "keep"}),
    ("cosine_similarity", "x y", {"axis": None, "epsilon": 100.0}),
    ("cosine_distance", "x y", {"axis": (0, 1)}),
    ("cosine_distance", "x y", {"epsilon": 4.0}),
    ("triplet_margin_loss", "x y z", {}),
    ("triplet_margin_loss", "x y z", {"axis": 0, "margin": 0.5, "eps": 0.1}),
    ("triplet_margin_loss", "x y z", {"norm_degree": 4}),
    ("sigmoid_binary_cross_entropy", "x unit", {}),
    ("sigmoid_binary_cross_entropy", "x row", {}),
    ("sigmoid_focal_loss", "x bits", {}),
    ("sigmoid_focal_loss", "x unit", {"gamma": 1.5, "alpha": 0.25}),
    ("sigmoid_focal_loss", "x bits", {"gamma": 0, "alpha": "row"}),
    ("softmax_cross_entropy", "x masses", {}),
    ("softmax_cross_entropy", "x unit", {"axis": 0}),
    ("softmax_cross_entropy", "x unit", {"axis": (0, 1), "where": "keep"}),
    ("softmax_cross_entropy", "x unit", {"axis": None}),
    ("softmax_cross_entropy", "x masses", {"where": "keep_rows"}),
    ("softmax_cross_entropy", "x row", {}),
    ("softmax_cross_entropy", "row masses", {}),
    ("safe_softmax_cross_entropy", "x masses", {}),
    ("poly_loss_cross_entropy", "x masses", {}),
    ("poly_loss_cross_entropy", "x masses", {"epsilon": -1.0, "axis": 0, "where": "keep"}),
    ("softmax_cross_entropy_with_integer_labels", "x label", {}),
    ("softmax_cross_entropy_with_integer_labels", "x label_of_columns", {"axis": 0}),
    ("softmax_cross_entropy_with_integer_labels", "x label", {"where": "keep_rows"}),
    ("softmax_cross_entropy_with_integer_labels", "x label", {"where": "keep"}),
    ("ranking_softmax_loss", "x unit", {}),
    ("ranking_softmax_loss", "x unit", {"where": "keep", "weights": "unit", "reduce_fn": jnp.sum}),
    ("ranking_softmax_loss", "x unit", {"where": "keep", "reduce_fn": None}),
    ("hinge_loss", "x sign", {}),
    ("perceptron_loss", "x sign", {}),
    ("multiclass_hinge_loss", "x label", {}),
    ("multiclass_perceptron_loss", "x label", {}),
    ("kl_divergence", "log_probabilities masses", {}),
    ("kl_divergence", "log_probabilities masses", {"axis": None, "where": "keep"}),
    ("kl_divergence_with_log_targets", "log_probabilities log_masses", {}),
    ("kl_divergence_with_log_targets", "x log_masses", {"axis": 0, "where": "keep"}),
    ("generalized_kl_divergence", "x unit", {"where": "keep"}),
    ("convex_kl_divergence", "x unit", {}),
]
# Of each way of computing, one whose rows stand by themselves.
HALVES = [
    ("huber_loss", "x y", {}),
    ("cosine_distance", "x y", {}),
    ("sigmoid_focal_loss", "x unit", {}),
    ("softmax_cross_entropy", "x masses", {}),
    ("softmax_cross_entropy_with_integer_labels", "x label", {}),
    ("multiclass_hinge_loss", "x label", {}),
    ("kl_divergence", "log_probabilities masses", {}),
]
each_call = pytest.mark.parametrize(
    ("name", "roles", "settings"), CALLS, ids=[f"{n} {r} {' '.join(s)}" for n, r, s in CALLS]
)
each_door = pytest.mark.parametrize(
    ("name", "roles", "settings"),
    [next(c for c in CALLS if c[0] == name) for name in sorted({c[0] for c in CALLS})],
)
ignored = pytest.mark.filterwarnings("ignore:.*convex_kl_divergence:DeprecationWarning")


def prepared(roles, settings, dtype="float32", scale=1.0):
    """Return arrays and settings of a call."""
    table = data(dtype, scale)
    named = {k: table[v] if isinstance(v, str) else v for k, v in settings.items()}
    return [table[role] for role in roles.split()], named


def value_and_gradients(function, arrays, named):
    """Return values, and gradients by every real array."""
    places = tuple(i for i, x in enumerate(arrays) if jnp.issubdtype(x.dtype, jnp.floating))

    def total(*data):
        values = function(*data, **named)
        steps = jnp.linspace(0.5, 1.5, values.size).reshape(values.shape)
        return (values * steps).sum().astype("float32"), values

    gradients, values = jax.grad(total, argnums=places, has_aux=True)(*arrays)
    return [values, *gradients]


def compiled(function, arrays, named):
    """Return the same, compiled as a whole: JAX takes long to compile operation by operation."""
    run = jax.jit(lambda *a: value_and_gradients(function, a, named), compiler_options=QUICK)
    return run(*arrays)


def second(loss, x, direction):
    """Return the second derivative along a direction, forward over reverse and the other way."""
    _, once = jax.jvp(jax.grad(loss), (x,), (direction,))
    return once, jax.grad(lambda x: (jax.grad(loss)(x) * direction).sum())(x)


def same(got, wanted, tolerance):
    for a, b in zip(got, wanted, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        a64, b64 = (np.asarray(x, "float64") for x in (a, b))
        atol = tolerance * np.abs(b64).max() if b64.size else 0
        np.testing.assert_allclose(a64, b64, rtol=tolerance, atol=atol)


class TestTheContractIsOptax:
    def test_every_function_is_there(self):
        public = {n for n, f in vars(losses).items() if inspect.isfunction(f) or callable(f)}
        public = {n for n in public if not n.startswith("_")}
        assert set(door.DOORS) | set(door.DELEGATED) == public
        assert all(getattr(door, n) is getattr(losses, n) for n in door.DELEGATED)
        assert not any(getattr(door, n) is getattr(losses, n) for n in door.DOORS)

    @pytest.mark.parametrize("name", door.DOORS)
    def test_signatures(self, name):
        own, peer = (inspect.signature(getattr(m, name)).parameters for m in (door, losses))
        assert [(p.name, p.kind, p.default) for p in own.values()] == [
            (p.name, p.kind, p.default) for p in peer.values()
        ]

    @pytest.mark.sampled(3)
    @ignored
    @each_call
    def test_values_and_gradients(self, name, roles, settings):
        arrays, named = prepared(roles, settings)
        own, peer = (getattr(m, name) for m in (door, losses))
        got, wanted = (compiled(f, arrays, named) for f in (own, peer))
        finite = [jnp.where(jnp.isnan(b), a, b) for a, b in zip(got, wanted, strict=True)]
        same(got, finite, TOLERANCE["float32"])
        assert all(np.isfinite(x).all() for x in got)

    @pytest.mark.sampled(3)
    @ignored
    @each_door
    def test_without_jit(self, name, roles, settings):
        arrays, named = prepared(roles, settings)
        function = getattr(door, name)
        same([function(*arrays, **named)], compiled(function, arrays, named)[:1], 1e-6)

    @pytest.mark.sampled(3)
    @ignored
    @each_door
    def test_double_precision_on_wide_samples(self, name, roles, settings):
        with jax.enable_x64(True):
            arrays, named = prepared(roles, settings, "float64", scale=4.0)
            got, wanted = (
                jax.jit(lambda *a, m=m: getattr(m, name)(*a, **named))(*arrays)
                for m in (door, losses)
            )
            same([got], [wanted], TOLERANCE["float64"])

    @pytest.mark.sampled(3)
    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    @pytest.mark.parametrize(("name", "roles", "settings"), HALVES)
    def test_half_precision_returns_optax_dtype(self, name, roles, settings, dtype):
        arrays, named = prepared(roles, settings, dtype)
        got, wanted = (compiled(getattr(m, name), arrays, named) for m in (door, losses))
        same(got, wanted, TOLERANCE[dtype])

    @pytest.mark.sampled(3)
    @ignored
    @each_door
    def test_forward_mode_and_second_derivatives(self, name, roles, settings):
        (first, *others), named = prepared(roles, settings)
        direction = jnp.cos(jnp.arange(first.size, dtype=first.dtype)).reshape(first.shape)

        @functools.partial(jax.jit, compiler_options=QUICK)
        def pushed(x):
            def loss(x):
                return getattr(door, name)(x, *others, **named).sum()

            along_slope = (jax.grad(loss)(x) * direction).sum()
            return (*jax.jvp(loss, (x,), (direction,)), along_slope, *second(loss, x, direction))

        _, tangent, along_slope, once, twice = pushed(first)
        np.testing.assert_allclose(tangent, along_slope, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(once, twice, rtol=1e-3, atol=1e-4)
        assert np.isfinite(once).all()

    @pytest.mark.parametrize(("name", "roles", "settings"), HALVES)
    def test_one_row_at_a_time(self, name, roles, settings):
        arrays, named = prepared(roles, settings)
        function = functools.partial(getattr(door, name), **named)
        same([jax.vmap(function)(*arrays)], [function(*arrays)], 1e-6)

    def test_what_is_masked_has_no_say(self):
        arrays = data()
        keep = arrays["keep"]
        for name, second in (
            ("softmax_cross_entropy", "masses"), ("poly_loss_cross_entropy", "masses"),
            ("kl_divergence", "masses"), ("generalized_kl_divergence", "masses"),
            ("kl_divergence_with_log_targets", "log_masses"), ("cosine_distance", "y"),
        ):  # fmt: skip
            function = functools.partial(getattr(door, name), where=keep)
            x, y = arrays["x"], arrays[second]
            wanted = compiled(function, [x, y], {})
            spoiled = [jnp.where(keep, a, jnp.nan) for a in (x, y)]
            got = compiled(function, spoiled, {})
            for a, b in zip(got, wanted, strict=True):
                np.testing.assert_array_equal(a, b)
            assert not got[1][~keep].any()

    def test_a_schedule_does_not_compile_anew(self, caplog):
        def compilations(x, *deltas):
            caplog.clear()
            with jax.log_compiles():
                for delta in deltas:
                    door.huber_loss(x, delta=delta)
            return sum("Compiling" in record.getMessage() for record in caplog.records)

        x = data()["x"]
        door.huber_loss(x, delta=0.5)
        assert compilations(x, 0.25, 0.75, 1.5) == 0
        assert compilations(x[:-1], 0.25) > 0

    def test_delta_can_be_learned(self):
        x = jnp.array([3.0, 0.1])
        own, peer = (
            jax.grad(lambda d, m=m: m.huber_loss(x, delta=d).sum())(1.5) for m in (door, losses)
        )
        np.testing.assert_allclose(own, peer)

    def test_numpy_arrays_and_numbers(self):
        got = door.huber_loss(np.array([-2.0, 0.5]), 0.0, delta=1.0)
        np.testing.assert_allclose(got, [1.5, 0.125])
        assert got.dtype == jnp.float32
        assert door.l2_loss(3.0) == 4.5

    def test_rows_without_classes_cost_nothing(self):
        x = jnp.zeros((2, 0))
        assert not door.softmax_cross_entropy(x, x).any()
        assert not door.kl_divergence(x, x).any()

    def test_the_old_name_warns(self):
        with pytest.warns(DeprecationWarning, match="use generalized_kl_divergence"):
            door.convex_kl_divergence(jnp.zeros(2), jnp.ones(2))


X = jnp.array([[1.0, 2.0], [3.0, 4.0]])
MISFITS = [
    ("squared_error", (X, X[:, :1]), {}),
    ("squared_error", (X.astype(int), X), {}),
    ("squared_error", ([1.0], [2.0]), {}),
    ("l2_loss", (X, X[0]), {}),
    ("huber_loss", (X.astype(int),), {}),
    ("log_cosh", (jnp.array([True]),), {}),
    ("cosine_similarity", (X, X.astype(int)), {}),
    ("cosine_distance", (X, X), {"axis": 2}),
    ("triplet_margin_loss", (X, X, X.astype(int)), {}),
    ("sigmoid_binary_cross_entropy", (X.astype(int), X), {}),
    ("sigmoid_binary_cross_entropy", (X, jnp.ones(3)), {}),
    ("sigmoid_focal_loss", (X.astype(int), X), {}),
    ("softmax_cross_entropy", (X.astype(int), X), {}),
    ("softmax_cross_entropy", (X, X), {"axis": 2}),
    ("poly_loss_cross_entropy", (X, X.astype(int)), {}),
    ("softmax_cross_entropy_with_integer_labels", (X, X), {}),
    ("softmax_cross_entropy_with_integer_labels", (X, jnp.array([0])[:, None, None]), {}),
    ("softmax_cross_entropy_with_integer_labels", (X, jnp.array([0, 1])), {"axis": None}),
    ("softmax_cross_entropy_with_integer_labels", (X, jnp.array([0, 1])), {"axis": 2}),
    ("ranking_softmax_loss", (X.astype(int), X), {}),
    ("perceptron_loss", (X, X[0]), {}),
    ("kl_divergence", (X, X.astype(int)), {}),
    ("kl_divergence", (X, jnp.ones(3)), {}),
    ("generalized_kl_divergence", (X.astype(int), X), {}),
]


@pytest.mark.parametrize("place", [0, 1])
def test_a_logit_of_infinity_has_no_softmax(place):
    """Whether it is the label's own, which would cost 0, or another's; other rows stay."""
    x = jnp.array([[0.0, 1.0], [0.0, 1.0], [200.0, 0.0]]).at[0, place].set(jnp.inf)
    found = door.softmax_cross_entropy_with_integer_labels(x, jnp.zeros(3, int))
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [1.3132617, 0], rtol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["eager", "jit"])
@pytest.mark.parametrize(("name", "args", "settings"), MISFITS)
def test_misfits_raise_what_optax_raises(name, args, settings, wrap):
    caught = []
    for module in (losses, door):
        with pytest.raises(Exception) as error:  # noqa: PT012
            function = functools.partial(getattr(module, name), **settings)
            wrap(function)(*args)
        caught.append(error.value)
    assert type(caught[1]) is type(caught[0])
    assert str(caught[1]).split("\n")[0] == str(caught[0]).split("\n")[0]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("hinge_loss", (jnp.array([2, 0]), jnp.array([1, -1]))),
        ("softmax_cross_entropy", (jnp.ones((2, 1)), X)),
        ("cosine_similarity", (jnp.ones(2), X)),
        ("multiclass_hinge_loss", (X[0], jnp.array([0, 1]))),
    ],
)
def test_what_lies_outside_the_core_is_optax(name, args):
    same([getattr(door, name)(*args)], [getattr(losses, name)(*args)], 0)


class TestLabelsOutside:
    def test_below_zero_they_count_from_the_end(self):
        got = door.softmax_cross_entropy_with_integer_labels(X, jnp.array([-1, -2]))
        wanted = losses.softmax_cross_entropy_with_integer_labels(X, jnp.array([-1, -2]))
        same([got], [wanted], 1e-6)

    @pytest.mark.parametrize(
        "name",
        [
            "softmax_cross_entropy_with_integer_labels", "multiclass_hinge_loss",
            "multiclass_perceptron_loss",
        ],
    )  # fmt: skip
    def test_they_are_nan_and_a_mask_over_them_trains(self, name):
        labels = jnp.array([1, 7])

        def loss(x):
            values = getattr(door, name)(x, labels)
            return jnp.where(labels < 2, values, 0).sum(), values

        slope, values = jax.grad(loss, has_aux=True)(X)
        np.testing.assert_array_equal(jnp.isnan(values), [False, True])
        assert jnp.isfinite(slope).all()
        assert not slope[1].any()


mpmath = pytest.importorskip("mpmath")


def _nats(m, row):
    total = m.log(m.fsum(m.exp(m.mpf(v)) for v in row))
    return [total - m.mpf(v) for v in row]


def _cosine(m, a, b):
    inner, *squares = (
        m.fsum(m.mpf(u) * m.mpf(v) for u, v in zip(p, q, strict=True))
        for p, q in ((a, b), (a, a), (b, b))
    )
    return inner / m.sqrt(squares[0] * squares[1])


# Function: the exact value of one row, and the arrays of many.
TRUTH = {
    "softmax_cross_entropy_with_integer_labels": lambda m, x, label: _nats(m, x)[label],
    "softmax_cross_entropy": lambda m, x, t: m.fsum(
        m.mpf(w) * v for w, v in zip(t, _nats(m, x), strict=True)
    ),
    "log_cosh": lambda m, x, y: m.log(m.cosh(m.mpf(x) - m.mpf(y))),
    "sigmoid_binary_cross_entropy": lambda m, x, y: m.log1p(m.exp(m.mpf(x) * (-1) ** int(y))),
    "cosine_distance": lambda m, a, b: 1 - _cosine(m, a, b),
}
LOST = {"sigmoid_binary_cross_entropy": 0}  # optax is right there; elsewhere it loses all digits


def tails(name, size=60):
    """Return arrays from the middle to far out."""
    random = np.random.default_rng(1)
    spread = np.float32(np.exp(random.uniform(np.log(1e-3), np.log(80.0), size=size)))
    logits = np.float32(random.normal(size=(size, 4)) * spread[:, None])
    label = random.integers(0, 4, size)
    near = np.float32(random.normal(size=(size, 4)))
    return {
        "softmax_cross_entropy_with_integer_labels": (logits, label),
        "softmax_cross_entropy": (logits, np.eye(4, dtype=np.float32)[label]),
        "log_cosh": (spread, np.zeros(size, np.float32)),
        "sigmoid_binary_cross_entropy": (logits[:, 0], np.float32(label % 2)),
        "cosine_distance": (near, near + np.float32(1e-4) * logits),
    }[name]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", TRUTH)
def test_in_the_tails_the_door_is_right(name):
    arrays = tails(name)
    with mpmath.workprec(400):
        exact = [
            TRUTH[name](mpmath, *(a.tolist() for a in rows)) for rows in zip(*arrays, strict=True)
        ]
    worst = {}
    for module in (door, losses):
        found = getattr(module, name)(*map(jnp.asarray, arrays)).tolist()
        errors = [ulps(v, t, FORMATS["float32"]) for v, t in zip(found, exact, strict=True)]
        worst[module] = max(errors)
    assert worst[door] <= 2
    assert worst[losses] > LOST.get(name, 1e4)


class TestTheHarness:
    """A part of ``python -m tests.peers.optax``, and that it notices a spoiled door."""

    @pytest.fixture(autouse=True)
    def _harness(self):
        pytest.importorskip("absl.testing", reason="optax' own tests import it")
        self.harness = pytest.importorskip("peers.optax")

    def test_optax_own_tests_pass(self):
        outcomes, _ = self.harness.run("_regression.")
        assert len(outcomes) == 23
        assert {o.state for o in outcomes} == {"passed"}
        assert self.harness.report(outcomes, []) == 0

    def test_a_spoiled_door_fails(self, capsys):
        outcomes, stale = self.harness.run("_regression.HuberLoss", 0.01)
        assert self.harness.report(outcomes, stale) == 1
        assert "FAILED: _regression.HuberLoss" in capsys.readouterr().out

    def test_a_run_without_a_door_fails(self):
        assert self.harness.main(["--filter", "SmoothLabels"]) == 1

    def test_everything_is_put_back(self):
        self.harness.run("_regression.L2Loss")
        assert losses.l2_loss is self.harness._peers["l2_loss"]
        assert not self.harness._originals
