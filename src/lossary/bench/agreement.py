"""Whether contestants computed the same thing: value and gradient, before anyone is timed.

Nobody is right by definition. Of each outcome a summary is kept; the one that agrees with most
others stands for the majority, and whoever differs from it is reported with both numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from lossary.bench.work import SEQUENCES, WHOLE, Case

SAMPLES = 1 << 16
BLOCKS = 256


@dataclass(frozen=True)
class Tolerance:
    """Relative differences allowed: of the value, of gradients, and of their size in blocks.

    ``least`` is a share of the largest gradient, below which a difference does not count.
    """

    value: float
    gradient: float
    least: float
    blocks: float


# float32 sums of 10^7 terms keep 4 digits in every library; bfloat16 has 8 bits, and a loss that is
# composed of several functions rounds after each.
TOLERANCES = {
    "float64": Tolerance(1e-10, 1e-9, 1e-12, 1e-9),
    "float32": Tolerance(1e-4, 1e-3, 1e-5, 1e-3),
    "bfloat16": Tolerance(2e-2, 5e-2, 2e-2, 3e-2),
}
# Many steps of float32, each of which begins where the last one ended; PyTorch scans so, too.
TRAINED = Tolerance(1e-3, 1e-2, 1e-3, 1e-2)


def tolerance(case: Case) -> Tolerance:
    """Return what is allowed for a case."""
    return TRAINED if case.kind in {*WHOLE, SEQUENCES} else TOLERANCES[case.dtype]


@dataclass(frozen=True)
class Summary:
    """The value, gradients at places spread over the array, and sums of their size in blocks."""

    value: float
    shape: tuple[int, ...]
    places: np.ndarray
    sample: np.ndarray
    blocks: np.ndarray


def summary(value: float, gradient: np.ndarray) -> Summary:
    """Return what is kept of an outcome."""
    flat = np.asarray(gradient).reshape(-1)
    # An odd distance between places visits all columns of a matrix with an even number of them.
    places = np.arange(0, flat.size, max(1, flat.size // SAMPLES) | 1)
    edges = np.linspace(0, flat.size, min(BLOCKS, flat.size) + 1).astype(int)
    blocks = [
        np.abs(flat[low:high]).sum(dtype=np.float64) for low, high in itertools.pairwise(edges)
    ]
    sample = flat[places].astype(np.float64)
    return Summary(float(value), np.shape(gradient), places, sample, np.asarray(blocks))


def difference(mine: Summary, other: Summary, tolerance: Tolerance) -> str:
    """Return how a summary differs from another one, or nothing.

    >>> a, b = summary(1.0, np.array([0.5, 1.0])), summary(1.0, np.array([0.5, -1.0]))
    >>> difference(a, b, TOLERANCES["float32"])
    'gradient 1 at index (1,), others have -1'
    """
    if mine.shape != other.shape:
        return f"gradient of shape {mine.shape}, others have {other.shape}"
    if not _near(mine.value, other.value, tolerance.value):
        return f"value {mine.value:.7g}, others have {other.value:.7g}"
    scale = float(np.max(np.abs(other.sample), initial=0.0))
    allowed = tolerance.gradient * np.abs(other.sample) + tolerance.least * scale
    apart = np.abs(mine.sample - other.sample)
    wrong = ~(apart <= allowed)  # so that NaN is wrong
    if wrong.any():
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart) * wrong))
        place = tuple(map(int, np.unravel_index(mine.places[worst], mine.shape)))
        mine_there, other_there = mine.sample[worst], other.sample[worst]
        return f"gradient {mine_there:.7g} at index {place}, others have {other_there:.7g}"
    if mine.sample.size == prod(mine.shape):
        return ""  # all of it has been compared
    apart = np.abs(mine.blocks - other.blocks)
    wrong = ~(apart <= tolerance.blocks * np.abs(other.blocks))
    if wrong.any():
        part = int(np.argmax(wrong))
        first = part * prod(mine.shape) // len(mine.blocks)
        return (
            f"gradients from element {first} on sum to {mine.blocks[part]:.7g} in size, "
            f"others have {other.blocks[part]:.7g}"
        )
    return ""


def _near(x: float, y: float, tolerance: float) -> bool:
    return math.isfinite(x) and math.isfinite(y) and math.isclose(x, y, rel_tol=tolerance)


def disagreements(outcomes: Mapping[str, Summary], tolerance: Tolerance) -> dict[str, str]:
    """Return who differs from the majority, and how; with two who differ, both are named."""
    names = list(outcomes)
    if len(names) < 2:
        return {}
    friends = {
        name: sum(not difference(outcomes[name], outcomes[other], tolerance) for other in names)
        for name in names
    }
    leader = max(names, key=lambda name: friends[name])  # the first of the largest
    if friends[leader] == 1:
        return {
            name: difference(outcomes[name], outcomes[_another(names, name)], tolerance)
            + "; no two agree"
            for name in names
        }
    found = {name: difference(outcomes[name], outcomes[leader], tolerance) for name in names}
    return {name: words for name, words in found.items() if words}


def _another(names: list[str], name: str) -> str:
    return names[1] if name == names[0] else names[0]
