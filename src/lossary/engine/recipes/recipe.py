"""Which kinds of call have come, and how the machine code of one is made: its recipe."""

from __future__ import annotations

import importlib
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lossary.engine import forms
from lossary.engine.arguments import Call
from lossary.engine.evaluate import begun, choose
from lossary.engine.fused import Fused, in_memory
from lossary.engine.libraries import owner
from lossary.engine.recipes.running import Recipe
from lossary.engine.selection import numba_is_there
from lossary.errors import LossaryError

if TYPE_CHECKING:
    from lossary.render.entry import Around
    from lossary.render.kernel import Storage

NO_RECIPE: Any = NotImplemented
"""The answer to a call that has to take the long road."""

VALUE = ("value",)
"""What a call of a loss wants: its value, with its place in the graph."""

WANTED = frozenset({("gradient",), ("value", "gradient"), ("gradient", "hessian")})
"""What else a call may want of a recipe, with respect to its first argument."""

_LENGTHS = sorted(forms.SHORT.values())


def length(classes: int) -> int:
    """Return a number for the lengths of rows that are laid out alike, whatever the kernel."""
    return bisect_left(_LENGTHS, classes)


PATIENCE = 16
"""Calls of a kind before its kernel is compiled: a script that calls once compiles nothing."""

MOST = 4096
"""Kinds, and plans, that are remembered; a program that has more begins anew."""

_LIBRARIES = frozenset({"jax", "numpy", "tensorflow", "torch"})


class _Roads(dict[type, Any]):
    """What runs short calls on arrays of a type; None where nothing does."""

    def __missing__(self, kind: type) -> Callable[..., Any] | None:
        module = _module(kind)
        found = self[kind] = None if module is None else module.call
        return found


roads = _Roads()


