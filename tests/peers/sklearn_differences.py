"""Print where the doors of ``lossary.sklearn`` are right and scikit-learn is not, with the numbers.

    python -m tests.peers.sklearn_differences

The exact column is computed with fractions, or with 50 digits where a logarithm is in the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

import lossary.sklearn as doors
from lossary.sklearn.contract import PEERS

from .difference import Difference, Kept, show, shown

PEER = "scikit-learn"

KEPT = (
    Kept(
        "log_loss",
        "_clipped",
        "probabilities lie between eps and 1 - eps of their dtype: at most 36.04 in float64, 15.94 "
        "in float32",
    ),
    Kept("mean_absolute_percentage_error", "TARGET_FLOOR", "no target smaller than 2.2e-16"),
    Kept("d2_pinball_score", "_score", "1 for perfect and 0 for other predictions of a constant"),
)


def _mean(values: list[Any]) -> Any:
    return sum(values) / len(values)


def _exact_log_error(true: list[float], predicted: list[float]) -> Any:
    with mpmath.workdps(50):
        return _mean(
            [(mpmath.log1p(x) - mpmath.log1p(y)) ** 2 for x, y in zip(predicted, true, strict=True)]
        )


def _calls() -> Iterator[tuple[str, str, Any, str]]:
    """Yield the metric, its arguments, the exact result, and the reason."""
    yield (
        "hinge_loss",
        "[1, 1], [2.0, 2.0], labels=[0, 1]",
        Fraction(0),
        "scikit-learn takes the only label that occurs for the negative class, against labels=",
    )
    narrow = "scikit-learn squares in the dtype of the arrays, where the square overflows"
    yield (
        "mean_squared_error",
        "float16([300, 0, 0, 0]), float16([0, 0, 0, 0])",
        _mean([Fraction(300) ** 2, 0, 0, 0]),
        narrow,
    )
    yield (
        "mean_squared_error",
        "float32([1e20, 0]), float32([0, 0])",
        _mean([Fraction(float(np.float32(1e20))) ** 2, 0]),
        narrow,
    )
    yield (
        "mean_absolute_error",
        "float16([60000]), float16([-60000])",
        Fraction(120000),
        "the difference overflows in float16",
    )
    yield (
        "mean_absolute_percentage_error",
        "float16([0, 1]), float16([1, 1])",
        _mean([1 / Fraction(float(np.finfo(np.float64).eps)), 0]),
        "scikit-learn's least target, 2.2e-16, is 0 in float16, and divides by it",
    )
    yield (
        "mean_squared_log_error",
        "[1e15, 1e15], [1e15 + 1, 1e15 + 2]",
        _exact_log_error([1e15, 1e15], [1e15 + 1, 1e15 + 2]),
        "the difference of two logarithms cancels",
    )


def rows() -> Iterator[Difference]:
    """Yield each call with both answers and the exact one."""
    names = {
        kind.__name__: lambda numbers, kind=kind: np.array(numbers, kind)
        for kind in (np.float16, np.float32)
    }
    for name, arguments, exact, why in _calls():
        with np.errstate(all="ignore"):
            own, peer = (
                shown(eval(f"metric({arguments})", {**names, "metric": metric}))
                for metric in (getattr(doors, name), PEERS[name])
            )
        yield Difference(f"{name}({arguments})", own, peer, shown(float(exact)), why)


if __name__ == "__main__":
    show(PEER, rows(), KEPT)
