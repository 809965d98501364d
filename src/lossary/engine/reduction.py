"""From one number per element to the reduced loss: once, for all losses and libraries."""

from __future__ import annotations

from typing import Any

from lossary.engine.arguments import Call
from lossary.engine.weighing import given
from lossary.errors import DomainError, ShapeError

__all__ = ["divisor_of", "reduce", "scale", "sums"]


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
        return library.total(library.cast(keep, dtype))
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
    total, weights = sums(call, values, weight, keep)
    divisor, empty = divisor_of(call, weights)
    mean = total / divisor
    return mean if empty is None else call.library.where(empty, mean * 0 + float("nan"), mean)


def scale(call: Call, weight: Any, keep: Any, dtype: Any) -> Any:
    """Return the factor of each element's gradient: weight over denominator; None for 1."""
    library = call.library
    factor = None if weight is None else library.cast(weight, dtype)
    if call.options.reduction == "mean":
        divisor, _ = divisor_of(call, weight_sum(call, weight, keep, dtype))
        factor = 1 / divisor if factor is None else factor / divisor
    return factor


def divisor_of(call: Call, weights: Any) -> tuple[Any, Any]:
    """Return what the mean divides by, and where it is to be NaN (None for nowhere)."""
    options, library = call.options, call.library
    divisor = weights if options.denominator is None else _denominator(call)
    if isinstance(divisor, (int, float)):
        if divisor:
            return divisor, None
        _refuse_empty(call)
        return (float("nan") if options.empty == "nan" else 1), None
    known = library.concrete([divisor])
    if known and options.empty == "raise" and not bool(divisor != 0):
        _refuse_empty(call)
    safe = library.where(divisor == 0, divisor * 0 + 1, divisor)
    # What cannot be raised, on a GPU or inside a compiled graph, must not look plausible.
    spoiled = options.empty == "nan" or (options.empty == "raise" and not known)
    return safe, (divisor == 0) if spoiled else None


def _denominator(call: Call) -> Any:
    value, library = call.options.denominator, call.library
    if isinstance(value, (int, float)):
        _check_denominator(call, value)
        return value
    x = given(call, "denominator", value)
    if library.shape(x) != ():
        raise ShapeError(
            f"{call.definition.name}: denominator must be one number, got shape {library.shape(x)}"
        )
    if library.concrete([x]):
        _check_denominator(call, float(library.numpy(x)))
    return x


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
