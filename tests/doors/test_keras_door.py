"""The doors of ``lossary.keras``: Keras' contract, exact where Keras is not, on three backends.

The tests run on the backend that ``KERAS_BACKEND`` names, PyTorch unless set;
``test_keras_backends.py`` runs them again on the other two.
"""

import inspect
import os
import pickle
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

import lossary as L

keras = pytest.importorskip("keras")
import lossary.keras as door  # noqa: E402
from lossary.keras import functions, losses  # noqa: E402
from lossary.keras.contract import LabelError  # noqa: E402

# Keras makes arrays of PyTorch's tensors in a way that NumPy 2 is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BACKEND = keras.backend.backend()
OTHERS = [b for b in ("torch", "jax", "tensorflow") if b != BACKEND]
ROWS, CLASSES = 6, 5

rng = np.random.default_rng(0)
DATA = {
    "x": rng.normal(size=(ROWS, CLASSES)),
    "y": rng.normal(size=(ROWS, CLASSES)),
    "unit": rng.random((ROWS, CLASSES)) * 0.98 + 0.01,
    "binary": (rng.random((ROWS, CLASSES)) > 0.5) * 1.0,
    "masses": rng.dirichlet(np.ones(CLASSES), size=ROWS),
    "other_masses": rng.dirichlet(np.ones(CLASSES), size=ROWS),
    "one_hot": np.eye(CLASSES)[[0, 1, 2, 3, 4, 0]],
    "label": np.array([0, 1, 2, 3, 4, 0], dtype="int32"),
    "label_column": np.array([[0.0], [1], [2], [3], [4], [0]]),
    "column": rng.normal(size=(ROWS, 1)),
    "row": rng.normal(size=(ROWS,)),
}  # fmt: skip
DATA = {k: v.astype("float32") if v.dtype.kind == "f" else v for k, v in DATA.items()}
DATA["sign"] = 2 * DATA["binary"] - 1

LOGITS, SMOOTH = {"from_logits": True}, {"label_smoothing": 0.1}

# Function, y_true, y_pred, settings.
CALLS = [
    ("mean_squared_error", "y", "x", {}),
    ("mean_squared_error", "row", "column", {}),
    ("mean_squared_error", "column", "x", {}),
    ("mean_absolute_error", "y", "x", {}),
    ("mean_absolute_percentage_error", "y", "x", {}),
    ("mean_absolute_percentage_error", "binary", "x", {}),
    ("mean_squared_logarithmic_error", "y", "x", {}),
    ("huber", "y", "x", {"delta": 0.3}),
    ("log_cosh", "y", "x", {}),
    ("cosine_similarity", "y", "x", {}),
    ("cosine_similarity", "y", "x", {"axis": 0}),
    ("poisson", "unit", "other_masses", {}),
    ("hinge", "binary", "x", {}),
    ("hinge", "sign", "x", {}),
    ("squared_hinge", "sign", "x", {}),
    ("categorical_hinge", "one_hot", "x", {}),
    ("kl_divergence", "masses", "other_masses", {}),
    ("kl_divergence", "one_hot", "other_masses", {}),
    ("binary_crossentropy", "binary", "unit", {}),
    ("binary_crossentropy", "binary", "unit", SMOOTH),
    ("binary_crossentropy", "unit", "x", LOGITS),
    ("binary_focal_crossentropy", "binary", "unit", {}),
    ("binary_focal_crossentropy", "unit", "unit", {"gamma": 1.5, "apply_class_balancing": True}),
    ("binary_focal_crossentropy", "binary", "x", LOGITS | SMOOTH),
    ("categorical_crossentropy", "one_hot", "masses", {}),
    ("categorical_crossentropy", "masses", "unit", SMOOTH),
    ("categorical_crossentropy", "one_hot", "x", LOGITS | SMOOTH),
    ("categorical_focal_crossentropy", "one_hot", "masses", {}),
    ("categorical_focal_crossentropy", "masses", "x", LOGITS | {"alpha": [0.1, 0.2, 0.3, 0.4, 1]}),
    ("categorical_focal_crossentropy", "one_hot", "x", LOGITS | SMOOTH),
    ("sparse_categorical_crossentropy", "label", "masses", {}),
    ("sparse_categorical_crossentropy", "label_column", "x", LOGITS),
    ("sparse_categorical_crossentropy", "label", "x", LOGITS | {"ignore_class": 0}),
    ("categorical_generalized_cross_entropy", "label", "masses", {"q": 0.3}),
]  # fmt: skip
# Other backends compute the same formulas in other words, and compile each: the last call of each
# function, which has the most settings, says them all.
SAID = CALLS if BACKEND == "torch" else [*{call[0]: call for call in CALLS}.values()]
each_call = pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "settings"),
    SAID,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(SAID)],
)


