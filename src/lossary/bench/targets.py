"""How fast Lossary means to be, as data, and which of it a run shows.

The targets are for two cores and float32, and on a GPU for an H200. Each is a ratio of two medians
of one run, or of extra memory to the gradient's size.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossary.bench.contestants import ours, plain, pytorch, xla

if TYPE_CHECKING:
    from lossary.bench.results import Outcome, Results

__all__ = ["TARGETS", "Target", "Verdict", "judge"]

LIMIT = "limit"
GRADIENT = "gradient"


@dataclass(frozen=True)
class Target:
    """``ours`` takes at most ``most`` times what ``against`` takes, on the cases that match.

    ``against`` is a contestant, ``limit`` for the time in which the bytes move, or ``gradient`` for
    extra memory in units of the gradient.

    >>> print(Target("huber/10^7/float32", "Lossary fused", "torch eager", 1 / 8).asked)
    ≥ 8× faster
    """

    work: str
    ours: str
    against: str
    most: float

    @property
    def asked(self) -> str:
        """The demand: how often faster, or at most how often the time or the memory."""
        return f"≥ {1 / self.most:.3g}× faster" if self.most < 1 else f"≤ {self.most:.3g}×"


def _targets() -> tuple[Target, ...]:
    rows: list[tuple[str, str, float]] = [
        *((f"{loss}/10^7/float32", LIMIT, 1.3) for loss in ("huber", "squared_error")),
        ("huber/10^7/float32", pytorch.EAGER, 1 / 8),
        ("huber/10^7/float32", pytorch.COMPILED, 1 / 4),
        ("huber/10^7/float32", xla.JIT, 1 / 10),
        ("binary_cross_entropy/10^7/float32", pytorch.EAGER, 1 / 7),
        ("binary_cross_entropy/10^7/float32", pytorch.COMPILED, 1 / 3),
        ("binary_cross_entropy/10^7/float32", plain.SCIPY, 1 / 25),
        ("focal/10^7/float32", pytorch.EAGER, 1 / 30),
        ("focal/10^7/float32", pytorch.COMPILED, 1 / 3),
        ("focal/10^7/float32", plain.SCIPY, 1 / 15),
        ("cross_entropy/2048x32000/float32", pytorch.EAGER, 1 / 7),
        ("cross_entropy/2048x32000/float32", pytorch.COMPILED, 1 / 3.5),
        ("cross_entropy/2048x32000/float32", xla.JIT, 1 / 2.5),
        ("cross_entropy/2048x32000/float32", LIMIT, 2.0),
        ("cross_entropy/65536x10/float32", pytorch.EAGER, 1 / 3),
        ("cross_entropy/2048x32000/float32", GRADIENT, 1.05),
    ]
    contestants = (ours.FUSED, ours.FUSED_OUT, ours.FUSED_TORCH)
    fused = [
        Target(work, who, against, most) for work, against, most in rows for who in contestants
    ]
    fused = [t for t in fused if (t.against, t.ours) != (GRADIENT, ours.FUSED_OUT)]
    small = [
        Target(f"*/{size}/float32", who, pytorch.EAGER, 1.5)
        for size in ("64", "8x8")
        for who in (ours.AUTO_TORCH, ours.DOOR)
    ]
    gpu = [
        *(Target(f"{loss}/10^8/*/cuda", ours.FUSED_TORCH, LIMIT, 1 / 0.90)
          for loss in ("huber", "squared_error", "binary_cross_entropy", "focal", "poisson")),
        *(Target(f"cross_entropy/8192x{size}/bfloat16/cuda", ours.FUSED_TORCH, LIMIT, 1 / 0.85)
          for size in (32000, 128256)),
    ]  # fmt: skip
    return (*fused, *small, *gpu)


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
        if not self.ratio:
            return "–"
        return f"{1 / self.ratio if self.target.most < 1 else self.ratio:.3g}×"

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
    return tuple(
        _verdict(target, outcome)
        for target in targets
        for outcome in results.outcomes
        if fnmatch.fnmatchcase(outcome.case.name, target.work)
    )


def _verdict(target: Target, outcome: Outcome) -> Verdict:
    name = outcome.case.name
    mine = outcome.row(target.ours)
    if mine is None:
        return Verdict(target, name, None, None, _why(target.ours, outcome))
    ratio = _ratio(target, outcome)
    if ratio is None:
        return Verdict(target, name, None, None, _why(target.against, outcome))
    if mine.disagrees:
        return Verdict(target, name, ratio, False, mine.disagrees)
    return Verdict(target, name, ratio, ratio <= target.most)


def _ratio(target: Target, outcome: Outcome) -> float | None:
    mine = outcome.row(target.ours)
    assert mine is not None  # noqa: S101  (the caller has seen it)
    if target.against == GRADIENT:
        return None if mine.memory is None else mine.memory / outcome.case.gradient_bytes
    if target.against == LIMIT:
        return mine.seconds / outcome.limit_seconds
    other = outcome.row(target.against)
    return mine.seconds / other.seconds if other else None


def _why(contestant: str, outcome: Outcome) -> str:
    found = [one.reason for one in outcome.absent if one.contestant == contestant]
    return f"{contestant}: {found[0]}" if found else f"{contestant} was not measured"
