"""What a word of the formula language is: primitives, and the facts of a named function."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

from lossary.domain import Axis, others, pairs
from lossary.formula import Expression, apply, constant, refuse
from lossary.functions.chains import Chain
from lossary.functions.groups import peak_within, total_within
from lossary.functions.pairs import of_one, over_others

Shape = Literal["elementwise", "row", "class"]


@dataclass(frozen=True)
class Jacobian:
    """``d e_j / d x_k = diagonal_j [j = k] + sum over outer of column_j row_k``, and chains.

    All of it is multiplied ``by`` some numbers and divided by those that it is ``over``, after it
    has been added up: each part alone may overflow where they are huge or tiny.
    """

    diagonal: Expression | None
    outer: tuple[tuple[Expression, Expression], ...] = ()
    chains: tuple[Chain, ...] = ()
    over: tuple[Expression, ...] = ()
    by: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class NoSlope:
    """Stands for a slope that nobody has a formula for: who asks for it is refused."""

    reason: str


Slope = Expression | Jacobian | NoSlope | None


@dataclass(frozen=True)
class Function:
    """A named function: what it means in textbook words, and how it is computed.

    Its slopes are derived from the meaning, but for those that are written by hand. What textbooks
    have no other words for, such as erf, has no ``means``: it is a primitive to oracle and readers.
    """

    name: str
    computed: Callable[..., Expression]
    means: Callable[..., Expression] | None = None
    slope: Callable[..., tuple[Slope, ...]] | None = None
    shape: Shape = "elementwise"
    told: bool = False
    """Whether readers see its derivative by name, because it fills a page."""
    single: bool = False
    """Whether numbers of float32 do for what it computes of each class of a stored row."""
    zero_wins: bool = False
    """Whether a slope of 0 wins over an infinite change of what it is a function of."""

    def __post_init__(self) -> None:
        if self.means is None and self.slope is None:
            raise TypeError(f"{self.name} needs means=, or slope= where no textbook word says it")


FUNCTIONS: dict[str, Function] = {}


def named(
    *,
    means: Callable[..., Expression] | None = None,
    slope: Callable[..., tuple[Slope, ...]] | None = None,
    shape: Shape = "elementwise",
    told: bool = False,
    single: bool = False,
    zero_wins: bool = False,
    without: float | None = None,
) -> Callable[[Callable[..., Expression]], Callable[..., Expression]]:
    """Put a function into the vocabulary; a slope by hand says why.

    ``single`` says that it loses a few ulp at most where what belongs to a class is a float32.
    ``without`` is what an entry is that does not count: with it a function takes ``where=``.
    """

    def add(computed: Callable[..., Expression]) -> Callable[..., Expression]:
        name = computed.__name__
        FUNCTIONS[name] = Function(name, computed, means, slope, shape, told, single, zero_wins)
        count = computed.__code__.co_argcount
        class_axis = {"elementwise": None, "row": False, "class": True}[shape]

        @wraps(computed)  # a pickle finds the function by its name and module
        def build(*arguments: Any, over: Axis | None = None, where: Any = None) -> Expression:
            if len(arguments) != count:
                refuse(
                    f"{name} takes {count} argument{'s' if count > 1 else ''}, got "
                    f"{len(arguments)}",
                    f"write {name}{_signature(computed)}",
                )
            if over is not None:
                has_axis(name, over, arguments)
            if class_axis is not None:
                of_one(name, *arguments)
            if where is not None:
                arguments = (_among(name, where, arguments[0], without), *arguments[1:])
            return apply(name, *arguments, class_axis=class_axis)

        return build

    return add


def _signature(computed: Callable[..., Expression]) -> inspect.Signature:
    """Return the names of a function's arguments, as they are written."""
    kept = [p.replace(annotation=p.empty) for p in inspect.signature(computed).parameters.values()]
    return inspect.Signature(kept)


PRIMITIVES = frozenset(
    [
        "add", "subtract", "multiply", "divide", "negative", "power", "absolute", "sign", "floor",
        "sqrt", "exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "maximum", "minimum", "less",
        "less_equal", "equal", "logical_and", "logical_or", "logical_not", "where", "total", "peak",
        "argpeak", "pick", "class_index", "class_count",
    ]
)  # fmt: skip


TRUTHS = frozenset({"less", "less_equal", "equal", "logical_and", "logical_or", "logical_not"})
"""The primitives that are true or false."""

pi: Expression = constant(math.pi)
"""The number π: the oracle and readers take it for what it stands for."""

# Primitives. Those with an operator (add, less, logical_and, ...) are built by Expression itself.


def absolute(x: Any) -> Expression:
    """|x|, with derivative 0 at 0."""
    return apply("absolute", x)


def sign(x: Any) -> Expression:
    """-1, 0 or 1."""
    return apply("sign", x)


def floor(x: Any) -> Expression:
    """The largest whole number that is not above x."""
    return apply("floor", x)


