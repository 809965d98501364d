# Written by `python -m lossary.keras.stubs`.
# ruff: noqa: RUF022  (names stand in the order of the tables)

from typing import Any, Literal, TypeAlias

import keras

__all__ = [
    "Loss",
    "Reduction",
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "Hinge",
    "SquaredHinge",
    "CategoricalHinge",
    "KLDivergence",
    "Poisson",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "SparseCategoricalCrossentropy",
    "CTC",
    "Dice",
    "Tversky",
    "Circle",
    "CategoricalGeneralizedCrossEntropy",
]

CLASSES: dict[str, str]
MEAN: str

_Reduction: TypeAlias = (
    Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"] | None
)

class Reduction:
    AUTO: str
    NONE: str
    SUM: str
    SUM_OVER_BATCH_SIZE: str

def reduction_of(reduction: str | None) -> str | None: ...
def saved(value: Any) -> Any: ...
def tensor(x: Any, dtype: str | None) -> Any: ...

class Loss(keras.losses.Loss):
    _keeps_labels: bool
    def __init__(
        self, name: str | None = None, reduction: str | None = ..., dtype: Any = None
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class MeanSquaredError(keras.losses.MeanSquaredError):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class MeanAbsoluteError(keras.losses.MeanAbsoluteError):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class MeanAbsolutePercentageError(keras.losses.MeanAbsolutePercentageError):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class MeanSquaredLogarithmicError(keras.losses.MeanSquaredLogarithmicError):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class CosineSimilarity(keras.losses.CosineSimilarity):
    def __init__(
        self,
        axis: int | tuple[int, ...] | None = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class Huber(keras.losses.Huber):
    def __init__(
        self,
        delta: Any = 1.0,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class LogCosh(keras.losses.LogCosh):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class Hinge(keras.losses.Hinge):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class SquaredHinge(keras.losses.SquaredHinge):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class CategoricalHinge(keras.losses.CategoricalHinge):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class KLDivergence(keras.losses.KLDivergence):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class Poisson(keras.losses.Poisson):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class BinaryCrossentropy(keras.losses.BinaryCrossentropy):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | tuple[int, ...] | None = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class BinaryFocalCrossentropy(keras.losses.BinaryFocalCrossentropy):
    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | tuple[int, ...] | None = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class CategoricalCrossentropy(keras.losses.CategoricalCrossentropy):
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | tuple[int, ...] | None = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class CategoricalFocalCrossentropy(keras.losses.CategoricalFocalCrossentropy):
    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | tuple[int, ...] | None = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class SparseCategoricalCrossentropy(keras.losses.SparseCategoricalCrossentropy):
    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: _Reduction = "sum_over_batch_size",
        axis: int | tuple[int, ...] | None = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class CTC(keras.losses.CTC):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class Dice(keras.losses.Dice):
    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class Tversky(keras.losses.Tversky):
    def __init__(
        self,
        alpha: Any = 0.5,
        beta: float = 0.5,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class Circle(keras.losses.Circle):
    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class CategoricalGeneralizedCrossEntropy(keras.losses.CategoricalGeneralizedCrossEntropy):
    def __init__(
        self,
        q: float = 0.5,
        reduction: _Reduction = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...
