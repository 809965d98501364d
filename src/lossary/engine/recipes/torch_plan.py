"""What a short call on tensors does once all is decided, and its place in the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch

from lossary.engine.evaluate import by_operations
from lossary.engine.leases import FROM
from lossary.engine.libraries.torch_fused import released
from lossary.engine.libraries.torch_memory import CPU, ORDINARY, blank, blank_like, keys_of
from lossary.engine.recipes.recipe import NO_RECIPE, VALUE, Recipe
from lossary.engine.recipes.running import Cut
from lossary.engine.selection import CUTOFF
from lossary.engine.weighing import ignored

NUMBERS = ORDINARY.raw_repr()
"""The dispatch keys of an ordinary tensor: as numbers they compare faster."""

_address = torch.Tensor.data_ptr


@dataclass(slots=True, eq=False)
class Plan:
    """What a recipe does for calls with tensors of the same shapes and the same options.

    ``places`` says where in a call's arguments the tensors are that the recipe reads; ``options``
    are those of the loss, with None for tensors. ``cut`` and ``numbers`` are what machine code is
    given beside addresses. From ``limit`` on, unless that is 0, the long road answers. ``narrow``
    says that a gradient holds fewer bits than float32, ``keeps`` that gradients stay for another
    walk when the inputs have changed, ``alone`` that there is one, of the first input, and of the
    reduced loss, ``large`` that their memory may be lent. ``node`` makes the loss a node of the
    graph.
    """

    loss: Any
    recipe: Recipe
    wanted: tuple[str, ...]
    places: tuple[int, ...]
    options: Mapping[str, Any]
    cut: Cut
    numbers: list[Any]
    divisor: float
    empty: float
    dtype: torch.dtype
    rest: tuple[None, ...]
    loose: bool
    limit: float
    narrow: bool
    keeps: bool
    alone: bool
    large: bool
    node: Callable[..., Any]

    def answer(self, given: Sequence[Any]) -> Any:
        """Return the loss of tensors among a call's arguments; NO_RECIPE for the long road."""
        if self.wanted is VALUE and self.recipe.moving:
            found = self.node(self, *map(given.__getitem__, self.places))
            return NO_RECIPE if found is None else found
        tensors = [*map(given.__getitem__, self.places)]
        computed = self.computed(tensors)
        if computed is None:
            return NO_RECIPE
        value, gradients = computed
        if self.wanted is VALUE:
            return value
        return [value if kind == "value" else gradients[0] for kind in self.wanted]

    def computed(self, tensors: Sequence[Any], factor: float = 1.0) -> tuple[Any, list[Any]] | None:
        """Return the value and the gradients times the factor; None where a value is wrong."""
        recipe = self.recipe
        inputs = len(recipe.whole)
        room = blank_like if self.large else torch.empty_like
        gradients = [*map(room, map(tensors.__getitem__, recipe.moving))]
        memory = [*tensors[:inputs], *gradients, *tensors[inputs:]]
        values = None
        if recipe.each:
            shape = recipe.places(tensors[0].shape)
            values = blank(shape, tensors[0].dtype)
            memory.insert(inputs, values)
        given = [*map(_address, memory), *self.numbers]
        sums = recipe.begun(self.cut, given, factor, self.divisor)
        if sums is None:
            return None
        total, divisor = sums
        number = total / divisor if divisor else self.empty
        if self.limit and not abs(number if values is None else values.sum().item()) < self.limit:
            return None
        return scalar(number, self.dtype) if values is None else values, gradients


