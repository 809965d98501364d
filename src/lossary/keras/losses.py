"""The classes of :mod:`keras.losses`: the same constructors, names and configs, lossary's losses.

Each is a subclass of Keras' of that name, so that ``isinstance`` and saved configs stay what they
were. The classes are made from one table; stubs that the build writes spell them out for editors
and type checkers (``python docs/stubs.py``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Self

import keras
import numpy as np
from keras.src.backend import get_keras_mask, name_scope
from keras.src.losses.loss import reduce_weighted_values, squeeze_or_expand_to_same_rank

from lossary.engine.autograph import as_written
from lossary.errors import warn
from lossary.keras import functions
from lossary.keras.computing import BACKEND
from lossary.keras.contract import axes_of, ops
from lossary.keras.tables import CLASSES

# Where TensorFlow 2.3 had the reduction as a positional argument and Keras 3 has something else.
_REDUCTION_IN_2_3 = {
    "BinaryCrossentropy": 2,
    "CategoricalCrossentropy": 2,
    "SparseCategoricalCrossentropy": 1,
}

# Labels have the shape of y_pred without one axis; in the others the classes may fill several.
_ONE_AXIS = {"SparseCategoricalCrossentropy"}

MEAN = "sum_over_batch_size"
_PER_SAMPLE = {None, "none"}
_MEANS = {MEAN, "mean", "mean_with_sample_weight"}


class Reduction:
    """The reductions by the names of ``tf.keras.losses.Reduction`` in TensorFlow 2.3."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = MEAN


def reduction_of(reduction: str | None) -> str | None:
    """Return the reduction; TensorFlow 2.3's ``"auto"`` is the mean over the batch, and warns."""
    if reduction != Reduction.AUTO:
        return reduction
    warn('reduction="auto" is TensorFlow 2.3\'s; write "sum_over_batch_size", which it means')
    return MEAN


@as_written
class Loss(keras.losses.Loss):
    """:class:`keras.losses.Loss`, the base class of your own losses too: override ``call``.

    A call converts the tensors to ``dtype``, computes one value per sample, and then follows
    Keras' rules: ``sample_weight`` and the Keras masks of ``y_pred`` and of the values weigh
    what ``reduction`` combines. ``reduction="auto"``, TensorFlow 2.3's word, warns.

    >>> class Absolute(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return abs(y_true - y_pred)
    >>> print(float(Absolute()([1.0, 2.0], [1.0, 5.0])))
    1.5
    """

    _fn_kwargs: ClassVar[dict[str, Any]] = {}
    _keeps_labels = False

    def __init__(
        self, name: str | None = None, reduction: str | None = MEAN, dtype: Any = None
    ) -> None:
        standard: Any = reduction_of(reduction)
        super().__init__(name=name, reduction=standard, dtype=dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch."""
        if BACKEND == "torch":
            return self._compute(y_true, y_pred, sample_weight)
        with name_scope(self.name):
            return self._compute(y_true, y_pred, sample_weight)

    def _compute(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        mask = get_keras_mask(y_pred)
        y_true, y_pred = self._tensors(y_true, y_pred)
        if mask is not None:
            harmless = self._harmless(y_true, y_pred)
            y_true, y_pred = (
                _without(mask, y_true, harmless[0]),
                _without(mask, y_pred, harmless[1]),
            )
        values = self.call(y_true, y_pred)
        own = get_keras_mask(values)
        if own is not None:
            mask = own if mask is None else ops.logical_and(mask, own)
        if mask is None and sample_weight is None and _is_simple(values):
            values = ops.convert_to_tensor(values, dtype=self.dtype)
            if self.reduction in _PER_SAMPLE:
                return values
            return ops.mean(values) if self.reduction in _MEANS else ops.sum(values)
        return reduce_weighted_values(
            values,
            sample_weight=sample_weight,
            mask=mask,
            reduction=self.reduction,
            dtype=self.dtype,
        )

    def _tensors(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Return both as tensors of the loss's dtype; labels keep theirs."""
        y_pred = tensor(y_pred, self.dtype)
        return tensor(y_true, None if self._keeps_labels else self.dtype), y_pred

    def _harmless(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Return what stands for y_true and y_pred where the mask says no."""
        return 0, 0.5

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the loss of a config, tensors among its settings included."""
        return cls(**{k: _loaded(v) for k, v in config.items()})

    def __repr__(self) -> str:
        settings = {k: v for k, v in self.get_config().items() if k != "name"}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in settings.items())})"


