"""Losses of whole lists of rows, with weights for rows that their formulas cannot take.

Each is a rule as those of :mod:`lossary.boosters.rules`, written as operations on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lossary.boosters.margins import LINKS, Link
from lossary.boosters.targets import check_weight, times_of
from lossary.errors import DomainError, ShapeError

Numbers = NDArray[Any]


@dataclass
class Cox:
    """Cox' partial likelihood with Efron's treatment of tied events, per event.

    Labels are times, with a minus sign where the event has not been seen (XGBoost's convention).
    Source: Efron 1977, doi:10.1080/01621459.1977.10480613.
    """

    name: ClassVar[str] = "cox_efron"
    metric: ClassVar[str] = "cox_efron"
    hosts: ClassVar[tuple[str, ...]] = ("xgboost", "lightgbm")
    higher_is_better = False
    in_groups = False
    outputs = None
    link: Link = LINKS["exp"]

    def prepare(self, labels: Any, weight: Any, outputs: int, group: Any = None) -> None:
        """Look at all times; DomainError for 0, for NaN and where nothing has happened."""
        check_weight(weight, len(np.asarray(labels)))
        times_of(self.name, labels)

    def start(self, labels: Any, weight: Any, outputs: int) -> Numbers:
        """Return 0: a common shift changes nothing."""
        return np.zeros(1)

    def inverse(self, margin: Numbers) -> Numbers:
        """Return hazards relative to one another."""
        return self.link.inverse(margin)

    def derivatives(
        self, margin: Numbers, labels: Any, weight: Any, group: Any = None
    ) -> tuple[Numbers, Numbers]:
        """Return gradient and diagonal of the Hessian of minus the log-likelihood."""
        return _Risks(margin, labels, weight).derivatives()

    def value(self, margin: Numbers, labels: Any, weight: Any, group: Any = None) -> float:
        """Return minus the log-likelihood for each unit of weight of the events."""
        return _Risks(margin, labels, weight).value()


class _Risks:
    """Rows in the order of time, with the hazards that each event competed with."""

    def __init__(self, margin: Numbers, labels: Any, weight: Any) -> None:
        y = np.asarray(labels, np.float64).reshape(-1)
        self.order = np.argsort(abs(y), kind="stable")
        time = abs(y)[self.order]
        self.event = (y > 0)[self.order]
        self.margin = np.asarray(margin, np.float64).reshape(-1)[self.order]
        self.weight = np.ones(len(y)) if weight is None else np.asarray(weight, float)[self.order]
        self.shift = self.margin.max()
        self.hazard = self.weight * np.exp(self.margin - self.shift)
        _, first, self.tie = np.unique(time, return_index=True, return_inverse=True)
        later = np.cumsum(self.hazard[::-1])[::-1]
        tied = np.bincount(self.tie, self.hazard * self.event)
        count = np.bincount(self.tie, self.event).astype(int)
        mass = np.bincount(self.tie, self.weight * self.event)
        # One entry for each event: how far its ties have left, 0 for the first of them.
        self.of = np.repeat(np.arange(len(count)), count)
        begun = np.cumsum(count) - count
        self.gone = (np.arange(len(self.of)) - begun[self.of]) / count[self.of]
        self.share = mass[self.of] / count[self.of]
        self.rest = later[first][self.of] - self.gone * tied[self.of]
        self.ties = len(count)

    def value(self) -> float:
        logs = np.log(self.rest) + self.shift
        seen = self.weight * self.event
        return float((self.share @ logs - seen @ self.margin) / seen.sum())

    def derivatives(self) -> tuple[Numbers, Numbers]:
        slope = self._felt(self.share / self.rest, self.gone)
        bend = self._felt(self.share / self.rest**2, self.gone * (2 - self.gone))
        gradient, hessian = np.empty_like(self.margin), np.empty_like(self.margin)
        gradient[self.order] = self.hazard * slope - self.weight * self.event
        hessian[self.order] = self.hazard * slope - self.hazard**2 * bend
        return gradient, np.maximum(hessian, 0.0)

    def _felt(self, each: Numbers, spared: Numbers) -> Numbers:
        """Return for each row the sum over the events it was at risk in, less what ties spare."""
        total = np.cumsum(np.bincount(self.of, each, self.ties))
        saved = np.bincount(self.of, each * spared, self.ties)
        return total[self.tie] - self.event * saved[self.tie]


@dataclass
class LambdaRank:
    """LambdaMART's pairs: a logistic loss of each, weighted by what its exchange does to NDCG.

    Labels are grades of relevance, from 0 on. Source: Burges 2010, MSR-TR-2010-82, sec. 7; the
    gains 2^grade - 1, the discounts, ``truncation`` and ``normalise`` are LightGBM's.
    """

    name: ClassVar[str] = "lambdarank"
    metric: ClassVar[str] = "ndcg"
    hosts: ClassVar[tuple[str, ...]] = ("lightgbm",)
    higher_is_better = True
    in_groups = True
    outputs = None
    link: Link = LINKS["identity"]
    sigmoid: float = 1.0
    truncation: int = 30
    normalise: bool = True

    def prepare(self, labels: Any, weight: Any, outputs: int, group: Any = None) -> None:
        """Look at all labels; ValueError without groups, DomainError for grades that are none."""
        y = np.asarray(labels)
        check_weight(weight, len(y))
        inside = (y >= 0) & (y <= 31) & (y % 1 == 0)
        if not inside.all():
            place = int(np.argmin(inside))
            raise DomainError(
                f"lambdarank: labels must be whole numbers from 0 to 31, got {y[place]!s} at index "
                f"({place},)\nhint: the gain of a grade is 2**grade - 1"
            )
        _ends(group, len(y))

    def start(self, labels: Any, weight: Any, outputs: int) -> Numbers:
        """Return 0: only differences count."""
        return np.zeros(1)

    def inverse(self, margin: Numbers) -> Numbers:
        """Return the scores as they are."""
        return margin

    def derivatives(
        self, margin: Numbers, labels: Any, weight: Any, group: Any
    ) -> tuple[Numbers, Numbers]:
        """Return lambdas and their slopes, for the rows of each group among themselves."""
        y = np.asarray(labels, np.float64)
        gradient, hessian = np.zeros(len(y)), np.zeros(len(y))
        start = 0
        for end in _ends(group, len(y)):
            rows = slice(start, end)
            gradient[rows], hessian[rows] = self._of_list(np.asarray(margin)[rows], y[rows])
            start = end
        if weight is not None:
            gradient, hessian = gradient * weight, hessian * weight
        return gradient, hessian

    def _of_list(self, score: Numbers, grade: Numbers) -> tuple[Numbers, Numbers]:
        order = np.argsort(-score, kind="stable")
        s, y = score[order].astype(np.float64), grade[order]
        gain, discount = 2.0**y - 1, 1 / np.log2(np.arange(len(y)) + 2)
        best = _dcg(np.sort(gain)[::-1], self.truncation)
        found = np.zeros((2, len(y)))
        if best > 0:
            above = min(self.truncation, len(y) - 1)
            i, j = np.nonzero(np.triu(y[:above, None] != y[None, :], 1))
            high, low = np.where(y[i] > y[j], (i, j), (j, i))
            apart = s[high] - s[low]
            change = (gain[high] - gain[low]) * abs(discount[high] - discount[low]) / best
            if self.normalise and s[0] != s[-1]:
                change /= 0.01 + abs(apart)
            chance = 1 / (1 + np.exp(self.sigmoid * apart))
            pull = self.sigmoid * change * chance
            bend = self.sigmoid**2 * change * chance * (1 - chance)
            found[0] = np.bincount(low, pull, len(y)) - np.bincount(high, pull, len(y))
            found[1] = np.bincount(low, bend, len(y)) + np.bincount(high, bend, len(y))
            total = 2 * pull.sum()
            if self.normalise and total > 0:
                found *= np.log2(1 + total) / total
        back = np.empty_like(found)
        back[:, order] = found
        return back[0], back[1]

    def value(self, margin: Numbers, labels: Any, weight: Any, group: Any = None) -> float:
        """Return the mean NDCG of the groups; a group without a relevant row counts as 1."""
        y, start, found = np.asarray(labels, np.float64), 0, []
        for end in _ends(group, len(y)):
            score, gain = np.asarray(margin)[start:end], 2.0 ** y[start:end] - 1
            best = _dcg(np.sort(gain)[::-1], self.truncation)
            ranked = gain[np.argsort(-score, kind="stable")]
            found.append(_dcg(ranked, self.truncation) / best if best > 0 else 1.0)
            start = end
        return float(np.mean(found))


def _dcg(gain: Numbers, depth: int) -> float:
    top = gain[:depth]
    return float(top @ (1 / np.log2(np.arange(len(top)) + 2)))


def _ends(group: Any, rows: int) -> Numbers:
    """Return the end of each group; errors without groups or with others than these rows."""
    if group is None or not len(group):
        raise ValueError(
            "lambdarank: there are no groups, and lists are what it ranks\n"
            "hint: group=[rows of the first list, of the second, ...]"
        )
    ends = np.cumsum(np.asarray(group, np.int64))
    if ends[-1] != rows:
        raise ShapeError(f"lambdarank: groups add up to {ends[-1]} rows, there are {rows}")
    return ends


LISTS: dict[str, type[Cox | LambdaRank]] = {"cox_efron": Cox, "lambdarank": LambdaRank}
"""Losses of lists by name."""
