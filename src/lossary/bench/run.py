"""A whole benchmark: prepare, check the outputs against each other, time in turns, weigh memory."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import importlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import lossary
from lossary.bench import agreement, limits, machine, memory, quiet
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import CONTESTANTS
from lossary.bench.crossover import crossovers
from lossary.bench.data import draw
from lossary.bench.limits import Limit
from lossary.bench.results import Absent, Measured, Outcome, Results
from lossary.bench.start import starting
from lossary.bench.timing import Clock, Timing, alternate
from lossary.bench.work import WHOLE, Case, Data
from lossary.errors import MissingExtraError

Report = Callable[[int, int, str], None]

# What a case may spend on timing when no budget is given.
ALLOWANCE = 6.0
# A first call beyond this is the only one, unless it compiled something or is a training.
PATIENCE = 3.0
TRAININGS = 3  # rounds of a training at least, after those that have compiled its kernels
HEADLINE = 40_000_000  # bytes of an array of 10^7 float32 numbers
# Engines of ours may choose anew after some calls: the clock starts when they have chosen.
WARM_CALLS, WARM_SECONDS = 200, 0.5


@dataclass(frozen=True)
class Settings:
    """How to measure: ``seconds`` is a budget for the whole run, None for as long as it takes.

    ``anyway`` measures on a machine that others are using too; the results then say so.
    ``starting`` measures new processes as well.
    """

    threads: int = field(default_factory=machine.cores)
    rounds: int = 15
    seconds: float | None = None
    seed: int = 0
    size: str = "chosen"
    crossovers: bool = True
    anyway: bool = True
    starting: bool = False


def measure(
    cases: Sequence[Case],
    settings: Settings | None = None,
    contestants: Sequence[Contestant] = CONTESTANTS,
    progress: Report | None = None,
    say: Callable[[str], None] | None = None,
    clock: Clock = time.perf_counter,
    pause: Callable[[float], None] = time.sleep,
) -> Results:
    """Return the times of all contestants on all cases.

    ``progress`` is called with (done, total, what), ``say`` with sentences about what went wrong.
    An interrupt ends the run with the cases that are done. Raises ``BusyError`` where others are at
    work and the settings do not say ``anyway``.

    >>> quick = Settings(rounds=1, crossovers=False, threads=1)
    >>> found = measure([Case("huber", (64,))], quick, CONTESTANTS[:1])
    >>> found.outcomes[0].row("Lossary auto").disagrees
    ''
    """
    chosen = settings or Settings()
    device = cases[0].device if cases else "cpu"
    with machine.limited(chosen.threads), ThreadPoolExecutor(chosen.threads) as pool:
        facts = machine.facts(device)
        disturbed = quiet.others(pause)
        if disturbed and not chosen.anyway:
            raise quiet.BusyError(
                f"the machine is busy: {disturbed[0]}\n"
                "hint: wait until it is quiet; --anyway measures now, and marks the results as not "
                "to be published"
            )
        watch = quiet.Watch()
        bench = _Bench(chosen, say or (lambda words: None), clock, pause, pool)
        present = bench.present(contestants)
        headline = {kind: bench.headline(kind, device) for kind in (limits.COPY, limits.TRIAD)}
        with _collected():
            outcomes, skipped = bench.outcomes(cases, present, progress or (lambda *_: None))
        crossed = ()
        over = bench.late() or bench.interrupted
        if chosen.crossovers and not over:
            named = {contestant.name: contestant for contestant in present}
            crossed = crossovers(
                named, chosen.threads, seed=chosen.seed, clock=clock, pause=pause, device=device
            )
        return Results(
            start=starting() if chosen.starting and device == "cpu" and not over else {},
            lossary=lossary.__version__,
            date=dt.datetime.now(dt.UTC).date().isoformat(),
            settings={
                name: getattr(chosen, name)
                for name in ("size", "threads", "rounds", "seconds", "seed")
            },
            machine=facts | {"load_after": machine.load()},
            versions=machine.versions(),
            bandwidth=headline,
            contestants={contestant.name: contestant.about for contestant in present},
            outcomes=tuple(outcomes),
            crossovers=crossed,
            absent=tuple(bench.absent),
            skipped=tuple(skipped),
            interrupted=bench.interrupted,
            disturbed=(*disturbed, *watch.others(), *quiet.spread(outcomes)),
        )


@contextlib.contextmanager
def _collected() -> Iterator[None]:
    """Let the collector of garbage look at everything again when the cases are over."""
    before = gc.get_freeze_count()
    try:
        yield
    finally:
        if not before:
            gc.unfreeze()


@dataclass
class _Ready:
    """A contestant that has computed a case once."""

    contestant: Contestant
    prepared: Prepared
    first: float
    estimate: float
    memory: int | None
    whole: bool

    @property
    def done(self) -> bool:
        """Whether its first call is all that there is time for.

        In the first training of a process machine code is compiled and threads are started.
        """
        return self.first > PATIENCE and not (self.whole or self.contestant.compiles)

    @property
    def warms(self) -> bool:
        """Whether it is ours, and quick enough to be called until its engine is chosen."""
        return self.contestant.ours and 0 < self.estimate < WARM_SECONDS / 10


class _Bench:
    """The state of a run: how much time is left, who is missing."""

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        clock: Clock,
        pause: Callable[[float], None],
        pool: ThreadPoolExecutor,
    ) -> None:
        self.settings, self.say, self.clock, self.pause = settings, say, clock, pause
        self.pool = pool
        self.start = clock()
        self.absent: list[Absent] = []
        self.interrupted = False

    def late(self) -> bool:
        """Whether the budget is spent."""
        seconds = self.settings.seconds
        return seconds is not None and self.clock() - self.start >= seconds

    def allowance(self, left: int) -> float:
        """Return the seconds of timing for the next of ``left`` cases; half goes to preparing."""
        if self.settings.seconds is None:
            return ALLOWANCE
        rest = self.settings.seconds - (self.clock() - self.start)
        return max(0.0, min(ALLOWANCE, rest / left / 2))

    def present(self, contestants: Sequence[Contestant]) -> list[Contestant]:
        """Return those whose packages are installed, and note the others."""
        missing = {contestant.name: contestant.missing() for contestant in contestants}
        self.absent += [Absent(name, reason) for name, reason in missing.items() if reason]
        return [contestant for contestant in contestants if not missing[contestant.name]]

    def movers(self, kind: str, size: int, device: str) -> Iterator[tuple[str, Prepared]]:
        """Yield the ways to move arrays on a device."""
        if device == "cuda":
            return limits.device_movers(kind, size)
        return limits.movers(kind, size, self.settings.threads, self.pool)

    def headline(self, kind: str, device: str) -> Limit:
        """Return what the machine moves with arrays of 10^7 float32 numbers."""
        steps = dict(self.movers(kind, HEADLINE, device))
        estimates = {name: self.timed(step) for name, step in steps.items()}
        times = alternate(steps, estimates, self.settings.rounds, 2.0, self.clock, self.pause)
        return _limit(kind, HEADLINE, times)

    def timed(self, prepared: Prepared) -> float:
        """Return the seconds of one call."""
        with prepared.around():
            start = self.clock()
            prepared.step()
            prepared.wait()
            return self.clock() - start

    def watched(self, prepared: Prepared, case: Case) -> tuple[Any, float, int | None]:
        """Return the result of one call, its seconds, and its extra memory if that can be seen."""
        size = case.gradient_bytes
        watch = memory.Watch(size if prepared.fresh else 0, cuda=case.device == "cuda")
        with watch if size >= memory.SMALLEST else contextlib.nullcontext(), prepared.around():
            start = self.clock()
            result = prepared.step()
            prepared.wait()
            seconds = self.clock() - start
        return result, seconds, watch.found

    def outcomes(
        self, cases: Sequence[Case], contestants: Sequence[Contestant], progress: Report
    ) -> tuple[list[Outcome], list[str]]:
        """Return what each case gave, and the names of those that found no time."""
        found, skipped = [], []
        for done, case in enumerate(cases):
            if self.interrupted or self.late():
                skipped.append(case.name)
                continue
            report = partial(progress, done, len(cases))
            allowance = self.allowance(len(cases) - done)
            try:
                found.append(self.outcome(case, contestants, allowance, report))
            except KeyboardInterrupt:
                self.interrupted = True
                skipped.append(case.name)
            tidy()
            leave_libraries_alone()
        progress(len(cases), len(cases), "")
        if skipped:
            why = "interrupted" if self.interrupted else "time was up"
            self.say(f"{why}: {len(skipped)} of {len(cases)} cases were not measured")
        return found, skipped

    def outcome(
        self,
        case: Case,
        contestants: Sequence[Contestant],
        allowance: float,
        report: Callable[[str], None],
    ) -> Outcome:
        """Return the times, the memory and the limit of one case."""
        data = draw(case, self.settings.seed)
        ready: dict[str, _Ready] = {}
        summaries: dict[str, agreement.Summary] = {}
        absent: list[Absent] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks of others on their own ways
            for contestant in contestants:
                report(f"{case.name}, {contestant.name}")
                self._enter(contestant, case, data, ready, summaries, absent)
            if some := [one for one in ready.values() if one.warms]:
                report(f"{case.name}, warming up")
                self.warm(some)
            differ = agreement.disagreements(summaries, agreement.tolerance(case))
            for name, words in differ.items():
                self.say(f"{case.name}: {name} disagrees: {words}")
            kind = limits.pattern(case)
            movers = {
                f"limit {by}": step
                for by, step in self.movers(kind, case.gradient_bytes, case.device)
                if case.bounded
            }
            steps = {name: one.prepared for name, one in ready.items() if not one.done} | movers
            estimates = {name: one.estimate for name, one in ready.items()}
            for name, step in movers.items():
                self.timed(step)
                estimates[name] = self.timed(step)
            report(f"{case.name}, in turns")
            least = TRAININGS if case.kind in WHOLE else 1
            times = alternate(
                steps, estimates, self.settings.rounds, allowance, self.clock, self.pause, least
            )
        rows = [
            _row(one, times.get(name, Timing((one.first,), 1)), differ.get(name, ""))
            for name, one in ready.items()
        ]
        moved = {name.removeprefix("limit "): times[name] for name in movers}
        ordered = tuple(sorted(rows, key=lambda row: row.seconds))
        limit = _limit(kind, case.gradient_bytes, moved) if moved else None
        return Outcome(case, limit, ordered, tuple(absent))

    def warm(self, some: Sequence[_Ready]) -> None:
        """Call them until nothing is compiled in the background, and estimate them anew."""
        for one in some:
            with one.prepared.around():
                for _ in range(min(WARM_CALLS, int(WARM_SECONDS / one.estimate) + 1)):
                    one.prepared.step()
                one.prepared.wait()
        quiet.settle(self.pause)
        for one in some:
            self.timed(one.prepared)
            one.estimate = self.timed(one.prepared)

    def _enter(
        self,
        contestant: Contestant,
        case: Case,
        data: Data,
        ready: dict[str, _Ready],
        summaries: dict[str, agreement.Summary],
        absent: list[Absent],
    ) -> None:
        """Let a contestant compute a case twice: for its outputs, then for its time and memory."""
        name = contestant.name
        try:
            prepared = contestant.prepared(case, data, self.settings.threads)
            if prepared is None:
                return
            result, first, extra = self.watched(prepared, case)
            summaries[name] = agreement.summary(*prepared.outcome(result))
            del result
            one = _Ready(contestant, prepared, first, first, extra, case.kind in WHOLE)
            if one.whole:
                quiet.settle(self.pause)
            if not one.done:
                _, one.estimate, one.memory = self.watched(prepared, case)
            if one.estimate < 0.1:
                one.estimate = self.timed(prepared)
        except (UnavailableError, MissingExtraError) as error:
            absent.append(Absent(name, str(error).partition("\n")[0]))
        except Exception as error:  # noqa: BLE001  (one that fails must not end the others' run)
            words = (str(error).strip().splitlines() or [""])[0]
            absent.append(Absent(name, f"{type(error).__name__}: {words}"[:200], failed=True))
            self.say(f"{case.name}: {name} failed: {absent[-1].reason}")
        else:
            ready[name] = one


def _row(one: _Ready, timing: Timing, disagrees: str) -> Measured:
    low, middle, high = timing.quartiles
    return Measured(
        one.contestant.name, one.contestant.ours, middle, low, high, len(timing.seconds),
        timing.calls, one.first, one.memory, disagrees,
    )  # fmt: skip


def _limit(kind: str, size: int, times: dict[str, Timing]) -> Limit:
    """Return the fastest way to move."""
    by = min(times, key=lambda name: times[name].quartiles[1])
    low, middle, high = times[by].quartiles
    return Limit(kind, by, middle, low, high, size * (2 if kind == limits.COPY else 3))


def tidy() -> None:
    """Drop what compilers keep for cases that are over."""
    if torch := sys.modules.get("torch"):
        torch.compiler.reset()
    if jax := sys.modules.get("jax"):
        jax.clear_caches()
    if "keras" in sys.modules:
        with contextlib.suppress(ImportError):
            importlib.import_module("keras").backend.clear_session()
    gc.collect()


def leave_libraries_alone() -> None:
    """Tell the collector of garbage that what the first case leaves behind are libraries, and stay.

    It runs several times a case, and to look at all of them took half of the time of a run.
    """
    if not gc.get_freeze_count():
        gc.freeze()
