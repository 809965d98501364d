"""From which size on a kernel beats the array text: below it, arrays are the better engine."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence

from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import ours
from lossary.bench.data import draw
from lossary.bench.results import Crossover
from lossary.bench.timing import Clock, alternate
from lossary.bench.work import Case

LOSSES = ("huber", "binary_cross_entropy", "focal", "cross_entropy")
SIZES = tuple(4**power for power in range(2, 11))
PAIRS = {"numpy": (ours.ARRAY, ours.FUSED), "torch": (ours.ARRAY_TORCH, ours.FUSED_TORCH)}
CLASSES = 16
ROUNDS = 7


def crossovers(
    contestants: Mapping[str, Contestant],
    threads: int,
    losses: Sequence[str] = LOSSES,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
    clock: Clock = time.perf_counter,
    pause: Callable[[float], None] = time.sleep,
    device: str = "cpu",
) -> tuple[Crossover, ...]:
    """Return the comparison of each loss on each library whose kernel is available."""
    found = []
    pairs = PAIRS if device == "cpu" else {"torch": PAIRS["torch"]}
    for loss, (library, names) in itertools.product(losses, pairs.items()):
        pair = [contestants[name] for name in names if name in contestants]
        if len(pair) < 2:
            continue
        try:
            times = [
                _medians(pair, _case(loss, size, device), threads, seed, clock, pause)
                for size in sizes
            ]
        except UnavailableError:
            continue
        array, fused = zip(*times, strict=True)
        found.append(Crossover(loss, library, tuple(sizes), array, fused))
    return tuple(found)


def _case(loss: str, size: int, device: str) -> Case:
    shape = (size // CLASSES, CLASSES) if loss == "cross_entropy" else (size,)
    return Case(loss, shape, device=device)


def _medians(
    pair: Sequence[Contestant],
    case: Case,
    threads: int,
    seed: int,
    clock: Clock,
    pause: Callable[[float], None],
) -> tuple[float, ...]:
    """Return the median seconds of each of the pair."""
    data = draw(case, seed)
    ready = {one.name: one.prepare(case, data, threads) for one in pair}
    steps = {name: prepared for name, prepared in ready.items() if prepared}
    estimates = {name: _estimate(step, clock) for name, step in steps.items()}
    times = alternate(steps, estimates, ROUNDS, 1.0, clock, pause)
    return tuple(times[one.name].quartiles[1] for one in pair)


def _estimate(prepared: Prepared, clock: Clock) -> float:
    """Return the seconds of a call that is not the first."""
    with prepared.around():
        prepared.step()
        prepared.step()
        prepared.wait()
        start = clock()
        prepared.step()
        prepared.wait()
        return clock() - start
