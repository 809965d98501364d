"""What a benchmark found: plain numbers that go into a file and come back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossary import files
from lossary.bench.limits import Limit
from lossary.bench.work import Case
from lossary.errors import LossaryError

__all__ = ["SCHEMA", "Absent", "Crossover", "Measured", "Outcome", "Results", "ResultsError"]

SCHEMA = 1


class ResultsError(LossaryError, ValueError):
    """A file does not hold the results of a benchmark."""


@dataclass(frozen=True)
class Measured:
    """One contestant on one case: seconds per call, extra bytes, how its outputs disagree."""

    contestant: str
    ours: bool
    seconds: float
    low: float
    high: float
    rounds: int
    calls: int
    first: float
    memory: int | None = None
    disagrees: str = ""


@dataclass(frozen=True)
class Absent:
    """One that did not take part in a case, and why; ``failed`` if it raised an error."""

    contestant: str
    reason: str
    failed: bool = False


@dataclass(frozen=True)
class Outcome:
    """One case: who took part, the fastest first, and what moving the arrays takes."""

    case: Case
    limit: Limit
    rows: tuple[Measured, ...]
    absent: tuple[Absent, ...] = ()

    def row(self, contestant: str) -> Measured | None:
        """Return the measurement of a contestant, if it took part."""
        return next((row for row in self.rows if row.contestant == contestant), None)

    @property
    def limit_seconds(self) -> float:
        """Return the time in which the bytes of the case move."""
        return self.limit.time_for(self.case.bytes)


@dataclass(frozen=True)
class Crossover:
    """Seconds of array text and kernel over sizes.

    ``above`` is the size from which on the kernel is never slower, None if it loses at the end.
    """

    loss: str
    library: str
    sizes: tuple[int, ...]
    array: tuple[float, ...]
    fused: tuple[float, ...]

    @property
    def above(self) -> int | None:
        """Return the smallest size from which on the kernel wins.

        >>> Crossover("huber", "numpy", (16, 64, 256), (1.0, 2.0, 4.0), (1.5, 1.6, 1.7)).above
        64
        """
        found = None
        for size, array, fused in zip(self.sizes, self.array, self.fused, strict=True):
            if fused > array:
                found = None
            elif found is None:
                found = size
        return found


@dataclass(frozen=True)
class Results:
    """A whole run.

    ``settings`` are the size, threads, rounds, seconds and seed asked for; ``contestants`` maps
    names to what they do, ``absent`` are those that took no part at all, ``skipped`` the cases for
    which no time was left, all that remained if the run was ``interrupted``.
    """

    lossary: str
    date: str
    settings: Mapping[str, Any]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    bandwidth: Mapping[str, Limit]
    contestants: Mapping[str, str]
    outcomes: tuple[Outcome, ...]
    crossovers: tuple[Crossover, ...] = ()
    absent: tuple[Absent, ...] = ()
    skipped: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def problems(self) -> tuple[str, ...]:
        """Where Lossary itself failed or disagreed with the majority."""
        ours = {row.contestant for outcome in self.outcomes for row in outcome.rows if row.ours}
        found = []
        for outcome in self.outcomes:
            name = outcome.case.name
            found += [
                f"{name}: {row.contestant}: {row.disagrees}"
                for row in outcome.rows
                if row.ours and row.disagrees
            ]
            found += [
                f"{name}: {one.contestant}: {one.reason}"
                for one in outcome.absent
                if one.failed and (one.contestant in ours or "ossary" in one.contestant)
            ]
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Return dicts, lists and numbers, with the targets judged and derived numbers spelt out.

        Programs may rely on these names for as long as ``schema`` stays the same.
        """
        from lossary.bench.targets import judge

        data = {"schema": SCHEMA, **dataclasses.asdict(self)}
        for plain, outcome in zip(data["outcomes"], self.outcomes, strict=True):
            plain["name"], plain["bytes"] = outcome.case.name, outcome.case.bytes
            plain["limit_seconds"] = outcome.limit_seconds
            for row in plain["rows"]:
                row["times_limit"] = row["seconds"] / outcome.limit_seconds
        for plain, crossover in zip(data["crossovers"], self.crossovers, strict=True):
            plain["above"] = crossover.above
        data["targets"] = [verdict.to_json() for verdict in judge(self)]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Results:
        """Return the results that ``to_json`` wrote.

        Raises ``ResultsError`` for anything else.
        """
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            found = data.get("schema") if isinstance(data, Mapping) else type(data).__name__
            raise ResultsError(
                f"results must have schema {SCHEMA}, got {found}\n"
                "hint: write them with lossary bench --json FILE"
            )
        try:
            known = _known(cls, data)
            known["bandwidth"] = {k: Limit(**v) for k, v in data["bandwidth"].items()}
            known["outcomes"] = tuple(_outcome(one) for one in data["outcomes"])
            known["crossovers"] = tuple(_crossover(one) for one in data["crossovers"])
            known["absent"] = tuple(Absent(**one) for one in data["absent"])
            known["skipped"] = tuple(data["skipped"])
            return cls(**known)
        except (KeyError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"results lack or misplace {error}\n"
                "hint: write them anew with lossary bench --json FILE"
            ) from error

    def save(self, path: Path) -> None:
        """Write a file in one atomic step."""
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        files.write(path, text.encode())

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read a file that ``save`` wrote."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ResultsError(
                f"{path}: {error}\nhint: write results with lossary bench --json FILE"
            ) from error
        return cls.from_json(data)


def _known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that are fields: the others were derived from them."""
    return {field.name: data[field.name] for field in dataclasses.fields(kind)}


def _outcome(data: Mapping[str, Any]) -> Outcome:
    case = dict(data["case"])
    case["shape"] = tuple(case["shape"])
    return Outcome(
        Case(**case),
        Limit(**data["limit"]),
        tuple(Measured(**_known(Measured, row)) for row in data["rows"]),
        tuple(Absent(**one) for one in data["absent"]),
    )


def _crossover(data: Mapping[str, Any]) -> Crossover:
    known = _known(Crossover, data)
    for name in ("sizes", "array", "fused"):
        known[name] = tuple(known[name])
    return Crossover(**known)
