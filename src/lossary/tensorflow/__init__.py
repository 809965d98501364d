"""TensorFlow's door: the losses of ``tf.nn`` over the core, by their names and signatures.

>>> import lossary.tensorflow as tf_losses
>>> labels, logits = [0], [[17.0, 0.0]]
>>> print(tf_losses.nn.sparse_softmax_cross_entropy_with_logits(labels, logits).numpy())
[4.1399375e-08]

They keep TensorFlow's dtypes, shapes and exceptions, eager and in ``tf.function``, and its gradient
by every argument that has one. The losses of ``tf.keras`` are in :mod:`lossary.keras`.
"""

from lossary.errors import needs

with needs("lossary.tensorflow", tensorflow="tensorflow"):
    from lossary.tensorflow import nn
    from lossary.tensorflow.nn import (
        l2_loss,
        log_poisson_loss,
        sigmoid_cross_entropy_with_logits,
        softmax_cross_entropy_with_logits,
        sparse_softmax_cross_entropy_with_logits,
        weighted_cross_entropy_with_logits,
    )

__all__ = [
    "l2_loss",
    "log_poisson_loss",
    "nn",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]