def explained(loss: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> str | None:
    """Return what computes a call instead of the long road, in words; None for that road."""
    explain = getattr(_module(type(args[0])) if args else None, "explain", None)
    return explain and explain(loss, args, options)


def _module(kind: type) -> Any:
    name = owner(kind)
    known = name in _LIBRARIES and (name != "numpy" or kind.__module__ == "numpy")
    return importlib.import_module(f"lossary.engine.recipes.{name}") if known else None


@dataclass(slots=True)
class _Kind:
    """A kind of call that has come, and its recipe once that is made."""

    calls: int = 0
    recipe: Recipe | None = None


_kinds: dict[Any, _Kind] = {}
plans: dict[Any, Any] = {}
"""The plans of calls, by all that their answer hangs on beside their numbers."""


def remember(call: Any, plan: Any) -> None:
    """Keep the plan of such calls."""
    if len(plans) >= MOST:
        plans.clear()
    plans[call] = plan


def option_kind(options: Mapping[str, Any], array_kind: Callable[[Any], Any]) -> Any:
    """Return what of the options shapes a recipe; None for options that no recipe has.

    Words and flags shape it, and 0, 1 and 2, which stand in the text; of other numbers only that
    they are there. ``array_kind`` returns the same of an array, None for what is no plain array.
    """
    found: list[Any] = []
    for name, x in options.items():
        kind = type(x)
        if kind is float or kind is int:
            same = x if name == "axis" or (x in _IN_TEXT and name not in _NOT_IN_TEXT) else None
        elif kind in _WORDS:
            same = x
        else:
            same = array_kind(x)
            if same is None:
                return None
        found += (name, kind, same)
    return tuple(found)


_WORDS = frozenset({str, bool, type(None)})
_IN_TEXT = frozenset({0, 1, 2})
_NOT_IN_TEXT = frozenset({"denominator", "ignore_index"})


def find(
    kind: Any,
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    moving: tuple[int, ...],
    curved: bool = False,
) -> Recipe | None:
    """Return the recipe of a kind of call; None while there is none, or never."""
    met = _kinds.get(kind)
    if met is None:
        if len(_kinds) >= MOST:
            _kinds.clear()
        met = _kinds[kind] = _Kind()
    recipe = met.recipe
    if recipe is None:
        met.calls += 1
        if met.calls == PATIENCE and numba_is_there():
            met.recipe = _made(loss, args, options, moving, curved)
        recipe = met.recipe
    if recipe is None or recipe.entry is not None:
        return recipe
    go_on()
    return recipe if recipe.entry is not None else None


def go_on() -> None:
    """See that somebody is at work on the recipes that are not ready."""
    from lossary.kernels import background

    background.go_on()


def _made(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    moving: tuple[int, ...],
    curved: bool,
) -> Recipe | None:
    """Make the recipe and have its kernel compiled; None where a kernel does not cover the kind."""
    from lossary.kernels import background
    from lossary.kernels.compiling import Work
    from lossary.render.custom_call import TEAM
    from lossary.render.entry import ENTRY

    draft = drafted(loss, args, options, moving, curved)
    if draft is None:
        return None
    recipe, modules = draft

    def then(entry: Callable[..., Any]) -> None:
        recipe.entry = _undispatched(entry)

    def gathered(team: Callable[..., Any]) -> None:
        recipe.team = _undispatched(team)

    def gather() -> None:
        recipe.gather = None
        background.ask(lambda: Work(_with_team(recipe, modules()), TEAM, []), gathered)

    recipe.gather = gather
    background.ask(lambda: Work(modules(), ENTRY, []), then)
    return recipe


def _undispatched(function: Any) -> Any:
    from lossary.kernels.linking import undispatched  # brings Numba, which takes 0.2 s

    return undispatched(function)


def _with_team(recipe: Recipe, texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the modules, with that of the function whose work PyTorch's threads share."""
    from lossary.kernels.modules import imported_as
    from lossary.render.custom_call import team_text

    text = team_text(imported_as(*texts[-1]), *recipe.arity)
    return [*texts, (f"shared_{recipe.definition.name}", text)]


def drafted(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    moving: tuple[int, ...],
    curved: bool = False,
) -> tuple[Recipe, Callable[..., list[tuple[str, str]]]] | None:
    """Return a recipe without its machine code, and what prints the modules to compile.

    With ``marking`` it prints one more, before the recipe's own, for calls that cannot raise.

    None where a kernel does not cover the kind.
    """
    try:
        call = begun(loss, args, options)
        choice = choose(call)
        with call.library.calm():
            kernel = in_memory(call, choice.variant, choice.parameters)
    except (LossaryError, TypeError, ValueError):
        return None  # the long road says what is wrong
    words = [_word(call, x) for x in args]
    if isinstance(kernel, str) or not _is_covered(call):
        return None
    storages = [operand.storage for operand in kernel.operands]
    if storages != [storage for _, storage in words]:
        return None  # the long road computes with other numbers than those that came
    recipe = _recipe(call, kernel, moving, curved)
    about = _about(recipe, call, kernel, [name for name, _ in words])
    recipe.short = about.form.short
    return recipe, partial(_modules, recipe, about)


def _word(call: Call, x: Any) -> tuple[str, str]:
    """Return NumPy's name for the words of an array and what they mean; nothing for no memory."""
    memory = call.library.memory(x)
    if memory is None or memory.words.dtype == np.uint64:  # which machine code compares as floats
        return "", ""
    name = "bool_" if memory.storage == "boolean" else memory.words.dtype.name
    return name, memory.storage


def _is_covered(call: Call) -> bool:
    """Whether machine code does all that the options of a call ask for."""
    options = call.options
    if options.empty == "raise" or options.inplace:
        return False
    if options.reduction == "none" and _word(call, call.prediction)[0] not in _VALUES:
        return False
    rank = len(call.shape) + call.definition.class_axis
    if call.definition.class_axis and call.axis != rank - 1:
        return False
    if not isinstance(options.denominator, (int, float, type(None))):
        return False
    return all(
        getattr(options, name) is None or _word(call, getattr(options, name))[1] in storages
        for name, storages in EXTRAS.items()
    )


_VALUES = frozenset({"float32", "float64"})
"""What weights, and values that are not reduced, are stored as: halves would be rounded first."""

EXTRAS: dict[str, frozenset[str]] = {
    "weight": _VALUES,
    "mask": frozenset({"boolean"}),
    "class_weight": _VALUES,
}
"""The options that are arrays, in their order, and what their memory may hold."""


def _recipe(call: Call, kernel: Fused, moving: tuple[int, ...], curved: bool) -> Recipe:
    inputs = call.definition.inputs
    rows = call.definition.class_axis
    names = kernel.variant.arguments[len(inputs) :]
    given = (name for name in EXTRAS if getattr(call.options, name) is not None)
    return Recipe(
        call.definition,
        rows,
        tuple(not rows or a.domain.class_axis for a in inputs),
        moving,
        tuple(a for a in call.definition.parameters if a.name in names),
        tuple(given),
        call.options.ignore_index is not None,
        call.options.reduction == "none",
        call.options.reduction == "mean" and call.options.denominator is None,
        forms.shared_from(kernel.variant),
        curved,
    )


def _about(recipe: Recipe, call: Call, kernel: Fused, words: list[str]) -> _About:
    """Return what shapes the text; of the call itself nothing is kept while it is printed."""
    value: Storage = kernel.operands[0].storage if recipe.each else "float64"
    # Second derivatives are asked for without a value, as boosters ask for them.
    results: tuple[tuple[str, Storage], ...] = ()
    if not recipe.curved:
        results = (("value", value),)
    form = kernel.form(results, reduce=not recipe.each and not recipe.curved)
    around = _around(recipe, call)
    form = replace(
        form,
        results=(*form.results, *_derivatives(recipe, form)),
        weight=around.kernel_weight or None,
        mask=around.kernel_mask,
    )
    return _About(forms.laid_out(form, kernel.classes), around, words)


def _places(recipe: Recipe) -> tuple[int, ...]:
    """Return the place of the input that each derivative is one by."""
    return (*recipe.moving, 0) if recipe.curved else recipe.moving


def _derivatives(recipe: Recipe, form: forms.Form) -> list[tuple[str, Storage]]:
    """Return the derivatives that are written, and how they are stored."""
    kinds = ["gradient"] * len(recipe.moving) + ["hessian"] * recipe.curved
    inputs = recipe.definition.inputs
    return [
        (f"{kind}:{inputs[place].name}", form.storages[place])
        for kind, place in zip(kinds, _places(recipe), strict=True)
    ]


class _About(NamedTuple):
    """What of a call shapes the text of its recipe: ``words`` are those of the inputs' memory."""

    form: forms.Form
    around: Around
    words: list[str]


def _modules(recipe: Recipe, about: _About, *, marking: bool = False) -> list[tuple[str, str]]:
    """Return names and sources of the kernel's module, and of the recipe's own."""
    from lossary.kernels.modules import imported_as
    from lossary.render.entry import entry_text, mark_text

    kernel, source = forms.kernel_of(about.form), forms.source(about.form)
    types = {o.name: word for o, word in zip(kernel.operands, about.words, strict=False)}
    written = [about.words[place] for place in _places(recipe)]
    written = written if recipe.curved else [about.words[0], *written]
    types |= {r.name: word for r, word in zip(kernel.results, written, strict=True)}
    facts = kernel, about.around, types, imported_as(*source)
    name = recipe.definition.name
    marks = [(f"marked_{name}", mark_text(*facts))] if marking else []
    return [source, *marks, (f"short_{name}", entry_text(*facts))]


def _around(recipe: Recipe, call: Call) -> Around:
    from lossary.render.entry import Around

    options = call.options

    def word(x: Any) -> str:
        return "" if x is None else _word(call, x)[0]

    return Around(
        word(options.weight),
        word(options.class_weight),
        options.mask is not None,
        recipe.ignoring,
        recipe.averages,
    )
