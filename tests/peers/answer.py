"""What was answered to a call, how near that is to the exact numbers, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.accuracy.oracle import Kink

from .difference import shown

DIGITS = {"float32": 7, "float64": 16}
ENDLESS = 1e30  # a one-sided difference quotient that grows beyond this has no limit
NEAR = 64  # units of the last place in which an answer counts as right: the digits that are shown
GENEROUS = {"float32": NEAR * 2.0**-24, "float64": NEAR * 2.0**-53}


@dataclass(frozen=True)
class Answer:
    """A value and a gradient, or the exception in their place."""

    value: Any
    gradient: Any = ()

    @property
    def shown(self) -> str:
        """Both in six digits."""
        if isinstance(self.value, BaseException):
            return shown(self.value)
        words = [_entry(x) for x in np.ravel(self.gradient).tolist()]
        return f"{shown(float(self.value))}; {', '.join(words)}"

    def errors(self, exact: Answer, dtype: str) -> tuple[float, float]:
        """Distances of value and gradient from the exact ones, in parts of their size."""
        if isinstance(self.value, BaseException):
            return np.inf, np.inf
        return (
            _distance([self.value], [exact.value], dtype),
            _distance(self.gradient, exact.gradient, dtype),
        )


def _ends(x: Kink) -> tuple[float, float]:
    """Return the lower and the upper derivative; those of a difference quotient without limit."""
    low, high = sorted((float(x.below), float(x.above)))
    return -np.inf if low < -ENDLESS else low, np.inf if high > ENDLESS else high


def _entry(x: Any) -> str:
    if isinstance(x, Kink):
        low, high = _ends(x)
        return f"{low:.6g} to {high:.6g}"
    return "no limit" if x is None else shown(float(x))


def _distance(found: Any, true: Any, dtype: str) -> float:
    """Return the largest difference over the largest size; anything between the ends of a kink."""
    rounded = np.dtype(dtype).type
    worst = size = 0.0
    for a, t in zip(np.ravel(found).tolist(), np.ravel(np.array(true, object)), strict=True):
        if isinstance(t, Kink):
            low, high = _ends(t)
            miss = max(low - a, a - high, 0.0) if np.isfinite(a) else np.inf
            size = max([size, *(abs(x) for x in (low, high) if np.isfinite(x))])
        elif t is None:
            continue
        else:
            nearest = float(rounded(float(t)))
            miss = 0.0 if a == nearest else abs(float(a - t)) if np.isfinite(a) else np.inf
            size = max(size, abs(float(t))) if np.isfinite(float(t)) else size
        worst = max(worst, miss)
    return worst / size if size else (0.0 if worst == 0 else np.inf)


def digits(error: float, dtype: str) -> int:
    """Return how many digits are right.

    >>> digits(3e-7, "float32"), digits(0.0, "float64")
    (6, 16)
    """
    if not error:
        return DIGITS[dtype]
    return int(np.clip(np.floor(-np.log10(error)), 0, DIGITS[dtype])) if error < np.inf else 0


def right(answer: Answer, exact: Answer, dtype: str) -> bool:
    """Whether an answer is the exact one, but for its last digits."""
    return max(answer.errors(exact, dtype)) <= GENEROUS[dtype]
