"""TensorFlow's own losses, and Lossary's door to them: tf.nn in a tf.function, by a tape."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from lossary.bench import digits
from lossary.bench.contestant import Contestant, Prepared
from lossary.bench.contestants.keras import by_tape, tensorflow
from lossary.bench.work import CLASS_WEIGHT, Case, Data

# tf.nn's name of the loss per element or row, and that of its first argument.
_NAMES = {
    "binary_cross_entropy": "sigmoid_cross_entropy_with_logits",
    "cross_entropy": "sparse_softmax_cross_entropy_with_logits",
    "soft_cross_entropy": "softmax_cross_entropy_with_logits",
}


def _functions(module: str) -> Any:
    """Return tf.nn, or the door's module of the same names."""
    tf = tensorflow()
    return importlib.import_module(module) if module else tf.nn


def _of(module: str = "") -> dict[str, Any]:
    """Return the ways to get ready with the functions of a module, or with tf.nn."""

    def prepare(case: Case, data: Data, threads: int) -> Prepared | None:
        if case.loss not in _NAMES or case.device != "cpu" or case.dtype != "float32":
            return None
        if case.ignored:
            return None  # tf.nn has no such label
        each = getattr(_functions(module), _NAMES[case.loss])
        return by_tape(_mean(case, each), case, data)

    def train(case: Case, data: Data, threads: int) -> Prepared:
        each = _functions(module).sparse_softmax_cross_entropy_with_logits
        return _training(each, case, data)

    return {"prepare": prepare, "train": train}


def _mean(case: Case, each: Callable[..., Any]) -> Callable[[Any, Any, Any], Any]:
    """Return the mean of a loss, weighed as the case says."""
    tf = tensorflow()
    if not case.option:
        return lambda x, t, other: tf.reduce_mean(each(labels=t, logits=x))

    def weighed(x: Any, t: Any, other: Any) -> Any:
        weight = tf.gather(other, t) if case.option == CLASS_WEIGHT else other
        return tf.reduce_sum(each(labels=t, logits=x) * weight) / tf.reduce_sum(weight)

    return weighed


def _training(each: Callable[..., Any], case: Case, data: Data) -> Prepared:
    """Return a whole training, each of its steps a tf.function."""
    tf = tensorflow()
    begin = digits.first(data)
    weights = [tf.Variable(part) for part in begin]
    x, t = tf.constant(data.prediction), tf.constant(data.target)
    batches = [(x[part], t[part]) for part in digits.batches(len(data.target), case.shape[0])]

    @tf.function(reduce_retracing=True)
    def update(x: Any, t: Any) -> Any:
        one, above, two, out = weights
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(x @ one + above) @ two + out
            value = tf.reduce_mean(each(labels=t, logits=logits))
        for weight, slope in zip(weights, tape.gradient(value, weights), strict=True):
            weight.assign_sub(digits.RATE * slope)
        return value

    def step() -> Any:
        for weight, value in zip(weights, begin, strict=True):
            weight.assign(value)
        for _ in range(digits.EPOCHS):
            for pair in batches:
                update(*pair)
        return [weight.numpy() for weight in weights]

    return Prepared(step, lambda found: digits.outcome(data, found))


PEER, DOOR = "tf.nn", "lossary.tensorflow"
TENSORFLOW = (
    Contestant(PEER, "tf.nn in a tf.function, by a tape", ("tensorflow",),
               compiles=True, **_of()),
    Contestant(DOOR, "the functions with tf.nn's names, in the same place", ("tensorflow",),
               ours=True, compiles=True, **_of("lossary.tensorflow.nn")),
)  # fmt: skip
