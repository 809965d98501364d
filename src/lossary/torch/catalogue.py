"""A module for every loss of the catalogue, made from its record: ``Focal(gamma=2.0)``.

These keep lossary's contract, not PyTorch's: values are checked, shapes never broadcast, half
precision returns float32. A stub that the build writes spells their signatures out for editors
and type checkers (``python docs/stubs.py``).

>>> import torch
>>> focal = Focal(gamma=2.0)
>>> focal
Focal(gamma=2.0, alpha=None)
>>> focal(torch.tensor([0.0]), torch.tensor([1.0]))
tensor(0.1733)
"""

from __future__ import annotations

import inspect
import sys
from functools import cache
from typing import Any

from torch import Tensor, nn

from lossary import catalogue
from lossary.definition import pascal_case
from lossary.engine import Loss
from lossary.typing import Batch

_CALL = (*Batch.__annotations__, "position_weight")
"""Options that belong to a batch: arguments of ``forward``. The others belong to the module."""

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


class LossModule(nn.Module):
    """A loss of the catalogue as a module.

    Its hyper-parameters and options are keywords of the constructor. A tensor becomes a buffer, a
    :class:`torch.nn.Parameter` a parameter, which is then learned.
    """

    loss: Loss

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        bound = inspect.signature(type(self)).bind(**settings)
        bound.apply_defaults()
        self._names = tuple(bound.arguments)
        for name, value in bound.arguments.items():
            if isinstance(value, nn.Parameter):
                self.register_parameter(name, value)
            elif isinstance(value, Tensor):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *args: Tensor, **kwargs: Any) -> Tensor:
        """Return the loss of tensors; ``weight``, ``mask`` and ``denominator`` may be given."""
        return self.loss(*args, **{name: getattr(self, name) for name in self._names}, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        kind, plain = type(self), super().__reduce_ex__(protocol)
        named = getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind
        if named or kind is not module_of(self.loss):
            return plain
        # A class that no module leads to is made anew of its loss, which pickles or says why not.
        return blank, (self.loss,), *plain[2:]

    def extra_repr(self) -> str:
        """Return the hyper-parameters, and the options that are not what they are by default."""
        defaults = inspect.signature(type(self)).parameters
        own = {a.name for a in self.loss.parameters}
        shown = [n for n in self._names if n in own or _differs(self, n, defaults[n].default)]
        return ", ".join(f"{name}={_shown(getattr(self, name))}" for name in shown)


def _differs(module: nn.Module, name: str, default: Any) -> bool:
    value = getattr(module, name)
    return isinstance(value, Tensor) or value != default


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"tensor of shape {tuple(value.shape)}" if value.dim() else f"{value.item():g}"
    return repr(value)


def class_name(loss: Loss) -> str:
    """Return the name of a loss's module: ``smooth_l1`` becomes ``SmoothL1``."""
    return pascal_case(loss.name)


def constructor(loss: Loss) -> inspect.Signature:
    """Return what the module of a loss is made with: all keywords of a call but the batch's."""
    kept = [
        p for p in loss.__signature__.parameters.values()
        if p.kind is _KEYWORD and p.name not in _CALL
    ]  # fmt: skip
    return inspect.Signature(kept)


@cache
def module_of(loss: Loss) -> type[LossModule]:
    """Return the module class of a loss; a user's own loss has one too.

    >>> import lossary as L
    >>> module_of(L.huber)(delta=2.0)
    Huber(delta=2.0)
    """
    ours = catalogue.get(loss.name) is loss
    body = {
        "loss": loss,
        "__doc__": f"{loss.summary}\n\nThe module of ``{loss.name}``, whose help says more.",
        "__module__": __name__ if ours else loss.formula.__module__,
        "__signature__": constructor(loss),
    }
    return type(class_name(loss), (LossModule,), body)


def blank(loss: Loss) -> LossModule:
    """Return a module of a loss without its state, which a pickle brings."""
    kind = module_of(loss)
    return kind.__new__(kind)


for _loss in catalogue.values():
    globals()[class_name(_loss)] = module_of(_loss)

__all__ = [  # noqa: PLE0604  (all of them are strings)
    "LossModule",
    "module_of",
    *map(class_name, catalogue.values()),
]  # pyright: ignore[reportUnsupportedDunderAll]
