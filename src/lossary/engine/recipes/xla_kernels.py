"""Kernels that XLA calls by name: what kinds of calls have one, and how they come to it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from lossary.engine import forms
from lossary.engine.recipes.recipe import EXTRAS, MOST, Recipe, drafted, length, option_kind
from lossary.engine.selection import chosen, numba_is_there
from lossary.engine.weighing import ignored
from lossary.kernels import pool

FLOATS = frozenset({"float32", "float64"})
"""What data with a gradient is stored as: a half would be rounded before it is multiplied."""


@dataclass(frozen=True, repr=False)
class Asked:
    """A call but for its numbers: the options that are arrays are ``named``, the others ``plain``.

    ``register`` tells the XLA that is asked a name and an address. ``kinds`` are the shapes and
    types of the data and then of the arrays among the options, with None for a length that is known
    only when the graph runs; ``moving`` are the places of the data that get a gradient.
    """

    register: Callable[[str, int], None]
    loss: Any
    kinds: tuple[tuple[tuple[Any, ...], str], ...]
    named: tuple[str, ...]
    plain: tuple[tuple[str, Any], ...]
    moving: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"{self.loss.name} {list(self.kinds)}"

    @property
    def shape(self) -> tuple[Any, ...]:
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

    def is_covered(self) -> bool:
        """Whether a kernel may compute such calls, whatever their numbers."""
        options = dict(self.plain)
        if self.kinds[0][1] not in FLOATS or len(self.shape) < self.loss.class_axis:
            return False
        if self.loss.class_axis and (self.classes is None or self.classes <= 1):
            return False
        if self.loss.class_axis and self.classes < self.loss.least_classes:
            return False
        divisor = options.get("denominator")
        # Other numbers that are arrays of the graph are looked at when the graph runs.
        return set(self.named) <= set(EXTRAS) and 0 < (1 if divisor is None else divisor) < inf

    def has_slopes(self) -> bool:
        """Whether all that moves is data with a gradient that a kernel can write."""
        names = [a.name for a in self.loss.inputs]
        return all(
            n < self.inputs and names[n] in self.loss.differentiable and self.kinds[n][1] in FLOATS
            for n in self.moving
        )

    def fitting(self) -> Kernel | None:
        """Return the kernel, where the arrays have the shapes that its machine code reads."""
        kernel = self.kernel()
        if kernel is None:
            return None
        shapes = [shape for shape, _ in self.kinds]
        recipe, shape = kernel.recipe, self.shape
        rows = recipe.places(shape)
        wanted = [shape if whole else rows for whole in recipe.whole]
        extras = dict(zip(self.named, shapes[self.inputs :], strict=True))
        extras = {name: extras[name] for name in recipe.extras}
        fits = shapes[: self.inputs] == wanted and recipe.fits(shape, rows, extras)
        return kernel if fits else None

    def results(self, recipe: Recipe) -> list[tuple[tuple[Any, ...], str]]:
        """Return the shapes and types of what the kernel returns: the value, and the gradients."""
        places = recipe.places(self.shape) if recipe.each else ()
        return [(places, self.kinds[0][1]), *(self.kinds[n] for n in self.moving)]

    def ordered(self, recipe: Recipe, arrays: Sequence[Any]) -> list[Any]:
        """Return the arrays in the order in which the kernel takes them."""
        data, options = self.parted(arrays)
        return [*data, *(options[name] for name in recipe.extras)]

    def facts(self, recipe: Recipe) -> np.ndarray:
        """Return what a call says beside its arrays, as whole numbers and the bits of others."""
        from lossary.kernels import xla

        options, classes = dict(self.plain), self.classes
        empty = xla.NAN if options.get("empty") == "nan" else xla.ZERO
        step = forms.step_of(classes, recipe.short)
        shared_from = recipe.shared_from // forms.READINESS["xla"]
        facts = [classes, step, pool.threads(), shared_from, self.inputs]
        facts += [xla.EACH if recipe.each else empty]
        facts += [ignored(options["ignore_index"])] if recipe.ignoring else []
        numbers = [*recipe.values(options), 1.0, recipe.divisor(options)]
        return np.array([*facts, *np.array(numbers).view(np.int64)], np.int64)

    def kernel(self) -> Kernel | None:
        """Return the kernel of such calls; None while there is none, or never."""
        kinds = tuple((len(shape), dtype) for shape, dtype in self.kinds)
        rows = self.classes if self.loss.entries else length(self.classes)
        options = dict(self.plain) | dict(zip(self.named, kinds[self.inputs :], strict=True))
        own = option_kind(options, lambda same: same)
        kind = self.register, self.loss, kinds, own, self.moving, rows
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

_registered: dict[Any, Any] = {}
"""Machine code that an XLA calls by a name: it stays as long as the program."""


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
        if (asked.register, name) not in _registered:
            asked.register(name, code.address)
            _registered[asked.register, name] = code
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

    marking, entry = (imported_as(*text) for text in texts[-2:])
    text = handler_text(entry, marking, *recipe.arity)
    return [*texts, (f"called_{recipe.definition.name}", text)]
