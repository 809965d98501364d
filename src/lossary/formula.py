"""The expression: what a formula becomes when it is called with symbols instead of arrays.

Equal expressions are one object, so that sharing is visible to every later step. ``a == b`` builds
a formula; whether two expressions are the same one is asked with ``is``. Hashing by identity keeps
dictionaries of expressions right, because a dictionary never compares keys of different hash.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from lossary import slips
from lossary.errors import FormulaError

Payload = str | float | None
T = TypeVar("T")

_interned: dict[tuple[Any, ...], Expression] = {}


class Expression:
    """A node: an operator, its arguments, and for a leaf the name or the number.

    ``axes`` names the index sets that it has an entry for each member of, ``class_axis`` says
    whether there are any.
    """

    __slots__ = ("arguments", "axes", "class_axis", "operator", "payload")
    __array_priority__ = 1000

    operator: str
    arguments: tuple[Expression, ...]
    payload: Payload
    axes: frozenset[str]
    class_axis: bool

    @property
    def paired(self) -> bool:
        """Whether it has a value for each pair of members of a row."""
        return "others" in self.axes

    def __repr__(self) -> str:
        if self.operator in {"variable", "constant"}:
            return f"{self.payload}"
        return f"{self.operator}({', '.join(map(repr, self.arguments))})"

    def __add__(self, other: Any) -> Expression:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Expression:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Expression:
        return apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return apply("subtract", other, self)

    def __mul__(self, other: Any) -> Expression:
        return apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return apply("multiply", other, self)

    def __truediv__(self, other: Any) -> Expression:
        if type(other) in {int, float} and other == 0:
            refuse("a formula cannot be divided by 0", "divide by an argument, or leave it out")
        return apply("divide", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return apply("divide", other, self)

    def __pow__(self, other: Any) -> Expression:
        return apply("power", self, other)

    def __rpow__(self, other: Any) -> Expression:
        return apply("power", other, self)

    def __neg__(self) -> Expression:
        return apply("negative", self)

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return apply("absolute", self)

    def __lt__(self, other: Any) -> Expression:
        return apply("less", self, other)

    def __le__(self, other: Any) -> Expression:
        return apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Expression:
        return apply("less", other, self)

    def __ge__(self, other: Any) -> Expression:
        return apply("less_equal", other, self)

    def __eq__(self, other: object) -> Expression:  # pyright: ignore[reportIncompatibleMethodOverride]
        return apply("equal", self, other)

    def __ne__(self, other: object) -> Expression:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ~(self == other)

    if TYPE_CHECKING:

        def __hash__(self) -> int: ...
    else:
        __hash__ = object.__hash__

    def __floordiv__(self, other: Any) -> Expression:
        return apply("floor", self / other)

    def __and__(self, other: Any) -> Expression:
        return apply("logical_and", self, other)

    def __or__(self, other: Any) -> Expression:
        return apply("logical_or", self, other)

    def __invert__(self) -> Expression:
        return apply("logical_not", self)

    def __matmul__(self, other: Any) -> NoReturn:
        refuse("a formula has no @", slips.for_operator(_author(), "total({0} * {1})"))

    __rmatmul__ = __matmul__

    def __mod__(self, other: Any) -> Expression:
        if not isinstance(other, int) or other != 1:
            self.__rmod__(other)
        return self - apply("floor", self)  # as sets of whole numbers ask it of every library

    def __rmod__(self, other: Any) -> NoReturn:
        refuse("a formula has no %", slips.for_operator(_author(), "{0} - {1} * floor({0} / {1})"))

    def __bool__(self) -> NoReturn:  # noqa: PLE0304  (it refuses)
        refuse(
            "a formula has no truth value: Python's if, and, or, not, min, max cannot look into it",
            slips.for_truth(_author()),
        )

    def __float__(self) -> NoReturn:
        refuse(
            "a formula is not a number: functions of the math module cannot take it",
            slips.for_call(_author()),
        )

    __int__ = __float__
    __index__ = __float__
    __complex__ = __float__

    def __iter__(self) -> NoReturn:
        place = _author()
        fix = "use total, peak or pick along the class axis"
        refuse(
            "a formula cannot be looped over",
            slips.for_call(place, rows=self.class_axis) if place and place.call else fix,
        )

    def __getitem__(self, index: object) -> NoReturn:
        refuse("a formula cannot be indexed", "use pick(values, label) for the entry of one class")

    def __format__(self, how: str) -> str:
        if how:
            refuse(
                "a formula has no digits to format",
                "leave the format out to see the formula; numbers come when the loss is called",
            )
        return repr(self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        operator = _ARITHMETIC.get(ufunc.__name__)
        if operator is None:
            _refuse_function(f"numpy.{ufunc.__name__}", ufunc.__name__, inputs)
        numbers = [x for x in inputs if not isinstance(x, Expression)]
        if any(x.shape for x in numbers):
            refuse("a formula cannot contain an array", "make it an argument with a set of its own")
        return apply(operator, *(x if isinstance(x, Expression) else float(x) for x in inputs))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        _refuse_function(f"numpy.{function.__name__}", function.__name__, args)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse("a formula is not an array", slips.for_call(_author()))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        if slips.is_known(name):
            refuse(
                f"a formula has no method {name!r}",
                slips.for_method(_author(), name, rows=self.class_axis),
            )
        refuse(
            f"a formula has no attribute {name!r}",
            "write only the mathematics; reductions, weights, masks, dtypes are the engine's work",
        )


# What NumPy does with one of its numbers and a formula: arithmetic, as with any number.
_ARITHMETIC = {
    "add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "divide",
    "power": "power", "less": "less", "less_equal": "less_equal",
}  # fmt: skip


def refuse(problem: str, fix: str) -> NoReturn:
    """Raise FormulaError, which names the author's line."""
    raise FormulaError(f"{_author() or ''}{problem}\nhint: {fix}")


