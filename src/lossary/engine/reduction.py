"""From one number per element to the reduced loss: once, for all losses and libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossary.engine.arguments import Call
from lossary.engine.reading import given
from lossary.errors import DomainError, ShapeError


def weigh(call: Call, values: Any, weight: Any, keep: Any) -> Any:
    """Multiply by the weights; an element that does not count is exactly 0."""
    if weight is not None:
        values = values * call.library.cast(weight, values.dtype)
    return values if keep is None else call.library.where(keep, values, 0.0)


def weight_sum(call: Call, weight: Any, keep: Any, dtype: Any) -> Any:
    """Return the sum of the weights of the elements that count."""
    library = call.library
    if weight is None and keep is None:
        return library.count(call.rows)
    if weight is None:
        return library.number_of(keep, dtype)
    weight = library.cast(weight, dtype)
    return library.total(weight if keep is None else library.where(keep, weight, 0.0))


def sums(call: Call, values: Any, weight: Any, keep: Any) -> tuple[Any, Any]:
    """Return (weighted sum, weight sum)."""
    total = call.library.total(weigh(call, values, weight, keep))
    return total, weight_sum(call, weight, keep, values.dtype)


def reduce(call: Call, values: Any, weight: Any, keep: Any) -> Any:
    """Return the loss under the call's reduction."""
    if call.options.reduction == "none":
        return weigh(call, values, weight, keep)
    if call.options.reduction == "sum":
        return call.library.total(weigh(call, values, weight, keep))
    total = call.library.total(weigh(call, values, weight, keep))
    divisor, empty = divisor_of(call, lambda: weight_sum(call, weight, keep, values.dtype))
    mean = total / divisor
    return mean if empty is None else call.library.where(empty, mean * 0 + float("nan"), mean)


def scale(call: Call, weight: Any, keep: Any, dtype: Any) -> Any:
    """Return the factor of each element's gradient: weight over denominator; None for 1."""
    library = call.library
    factor = None if weight is None else library.cast(weight, dtype)
    if call.options.reduction == "mean":
        divisor, _ = divisor_of(call, lambda: weight_sum(call, weight, keep, dtype))
        factor = 1 / divisor if factor is None else factor / divisor
    return factor


def divisor_of(call: Call, weights: Callable[[], Any]) -> tuple[Any, Any]:
    """Return what the mean divides by, and where it is to be NaN (None for nowhere).

    A denominator of 0 is the mean of nothing where nothing counts; else it is no divisor.
    """
    options, library = call.options, call.library
    divisor = weights() if options.denominator is None else _denominator(call, weights)
    if isinstance(divisor, (int, float)):
        if divisor:
            return divisor, None
        _refuse_empty(call)
        return (float("nan") if options.empty == "nan" else 1), None
    known = library.concrete([divisor])
    if known:
        if _is_something(call, divisor):
            return divisor, None
        _refuse_empty(call)
    safe = library.where(divisor == 0, divisor * 0 + 1, divisor)
    # What cannot be raised, on a GPU or inside a compiled graph, must not look plausible.
    spoiled = options.empty == "nan" or (options.empty == "raise" and not known)
    return safe, (divisor == 0) if spoiled else None


def _denominator(call: Call, weights: Callable[[], Any]) -> Any:
    """Return the denominator: not 0 where something counts, NaN where that cannot be raised."""
    value, library = call.options.denominator, call.library
    if isinstance(value, (int, float)):
        _check_denominator(call, value)
        return value or _zero(call, weights())
    x = given(call, "denominator", value)
    if library.shape(x) != ():
        raise ShapeError(
            f"{call.definition.name}: denominator must be one number, got shape {library.shape(x)}"
        )
    x = library.cast(x, library.work_dtype(x))
    if library.concrete([x]):
        number = float(library.numpy(x))
        _check_denominator(call, number)
        return x if number else _zero(call, weights())
    sound = (x > 0) & (x < float("inf")) if call.options.check else x != 0
    return library.where(sound | ((x == 0) & (weights() == 0)), x, float("nan"))


def _zero(call: Call, weights: Any) -> Any:
    """Return a denominator of 0 where nothing counts, NaN where something does."""
    if not isinstance(weights, (int, float)) and not call.library.concrete([weights]):
        return call.library.where(weights == 0, weights * 0.0, float("nan"))
    if not _is_something(call, weights):
        return 0
    if call.options.check:
        raise DomainError(
            f"{call.definition.name}: denominator must be above 0 where elements count, got 0\n"
            'hint: it divides the sum of the losses; reduction="sum" leaves that sum undivided'
        )
    return float("nan")


def _is_something(call: Call, x: Any) -> bool:
    """Whether a number that can be looked at is other than 0."""
    with call.library.aside():
        return bool(x != 0)


def _check_denominator(call: Call, value: float) -> None:
    if call.options.check and not 0 <= value < float("inf"):
        raise DomainError(
            f"{call.definition.name}: denominator must be a finite number, at least 0, "
            f"got {value:g}"
        )


def _refuse_empty(call: Call) -> None:
    if call.options.empty == "raise":
        raise DomainError(
            f"{call.definition.name}: the mean is empty: no element counts\n"
            'hint: empty="zero" or "nan" gives a value instead'
        )
