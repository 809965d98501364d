"""What a study hands back: tables, a paragraph, claims and measurements, its figure as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from lossary.tables import Table, plain

ARTICLES: Mapping[str, str] = {
    "A": "Huawei Cloud blog on loss functions",
    "B": "神经网络损失函数汇总",
    "C": "交叉熵损失函数的原理和应用",
    "D": "交叉熵从原理到代码",
    "E": "损失函数理解汇总",
}
"""The five seed articles by the letter that a claim cites."""


@dataclass(frozen=True)
class Claim:
    """A statement of the seed articles beside the measurement that supports or refutes it.

    ``agrees`` is ``None`` when the statement holds in one regime and fails in another.
    """

    item: str
    articles: str
    says: str
    measured: str
    agrees: bool | None

    @property
    def verdict(self) -> str:
        """``agrees``, ``disagrees`` or ``depends``."""
        return {True: "agrees", False: "disagrees", None: "depends"}[self.agrees]


E = TypeVar("E")
Measured = tuple[str, object]
"""What was measured, in words, and whether it agrees: a truth, or ``None``."""


class Claims(Generic[E]):
    """The claims of a study, each a statement over the function that holds evidence against it."""

    def __init__(self) -> None:
        self._made: list[Callable[[E], Claim]] = []

    def says(
        self, item: str, articles: str, says: str
    ) -> Callable[[Callable[[E], Measured]], Callable[[E], Measured]]:
        """Add a claim: the statement above the function that measures it."""

        def add(measure: Callable[[E], Measured]) -> Callable[[E], Measured]:
            def claim(seen: E) -> Claim:
                measured, agrees = measure(seen)
                return Claim(
                    item, articles, says, measured, None if agrees is None else bool(agrees)
                )

            self._made.append(claim)
            return measure

        return add

    def against(self, seen: E) -> tuple[Claim, ...]:
        """Return all of them beside what was measured, in their order."""
        return tuple(claim(seen) for claim in self._made)


@dataclass(frozen=True)
class Curve:
    """One labelled curve of a panel, with an optional band from ``low`` to ``high``.

    ``line`` leaves the dashes to the figure; ``like`` names the curve whose colour this one shares.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    style: Literal["line", "solid", "dashed", "points", "points and line"] = "line"
    like: str = ""


@dataclass(frozen=True)
class Axis:
    """What an axis measures, in which unit, on which scale; ``whole`` asks for integer ticks."""

    label: str
    scale: Literal["linear", "log", "symlog"] = "linear"
    limits: tuple[float, float] | None = None
    whole: bool = False


@dataclass(frozen=True)
class Mark:
    """A labelled point of a panel."""

    label: str
    x: float
    y: float


@dataclass(frozen=True)
class Level:
    """A labelled horizontal or vertical reference line."""

    label: str
    value: float
    vertical: bool = False


@dataclass(frozen=True)
class Panel:
    """One picture of a figure, as numbers."""

    title: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...] = ()
    levels: tuple[Level, ...] = ()
    legend: Literal["best", "upper center", "none"] = "best"


class Findings(NamedTuple):
    """What a study found; with its name, title, seed and settings it is a report."""

    tables: tuple[Table, ...]
    learned: str
    claims: tuple[Claim, ...]
    series: tuple[Panel, ...]


@dataclass(frozen=True)
class Report:
    """The outcome of a study.

    >>> report = Report("coin", "A coin", 0, {}, (), "Heads came up.", (), ())
    >>> report.to_json()["learned"]
    'Heads came up.'
    """

    study: str
    title: str
    seed: int
    settings: Mapping[str, Any]
    tables: tuple[Table, ...]
    learned: str
    claims: tuple[Claim, ...]
    series: tuple[Panel, ...]
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers; a number that is not finite becomes ``None``."""
        return {
            "schema": 1,
            "study": self.study,
            "title": self.title,
            "seed": self.seed,
            "settings": plain(dict(self.settings)),
            "tables": [table.to_json() for table in self.tables],
            "learned": self.learned,
            "claims": [{**asdict(claim), "verdict": claim.verdict} for claim in self.claims],
            "series": [plain(asdict(panel)) for panel in self.series],
            "seconds": round(self.seconds, 3),
        }