def numbers(x):
    return np.asarray(keras.ops.convert_to_numpy(x), dtype=np.float64)


def same(a, b, rtol=2e-5, atol=2e-6):
    np.testing.assert_allclose(numbers(a), numbers(b), rtol=rtol, atol=atol)


def value_and_gradient(loss, y_true, y_pred):
    """Return value and the gradient of an uneven sum, by the backend's own means."""
    y_true = keras.ops.convert_to_tensor(y_true)
    steps = np.linspace(0.5, 1.5, 64, dtype="float32")
    if BACKEND == "torch":
        import torch

        x = torch.tensor(y_pred, requires_grad=True)
        value = loss(y_true, x)
        (value.reshape(-1) * torch.tensor(steps[: value.numel()])).sum().backward()
        return value.detach(), x.grad
    if BACKEND == "jax":
        import jax

        def total(x):
            value = loss(y_true, x)
            return (value.reshape(-1) * steps[: value.size]).sum(), value

        slope, value = jax.jit(jax.grad(total, has_aux=True))(jax.numpy.asarray(y_pred))
        return value, slope
    import tensorflow as tf

    x = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(y_true, x)
        total = tf.reduce_sum(tf.reshape(value, [-1]) * steps[: tf.size(value)])
    return value, tape.gradient(total, x)


def peer_of(name):
    return getattr(keras.losses, name, None) or getattr(keras.src.losses.losses, name)


@each_call
def test_values_and_gradients_are_keras(name, y_true, y_pred, settings):
    tensors = DATA[y_true], DATA[y_pred]
    got = value_and_gradient(lambda t, p: getattr(door, name)(t, p, **settings), *tensors)
    wanted = value_and_gradient(lambda t, p: peer_of(name)(t, p, **settings), *tensors)
    for a, b in zip(got, wanted, strict=True):
        same(a, b)
        assert a.dtype == b.dtype


@each_call
def test_signatures_are_keras(name, y_true, y_pred, settings):
    def shape(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    assert shape(getattr(door, name)) == shape(peer_of(name))


@each_call
def test_symbolic_tensors_make_a_node(name, y_true, y_pred, settings):
    t, p = DATA[y_true], DATA[y_pred]
    inputs = keras.Input(t.shape[1:], dtype=str(t.dtype)), keras.Input(p.shape[1:])
    model = keras.Model(list(inputs), getattr(door, name)(*inputs, **settings))
    same(model([t, p]), getattr(door, name)(t, p, **settings))


def class_of(function):
    return next(c for c, f in losses.CLASSES.items() if f == function)


CLASS_CALLS = [c for i, c in enumerate(CALLS) if c[0] not in {d[0] for d in CALLS[:i]}]
each_class = pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "settings"),
    [(class_of(n), *rest) for n, *rest in CLASS_CALLS],
    ids=[class_of(c[0]) for c in CLASS_CALLS],
)


