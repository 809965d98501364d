"""Which columns of a table tell most about a target: ranking by mutual information."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lossary.errors import DomainError, ShapeError
from lossary.information.columns import Categories, categories_of, columns_of
from lossary.information.discrete import information_of_counts
from lossary.information.units import Array, Unit, unit_of


@dataclass(frozen=True)
class Importance:
    """What one column tells about the target."""

    name: str
    mutual_information: float
    conditional_entropy: float
    """Cross-entropy, on these data, of the best prediction of the target from the column alone."""
    share: float
    """Mutual information as a part of the target's entropy; 0 for a constant target."""
    binning: str


@dataclass(frozen=True)
class Ranking:
    """Columns in order of importance: a sequence of ``Importance``, printed as a table."""

    variables: tuple[Importance, ...]
    target_entropy: float
    target_binning: str
    unit: str
    correction: str

    def __iter__(self) -> Iterator[Importance]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)

    def __getitem__(self, place: int) -> Importance:
        return self.variables[place]

    def __str__(self) -> str:
        width = max(len("column"), *(len(v.name) for v in self.variables))
        note = f", {self.correction} correction" if self.correction != "none" else ""
        lines = [
            f"target: {self.target_binning}, entropy {self.target_entropy:.4f} {self.unit}{note}",
            f"{'column':<{width}}  {'tells':>8}  {'leaves':>8}  {'share':>6}  categories",
        ]
        lines += [
            f"{v.name:<{width}}  {v.mutual_information:8.4f}  {v.conditional_entropy:8.4f}  "
            f"{v.share:6.1%}  {v.binning}"
            for v in self.variables
        ]
        return "\n".join(lines)


@np.errstate(all="ignore")
def variable_importance(
    table: Any,
    target: Any,
    *,
    bins: int | None = None,
    correction: Literal["none", "miller-madow"] = "none",
    unit: str | float = "bits",
    names: Sequence[str] | None = None,
) -> Ranking:
    """Rank the columns of a table by their mutual information with a target.

    Number columns (the target too) with more different values than bins are cut into bins of equal
    frequency; every other value is a category, and so are missing values (None, NaN, NaT, masked).
    Each column is judged alone: two that only tell something together both rank low. Few rows per
    category make a column look better than it is; ``correction="miller-madow"`` removes this bias
    to first order. No correction helps where categories never repeat, as in a column of names: it
    tells everything about these rows and nothing about others, and is marked "none repeated".

    Arguments
        table       columns by name (a dictionary or a data frame), a structured array, or an array
                    of shape (rows, columns); numbers, strings or booleans
        target      shape (rows,); numbers, strings or booleans; or the name of a column of table
        bins        integer, at least 2, or None; number of bins. None: the cube root of the number
                    of values that are not missing, rounded, at least 2
        correction  "none", or "miller-madow": each entropy is raised by (categories - 1) / (2 rows)
                    nats, so that a mutual information of nothing may come out below 0
        unit        a name in ``UNITS`` or a base above 1; unit of the results
        names       strings, or None; names for the columns of an array

    Returns
        Ranking, the most telling column first, equal ones in the order of the table

    Raises
        DomainError  bins below 2, a name that is no column, an unknown correction
        ShapeError   no column or row, or columns of different lengths

    Example
        >>> weather = {"sky": ["clear", "clear", "grey", "grey"], "day": [1, 2, 1, 2]}
        >>> print(variable_importance(weather, target=["dry", "dry", "wet", "wet"]))
        target: 2 values, entropy 1.0000 bits
        column     tells    leaves   share  categories
        sky       1.0000    0.0000  100.0%  2 values
        day       0.0000    1.0000    0.0%  2 values

    Source       Battiti 1994, doi:10.1109/72.298224; Miller 1955, "Note on the bias of information
                 estimates"
    """
    per = unit_of(unit, function="variable_importance")
    _check_choices(bins, correction)
    columns = columns_of(table, names)
    labels = _target(columns, target)
    _check_lengths(columns, labels)
    wanted = categories_of("target", labels, bins)
    corrected = correction == "miller-madow"
    ranked = [
        _importance(name, categories_of(name, column, bins), wanted, per, corrected=corrected)
        for name, column in columns.items()
    ]
    ranked.sort(key=lambda variable: -variable[0].mutual_information)
    return Ranking(
        tuple(variable for variable, _ in ranked),
        ranked[0][1],
        wanted.binning,
        per.name,
        correction,
    )


def _importance(
    name: str, column: Categories, target: Categories, unit: Unit, *, corrected: bool
) -> tuple[Importance, float]:
    pairs, counts = np.unique(column.codes * target.number + target.codes, return_counts=True)
    rows, columns = np.divmod(pairs, target.number)
    information, remaining, entropy = information_of_counts(rows, columns, counts, unit)
    if corrected:
        step = 1 / (2 * len(target.codes) * unit.nats)
        entropy += (target.number - 1) * step
        information += (column.number + target.number - len(pairs) - 1) * step
        remaining = entropy - information
    share = information / entropy if entropy > 0 else 0.0
    return Importance(name, information, remaining, share, column.binning), entropy


def _check_choices(bins: int | None, correction: str) -> None:
    if bins is not None and not (isinstance(bins, int | np.integer) and bins >= 2):
        raise DomainError(
            f"variable_importance: bins must be an integer of at least 2, got {bins!r}; "
            "None takes the cube root of the number of values"
        )
    if correction not in ("none", "miller-madow"):
        raise DomainError(
            'variable_importance: correction must be "none" or "miller-madow", got '
            f"{correction!r}; the second removes the bias of small samples to first order"
        )


def _target(columns: dict[str, Array], target: Any) -> Array:
    if not isinstance(target, str):
        return columns_of({"target": target}, None)["target"]
    if target not in columns:
        raise DomainError(
            f"variable_importance: target must be values or the name of a column, got {target!r}; "
            f"the columns are {', '.join(columns)}"
        )
    if len(columns) == 1:
        raise ShapeError(
            f"variable_importance: table must have a column besides the target {target!r}, got none"
        )
    return columns.pop(target)


def _check_lengths(columns: dict[str, Array], target: Array) -> None:
    for name, column in columns.items():
        if len(column) != len(target):
            raise ShapeError(
                f"variable_importance: column {name!r} must be as long as the target, "
                f"{len(target)}, got {len(column)}; one row is one observation"
            )
    if not len(target):
        raise ShapeError("variable_importance: table must have at least one row, got none")
