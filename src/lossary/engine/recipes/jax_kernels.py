"""Kernels that XLA calls by name: what kinds of calls have one, and how they come to it."""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from lossary.engine.recipes.recipe import MOST, Recipe, drafted, length, option_kind
from lossary.engine.selection import chosen, numba_is_there

FLOATS = frozenset({"float32", "float64"})
"""What data with a gradient is stored as: a half would be rounded before it is multiplied."""


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return f"{self.loss.name} {list(self.kinds)}"

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

    def kernel(self) -> Kernel | None:
        """Return the kernel of such calls; None while there is none, or never."""
        kinds = tuple((len(shape), dtype) for shape, dtype in self.kinds)
        rows = self.classes if self.loss.entries else length(self.classes)
        options = dict(self.plain) | dict(zip(self.named, kinds[self.inputs :], strict=True))
        kind = self.loss, kinds, option_kind(options, lambda same: same), self.moving, rows
        if kind not in _kernels:
            _begin(self, kind)
        if (pending := _pending.get(kind)) and _waits():
            pending()
        return _kernels[kind]


@dataclass(frozen=True, eq=False, repr=False)
class Kernel:
    """A kernel that XLA knows by name."""

    name: str
    recipe: Recipe

    def __repr__(self) -> str:
        return self.name


_kernels: dict[Any, Kernel | None] = {}
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
    work = Work(_with_handler(recipe, printed(marking=True)), HANDLER, [])
    name = f"{modules.imported_as(*work.modules[-1])}_{modules.fingerprint()}"

    def then(code: Any) -> None:
        _pending.pop(kind, None)
        _register(name, code)
        _kernels[kind] = Kernel(name, recipe)

    def make() -> None:
        _pending.pop(kind, None)
        try:
            then(load(work))
        except Exception as error:  # noqa: BLE001  (a compiler, or an XLA that calls otherwise)
            _warn(asked.loss.name, error)

    _pending[kind] = make
    if modules.compiled(*work.modules[-1], HANDLER):
        make()
    elif not _waits():
        background.ask(lambda: work, then)


def _warn(name: str, error: Exception) -> None:
    warnings.warn(
        f"{name} has no kernel in XLA, so that array operations compute it: "
        f"{type(error).__name__}: {error}\n"
        "hint: please report this; lossary.using(engine='array') silences it",
        RuntimeWarning,
        stacklevel=2,
    )


def _waits() -> bool:
    """Whether a graph waits for a compiler of ours."""
    from lossary.kernels import background

    return background.way() == "now" or chosen() == "fused"


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
    marking, entry = (imported_as(*text) for text in texts[-2:])
    text = handler_text(entry, marking, arrays + recipe.ignoring, len(recipe.numbers) + 2)
    return [*texts, (f"called_{recipe.definition.name}", text)]


def _register(name: str, code: Any) -> None:
    if name not in _registered:
        pointer = ctypes.cast(code.address, ctypes.c_void_p)
        jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(pointer), platform="cpu")
        _registered[name] = code
