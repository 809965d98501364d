"""Keras, and Lossary's door to it: loss objects in a compiled step, on the backend that is set."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lossary.bench import digits
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import pytorch, xla
from lossary.bench.work import CLASS_WEIGHT, IGNORED, Case, Data
from lossary.terminal import import_tensorflow

BACKENDS = ("tensorflow", "jax", "torch")


def _keras() -> Any:
    """Import Keras; if nobody chose a backend, on the first of its own order that is installed."""
    if "KERAS_BACKEND" not in os.environ:
        found = [name for name in BACKENDS if importlib.util.find_spec(name)]
        if not found:
            raise UnavailableError("Keras finds no backend")
        os.environ["KERAS_BACKEND"] = found[0]
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        tensorflow()
    import keras

    return keras


def tensorflow() -> Any:
    """Import TensorFlow; after Triton, where that is installed.

    TensorFlow first and Triton later, for torch.compile, would end the process: both bring LLVM.
    """
    if importlib.util.find_spec("triton"):
        importlib.import_module("triton")
    import_tensorflow()
    return importlib.import_module("tensorflow")


def _loss(losses: Any, case: Case) -> Callable[..., Any]:
    """Return the loss of prediction and target, of a module that has Keras' classes."""
    from keras import ops

    if case.loss == "poisson":
        poisson = losses.Poisson()
        return lambda x, t, other: poisson(t, ops.exp(x))
    made = {
        "squared_error": losses.MeanSquaredError,
        "huber": losses.Huber,
        "binary_cross_entropy": partial(losses.BinaryCrossentropy, from_logits=True),
        "focal": partial(losses.BinaryFocalCrossentropy, gamma=2.0, from_logits=True),
        "cross_entropy": partial(
            losses.SparseCategoricalCrossentropy,
            from_logits=True,
            ignore_class=IGNORED if case.ignored else None,
        ),
        "soft_cross_entropy": partial(losses.CategoricalCrossentropy, from_logits=True),
    }[case.loss]
    if not case.option and not (case.soft and case.ignored):
        loss = made()
        return lambda x, t, other: loss(t, x)
    total = made(reduction="sum")

    def weighed(x: Any, t: Any, other: Any) -> Any:
        weight = ops.take(other, t) if case.option == CLASS_WEIGHT else other
        # Keras' own mean divides by all rows.
        return total(t, x, sample_weight=weight) / ops.sum(weight)

    return weighed


def _of(module: str) -> dict[str, Any]:
    """Return the ways to get ready with the classes of a module."""

    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        keras = _keras()
        if case.dtype != "float32":
            return None  # a Keras loss computes in float32, whatever it is given
        if case.device != "cpu" or case.linear or (case.option and not case.rowwise):
            return None  # it takes the last axis of elements for one sample
        loss = _loss(importlib.import_module(module), case)
        return _STEPS[keras.backend.backend()](loss, case, data)

    def train(case: Case, data: Data, threads: int) -> Prepared:
        keras = _keras()
        losses = importlib.import_module(module)
        return _fit(keras, losses.SparseCategoricalCrossentropy(from_logits=True), case, data)

    return {"prepare": prepare, "train": train}


def _fit(keras: Any, loss: Any, case: Case, data: Data) -> Prepared:
    """Return a whole training by ``fit``, which compiles its step in the first."""
    model = keras.Sequential([
        keras.Input((digits.PIXELS,)),
        keras.layers.Dense(digits.HIDDEN, "relu"),
        keras.layers.Dense(10),
    ])  # fmt: skip
    model.compile(keras.optimizers.SGD(digits.RATE), loss)
    begin = digits.first(data)

    def step() -> Any:
        model.set_weights(begin)
        model.fit(
            data.prediction, data.target, case.shape[0], digits.EPOCHS, verbose=0, shuffle=False
        )
        return model.get_weights()

    return Prepared(step, lambda weights: digits.outcome(data, weights))


def _extra(case: Case, data: Data) -> np.ndarray | None:
    """Return the weights of rows, of classes, or 1 and 0 for the rows that count."""
    other = data.extra if case.option else data.keep
    return None if other is None else other.astype(np.float32)


def by_tape(
    loss: Callable[..., Any], case: Case, data: Data, *, jit_compile: bool | None = None
) -> Prepared:
    """Return the step of a loss in a tf.function, differentiated by a tape."""
    tf = tensorflow()
    x, t = tf.constant(data.prediction), tf.constant(data.target)
    extra = _extra(case, data)
    other = None if extra is None else tf.constant(extra)

    @tf.function(jit_compile=jit_compile)
    def both(x: Any, t: Any, other: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x, t, other)
        return value, tape.gradient(value, x)

    def outcome(result: tuple[Any, Any]) -> tuple[float, np.ndarray]:
        return float(result[0]), result[1].numpy()

    return Prepared(lambda: both(x, t, other), outcome)


def _jax(loss: Callable[..., Any], case: Case, data: Data) -> Prepared:
    x, t, other = xla.arrays(case, data)
    other = None if other is None else other.astype(np.float32)
    return xla.step(loss, x, t, other)


def _torch(loss: Callable[..., Any], case: Case, data: Data) -> Prepared:
    x, t, other = pytorch.tensors(case, data)
    other = None if other is None else other.float()
    return pytorch.backward(lambda: loss(x, t, other), x)


# As compile(jit_compile="auto") does.
_STEPS = {"tensorflow": partial(by_tape, jit_compile=True), "jax": _jax, "torch": _torch}

PEER, DOOR = "Keras", "lossary.keras"
KERAS = (
    Contestant(PEER, "keras.losses in a compiled step (tf.function with XLA)", ("keras",),
               compiles=True, **_of("keras.losses")),
    Contestant(DOOR, "the classes with Keras' names, in the same place", ("keras",),
               ours=True, compiles=True, **_of("lossary.keras")),
)  # fmt: skip
