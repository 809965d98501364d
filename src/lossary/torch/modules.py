"""The criteria of :mod:`torch.nn`: the same constructors, buffers and names, lossary's losses.

Each is a subclass of PyTorch's, so that ``isinstance``, state dicts, ``repr`` and the legacy
arguments stay what they were; only ``forward`` differs. The classes are made from one table;
stubs that the build writes spell them out for editors and type checkers (``python docs/stubs.py``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from torch import Tensor, nn

from lossary.torch import functional as F
from lossary.torch import tables
from lossary.torch.contract import refuse_scripting

CRITERIA: dict[str, Callable[..., Tensor]] = {
    name: getattr(F, function) for name, function in tables.CRITERIA.items()
}

_LEGACY = {"size_average", "reduce"}


def _criterion(name: str, function: Callable[..., Tensor]) -> type[nn.Module]:
    """Return PyTorch's criterion with the function of the door behind ``forward``."""
    base = getattr(nn, name)
    accepted = list(inspect.signature(function).parameters)
    constructed = inspect.signature(base.__init__).parameters
    settings = tuple(n for n in accepted if n in constructed and n not in _LEGACY)
    tensors = list(inspect.signature(base.forward).parameters)[1:]
    # PoissonNLLLoss calls its first tensor log_input, which the function has for something else.
    words = {own: word for own, word in zip(tensors, accepted, strict=False) if own != word}

    @wraps(base.forward)
    def forward(self: Any, *args: Tensor, **kwargs: Tensor) -> Tensor:
        chosen = {key: getattr(self, key) for key in settings}
        for key, value in kwargs.items():
            chosen[words.get(key, key)] = value
        return function(*args, **chosen)

    own = f"lossary.torch.functional.{function.__name__}"
    described = f":class:`torch.nn.{name}`, computed by :func:`{own}`."
    return _subclass(base, described, forward)


def _subclass(base: Any, described: str, forward: Callable[..., Tensor]) -> type[nn.Module]:
    name = base.__name__
    body = {
        "__doc__": described,
        "__module__": __name__,
        "forward": forward,
        "__prepare_scriptable__": lambda _: refuse_scripting(name),
    }
    return type(name, (base,), body)


def _linear(base: Any) -> type[nn.Module]:
    """Return the criterion that owns a linear layer."""

    def forward(self: Any, input: Tensor, target: Tensor) -> Tensor:
        layer = self.linear
        shape = (self.num_classes, *self.out_features)
        return F.linear_cross_entropy(
            input,
            layer.weight.reshape(*shape, layer.in_features),
            target,
            linear_bias=None if layer.bias is None else layer.bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    described = (
        ":class:`torch.nn.LinearCrossEntropyLoss`, computed by "
        ":func:`lossary.torch.functional.linear_cross_entropy`."
    )
    return _subclass(base, described, forward)


for _name, _function in CRITERIA.items():
    if _function is not F.linear_cross_entropy:
        globals()[_name] = _criterion(_name, _function)
    elif hasattr(nn, _name):
        globals()[_name] = _linear(getattr(nn, _name))

__all__ = [name for name in CRITERIA if name in globals()]  # pyright: ignore[reportUnsupportedDunderAll]
