"""The functions of :mod:`keras.losses`, by their names and signatures.

``dice``, ``tversky`` and ``circle`` are Keras' own: sums over any axes, and over pairs within a
batch, are outside the language of formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras.src.losses import losses as _own

from lossary.keras import tables
from lossary.keras.alignments import ctc
from lossary.keras.classification import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from lossary.keras.focal import (
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from lossary.keras.margins import categorical_hinge, hinge, squared_hinge
from lossary.keras.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)

dice: Callable[..., Any] = _own.dice
tversky: Callable[..., Any] = _own.tversky
circle: Callable[..., Any] | None = getattr(_own, "circle", None)

OURS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        mean_squared_error, mean_absolute_error, mean_absolute_percentage_error,
        mean_squared_logarithmic_error, cosine_similarity, huber, log_cosh, hinge, squared_hinge,
        categorical_hinge, kl_divergence, poisson, binary_crossentropy, binary_focal_crossentropy,
        categorical_crossentropy, categorical_focal_crossentropy, sparse_categorical_crossentropy,
        categorical_generalized_cross_entropy, ctc,
    )
}  # fmt: skip

for _function in OURS.values():
    keras.saving.register_keras_serializable(package="lossary")(_function)

# TensorFlow 2.3's other names for them.
MSE = mean_squared_error
mse = mean_squared_error
MAE = mean_absolute_error
mae = mean_absolute_error
MAPE = mean_absolute_percentage_error
mape = mean_absolute_percentage_error
MSLE = mean_squared_logarithmic_error
msle = mean_squared_logarithmic_error
KLD = kl_divergence
kld = kl_divergence
kullback_leibler_divergence = kl_divergence
BCE = binary_crossentropy
bce = binary_crossentropy
logcosh = log_cosh

SHORT: dict[str, Callable[..., Any]] = {name: globals()[name] for name in tables.SHORT}

__all__ = [  # noqa: PLE0604  (the names of both tables are strings)
    *OURS,
    *SHORT,
    "circle",
    "dice",
    "tversky",
]  # pyright: ignore[reportUnsupportedDunderAll]
