"""From a call to prepared arrays: names, libraries, dtypes, shapes and the class axis."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lossary.definition import Argument, Definition
from lossary.engine.libraries import Library, library_of
from lossary.errors import DtypeError, ShapeError

__all__ = ["Call", "Options", "bind", "prepare"]

# Other frameworks' words for the first and the second argument.
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
    """Return the keyword options of a loss beyond its own parameters, with their defaults."""
    options = dict(_COMMON)
    if definition.class_axis:
        options["axis"] = -1
    if has_classes(definition) and "class_weight" not in definition.domains:
        options["class_weight"] = None
    if any(a.domain.integer for a in definition.inputs):
        options["ignore_index"] = None
    return options


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
    axis: int = -1
    class_weight: Any = None
    ignore_index: int | None = None


_CHOICES = {"reduction": ("mean", "sum", "none"), "empty": ("zero", "nan", "raise")}


@dataclass
class Call:
    """A call whose data are arrays of one library, class axis last, labels with an axis of 1."""

    definition: Definition
    library: Library
    arrays: dict[str, Any]
    parameters: dict[str, Any]
    options: Options
    shape: tuple[int, ...]
    axis: int = -1

    @property
    def prediction(self) -> Any:
        """The first argument."""
        return self.arrays[self.definition.inputs[0].name]

    @property
    def rows(self) -> Any:
        """An array in the shape of the unreduced loss."""
        return self.prediction[..., 0] if self.definition.class_axis else self.prediction


def bind(
    definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], Options]:
    """Sort a call into data, hyper-parameters and options."""
    names, defaults, required, allowed = _facts(definition)
    if len(args) > len(names):
        raise TypeError(
            f"{definition.name} takes {len(names)} positional arguments "
            f"({', '.join(names)}), got {len(args)}\nhint: hyper-parameters go by keyword"
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
            raise TypeError(_unknown(definition, key, [*names, *parameters, *allowed]))
        place[name] = value
    if len(data) < len(names) or required - kwargs.keys():
        missing = [n for n in names if n not in data]
        missing += [n for n in parameters if n in required and n not in kwargs]
        raise TypeError(f"{definition.name} needs {', '.join(missing)}")
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
    for name in ("axis", "ignore_index"):
        if not isinstance(options.get(name, 0), (int, np.integer, type(allowed.get(name)))):
            raise DtypeError(f"{definition.name}: {name} must be an integer, got {options[name]!r}")
    for name, choices in _CHOICES.items():
        if options.get(name, choices[0]) not in choices:
            raise ValueError(
                f"{definition.name}: {name} must be one of {', '.join(map(repr, choices))}, "
                f"got {options[name]!r}"
            )


def _canonical(definition: Definition, key: str) -> str:
    if key in definition.domains:
        return key
    for place, aliases in enumerate(_ALIASES):
        if key in aliases and place < len(definition.inputs):
            return definition.inputs[place].name
    return key


def _unknown(definition: Definition, key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}"
    return f"{definition.name} has no argument {key!r}\nhint: {hint}"


def prepare(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """Return the call with its data as arrays that fit each other."""
    data, parameters, options = bind(definition, args, kwargs)
    library = library_of(data.values())
    like = next((x for x in data.values() if library.owns(type(x))), None)
    arrays = {a.name: _array(definition, library, a, data[a.name], like) for a in definition.inputs}
    arrays = library.together(arrays)
    first = arrays[definition.inputs[0].name]
    axis = _class_axis(definition, library, first, options.axis)
    shape = library.shape(first)
    rows = shape[:axis] + shape[axis + 1 :] if definition.class_axis else shape
    for a in definition.inputs:
        wanted = rows if definition.class_axis and not a.domain.class_axis else shape
        _same_shape(definition, library, a, arrays[a.name], wanted)
        if definition.class_axis:
            arrays[a.name] = (
                library.move_last(arrays[a.name], axis)
                if a.domain.class_axis
                else library.expand(arrays[a.name])
            )
    return Call(definition, library, arrays, parameters, options, rows, axis)


def _array(
    definition: Definition, library: Library, argument: Argument, data: Any, like: Any
) -> Any:
    x = data if library.owns(type(data)) else library.array(data, like)
    kind = library.kind(x)
    name = f"{definition.name}: {argument.name}"
    if kind in {"complex", "other"}:
        raise DtypeError(f"{name} must be real numbers, got {_dtype(x)}")
    if argument.domain.integer:
        if kind != "integer":
            raise DtypeError(
                f"{name} must be integers, got {_dtype(x)}\n"
                "hint: convert class indices with an integer cast such as astype(int); for "
                "one-hot or soft targets use soft_cross_entropy"
            )
        return library.cast(x, library.index_dtype)
    if kind == "floating":
        return x
    if argument is definition.inputs[0] and library.owns(type(data)):
        raise DtypeError(
            f"{name} must be floating-point numbers, got {_dtype(x)}\n"
            "hint: cast it to a float type; are prediction and target in each other's place?"
        )
    return library.cast(x, library.work_dtype(x)) if argument is definition.inputs[0] else x


def _dtype(x: Any) -> str:
    return str(getattr(x, "dtype", type(x).__name__)).removeprefix("torch.")


def _class_axis(definition: Definition, library: Library, first: Any, axis: int) -> int:
    if not definition.class_axis:
        return -1
    rank = len(library.shape(first))
    name = definition.inputs[0].name
    if rank == 0:
        raise ShapeError(
            f"{definition.name}: {name} has no axis for the classes\nhint: give one row as a list"
        )
    if not -rank <= axis < rank:
        raise ShapeError(
            f"{definition.name}: axis {axis} is outside {name} of shape {library.shape(first)}"
        )
    if library.shape(first)[axis] == 0:
        raise ShapeError(f"{definition.name}: {name} has no classes along axis {axis}")
    return axis % rank


def _same_shape(
    definition: Definition, library: Library, argument: Argument, x: Any, wanted: tuple[int, ...]
) -> None:
    shape = library.shape(x)
    if len(shape) == len(wanted) and all(map(_may_equal, shape, wanted)):
        return
    first = definition.inputs[0].name
    if argument.domain.class_axis == definition.class_axis:
        what = f"must have the shape of {first}, {wanted}"
    else:
        what = f"must have the shape of {first} without the class axis, {wanted}"
    raise ShapeError(
        f"{definition.name}: {argument.name} {what}, got {shape}\nhint: {_shape_fix(shape, wanted)}"
    )


def _may_equal(n: int | None, m: int | None) -> bool:
    """Compare two lengths; a graph may not know one of them yet."""
    return n is None or m is None or n == m


def _shape_fix(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if shape == (*wanted, 1):
        return "drop its last axis with squeeze(-1)"
    if (*shape, 1) == wanted:
        return "drop the last axis of the prediction with squeeze(-1)"
    if shape[:-1] == wanted:
        return "for one-hot or soft targets use soft_cross_entropy; or take argmax"
    if sorted(shape) == sorted(wanted):
        return "the axes are in another order: give axis= for the classes, or transpose"
    return "shapes are never broadcast against each other; reshape or expand one of them"
