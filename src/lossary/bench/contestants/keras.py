"""Keras: its loss objects in a compiled step, on the backend that Keras is set to."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import pytorch, xla
from lossary.bench.work import IGNORED, Case, Data
from lossary.terminal import import_tensorflow

__all__ = ["KERAS"]

BACKENDS = ("tensorflow", "jax", "torch")


def _keras() -> Any:
    """Import Keras; if nobody chose a backend, on the first of its own order that is installed."""
    if "KERAS_BACKEND" not in os.environ:
        found = [name for name in BACKENDS if importlib.util.find_spec(name)]
        if not found:
            raise UnavailableError("Keras finds no backend")
        os.environ["KERAS_BACKEND"] = found[0]
    # TensorFlow first and Triton later, for torch.compile, would end the process: both bring LLVM.
    if importlib.util.find_spec("triton"):
        importlib.import_module("triton")
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        import_tensorflow()
    import keras

    return keras


def _loss(keras: Any, case: Case) -> Callable[..., Any]:
    """Return the loss of prediction and target as Keras has it."""
    losses = keras.losses
    if case.loss == "poisson":
        poisson = losses.Poisson()
        return lambda x, t, keep: poisson(t, keras.ops.exp(x))
    if case.soft and case.ignored:
        total = losses.CategoricalCrossentropy(from_logits=True, reduction="sum")
        # Keras' own mean divides by all rows.
        return lambda x, t, keep: total(t, x, sample_weight=keep) / keras.ops.sum(keep)
    made = {
        "squared_error": losses.MeanSquaredError,
        "huber": losses.Huber,
        "binary_cross_entropy": lambda: losses.BinaryCrossentropy(from_logits=True),
        "focal": lambda: losses.BinaryFocalCrossentropy(gamma=2.0, from_logits=True),
        "cross_entropy": lambda: losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=IGNORED if case.ignored else None
        ),
        "soft_cross_entropy": lambda: losses.CategoricalCrossentropy(from_logits=True),
    }[case.loss]()
    return lambda x, t, keep: made(t, x)


def _prepare(case: Case, data: Data, threads: int) -> Prepared | None:
    keras = _keras()
    if case.dtype != "float32":
        return None  # a Keras loss computes in float32, whatever it is given
    if case.device != "cpu" or case.linear:
        return None
    return _STEPS[keras.backend.backend()](_loss(keras, case), case, data)


def _tensorflow(loss: Callable[..., Any], case: Case, data: Data) -> Prepared:
    import tensorflow as tf

    x, t = tf.constant(data.prediction), tf.constant(data.target)
    keep = None if data.keep is None else tf.constant(data.keep.astype(np.float32))

    @tf.function(jit_compile=True)  # as compile(jit_compile="auto") does
    def both(x: Any, t: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x, t, keep)
        return value, tape.gradient(value, x)

    def outcome(result: tuple[Any, Any]) -> tuple[float, np.ndarray]:
        return float(result[0]), result[1].numpy()

    return Prepared(lambda: both(x, t), outcome)


def _jax(loss: Callable[..., Any], case: Case, data: Data) -> Prepared:
    x, t, keep = xla.arrays(case, data)
    keep = None if keep is None else keep.astype(np.float32)
    return xla.step(lambda x, t: loss(x, t, keep), x, t)


def _torch(loss: Callable[..., Any], case: Case, data: Data) -> Prepared:
    x, t, keep = pytorch.tensors(case, data)
    keep = None if keep is None else keep.float()
    return pytorch.backward(lambda: loss(x, t, keep), x)


_STEPS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}

KERAS = (
    Contestant(
        "Keras", "keras.losses in a compiled step (tf.function with XLA)", ("keras",), _prepare
    ),
)
