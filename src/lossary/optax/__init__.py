"""optax' door: the functions of ``optax.losses`` over the core, by their names and signatures.

>>> import jax.numpy as jnp
>>> from lossary import optax as losses
>>> logits, labels = jnp.array([[17.0, 0.0], [0.0, 1.0]]), jnp.array([0, 0])
>>> print(losses.softmax_cross_entropy_with_integer_labels(logits, labels))
[4.1399375e-08 1.3132616e+00]

Each returns one value per example, works under ``jit``, ``grad``, ``vmap`` and forward mode, and
keeps optax' dtypes and errors. What the catalogue has no loss for is optax' own function under the
same name: ``DELEGATED`` lists it.
"""

from lossary.errors import needs

with needs("lossary.optax", optax="optax", jax="optax"):
    from optax.losses import (
        binary_dice_loss,
        ctc_loss_with_forward_probs,
        dice_loss,
        make_fenchel_young_loss,
        multiclass_generalized_dice_loss,
        multiclass_sparsemax_loss,
        ntxent,
        smooth_labels,
        sparsemax_loss,
    )

    from lossary.optax.alignments import ctc_loss
    from lossary.optax.classification import (
        poly_loss_cross_entropy,
        ranking_softmax_loss,
        safe_softmax_cross_entropy,
        sigmoid_binary_cross_entropy,
        sigmoid_focal_loss,
        softmax_cross_entropy,
        softmax_cross_entropy_with_integer_labels,
    )
    from lossary.optax.divergence import (
        convex_kl_divergence,
        generalized_kl_divergence,
        kl_divergence,
        kl_divergence_with_log_targets,
    )
    from lossary.optax.embedding import cosine_distance, cosine_similarity, triplet_margin_loss
    from lossary.optax.margins import (
        hinge_loss,
        multiclass_hinge_loss,
        multiclass_perceptron_loss,
        perceptron_loss,
    )
    from lossary.optax.regression import huber_loss, l2_loss, log_cosh, squared_error

__all__ = [
    "DELEGATED",
    "DOORS",
    "binary_dice_loss",
    "convex_kl_divergence",
    "cosine_distance",
    "cosine_similarity",
    "ctc_loss",
    "ctc_loss_with_forward_probs",
    "dice_loss",
    "generalized_kl_divergence",
    "hinge_loss",
    "huber_loss",
    "kl_divergence",
    "kl_divergence_with_log_targets",
    "l2_loss",
    "log_cosh",
    "make_fenchel_young_loss",
    "multiclass_generalized_dice_loss",
    "multiclass_hinge_loss",
    "multiclass_perceptron_loss",
    "multiclass_sparsemax_loss",
    "ntxent",
    "perceptron_loss",
    "poly_loss_cross_entropy",
    "ranking_softmax_loss",
    "safe_softmax_cross_entropy",
    "sigmoid_binary_cross_entropy",
    "sigmoid_focal_loss",
    "smooth_labels",
    "softmax_cross_entropy",
    "softmax_cross_entropy_with_integer_labels",
    "sparsemax_loss",
    "squared_error",
    "triplet_margin_loss",
]

_NAMES = [name for name in __all__ if name.islower()]

DELEGATED = tuple(name for name in _NAMES if globals()[name].__module__.startswith("optax."))
"""The functions that are optax' own."""

DOORS = tuple(name for name in _NAMES if name not in DELEGATED)
"""The functions that the core computes."""
