"""What a measurement found: rows of plain numbers, and their columns for readers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossary import tables
from lossary.accuracy.samples import CANCELLING, RANGE, SUBNORMAL
from lossary.tables import Column, Styled

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Error:
    """The worst error in ulps, the share of entries above 4 ulp, and how many entries there are."""

    worst: float
    share: float
    entries: int


@dataclass(frozen=True)
class Row:
    """One loss in one type, here or as a peer computes it.

    ``errors`` maps "value over the range", "gradient where parts cancel" and their like to an
    :class:`Error`; ``missed`` names those with an entry above its bar.
    """

    loss: str
    library: str
    peer: str | None
    dtype: str
    bar: str
    errors: dict[str, Error]
    missed: tuple[str, ...]
    engine: str = "array"

    @property
    def met(self) -> bool:
        """Whether every entry is within its bar."""
        return not self.missed

    @property
    def who(self) -> str:
        """Who computed: ``lossary`` with the library and the engine, or the name of a peer."""
        kernels = " fused" if self.engine == "fused" else ""
        return self.peer or f"lossary {self.library}{kernels}"


def number(x: float) -> str:
    """Return an error as the table prints it.

    >>> number(0.4999), number(1234567.0), number(float("inf"))
    ('0.5', '1e+06', '∞')
    """
    if math.isinf(x):
        return "∞"
    return f"{x:.1f}" if x < 1000 else f"{x:.0e}"


def _share(x: float) -> str:
    return "0" if not x else "<0.1 %" if x < 0.001 else f"{100 * x:.1f} %"


WHY = (
    "What misses its bar is of three kinds. A small difference of rounded numbers, such as "
    "sigmoid(x) - t near its zero or a component of a slope far smaller than its vector, keeps the "
    "rounding of its parts; single precision escapes this by computing in float64. A library's own "
    "exp, log1p or tanh can be off by 2 ulp. JAX and TensorFlow replace subnormal numbers by 0."
)

WORDS, NUMBERS = ("computed by", "bar"), (
    "value: worst", "> 4 ulp", "gradient: worst", "> 4 ulp", "cancelling: value", "gradient",
    "subnormal",
)  # fmt: skip
COLUMNS = (
    Column("loss", code=True),
    *(Column(name) for name in WORDS),
    *(Column(name, numbers=True) for name in NUMBERS),
    Column("bar met"),
)


def _part(row: Row, what: str) -> str:
    error = row.errors.get(f"{what} {RANGE}")
    return "–" if error is None else _share(error.share)


# On a terminal loss, type and bar stand in a line of their own, and shares beside errors.
SHORT = ("value", ">4 ulp", "slope", ">4 ulp", "cancel", "slope", "subn.")


def _numbers(row: Row, star: str = "") -> tuple[str, ...]:
    """Return the errors of a row, with a star at those that miss their bar."""

    def worst(kind: str, *whats: str) -> str:
        names = [f"{what} {kind}" for what in whats]
        found = [row.errors[name].worst for name in names if name in row.errors]
        missed = not row.peer and set(names) & set(row.missed)
        return (number(max(found)) if found else "–") + (star if missed else "")

    return (
        worst(RANGE, "value"), _part(row, "value"),
        worst(RANGE, "gradient"), _part(row, "gradient"),
        worst(CANCELLING, "value"), worst(CANCELLING, "gradient"),
        worst(SUBNORMAL, "value", "gradient"),
    )  # fmt: skip


def _met(row: Row) -> str:
    """Return yes, or what misses the bar, as short as the headings."""
    if row.met:
        return "yes"
    over = [name.split()[0] for name in row.missed if name.endswith(RANGE)]
    kinds = {CANCELLING: "cancelling", SUBNORMAL: "subnormal"}
    over += [word for kind, word in kinds.items() if any(m.endswith(kind) for m in row.missed)]
    return "no: " + ", ".join(over)


NOTE = (
    "Errors in units of the last place of the true value, with no absolute tolerance; ∞ is a NaN, "
    "or an infinity where the true value is finite. The range is uniform in [-110, 110], "
    "log-uniform over ±[1e-45, 1e38], and special numbers; cancelling inputs are chosen so that "
    "parts of the loss nearly cancel; subnormal are entries with an input or a true value below "
    "the smallest normal number. Corners, which have no derivative, are left out."
)


@dataclass(frozen=True)
class Table:
    """All rows of a measurement, with the size and the seed that made its inputs."""

    rows: tuple[Row, ...]
    size: int
    seed: int

    def print(self, console: Console) -> None:
        """Print the table on a Rich console, one group of rows for each loss and type."""
        console.print("Worst error in units of the last place (ulp); * misses its bar\n")
        lines: list[tables.Row] = []
        before = None
        for row in self.rows:
            if before != (row.loss, row.dtype):
                lines.append(Styled(f"{row.loss}, {row.dtype}, bar {row.bar}", "bold"))
            before = row.loss, row.dtype
            style = "dim" if row.peer else "" if row.met else "yellow"
            lines.append([Styled(cell, style) for cell in (f"  {row.who}", *_numbers(row, "*"))])
        columns = [Column(), *(Column(heading, numbers=True) for heading in SHORT)]
        tables.Table(columns, lines).print(console)
        console.print(f"\n{NOTE}\n{self.summary()}", markup=False, highlight=False)

    def summary(self) -> str:
        """Return how many cases meet their bar on each kind of input."""
        own = [row for row in self.rows if row.peer is None]
        met = [
            f"{sum(not any(m.endswith(kind) for m in row.missed) for row in own)} {words}"
            for kind, words in (
                (RANGE, RANGE), (CANCELLING, CANCELLING), (SUBNORMAL, "at subnormal numbers"),
            )
        ]  # fmt: skip
        return f"Of {len(own)} cases these meet their bar: {', '.join(met)}."

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers and words; an infinite error is the string "inf"."""
        return {
            "size": self.size,
            "seed": self.seed,
            "rows": [
                {
                    "loss": row.loss, "library": row.library, "peer": row.peer,
                    "engine": None if row.peer else row.engine, "dtype": row.dtype,
                    "bar": row.bar or None, "missed": [] if row.peer else list(row.missed),
                    "errors": {name: _plain(error) for name, error in row.errors.items()},
                }
                for row in self.rows
            ],
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Table:
        """Return the table that :meth:`to_json` wrote down.

        >>> from lossary.accuracy import measure
        >>> table = measure(["huber"], ["numpy"], ["float32"], size=50)
        >>> Table.from_json(table.to_json()).markdown() == table.markdown()
        True
        """
        return cls(tuple(map(_row, kept["rows"])), kept["size"], kept["seed"])

    def markdown(self) -> str:
        """Return the table as Markdown, one section for each type."""
        parts = [
            f"{NOTE} About {self.size} numbers per loss and type, seed {self.seed}.",
            f"{self.summary()} {WHY}",
        ]
        for dtype in dict.fromkeys(row.dtype for row in self.rows):
            lines, before = [], ""
            for row in (row for row in self.rows if row.dtype == dtype):
                loss, met = row.loss, "" if row.peer else _met(row)
                named = "" if loss == before else loss
                lines.append((named, row.who, row.bar, *_numbers(row), met))
                before = loss
            table = "\n".join(tables.Table(COLUMNS, lines).markdown())
            parts.append(f"## {dtype}\n\n{table}")
        return "\n\n".join(parts) + "\n"


def _plain(error: Error) -> dict[str, Any]:
    worst = "inf" if math.isinf(error.worst) else error.worst
    return {"worst": worst, "share_above_4_ulp": error.share, "entries": error.entries}


def _row(kept: dict[str, Any]) -> Row:
    errors = {
        name: Error(float(error["worst"]), error["share_above_4_ulp"], error["entries"])
        for name, error in kept["errors"].items()
    }
    read: dict[str, Any] = {
        "bar": kept["bar"] or "", "engine": kept["engine"] or "array",
        "missed": tuple(kept["missed"]), "errors": errors,
    }  # fmt: skip
    return Row(**kept | read)