def plan_of(
    loss: Any,
    recipe: Recipe,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...],
    loose: bool,
    finite: bool,
    cut: Cut,
    kind: type[Plan] = Plan,
) -> Plan:
    """Return the plan of a call."""
    words = [*range(len(args)), *options]
    moving = [args[place] for place in recipe.moving]
    alone = recipe.moving == (0,) and not recipe.each
    large = args[0].nbytes >= FROM
    straight = kind is Plan and alone and not (large or cut[1])
    dtype = args[0].dtype if args[0].dtype.itemsize >= 4 else torch.float32
    return kind(
        loss, recipe, wanted,
        tuple(words.index(x) for x in (*range(len(args)), *recipe.extras)),
        {name: None if name in recipe.extras else x for name, x in options.items()},
        cut, recipe.numbers_of(options), recipe.divisor(options), recipe.mean(0.0, 0.0, options),
        dtype,
        (None,) * (len(args) + len(recipe.extras) - 1),
        loose, torch.finfo(dtype).max if finite else 0.0,
        any(x.dtype.itemsize < 4 for x in moving),
        loose and bool(moving) and moving[0].numel() < CUTOFF,
        alone, large, _apply_straight if straight else _apply,
    )  # fmt: skip


def scalar(x: float, dtype: torch.dtype) -> Any:
    """Return a number as a tensor; what is too large becomes infinite."""
    try:
        return torch.scalar_tensor(x, dtype=dtype, device=CPU)
    except RuntimeError:
        return torch.scalar_tensor(x, dtype=torch.float64, device=CPU).to(dtype)