@each_class
class TestClasses:
    @pytest.mark.parametrize(
        "reduction", [None, "none", "sum", "mean", "sum_over_batch_size", "mean_with_sample_weight"]
    )
    def test_reductions_and_weights_are_keras(self, name, y_true, y_pred, settings, reduction):
        tensors = DATA[y_true], DATA[y_pred]
        settings = settings | {"reduction": reduction}
        own, peer = (getattr(m, name)(**settings) for m in (door, keras.losses))
        for weight in (None, 2.0, np.arange(1.0, ROWS + 1), np.arange(ROWS)[:, None]):
            same(own(*tensors, weight), peer(*tensors, sample_weight=weight))

    def test_masks_are_keras(self, name, y_true, y_pred, settings):
        keep = keras.ops.convert_to_tensor(np.array([True, False, True, True, False, True]))
        for reduction in ("sum", "mean", "none"):
            chosen = settings | {"reduction": reduction}
            own, peer = (getattr(m, name)(**chosen) for m in (door, keras.losses))
            x = keras.ops.convert_to_tensor(DATA[y_pred])
            keras.src.backend.set_keras_mask(x, keep)
            same(own(DATA[y_true], x, np.arange(ROWS)), peer(DATA[y_true], x, np.arange(ROWS)))

    def test_a_masked_nan_counts_nothing(self, name, y_true, y_pred, settings):
        keep = np.array([True, False, True, True, False, True])
        loss = getattr(door, name)(**settings)

        def masked(t, p):
            keras.src.backend.set_keras_mask(p, keras.ops.convert_to_tensor(keep))
            return keras.ops.reshape(loss(t, p), (1,))

        broken = np.where(keep.reshape(-1, *[1] * (DATA[y_pred].ndim - 1)), DATA[y_pred], np.nan)
        value, slope = value_and_gradient(masked, DATA[y_true], broken)
        same(value, [numbers(loss(DATA[y_true][keep], DATA[y_pred][keep]))])
        assert not numbers(slope)[~keep].any()

    def test_dtypes(self, name, y_true, y_pred, settings):
        for dtype in ("float16", "bfloat16", keras.DTypePolicy("mixed_float16")):
            found = getattr(door, name)(**settings, dtype=dtype)(DATA[y_true], DATA[y_pred])
            wanted = getattr(dtype, "compute_dtype", dtype)
            assert keras.backend.standardize_dtype(found.dtype) == wanted
            exact = getattr(door, name)(**settings)(DATA[y_true], DATA[y_pred])
            np.testing.assert_allclose(
                numbers(keras.ops.cast(found, "float32")), numbers(exact), rtol=0.05, atol=0.01
            )

    def test_config_serialization_and_copies(self, name, y_true, y_pred, settings):
        kind = getattr(door, name)
        own = kind(**settings, name="mine", reduction="sum")
        assert isinstance(own, getattr(keras.losses, name))
        again = [
            kind.from_config(own.get_config()),
            keras.losses.deserialize(keras.losses.serialize(own)),
            pickle.loads(pickle.dumps(own)),
        ]
        wanted = own(DATA[y_true], DATA[y_pred])
        for loss in again:
            assert type(loss) is kind
            assert (loss.name, loss.reduction) == ("mine", "sum")
            assert loss.get_config() == own.get_config()
            same(loss(DATA[y_true], DATA[y_pred]), wanted)


def test_settings_may_be_arrays():
    for kind, settings in (
        (door.Huber, {"delta": keras.ops.convert_to_tensor(2.0)}),
        (door.Quantile, {"quantile": np.array([0.1, 0.9, 0.5, 0.5, 0.5])}),
        (door.CategoricalFocalCrossentropy, {"alpha": np.arange(1.0, 6.0)}),
    ):
        loss = kind(**settings)
        again = keras.losses.deserialize(keras.losses.serialize(loss))
        for y_true in ("one_hot", "masses"):
            same(again(DATA[y_true], DATA["unit"]), loss(DATA[y_true], DATA["unit"]))


def test_the_base_class_serves_losses_of_ones_own():
    class Absolute(door.Loss):
        def call(self, y_true, y_pred):
            return abs(y_true - y_pred)

    assert float(Absolute(reduction="sum")([1, 2], [1.0, 5.0])) == 3
    with pytest.raises(ValueError, match="reduction"):
        Absolute(reduction="abc")


