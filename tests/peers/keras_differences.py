"""Print where the doors of ``lossary.keras`` are right and Keras is not, with the numbers.

    python -m tests.peers.keras_differences

Both answers are computed here, on the backend that the call names; Keras has one per process, so
each backend is a process of its own. The exact numbers are mpmath's.
"""

# ruff: noqa: T201  (a command that talks to a terminal)

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .difference import Difference, Kept, show, shown

PEER = "Keras"
BACKENDS = ("torch", "jax", "tensorflow")


class Case(NamedTuple):
    """A call on a backend: a loss of (y_true, y_pred), or with ``y_true`` empty an expression.

    ``truth`` holds exact value and gradient as mpmath's expressions, separated by semicolons.
    """

    backend: str
    loss: str
    y_true: str
    y_pred: str
    truth: str
    why: str


CASES = (
    Case("torch", "SparseCategoricalCrossentropy(from_logits=True)", "[0]", "[[17., 0.]]",
         "log1p(exp(-17)); -1 / (1 + exp(17)), 1 / (1 + exp(17))",
         "1 minus the probability of the confident class rounds to 0; the sum over the other "
         "classes does not."),
    Case("jax", "CategoricalCrossentropy(from_logits=True)", "[[1., 0.]]", "[[17., 0.]]",
         "log1p(exp(-17)); -1 / (1 + exp(17)), 1 / (1 + exp(17))",
         "The same, for one-hot rows."),
    Case("jax", "CategoricalCrossentropy(from_logits=True)", "[[1., 0., 0.]]",
         "[[1., -inf, 3.]]", "log1p(exp(2)); 1 / (1 + exp(2)) - 1, 0, 1 / (1 + exp(-2))",
         "A class without target mass has no term, whatever its logit."),
    Case("torch", "BinaryCrossentropy(from_logits=True)", "[[0.]]", "[[-20.]]",
         "log1p(exp(-20)); 1 / (1 + exp(20))",
         "PyTorch's operator is exact on one side only; here both sides are."),
    Case("jax", "BinaryCrossentropy(from_logits=True)", "[[1.]]", "[[inf]]", "0; 0",
         "A certain answer that is right costs 0."),
    Case("torch", "BinaryFocalCrossentropy(gamma=0.5, from_logits=True)", "[[1.]]", "[[19.]]",
         "(1 / (1 + exp(19)))**0.5 * log1p(exp(-19)); -(1 / (1 + exp(19)))**0.5 * "
         "(log1p(exp(-19)) / 2 / (1 + exp(-19)) + 1 / (1 + exp(19)))",
         "Keras goes by a probability that rounds to 1, and differentiates a power of 0."),
    Case("jax", "BinaryFocalCrossentropy(from_logits=True)", "[[1.]]", "[[-30.]]",
         "(1 / (1 + exp(-30)))**2 * log1p(exp(30)); -(1 / (1 + exp(-30)))**2 * "
         "(2 * log1p(exp(30)) / (1 + exp(30)) + 1 / (1 + exp(-30)))",
         "Keras clips the probability although logits are given: a wrong, confident example gets "
         "no gradient."),
    Case("torch", "LogCosh()", "[[0.]]", "[[-3e38]]", "3e38; -1",
         "Twice the error overflows; half the work does not need it."),
    Case("torch", "CosineSimilarity()", "[[0., 0.]]", "[[0., 0.]]", "0; 0, 0",
         "A zero vector has no direction: gradient 0, not 0 times infinity."),
    Case("jax", "MeanSquaredLogarithmicError()", "[[2**-21]]", "[[1.5 * 2**-23]]",
         "(log1p(mpf('1.5') / 2**23) - log1p(mpf(2)**-21))**2; 2 * (log1p(mpf('1.5') / 2**23) - "
         "log1p(mpf(2)**-21)) / (1 + mpf('1.5') / 2**23)",
         "1 + 1.8e-7 loses digits in single precision; log1p does not add."),
    Case("torch", "KLDivergence()", "[[0.5, 0.5]]", "[[0.5 + 2**-14, 0.5 - 2**-14]]",
         "-(log1p(mpf(2)**-13) + log1p(-mpf(2)**-13)) / 2; -1 / (1 + mpf(2)**-13), "
         "-1 / (1 - mpf(2)**-13)",
         "The terms of two near distributions cancel; here they are summed without "
         "cancellation."),
    Case("torch", "BinaryCrossentropy(dtype='float16')", "[[0.]]", "[[1.]]", "",
         "1 - 1e-7 is 1 in half precision; the door clips in float32, alike on every backend "
         "(Keras: infinity on JAX)."),
    Case("jax", "sparse_categorical_crossentropy", "[3]", "[[0.2, 0.3, 0.5]]", "",
         "A label outside is an error: a ValueError and IndexError on all backends, and NaN in a "
         "compiled graph."),
    Case("tensorflow", "SparseCategoricalCrossentropy(axis=1)", "[[0, 0]]",
         "[[[0.25, 0.5], [0.75, 0.5]]]", "log(8) / 2; -1.5, -0.5, 0.5, 0.5",
         "Any axis may hold the classes, on every backend."),
    Case("tensorflow", "CategoricalCrossentropy(from_logits=True)", "[[1., 1.]]", "[[0., 1.]]",
         "2 * log(1 + exp(1)) - 1; 2 / (1 + exp(1)) - 1, 2 / (1 + exp(-1)) - 1",
         "TensorFlow's gradient takes target rows to have sum 1; the gradient here is that of the "
         "value."),
    Case("torch", "Huber(delta=-1.)", "[[0.]]", "[[3.]]", "",
         "A delta below 0 has no meaning."),
    Case("torch", "Huber(delta=2.).get_config().get('delta', 1.)", "", "", "",
         "Keras' config lacks delta: a model that is saved and loaded trains with delta = 1."),
    Case("jax", "SparseCategoricalCrossentropy(axis=1).get_config().get('axis', -1)", "", "", "",
         "The same, for the axis; CosineSimilarity too."),
    Case("torch", "SparseCategoricalCrossentropy(dtype='bfloat16')(numpy.array([257]), "
         "numpy.eye(300, dtype='float32')[[257]]) < 1", "", "", "",
         "Keras casts labels to the dtype of the loss first, and 257 has no bfloat16."),
    Case("torch", "MeanSquaredError()(numpy.zeros((2, 1)), masked([[2.], [nan]], [True, False]))",
         "", "", "4", "What is stored under a mask does not count, NaN included."),
)  # fmt: skip

