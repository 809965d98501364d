"""Mistakes of an author, told where the formula stands and before it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lossary import functions
from lossary.definition.signature import place
from lossary.errors import FormulaError
from lossary.formula import Expression, walk
from lossary.functions.vocabulary import fixed_place
from lossary.spaces import EMPTY, unmeasured

if TYPE_CHECKING:
    from lossary.definition import Definition


def _check_axes(definition: Definition) -> None:
    """Raise FormulaError for axes that do not go together, or nothing along them."""
    if len(definition.axes) > 1:
        raise FormulaError(
            f"{place(definition.formula)}: arguments with {' and with '.join(definition.axes)}; a "
            "formula goes over one named axis\nhint: give a value for each class and image, with "
            "axis= naming the positions, and take the mean"
        )
    first = next(iter(definition.inputs), None)
    if first and definition.class_axis and not first.domain.class_axis:
        along = next(a.name for a in definition.inputs if a.domain.class_axis)
        raise FormulaError(
            f"{place(definition.formula)}: {first.name} stands first and has no "
            f"{' '.join(definition.axes)}, which {along} has\n"
            f"hint: put {along} first: the others are compared with its shape"
        )
    if definition.empty and definition.empty not in EMPTY:
        raise FormulaError(
            f"{place(definition.formula)}: empty must be one of {', '.join(map(repr, EMPTY))}, "
            f"got {definition.empty!r}"
        )
    if definition.empty and not definition.over_positions:
        raise FormulaError(
            f"{place(definition.formula)}: empty says what a loss over positions is where it "
            "divides by a sum that is 0, and no argument has positions\n"
            "hint: annotate one, as in prediction: Annotated[Unit, positions]"
        )


def check_arguments(formula: Callable[..., Any], computed: Callable[..., Any]) -> None:
    """Raise FormulaError for a stable form that takes other arguments than the formula."""
    theirs, ours = (list(inspect.signature(f).parameters) for f in (computed, formula))
    if set(theirs) != set(ours):
        raise FormulaError(
            f"{place(formula)}: computed= takes {', '.join(theirs)}\n"
            f"hint: give it the arguments of the formula: {', '.join(ours)}"
        )


def check(definition: Definition) -> None:
    """Trace a formula, and raise FormulaError for what would fail when the loss is called."""
    _check_axes(definition)
    for node in walk(definition.expression(definition.absent_by_default)):
        if problem := _misuse(definition, node):
            raise FormulaError(f"{place(definition.formula)}: {problem}")
    if definition.over_positions:
        wrong = unmeasured(definition.expression(definition.absent_by_default))
        if wrong is not None:
            raise FormulaError(
                f"{place(definition.formula)}: {wrong.operator} has no meaning where positions "
                "are masked or have weights\n"
                "hint: write it with total, peak, mean, logsumexp or norm over positions"
            )


_ALONG_CLASSES = functions.ORDERED | {
    "total", "peak", "argpeak", "pick", "class_index", "class_count",
}  # fmt: skip


def _misuse(definition: Definition, node: Expression) -> str:
    """Say what is wrong with a node that would fail when the loss is called, if anything is."""
    named = functions.FUNCTIONS.get(node.operator)
    along = node.operator in _ALONG_CLASSES or (named is not None and named.shape != "elementwise")
    if along and not definition.class_axis:
        return (
            "a function along the class axis, such as total or peak, and no argument has that "
            "axis\n"
            "hint: annotate one with Logits, Scores, Simplex or Embedding, or as in "
            "Annotated[Unit, positions]; sums over elements are the engine's work"
        )
    if node.operator == "pick":
        label = definition.domains.get(str(node.arguments[1].payload))
        fixed = fixed_place(node.arguments[1]) is not None
        if not fixed and (label is None or not label.integer):
            return (
                f"pick takes a label, got {node.arguments[1]!r}\n"
                "hint: annotate an argument with Label, and give that, or a place counted from 0"
            )
    return ""