class TestGraphs:
    """Losses in a compiled step, where no value can be looked at."""

    @staticmethod
    def compiled(function):
        if BACKEND == "jax":
            import jax

            return jax.jit(function)
        if BACKEND == "tensorflow":
            import tensorflow as tf

            return tf.function(function, autograph=False)
        import torch

        torch.compiler.reset()
        return torch.compile(function, backend="eager")

    @each_class
    def test_a_graph_computes_the_same(self, name, y_true, y_pred, settings):
        if BACKEND == "torch" and name not in {"Huber", "BinaryCrossentropy"}:
            pytest.skip("compiling takes long")
        loss = getattr(door, name)(**settings)
        tensors = [keras.ops.convert_to_tensor(DATA[k]) for k in (y_true, y_pred)]
        same(self.compiled(loss.__call__)(*tensors), loss(*tensors))

    @pytest.mark.skipif(BACKEND == "torch", reason="eager: the label raises")
    def test_a_label_outside_is_nan(self):
        loss = door.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
        x = keras.ops.convert_to_tensor(DATA["x"])
        label = keras.ops.convert_to_tensor(np.array([0, 1, CLASSES, -1, 4, 0]))
        found = numbers(self.compiled(loss.__call__)(label, x))
        assert np.isnan(found).tolist() == [False, False, True, True, False, False]

    @pytest.mark.skipif(BACKEND != "tensorflow", reason="other graphs know all lengths")
    def test_batches_of_any_size(self):
        import tensorflow as tf

        for name, y_true, y_pred, settings in CALLS:
            loss = getattr(door, class_of(name))(**settings)
            t, p = (tf.convert_to_tensor(DATA[k]) for k in (y_true, y_pred))
            spec = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in (t, p)]
            graph = tf.function(loss, input_signature=spec, autograph=False)
            same(graph(t[:3], p[:3]), loss(t[:3], p[:3]))
            same(graph(t, p), loss(t, p))

    @pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow remembers")
    def test_logits_behind_an_activation_are_found(self):
        import tensorflow as tf

        x = tf.constant([[40.0, 0.0]])
        target = tf.constant([[1.0, 0.0]])

        @tf.function
        def graph(x):
            return (
                door.categorical_crossentropy(target, tf.nn.softmax(x)),
                door.sparse_categorical_crossentropy(tf.constant([0]), keras.ops.softmax(x)),
                door.binary_crossentropy(target[:, :1], keras.ops.sigmoid(x[:, :1])),
            )

        for found in graph(x):
            assert float(found[0]) == pytest.approx(4.248354e-18, rel=1e-6)


class TestTheTailsAreExact:
    def test_the_confident_class(self):
        wanted = 4.139938e-08
        x = np.array([[17.0, 0.0]], dtype="float32")
        for loss, target in (
            (door.SparseCategoricalCrossentropy(from_logits=True), np.array([0])),
            (door.CategoricalCrossentropy(from_logits=True), np.array([[1.0, 0.0]], "float32")),
        ):
            value, slope = value_and_gradient(
                lambda t, p, loss=loss: keras.ops.reshape(loss(t, p), (1,)), target, x
            )
            assert numbers(value)[0] == pytest.approx(wanted, rel=1e-6)
            assert numbers(slope)[0] == pytest.approx([-wanted / 2, wanted / 2], rel=1e-6)

    def test_focal_where_the_probability_rounds_to_1(self):
        def loss(t, p):
            return door.binary_focal_crossentropy(t, p, gamma=0.5, from_logits=True)

        one, x = np.ones((1, 1), "float32"), np.full((1, 1), 19.0, "float32")
        value, slope = value_and_gradient(loss, one, x)
        assert numbers(value)[0] == pytest.approx(4.1938e-13, rel=1e-4)
        assert numbers(slope)[0, 0] == pytest.approx(-6.2907e-13 / 2, rel=1e-4)

    def test_keras_floors_are_kept_by_name(self):
        p = np.array([[0.0], [1.0], [1e-10], [0.5]], dtype="float32")
        t = np.array([[1.0], [0.0], [1.0], [0.25]], dtype="float32")
        got = value_and_gradient(door.binary_crossentropy, t, p)
        wanted = value_and_gradient(keras.losses.binary_crossentropy, t, p)
        for a, b in zip(got, wanted, strict=True):
            same(a, b)

    def test_short_vectors_count_in_proportion(self):
        x = np.array([[3e-9, 4e-9], [3.0, 4.0]], dtype="float32")
        y = np.array([[1.0, 0.0], [0.0, 1.0]], dtype="float32")
        same(door.cosine_similarity(y, x), [-0.6 * 5e-9 / 1e-7, -0.8])
        nothing = np.zeros((2, 2), dtype="float32")
        for found in value_and_gradient(door.cosine_similarity, nothing, nothing):
            assert not numbers(found).any()

    @pytest.mark.parametrize("name", ["SparseCategoricalCrossentropy", "CrossEntropy"])
    def test_labels_stay_integers(self, name):
        settings = LOGITS if name.startswith("Sparse") else {}
        loss = getattr(door, name)(**settings, dtype="bfloat16")
        assert float(loss(np.array([257]), 40 * np.eye(300)[[257]])) < 1e-9


