"""A Keras class for the losses of the catalogue that Keras has not: ``Focal(gamma=2.0)``.

They are named after the loss and take what its record says: logits, log-probabilities or scores for
``y_pred``, and no ``from_logits``. Losses of three arguments have none. ``catalogue.pyi`` spells
their signatures out for editors and type checkers (``python -m lossary.keras.stubs``).

>>> focal = Focal(gamma=1.0)
>>> print(round(float(focal([[1.0]], [[0.0]])), 4))
0.3466
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import keras

from lossary import catalogue
from lossary.definition import Argument
from lossary.engine import Loss as CoreLoss
from lossary.engine.checking import check_parameter
from lossary.keras import losses
from lossary.keras.computing import values
from lossary.keras.contract import broadcast, door, last, mean, same_shape

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
        bound = inspect.signature(type(self)).bind(**settings)
        bound.apply_defaults()
        own = {a.name: a for a in self.loss.parameters}
        self.axis = bound.arguments.get("axis", -1)
        self.settings = {n: v for n, v in bound.arguments.items() if n in own}
        for name_, value in self.settings.items():
            if isinstance(value, int | float):
                check_parameter(self.loss, own[name_], value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample: the mean along the last axis of a loss per element."""
        return self._door(y_true, y_pred, self)

    def get_config(self) -> dict[str, Any]:
        """Return everything that the constructor takes but the dtype."""
        axis = {"axis": self.axis} if self.loss.class_axis else {}
        settings = {k: losses.saved(v) for k, v in self.settings.items()}
        return super().get_config() | settings | axis

    @staticmethod
    def _door(y_true: Any, y_pred: Any, own: CatalogueLoss) -> Any:
        raise NotImplementedError


def _compute(y_true: Any, y_pred: Any, own: CatalogueLoss) -> Any:
    loss, rows = own.loss, own.loss.class_axis
    name: Any = loss.name if catalogue.get(loss.name) is loss else loss
    if not rows:
        y_true, y_pred = broadcast(y_true, y_pred)
        return mean(values(name, y_pred, y_true, **own.settings))
    y_pred = last(y_pred, own.axis)
    if loss.inputs[1].domain.class_axis:
        y_true = last(y_true, own.axis)
        same_shape(loss.name, y_true, y_pred)
    return values(name, y_pred, y_true, **own.settings)


def class_name(loss: CoreLoss) -> str:
    """Return the name of a loss's class: ``smooth_l1`` becomes ``SmoothL1``."""
    return "".join(part.capitalize() for part in loss.name.split("_"))


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
    labels = loss.inputs[1].domain.integer
    ours = catalogue.get(loss.name) is loss
    body = {
        "loss": loss,
        "_keeps_labels": labels,
        "_door": staticmethod(door(squeeze=not loss.class_axis, labels=labels)(_compute)),
        "__doc__": f"{loss.summary}\n\nThe Keras class of ``{loss.name}``, whose help says more.",
        "__module__": __name__ if ours else loss.formula.__module__,
        "__signature__": constructor(loss),
    }
    made = type(class_name(loss), (CatalogueLoss,), body)
    return keras.saving.register_keras_serializable(package="lossary")(made)


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


def offered() -> list[CoreLoss]:
    """Return the losses that have a class here: Keras' names stay Keras'."""
    taken = set(losses.__all__)
    two = [loss for loss in catalogue.values() if len(loss.inputs) == 2]
    return [loss for loss in two if class_name(loss) not in taken]


for _loss in offered():
    globals()[class_name(_loss)] = class_of(_loss)

__all__ = [  # noqa: PLE0604  (all of them are strings)
    "CatalogueLoss",
    "class_of",
    *map(class_name, offered()),
]  # pyright: ignore[reportUnsupportedDunderAll]
