"""Sums along an order, in TensorFlow's words."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from lossary.kernels.orders import Ordered, State, below


def _doubling(x: Any, step: Any, state: State) -> State:
    """Loop in the graph where the length of a row is not known before it runs."""
    length = x.shape[-1]
    if length is not None:
        return below(length, step, state)

    def body(distance: Any, *parts: Any) -> Any:
        found = step(distance, parts)
        for part, old in zip(found, parts, strict=True):
            part.set_shape(old.shape)
        return (distance * 2, *found)

    start = tf.constant(1, tf.int32)
    _, *found = tf.while_loop(
        lambda distance, *_: distance < tf.shape(x)[-1], body, (start, *state)
    )
    return tuple(found)


def _take(x: Any, places: Any) -> Any:
    return tf.gather(x, places, batch_dims=places.shape.rank - 1)


ordered: Ordered = Ordered(
    sorted=lambda key: tf.argsort(key, axis=-1, stable=True),
    take=_take,
    roll=lambda x, by: tf.roll(x, by, -1),
    count=lambda x: tf.range(tf.shape(x)[-1]),
    where=tf.where,
    maximum=tf.maximum,
    exp=tf.exp,
    like=lambda x, like: tf.broadcast_to(x, tf.shape(like)),
    doubling=_doubling,
    real=lambda x, like: tf.broadcast_to(tf.cast(x, like.dtype), tf.shape(like)),
)
