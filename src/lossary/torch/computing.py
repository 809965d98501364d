"""From tensors to a loss with PyTorch's reductions: the one place where the door calls the core.

Two roads lead there, with one derivation behind both. The general road is the public call of the
loss, which compilers, ``torch.func`` and devices see through. A short one serves small tensors on
the CPU, where the road would cost more than the arithmetic: value and gradient come from one run
of the loss's NumPy text, and from a recipe of the engine once such calls have come a few times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from lossary.doors import Function, Parameters, function_of
from lossary.engine.libraries.torch import is_watched
from lossary.engine.libraries.torch_fused import loosen, released
from lossary.engine.libraries.torch_memory import PLAIN, is_plain_memory
from lossary.engine.recipes import NO_RECIPE
from lossary.engine.recipes.recipe import VALUE, plans, remember
from lossary.engine.recipes.torch import like_this, planned
from lossary.engine.recipes.torch_plan import Plan
from lossary.engine.selection import CUTOFF
from lossary.torch.contract import NotFiniteError
from lossary.torch.formulas import FORMULAS, LOGITS, TOLD

# Up to here a call is mostly overhead; beyond it PyTorch's vectorised operators are faster.
SMALL = 2048


class Request(NamedTuple):
    """Which loss, with what around it; the tensors come beside it.

    ``denominator`` replaces the number of values in the mean, ``mask`` says which values count,
    ``arrays`` holds hyper-parameters that are tensors. With ``read_once`` the tensors may change in
    place before the backward pass: PyTorch composes this loss, and does not read them again. With
    ``as_it_is`` a result that is not finite is returned; PyTorch is not asked for its own.
    """

    loss: str
    reduction: str
    dtype: torch.dtype
    parameters: Parameters = ()
    weight: Tensor | None = None
    denominator: Tensor | None = None
    mask: Tensor | None = None
    arrays: tuple[tuple[str, Tensor], ...] = ()
    read_once: bool = False
    as_it_is: bool = False

    @property
    def around(self) -> tuple[Tensor | None, ...]:
        """The tensors that come with it."""
        return self.weight, self.denominator, self.mask, *[x for _, x in self.arrays]


class Asked(NamedTuple):
    """What a door asks of the core, having looked at the kinds of its arguments and no numbers.

    A door that returns this in the place of a loss is not run again for arguments of such kinds, as
    soon as a recipe answers. ``options`` are those of the core's call, None where no recipe can;
    ``slowly`` answers otherwise.
    """

    request: Request
    tensors: tuple[Tensor, ...]
    options: Mapping[str, Any] | None
    slowly: Callable[[], Tensor]

    def answered(self, door: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Tensor:
        """Return the loss that a door was asked for with these arguments."""
        plan = self._plan()
        if plan is not None and self._says_it_all(door, args, named):
            like = like_this(door, args, named)
            given = [*map(id, (*args, *named.values()))]
            own = (*self.tensors, *(self.options or {}).values())
            read = [id(own[place]) for place in plan.places]
            if like is not None and set(read) <= set(given):
                remember(like, replace(plan, places=tuple(map(given.index, read))))
        return self._answer(plan)

    def answer(self) -> Tensor:
        """Return the loss.

        Raises NotFiniteError, which ``as_torch`` answers, if it is not finite and on the CPU.
        """
        return self._answer(self._plan())

    def _plan(self) -> Plan | None:
        request = self.request
        if self.options is None:
            return None
        loss, loose, finite = FORMULAS[request.loss], request.read_once, not request.as_it_is
        like = like_this((loss, loose, finite), self.tensors, self.options)
        if like is None:
            return None
        known = plans.get(like)
        return known or planned(like, loss, self.tensors, self.options, VALUE, loose, finite)

    def _answer(self, plan: Plan | None) -> Tensor:
        if plan is not None:
            found = plan.answer((*self.tensors, *(self.options or {}).values()))
            if found is not NO_RECIPE:
                return found.to(self.request.dtype)
        return self.slowly()

    def _says_it_all(self, door: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
        """Whether the same comes of it each time: no warning, and no context that chooses a type.

        Halves are float32 under autocast; a denominator is a number that was looked at.
        """
        request, said = self.request, signature(door).bind(*args, **named).arguments
        if said.get("size_average") is not None or said.get("reduce") is not None:
            return False
        if request.denominator is not None or request.dtype.itemsize < 4:
            return False
        plain = said.get("reduction", "mean") == request.reduction
        return plain and self.tensors[0].dtype is request.dtype


def of_kinds(request: Request, *tensors: Tensor) -> Any:
    """Return what is asked about tensors in the core's layout: equal shapes, classes last."""
    return Asked(request, tensors, _options(request, tensors), partial(_reduced, request, *tensors))


def reduced(request: Request, *tensors: Tensor) -> Tensor:
    """Return the answer, for a door that has looked at numbers, or goes on to compute with it.

    Raises NotFiniteError, which ``as_torch`` answers, if the result is not finite and on the CPU.
    """
    return of_kinds(request, *tensors).answer()