class TestErrors:
    def test_a_label_outside(self):
        for kind in (ValueError, IndexError):
            with pytest.raises(kind, match=r"label from 0 to 4, got 5 at index \(1,\)"):
                door.sparse_categorical_crossentropy([0, 5], DATA["masses"][:2])
        with pytest.raises(LabelError, match="got -1"):
            door.categorical_generalized_cross_entropy([-1], DATA["masses"][:1], 0.5)

    @pytest.mark.parametrize(
        "name",
        [
            "binary_crossentropy",
            "categorical_crossentropy",
            "binary_focal_crossentropy",
            "categorical_focal_crossentropy",
        ],
    )
    def test_shapes_must_agree(self, name):
        with pytest.raises(ValueError, match="must have the same shape"):
            getattr(door, name)(DATA["binary"], DATA["unit"][:, :3])

    def test_labels_must_fit(self):
        with pytest.raises(ValueError, match="without the class axis"):
            door.sparse_categorical_crossentropy([[0, 1]], DATA["masses"])

    def test_parameters_are_checked(self):
        with pytest.raises(ValueError, match="delta"):
            door.Huber(delta=-1.0)(DATA["y"], DATA["x"])
        with pytest.raises(ValueError, match="axis"):
            door.categorical_crossentropy(DATA["one_hot"], DATA["masses"], axis=True)
        with pytest.raises(ValueError, match="q"):
            door.CategoricalGeneralizedCrossEntropy(q=2.0)

    def test_one_class_warns(self):
        with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
            door.categorical_crossentropy([[1.0]], [[0.5]])

    def test_a_second_sigmoid_warns(self):
        if BACKEND != "tensorflow":
            pytest.skip("only TensorFlow remembers")
        probability = keras.activations.sigmoid(keras.ops.ones((1, 1)))
        with pytest.warns(UserWarning, match="comes out of a sigmoid"):
            door.binary_crossentropy([[1.0]], probability, from_logits=True)


class TestNames:
    def test_every_name_of_keras_is_there(self):
        assert set(keras.src.losses.ALL_OBJECTS_DICT) - {"Loss", "LossFunctionWrapper"} <= set(
            door.names()
        )
        public = [n for n in dir(keras.losses) if not n.startswith("_")]
        assert [n for n in public if not hasattr(door, n)] == []

    def test_strings_mean_ours_while_registered(self):
        before = dict(keras.src.losses.ALL_OBJECTS_DICT)
        try:
            assert "mse" in door.register()
            assert keras.losses.get("mse") is door.mean_squared_error
            assert keras.losses.get("MSE") is door.MSE
            assert type(keras.losses.get("Huber")) is door.Huber
            config = {"class_name": "CategoricalCrossentropy", "config": LOGITS}
            assert type(keras.losses.get(config)) is door.CategoricalCrossentropy
            model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            model.compile(loss="kullback_leibler_divergence")
        finally:
            door.unregister()
        assert before == keras.src.losses.ALL_OBJECTS_DICT

    def test_get_and_serialize_need_no_registration(self):
        assert door.get("bce") is door.binary_crossentropy
        assert door.get(None) is None
        config = door.serialize(door.Huber(delta=0.5))
        assert config["registered_name"] == "lossary>Huber"
        assert door.deserialize(config).get_config()["delta"] == 0.5
        assert keras.losses.get("bce") is keras.losses.binary_crossentropy

    def test_functions_pickle_by_name(self):
        for function in functions.OURS.values():
            assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize(
    "loss",
    [door.Huber(delta=0.25), door.huber, door.Quantile(quantile=0.9)],
    ids=lambda loss: getattr(loss, "name", getattr(loss, "__name__", None)),
)
def test_a_compiled_model_is_saved_and_loaded(loss, tmp_path):
    x, y = DATA["x"], DATA["column"]
    model = keras.Sequential([keras.Input((CLASSES,)), keras.layers.Dense(1)])
    model.compile(loss=loss, optimizer="sgd")
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    same(again.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0))
    assert type(again.loss) is type(loss)
    if isinstance(loss, keras.losses.Loss):
        assert again.loss.get_config() == loss.get_config()


