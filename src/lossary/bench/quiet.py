"""Whether a machine was quiet enough for its times to be believed.

Linux counts the time that each processor worked, and the time that each process had. What neither
this process nor its children had, others had, or the host of a virtual machine. Elsewhere the load
average stands in before a run. The spread of the times themselves is looked at everywhere.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lossary.bench import machine
from lossary.bench.results import Outcome
from lossary.errors import LossaryError

PROC = Path("/proc")
# Processors' worth of work that others may do, of all that this process may use.
MOST = 0.05
# The middle half of a contestant's times, over their median, for the median contestant.
SPREAD = 0.15
# An average over a minute, with this process in it before it has done anything.
LOAD = 0.25
GLANCE = 0.5  # seconds of looking before a run
AWAKE = 0.2  # processors' worth of work after which this process is not at rest
PATIENT = 20.0  # seconds for which compilers in the background are awaited


class BusyError(LossaryError, RuntimeError):
    """Other programs are at work, so that times would not be worth keeping."""


@dataclass(frozen=True)
class Counts:
    """Seconds: of the clock, of work on our processors, and of work of ours."""

    clock: float
    all: float
    own: float

    def others(self, earlier: Counts) -> float | None:
        """Return the processors' worth of work that others did since an earlier count."""
        passed = self.clock - earlier.clock
        if passed < GLANCE / 2:
            return None  # the counters move by hundredths of a second
        return max(0.0, (self.all - earlier.all) - (self.own - earlier.own)) / passed


def count() -> Counts | None:
    """Return what the counters say, or None where there are none."""
    try:
        tick = os.sysconf("SC_CLK_TCK")
        return Counts(time.monotonic(), _all() / tick, _own(tick))
    except (AttributeError, OSError, ValueError, IndexError):
        return None


def _all() -> int:
    """Return the ticks of work on the processors that this process may use.

    The columns are user, nice, system, idle, waiting, two kinds of interrupts, and stolen by a
    host.
    """
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    rows = [line.split() for line in (PROC / "stat").read_text(encoding="ascii").splitlines()]
    return sum(int(row[at]) for row in rows if row[0] in ours for at in (1, 2, 3, 6, 7, 8))


def _own(tick: int) -> float:
    """Return the seconds of this process, its threads, and its children's children."""
    mine = os.times()
    parents, ticks = {}, {}
    for number, words in _processes():
        parents[number], ticks[number] = int(words[1]), sum(map(int, words[11:15]))
    ours = {os.getpid()}
    while more := {one for one, parent in parents.items() if parent in ours} - ours:
        ours |= more
    below = sum(ticks[one] for one in ours - {os.getpid()})
    return mine.user + mine.system + mine.children_user + mine.children_system + below / tick


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each process, and what is said of it after its name."""
    for place in PROC.glob("[0-9]*/stat"):
        try:
            text = place.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has ended
        yield int(place.parent.name), text.rpartition(")")[2].split()


def others(pause: Callable[[float], None] = time.sleep) -> tuple[str, ...]:
    """Return why this is no time to measure, after a glance at what others do."""
    before = count()
    pause(GLANCE)
    after = count()
    if before and after:
        return _too_much("before", after.others(before))
    load = machine.load()
    if load is None or load <= LOAD * machine.cores():
        return ()
    return (f"before the run the load average was {load:.2f}",)


def _too_much(when: str, found: float | None) -> tuple[str, ...]:
    """Return what to say of the work of others, if it was too much."""
    cores = machine.cores()
    if found is None or found <= MOST * cores:
        return ()
    return (f"{when} the run other programs had {found:.2f} of {cores} processors",)


class Watch:
    """Looks at others' work from now on."""

    def __init__(self) -> None:
        self.start = count()

    def others(self) -> tuple[str, ...]:
        """Return why the times since then are not to be believed."""
        end = count()
        return _too_much("during", end.others(self.start)) if self.start and end else ()


def spread(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return why repeated times say that the machine was not quiet."""
    found = [
        (row.high - row.low) / row.seconds
        for outcome in outcomes
        for row in outcome.rows
        if row.rounds >= 5 and row.seconds > 0
    ]
    middle = statistics.median(found) if found else 0.0
    if middle <= SPREAD:
        return ()
    return (
        f"the middle half of the times spans {middle:.0%} of their median (at most {SPREAD:.0%})",
    )


def settle(pause: Callable[[float], None] = time.sleep) -> None:
    """Wait until what this process does in the background, such as compiling, is done."""
    last = time.monotonic() + PATIENT
    while time.monotonic() < last:
        before = count()
        pause(0.1)
        after = count()
        if not before or not after or after.clock - before.clock < 0.05:
            return
        if (after.own - before.own) / (after.clock - before.clock) < AWAKE:
            return
