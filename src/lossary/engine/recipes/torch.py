"""Short calls on tensors of PyTorch in this machine's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch.autograd import forward_ad

from lossary.engine.evaluate import derivatives_by_operations
from lossary.engine.libraries.torch import is_transformed, is_watched
from lossary.engine.libraries.torch_derived import in_graph
from lossary.engine.libraries.torch_memory import PLAIN, keys_of
from lossary.engine.recipes.recipe import (
    NO_RECIPE,
    VALUE,
    Recipe,
    find,
    length,
    option_kind,
    plans,
    remember,
)
from lossary.engine.recipes.torch_plan import NUMBERS, Plan, plan_of
from lossary.engine.recipes.torch_text import text_of
from lossary.engine.selection import kernels_allowed
from lossary.kernels import openmp

_Guards: Any = getattr(getattr(torch._C._dynamo, "guards", None), "TensorGuards", None)  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
_WORDS = frozenset({str, float, int, bool, type(None)})


def call(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...] = VALUE,
    out: Any = None,
) -> Any:
    """Return the reduced loss, or what else is wanted; NO_RECIPE for the long road."""
    if out is not None:
        return NO_RECIPE
    what = (loss, wanted)
    given = (*args, *options.values()) if options else args
    plan = repeated(what, given, options)
    if plan is None:
        like = like_this(what, args, options)
        if like is None:
            return NO_RECIPE
        plan = plans.get(like) or planned(like, loss, args, options, wanted)
        if plan is not None:
            expect(what, given, options, plan)
        elif (plan := text_of(like, loss, args, options, wanted)) is None:
            return NO_RECIPE
    found = plan.answer(given)
    if wanted is VALUE or found is NO_RECIPE:
        return found
    first = loss.inputs[0].name
    again = partial(derivatives_by_operations, loss, args, options, wanted, first)
    return in_graph(found, args, again)


class _Last:
    """The last call of a loss that went by a plan, and what says whether another is like it.

    ``kinds`` and ``words`` are the types of all it was given, and what was no tensor.
    """

    __slots__ = ("graph", "guard", "kinds", "names", "places", "plan", "words")

    def __init__(self, given: Sequence[Any], options: Mapping[str, Any], plan: Plan) -> None:
        self.plan, self.names, self.graph = plan, tuple(options), torch.is_grad_enabled()
        self.kinds = [*map(type, given)]
        self.words = [x for x in given if type(x) not in PLAIN]
        self.places = [place for place, kind in enumerate(self.kinds) if kind in PLAIN]
        self.guard: Any = None

    def guarded(self, given: Sequence[Any]) -> None:
        """Have PyTorch look at the tensors of a call from now on."""
        tensors = [given[place] for place in self.places]
        self.guard = _Guards(
            *tensors,
            dynamic_dims_sizes=[[*x.shape] for x in tensors],
            dynamic_dims_strides=[[*x.stride()] for x in tensors],
        )


def repeated(what: Any, given: Sequence[Any], options: Mapping[str, Any]) -> Plan | None:
    """Return the plan of the last call of a loss if this one is like it: training repeats itself.

    One call of PyTorch's compares types, keys of the dispatcher, shapes, strides and whether a
    gradient is wanted. ``like_this`` looks at each, in some four times the time.
    """
    if is_watched() or is_transformed() or forward_ad._current_level >= 0:  # noqa: SLF001
        return None
    last = plans.get(what)
    if last is None or last.guard is None or last.graph is not torch.is_grad_enabled():
        return None
    if not kernels_allowed():
        return None
    if not last.words:
        same = last.names == tuple(options) and len(given) == len(last.kinds)
        return last.plan if same and last.guard.check(*given) else None
    if last.names != tuple(options) or last.kinds != [*map(type, given)]:
        return None
    if last.words != [x for x in given if type(x) not in PLAIN]:
        return None
    return last.plan if last.guard.check(*[given[place] for place in last.places]) else None


def expect(what: Any, given: Sequence[Any], options: Mapping[str, Any], plan: Plan) -> None:
    """Note that a call went by a plan; when it did so twice, the third is asked for first."""
    last = plans.get(what)
    if last is None or last.plan is not plan:
        remember(what, _Last(given, options, plan))
    elif _Guards is not None:
        last.guarded(given)


def explain(loss: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> str | None:
    """Say what computes a short call, if a recipe or a text does."""
    like = like_this((loss, VALUE), args, options)
    if like is None:
        return None
    if like in plans:
        return f"{loss.name}: a fused kernel, as such calls have come often"
    if text_of(like, loss, args, options, VALUE) is None:
        return None
    why = (
        loss.without_kernel
        or "their kernel is not ready; it is made when such calls have come often"
    )
    return f"{loss.name}: numpy operations on the memory of the tensors, because {why}"


def like_this(what: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Return all that the answer of a call hangs on, beside the numbers in its tensors.

    None where these are not plain memory, number after number, or somebody is watching.
    """
    if is_watched() or is_transformed() or forward_ad._current_level >= 0 or not kernels_allowed():  # noqa: SLF001
        return None
    like: list[Any] = [what, torch.is_grad_enabled()]
    for x in (*args, *options.values()):
        kind = type(x)
        if kind in PLAIN:
            if keys_of(x).raw_repr() != NUMBERS or not x.is_contiguous():
                return None
            like += (x.shape, x.dtype, x.requires_grad)
        elif kind in _WORDS:
            like += (kind, x)
        else:
            return None
    return (*like, *options)


