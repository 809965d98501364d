"""The expression: what a formula becomes when it is called with symbols instead of arrays.

Equal expressions are one object, so that sharing is visible to every later step. ``a == b`` builds
a formula; whether two expressions are the same one is asked with ``is``. Hashing by identity keeps
dictionaries of expressions right, because a dictionary never compares keys of different hash.
"""

from __future__ import annotations

import difflib
import linecache
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from lossary.errors import FormulaError

__all__ = [
    "Expression",
    "apply",
    "constant",
    "literal",
    "refuse",
    "trace",
    "variable",
    "walk",
]

Payload = str | float | None

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

    __hash__ = object.__hash__

    def __floordiv__(self, other: Any) -> Expression:
        return apply("floor", self / other)

    def __and__(self, other: Any) -> Expression:
        return apply("logical_and", self, other)

    def __or__(self, other: Any) -> Expression:
        return apply("logical_or", self, other)

    def __invert__(self) -> Expression:
        return apply("logical_not", self)

    def __bool__(self) -> NoReturn:  # noqa: PLE0304  (it refuses)
        refuse(
            "a formula has no truth value: Python's if, and, or, not, min, max cannot look into it",
            "write where(condition, a, b), and &, |, ~, minimum, maximum",
        )

    def __float__(self) -> NoReturn:
        refuse(
            "a formula is not a number: functions of the math module cannot take it",
            "use the function of the same name from lossary.functions",
        )

    def __iter__(self) -> NoReturn:
        refuse("a formula cannot be looped over", "use total, peak or pick along the class axis")

    def __getitem__(self, index: object) -> NoReturn:
        refuse("a formula cannot be indexed", "use pick(values, label) for the entry of one class")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> NoReturn:
        refuse(
            f"numpy.{ufunc.__name__} is not in the formula language",
            "use the functions of lossary.functions, such as exp, log1p, where",
        )

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        refuse(
            f"numpy.{function.__name__} is not in the formula language",
            "use the functions of lossary.functions, such as total, peak, where",
        )

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse("a formula is not an array", "use the functions of lossary.functions")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(
            f"a formula has no attribute {name!r}",
            "write only the mathematics; reductions, weights, masks, dtypes are the engine's work",
        )


def refuse(problem: str, fix: str) -> NoReturn:
    """Raise FormulaError, which names the author's line."""
    raise FormulaError(f"{_where_in_formula()}{problem}\nhint: {fix}")


def _where_in_formula() -> str:
    """Name the line outside this module that is being traced, as ``file:line: source``."""
    frame = sys._getframe(1)  # noqa: SLF001  (the only way to see the author's line)
    while frame and _is_machinery(frame.f_code.co_filename):
        frame = frame.f_back
    return _place(frame.f_code.co_filename, frame.f_lineno) if frame else ""


def _is_machinery(filename: str) -> bool:
    return filename.startswith(_OWN) or f"{os.sep}numpy{os.sep}" in filename


# This module and the vocabulary; formulas of the catalogue are an author's too.
_OWN = (__file__, f"{__file__.removesuffix('formula.py')}functions{os.sep}")


def _place(filename: str, line: int) -> str:
    source = linecache.getline(filename, line).strip()
    return f"{filename}:{line}: {source}\n" if source else f"{filename}:{line}: "


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
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((argument, False) for argument in reversed(node.arguments))


def trace(
    function: Callable[..., Any],
    variables: Mapping[str, Expression | None],
    vocabulary: Iterable[str] = (),
) -> Expression:
    """Call a formula with symbols and return the expression; errors name the line and the fix.

    ``vocabulary`` holds the names that may stand in a formula, for the advice on an unknown one.
    """
    try:
        result = function(**variables)
    except FormulaError:
        raise
    except NameError as error:
        raise FormulaError(
            f"{_last_line(error)}{error}\nhint: {_suggest(error.name, vocabulary)}"
        ) from error
    except TypeError as error:
        fix = "use only operators and the functions of lossary.functions in a formula"
        raise FormulaError(f"{_last_line(error)}{error}\nhint: {fix}") from error
    if not isinstance(result, Expression):
        name = getattr(function, "__name__", "the formula")
        raise FormulaError(
            f"{name} returned {result!r}, not a formula\n"
            "hint: return an expression of the arguments"
        )
    return result


def _last_line(error: BaseException) -> str:
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    return _place(place.tb_frame.f_code.co_filename, place.tb_lineno) if place else ""


def _suggest(name: str | None, vocabulary: Iterable[str]) -> str:
    known = sorted(vocabulary)
    close = difflib.get_close_matches(name or "", known, n=1)
    nearest = f"did you mean {close[0]}? " if close else ""
    listed = f", which has {', '.join(known)}" if known else ""
    return f"{nearest}import it from lossary.functions{listed}"
