"""From a call to prepared arrays: libraries, dtypes, shapes and the class axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossary.definition import Argument, Definition
from lossary.engine import ambiguity, hints
from lossary.engine.inside import axes_of
from lossary.engine.libraries import Library, library_of, symbolic
from lossary.engine.options import Options, bind
from lossary.engine.reading import any_masked, read, unmasked
from lossary.engine.shapes import may_agree
from lossary.errors import DtypeError, LossaryError, ShapeError


@dataclass
class Call:
    """A call whose data are arrays of one library, class axis last, labels with an axis of 1."""

    definition: Definition
    library: Library
    arrays: dict[str, Any]
    parameters: dict[str, Any]
    options: Options
    shape: Any
    """The shape of the unreduced loss, as far as it is known; None where not even its length is."""
    axis: int = -1
    axes: tuple[int, ...] = ()
    """The axes of the positions in the arrays as they were given; none for other losses."""
    given: Any = None
    """The prediction as it was given, where its positions have become one axis."""
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    """Where the masked arrays of NumPy that were given are masked, by argument."""

    @property
    def prediction(self) -> Any:
        """The first argument."""
        return self.arrays[self.definition.inputs[0].name]

    @property
    def rows(self) -> Any:
        """An array in the shape of the unreduced loss."""
        return self.prediction[..., 0] if self.definition.class_axis else self.prediction


def prepare(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """Return the call with its data as arrays that fit each other."""
    data, parameters, options = bind(definition, args, kwargs)
    masks = (
        unmasked(definition, data, parameters, vars(options)) if any_masked(args, kwargs) else {}
    )
    library = library_of(data.values())
    with library.calm():
        return _prepared(definition, library, data, parameters, options, masks)


def _prepared(
    definition: Definition,
    library: Library,
    data: Mapping[str, Any],
    parameters: dict[str, Any],
    options: Options,
    masks: dict[str, np.ndarray],
) -> Call:
    like = next((x for x in data.values() if library.owns(type(x))), None)
    arrays = {
        a.name: _array(definition, library, a, data[a.name], like)
        for a in definition.inputs
        if a is definition.inputs[0] or not _is_number(data[a.name])
    }
    arrays = library.together(arrays)
    first = arrays[definition.inputs[0].name]
    axis, axes = _class_axis(definition, library, first, options.axis), ()
    shape = library.shape(first)
    rows = shape[:axis] + shape[axis + 1 :] if definition.class_axis else shape
    if definition.over_positions:
        axes = axes_of(definition, options.axis, shape, definition.inputs[0].name)
        rows = tuple(n for k, n in enumerate(shape) if k not in axes)
    for a in definition.inputs:
        if a.name not in arrays:
            continue
        wanted = rows if definition.class_axis and not a.domain.class_axis else shape
        _same_shape(definition, library, a, arrays[a.name], wanted, shape)
        if definition.class_axis:
            arrays[a.name] = (
                _rows_last(library, arrays[a.name], axis, axes)
                if a.domain.class_axis
                else library.expand(arrays[a.name])
            )
    call = Call(
        definition,
        library,
        arrays,
        parameters,
        options,
        rows,
        axis,
        axes,
        first if axes else None,
        masks,
    )
    if definition.class_axis and not axes and shape[axis] == 1 and options.check:
        ambiguity.one_class(call)
    if axes and options.check:
        ambiguity.lines(call)
    if len(arrays) < len(data):
        numbers = {name: data[name] for name in data if name not in arrays}
        call.arrays = {name: _filled(call, name, numbers) for name in data}
    return call


def _rows_last(library: Library, x: Any, axis: int, axes: tuple[int, ...]) -> Any:
    return library.merged(x, axes) if axes else library.move_last(x, axis)


def _is_number(x: Any) -> bool:
    """Whether x is a number of Python's own, which unlike an array cannot be misaligned."""
    return type(x) in _NUMBERS or symbolic(x)


_NUMBERS = frozenset({int, float, bool})


def _filled(call: Call, name: str, numbers: Mapping[str, Any]) -> Any:
    """Return an argument; one that was given as a number holds it in every place."""
    if name not in numbers:
        return call.arrays[name]
    library, domain, first = call.library, call.definition.domains[name], call.prediction
    if domain.by_row:
        raise ShapeError(
            f"{call.definition.name}: {name} must be {domain}, got the number {numbers[name]!r}\n"
            "hint: give a row for each row of the prediction"
        )
    if domain.integer and type(numbers[name]) in {float, bool}:
        raise DtypeError(
            f"{call.definition.name}: {name} must be integers, got {numbers[name]!r}\n"
            "hint: an int is the label of every row"
        )
    with library.wide():
        dtype = library.index_dtype if domain.integer else first.dtype
        x = library.cast(library.array(numbers[name], first), dtype)
        rows = call.definition.class_axis and not domain.class_axis
        return library.broadcast(x, first[..., :1] if rows else first)


