"""What a benchmark found, as plain numbers; ``storage`` puts them into a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lossary.bench.limits import Limit
from lossary.bench.work import Case


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
    """One case: who took part, the fastest first, and what moving the arrays takes.

    ``limit`` is None where it is not known which bytes must move.
    """

    case: Case
    limit: Limit | None
    rows: tuple[Measured, ...]
    absent: tuple[Absent, ...] = ()

    def row(self, contestant: str) -> Measured | None:
        """Return the measurement of a contestant, if it took part."""
        return next((row for row in self.rows if row.contestant == contestant), None)

    @property
    def limit_seconds(self) -> float | None:
        """Return the time in which the bytes of the case move."""
        return self.limit.time_for(self.case.bytes) if self.limit else None


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
    which no time was left, all that remained if the run was ``interrupted``. ``disturbed`` says
    why the times are not to be believed; such results are for looking at, not for publishing.
    ``start`` is what a new process waits for.
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
    disturbed: tuple[str, ...] = ()
    start: Mapping[str, float] = field(default_factory=dict)

    def outcome(self, case: Case) -> Outcome | None:
        """Return what was found for a case."""
        return next((one for one in self.outcomes if one.case == case), None)

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
