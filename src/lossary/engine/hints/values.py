"""Values outside their sets."""

from __future__ import annotations

import numpy as np

from lossary.definition import Argument, Definition
from lossary.engine.hints.relatives import base, for_logits, order
from lossary.losses import definitions

_IGNORED = {-100, -1, 255}
"""Labels by which others leave rows out."""


def for_value(definition: Definition, argument: Argument, value: float, classes: int | None) -> str:
    """Return what to do about one value outside its set, or nothing."""
    if not argument.positional:
        return _setting(definition, argument, value)
    if value != value or abs(value) == float("inf"):  # noqa: PLR0124  (true only for NaN)
        return "leave it out with mask=, or find the step that makes it"
    prediction = argument is definition.inputs[0]
    rule = _RULES.get(argument.domain.name)
    return rule(definition, prediction, value, classes) if rule else argument.domain.hint


def _setting(definition: Definition, argument: Argument, value: float) -> str:
    if argument.domain.name not in {"Unit", "OpenUnit", "Smoothing"} or not value > 1:
        return ""
    if argument.name == "alpha":
        return "it is the share of the positive class; class_weight= takes a weight of each class"
    return f"{argument.name} is a share: {value:g} per cent is {value / 100:g}"


def _logits(definition: Definition, activation: str) -> str:
    instead = for_logits(definition)
    return f"for logits use {instead}" if instead else f"apply {activation} to logits first"


def _unit(definition: Definition, prediction: bool, value: float, classes: int | None) -> str:
    if prediction:
        return _logits(definition, "sigmoid")
    if value == -1:
        return "for targets -1 and 1 use soft_margin or hinge, or (target + 1) / 2"
    if 1 < value <= 255 and value == int(value):
        return (
            "for class indices use cross_entropy; scale percentages by 1 / 100, pixels by 1 / 255"
        )
    return f"is it a prediction? the order is ({order(definition)})"


def _binary(definition: Definition, prediction: bool, value: float, classes: int | None) -> str:
    if 0 < value < 1:
        return "for soft targets use binary_cross_entropy"
    return _unit(definition, False, value, classes)


def _sign(definition: Definition, prediction: bool, value: float, classes: int | None) -> str:
    if value == 0:
        return "turn 0/1 labels into signs with 2 * label - 1"
    return f"is it a score? the order is ({order(definition)})"


def _label(definition: Definition, prediction: bool, value: float, classes: int | None) -> str:
    if value in _IGNORED or value < 0:
        return f"leave such rows out with ignore_index={value:g}, or with mask="
    if value == classes:
        return f"labels count from 0: subtract 1 from labels 1 to {classes}"
    return "labels count from 0; axis= says where the classes lie"


def _simplex(definition: Definition, prediction: bool, value: float, classes: int | None) -> str:
    if prediction:
        return _logits(definition, "softmax")
    return f"are the arguments swapped? the order is ({order(definition)})"


def _log_simplex(
    definition: Definition, prediction: bool, value: float, classes: int | None
) -> str:
    taken = _taking(definition)
    if prediction and value <= 1:
        return f"take the logarithm of probabilities{taken}, or log_softmax of logits"
    return f"take log_softmax of logits{', or log of probabilities' if prediction else ''}"


def _taking(definition: Definition) -> str:
    """Name the loss of probabilities beside one of log-probabilities."""
    name = _PROBABILITIES.get(definition.name, f"{definition.name}_from_probabilities")
    return f" or use {name}" if name in definitions else ""


_PROBABILITIES = {"negative_log_likelihood": "cross_entropy_from_probabilities"}


def _non_negative(
    definition: Definition, prediction: bool, value: float, classes: int | None
) -> str:
    other = base(definition)
    if prediction and other != definition.name and other in definitions:
        return f"{other} takes {definitions[other].inputs[0].name}, which may be any number"
    return _limit(definition, prediction, value, classes)


def _limit(definition: Definition, prediction: bool, value: float, classes: int | None) -> str:
    return "leave it out with mask=, or check what it was computed from"


_RULES = {
    "Unit": _unit,
    "Binary": _binary,
    "Binaries": _binary,
    "Sign": _sign,
    "Label": _label,
    "Simplex": _simplex,
    "LogSimplex": _log_simplex,
    "NonNegative": _non_negative,
    "Positive": _limit,
    "NonZero": _limit,
    "AboveMinusOne": _limit,
}


ORDER = "a corner or centre with a size gives two corners; of two corners the smaller one is first"
"""What to do about numbers that are no box."""


def for_row(
    definition: Definition, argument: Argument, x: np.ndarray, row: tuple[int, ...], mass: float
) -> str:
    """Return what to do about a row whose mass is not 1; ``x`` has the classes last."""
    prediction = argument is definition.inputs[0]
    if argument.domain.mass != "sum":
        return "take log_softmax of logits"
    for axis in range(x.ndim - 1):
        if np.allclose(x.sum(axis=axis), 1, atol=1e-3) and x.shape[axis] > 1:
            return "it has sum 1 along another axis: axis= says where the classes lie"
    if prediction:
        return f"divide rows by their sum, or {_logits(definition, 'softmax')}"
    if np.isin(x[row], (0, 1)).all():
        return "for several labels, or none, in a row use binary_cross_entropy"
    return "divide each row by its sum"
