"""Calls in a graph of JAX, whose kernels XLA calls on a CPU.

The graph gets an operation of its own. What it becomes is decided when the graph is lowered: a call
of the kernel for one CPU of this process, and the array text for everything else, such as another
platform, several devices, an artefact for other machines, or a batch of such calls.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial, reduce
from math import prod
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.custom_derivatives import SymbolicZero
from jax.dtypes import float0
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from lossary.engine import evaluate, forms
from lossary.engine.libraries import library
from lossary.engine.recipes.recipe import (
    MOST,
    NO_RECIPE,
    VALUE,
    Recipe,
    drafted,
    length,
    option_kind,
)
from lossary.engine.selection import CUTOFF, chosen, numba_is_there
from lossary.engine.weighing import ignored
from lossary.kernels import pool

LEAST = 1 << 12
"""Numbers from which a kernel computes; below, a call of it costs what it spares."""

_FLOATS = frozenset({"float32", "float64"})
_LIBRARY = library("jax")


def call(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...] = VALUE,
    out: Any = None,
) -> Any:
    """Return the loss, or what else is wanted; NO_RECIPE for the long road."""
    if out is not None or wanted[-1] == "hessian" or not _is_graph(args, options):
        return NO_RECIPE
    asked = _asked(loss, args, options)
    if asked is None or not _fits(asked, args, options):
        return NO_RECIPE
    arrays = [*args, *(options[name] for name in asked.named)]
    _check_known(asked, arrays)
    if wanted is VALUE:
        return _value_function(asked)(*arrays)
    asked = replace(asked, moving=(0,))
    if not asked.kernel():
        return NO_RECIPE
    value, slope = _slopes_function(asked)(*arrays)
    return [value if kind == "value" else slope for kind in wanted]


def _is_graph(args: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    """Whether a graph of this process' one CPU is being made of plain arrays."""
    if chosen() == "array" or not any(isinstance(x, Tracer) for x in (*args, *options.values())):
        return False
    arrays = isinstance(args[0], jax.Array) and all(isinstance(x, jax.Array) for x in args)
    return arrays and jax.default_backend() == "cpu" and jax.sharding.get_abstract_mesh().empty


def _check_known(asked: Asked, arrays: Sequence[Any]) -> None:
    """Raise for what is wrong with arrays whose numbers are known while the graph is made."""
    known = [not isinstance(x, Tracer) for x in arrays]
    if not any(known) or dict(asked.plain).get("check") is False:
        return

    def text(*unknown: Any) -> Any:
        rest = iter(unknown)
        given = [x if own else next(rest) for x, own in zip(arrays, known, strict=True)]
        return evaluate.by_operations(asked.loss, *asked.parted(given))

    jax.eval_shape(text, *(x for x, own in zip(arrays, known, strict=True) if not own))


@dataclass(frozen=True)
class Asked:
    """A call but for its numbers: the options that are arrays are ``named``, the others ``plain``.

    ``kinds`` are the shapes and types of the data and then of the arrays among the options,
    ``moving`` the places of the data that get a gradient.
    """

    loss: Any
    kinds: tuple[tuple[tuple[int, ...], str], ...]
    named: tuple[str, ...]
    plain: tuple[tuple[str, Any], ...]
    moving: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the prediction."""
        return self.kinds[0][0]

    @property
    def classes(self) -> int:
        """How long a row is; 0 for elementwise losses."""
        return self.shape[-1] if self.loss.class_axis else 0

    @property
    def inputs(self) -> int:
        """How many of the arrays are data."""
        return len(self.kinds) - len(self.named)

    def parted(self, arrays: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return data and options of a call with these arrays."""
        named = dict(zip(self.named, arrays[self.inputs :], strict=True))
        return tuple(arrays[: self.inputs]), dict(self.plain) | named

    def kernel(self) -> _Kernel | None:
        """Return the kernel of such calls; None while there is none, or never."""
        kinds = tuple((len(shape), dtype) for shape, dtype in self.kinds)
        rows = self.classes if self.loss.entries else length(self.classes)
        options = dict(self.plain) | dict(zip(self.named, kinds[self.inputs :], strict=True))
        kind = self.loss, kinds, option_kind(options, lambda same: same), self.moving, rows
        if kind not in _kernels:
            _begin(self, kind)
        if (pending := _pending.get(kind)) and _waits(prod(self.shape)):
            pending()
        return _kernels[kind]


