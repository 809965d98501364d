"""A Keras class for the losses of the catalogue that Keras has not: ``Focal(gamma=2.0)``.

They are named after the loss and take what its record says: logits, log-probabilities or scores for
``y_pred``, and no ``from_logits``. A loss whose name Keras uses for another one, in whatever
capitals, says what it takes: ``KlDivergenceFromLogProbabilities``. Values are checked. Losses of
three arguments have no class. A stub that the build writes spells the signatures out for editors
and type checkers (``python docs/stubs.py``).

>>> focal = Focal(gamma=1.0)
>>> print(round(float(focal([[1.0]], [[0.0]])), 4))
0.3466
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import keras
import numpy as np
from keras.src.losses.loss import squeeze_or_expand_to_same_rank

from lossary.definition import Argument, pascal_case
from lossary.doors import is_ours, made_for
from lossary.engine import Loss as CoreLoss
from lossary.errors import ShapeError
from lossary.keras import losses
from lossary.keras.contract import axes_of, broadcast, last, mean, ops, same_shape
from lossary.keras.domains import check_labels_fit, check_setting, neutral, values_inside
from lossary.keras.tables import KERAS, class_name, folded, offered

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


class CatalogueLoss(losses.Loss):
    """A loss of the catalogue as a Keras loss; its hyper-parameters are keywords."""

    loss: ClassVar[CoreLoss]

    def __init__(
        self,
        *,
        reduction: str | None = losses.MEAN,
        name: str | None = None,
        dtype: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(name=name or self.loss.name, reduction=reduction, dtype=dtype)
        bound = _bound(type(self), settings)
        self.axis: Any = axes_of(self.loss.name, bound.get("axis", -1), several=False)
        self.settings: dict[str, Any] = {a.name: bound[a.name] for a in self.loss.parameters}
        for argument in self.loss.parameters:
            check_setting(self.loss, argument, self.settings[argument.name])

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample: the mean along the last axis of a loss per element."""
        y_true, y_pred = self._tensors(y_true, y_pred)
        if not self.loss.class_axis:
            if len(y_true.shape) != len(y_pred.shape):
                y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
            y_true, y_pred = broadcast(y_true, y_pred)
            return mean(values_inside(self.loss, y_true, y_pred, self.settings))
        y_true, y_pred = self._rows(y_true, y_pred)
        return values_inside(self.loss, y_true, y_pred, self.settings)

    def _rows(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Return both with the classes last; labels may have an axis of length 1 for them."""
        name, axis, rank = self.loss.name, self.axis, len(y_pred.shape)
        if not -rank <= axis < rank:
            raise ShapeError(
                f"{name}: axis {axis} is outside y_pred of shape {tuple(y_pred.shape)}"
            )
        rows = last(y_pred, axis)
        if self.loss.inputs[1].domain.class_axis:
            same_shape(name, y_true, y_pred)
            return last(y_true, axis), rows
        if len(y_true.shape) == rank and y_true.shape[axis] == 1:
            y_true = ops.squeeze(y_true, axis=axis)
        return y_true, rows

    def _tensors(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Return both as tensors: labels as they are, others of the loss's dtype or of halves.

        Halves stay what they are, so that a row's sum is judged by the rounding it has seen.
        """
        if not self._keeps_labels:
            return self._numbers(y_true), self._numbers(y_pred)
        if isinstance(y_true, list | tuple):
            y_true = np.asarray(y_true)
        check_labels_fit(self.loss, y_true)
        return losses.tensor(y_true, None), self._numbers(y_pred)

    def _numbers(self, x: Any) -> Any:
        x = losses.tensor(x, None)
        dtype = keras.backend.standardize_dtype(x.dtype)
        return x if dtype in {self.dtype, "bfloat16", "float16"} else ops.cast(x, self.dtype)

    def _harmless(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        prediction, target = self.loss.inputs
        return neutral(target, y_true, self.axis), neutral(prediction, y_pred, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return everything that the constructor takes but the dtype."""
        axis = {"axis": self.axis} if self.loss.class_axis else {}
        settings = {k: losses.saved(v) for k, v in self.settings.items()}
        return super().get_config() | settings | axis


def _bound(kind: type[CatalogueLoss], settings: dict[str, Any]) -> dict[str, Any]:
    """Return all settings of a class by name; TypeError names what it has not or misses."""
    signature = inspect.signature(kind)
    if unknown := settings.keys() - signature.parameters.keys():
        hint = f"it takes {', '.join(signature.parameters)}"
        if "from_logits" in unknown:
            hint = f"{kind.__name__} takes y_pred as {_space(kind.loss)}, always; {hint}"
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}\nhint: {hint}")
    bound = signature.bind(**settings)
    bound.apply_defaults()
    return bound.arguments


def _space(loss: CoreLoss) -> str:
    return loss.inputs[0].name.replace("_", "-")


def class_of(loss: CoreLoss) -> type[CatalogueLoss]:
    """Return the Keras class of a loss of two arguments; a user's own loss has one too.

    Assign it to its own name, ``Welsch = class_of(welsch)``, where models are saved and loaded.

    >>> import lossary as L
    >>> round(float(class_of(L.focal)(gamma=2.0)([[1.0]], [[0.0]])), 4)
    0.1733
    """
    if len(loss.inputs) != 2:
        raise TypeError(
            f"{loss.name} takes {len(loss.inputs)} arguments, and a Keras loss y_true and y_pred"
        )
    ours, name = is_ours(loss), class_name(loss)
    if ours and name in globals():  # Keras would read saved models with whichever was made last
        return globals()[name]
    labels, signature = loss.inputs[1].domain.integer, constructor(loss)
    made = made_for(loss, CatalogueLoss, name, "Keras class", signature, _keeps_labels=labels)
    package = "lossary" if ours and folded(name) not in KERAS else made.__module__
    return keras.saving.register_keras_serializable(package)(made)


def constructor(loss: CoreLoss) -> inspect.Signature:
    """Return what the class of a loss is made with: its hyper-parameters, and Keras' options."""
    options = {"reduction": losses.MEAN, "name": None, "dtype": None}
    if loss.class_axis:
        options = {"axis": -1, **options}
    own = [inspect.Parameter(a.name, _KEYWORD, default=_default(a)) for a in loss.parameters]
    own += [inspect.Parameter(n, _KEYWORD, default=value) for n, value in options.items()]
    return inspect.Signature(own)


def _default(argument: Argument) -> Any:
    return inspect.Parameter.empty if argument.required else argument.default


for _loss in offered():
    globals()[class_name(_loss)] = class_of(_loss)


def _refusing(old: str, loss: CoreLoss) -> Any:
    """Return what stands under a name that differs from one of Keras by capitals only."""
    keras_name = next(name for name in losses.CLASSES if folded(name) == folded(old))

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"lossary.keras has no {old}: Keras' {keras_name} differs from it by capitals only\n"
            f"hint: {class_name(loss)} takes {_space(loss)}, {keras_name} is Keras' own loss"
        )

    refuse.__name__ = refuse.__qualname__ = old
    return refuse


RENAMED = {
    pascal_case(_loss.name): class_name(_loss)
    for _loss in offered()
    if pascal_case(_loss.name) not in {class_name(_loss), *losses.CLASSES}
}
"""Names of earlier versions, and what they are called now."""

for _old, _new in RENAMED.items():
    globals()[_old] = _refusing(_old, globals()[_new].loss)
    # A saved model cannot mean anything else.
    keras.saving.get_custom_objects()[f"lossary>{_old}"] = globals()[_new]

__all__ = [  # noqa: PLE0604  (all of them are strings)
    "CatalogueLoss",
    "class_of",
    *map(class_name, offered()),
]  # pyright: ignore[reportUnsupportedDunderAll]
