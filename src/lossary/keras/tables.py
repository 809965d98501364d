"""What Keras' door offers, said without Keras: the stubs are made where it is not installed."""

from __future__ import annotations

from lossary import catalogue
from lossary.definition import pascal_case
from lossary.engine import Loss

# Older Keras has not all of them; a class it lacks is left out.
CLASSES: dict[str, str] = {
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
    "CosineSimilarity": "cosine_similarity",
    "Huber": "huber",
    "LogCosh": "log_cosh",
    "Hinge": "hinge",
    "SquaredHinge": "squared_hinge",
    "CategoricalHinge": "categorical_hinge",
    "KLDivergence": "kl_divergence",
    "Poisson": "poisson",
    "BinaryCrossentropy": "binary_crossentropy",
    "BinaryFocalCrossentropy": "binary_focal_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "CategoricalFocalCrossentropy": "categorical_focal_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "CTC": "ctc",
    "Dice": "dice",
    "Tversky": "tversky",
    "Circle": "circle",
    "CategoricalGeneralizedCrossEntropy": "categorical_generalized_cross_entropy",
}

SHORT = (
    "MSE", "mse", "MAE", "mae", "MAPE", "mape", "MSLE", "msle", "KLD", "kld", "BCE", "bce",
    "logcosh", "kullback_leibler_divergence",
)  # fmt: skip
"""TensorFlow 2.3's other names for functions."""


def folded(name: str) -> str:
    """Return what is left of a name for somebody who does not look at capitals and ``_``."""
    return name.replace("_", "").lower()


KERAS = {folded(name) for name in (*CLASSES, *CLASSES.values(), *SHORT)}

_KERAS_TAKES = {"prediction", "score", "scores"}
"""The spaces of y_pred in which a loss of Keras that has our name is our loss."""


def class_name(loss: Loss) -> str:
    """Return the name of a loss's class: ``smooth_l1`` becomes ``SmoothL1``.

    What Keras calls by that name takes probabilities or a rate where ours takes something else;
    then the name ends with what that is.
    """
    plain, space = pascal_case(loss.name), loss.inputs[0].name
    if catalogue.get(loss.name) is loss and folded(plain) in KERAS and space not in _KERAS_TAKES:
        return f"{plain}From{pascal_case(space)}"
    return plain


def offered() -> list[Loss]:
    """Return the losses that have a class here: a name of Keras means Keras' loss."""
    two = [loss for loss in catalogue.values() if len(loss.inputs) == 2]
    return [loss for loss in two if folded(class_name(loss)) not in KERAS]