def planned(
    like: Any,
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...] = VALUE,
    loose: bool = False,
    finite: bool = False,
) -> Plan | None:
    """Return how calls like this one go by a recipe; None while there is none, or never.

    With ``loose`` the inputs may change in place before the backward pass, with ``finite`` the long
    road also answers where the loss is not finite.
    """
    if wanted[-1] == "hessian":  # whose memory is leased on the long road
        return None
    graph = wanted is VALUE and torch.is_grad_enabled()
    kind: list[Any] = [loss, wanted]
    moving: tuple[int, ...] = () if wanted is VALUE else (0,)
    for place, x in enumerate(args):
        if type(x) not in PLAIN:
            return None
        kind += (x.dtype, x.ndim)
        if graph and x.requires_grad and x.dtype.is_floating_point:
            moving += (place,)
    shape = args[0].shape
    classes = shape[-1] if loss.class_axis and shape else 0
    kind += (moving, classes if loss.entries else length(classes))
    if options:
        kind.append(option_kind(options, _array_kind))
        if kind[-1] is None:
            return None
    recipe = find(tuple(kind), loss, args, options, moving)
    if recipe is None:
        return None
    size = args[0].numel()
    if not size or classes == 1 or classes < loss.least_classes:
        return None
    rows = size // classes if classes else size
    if not _fit(recipe, args, options, shape, size, rows):
        return None
    cut = recipe.cut(rows, classes)
    if recipe.gather and cut[1] and openmp.parallel():
        recipe.gather()
    plan = plan_of(loss, recipe, args, options, wanted, loose, finite, cut)
    remember(like, plan)
    return plan


def _array_kind(x: Any) -> Any:
    return None if type(x) not in PLAIN or x.requires_grad else (x.dtype, x.ndim)


def _fit(
    recipe: Recipe,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    shape: Any,
    size: int,
    rows: int,
) -> bool:
    """Whether the arrays of a call have the shapes that were promised."""
    for x, whole in zip(args, recipe.whole, strict=True):
        if x.numel() != (size if whole else rows):
            return False
    axes = recipe.places(shape)
    if len(axes) > 1:  # along one axis a length says it all
        for x, whole in zip(args, recipe.whole, strict=True):
            if x.shape != (shape if whole else axes):
                return False
    if any(type(x) in PLAIN and name not in recipe.extras for name, x in options.items()):
        return False  # a number that is not looked at again
    return recipe.fits(shape, axes, {name: options[name].shape for name in recipe.extras})
