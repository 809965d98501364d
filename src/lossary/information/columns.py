"""Tables of any make as named columns, and columns as category codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.errors import DomainError, DtypeError, ShapeError
from lossary.information.units import Array


@dataclass(frozen=True)
class Categories:
    """A column as codes 0, 1, ..., and how they came about."""

    codes: Array
    binning: str

    @property
    def number(self) -> int:
        """How many categories occur."""
        return int(self.codes.max()) + 1


def columns_of(table: Any, names: Sequence[str] | None) -> dict[str, Array]:
    """Columns by name, of a mapping, a data frame, a structured array or a 2-D array."""
    if isinstance(table, Mapping):
        found = {str(name): table[name] for name in table}
    elif hasattr(table, "columns") and hasattr(table, "__getitem__"):
        found = {str(name): table[name] for name in table.columns}
    elif getattr(getattr(table, "dtype", None), "names", None):
        found = {name: table[name] for name in table.dtype.names}
    else:
        found = _matrix_columns(table, names)
    if not found:
        raise ShapeError("variable_importance: table must have at least one column, got none")
    return {name: _flat(name, column) for name, column in found.items()}


def _matrix_columns(table: Any, names: Sequence[str] | None) -> dict[str, Any]:
    matrix = np.ma.asanyarray(table) if isinstance(table, np.ma.MaskedArray) else np.asarray(table)
    if matrix.ndim != 2:
        raise ShapeError(
            "variable_importance: table must be columns by name, a data frame, or an array of "
            f"shape (rows, columns), got {type(table).__name__} of shape {matrix.shape}"
        )
    width = matrix.shape[1]
    given = [f"column {i}" for i in range(width)] if names is None else [str(n) for n in names]
    if len(set(given)) != width:
        raise ShapeError(
            f"variable_importance: names must be {width} different names, one for each column of "
            f"table, got {len(given)} of which {len(set(given))} differ"
        )
    return {name: matrix[:, i] for i, name in enumerate(given)}


def _flat(name: str, column: Any) -> Array:
    array = column if isinstance(column, np.ma.MaskedArray) else np.asarray(column)
    if array.ndim != 1:
        raise ShapeError(
            f"variable_importance: column {name!r} must have one axis, got shape {array.shape}; "
            "give each of its parts a column of its own"
        )
    if array.dtype.kind == "c":
        raise DtypeError(
            f"variable_importance: column {name!r} must be real numbers or categories, got dtype "
            f"{array.dtype}; split it into real and imaginary part"
        )
    return array


def default_bins(samples: int) -> int:
    """Cube root of the number of samples, rounded, at least 2.

    The bias of the plug-in mutual information of two columns in k bins is about (k - 1)^2 / (2 n)
    nats (Miller 1955). With k = n^(1/3) the bins grow with the data, and the bias still vanishes.
    """
    return max(2, round(samples ** (1 / 3)))


def categories_of(name: str, column: Array, bins: int | None) -> Categories:
    """Codes of a column: bins for many numbers, else one code per value; missing has its own.

    A number column with more different values than bins is cut into bins of equal frequency (equal
    values stay together, so that ties may leave fewer bins). Any other column keeps its values.
    """
    missing = _missing(column)
    present = np.asarray(column)[~missing]
    values = _numbers(present)
    different = _distinct(name, present if values is None else values)
    wanted = default_bins(len(present)) if bins is None else bins
    if values is not None and len(different) > wanted:
        codes = _equal_frequency(values, wanted)
        number = len(np.unique(codes))
        text = f"{number} bins of equal frequency"
    else:
        codes = np.searchsorted(different, present if values is None else values)
        number = len(different)
        text = f"{number} value{'s' if number != 1 else ''}"
        text += ", none repeated" if number == len(present) > 1 else ""
    every = np.full(len(column), number)
    every[~missing] = codes
    return Categories(every, text + (" and missing" if missing.any() else ""))


def _equal_frequency(values: Array, bins: int) -> Array:
    """Bins that end at quantiles which are data: any increasing change of scale gives the same."""
    order = np.sort(values)
    ends = np.unique(order[(np.arange(1, bins) * len(order) + bins - 1) // bins - 1])
    codes = np.searchsorted(ends, values)
    return np.unique(codes, return_inverse=True)[1]


def _missing(column: Array) -> Array:
    masked = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else False
    plain = np.asarray(column)
    if plain.dtype.kind == "O":
        return masked | np.array([_is_missing(value) for value in plain], dtype=bool)
    if plain.dtype.kind in "fmM":
        return masked | (plain != plain)  # noqa: PLR0124  NaN and NaT differ from themselves
    return masked | np.zeros(len(plain), dtype=bool)


def _is_missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)  # noqa: PLR0124  NaN differs from itself
    except (TypeError, ValueError):
        return True  # comparing pandas' NA gives NA, which has no truth value


def _numbers(present: Array) -> Array | None:
    """The values as numbers if they all are (booleans are categories)."""
    if present.dtype.kind in "iuf":
        return present
    if present.dtype.kind in "mM":
        return present.astype(np.int64)
    if present.dtype.kind == "O" and all(_is_number(value) for value in present):
        return present.astype(np.float64)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _distinct(name: str, values: Array) -> Array:
    try:
        return np.unique(values)
    except TypeError:
        kinds = sorted({type(value).__name__ for value in values})
        raise DomainError(
            f"variable_importance: column {name!r} must hold values of one kind, got "
            f"{' and '.join(kinds)}; convert all to text, or mark the odd ones missing (None)"
        ) from None
