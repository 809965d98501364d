"""Shapes that can be read in two ways: what is refused, what is warned of, what says which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossary.errors import ShapeError, warn

if TYPE_CHECKING:
    from lossary.definition import Definition
    from lossary.engine.arguments import Call


def one_class(call: Call) -> None:
    """Warn that with one class the loss does not depend on the prediction, if that is so."""
    definition, first = call.definition, call.definition.inputs[0]
    if not is_constant_for_one_class(definition) or not _is_eager(call):
        return
    rows = "vectors of one number" if first.domain.name == "Embedding" else "one class"
    binary = "; binary_cross_entropy takes two classes in one column" if rows == "one class" else ""
    warn(
        f"{definition.name}: {first.name} has {rows} along axis {call.axis}, for which the loss is "
        f"the same whatever the prediction: nothing is learned; axis= names another axis{binary}"
    )


def is_constant_for_one_class(definition: Definition) -> bool:
    """Whether one class makes the loss constant.

    Any two predictions of one class differ by a shift; up to their sign by a factor; one
    probability is 1; and who needs rivals has none.
    """
    invariant = definition.promises & {"shift_invariant", "scale_invariant", "needs_rivals"}
    return bool(invariant) or definition.inputs[0].domain.mass is not None


def lines(call: Call) -> None:
    """Warn that an array of three axes and more is read line by line, if nothing says otherwise."""
    definition, shape = call.definition, call.library.shape(call.given)
    if call.options.axis != -1 or shape is None or len(shape) < 3 or not _is_eager(call):
        return
    rest = tuple(range(2, len(shape)))
    warn(
        f"{definition.name}: positions lie along the last axis, so that each of the "
        f"{shape[:-1]} lines has a value of its own; axis={rest} takes all axes but the first two, "
        "axis=None all, and axis=(-1,) says that lines are meant"
    )


def without_classes(call: Call, x: Any) -> Any:
    """Drop an axis of length 1 where the classes are: such a shape says one number per row."""
    library, shape = call.library, call.library.shape(x)
    if call.axes:
        whole = len(shape) == len(call.shape) + len(call.axes)
        single = whole and all(shape[k] == 1 for k in call.axes)
        return library.squeeze(library.merged(x, call.axes)) if single else x
    if len(shape) != len(call.shape) + 1 or shape[call.axis] != 1:
        return x
    return library.squeeze(library.move_last(x, call.axis))


def classes(call: Call) -> int | None:
    """Return how many classes a row has; None for a loss without them, as that of a box."""
    parts = call.definition.inputs[0].domain.entries
    if not call.definition.class_axis or call.definition.over_positions or parts:
        return None
    return call.library.shape(call.prediction)[-1]


def only_one(call: Call, name: str, length: int) -> None:
    """Look at a vector for the rows or elements, which may lie along one axis or another.

    Axes are lined up at the end. As many numbers as there are classes can be meant for the
    classes, and as many as the first axis has for that axis. Along several axes the first is an
    error, since only lengths that the program fixes can agree by chance; all else is a warning,
    since the size of a batch agrees with something now and then.
    """
    if not _is_eager(call) or length == 1:
        return
    last = len(call.shape) == 1
    if last:
        if length == classes(call) and name == "weight":
            warn(_rows_or_classes(call, name, length))
    elif length == classes(call) and name != "mask":
        raise ShapeError(_which(call, name, length))
    elif length == call.shape[0] and name in {"weight", "mask"}:
        warn(_first_or_last(call, name, length))


def _is_eager(call: Call) -> bool:
    """Whether the call is made now and not traced, on whatever device."""
    return call.library.concrete([call.prediction]) or call.library.dense(call.prediction)


def _rows_or_classes(call: Call, name: str, length: int) -> str:
    rows = "[None, :]" if call.axis == 0 else "[:, None]"
    return (
        f"{call.definition.name}: {name} of shape ({length},) is taken as one number for each of "
        f"{length} rows, and there are {length} classes too; {name}{rows} says rows"
        f"{_per_class(call, name)}"
    )


def _per_class(call: Call, name: str) -> str:
    return ", class_weight= says classes" if name == "weight" else ""


def _which(call: Call, name: str, length: int) -> str:
    return (
        f"{call.definition.name}: {name} of shape ({length},) can be one number per class or one "
        f"for each place on the last axis of the loss, {call.shape}\n"
        f"hint: {name}[{_last(call)}] says places{_per_class(call, name)}"
    )


def _last(call: Call) -> str:
    """Return the index by which a vector lies along the last axis of the loss."""
    return ", ".join(["None"] * (len(call.shape) - 1) + [":"])


def _first_or_last(call: Call, name: str, length: int) -> str:
    first = ", ".join([":"] + ["None"] * (len(call.shape) - 1))
    return (
        f"{call.definition.name}: {name} of shape ({length},) is taken along the last axis of the "
        f"loss, {call.shape}, and fits the first too; {name}[{_last(call)}] says the last, "
        f"{name}[{first}] the first"
    )
