"""Each way through Lossary beside the peer in whose place it stands, case by case.

A reader wants to know what changes where he puts one in the place of the other: so it is like that
the two are compared, and not the fastest of all with the slowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lossary.bench.contestants import boosters, keras, optax, ours, plain, pytorch, tensorflow, xla
from lossary.bench.results import Measured, Outcome, Results


@dataclass(frozen=True)
class Pair:
    """Two contestants, and the framework whose user chooses between them."""

    framework: str
    ours: str
    peer: str


PAIRS = (
    Pair("PyTorch", ours.AUTO_TORCH, pytorch.EAGER),
    Pair("PyTorch", ours.DOOR, pytorch.EAGER),
    Pair("JAX", ours.AUTO_JAX, xla.JIT),
    Pair("JAX", optax.DOOR, optax.PEER),
    Pair("Keras", keras.DOOR, keras.PEER),
    Pair("TensorFlow", tensorflow.DOOR, tensorflow.PEER),
    Pair("NumPy", ours.AUTO, plain.SCIPY),
    *(Pair("Boosters", boosters.door(host), host) for host in boosters.HOSTS),
)


@dataclass(frozen=True)
class Ratio:
    """Our time over the peer's on one case."""

    pair: Pair
    outcome: Outcome
    mine: Measured
    other: Measured

    @property
    def times(self) -> float:
        """Below 1 we are faster."""
        return self.mine.seconds / self.other.seconds

    @property
    def lost(self) -> bool:
        """Whether the peer is faster."""
        return self.times > 1

    @property
    def word(self) -> str:
        """The ratio in two digits.

        >>> [spell_ratio(x) for x in (0.123, 1.0, 14.6)]
        ['0.12×', '1.0×', '15×']
        """
        return spell_ratio(self.times)


def spell_ratio(times: float) -> str:
    """Return a ratio in two digits."""
    digits = 0 if times >= 9.95 else 1 if times >= 0.995 else 2
    return f"{times:.{digits}f}×"


def ratios(results: Results, pairs: Sequence[Pair] = PAIRS) -> tuple[Ratio, ...]:
    """Return the ratios of all cases; who disagrees with the majority is compared with nobody."""
    found = []
    for outcome in results.outcomes:
        rows = {row.contestant: row for row in outcome.rows if not row.disagrees}
        found += [
            Ratio(pair, outcome, rows[pair.ours], rows[pair.peer])
            for pair in pairs
            if pair.ours in rows and pair.peer in rows
        ]
    return tuple(found)


def lost(found: Iterable[Ratio]) -> list[Ratio]:
    """Return those that the peer wins, the worst first."""
    return sorted((one for one in found if one.lost), key=lambda one: -one.times)
