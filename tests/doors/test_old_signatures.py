"""The signatures of PyTorch 1.7 and TensorFlow 2.3, as the seed articles print them.

Each is read from the printed line. The door's function takes the printed arguments in the printed
order, by position and by name, the printed defaults are its defaults, and the numbers are those of
the formula that the articles give.
"""

import ast
import contextlib
import importlib
import os
import warnings
from itertools import starmap

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

with contextlib.suppress(ImportError):  # before TensorFlow: the other order aborts the process
    import triton  # noqa: F401

ROWS, CLASSES = 6, 4
random = np.random.default_rng(0)
DATA = {
    "x": random.normal(size=(ROWS, CLASSES)),
    "y": random.normal(size=(ROWS, CLASSES)) + 3,
    "unit": random.random((ROWS, CLASSES)) * 0.9 + 0.05,
    "binary": (random.random((ROWS, CLASSES)) > 0.5) * 1.0,
    "sign": random.choice([-1.0, 1.0], (ROWS, CLASSES)),
    "row_sign": random.choice([-1.0, 1.0], ROWS),
    "p": random.dirichlet(np.ones(CLASSES), size=ROWS),
    "q": random.dirichlet(np.ones(CLASSES), size=ROWS),
    "one_hot": np.eye(CLASSES)[[0, 1, 2, 3, 1, 0]],
    "label": np.array([0, 1, 2, 3, 1, 0]),
    "count": random.poisson(2.0, (ROWS, CLASSES)) * 1.0,
}
DATA["log_q"] = np.log(DATA["q"])
DATA = {k: x.astype("float32") if x.dtype.kind == "f" else x for k, x in DATA.items()}


def softplus(x):
    return np.log1p(np.exp(x))


def bernoulli(t, p):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def nats(x):
    return np.log(np.exp(x).sum(-1, keepdims=True)) - x


def cosine(a, b):
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return (a * b).sum(-1) / lengths


def huber(e, delta=1.0):
    return np.where(np.abs(e) < delta, e**2 / 2, delta * (np.abs(e) - delta / 2))


def at(x, label):
    return np.take_along_axis(x, label[:, None], -1)[:, 0]


# Item of the seeds; printed line; what the result is called with; the formula of those, unreduced.
PYTORCH = [
    (20, "torch.nn.BCELoss(weight: Optional[Tensor]=None, size_average=None, reduce=None, "
     "reduction: str='mean')", "unit binary", lambda p, t: bernoulli(t, p)),
    (21, "torch.nn.BCEWithLogitsLoss(weight=None, size_average=None, reduce=None, "
     "reduction='mean', pos_weight: Optional[Tensor]=None)", "x binary",
     lambda x, t: t * softplus(-x) + (1 - t) * softplus(x)),
    (22, "torch.nn.CrossEntropyLoss(weight=None, size_average=None, ignore_index: int=-100, "
     "reduce=None, reduction='mean')", "x label", lambda x, label: at(nats(x), label)),
    (23, "torch.nn.SoftMarginLoss()", "x sign", lambda x, y: softplus(-y * x)),
    (33, "torch.nn.KLDivLoss(size_average=None, reduce=None, reduction='mean', "
     "log_target: bool=False)", "log_q p", lambda q, p: p * (np.log(p) - q)),
    (34, "torch.nn.L1Loss(size_average=None, reduce=None, reduction='mean')", "x y",
     lambda x, y: np.abs(x - y)),
    (34, "torch.nn.functional.l1_loss(input, target, size_average=None, reduce=None, "
     "reduction='mean')", "x y", lambda x, y: np.abs(x - y)),
    (37, "torch.nn.SmoothL1Loss(size_average=None, reduce=None, reduction='mean', "
     "beta: float=1.0)", "x y", lambda x, y: huber(x - y)),
    (37, "torch.nn.functional.smooth_l1_loss(input, target, size_average=None, reduce=None, "
     "reduction='mean', beta=1.0)", "x y", lambda x, y: huber(x - y)),
    (38, "torch.nn.MSELoss(size_average=None, reduce=None, reduction='mean')", "x y",
     lambda x, y: (x - y) ** 2),
    (38, "torch.nn.functional.mse_loss(input, target)", "x y", lambda x, y: (x - y) ** 2),
    (43, "torch.nn.HingeEmbeddingLoss(margin: float=1.0, size_average=None, reduce=None, "
     "reduction='mean')", "unit sign", lambda d, y: np.where(y > 0, d, np.maximum(0, 1 - d))),
    (46, "torch.nn.CosineEmbeddingLoss(margin: float=0.0, size_average=None, reduce=None, "
     "reduction='mean')", "x y row_sign",
     lambda a, b, y: np.where(y > 0, 1 - cosine(a, b), np.maximum(0, cosine(a, b)))),
]  # fmt: skip