def _differs(value: Any, default: Any) -> bool:
    return not isinstance(value, str | float | int | None) or value != default


def saved(value: Any) -> Any:
    """Return a setting as a config holds it: tensors and arrays become dictionaries."""
    plain = value is None or isinstance(value, str | float | int | list | tuple)
    return value if plain else keras.saving.serialize_keras_object(value)


def _loaded(value: Any) -> Any:
    saved = isinstance(value, dict) and "class_name" in value
    return keras.saving.deserialize_keras_object(value) if saved else value


def tensor(x: Any, dtype: str | None) -> Any:
    """Return a tensor, of a list too; None keeps the dtype."""
    if isinstance(x, list | tuple) and not any(ops.is_tensor(v) for v in x):
        x = np.asarray(x)
    return ops.convert_to_tensor(x, dtype=dtype)


def _without(mask: Any, x: Any, neutral: Any) -> Any:
    """Return x with a harmless number where the mask says no: its gradient there is 0, not NaN."""
    rank = len(mask.shape)
    if tuple(x.shape[:rank]) != tuple(mask.shape):
        return x
    places = ops.reshape(mask, (*ops.shape(mask), *[1] * (len(x.shape) - rank)))
    return ops.where(ops.cast(places, "bool"), x, ops.cast(neutral, x.dtype))


def _is_simple(values: Any) -> bool:
    """Whether mean and sum are all that a reduction does: no scalar, no unknown or empty axis."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            return False
    shape = values.shape
    return len(shape) > 0 and all(shape)


def _class(name: str, function: Callable[..., Any]) -> type[Loss]:
    """Return Keras' class with the function of the door behind it."""
    base = getattr(keras.losses, name)
    signature = inspect.signature(base.__init__)
    place = _REDUCTION_IN_2_3.get(name)

    def call(self: Any, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample."""
        if len(y_true.shape) != len(y_pred.shape):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return function(y_true, y_pred, **self._fn_kwargs)

    @wraps(base.__init__)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        if place is not None and len(args) > place and isinstance(args[place], str):
            kwargs |= dict(zip(("reduction", "name"), args[place:], strict=False))
            args = args[:place]
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        bound.arguments["reduction"] = reduction_of(bound.arguments["reduction"])
        if "axis" in bound.arguments:
            axis = axes_of(name, bound.arguments["axis"], several=name not in _ONE_AXIS)
            bound.arguments["axis"] = axis
        base.__init__(*bound.args, **bound.kwargs)
        self.fn = function

    described = f":class:`keras.losses.{name}`, computed by :func:`lossary.keras.{CLASSES[name]}`."
    defaults = {n: p.default for n, p in signature.parameters.items()}

    def get_config(self: Any) -> dict[str, Any]:
        """Return Keras' config and what it loses: a ``delta`` or ``axis`` that was set."""
        own = {k: v for k, v in self._fn_kwargs.items() if _differs(v, defaults[k])}
        return {k: saved(v) for k, v in (base.get_config(self) | own).items()}

    body = {
        "__doc__": described,
        "__module__": __name__,
        "__init__": construct,
        "call": call,
        "get_config": get_config,
        "_keeps_labels": CLASSES[name] == "sparse_categorical_crossentropy",
    }
    made = type(name, (Loss, base), body)
    return keras.saving.register_keras_serializable(package="lossary")(made)


for _name, _function in CLASSES.items():
    if hasattr(keras.losses, _name):
        globals()[_name] = _class(_name, getattr(functions, _function))

__all__ = [  # noqa: PLE0604  (all of them are strings)
    "Loss",
    "Reduction",
    *(name for name in CLASSES if name in globals()),
]  # pyright: ignore[reportUnsupportedDunderAll]