def _array(
    definition: Definition, library: Library, argument: Argument, data: Any, like: Any
) -> Any:
    x = _read(definition, library, argument, data, like)
    kind = library.kind(x)
    name = f"{definition.name}: {argument.name}"
    if kind in {"complex", "other"}:
        got, hint = hints.for_dtype(argument, data)
        raise DtypeError(f"{name} must be real numbers, got {got}\nhint: {hint}")
    if argument.domain.integer:
        if kind != "integer":
            hint = hints.for_labels(definition, library.name)
            raise DtypeError(f"{name} must be integers, got {hints.dtype_name(x)}\nhint: {hint}")
        return library.index(x)
    if kind == "floating":
        return x
    if argument is definition.inputs[0] and library.owns(type(data)):
        raise DtypeError(
            f"{name} must be floating-point numbers, got {hints.dtype_name(x)}\n"
            f"hint: cast it to a float type; is it a target? the order is "
            f"({', '.join(a.name for a in definition.inputs)})"
        )
    return library.cast(x, library.work_dtype(x)) if argument is definition.inputs[0] else x


def _read(
    definition: Definition, library: Library, argument: Argument, data: Any, like: Any
) -> Any:
    """Return lists, numbers and arrays of elsewhere as an array of the call's library."""
    labels = argument.domain.integer
    try:
        return read(library, definition.name, argument.name, data, like, labels=labels)
    except LossaryError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        name = f"{definition.name}: {argument.name}"
        if ragged := hints.for_nesting(data):
            raise ShapeError(
                f"{name} must have rows of one length, got {ragged}\n"
                "hint: pad them to one length, and leave the padding out with mask="
            ) from error
        got, hint = hints.for_dtype(argument, data)
        raise DtypeError(f"{name} must be real numbers, got {got}\nhint: {hint}") from error


def _class_axis(definition: Definition, library: Library, first: Any, axis: Any) -> int:
    if not definition.class_axis:
        return -1
    name, shape = definition.inputs[0].name, library.shape(first)
    if shape is None:
        raise ShapeError(
            f"{definition.name}: {name} has an unknown number of axes in this graph\n"
            "hint: say how many there are, with tf.ensure_shape(x, [None, None]) for example"
        )
    rank = len(shape)
    if rank == 0:
        what = "positions" if definition.over_positions else "classes"
        raise ShapeError(
            f"{definition.name}: {name} has no axis for the {what}\nhint: give one row as a list"
        )
    if definition.over_positions:
        return rank - 1
    if not -rank <= axis < rank:
        raise ShapeError(f"{definition.name}: axis {axis} is outside {name} of shape {shape}")
    if shape[axis] == 0:
        raise ShapeError(f"{definition.name}: {name} has no classes along axis {axis}")
    _long_enough(definition, name, shape, axis)
    return axis % rank


def _long_enough(
    definition: Definition, name: str, shape: tuple[int | None, ...], axis: int
) -> None:
    """Raise for rows without the entries that the formula picks."""
    entries, length = definition.entries, shape[axis]
    if length is None:
        return
    if entries and length != len(entries):
        raise ShapeError(
            f"{definition.name}: {name} must have {len(entries)} numbers along axis {axis}, "
            f"{', '.join(entries)}, got shape {shape}\nhint: axis= says where they lie"
        )
    if length < definition.least_classes:
        raise ShapeError(
            f"{definition.name}: {name} must have at least {definition.least_classes} numbers along"
            f" axis {axis}, got shape {shape}\nhint: axis= says where they lie"
        )


def _same_shape(
    definition: Definition,
    library: Library,
    argument: Argument,
    x: Any,
    wanted: tuple[int, ...] | None,
    prediction: tuple[int, ...],
) -> None:
    shape = library.shape(x)
    if shape is None or wanted is None or may_agree(shape, wanted):
        return
    first = definition.inputs[0].name
    if argument.domain.class_axis == definition.class_axis:
        what = f"must have the shape of {first}, {wanted}"
    else:
        what = f"must have the shape of {first} without the class axis, {wanted}"
    whole = library.kind(x) in {"integer", "boolean"}
    hint = hints.for_shape(definition, argument, shape, wanted, prediction, whole)
    raise ShapeError(f"{definition.name}: {argument.name} {what}, got {shape}\nhint: {hint}")
