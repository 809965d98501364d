"""Pairs of members, in TensorFlow's words."""

from __future__ import annotations

import tensorflow as tf

from lossary.kernels.pairs import Paired

paired: Paired = Paired(
    expanded=lambda x, place: tf.expand_dims(x, place) if tf.is_tensor(x) and x.shape.rank else x,
    count=lambda x: tf.range(tf.shape(x)[-1]),
    where=tf.where,
    sum=lambda x: tf.reduce_sum(x, axis=-1),
    real=lambda x, like: x if tf.is_tensor(x) else tf.constant(x, like.dtype),
)