DIGITS = [
    ("SparseCategoricalCrossentropy", {"from_logits": True}, None),
    ("CategoricalFocalCrossentropy", {"gamma": 1.0}, "softmax"),
]


@pytest.mark.parametrize(("name", "settings", "activation"), DIGITS, ids=["logits", "focal"])
def test_digits_learn_the_same_curve(name, settings, activation):
    """One import changed: the loss of each epoch and the accuracy at the end stay the same."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    x, y = (images / 16).astype("float32"), labels.astype("int64")
    if not name.startswith("Sparse"):
        y = np.eye(10, dtype="float32")[y]
    curves = []
    for module in (keras.losses, door):
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10, activation)]
        model = keras.Sequential([keras.Input((64,)), *layers])
        loss = getattr(module, name)(**settings)
        model.compile(keras.optimizers.SGD(1.0), loss=loss, metrics=["accuracy"])
        history = model.fit(x[:1500], y[:1500], batch_size=150, epochs=2, verbose=0)
        loss, accuracy = model.evaluate(x[1500:], y[1500:], batch_size=297, verbose=0)
        curves.append([*history.history["loss"], loss, accuracy])
    np.testing.assert_allclose(curves[1], curves[0], rtol=2e-4)
    assert curves[1][-1] > 0.6


AUTO = door.Reduction.AUTO


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "y_true", "y_pred"),
    [
        pytest.param(name, args, kwargs, t, p, marks=pytest.mark.seed(*items))
        for items, name, args, kwargs, t, p in [
            ((25, 29), "BinaryCrossentropy", (False, 0, AUTO, "binary_crossentropy"), {},
             "binary", "unit"),
            ((25, 28), "BinaryCrossentropy", (), {"from_logits": True, "label_smoothing": 0.2},
             "binary", "x"),
            ((26, 29), "CategoricalCrossentropy", (False, 0, AUTO, "categorical_crossentropy"), {},
             "one_hot", "masses"),
            ((26, 28), "CategoricalCrossentropy", (), {"from_logits": True, "label_smoothing": 0.2},
             "one_hot", "x"),
            ((27, 29), "SparseCategoricalCrossentropy",
             (False, AUTO, "sparse_categorical_crossentropy"), {}, "label", "masses"),
            ((27,), "SparseCategoricalCrossentropy", (), {"from_logits": True}, "label", "x"),
            ((32, 29), "KLDivergence", (AUTO, "kl_divergence"), {}, "masses", "other_masses"),
            ((34, 29), "MeanAbsoluteError", (AUTO, "mean_absolute_error"), {}, "y", "x"),
            ((35, 29), "MeanAbsolutePercentageError", (AUTO, "mean_absolute_percentage_error"), {},
             "y", "x"),
            ((36, 29), "Huber", (1.0, AUTO, "huber_loss"), {}, "y", "x"),
            ((38, 29), "MeanSquaredError", (AUTO, "mean_squared_error"), {}, "y", "x"),
            ((39, 29), "MeanSquaredLogarithmicError", (AUTO, "mean_squared_logarithmic_error"), {},
             "unit", "masses"),
            ((40, 29), "Hinge", (AUTO, "hinge"), {}, "sign", "x"),
            ((41, 29), "SquaredHinge", (AUTO, "squared_hinge"), {}, "binary", "x"),
            ((42, 29), "CategoricalHinge", (AUTO, "categorical_hinge"), {}, "one_hot", "x"),
            ((45, 29), "CosineSimilarity", (-1, AUTO, "cosine_similarity"), {}, "y", "x"),
        ]
    ],
)  # fmt: skip
def test_classes_of_tensorflow_2_3(name, args, kwargs, y_true, y_pred):
    """Constructors work with the arguments in the order that the seeds print."""
    wanted = getattr(keras.losses, name)(**kwargs)(DATA[y_true], DATA[y_pred])
    if AUTO in args:
        with pytest.warns(UserWarning, match="sum_over_batch_size"):
            loss = getattr(door, name)(*args, **kwargs)
        assert loss.name == args[-1]
    else:
        loss = getattr(door, name)(*args, **kwargs)
    assert loss.reduction == "sum_over_batch_size"
    same(loss(DATA[y_true], DATA[y_pred]), wanted)


@pytest.mark.parametrize(
    ("names", "y_true", "y_pred", "formula"),
    [
        pytest.param(names, t, p, formula, marks=pytest.mark.seed(item))
        for item, names, t, p, formula in [
            (34, "mean_absolute_error MAE mae", "y", "x", lambda t, p: np.abs(t - p).mean(-1)),
            (35, "mean_absolute_percentage_error MAPE mape", "y", "x",
             lambda t, p: 100 * np.abs((t - p) / t).mean(-1)),
            (38, "mean_squared_error MSE mse", "y", "x", lambda t, p: np.square(t - p).mean(-1)),
            (39, "mean_squared_logarithmic_error MSLE msle", "unit", "masses",
             lambda t, p: np.square(np.log(t + 1) - np.log(p + 1)).mean(-1)),
            (32, "kl_divergence KLD kld kullback_leibler_divergence", "masses", "other_masses",
             lambda t, p: (t * np.log(t / p)).sum(-1)),
            (40, "hinge", "sign", "x", lambda t, p: np.maximum(1 - t * p, 0).mean(-1)),
            (40, "hinge", "binary", "x",
             lambda t, p: np.maximum(1 - (2 * t - 1) * p, 0).mean(-1)),
            (41, "squared_hinge", "sign", "x",
             lambda t, p: np.square(np.maximum(1 - t * p, 0)).mean(-1)),
            (42, "categorical_hinge", "one_hot", "x",
             lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0)),
            (45, "cosine_similarity", "y", "x",
             lambda t, p: -(t * p).sum(-1) / np.linalg.norm(t, axis=-1)
             / np.linalg.norm(p, axis=-1)),
        ]
    ],
)  # fmt: skip
def test_functions_of_tensorflow_2_3(names, y_true, y_pred, formula):
    """Functions of (y_true, y_pred) give what the formulas that the seeds print give."""
    t, p = DATA[y_true].astype("float64"), DATA[y_pred].astype("float64")
    for name in names.split():
        same(getattr(door, name)(DATA[y_true], DATA[y_pred]), formula(t, p))


@pytest.mark.seed(25, 26, 27, 28)
def test_cross_entropies_of_tensorflow_2_3_by_position():
    unit, x, label = DATA["unit"], DATA["x"], DATA["label"]
    same(
        door.binary_crossentropy(DATA["binary"], unit, False, 0),
        keras.losses.binary_crossentropy(DATA["binary"], unit),
    )
    same(
        door.sparse_categorical_crossentropy(label, x, True, axis=-1),
        door.categorical_crossentropy(DATA["one_hot"], x, True, 0),
    )


@pytest.mark.seed(52)
def test_the_sparse_example():
    y_true, y_pred = np.array([1, 2]), np.array([[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    rows = door.sparse_categorical_crossentropy(y_true, y_pred)
    assert numbers(rows) == pytest.approx([0.0512933, 2.3025851], rel=1e-5)
    scce = door.SparseCategoricalCrossentropy()
    assert float(scce(y_true, y_pred)) == pytest.approx(1.1769392, rel=1e-5)
    weighted = scce(y_true, y_pred, sample_weight=np.array([0.3, 0.7]))
    assert float(weighted) == pytest.approx(0.8135988, rel=1e-5)
    total = door.SparseCategoricalCrossentropy(reduction=door.Reduction.SUM)(y_true, y_pred)
    assert float(total) == pytest.approx(2.3538784, rel=1e-5)


@pytest.mark.seed(27, 53)
def test_labels_that_fit_and_labels_that_do_not():
    four, five = np.full((4, 4), 0.25), np.full((4, 5), 0.2)
    assert numbers(door.sparse_categorical_crossentropy([1, 2, 1, 3], four)).shape == (4,)
    assert numbers(door.sparse_categorical_crossentropy([1, 2, 3, 4], five)).shape == (4,)
    with pytest.raises(ValueError, match=r"from 0 to 3, got 4 at index \(2,\)"):
        door.sparse_categorical_crossentropy([1, 2, 4, 4], four)
    pixels = np.full((2, 3, 3, 4), 0.25)
    loss = door.sparse_categorical_crossentropy(np.zeros((2, 3, 3), int), pixels)
    assert numbers(loss).shape == (2, 3, 3)


@pytest.mark.seed(25, 55)
def test_three_labels_at_once():
    one = door.binary_crossentropy([[1.0, 1.0, 0.0]], [[0.9, 0.6, 0.3]])
    assert float(one[0]) == pytest.approx(-np.log([0.9, 0.6, 0.7]).mean(), rel=1e-5)


@pytest.mark.seed(29, "E21")
def test_auto_is_refused_by_keras_and_understood_here():
    with pytest.raises(ValueError, match="reduction"):
        keras.losses.Huber(reduction="auto")
    with pytest.warns(UserWarning, match="auto"):
        assert door.Huber(reduction="auto").reduction == "sum_over_batch_size"
    for reduction in ("none", "sum", "sum_over_batch_size"):
        assert door.Huber(reduction=reduction).reduction == reduction


class TestTheCatalogueAsClasses:
    @pytest.mark.parametrize("loss", door.catalogue.offered(), ids=lambda loss: loss.name)
    def test_every_loss_of_two_arguments_has_one(self, loss):
        kind = getattr(door, door.catalogue.class_name(loss))
        needed = {a.name: 2.0 for a in loss.parameters if a.required}
        own = kind(**needed, reduction="sum", name="mine")
        again = [kind.from_config(own.get_config()), pickle.loads(pickle.dumps(own))]
        assert all(repr(other) == repr(own) for other in again)
        assert kind.__signature__.parameters.keys() >= {a.name for a in loss.parameters}

    def test_they_compute_the_loss_of_a_sample(self):
        x, y = DATA["x"], DATA["y"]
        got = door.Quantile(quantile=0.9, reduction=None)(y, x)
        same(got, L.quantile(x, y, quantile=0.9, reduction="none").mean(-1))
        focal = door.Focal(gamma=1.0, alpha=0.25)(DATA["binary"], x)
        same(focal, L.focal(x, DATA["binary"], gamma=1.0, alpha=0.25))
        own = door.CrossEntropy(axis=0, label_smoothing=0.1)(DATA["label"][:CLASSES], x)
        same(own, L.cross_entropy(x, DATA["label"][:CLASSES], axis=0, label_smoothing=0.1))

    def test_settings_are_checked_and_spelt(self):
        with pytest.raises(ValueError, match="gamma"):
            door.Focal(gamma=-1.0)
        with pytest.raises(TypeError, match="gama"):
            door.Focal(gama=1.0)
        with pytest.raises(TypeError, match="3 arguments"):
            door.catalogue.class_of(L.triplet_margin)

    def test_a_loss_of_ones_own(self):
        from lossary.domain import Positive, Real
        from lossary.functions import exp

        @L.loss(source="Dennis and Welsch 1978")
        def welsch(prediction: Real, target: Real, *, scale: Positive = 1.0):
            """Squared error near zero that saturates for outliers."""
            return scale**2 / 2 * (1 - exp(-(((prediction - target) / scale) ** 2)))

        Welsch = door.class_of(welsch)
        same(Welsch(scale=2.0)(DATA["y"], DATA["x"]), welsch(DATA["x"], DATA["y"], scale=2.0))


def python(*arguments, backend):
    """Run Python in the root of the tree, on a backend."""
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, *arguments]
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=root, env=environment
    )


class TestTheHarness:
    """A part of ``python -m tests.peers.keras``, and that it notices a spoiled door."""

    def test_keras_tests_pass(self):
        options = ("--backend", BACKEND, "--filter", "Huber or Sparse")
        found = python("-m", "tests.peers.keras", *options, backend=BACKEND)
        assert found.returncode == 0, found.stdout + found.stderr
        assert ", 0 failed" in found.stdout

    def test_a_spoiled_door_fails(self):
        options = ("--backend", BACKEND, "--filter", "Huber", "--spoil", "0.01")
        found = python("-m", "tests.peers.keras", *options, backend=BACKEND)
        assert found.returncode == 1
        assert "failed: HuberLossTest" in found.stdout
