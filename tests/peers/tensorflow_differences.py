"""Print where ``lossary.tensorflow`` is right and TensorFlow is not, with the numbers.

    python -m tests.peers.tensorflow_differences

The exact column is TensorFlow's result in float64, where that is a number.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from lossary.tensorflow import nn

from .difference import Difference, Kept, show, shown

PEER = "TensorFlow"


class Case(NamedTuple):
    """A call: the function, its tensors as written, and which of them is differentiated."""

    door: str
    tensors: str
    why: str
    settings: str = ""
    differentiate: int = 1
    dtype: str = "float32"
    wrong_in_float64: bool = False


CASES = (
    Case(
        "sparse_softmax_cross_entropy_with_logits",
        "[0], [[17.0, 0.0]]",
        "1 minus the probability of the confident class rounds to 0; the sum over the others does "
        "not.",
    ),
    Case(
        "softmax_cross_entropy_with_logits",
        "[[1.0, 0.0]], [[17.0, 0.0]]",
        "The same for one-hot labels.",
    ),
    Case(
        "softmax_cross_entropy_with_logits",
        "[[0.5, 0.5, 0.0]], [[0.0, 0.0, -inf]]",
        "A class without logit and without target mass has no term: 0 times infinity is 0 here.",
    ),
    Case(
        "softmax_cross_entropy_with_logits",
        "[[0.0, 0.0]], [[1.0, 2.0]]",
        "The gradient is that of the value; TensorFlow's is softmax minus labels whatever their "
        "sum, so that a padded row of zeros trains.",
        wrong_in_float64=True,
    ),
    Case(
        "sigmoid_cross_entropy_with_logits",
        "[1.0], [inf]",
        "A certain answer that is right costs 0.",
    ),
    Case(
        "weighted_cross_entropy_with_logits",
        "[0.0], [-18.0]",
        "TensorFlow adds the logit and takes it away again, which leaves 0.",
        "1.5",
    ),
    Case(
        "log_poisson_loss",
        "[0.0], [1.0]",
        "Stirling's term is masked before its derivative is taken, not after.",
        "True",
        0,
    ),
    Case(
        "l2_loss",
        "[300.0]",
        "Squares are taken in a wider type; TensorFlow's overflows before it is halved.",
        differentiate=0,
        dtype="float16",
    ),
)

KEPT = (
    Kept(
        "sparse_softmax_cross_entropy_with_logits",
        "doors.NotMine",
        "a label outside raises InvalidArgumentError on a CPU, and is NaN on a GPU or under XLA",
    ),
    Kept("all functions", "Request.dtype", "half-precision logits give a half-precision loss"),
)


def outcome(module: Any, case: Case, dtype: str) -> list[Any]:
    """Return value and gradient of one call."""
    tensors = [
        tf.constant(x) if isinstance(x, list) and isinstance(x[0], int) else tf.constant(x, dtype)
        for x in eval(f"[{case.tensors}]", {"inf": math.inf})
    ]
    settings = eval(f"[{case.settings}]")
    x = tensors[case.differentiate]
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = getattr(module, case.door)(*tensors, *settings)
    return [t.numpy() for t in (value, tape.gradient(value, x))]


def rows() -> Iterator[Difference]:
    """Yield the calls with both answers."""
    for case in CASES:
        more = f", {case.settings}" if case.settings else ""
        note = "" if case.dtype == "float32" else f"  # {case.dtype}"
        exact = shown(*outcome(tf.nn, case, "float64"))
        yield Difference(
            f"{case.door}({case.tensors}{more}){note}",
            shown(*outcome(nn, case, case.dtype)),
            shown(*outcome(tf.nn, case, case.dtype)),
            "" if "nan" in exact or case.wrong_in_float64 else exact,
            case.why,
        )


if __name__ == "__main__":
    show(PEER, rows(), KEPT)
