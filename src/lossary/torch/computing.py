"""From tensors to a loss with PyTorch's reductions: the one place where the door calls the core.

Two roads lead there, with one derivation behind both. The general road is the public call of the
loss, which compilers, ``torch.func`` and devices see through. A short one serves small tensors on
the CPU, where the road would cost more than the arithmetic: value and gradient come from one run
of the loss's NumPy text, and from a recipe of the engine once such calls have come a few times.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from lossary.engine.checking import check_parameter
from lossary.engine.libraries.torch import is_watched
from lossary.engine.libraries.torch_fused import loosen, released
from lossary.engine.libraries.torch_memory import ORDINARY, is_plain_memory, keys_of
from lossary.engine.program import compiled, variant
from lossary.engine.recipes import NO_RECIPE
from lossary.engine.recipes.torch import call
from lossary.engine.selection import CUTOFF
from lossary.torch.contract import NotFiniteError
from lossary.torch.formulas import FORMULAS, LOGITS, TOLD

# Up to here a call is mostly overhead; beyond it PyTorch's vectorised operators are faster.
SMALL = 2048

Parameters = tuple[tuple[str, Any], ...]


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


def reduced(request: Request, *tensors: Tensor) -> Tensor:
    """Return the loss of tensors in the core's layout: equal shapes, classes last.

    Raises NotFiniteError, which ``as_torch`` answers, if the result is not finite and on the CPU.
    """
    if (found := _short(request, tensors)) is not None:
        return found
    if is_small(request, tensors):
        return _apply(request, *tensors)
    if is_watched():
        return general(request, *tensors)
    result = _large(request, tensors)
    if not request.as_it_is and is_plain(result):
        _ask_if_not_finite(result.detach())
    return result


def _short(request: Request, tensors: tuple[Tensor, ...]) -> Tensor | None:
    """Return the loss by its recipe; None where there is none."""
    options: dict[str, Any] = {"reduction": request.reduction, "check": False, "empty": "nan"}
    options.update(request.parameters)
    options.update(request.arrays)
    if request.weight is not None:
        options["weight"] = request.weight
    if request.mask is not None:
        options["mask"] = request.mask
    if request.reduction == "mean":
        options["denominator"] = divisor = _divisor_of(request, tensors)
        if divisor is None:
            return None
    return by_recipe(request, tensors, options)


def by_recipe(
    request: Request, tensors: tuple[Tensor, ...], options: dict[str, Any]
) -> Tensor | None:
    """Return the loss that a request names, under these options; None where there is no recipe.

    Raises NotFiniteError as ``reduced`` does.
    """
    result = call(FORMULAS[request.loss], tensors, options, loose=request.read_once)
    if result is NO_RECIPE:
        return None
    if not request.as_it_is:
        _ask_if_not_finite(result.detach())
    return result if result.dtype is request.dtype else result.to(request.dtype)


def _divisor_of(request: Request, tensors: tuple[Tensor, ...]) -> float | None:
    """Return what the mean divides by; None where that is 0, or cannot be looked at."""
    count = request.denominator
    if count is not None:
        return count.item() or None if is_plain(count) and not count.requires_grad else None
    first = tensors[0]
    return first.numel() // first.shape[-1] if FORMULAS[request.loss].class_axis else first.numel()


def _ask_if_not_finite(result: Tensor) -> None:
    """Raise NotFiniteError; a sum is the quickest look, and may overflow itself."""
    total = result.sum() if result.dim() else result
    if not math.isfinite(total.item()) and not result.isfinite().all():
        raise NotFiniteError


def _apart(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return copies, where a backward pass will read them."""
    if not torch.is_grad_enabled() or not any(x.requires_grad for x in tensors):
        return tensors
    return tuple([x.clone() if x.is_floating_point() else x for x in tensors])


def _large(request: Request, tensors: tuple[Tensor, ...]) -> Tensor:
    if not request.read_once:
        return general(request, *tensors)
    if tensors[0].numel() < CUTOFF:
        return general(request, *_apart(tensors))
    result = general(request, *tensors)
    if result.grad_fn is not None:
        # A copy would cost as much as a kernel, whose gradient is there already.
        loosen(result.grad_fn)
    return result