class _Node(torch.autograd.Function):
    """The loss in the graph; its gradients come with its value."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, *tensors: Any) -> Any:
        computed = plan.computed(tensors)
        if computed is None:
            return None
        value, gradients = computed
        ctx.plan, ctx.handed_over = plan, False
        ctx.save_for_backward(*gradients, *tensors)
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        plan = ctx.plan
        try:
            saved = ctx.saved_tensors
        except RuntimeError as error:
            if not plan.loose:
                raise
            saved = released(ctx, error)  # they may have changed
        stays = ctx.handed_over or (plan.keeps and graph_stays())
        if plan.alone and not stays and _is_one(upstream[0]):
            ctx.handed_over = True
            return (None, saved[0].data, *plan.rest)
        found: list[Any] = [None, None, *plan.rest]
        sent = _sent_back(ctx, plan, saved, upstream[0])
        for place, gradient in zip(plan.recipe.moving, sent, strict=True):
            found[1 + place] = gradient
        return tuple(found)


class _Straight(_Node):
    """The same for the call that comes most: one gradient, of a reduced loss, by one thread.

    It does what ``Plan.computed`` does, without a look at what else there is.
    """

    @staticmethod
    def forward(ctx: Any, plan: Plan, *tensors: Any) -> Any:
        recipe = plan.recipe
        gradient = torch.empty_like(tensors[0])
        given = [*map(_address, tensors), *plan.numbers]
        given.insert(len(recipe.whole), _address(gradient))
        total, divisor, wrong = recipe.entry(*plan.cut[0], *given, 1.0, plan.divisor)  # pyright: ignore[reportOptionalCall]
        if wrong:
            return None
        number = total / divisor if divisor else plan.empty
        if plan.limit and not abs(number) < plan.limit:
            return None
        ctx.plan, ctx.handed_over = plan, False
        ctx.save_for_backward(gradient, *tensors)
        return scalar(number, plan.dtype)


def _is_one(upstream: Any) -> bool:
    """Whether a single walk ends here, with the loss itself above."""
    return (
        not torch.is_grad_enabled()
        and keys_of(upstream).raw_repr() == NUMBERS
        and upstream.item() == 1.0
    )


def _sent_back(ctx: Any, plan: Plan, saved: Sequence[Any], upstream: Any) -> Sequence[Any]:
    """Hand the gradients over, times the upstream; a second time they are made anew."""
    count = len(plan.recipe.moving)
    gradients, tensors = saved[:count], saved[count:]
    if torch.is_grad_enabled() or keys_of(upstream).raw_repr() != NUMBERS:
        return _differentiated(plan, *_unpacked(ctx, plan, tensors), upstream)
    keeps = plan.keeps and graph_stays()
    if plan.recipe.each:
        return _each_sent_back(ctx, plan, gradients, tensors, upstream, keeps)
    factor = upstream.item()
    # Half precision is never multiplied after rounding: a large factor would find zeros.
    if ctx.handed_over or (factor != 1.0 and plan.narrow):
        return _anew(ctx, plan, tensors, factor)
    if keeps:
        return [x.data * factor for x in gradients]
    ctx.handed_over = True
    # Without a version in common: what is handed over is the caller's to change.
    return [x.data if factor == 1.0 else x.data.mul_(factor) for x in gradients]


graph_stays = torch._C._autograd._get_current_graph_task_keep_graph  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
"""Whether this walk leaves the graph for another one."""


def _unpacked(ctx: Any, plan: Plan, tensors: Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """Return inputs and options of a call whose arrays were saved; they must not have changed."""
    if changed := getattr(ctx, "changed", ""):
        raise RuntimeError(changed)
    inputs = tensors[: len(plan.recipe.whole)]
    options = dict(plan.options)
    options.update(zip(plan.recipe.extras, tensors[len(inputs) :], strict=True))
    return inputs, options


def _anew(ctx: Any, plan: Plan, tensors: Sequence[Any], factor: float = 1.0) -> Sequence[Any]:
    _unpacked(ctx, plan, tensors)
    computed = plan.computed(tensors, factor)
    assert computed is not None  # noqa: S101  (the forward pass has looked at the same numbers)
    return computed[1]


def _each_sent_back(
    ctx: Any,
    plan: Plan,
    gradients: Sequence[Any],
    tensors: Sequence[Any],
    upstream: Any,
    keeps: bool,
) -> Sequence[Any]:
    """Do the same for values that were not reduced, each of which has an upstream of its own."""
    if ctx.handed_over:
        gradients = _anew(ctx, plan, tensors)
    ctx.handed_over = not keeps
    factor = _counted(plan, tensors, upstream)
    along = factor.unsqueeze(-1) if plan.recipe.rows else factor
    factors = [along if x.dim() > factor.dim() else factor for x in gradients]
    if keeps:
        return [x.data * factor for x, factor in zip(gradients, factors, strict=True)]
    return [x.data.mul_(factor) for x, factor in zip(gradients, factors, strict=True)]


def _counted(plan: Plan, tensors: Sequence[Any], upstream: Any) -> Any:
    """Return the upstream, but 0 where a value does not count, whatever came from above."""
    recipe = plan.recipe
    if not (recipe.extras or recipe.ignoring) or isfinite(upstream.sum().item()):
        return upstream  # a gradient of 0 stays 0
    extras = dict(zip(recipe.extras, tensors[len(recipe.whole) :], strict=True))
    kept = [extras["mask"]] if "mask" in extras else []
    if "weight" in extras:
        kept.append(extras["weight"] != 0)
    if "class_weight" in extras or recipe.ignoring:
        kept.append(_labels_that_count(plan, tensors[1], extras.get("class_weight")))
    for keep in kept:
        upstream = torch.where(keep, upstream, 0.0)
    return upstream


def _labels_that_count(plan: Plan, label: Any, table: Any) -> Any:
    """Return where a label is not ignored and its class has a weight."""
    kept = label != ignored(plan.options["ignore_index"]) if plan.recipe.ignoring else None
    if table is None:
        return kept
    weighed = table[label.long().clamp(0, table.numel() - 1)] != 0
    return weighed if kept is None else kept & weighed


def _differentiated(
    plan: Plan, inputs: Sequence[Any], options: Mapping[str, Any], upstream: Any
) -> Sequence[Any]:
    """Differentiate the loss by its operations, which can be differentiated again."""
    with torch.enable_grad():
        value = by_operations(plan.loss, tuple(inputs), options)
    moving = [inputs[place] for place in plan.recipe.moving]
    again = torch.is_grad_enabled()
    return torch.autograd.grad(value, moving, upstream, create_graph=again, allow_unused=True)


# Function.apply itself first looks for the transforms that torch.like_this has ruled out.
_apply: Any = super(torch.autograd.Function, _Node).apply  # pyright: ignore[reportAttributeAccessIssue]
_apply_straight: Any = super(torch.autograd.Function, _Straight).apply  # pyright: ignore[reportAttributeAccessIssue]