def _asked(loss: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Asked | None:
    """Return what a call asks for; None for what no kernel covers, whatever its numbers."""
    if option_kind(options, lambda x: x.shape if isinstance(x, jax.Array) else None) is None:
        return None
    named = tuple(name for name, x in options.items() if isinstance(x, jax.Array))
    kinds = tuple((x.shape, x.dtype.name) for x in (*args, *(options[n] for n in named)))
    plain = tuple((name, x) for name, x in options.items() if name not in named)
    asked = Asked(loss, kinds, named, plain)
    if not all(isinstance(n, int) for shape, _ in kinds for n in shape):
        return None  # known only when the graph runs
    if kinds[0][1] not in _FLOATS or len(asked.shape) < loss.class_axis:
        return None
    if asked.classes == 1 or asked.classes < loss.least_classes:
        return None
    return asked if prod(asked.shape) >= _least() else None


def _least() -> int:
    """Return from how many numbers on a kernel computes."""
    return 1 if chosen() == "fused" else LEAST


def _fits(asked: Asked, args: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    """Whether the arrays have the shapes that machine code reads."""
    kernel = asked.kernel()
    if kernel is None:
        return False
    recipe, shape = kernel.recipe, asked.shape
    rows = recipe.places(shape)
    for x, whole in zip(args, recipe.whole, strict=True):
        if x.shape != (shape if whole else rows):
            return False
    return recipe.fits(shape, rows, {name: options[name].shape for name in recipe.extras})


@dataclass(frozen=True, eq=False)
class _Kernel:
    """A kernel that XLA knows by name."""

    name: str
    recipe: Recipe


_kernels: dict[Any, _Kernel | None] = {}
"""The kernels of kinds of calls; None for kinds that have none, or do not have it yet."""

_registered: dict[str, Any] = {}
"""Machine code that XLA calls by a name: it stays as long as the program."""


_pending: dict[Any, Callable[[], None]] = {}
"""What makes the kernels that are being compiled beside the program."""


def _begin(asked: Asked, kind: Any) -> None:
    """Have the kernel of a kind made: loaded from the disk, or compiled for a later graph."""
    from lossary.kernels import background, modules
    from lossary.kernels.compiling import Work, load
    from lossary.render.custom_call import HANDLER

    if len(_kernels) >= MOST:
        _kernels.clear()
    _kernels[kind] = None
    draft = drafted(asked.loss, *_like(asked), asked.moving) if numba_is_there() else None
    if draft is None:
        return
    recipe, printed = draft
    work = Work(_with_handler(recipe, printed()), HANDLER, [])
    name = f"{modules.imported_as(*work.modules[-1])}_{modules.fingerprint()}"

    def then(code: Any) -> None:
        _register(name, code)
        _kernels[kind] = _Kernel(name, recipe)

    def make() -> None:
        _pending.pop(kind, None)
        try:
            then(load(work))
        except Exception as error:  # noqa: BLE001  (a compiler, or an XLA that calls otherwise)
            _warn(asked.loss.name, error)

    _pending[kind] = make
    if modules.compiled(*work.modules[-1], HANDLER):
        make()
    elif not _waits(prod(asked.shape)):
        background.ask(lambda: work, then)


def _warn(name: str, error: Exception) -> None:
    warnings.warn(
        f"{name} has no kernel in XLA, so that array operations compute it: "
        f"{type(error).__name__}: {error}\n"
        "hint: please report this; lossary.using(engine='array') silences it",
        RuntimeWarning,
        stacklevel=2,
    )


def _waits(size: int) -> bool:
    """Whether a graph of such a call waits for a compiler, as it does for XLA's anyway."""
    from lossary.kernels import background

    way = background.way()
    return way == "now" or chosen() == "fused" or (size >= CUTOFF and way != "never")


def _like(asked: Asked) -> tuple[tuple[np.ndarray, ...], dict[str, Any]]:
    """Return data and options of a call of NumPy's of that kind, with one row."""
    rows = asked.loss.class_axis
    long = [rows and a.domain.class_axis for a in asked.loss.inputs]
    long += [name == "class_weight" for name in asked.named]
    arrays = [
        np.zeros((1,) * len(shape[:-1]) + shape[-1:] if own else (1,) * len(shape), dtype)
        for (shape, dtype), own in zip(asked.kinds, long, strict=True)
    ]
    return asked.parted(arrays)


def _with_handler(recipe: Recipe, texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the modules, with that of the function that XLA calls."""
    from lossary.kernels.modules import imported_as
    from lossary.render.custom_call import handler_text

    arrays = len(recipe.whole) + recipe.each + len(recipe.moving) + len(recipe.extras)
    text = handler_text(
        imported_as(*texts[-1]), arrays + recipe.ignoring, len(recipe.numbers) + 2
    )
    return [*texts, (f"called_{recipe.definition.name}", text)]


def _register(name: str, code: Any) -> None:
    if name not in _registered:
        pointer = ctypes.cast(code.address, ctypes.c_void_p)
        jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(pointer), platform="cpu")
        _registered[name] = code


@lru_cache(maxsize=1024)
def _value_function(asked: Asked) -> Any:
    """Return the loss as a function whose tangent comes from a kernel of value and gradient."""

    @jax.custom_jvp
    def value(*arrays: Any) -> Any:
        return _bound(asked, arrays)[0]

    def push(arrays: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        moving = tuple(n for n, x in enumerate(tangents) if _moves(x))
        both = replace(asked, moving=moving)
        if not _has_slopes(both) or both.kernel() is None:
            return jax.jvp(partial(_first, asked), arrays, _instantiated(tangents))
        result, *slopes = _slopes_function(both)(*arrays)
        along = [_along(both, slope, tangents[n]) for n, slope in zip(moving, slopes, strict=True)]
        return result, reduce(add, along).astype(result.dtype)

    value.defjvp(push, symbolic_zeros=True)
    return value


def _moves(tangent: Any) -> bool:
    return not isinstance(tangent, SymbolicZero) and tangent.dtype != float0


def _has_slopes(asked: Asked) -> bool:
    """Whether all that moves is data with a gradient that a kernel can write."""
    names = [a.name for a in asked.loss.inputs]
    return all(
        n < asked.inputs
        and names[n] in asked.loss.differentiable
        and asked.kinds[n][1] in _FLOATS
        for n in asked.moving
    )


def _instantiated(tangents: Sequence[Any]) -> tuple[Any, ...]:
    """Return tangents of which none is a symbol; those of whole numbers have JAX's type for it."""
    return tuple(
        jnp.zeros(x.shape, x.dtype) if isinstance(x, SymbolicZero) and x.dtype != float0
        else np.zeros(x.shape, float0) if isinstance(x, SymbolicZero)
        else x
        for x in tangents
    )  # fmt: skip


def _along(asked: Asked, slope: Any, tangent: Any) -> Any:
    """Return how the loss changes along a tangent."""
    with _LIBRARY.wide():
        product = slope.astype("float64") * tangent.astype("float64")
        if dict(asked.plain).get("reduction") != "none":
            return jnp.sum(product)
        return jnp.sum(product, -1) if asked.loss.class_axis and slope.ndim == len(asked.shape) else product


@lru_cache(maxsize=1024)
def _slopes_function(asked: Asked) -> Any:
    """Return value and gradients as a function that is differentiated by the array text."""

    @jax.custom_jvp
    def slopes(*arrays: Any) -> tuple[Any, ...]:
        return tuple(_bound(asked, arrays))

    @slopes.defjvp
    def push(arrays: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        return jax.jvp(partial(_by_operations, asked), arrays, tangents)

    return slopes


def _first(asked: Asked, *arrays: Any) -> Any:
    return _by_operations(asked, *arrays)[0]


def _by_operations(asked: Asked, *arrays: Any) -> tuple[Any, ...]:
    """Return value and gradients by the array text."""
    moving = [arrays[n] for n in asked.moving]

    def value(*moved: Any) -> Any:
        given = list(arrays)
        for n, x in zip(asked.moving, moved, strict=True):
            given[n] = x
        return evaluate.by_operations(asked.loss, *asked.parted(given))

    if not moving:
        return (value(),)
    found, back = jax.vjp(value, *moving)
    return found, *back(jnp.ones_like(found))


_called = Primitive("lossary")
_called.multiple_results = True


def _bound(asked: Asked, arrays: Sequence[Any]) -> list[Any]:
    kernel = asked.kernel()
    assert kernel is not None  # noqa: S101  (the caller has looked)
    return _called.bind(*arrays, asked=asked, kernel=kernel)


@_called.def_abstract_eval
def _kinds_of_results(*arrays: Any, asked: Asked, kernel: _Kernel) -> list[Any]:
    places = kernel.recipe.places(asked.shape) if kernel.recipe.each else ()
    kinds = [(places, asked.kinds[0][1]), *(asked.kinds[n] for n in asked.moving)]
    return [jax.core.ShapedArray(shape, np.dtype(kind)) for shape, kind in kinds]


@lru_cache(maxsize=1024)
def _compiled(asked: Asked, kernel: _Kernel) -> Any:
    return jax.jit(partial(_called.bind, asked=asked, kernel=kernel))


@_called.def_impl
def _at_once(*arrays: Any, asked: Asked, kernel: _Kernel) -> list[Any]:
    return _compiled(asked, kernel)(*arrays)


def _many(
    arrays: Sequence[Any], axes: Sequence[Any], asked: Asked, kernel: _Kernel
) -> tuple[Any, Any]:
    found = jax.vmap(partial(_by_operations, asked), axes)(*arrays)
    return found, (0,) * len(found)


def _by_text(*arrays: Any, asked: Asked, kernel: _Kernel) -> tuple[Any, ...]:
    return _by_operations(asked, *arrays)


def _by_kernel(*arrays: Any, asked: Asked, kernel: _Kernel) -> tuple[Any, ...]:
    """Return value and gradients of a kernel; by the array text if a value is not in its set."""
    kinds = _kinds_of_results(asked=asked, kernel=kernel)
    results = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in kinds]
    with _LIBRARY.wide():
        run = jax.ffi.ffi_call(kernel.name, [*results, jax.ShapeDtypeStruct((), np.int32)])
        *found, wrong = run(*_ordered(asked, kernel.recipe, arrays), facts=_facts(asked, kernel))
        if not (dict(asked.plain).get("check", True) or any(a.domain.integer for a in asked.loss.inputs)):
            return tuple(found)
        text = partial(_by_operations, asked, *arrays)
        return jax.lax.cond(wrong != 0, text, lambda: tuple(found))


def _ordered(asked: Asked, recipe: Recipe, arrays: Sequence[Any]) -> list[Any]:
    """Return the arrays in the order in which the kernel takes them."""
    data, options = asked.parted(arrays)
    return [*data, *(options[name] for name in recipe.extras)]


def _facts(asked: Asked, kernel: _Kernel) -> np.ndarray:
    """Return what a call says beside its arrays, as whole numbers and the bits of others."""
    from lossary.kernels import xla

    recipe, classes, options = kernel.recipe, asked.classes, dict(asked.plain)
    size = prod(asked.shape)
    threads = min(pool.threads(), pool.workers(size, recipe.shared_from))
    empty = xla.NAN if options.get("empty") == "nan" else xla.ZERO
    rows, step = size // (classes or 1), forms.step_of(classes, recipe.short)
    facts = [rows, classes, step, threads, asked.inputs, xla.EACH if recipe.each else empty]
    facts += [ignored(options["ignore_index"])] if recipe.ignoring else []
    numbers = [*recipe.values(options), 1.0, recipe.divisor(options)]
    return np.array([*facts, *np.array(numbers).view(np.int64)], np.int64)


_text = mlir.lower_fun(_by_text, multiple_results=True)
_custom = mlir.lower_fun(_by_kernel, multiple_results=True)


def _lowered(context: Any, *arrays: Any, **about: Any) -> Any:
    """Lower to a call of the kernel where this process is to run it, on one CPU."""
    module = context.module_context
    alone = getattr(module.axis_context, "num_devices", 0) == 1
    here = not getattr(module.lowering_parameters, "for_export", True)
    return (_custom if alone and here else _text)(context, *arrays, **about)


mlir.register_lowering(_called, _text)
mlir.register_lowering(_called, _lowered, platform="cpu")
batching.primitive_batchers[_called] = _many