def sqrt(x: Any) -> Expression:
    """Square root."""
    return apply("sqrt", x)


def exp(x: Any) -> Expression:
    """e to the power x."""
    return apply("exp", x)


def expm1(x: Any) -> Expression:
    """exp(x) - 1, right for small x."""
    return apply("expm1", x)


def log(x: Any) -> Expression:
    """Natural logarithm."""
    return apply("log", x)


def log1p(x: Any) -> Expression:
    """log(1 + x), right for small x."""
    return apply("log1p", x)


def tanh(x: Any) -> Expression:
    """Hyperbolic tangent."""
    return apply("tanh", x)


def sin(x: Any) -> Expression:
    """Sine of an angle in radians."""
    return apply("sin", x)


def cos(x: Any) -> Expression:
    """Cosine of an angle in radians."""
    return apply("cos", x)


def maximum(x: Any, y: Any) -> Expression:
    """The larger of two; the derivative at a tie belongs to the second."""
    return apply("maximum", x, y)


def minimum(x: Any, y: Any) -> Expression:
    """The smaller of two; the derivative at a tie belongs to the second."""
    return apply("minimum", x, y)


def where(condition: Any, x: Any, y: Any) -> Expression:
    """X where the condition holds, else y."""
    return apply("where", condition, x, y)


def weighted(weight: Any, value: Any) -> Expression:
    """Weight times value, and exactly 0 where the weight is 0, whatever the value."""
    return apply("weighted", weight, value)


def has_axis(word: str, over: Any, arguments: tuple[Any, ...]) -> None:
    """Refuse a reduction over what its arguments have no entries along."""
    if not isinstance(over, Axis):
        refuse(
            f"{word} goes over a named axis, got over={over!r}",
            f"import one: from lossary.domain import positions; {word}(x, over=positions)",
        )
    named = [argument for argument in arguments if isinstance(argument, Expression)]
    if not any(over.name in argument.axes for argument in named):
        refuse(
            f"{word} over {over.name}: {', '.join(map(repr, arguments))} has no such axis",
            f"annotate an argument with it, as in prediction: Annotated[Unit, {over.name}]",
        )


def _among(word: str, condition: Any, x: Any, without: float | None) -> Expression:
    """Return entries of which only some count: the others are what the word leaves as it is."""
    if without is None:
        refuse(
            f"{word} has no where=",
            "choose before: where(condition, x, y), with a y that changes nothing",
        )
    return apply("where", condition, x, without)


def total(x: Any, over: Axis | None = None, where: Any = None, within: Any = None) -> Expression:
    """Sum along the axis; of no entries it is 0.

    Of what belongs to pairs of members, over=others is a sum for each member, over=pairs one of
    them all. With within= it is a sum for each member too, over those of the same group.
    """
    x = x if where is None else _among("total", where, x, 0)
    if over in {others, pairs}:
        x = over_others(x)
        if over is others:
            return x
    elif over is not None:
        has_axis("total", over, (x,) if within is None else (x, within))
    if within is not None:
        return total_within(x, within)
    of_one("total", x)
    return apply("total", x, class_axis=False)


def peak(x: Any, over: Axis | None = None, where: Any = None, within: Any = None) -> Expression:
    """Largest entry along the axis; of no entries it is -inf.

    With within= it is, for each member, the largest of those of the same group.
    """
    if over is not None:
        has_axis("peak", over, (x,))
    of_one("peak", x)
    x = x if where is None else _among("peak", where, x, -math.inf)
    if within is not None:
        return peak_within(x, within)
    return apply("peak", x, class_axis=False)


def argpeak(x: Any) -> Expression:
    """Class of the largest entry, the first one at a tie."""
    of_one("argpeak", x)
    return apply("argpeak", x, class_axis=False)


def held(x: Any) -> Expression:
    """The value of x, which derivatives take for a constant: a declared one."""
    return apply("held", x)


def pick(x: Any, label: Any) -> Expression:
    """Entry of the class ``label``, or the one at a fixed place, counted from 0."""
    of_one("pick", x)
    fixed = isinstance(label, (int, float)) and not isinstance(label, bool)
    if not isinstance(label, Expression) and not (fixed and label >= 0 and label % 1 == 0):
        refuse(
            f"pick takes a label that is an argument, or a place counted from 0, got {label!r}",
            "give a Label of the signature, or write pick(x, 0) for the first entry",
        )
    return apply("pick", x, label, class_axis=False)


def fixed_place(label: Expression) -> int | None:
    """Return the place that an entry is picked at, if it is a number and no argument."""
    return int(label.payload or 0) if label.operator == "constant" else None


def class_index() -> Expression:
    """0, 1, ..., C - 1 along the class axis."""
    return apply("class_index", class_axis=True)


def class_count() -> Expression:
    """The number of classes, C."""
    return apply("class_count", class_axis=False)


def is_class(label: Any) -> Expression:
    """Whether each class is the class ``label``."""
    return class_index() == label