def _reduced(request: Request, *tensors: Tensor) -> Tensor:
    if is_small(request, tensors):
        return _apply(request, *tensors)
    if is_watched():
        return general(request, *tensors)
    result = _large(request, tensors)
    if not request.as_it_is and is_plain(result):
        _ask_if_not_finite(result.detach())
    return result


def _options(request: Request, tensors: tuple[Tensor, ...]) -> dict[str, Any] | None:
    """Return the options of the core's call; None where a mean divides by what cannot be seen."""
    options: dict[str, Any] = {"reduction": request.reduction, "check": False, "empty": "nan"}
    options |= dict(request.parameters) | dict(request.arrays)
    around = {"weight": request.weight, "mask": request.mask}
    options |= {name: x for name, x in around.items() if x is not None}
    if request.reduction == "mean":
        options["denominator"] = divisor = _divisor_of(request, tensors)
        if divisor is None:
            return None
    return options


def _divisor_of(request: Request, tensors: tuple[Tensor, ...]) -> float | None:
    """Return what the mean divides by; None where that is 0, or cannot be looked at."""
    count = request.denominator
    if count is not None:
        return count.item() or None if is_plain(count) and not count.requires_grad else None
    return _count(request, tensors)


def _count(request: Request, tensors: tuple[Tensor, ...]) -> int:
    """Return how many values there are, which PyTorch's mean divides by unless it is weighted."""
    shape = tensors[0].shape
    return math.prod(shape[:-1] if FORMULAS[request.loss].class_axis else shape)


def _ask_if_not_finite(result: Tensor) -> None:
    """Raise NotFiniteError; a sum is the quickest look, and may overflow itself."""
    total = result.sum() if result.dim() else result
    if not math.isfinite(total.item()) and not result.isfinite().all():
        raise NotFiniteError


def _large(request: Request, tensors: tuple[Tensor, ...]) -> Tensor:
    walked = torch.is_grad_enabled() and any(x.requires_grad for x in tensors)
    if not (request.read_once and walked):
        return general(request, *tensors)
    if tensors[0].numel() < CUTOFF:
        # Of many a copy would cost as much as a kernel, whose gradient is there already.
        tensors = tuple([x.clone() if x.is_floating_point() else x for x in tensors])
    result = general(request, *tensors)
    if result.grad_fn is not None:
        loosen(result.grad_fn)
    return result


def general(request: Request, *tensors: Tensor) -> Tensor:
    """Return the loss by the public call, which gives large tensors to a fused kernel."""
    loss = FORMULAS[request.loss]
    options = dict(request.parameters) | dict(request.arrays) | {"check": False}
    count = request.denominator
    if count is None:
        count = _count(request, tensors)
    weight, mask = request.weight, request.mask
    if weight is not None and (weight.requires_grad or not is_plain(weight)):
        # To the core a weight of 0 takes a value out; here it may have a gradient.
        values = loss(*tensors, reduction="none", mask=mask, **options) * weight
        values = values if mask is None else torch.where(mask, values, 0)
        result = values if request.reduction == "none" else values.sum()
        return (result / count if request.reduction == "mean" else result).to(request.dtype)
    if request.reduction == "mean":
        options |= {"denominator": count, "empty": "nan"}
    result = loss(*tensors, reduction=request.reduction, mask=mask, weight=weight, **options)
    return result.to(request.dtype)


def is_plain(*tensors: Tensor) -> bool:
    """Whether values on the CPU can be looked at: no tracer, transform or subclass in between."""
    if is_watched() or _transforms() or forward_ad._current_level >= 0:  # noqa: SLF001
        return False
    return all(type(x) in PLAIN and is_plain_memory(x) for x in tensors)


def spoiled(x: Tensor, wrong: Tensor) -> Tensor:
    """Return x, but NaN where a value is wrong that cannot be refused; so is its gradient."""
    return x * torch.where(wrong, math.nan, 1.0).to(x.dtype)


_transforms = torch._C._are_functorch_transforms_active  # noqa: SLF001


def is_small(request: Request, tensors: tuple[Tensor, ...]) -> bool:
    """Whether the short road is open."""
    if not is_plain(*tensors) or not 0 < tensors[0].numel() <= SMALL:
        return False
    around = [x for x in request.around if x is not None]
    return is_plain(*around) and not any(x.requires_grad for x in around)


@lru_cache(maxsize=4096)
def _function(
    loss: str, parameters: Parameters, arrays: tuple[str, ...], needed: tuple[bool, ...]
) -> Function:
    return function_of(TOLD[loss], parameters, arrays, needed, "numpy")


def _array(x: Tensor, expand: bool) -> np.ndarray:
    x = x.detach()
    if x.dtype is torch.float32:
        array = x.numpy().astype(np.float64)
    elif x.is_floating_point():
        array = x.to(torch.float64).numpy()
    else:
        array = x.numpy()
    return array[..., None] if expand else array


# NumPy has no bfloat16: those results pass through float32, which is exact enough to round once.
_DTYPES = {torch.float64: np.float64, torch.float32: np.float32}


def _tensor(array: Any, dtype: torch.dtype) -> Tensor:
    small = _DTYPES.get(dtype)
    x = torch.from_numpy(np.asarray(array, dtype=small or np.float32))
    return x if small else x.to(dtype)


