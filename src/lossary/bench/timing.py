"""Time contestants in turns, so that whatever slows the machine down slows all of them down."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from lossary.bench.contestant import Prepared

Clock = Callable[[], float]

# A sample lasts at least this long, so that reading the clock costs nothing beside it.
SAMPLE = 0.002
MOST = 10_000  # calls in a sample
# OpenMP's threads spin for about a millisecond after their work and would slow the next contestant.
PAUSE = 0.003
# Below this a contestant makes one call more before the clock starts, which fills the caches again.
SHORT = 0.02
# How many rounds a contestant gets at least, by the seconds of its sample.
LEAST = ((0.5, 5), (2.0, 3), (math.inf, 1))


@dataclass(frozen=True)
class Timing:
    """Seconds per call, one number per round, of ``calls`` calls each.

    >>> Timing((3.0, 1.0, 2.0, 5.0, 4.0), 1).quartiles
    (2.0, 3.0, 4.0)
    """

    seconds: tuple[float, ...]
    calls: int

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """The lower quartile, the median, the upper quartile."""
        if len(self.seconds) == 1:
            return self.seconds * 3  # pyright: ignore[reportReturnType]
        low, middle, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return low, middle, high


def rounds_of(cost: float, share: float, rounds: int, at_least: int = 1) -> int:
    """Return the rounds that fit into a share of the time: at most all, at least a few.

    >>> [rounds_of(cost, 1.0, 15) for cost in (0.01, 0.1, 0.3, 1.0, 3.0)]
    [15, 10, 5, 3, 1]
    """
    least = max(at_least, next(count for most, count in LEAST if cost < most))
    return min(rounds, max(least, int(share / cost) if cost else rounds))


def alternate(
    steps: Mapping[str, Prepared],
    estimates: Mapping[str, float],
    rounds: int,
    seconds: float,
    clock: Clock = time.perf_counter,
    pause: Callable[[float], None] = time.sleep,
    at_least: int = 1,
) -> dict[str, Timing]:
    """Return the times of all contestants, each round in another order of starting.

    ``estimates`` are seconds per call. A slow contestant that would take more than its share of
    ``seconds`` plays in fewer rounds, spread over all of them.
    """
    calls = {name: _calls(estimates[name]) for name in steps}
    share = seconds / max(1, len(steps))
    own = {n: rounds_of(calls[n] * estimates[n], share, rounds, at_least) for n in steps}
    found: dict[str, list[float]] = {name: [] for name in steps}
    with _undisturbed():
        for turn in range(rounds):
            for name in _rotated(list(steps), turn):
                if (turn + 1) * own[name] // rounds == turn * own[name] // rounds:
                    continue
                found[name].append(_sample(steps[name], calls[name], estimates[name], clock))
                pause(PAUSE)
    return {name: Timing(tuple(times), calls[name]) for name, times in found.items()}


def _calls(estimate: float) -> int:
    """Return how many calls make a sample; one where the clock did not move."""
    return min(MOST, math.ceil(SAMPLE / estimate)) if estimate > 0 else 1


def _rotated(names: list[str], turn: int) -> list[str]:
    """Return the names beginning at another one each turn: no one always follows the same one.

    >>> _rotated(["a", "b", "c"], 4)
    ['b', 'c', 'a']
    """
    place = turn % len(names) if names else 0
    return names[place:] + names[:place]


def _sample(prepared: Prepared, calls: int, estimate: float, clock: Clock) -> float:
    step = prepared.step
    with prepared.around():
        if estimate < SHORT:
            step()
            prepared.wait()
        start = clock()
        for _ in range(calls):
            step()
        prepared.wait()
        return (clock() - start) / calls


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the collector of garbage from running inside someone's time."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
