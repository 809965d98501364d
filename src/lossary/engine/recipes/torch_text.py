"""Short calls on tensors while there is no kernel: NumPy's text, on the same memory.

PyTorch's operations cost several microseconds each, and a node of the graph beside; NumPy's cost
one, and give the gradient with the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lossary.engine.evaluate import derivatives, value
from lossary.engine.libraries.torch_memory import PLAIN
from lossary.engine.recipes.recipe import VALUE, Recipe, plans, remember
from lossary.engine.recipes.torch_plan import Plan, plan_of, scalar
from lossary.engine.selection import CUTOFF, chosen
from lossary.errors import LossaryError

_NO_CUT = (0, 0, 0, 0, 0, 0, 0), False
_READ = frozenset({torch.float64, torch.float32})
_KNOWN = _READ | {torch.bool, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8}


def text_of(
    like: Any,
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...],
) -> Plan | None:
    """Return how calls like this one go by a text; None for the long road."""
    own = (like, "text")
    return plans.get(own) or (_made(own, loss, args, options, wanted))


def _made(
    own: Any,
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...],
) -> Plan | None:
    if chosen() != "auto" or wanted[-1] == "hessian" or options.get("inplace"):
        return None
    if len(args) != len(loss.inputs) or not PLAIN.issuperset(map(type, args)):
        return None
    extras = tuple(name for name, x in options.items() if type(x) in PLAIN)
    around = [options[name] for name in extras]
    if any(x.requires_grad for x in around):
        return None
    if not all(x.dtype in _KNOWN for x in (*args, *around)):
        return None
    first = args[0]
    if first.dtype not in _READ or not 0 < first.numel() < CUTOFF:
        return None
    moving = _moving(loss, args)
    if moving is None:
        return None
    moving = moving if wanted is VALUE else (0,)
    recipe = _recipe(loss, options, extras, moving)
    if recipe.each and (extras or recipe.ignoring):
        return None
    plan = plan_of(loss, recipe, args, options, wanted, False, False, _NO_CUT, Text)
    remember(own, plan)
    return plan


def _moving(loss: Any, args: tuple[Any, ...]) -> tuple[int, ...] | None:
    """Return the places of the inputs that get a gradient; None for one that a text rounds."""
    if not torch.is_grad_enabled():
        return ()
    found = tuple(
        place for place, (x, a) in enumerate(zip(args, loss.inputs, strict=True))
        if x.requires_grad and a.domain.continuous
    )  # fmt: skip
    return found if all(args[place].dtype in _READ for place in found) else None


def _recipe(
    loss: Any,
    options: Mapping[str, Any],
    extras: tuple[str, ...],
    moving: tuple[int, ...],
) -> Recipe:
    """Return what a plan asks of a recipe beside its machine code."""
    rows = bool(loss.class_axis)
    whole = tuple(not rows or a.domain.class_axis for a in loss.inputs)
    ignoring = options.get("ignore_index") is not None
    each = options.get("reduction") == "none"
    return Recipe(loss, rows, whole, moving, (), extras, ignoring, each, True, 0)


@dataclass(slots=True, eq=False)
class Text(Plan):
    """A plan whose values and gradients are those of NumPy's text."""

    def computed(self, tensors: Sequence[Any], factor: float = 1.0) -> tuple[Any, list[Any]] | None:
        """Return the value and the gradients times the factor; None where the text refuses."""
        count = len(self.recipe.whole)
        arrays = [x.detach().numpy() for x in tensors]
        options = dict(self.options)
        options.update(zip(self.recipe.extras, arrays[count:], strict=True))
        rooms = [torch.empty_like(tensors[place]) for place in self.recipe.moving]
        try:
            number = self._filled(rooms, tuple(arrays[:count]), options)
        except (LossaryError, TypeError, ValueError):
            return None  # the long road says what is wrong, in terms of tensors
        if factor != 1.0:
            rooms = [x.mul_(factor) for x in rooms]
        if self.recipe.each:
            return torch.from_numpy(np.array(number)), rooms
        return scalar(float(number), self.dtype), rooms

    def _filled(self, rooms: list[Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Fill the gradients, and return the value."""
        if not rooms:
            return value(self.loss, args, options)
        number: Any = None
        for place, room in zip(self.recipe.moving, rooms, strict=True):
            kinds = ("gradient",) if number is not None else ("value", "gradient")
            name = self.loss.inputs[place].name
            found = derivatives(self.loss, args, options, kinds, name, room.numpy())
            number = found[0] if number is None else number
        return number
