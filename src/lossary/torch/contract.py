"""What PyTorch's loss functions agree on: reductions, result dtypes, errors, sizes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial, wraps
from types import FunctionType, SimpleNamespace
from typing import Any, NoReturn, ParamSpec

import torch
from torch import Tensor, nn
from torch.nn import _reduction as legacy
from torch.overrides import handle_torch_function
from torch.overrides import has_torch_function_variadic as overridden

from lossary.doors import HasWarned, NotMine, as_peer
from lossary.engine.libraries.torch_distributed import beside, mesh_of, replicating
from lossary.engine.recipes.recipe import NO_RECIPE, plans
from lossary.engine.recipes.torch import expect, like_this, repeated
from lossary.errors import warn

P = ParamSpec("P")

REDUCTIONS = ("mean", "sum", "none")
_TROUBLE = (RuntimeError, ValueError, TypeError, IndexError)


class NotFiniteError(HasWarned):
    """A result is infinite or NaN: which of them, and with what gradient, is PyTorch's to say."""


def as_torch(door: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Give a door PyTorch's answer where it raises NotMine, and PyTorch's errors.

    A door raises NotMine for what lies outside the core: complex numbers, integer predictions,
    shapes that only the operator of the same name can judge. That operator also says what becomes
    of infinity and NaN, because mixed precision steps or skips by its answer.

    The door is not run where arguments of such kinds have come, and a recipe answers.
    """
    peer: Any = getattr(nn.functional, door.__name__, None)

    @wraps(door)
    def own(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        said: Any = door(*args, **kwargs)  # a loss, or computing.Asked
        return said if isinstance(said, Tensor) else said.answered(door, args, kwargs)

    answer = as_peer(own, _as_said_by(peer, warn), _TROUBLE, warned=_as_said_by(peer, _silent))

    @wraps(door)
    def call(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        given = (*args, *kwargs.values())
        if overridden(*given):
            return handle_torch_function(call, given, *args, **kwargs)
        plan = repeated(door, given, kwargs)
        if plan is None and (like := like_this(door, args, kwargs)) is not None:
            plan = plans.get(like)
            if plan is not None:
                expect(door, given, kwargs, plan)
        if plan is not None and (found := plan.answer(given)) is not NO_RECIPE:
            return found
        for x in given:
            if type(x) not in _ORDINARY and (mesh := mesh_of(given)) is not None:
                return _together(answer, mesh, args, kwargs)
        return answer(*args, **kwargs)

    call.__prepare_scriptable__ = partial(refuse_scripting, door.__name__)  # pyright: ignore[reportAttributeAccessIssue]
    return call


def _as_said_by(peer: Any, say: Callable[..., None]) -> Callable[..., Any]:
    """Return a call of PyTorch's function that warns in another way."""

    def ask(*args: Any, **kwargs: Any) -> Any:
        return _warning_by(peer, say)(*args, **kwargs)

    return ask


_ORDINARY = {Tensor, nn.Parameter, type(None), str, int, float, bool}


def _together(answer: Callable[..., Tensor], mesh: Any, args: Any, kwargs: Any) -> Tensor:
    """Answer a call with a distributed tensor; a plain one beside it is the same everywhere."""

    def placed(x: Any) -> Any:
        return beside(x, mesh) if isinstance(x, Tensor) else x

    with replicating():
        return answer(*map(placed, args), **{name: placed(x) for name, x in kwargs.items()})


def refuse_scripting(name: str) -> NoReturn:
    """Say that TorchScript cannot compile a loss, and what can."""
    raise TypeError(
        f"{name}: TorchScript cannot compile lossary's losses, which are derived when they run\n"
        "hint: script the model without its loss; torch.jit.trace, torch.export and torch.compile "
        "take the loss as well"
    )


def awaited(*args: Any) -> bool:
    """Whether a tracer, a mode or a subclass waits to see PyTorch's function called with these."""
    return overridden(*args) or (_transforms() and _is_functionalized())


def _is_functionalized() -> bool:
    """Whether torch.func.functionalize is at work, which cannot see into a custom gradient."""
    layers = _functorch.get_interpreter_stack() or ()
    return any(layer.key() == _functorch.TransformType.Functionalize for layer in layers)


_functorch: Any = torch._C._functorch  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
_transforms = torch._C._are_functorch_transforms_active  # noqa: SLF001


def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return "mean", "sum" or "none"; the legacy arguments win and warn, as PyTorch's do.

    They stand in the signature of each function, where calls by position have them in between; a
    wrapper that took them out would cost every call.
    """
    if size_average is not None or reduce is not None:
        warn_as(legacy.legacy_get_string, size_average, reduce)
        return legacy.legacy_get_string(size_average, reduce, emit_warning=False)
    if reduction in REDUCTIONS:
        return reduction
    warn_as(legacy.get_enum, reduction)  # raises ValueError, or it is an old name of the mean
    return "mean"


def real(*tensors: Tensor) -> None:
    """Leave to PyTorch what holds no floating-point numbers that it computes with, as 8 bits do."""
    for x in tensors:
        if x.dtype not in _REAL:
            raise NotMine


_REAL = frozenset({torch.float64, torch.float32, torch.bfloat16, torch.float16})


def _common_dtype(first: Tensor, *others: Tensor) -> torch.dtype:
    """Return the dtype that holds all of them; scalars follow the others."""
    dtype = first.dtype
    for x in others:
        if x.dtype is not dtype and x.dtype.is_floating_point:
            dtype = torch.promote_types(dtype, x.dtype) if x.dim() or not first.dim() else dtype
    return dtype


def result_dtype(first: Tensor, *others: Tensor) -> torch.dtype:
    """Return the dtype of the result: the common one, and float32 for halves under autocast."""
    dtype = _common_dtype(first, *others)
    if dtype.itemsize < 4 and torch.is_autocast_enabled(first.device.type):
        return torch.float32
    return dtype


def composed_dtype(first: Tensor, *others: Tensor) -> torch.dtype:
    """Return the result's dtype where PyTorch composes a loss; a CPU's autocast leaves that out."""
    return (_common_dtype if first.is_cpu else result_dtype)(first, *others)


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which numbers of this one are combined before the core gets them."""
    return torch.promote_types(dtype, torch.float32)


def at_labels(weight: Tensor, label: Tensor) -> Tensor:
    """Return the class weight of each label; torch.func cannot index by a single label."""
    return weight.index_select(0, label.to(torch.int64).reshape(-1)).reshape(label.shape)


def is_number(x: Tensor) -> bool:
    """Whether a tensor holds real numbers, whole ones too, rather than truths."""
    return x.dtype is not torch.bool and not x.is_complex()


def broadcast(first: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Return all in one shape; PyTorch's own function is slow where they have one."""
    for x in others:
        if x.shape != first.shape:
            return torch.broadcast_tensors(first, *others)
    return first, *others


def combined(values: Tensor, reduction: str) -> Tensor:
    """Return what a reduction makes of values that were computed one by one."""
    if reduction == "none":
        return values
    return values.sum() if reduction == "sum" else values.mean()


def warn_as(peer: Any, *args: Any, **kwargs: Any) -> None:
    """Warn in PyTorch's words, which filters match: those of its own function for this call."""
    if torch.compiler.is_compiling():
        return  # compilers have no place for a warning
    try:
        _warning_by(peer, _stop)(*args, **kwargs)
    except _Stopped as stopped:
        said = stopped.args
    else:
        return
    warn(*said)


def _silent(message: Any, category: type[Warning] | None = None, stacklevel: int = 1) -> None:
    """Say nothing, in place of ``warnings.warn``."""


class _Stopped(Exception):  # noqa: N818  (it is no error)
    """A function was about to warn of this."""


def _stop(message: Any, category: type[Warning] | None = None, stacklevel: int = 1) -> NoReturn:
    raise _Stopped(message, category)


@lru_cache(maxsize=256)
def _warning_by(function: Any, say: Callable[..., None]) -> Any:
    """Return a twin of a function of PyTorch that warns in another way."""
    if not isinstance(function, FunctionType):
        return function
    names = {**function.__globals__, "warnings": SimpleNamespace(warn=say)}
    twin = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin
