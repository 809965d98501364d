"""How fast Lossary means to be, as data, and which of it a run shows.

The targets are for two cores and float32, and on a GPU for an H200. Each is a ratio of two medians
of one run, or of extra memory to the gradient's size; a few are times by the clock.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lossary.bench.contestants import boosters, keras, ours, pytorch, tensorflow
from lossary.bench.pairs import PAIRS
from lossary.bench.results import Outcome, Results
from lossary.bench.start import FILES, STARTING
from lossary.bench.units import seconds

LIMIT = "limit"
GRADIENT = "gradient"
CLOCK = "the clock"
START = "a new process"


@dataclass(frozen=True)
class Target:
    """``ours`` takes at most ``most`` times what ``against`` takes, on the cases that match.

    ``against`` is a contestant, ``limit`` for the time in which the bytes move, ``gradient`` for
    extra memory in units of the gradient, or the clock: then ``most`` is in seconds. With
    ``or_plain`` the same call without its options will do for the contestant. Of a new process
    ``work`` names one of the facts in the results' ``start``.

    >>> print(Target("huber/10^7/float32", "Lossary fused", "torch eager", 1 / 8).asked)
    ≥ 8× faster
    >>> print(Target("huber/10/float32/value", "Lossary auto", CLOCK, 1e-5).asked)
    ≤ 10 µs
    """

    work: str
    ours: str
    against: str
    most: float
    or_plain: bool = False

    @property
    def asked(self) -> str:
        """The demand: how often faster, or at most how often the time or the memory."""
        if self.against in {CLOCK, START}:
            return f"≤ {self.spell(self.most)}"
        return f"≥ {1 / self.most:.3g}× faster" if self.most < 1 else f"≤ {self.most:.3g}×"

    def spell(self, ratio: float) -> str:
        """Return a number that was found as the target asks for it."""
        if self.against == START and self.work == FILES:
            return f"{ratio:.0f}"
        if self.against in {CLOCK, START}:
            return seconds(ratio)
        return f"{1 / ratio if self.most < 1 else ratio:.3g}×"


ELEMENTWISE = ("squared_error", "huber", "binary_cross_entropy")
TORCH = (ours.AUTO_TORCH, ours.DOOR)
# Each way through Lossary in a framework, and the peer in whose place it stands.
PLACES = tuple((p.ours, p.peer) for p in PAIRS if p.framework not in {"NumPy", "Boosters"})
# At most how often the peer's time, by size: small calls, batches, and what is larger than 4,096.
BY_SIZE = (
    (1.5, ("64", "8x8", "8x10")),
    (1.2, ("32x10", "256x10", "10^3")),
    (1.0, ("32x1000", "512x1000", "10^4", "10^5")),
)
# The other frameworks compile around the loss, and are asked for the same at every size.
COMPILED = 1.2
OPTIONS = (
    *((loss, option)
      for loss in ("cross_entropy", "huber", "binary_cross_entropy")
      for option in ("weight", "mask")),
    ("cross_entropy", "class_weight"),
    ("cross_entropy", "ignored"),
)  # fmt: skip
# Against eager, compiled, and the limit or the gradient's own memory.
LARGE = (
    *((f"{loss}/10^7/float32", against, most)
      for loss in ("huber", "squared_error")
      for against, most in ((LIMIT, 1.2), (pytorch.EAGER, 1 / 8), (pytorch.COMPILED, 1 / 4))),
    ("binary_cross_entropy/10^7/float32", pytorch.EAGER, 1 / 7),
    ("binary_cross_entropy/10^7/float32", pytorch.COMPILED, 1 / 2.3),
    ("focal/10^7/float32", pytorch.EAGER, 1 / 22),
    ("focal/10^7/float32", pytorch.COMPILED, 1 / 2.3),
    ("cross_entropy/2048x32000/float32", pytorch.EAGER, 1 / 7),
    ("cross_entropy/2048x32000/float32", pytorch.COMPILED, 1 / 3.3),
    # With the logits themselves two and a half copies of them.
    ("cross_entropy/2048x32000/float32", GRADIENT, 1.5),
)  # fmt: skip


def _small() -> Iterator[Target]:
    """Yield the targets of the sizes that people train with."""
    for way, peer in PLACES:
        for most, sizes in BY_SIZE:
            asked = most if way in TORCH else COMPILED
            for size in sizes:
                for loss in ("cross_entropy",) if "x" in size else ELEMENTWISE:
                    if _has(way, loss):
                        yield Target(f"{loss}/{size}/float32", way, peer, asked)
        for loss, option in OPTIONS:
            if _has(way, loss, option):
                yield Target(f"{loss}/*/float32/{option}", way, peer, 1.2, or_plain=True)
    for way, peer in PLACES[len(TORCH) :]:
        for size in ("8192x98", "2048x1000"):
            yield Target(f"cross_entropy/{size}/float32", way, peer, COMPILED)
    for way in TORCH:
        yield Target("digits/*/float32/training", way, pytorch.EAGER, 1.1)
    for host, (option, *_) in boosters.HOSTS.items():
        yield Target(f"*/10^6/float32/{option}/boosting", boosters.door(host), host, 1.1)
    yield Target("huber/10/float32/value", ours.AUTO, CLOCK, 10e-6)
    yield Target("cross_entropy/128x10/float32", ours.AUTO, CLOCK, 25e-6)


def _has(way: str, loss: str, option: str = "") -> bool:
    """Whether a door has a loss with an option.

    tf.nn has neither of the regressions, and no label to leave out; Keras' weights are of samples.
    """
    if way == tensorflow.DOOR:
        return loss in {"cross_entropy", "binary_cross_entropy"} and option != "ignored"
    return way != keras.DOOR or not option or loss == "cross_entropy"


def _targets() -> tuple[Target, ...]:
    large = [Target(work, way, against, most) for work, against, most in LARGE for way in TORCH]
    gpu = [
        *(Target(f"{loss}/10^8/*/cuda", ours.FUSED_TORCH, LIMIT, 1 / 0.90)
          for loss in ("huber", "squared_error", "binary_cross_entropy", "focal", "poisson")),
        *(Target(f"cross_entropy/8192x{size}/bfloat16/cuda", ours.FUSED_TORCH, LIMIT, 1 / 0.85)
          for size in (32000, 128256)),
    ]  # fmt: skip
    start = [Target(work, "Lossary", START, most) for work, most in STARTING.items()]
    return (*_small(), *large, *start, *gpu)


TARGETS = _targets()


@dataclass(frozen=True)
class Verdict:
    """A target on a case: the ratio that was measured, and whether it is met.

    ``met`` is None where it could not be judged, and ``reason`` says why.
    """

    target: Target
    case: str
    ratio: float | None
    met: bool | None
    reason: str = ""

    @property
    def found(self) -> str:
        """The ratio as the target asks for it."""
        return self.target.spell(self.ratio) if self.ratio else "–"

    @property
    def word(self) -> str:
        """Return met, missed or not judged."""
        return {True: "met", False: "missed", None: "not judged"}[self.met]

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers and words."""
        data = dataclasses.asdict(self.target)
        found = {"case": self.case, "ratio": self.ratio, "met": self.met, "reason": self.reason}
        return {**data, "asked": self.target.asked, **found}


def judge(results: Results, targets: tuple[Target, ...] = TARGETS) -> tuple[Verdict, ...]:
    """Return the verdict of each target on each case that was measured, in the order of targets."""
    return tuple(verdict for target in targets for verdict in _verdicts(target, results))


def _verdicts(target: Target, results: Results) -> Iterator[Verdict]:
    if target.against == START:
        if (found := results.start.get(target.work)) is not None:
            yield Verdict(target, target.work, found, found <= target.most)
        return
    for outcome in results.outcomes:
        if fnmatch.fnmatchcase(outcome.case.name, target.work):
            yield _verdict(target, outcome, results)


def _verdict(target: Target, outcome: Outcome, results: Results) -> Verdict:
    name = outcome.case.name
    mine = outcome.row(target.ours)
    if mine is None:
        return Verdict(target, name, None, None, _why(target.ours, outcome))
    ratio = _ratio(target, outcome, results)
    if ratio is None:
        return Verdict(target, name, None, None, _why(target.against, outcome))
    if mine.disagrees:
        return Verdict(target, name, ratio, False, mine.disagrees)
    return Verdict(target, name, ratio, ratio <= target.most)


def _ratio(target: Target, outcome: Outcome, results: Results) -> float | None:
    mine = outcome.row(target.ours)
    assert mine is not None  # noqa: S101  (the caller has seen it)
    if target.against == GRADIENT:
        return None if mine.memory is None else mine.memory / outcome.case.gradient_bytes
    if target.against == LIMIT:
        return mine.seconds / outcome.limit_seconds if outcome.limit_seconds else None
    if target.against == CLOCK:
        return mine.seconds
    rivals = [outcome.row(target.against)]
    if target.or_plain and (plain := results.outcome(outcome.case.plain)):
        rivals.append(plain.row(target.ours))
    return min((mine.seconds / one.seconds for one in rivals if one), default=None)


def _why(contestant: str, outcome: Outcome) -> str:
    found = [one.reason for one in outcome.absent if one.contestant == contestant]
    return f"{contestant}: {found[0]}" if found else f"{contestant} was not measured"