TF_NN = [
    (24, "tf.nn.softmax_cross_entropy_with_logits(labels, logits)", "p x",
     lambda p, x: (p * nats(x)).sum(-1)),
    (24, "tf.nn.sigmoid_cross_entropy_with_logits(labels=None, logits=None)", "binary x",
     lambda t, x: t * softplus(-x) + (1 - t) * softplus(x)),
    (24, "tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)", "label x",
     lambda label, x: at(nats(x), label)),
    (21, "tf.nn.weighted_cross_entropy_with_logits(labels, logits, pos_weight)", "binary x unit",
     lambda t, x, w: w * t * softplus(-x) + (1 - t) * softplus(x)),
    (24, "tf.nn.log_poisson_loss(targets, log_input)", "count x", lambda t, x: np.exp(x) - t * x),
]  # fmt: skip

_HINGE = ("sign x", lambda t, x: np.maximum(1 - t * x, 0).mean(-1))
_SQUARED = ("sign x", lambda t, x: (np.maximum(1 - t * x, 0) ** 2).mean(-1))
_CATEGORICAL = (
    "one_hot x",
    lambda t, x: np.maximum(((1 - t) * x).max(-1) - (t * x).sum(-1) + 1, 0),
)
_BINARY = ("binary unit", lambda t, p: bernoulli(t, p).mean(-1))
_ONE_HOT = ("one_hot q", lambda t, q: -(t * np.log(q)).sum(-1))
_SPARSE = ("label q", lambda label, q: -np.log(at(q, label)))
_KL = ("p q", lambda p, q: (p * np.log(p / q)).sum(-1))
_MAE = ("y x", lambda t, p: np.abs(t - p).mean(-1))
_MAPE = ("y x", lambda t, p: 100 * np.abs((t - p) / t).mean(-1))
_MSE = ("y x", lambda t, p: ((t - p) ** 2).mean(-1))
_MSLE = ("unit q", lambda t, p: ((np.log(t + 1) - np.log(p + 1)) ** 2).mean(-1))
_COSINE = ("y x", lambda t, p: -cosine(t, p))

KERAS = [
    (25, "tf.keras.losses.BinaryCrossentropy(from_logits=False, label_smoothing=0, "
     "reduction=losses_utils.ReductionV2.AUTO, name='binary_crossentropy')", *_BINARY),
    (25, "tf.keras.losses.binary_crossentropy(y_true, y_pred, from_logits=False, "
     "label_smoothing=0)", *_BINARY),
    (26, "tf.keras.losses.CategoricalCrossentropy(from_logits=False, label_smoothing=0, "
     "reduction=losses_utils.ReductionV2.AUTO, name='categorical_crossentropy')", *_ONE_HOT),
    (26, "tf.keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=False, "
     "label_smoothing=0)", *_ONE_HOT),
    (27, "tf.keras.losses.SparseCategoricalCrossentropy(from_logits=False, "
     "reduction=losses_utils.ReductionV2.AUTO, name='sparse_categorical_crossentropy')", *_SPARSE),
    (27, "tf.keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, "
     "axis=-1)", *_SPARSE),
    (32, "tf.keras.losses.KLD(y_true, y_pred)", *_KL),
    (32, "tf.keras.losses.kullback_leibler_divergence(y_true, y_pred)", *_KL),
    (32, "tf.keras.losses.KLDivergence(reduction=losses_utils.ReductionV2.AUTO, "
     "name='kl_divergence')", *_KL),
    (34, "tf.keras.losses.MAE(y_true, y_pred)", *_MAE),
    (34, "tf.keras.losses.mean_absolute_error(y_true, y_pred)", *_MAE),
    (34, "tf.keras.losses.MeanAbsoluteError(reduction=losses_utils.ReductionV2.AUTO, "
     "name='mean_absolute_error')", *_MAE),
    (35, "tf.keras.losses.MeanAbsolutePercentageError("
     "reduction=losses_utils.ReductionV2.AUTO, name='mean_absolute_percentage_error')", *_MAPE),
    (35, "tf.keras.losses.MAPE(y_true, y_pred)", *_MAPE),
    (36, "tf.keras.losses.Huber(delta=1.0, reduction=losses_utils.ReductionV2.AUTO, "
     "name='huber_loss')", "y x", lambda t, p: huber(t - p).mean(-1)),
    (38, "tf.keras.losses.MeanSquaredError(reduction=losses_utils.ReductionV2.AUTO, "
     "name='mean_squared_error')", *_MSE),
    (38, "tf.keras.losses.MSE(y_true, y_pred)", *_MSE),
    (39, "tf.keras.losses.MeanSquaredLogarithmicError(reduction=losses_utils.ReductionV2.AUTO, "
     "name='mean_squared_logarithmic_error')", *_MSLE),
    (39, "tf.keras.losses.MSLE(y_true, y_pred)", *_MSLE),
    (40, "tf.keras.losses.Hinge(reduction=losses_utils.ReductionV2.AUTO, name='hinge')", *_HINGE),
    (40, "tf.keras.losses.hinge(y_true, y_pred)", *_HINGE),
    (41, "tf.keras.losses.SquaredHinge(reduction=losses_utils.ReductionV2.AUTO, "
     "name='squared_hinge')", *_SQUARED),
    (41, "tf.keras.losses.squared_hinge(y_true, y_pred)", *_SQUARED),
    (42, "tf.keras.losses.CategoricalHinge(reduction=losses_utils.ReductionV2.AUTO, "
     "name='categorical_hinge')", *_CATEGORICAL),
    (42, "tf.keras.losses.categorical_hinge(y_true, y_pred)", *_CATEGORICAL),
    (45, "tf.keras.losses.CosineSimilarity(axis=-1, reduction=losses_utils.ReductionV2.AUTO, "
     "name='cosine_similarity')", *_COSINE),
    (45, "tf.keras.losses.cosine_similarity(y_true, y_pred, axis=-1)", *_COSINE),
]  # fmt: skip

