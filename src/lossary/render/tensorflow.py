"""TensorFlow's spellings."""

from __future__ import annotations

from lossary.render.numpy import SPELLINGS
from lossary.render.target import ATOM, Target

_OWN = {
    "where": (ATOM, "tf.where({0}, {1}, {2})"),
    "total": (ATOM, "tf.reduce_sum({0}, axis=-1, keepdims=True)"),
    "peak": (ATOM, "tf.reduce_max({0}, axis=-1, keepdims=True)"),
    "argpeak": (ATOM, "tf.expand_dims(tf.argmax({0}, axis=-1), -1)"),
    "pick": (ATOM, "tf.gather({0}, {1}, batch_dims={0}.shape.rank - 1)"),
    "class_index": (ATOM, "tf.range(tf.shape({like}, out_type=tf.int64)[-1])"),
    "class_count": (ATOM, "tf.cast(tf.shape({like})[-1], {like}.dtype)"),
}

TARGET = Target(
    "tensorflow",
    "import tensorflow as tf",
    {
        name: (binding, text.replace("np.", "tf.math."))
        for name, (binding, text) in SPELLINGS.items()
    }
    | _OWN,
    "tf.cast({0}, {like}.dtype)",
    # A graph takes the dtype of a call from its first argument, so a bare number must have one.
    constant="tf.constant({0}, {like}.dtype)",
    typed="tf.constant({0}, {like}.dtype)",
    mixes=False,
)
