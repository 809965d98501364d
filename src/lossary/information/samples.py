"""From data to distributions: outcomes are counted, nothing is smoothed.

A measure of such a distribution is the plug-in estimate of the measure of its source. The plug-in
entropy is too small on average, by about (outcomes - 1) / (2 samples) nats (Miller 1955).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.errors import DomainError, ShapeError
from lossary.information.units import Array
from lossary.kinds import plain as plain_array


@dataclass(frozen=True, eq=False)
class Distribution:
    """Outcomes of a sample and their counts; every measure accepts it in place of probabilities."""

    outcomes: Sequence[Array]
    """The sorted outcomes of each variable, one array per axis of ``counts``."""
    counts: Array

    @property
    def probabilities(self) -> Array:
        """Relative frequencies; they sum to 1."""
        return self.counts / self.counts.sum()

    def __str__(self) -> str:
        if len(self.outcomes) > 1:
            shape = " by ".join(str(len(o)) for o in self.outcomes)
            return f"{shape} outcomes, {self.counts.sum()} samples"
        rows = zip(self.outcomes[0].tolist(), self.counts.tolist(), strict=True)
        return ", ".join(f"{outcome}: {count}" for outcome, count in rows)


@np.errstate(all="ignore")
def distribution_of(samples: Any, *, outcomes: Any = None) -> Distribution:
    """Count the outcomes in a sample.

    Arguments
        samples   numbers, strings or booleans, any shape, at least one; the observations
        outcomes  sequence of different values, or None; every possible outcome, so that two samples
                  share one list and an outcome that did not occur counts 0. None: those that occur

    Returns
        Distribution over the sorted outcomes

    Raises
        DomainError  no sample, NaN among the samples, or a sample that is not in outcomes

    Example
        >>> letters = distribution_of(list("abracadabra"))
        >>> print(letters)
        a: 5, b: 2, c: 1, d: 1, r: 2
        >>> from lossary.information import entropy
        >>> round(entropy(letters), 4)
        2.0404
    """
    codes, known = _codes("distribution_of", "samples", samples, outcomes)
    return Distribution((known,), np.bincount(codes, minlength=len(known)))


@np.errstate(all="ignore")
def joint_distribution_of(first: Any, second: Any) -> Distribution:
    """Count the pairs of outcomes in two columns of the same length.

    Arguments
        first   numbers, strings or booleans, shape (n,), n at least 1; one variable
        second  the same, shape (n,); the other variable

    Returns
        Distribution; ``counts[i, j]`` is how often the i-th outcome of first met the j-th of second

    Raises
        DomainError  no sample, or NaN among the samples
        ShapeError   two lengths

    Example
        >>> joint_distribution_of(["sun", "sun", "rain"], ["dry", "dry", "wet"]).counts
        array([[0, 1],
               [2, 0]])
    """
    rows, first_known = _codes("joint_distribution_of", "first", first, None)
    columns, second_known = _codes("joint_distribution_of", "second", second, None)
    if len(rows) != len(columns):
        raise ShapeError(
            f"joint_distribution_of: second must be as long as first, {len(rows)}, got "
            f"{len(columns)}; pass the two values of each observation at the same place"
        )
    shape = len(first_known), len(second_known)
    counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return Distribution((first_known, second_known), counts.reshape(shape))


def plain(value: Any) -> Any:
    """The probabilities of a Distribution; anything else as it is."""
    return value.probabilities if isinstance(value, Distribution) else value


def aligned(first: Any, second: Any) -> tuple[Any, Any]:
    """Probabilities of two arguments; two Distributions are laid over the outcomes of both."""
    if not (isinstance(first, Distribution) and isinstance(second, Distribution)):
        return plain(first), plain(second)
    if len(first.outcomes) != len(second.outcomes):
        return first.probabilities, second.probabilities  # the shapes differ and will be refused
    pairs = zip(first.outcomes, second.outcomes, strict=True)
    union = [np.union1d(mine, other) for mine, other in pairs]
    return _spread(first, union), _spread(second, union)


def _spread(distribution: Distribution, union: list[Array]) -> Array:
    counts = np.zeros([len(outcomes) for outcomes in union])
    places = zip(union, distribution.outcomes, strict=True)
    counts[np.ix_(*(np.searchsorted(all_, mine) for all_, mine in places))] = distribution.counts
    return counts / counts.sum()


def _codes(function: str, argument: str, samples: Any, outcomes: Any) -> tuple[Array, Array]:
    values = plain_array(f"{function}: {argument}", samples).ravel()
    if not len(values):
        raise DomainError(
            f"{function}: {argument} must hold at least one sample, got none; an empty sample has "
            "no distribution"
        )
    if values.dtype.kind == "f" and np.isnan(values).any():
        place = int(np.argmax(np.isnan(values)))
        raise DomainError(
            f"{function}: {argument} must be comparable outcomes, got nan at index {place}; drop "
            "missing values, or give them an outcome of their own"
        )
    known, codes = np.unique(values, return_inverse=True)
    if outcomes is None:
        return codes, known
    listed = np.unique(plain_array(f"{function}: outcomes", outcomes))
    strange = ~np.isin(known, listed)
    if strange.any():
        value = known[strange].tolist()[0]
        place = int(np.argmax(values == value))
        raise DomainError(
            f"{function}: {argument} must be among the {len(listed)} given outcomes, got "
            f"{value!r} at index {place}; add it to outcomes"
        )
    return np.searchsorted(listed, known)[codes], listed