# Printed prefix: the door, and the package it needs.
DOORS = {
    "torch.nn.functional": ("lossary.torch.functional", "torch"),
    "torch.nn": ("lossary.torch", "torch"),
    "tf.nn": ("lossary.tensorflow.nn", "tensorflow"),
    "tf.keras.losses": ("lossary.keras", "keras"),
}


def read(printed):
    """Return door, name, and the printed arguments with their defaults (... for none)."""
    path, _, inside = printed.partition("(")
    prefix, _, name = path.rpartition(".")
    arguments = ast.parse(f"def printed({inside}: pass").body[0].args
    missing = len(arguments.args) - len(arguments.defaults)
    defaults = [...] * missing + arguments.defaults
    named = zip((a.arg for a in arguments.args), defaults, strict=True)
    return prefix, name, {n: d if d is ... else value_of(d) for n, d in named}


def value_of(node):
    """Return a printed default; AUTO is the only name among them."""
    if isinstance(node, ast.Attribute):
        assert node.attr == "AUTO"
        return "auto"
    return ast.literal_eval(node)


def tensors_for(prefix, roles):
    arrays = [DATA[role] for role in roles.split()]
    if prefix.startswith("torch"):
        import torch

        return [torch.from_numpy(x) for x in arrays]
    if prefix == "tf.nn":
        import tensorflow as tf

        return [tf.constant(x) for x in arrays]
    return arrays


def numbers(x):
    return np.asarray(x.detach() if hasattr(x, "detach") else x, "float64")


def results(prefix, name, printed, tensors):
    """Return what the door gives for the printed arguments: by position, by name, by default."""
    module, package = DOORS[prefix]
    pytest.importorskip(package)
    door = importlib.import_module(module)
    thing = getattr(door, name)
    is_class = isinstance(thing, type)
    taken = 0 if is_class else len(tensors)
    optional = dict(list(printed.items())[taken:])
    ways = [(tuple(optional.values()), {}), ((), optional), ((), {})]
    if is_class:
        return [numbers(thing(*args, **kwargs)(*tensors)) for args, kwargs in ways]
    named = dict(zip(printed, tensors, strict=False))
    found = [thing(*tensors, *args, **kwargs) for args, kwargs in ways]
    return [numbers(x) for x in (*found, thing(**named))]


def case(item, printed, roles, formula):
    return pytest.param(printed, roles, formula, id=printed, marks=pytest.mark.seed(item))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("printed", "roles", "formula"), list(starmap(case, [*PYTORCH, *TF_NN, *KERAS]))
)
def test_the_printed_signature_works(printed, roles, formula):
    prefix, name, arguments = read(printed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # AUTO, and the mean of KLDivLoss
        found = results(prefix, name, arguments, tensors_for(prefix, roles))
    exact = formula(*(DATA[role].astype("float64") if DATA[role].dtype.kind == "f" else DATA[role]
                      for role in roles.split()))  # fmt: skip
    is_mean = "reduction" in arguments or (prefix.startswith("torch") and found[0].ndim == 0)
    for value in found:
        np.testing.assert_allclose(value, exact.mean() if is_mean else exact, rtol=2e-5, atol=1e-6)


@pytest.mark.seed(29)
def test_auto_warns():
    pytest.importorskip("keras")
    import lossary.keras as door

    with pytest.warns(UserWarning, match="auto"):
        door.MeanSquaredError(reduction="auto")


@pytest.mark.seed(24)
def test_the_arguments_of_tf_nn_go_by_name():
    tf = pytest.importorskip("tensorflow")
    from lossary.tensorflow import nn

    rows, masses = tf.constant(DATA["x"]), tf.constant(DATA["p"])
    loss = tf.reduce_mean(nn.softmax_cross_entropy_with_logits(labels=masses, logits=rows))
    wanted = (DATA["p"] * nats(DATA["x"].astype("float64"))).sum(-1).mean()
    assert float(loss) == pytest.approx(wanted, rel=1e-5)