def _refuse_function(called: str, name: str, arguments: Iterable[Any]) -> NoReturn:
    rows = any(x.class_axis for x in arguments if isinstance(x, Expression))
    fix = slips.for_call(_author(), name, rows=rows)
    refuse(f"{called} is not in the formula language", fix)


def _author() -> slips.Place | None:
    """Return the place outside this module that is being traced."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (the only way to see the line)
    while frame and _is_machinery(frame.f_code.co_filename):
        frame = frame.f_back
    return slips.Place.of_frame(frame) if frame else None


def _is_machinery(filename: str) -> bool:
    return filename.startswith(_OWN) or f"{os.sep}numpy{os.sep}" in filename


# This module and the vocabulary; formulas of the catalogue are an author's too.
_OWN = (__file__, f"{__file__.removesuffix('formula.py')}functions{os.sep}")


def literal(value: Any) -> Expression:
    """Return an expression for a Python number; expressions pass through."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, (int, float)):
        return constant(float(value))
    refuse(
        f"a formula cannot contain {type(value).__name__} {value!r}",
        "pass data as an argument with a domain, and keep plain numbers in the formula",
    )


def apply(operator: str, *arguments: Any, class_axis: bool | None = None) -> Expression:
    """Build a node; it has the axes of its arguments, unless ``class_axis`` says none or some."""
    operands = tuple(literal(argument) for argument in arguments)
    axes = _NO_AXES
    if class_axis is not False:
        for operand in operands:
            axes = operand.axes if not axes else axes | operand.axes
        if operator in _COPIES:
            axes = _COPIES[operator](axes)
        if class_axis and not axes:
            axes = _CLASSES
    return _intern(operator, operands, None, axes)


def constant(value: float) -> Expression:
    """Return the leaf for a number."""
    return _intern("constant", (), float(value), _NO_AXES)


def variable(name: str, *, class_axis: bool = False, axes: Iterable[str] = ()) -> Expression:
    """Return the leaf for an argument of the loss."""
    named = frozenset(axes)
    return _intern("variable", (), name, _CLASSES if class_axis and not named else named)


_NO_AXES: frozenset[str] = frozenset()
_CLASSES = frozenset(["classes"])
_OTHERS = frozenset(["others"])

# A pair of members has one index for the member itself and one for the other, a copy of the first.
_COPIES: dict[str, Callable[[frozenset[str]], frozenset[str]]] = {
    "other": lambda axes: axes | _OTHERS,
    "total_of_others": lambda axes: axes - _OTHERS,
}


def _intern(
    operator: str, arguments: tuple[Expression, ...], payload: Payload, axes: frozenset[str]
) -> Expression:
    # repr keeps 0.0 and -0.0 apart, which compare equal as dictionary keys.
    key = (operator, tuple(map(id, arguments)), repr(payload), axes)
    found = _interned.get(key)
    if found is None:
        found = Expression()
        found.operator, found.arguments = operator, arguments
        found.payload, found.axes, found.class_axis = payload, axes, bool(axes)
        _interned[key] = found
    return found


def walk(*roots: Expression) -> Iterator[Expression]:
    """Yield every node below the roots once, arguments before the nodes that use them."""
    seen: set[Expression] = set()
    stack = [*reversed(roots)]
    while stack:
        node = stack[-1]
        if node in seen:
            stack.pop()
        elif waiting := [argument for argument in node.arguments if argument not in seen]:
            stack += reversed(waiting)
        else:
            seen.add(node)
            yield stack.pop()


def bottom_up(root: Expression, known: dict[Expression, T], step: Callable[[Expression], T]) -> T:
    """Return what ``step`` makes of a node, after it was called for the arguments of the node.

    ``known`` holds what was made of each; a caller that keeps it does no work twice.
    """
    stack = [root]
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
        elif waiting := [argument for argument in node.arguments if argument not in known]:
            stack += reversed(waiting)
        else:
            known[node] = step(node)
    return known[root]


def trace(function: Callable[..., Any], variables: Mapping[str, Expression | None]) -> Expression:
    """Call a formula with symbols and return the expression; errors name the line and the fix."""
    try:
        result = function(**variables)
    except FormulaError:
        raise
    except NameError as error:
        place = _last(error)
        raise FormulaError(
            f"{place or ''}{error}\nhint: {slips.for_name(error.name or '', place)}"
        ) from error
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        place = _last(error)
        library = place.library if place else ""
        if not library and not isinstance(error, TypeError):
            raise
        problem = f"{library} is not in the formula language" if library else f"{error}"
        rows = any(x.class_axis for x in variables.values() if x is not None)
        fix = slips.for_call(place, rows=rows)
        raise FormulaError(f"{place or ''}{problem}\nhint: {fix}") from error
    if not isinstance(result, Expression):
        name = getattr(function, "__name__", "the formula")
        raise FormulaError(
            f"{name} returned {result!r}, not a formula\n"
            "hint: return an expression of the arguments"
        )
    return result


def _last(error: BaseException) -> slips.Place | None:
    """Return the last place that is the author's, before a library took over."""
    trail = error.__traceback__.tb_next if error.__traceback__ else None
    if trail is None:
        return None
    own = trail.tb_frame.f_code.co_filename
    last = trail
    while trail:
        if trail.tb_frame.f_code.co_filename == own:
            last = trail
        trail = trail.tb_next
    return slips.Place.of_traceback(last)