def general(request: Request, *tensors: Tensor) -> Tensor:
    """Return the loss by the public call, which gives large tensors to a fused kernel."""
    loss = FORMULAS[request.loss]
    options = dict(request.parameters) | dict(request.arrays) | {"check": False}
    count = request.denominator
    if count is None:
        # PyTorch's mean divides by the number of values, unless it is a weighted one.
        count = math.prod(tensors[0].shape[:-1] if loss.class_axis else tensors[0].shape)
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
    for x in tensors:
        if type(x) not in _PLAIN or (keys_of(x) != ORDINARY and not is_plain_memory(x)):
            return False
    return True


def spoiled(x: Tensor, wrong: Tensor) -> Tensor:
    """Return x, but NaN where a value is wrong that cannot be refused; so is its gradient."""
    return x * torch.where(wrong, math.nan, 1.0).to(x.dtype)


_PLAIN = {Tensor, torch.nn.Parameter}
_transforms = torch._C._are_functorch_transforms_active  # noqa: SLF001


def is_small(request: Request, tensors: tuple[Tensor, ...]) -> bool:
    """Whether the short road is open."""
    if not is_plain(*tensors) or not 0 < tensors[0].numel() <= SMALL:
        return False
    for x in (request.weight, request.denominator, request.mask):
        if x is not None and (x.requires_grad or not is_plain(x)):
            return False
    return not request.arrays or all(not x.requires_grad and is_plain(x) for _, x in request.arrays)


class _Text(NamedTuple):
    """Compiled text and its last arguments; of the inputs, which are labels and which move."""

    run: Any
    parameters: tuple[Any, ...]
    labels: tuple[bool, ...]
    moving: tuple[bool, ...]
    rows: bool
    logits: bool


@lru_cache(maxsize=4096)
def _text(
    loss: str, parameters: Parameters, arrays: tuple[str, ...], needed: tuple[bool, ...]
) -> _Text:
    """Return the text for value and the gradients that are needed; ``arrays`` get no number."""
    definition = TOLD[loss]
    given = {a.name: a.default for a in definition.parameters if a.name not in arrays}
    given |= dict(parameters)
    absent = frozenset(name for name, value in given.items() if value is None)
    for a in definition.parameters:
        if a.name in given and a.name not in absent:
            check_parameter(definition, a, given[a.name])
    fixed = tuple((n, float(v)) for n, v in given.items() if n not in absent and v in {0, 1, 2})
    chosen = variant(definition, absent, fixed)
    inputs = definition.inputs
    moving = tuple(need and a.domain.continuous for a, need in zip(inputs, needed, strict=True))
    wanted = [f"gradient:{a.name}" for a, moves in zip(inputs, moving, strict=True) if moves]
    return _Text(
        compiled(chosen, ("value", *wanted), "numpy"),
        tuple(given.get(name, name) for name in chosen.arguments[len(inputs) :]),
        tuple(definition.class_axis and not a.domain.class_axis for a in inputs),
        moving,
        definition.class_axis,
        loss in LOGITS,
    )


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
        text = _text(request.loss, request.parameters, tuple(more), ctx.needs_input_grad[1:])
        arrays = [_array(x, e) for x, e in zip(tensors, text.labels, strict=True)]
        if more:
            arrays += [_array(more[p], False) if p in more else p for p in text.parameters]
        else:
            arrays += text.parameters
        with np.errstate(all="ignore"):
            results = text.run(*arrays)
            value = results[0] if type(results) is tuple else results
            weight, divisor = _weighing(request, value, text.rows)
            keep = None if request.mask is None else _array(request.mask, expand=text.rows)
            if text.logits and not arrays[0].max() < math.inf:
                _look_again(arrays[0], keep)
            if type(results) is tuple:
                factor = 1 / divisor if weight is None else weight / divisor
                slopes = _scaled(tensors, text, results[1:], factor, keep)
                _keep(ctx, request, text, tensors, slopes)
            if weight is not None:
                value = value * weight
            if keep is not None:
                value = np.where(keep, value, 0.0)
            total = np.add.reduce(value, axis=None) / divisor
            if not math.isfinite(total) and not request.as_it_is:
                raise NotFiniteError
            if request.reduction == "none":
                return _tensor(value[..., 0] if text.rows else value, request.dtype)
            return _tensor(total, request.dtype)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        up, text = upstream[0], ctx.text
        try:
            saved = ctx.saved_tensors
        except RuntimeError as error:
            if not ctx.request.read_once:
                raise
            saved = released(ctx, error)
        if torch.is_grad_enabled():
            if changed := getattr(ctx, "changed", ""):
                raise RuntimeError(changed)
            count = sum(text.moving)
            return (None, *_differentiable(ctx.request, text, saved[count:], up))
        if text.rows and up.dim():
            up = up.unsqueeze(-1)
        slopes = iter(saved)
        return (None, *[up * next(slopes) if moves else None for moves in text.moving])