class _Small(torch.autograd.Function):
    """The reduced loss of small tensors; forward also computes what backward multiplies."""

    @staticmethod
    def forward(ctx: Any, request: Request, *tensors: Tensor) -> Tensor:
        more = dict(request.arrays)
        function = _function(
            request.loss, request.parameters, tuple(more), ctx.needs_input_grad[1:]
        )
        arrays = [_array(x, e) for x, e in zip(tensors, function.labels, strict=True)]
        if more:
            arrays += [_array(more[p], False) if p in more else p for p in function.parameters]
        else:
            arrays += function.parameters
        with np.errstate(all="ignore"):
            results = function.run(*arrays)
            value = results[0] if type(results) is tuple else results
            divisor = _divisor(request, value.size)
            weight, keep = (
                None if x is None else _array(x, expand=function.rows)
                for x in (request.weight, request.mask)
            )
            if request.loss in LOGITS and not arrays[0].max() < math.inf:
                _look_again(arrays[0], keep)
            if type(results) is tuple:
                factor = 1 / divisor if weight is None else weight / divisor
                slopes = _scaled(tensors, function, results[1:], factor, keep)
                _keep(ctx, request, function, tensors, slopes)
            if weight is not None:
                value = value * weight
            if keep is not None:
                value = np.where(keep, value, 0.0)
            total = np.add.reduce(value, axis=None) / divisor
            if not math.isfinite(total) and not request.as_it_is:
                raise NotFiniteError
            if request.reduction == "none":
                return _tensor(value[..., 0] if function.rows else value, request.dtype)
            return _tensor(total, request.dtype)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        up, function = upstream[0], ctx.function
        try:
            saved = ctx.saved_tensors
        except RuntimeError as error:
            if not ctx.request.read_once:
                raise
            saved = released(ctx, error)
        if torch.is_grad_enabled():
            if changed := getattr(ctx, "changed", ""):
                raise RuntimeError(changed)
            count = sum(function.moving)
            return (None, *_differentiable(ctx.request, function, saved[count:], up))
        if function.rows and up.dim():
            up = up.unsqueeze(-1)
        slopes = iter(saved)
        return (None, *[up * next(slopes) if moves else None for moves in function.moving])


def _look_again(logits: np.ndarray, keep: np.ndarray | None) -> None:
    """Raise NotFiniteError unless the infinite logits lie in rows that do not count."""
    rows = logits if keep is None else logits[keep[..., 0]]
    if not (rows < math.inf).all():
        raise NotFiniteError


def _keep(
    ctx: Any,
    request: Request,
    function: Function,
    tensors: tuple[Tensor, ...],
    slopes: list[Tensor],
) -> None:
    """Save the slopes for a first derivative and the tensors for a second one.

    All of them with autograd, which frees them, notices when they change, and shows them to hooks.
    """
    ctx.function = function
    ctx.request = request._replace(
        weight=None,
        denominator=None,
        mask=None,
        arrays=tuple([(name, None) for name, _ in request.arrays]),
    )
    ctx.save_for_backward(*slopes, *tensors, *request.around)


def _divisor(request: Request, count: int) -> Any:
    """Return what the sum of the values is divided by."""
    if request.reduction != "mean":
        return 1.0
    if request.denominator is None:
        return count
    return np.float64(request.denominator.item())  # which divides by 0 without an error


def _scaled(
    tensors: tuple[Tensor, ...], function: Function, slopes: Any, factor: Any, keep: Any
) -> list[Tensor]:
    """Return the slopes that backward multiplies: of the reduced loss, each like its tensor."""
    found, slopes = [], iter(slopes)
    for x, moves in zip(tensors, function.moving, strict=True):
        if moves:
            slope = next(slopes) * factor
            if keep is not None:
                slope = np.where(keep, slope, 0.0)
            if np.shape(slope) != x.shape:
                slope = np.broadcast_to(slope, x.shape)
            # Halves keep float32 here, so that the product with upstream rounds once.
            found.append(_tensor(slope, x.dtype if x.dtype in _DTYPES else torch.float32))
    return found


def _differentiable(
    request: Request, function: Function, saved: tuple[Any, ...], upstream: Tensor
) -> list[Tensor | None]:
    """Return the gradients as functions of inputs and upstream, by way of the general road."""
    count = len(function.moving)
    inputs, (weight, denominator, mask, *values) = saved[:count], saved[count:]
    arrays = tuple((name, x) for (name, _), x in zip(request.arrays, values, strict=True))
    request = request._replace(weight=weight, denominator=denominator, mask=mask, arrays=arrays)
    moving = [x for x, moves in zip(inputs, function.moving, strict=True) if moves]
    loss = general(request, *inputs)
    found = iter(torch.autograd.grad(loss, moving, upstream, create_graph=True))
    return [next(found) if moves else None for moves in function.moving]


# Function.apply itself first looks for the transforms that is_small has ruled out.
_apply: Any = super(torch.autograd.Function, _Small).apply  # pyright: ignore[reportAttributeAccessIssue]