KEPT = (
    Kept("cross-entropies and focal losses of probabilities", "epsilon = 1e-7",
         "probabilities are clipped to [epsilon, 1 - epsilon], with gradient 0 outside"),
    Kept("categorical cross-entropies of probabilities", "rows divided by their sum",
         "any positive row counts as a distribution"),
    Kept("KLDivergence", "epsilon = 1e-7", "both distributions are clipped to [epsilon, 1]"),
    Kept("MeanAbsolutePercentageError", "epsilon = 1e-7",
         "a smaller target counts as that large"),
    Kept("MeanSquaredLogarithmicError", "epsilon = 1e-7",
         "what is smaller, negative numbers too, counts as epsilon"),
    Kept("Poisson", "epsilon = 1e-7", "is added to the rate inside the logarithm"),
    Kept("CosineSimilarity", "epsilon = 1e-7",
         "a shorter vector counts in proportion to its length"),
    Kept("Hinge, SquaredHinge", "0 and 1 become -1 and 1",
         "if the whole batch is 0 or 1"),
    Kept("BinaryFocalCrossentropy", "apply_class_balancing",
         "without it alpha is not used"),
    Kept("TensorFlow backend", "_keras_logits",
         "probabilities out of a sigmoid or softmax are replaced by its logits"),
    Kept("reductions", "sum_over_batch_size",
         "sample weights are not in the denominator, masks are"),
    Kept("dice, tversky, circle", "Keras' own functions", "the door calls them"),
)  # fmt: skip


def answer(losses: Any, case: Case) -> str:
    """Return what one library says to a call."""
    import keras
    import numpy as np

    def masked(x: Any, mask: Any) -> Any:
        x = keras.ops.convert_to_tensor(x)
        keras.src.backend.set_keras_mask(x, keras.ops.convert_to_tensor(mask))
        return x

    names = {"inf": np.inf, "nan": np.nan, "numpy": np, "masked": masked}
    try:
        found = eval(f"losses.{case.loss}", {"losses": losses} | names)
        if not case.y_true:
            if keras.ops.is_tensor(found):
                found = keras.ops.convert_to_numpy(found)
            return str(found) if isinstance(found, (bool, np.bool_)) else shown(found)
        y_true = np.array(eval(case.y_true, names))
        y_pred = np.array(eval(case.y_pred, names), dtype="float32")
        return shown(*value_and_gradient(found, y_true, y_pred))
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the answer)
        return shown(error)


def value_and_gradient(loss: Any, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return the loss, summed if it is not one number, and its gradient by ``y_pred``."""
    import keras

    y_true = keras.ops.convert_to_tensor(y_true)
    if keras.backend.backend() == "torch":
        import torch

        x = torch.tensor(y_pred, requires_grad=True)
        value = loss(y_true, x).sum()
        value.backward()
        return value.detach().float(), x.grad
    if keras.backend.backend() == "jax":
        import jax

        # Both run eagerly first: that is where errors are raised.
        loss(y_true, jax.numpy.asarray(y_pred))
        return jax.value_and_grad(lambda x: loss(y_true, x).sum())(jax.numpy.asarray(y_pred))
    import tensorflow as tf

    x = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(loss(y_true, x))
    return value, tape.gradient(value, x)


def exact(case: Case) -> str:
    """Return the exact numbers."""
    import mpmath

    names = {name: getattr(mpmath, name) for name in ("exp", "log", "log1p", "mpf")}
    with mpmath.workdps(60):
        parts = [eval(f"[{p}]", names) for p in case.truth.split(";")] if case.truth else []
        return shown(*([float(v) for v in part] for part in parts)) if parts else ""


def computed(backend: str) -> list[Difference]:
    """Return the rows of the backend that this process has."""
    from keras import losses as peer

    import lossary.keras as own

    return [
        Difference(call_of(case), answer(own, case), answer(peer, case), exact(case), case.why)
        for case in CASES
        if case.backend == backend
    ]


def call_of(case: Case) -> str:
    """Return the call as a user writes it, and the backend that the numbers are from."""
    arguments = f"({case.y_true}, {case.y_pred})" if case.y_true else ""
    return f"{case.loss}{arguments}  # {case.backend}"


def rows(backends: Iterable[str] = BACKENDS) -> Iterator[Difference]:
    """Return the rows of all backends, each in a process of its own."""
    for backend in backends:
        command = [sys.executable, "-m", "tests.peers.keras_differences", "--backend", backend]
        environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        root = Path(__file__).parents[2]
        found = subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment, cwd=root
        )
        for row in json.loads(found.stdout.splitlines()[-1]):
            yield Difference(*row)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        import warnings

        warnings.simplefilter("ignore")
        print(json.dumps(computed(sys.argv[2])))
    else:
        show(PEER, rows(), KEPT)
