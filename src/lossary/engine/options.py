"""What a call says beside its data: the words that a loss takes, and each where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

import numpy as np

from lossary.definition import Definition
from lossary.engine import hints
from lossary.engine.libraries import symbolic
from lossary.errors import DomainError, DtypeError
from lossary.typing import Empty, Reduction

# Other frameworks' words for the first and the second argument, unless two predictions come first.
_ALIASES = ({"input", "y_pred"}, {"target", "y_true"})

_COMMON = {
    "weight": None,
    "mask": None,
    "reduction": "mean",
    "denominator": None,
    "empty": "zero",
    "check": True,
    "inplace": False,
}


def options_of(definition: Definition) -> dict[str, Any]:
    """Return the keyword options of a loss beyond its own arguments, with their defaults.

    An argument that is called like an option takes its place.
    """
    options = dict(_COMMON)
    if definition.class_axis:
        options["axis"] = -1
    if definition.over_positions:
        options["position_weight"] = None
    if has_classes(definition):
        options["class_weight"] = None
    if any(a.domain.integer for a in definition.inputs):
        options["ignore_index"] = None
    return {name: x for name, x in options.items() if name not in definition.domains}


def has_classes(definition: Definition) -> bool:
    """Whether the target names classes, so that a class weight has a meaning."""
    return definition.family == "classification" or any(
        a.domain.name in {"Label", "Simplex", "Sign"} for a in definition.inputs[1:2]
    )


@dataclass
class Options:
    """The keyword options of one call."""

    weight: Any = None
    mask: Any = None
    reduction: str = "mean"
    denominator: Any = None
    empty: str = "zero"
    check: bool = True
    inplace: bool = False
    axis: Any = -1
    position_weight: Any = None
    class_weight: Any = None
    ignore_index: Any = None


_CHOSEN = {
    "None": '\nhint: "none" returns one value per element or row',
    "batchmean": '\nhint: "mean" is the mean over rows, which others call batchmean',
    **dict.fromkeys(("avg", "average", "sum_over_batch_size"), '\nhint: it is called "mean"'),
    "sum_over_nonzero_weights": '\nhint: "mean" divides by the sum of the weights',
}

_CHOICES = {"reduction": get_args(Reduction), "empty": get_args(Empty)}


def bind(
    definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], Options]:
    """Sort a call into data, hyper-parameters and options."""
    names, defaults, required, allowed = _facts(definition)
    if len(args) > len(names):
        raise TypeError(
            f"{definition.name} takes {len(names)} positional arguments "
            f"({', '.join(names)}), got {len(args)}\nhint: {_by_keyword(defaults, allowed)}"
        )
    data: dict[str, Any] = dict(zip(names, args, strict=False))
    parameters = dict(defaults)
    options: dict[str, Any] = {}
    for key, value in kwargs.items():
        name = _canonical(definition, key)
        if name in data:
            raise TypeError(f"{definition.name} got {name!r} twice")
        place = data if name in names else parameters if name in parameters else options
        if place is options and name not in allowed:
            hint = hints.for_keyword(definition, key, value, [*names, *parameters, *allowed])
            raise TypeError(f"{definition.name} has no argument {key!r}\nhint: {hint}")
        place[name] = value
    if len(data) < len(names) or required - kwargs.keys():
        missing = [n for n in names if n not in data]
        missing += [n for n in parameters if n in required and n not in kwargs]
        hint = hints.for_missing(definition, len(data), kwargs)
        raise TypeError(f"{definition.name} needs {', '.join(missing)}\nhint: {hint}")
    if options:
        _check_options(definition, options, allowed)
    return {n: data[n] for n in names}, parameters, Options(**options)


@lru_cache(maxsize=1024)
def _facts(
    definition: Definition,
) -> tuple[tuple[str, ...], dict[str, Any], frozenset[str], dict[str, Any]]:
    """Return the names of the data, defaults and names of hyper-parameters, and the options."""
    return (
        tuple(a.name for a in definition.inputs),
        {a.name: a.default for a in definition.parameters},
        frozenset(a.name for a in definition.parameters if a.required),
        options_of(definition),
    )


def _check_options(
    definition: Definition, options: Mapping[str, Any], allowed: Mapping[str, Any]
) -> None:
    for name in ("ignore_index",) if definition.over_positions else ("axis", "ignore_index"):
        value = options.get(name, 0)
        known = isinstance(value, (int, np.integer, type(allowed.get(name))))
        if not known and not symbolic(value) and not (name != "axis" and _is_whole(value)):
            raise DtypeError(f"{definition.name}: {name} must be an integer, got {options[name]!r}")
    for name, choices in _CHOICES.items():
        one_of(definition.name, name, options.get(name, choices[0]), choices)


def one_of(who: str, name: str, word: Any, choices: tuple[str, ...]) -> Any:
    """Return an option that is one of a few words."""
    if word in choices:
        return word
    raise DomainError(
        f"{who}: {name} must be one of {', '.join(map(repr, choices))}, "
        f"got {word!r}{_CHOSEN.get(str(word), '')}"
    )


def _is_whole(x: Any) -> bool:
    """Whether x is an array that holds one whole number, which a graph need not know yet."""
    return getattr(x, "shape", None) == () and "int" in str(x.dtype)


def _canonical(definition: Definition, key: str) -> str:
    names = [argument.name for argument in definition.inputs]
    if key in definition.domains:
        return key
    if "target" in names[2:]:
        return "target" if key in _ALIASES[1] else key
    for name, aliases in zip(names, _ALIASES, strict=False):
        if key in aliases:
            return name
    return key


def _by_keyword(parameters: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    own = f"hyper-parameters ({', '.join(parameters)}) and " if parameters else ""
    return f"{own}options ({', '.join(options)}) go by keyword"
