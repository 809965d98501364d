"""Short calls on tensors of PyTorch in this machine's memory, with their place in the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from torch.autograd import forward_ad

from lossary.engine.evaluate import by_operations
from lossary.engine.libraries.torch import is_transformed, is_watched
from lossary.engine.libraries.torch_fused import released
from lossary.engine.libraries.torch_memory import ORDINARY, keys_of
from lossary.engine.recipes.recipe import (
    LIMIT,
    NO_RECIPE,
    VALUE,
    Recipe,
    find,
    is_open,
    length,
    option_kind,
)
from lossary.engine.selection import CUTOFF
from lossary.engine.weighing import ignored

_PLAIN = frozenset({torch.Tensor, torch.nn.Parameter})
_CPU = torch.device("cpu")  # a default device may be another


def call(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...] = VALUE,
    loose: bool = False,
    out: Any = None,
) -> Any:
    """Return the reduced loss, or what else is wanted; NO_RECIPE where the long road has to answer.

    With ``loose`` the inputs may change in place before the backward pass.
    """
    found = None if out is not None else _recipe(loss, args, options, wanted)
    if found is None:
        return NO_RECIPE
    recipe, size, classes = found
    computed = _computed(recipe, size, classes, args, options)
    if computed is None:
        return NO_RECIPE
    value, gradients = computed
    if not gradients:
        return value
    if wanted is not VALUE:
        return [value if kind == "value" else gradients[0] for kind in wanted]
    arrays = [options[name] for name in recipe.extras]
    return _apply(
        _Call(loss, recipe, options, size, classes, loose), value, gradients, *args, *arrays
    )


def _recipe(
    loss: Any, args: tuple[Any, ...], options: Mapping[str, Any], wanted: tuple[str, ...]
) -> tuple[Recipe, int, int] | None:
    """Return the recipe, the number of rows and of classes; None where there is no recipe yet."""
    if is_watched() or is_transformed() or forward_ad._current_level >= 0 or not is_open():  # noqa: SLF001
        return None
    if wanted[-1] == "hessian":  # whose memory is leased on the long road
        return None
    graph = wanted is VALUE and torch.is_grad_enabled()
    kind: list[Any] = [loss, wanted]
    moving: tuple[int, ...] = () if wanted is VALUE else (0,)
    for place, x in enumerate(args):
        if type(x) not in _PLAIN or keys_of(x) != ORDINARY:
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
    if not 0 < size * len(args) < LIMIT or classes == 1 or classes < loss.least_classes:
        return None
    rows = size // classes if classes else size
    return (recipe, rows, classes) if _fit(recipe, args, options, shape, size, rows) else None


def _array_kind(x: Any) -> Any:
    if type(x) not in _PLAIN or keys_of(x) != ORDINARY or x.requires_grad:
        return None
    return x.dtype, x.ndim


def _fit(
    recipe: Recipe,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    shape: Any,
    size: int,
    rows: int,
) -> bool:
    """Whether the arrays of a call have the shapes that were promised, number after number."""
    for x, whole in zip(args, recipe.whole, strict=True):
        if x.numel() != (size if whole else rows) or not x.is_contiguous():
            return False
    axes = recipe.places(shape)
    if len(axes) > 1:  # along one axis a length says it all
        for x, whole in zip(args, recipe.whole, strict=True):
            if x.shape != (shape if whole else axes):
                return False
    if not recipe.extras:
        return True
    extras = {name: options[name] for name in recipe.extras}
    for x in extras.values():
        if not x.is_contiguous():
            return False
    return recipe.fits(shape, axes, {name: x.shape for name, x in extras.items()})


def _computed(
    recipe: Recipe,
    size: int,
    classes: int,
    args: Sequence[Any],
    options: Mapping[str, Any],
    factor: float = 1.0,
) -> tuple[Any, list[Any]] | None:
    """Return the value and the gradients times the factor; None where a value is wrong."""
    gradients = [torch.empty_like(args[place]) for place in recipe.moving]
    addresses = [x.data_ptr() for x in args]
    first, values = args[0].dtype, None
    if recipe.each:
        values = torch.empty(recipe.places(args[0].shape), dtype=first, device=_CPU)
        addresses.append(values.data_ptr())
    for x in gradients:
        addresses.append(x.data_ptr())  # noqa: PERF401  (as fast, and the common one is alone)
    for name in recipe.extras:
        addresses.append(options[name].data_ptr())  # noqa: PERF401  (as above)
    sums = recipe.run(size, classes, addresses, options, factor)
    if sums is None:
        return None
    if recipe.each:
        return values, gradients
    total, divisor = sums
    dtype = first if first.itemsize >= 4 else torch.float32
    return _scalar(recipe.mean(total, divisor, options), dtype), gradients


def _scalar(x: float, dtype: torch.dtype) -> Any:
    """Return a number as a tensor; what is too large becomes infinite."""
    try:
        return torch.scalar_tensor(x, dtype=dtype, device=_CPU)
    except RuntimeError:
        return torch.scalar_tensor(x, dtype=torch.float64, device=_CPU).to(dtype)


class _Call:
    """What the backward pass knows beside the saved tensors."""

    __slots__ = ("classes", "handed_over", "loose", "loss", "options", "recipe", "rest", "size")

    def __init__(
        self, loss: Any, recipe: Recipe, options: Mapping[str, Any], size: int, classes: int,
        loose: bool,
    ) -> None:  # fmt: skip
        self.loss, self.recipe, self.size, self.classes = loss, recipe, size, classes
        self.options = options and {
            n: None if n in recipe.extras else x for n, x in options.items()
        }
        self.rest = (None,) * (len(recipe.whole) + len(recipe.extras) - 1)
        self.loose, self.handed_over = loose, False


class _Node(torch.autograd.Function):
    """The loss in the graph; its gradients came with its value."""

    @staticmethod
    def forward(ctx: Any, call: _Call, value: Any, gradients: list[Any], *tensors: Any) -> Any:
        ctx.call = call
        ctx.save_for_backward(*gradients, *tensors)
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        call: _Call = ctx.call
        try:
            saved = ctx.saved_tensors
        except RuntimeError as error:
            if not call.loose:
                raise
            saved = released(ctx, error)
        sent = _sent_back(ctx, call, saved, upstream[0])
        if call.recipe.moving == _FIRST:
            return (None, None, None, sent[0], *call.rest)
        found: list[Any] = [None, None, None, None, *call.rest]
        for place, gradient in zip(call.recipe.moving, sent, strict=True):
            found[3 + place] = gradient
        return tuple(found)


_FIRST = (0,)


def _sent_back(ctx: Any, call: _Call, saved: Sequence[Any], upstream: Any) -> Sequence[Any]:
    """Hand the gradients over, times the upstream; a second time they are made anew."""
    count = len(call.recipe.moving)
    gradients, tensors = saved[:count], saved[count:]
    again = torch.is_grad_enabled() or keys_of(upstream) != ORDINARY
    if call.recipe.each and not again:
        return _each_sent_back(ctx, call, gradients, tensors, upstream)
    factor = 1.0 if again else upstream.item()
    # Half precision is never multiplied after rounding: a large factor would find zeros.
    narrow = factor != 1.0 and any(x.dtype.itemsize < 4 for x in gradients)
    if call.loose and not (again or narrow) and gradients[0].numel() < CUTOFF:
        # They stay, for another walk when the inputs have changed.
        return [x.data * factor for x in gradients]
    if not (again or narrow or call.handed_over):
        call.handed_over = True
        # Without a version in common: what is handed over is the caller's to change.
        return [x.data if factor == 1.0 else x.data.mul_(factor) for x in gradients]
    if again:
        return _differentiated(call, *_unpacked(ctx, call, tensors), upstream)
    return _anew(ctx, call, tensors, factor)


def _unpacked(ctx: Any, call: _Call, tensors: Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """Return inputs and options of a call whose arrays were saved; they must not have changed."""
    if changed := getattr(ctx, "changed", ""):
        raise RuntimeError(changed)
    inputs = tensors[: len(call.recipe.whole)]
    options = dict(call.options)
    options.update(zip(call.recipe.extras, tensors[len(inputs) :], strict=True))
    return inputs, options


def _anew(ctx: Any, call: _Call, tensors: Sequence[Any], factor: float = 1.0) -> Sequence[Any]:
    inputs, options = _unpacked(ctx, call, tensors)
    computed = _computed(call.recipe, call.size, call.classes, inputs, options, factor)
    assert computed is not None  # noqa: S101  (the forward pass has looked at the same numbers)
    return computed[1]


def _each_sent_back(
    ctx: Any, call: _Call, gradients: Sequence[Any], tensors: Sequence[Any], upstream: Any
) -> Sequence[Any]:
    """Do the same for values that were not reduced, each of which has an upstream of its own."""
    keeps = call.loose and gradients[0].numel() < CUTOFF
    if call.handed_over and not keeps:
        gradients = _anew(ctx, call, tensors)
    call.handed_over = True
    factor = _counted(call, tensors, upstream)
    along = factor.unsqueeze(-1) if call.recipe.rows else factor
    factors = [along if x.dim() > factor.dim() else factor for x in gradients]
    if keeps:
        return [x.data * factor for x, factor in zip(gradients, factors, strict=True)]
    return [x.data.mul_(factor) for x, factor in zip(gradients, factors, strict=True)]


def _counted(call: _Call, tensors: Sequence[Any], upstream: Any) -> Any:
    """Return the upstream, but 0 where a value does not count, whatever came from above."""
    recipe = call.recipe
    if not (recipe.extras or recipe.ignoring) or isfinite(upstream.sum().item()):
        return upstream  # a gradient of 0 stays 0
    extras = dict(zip(recipe.extras, tensors[len(recipe.whole) :], strict=True))
    kept = [extras["mask"]] if "mask" in extras else []
    if "weight" in extras:
        kept.append(extras["weight"] != 0)
    if "class_weight" in extras or recipe.ignoring:
        kept.append(_labels_that_count(call, tensors[1], extras.get("class_weight")))
    for keep in kept:
        upstream = torch.where(keep, upstream, 0.0)
    return upstream


def _labels_that_count(call: _Call, label: Any, table: Any) -> Any:
    """Return where a label is not ignored and its class has a weight."""
    kept = label != ignored(call.options["ignore_index"]) if call.recipe.ignoring else None
    if table is None:
        return kept
    weighed = table[label.long().clamp(0, table.numel() - 1)] != 0
    return weighed if kept is None else kept & weighed


def _differentiated(
    call: _Call, inputs: Sequence[Any], options: Mapping[str, Any], upstream: Any
) -> Sequence[Any]:
    """Differentiate the loss by its operations, which can be differentiated again."""
    with torch.enable_grad():
        value = by_operations(call.loss, tuple(inputs), options)
    moving = [inputs[place] for place in call.recipe.moving]
    again = torch.is_grad_enabled()
    return torch.autograd.grad(value, moving, upstream, create_graph=again, allow_unused=True)


# Function.apply itself first looks for the transforms that _recipe has ruled out.
_apply: Any = super(torch.autograd.Function, _Node).apply  # pyright: ignore[reportAttributeAccessIssue]