def _look_again(logits: np.ndarray, keep: np.ndarray | None) -> None:
    """Raise NotFiniteError unless the infinite logits lie in rows that do not count."""
    rows = logits if keep is None else logits[keep[..., 0]]
    if not (rows < math.inf).all():
        raise NotFiniteError


def _keep(
    ctx: Any, request: Request, text: _Text, tensors: tuple[Tensor, ...], slopes: list[Tensor]
) -> None:
    """Save the slopes for a first derivative and the tensors for a second one.

    All of them with autograd, which frees them, notices when they change, and shows them to hooks.
    """
    ctx.text = text
    if request.weight is request.denominator is request.mask and not request.arrays:  # all None
        ctx.request = request
        ctx.save_for_backward(*slopes, *tensors)
        return
    ctx.request = request._replace(
        weight=None,
        denominator=None,
        mask=None,
        arrays=tuple([(name, None) for name, _ in request.arrays]),
    )
    around = request.weight, request.denominator, request.mask, *[x for _, x in request.arrays]
    ctx.save_for_backward(*slopes, *tensors, *around)


def _weighing(request: Request, value: np.ndarray, rows: bool) -> tuple[Any, Any]:
    """Return the weights of values, None for 1, and what their sum is divided by."""
    weight = None if request.weight is None else _array(request.weight, expand=rows)
    return weight, _divisor(request, value.size)


def _divisor(request: Request, count: int) -> Any:
    if request.reduction != "mean":
        return 1.0
    if request.denominator is None:
        return count
    return np.float64(request.denominator.item())  # which divides by 0 without an error


def _scaled(
    tensors: tuple[Tensor, ...], text: _Text, slopes: Any, factor: Any, keep: Any
) -> list[Tensor]:
    """Return the slopes that backward multiplies: of the reduced loss, each like its tensor."""
    found, slopes = [], iter(slopes)
    for x, moves in zip(tensors, text.moving, strict=True):
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
    request: Request, text: _Text, saved: tuple[Any, ...], upstream: Tensor
) -> list[Tensor | None]:
    """Return the gradients as functions of inputs and upstream, by way of the general road."""
    inputs, around = saved[: len(text.moving)], saved[len(text.moving) :]
    if around:
        weight, denominator, mask, *values = around
        arrays = tuple((name, x) for (name, _), x in zip(request.arrays, values, strict=True))
        request = request._replace(weight=weight, denominator=denominator, mask=mask, arrays=arrays)
    moving = [x for x, moves in zip(inputs, text.moving, strict=True) if moves]
    loss = general(request, *inputs)
    found = iter(torch.autograd.grad(loss, moving, upstream, create_graph=True))
    return [next(found) if moves else None for moves in text.moving]


# Function.apply itself first looks for the transforms that is_small has ruled out.
_apply: Any = super(torch.autograd.Function, _Small).apply  # pyright: ignore[reportAttributeAccessIssue]
