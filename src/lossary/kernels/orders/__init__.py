"""Sums along an order, for the texts of array libraries, each of which has its words in a table.

A row is sorted by its key, from the largest on; ties keep the order of the row. Then sums double
their reach: of one member, of two, of four. So a sum of n terms has the rounding errors of log2(n)
additions, and no library has to go through a row one by one. With exponentials each partial sum
carries its own peak, so that nothing overflows and no part is lost beside a far larger one that
another member does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

State = tuple[Any, ...]
Combine = Callable[[State, State], State]


class Order(NamedTuple):
    """A sorted row: keys, which member is at each place, where each member is, its neighbours.

    ``like`` has the dtype of the data, for sums of plain numbers. ``before`` counts all those of a
    member's group, which is the row where there are no groups.
    """

    keys: Any
    members: Any
    places: Any
    before: Any
    ties_before: Any
    ties_after: Any
    like: Any


@dataclass(frozen=True)
class Ordered:
    """The sums along an order, in the words of one library."""

    sorted: Callable[[Any], Any]
    """The places of a row in ascending order, ties as they stand."""
    take: Callable[[Any, Any], Any]
    roll: Callable[[Any, int], Any]
    count: Callable[[Any], Any]
    """0, 1, 2, ... along the last axis, in whole numbers."""
    where: Callable[[Any, Any, Any], Any]
    maximum: Callable[[Any, Any], Any]
    exp: Callable[[Any], Any]
    like: Callable[[Any, Any], Any]
    """The first array, or number, in the shape of the second."""
    doubling: Callable[[Any, Callable[[Any, State], State], State], State]
    """Do the step with 1, 2, 4, ... as far as any member may reach."""
    real: Callable[[Any, Any], Any]
    """The first array, or number, in the shape and dtype of the second."""

    def by(self, key: Any, like: Any) -> Order:
        """Sort rows in the shape of an array by a key, the largest first."""
        key = self.like(key, like)
        members = self.sorted(-key)
        along = self.take(key, members)
        index = self.like(self.count(key), key)
        alike = tuple(along == self.roll(along, way) for way in (1, -1))
        behind, ahead = self._neighbours(index, *alike)
        return Order(along, members, self.sorted(members), index, behind, ahead, like)

    def within(self, key: Any, group: Any, like: Any) -> Order:
        """Sort rows by a key, each group by itself: nobody of another stands before a member."""
        key, group = self.like(key, like), self.like(group, like)
        members = self.sorted(-key)
        members = self.take(members, self.sorted(self.take(group, members)))
        along, groups = self.take(key, members), self.take(group, members)
        index = self.like(self.count(key), key)
        together = tuple(groups == self.roll(groups, way) for way in (1, -1))
        alike = (along == self.roll(along, way) for way in (1, -1))
        before, _ = self._neighbours(index, *together)
        behind, ahead = self._neighbours(
            index, *(x & y for x, y in zip(alike, together, strict=True))
        )
        return Order(along, members, self.sorted(members), before, behind, ahead, like)

    # Sums over the others that belong to each member.

    def others_from(self, x: Any, order: Order) -> Any:
        """Sum over the other members whose key is at least as large."""
        return self._sum(x, order, order.before, order.ties_after)

    def beyond(self, x: Any, order: Order) -> Any:
        """Sum over the members whose key is larger."""
        (found,) = self._beyond(_add, (self._along(x, order),), order, (0.0,))
        return self.take(found, order.places)

    def other_ties(self, x: Any, order: Order) -> Any:
        """Sum over the other members with the same key."""
        return self._sum(x, order, order.ties_before, order.ties_after)

    def next_above(self, x: Any, order: Order) -> Any:
        """Sum over the members whose key is larger by 1."""
        (found,) = self._running(_add, (self._along(x, order),), order.ties_before, 1)
        start = order.before - order.ties_before
        first = self.like(self.count(start), start) - order.ties_before
        place = self.where(start > 0, first - 1, first)
        far, key = self.take(found, place), self.take(order.keys, place)
        near = (start > 0) & (key == order.keys + 1)
        return self.take(self.where(near, far, self.real(0.0, far)), order.places)

    def earlier_ties(self, x: Any, order: Order) -> Any:
        """Sum over the members with the same key that stand before in the row."""
        along = (self._along(x, order),)
        (found,) = self._without_own(_add, along, order.ties_before, 1, (0.0,))
        return self.take(found, order.places)

    def peak_from(self, x: Any, order: Order) -> Any:
        """Return the largest of the members whose key is at least as large."""
        along = (self._along(x, order),)
        (here,) = self._running(_larger(self), along, order.before, 1)
        (behind,) = self._without_own(_larger(self), along, order.ties_after, -1, (-inf,))
        return self.take(self.maximum(here, behind), order.places)

    def others_from_exp(self, x: Any, gain: Any, cost: Any, order: Order) -> Any:
        """Sum x exp(gain - own cost) over the other members whose key is at least as large."""
        return self._masses(x, gain, cost, order, order.before, order.ties_after)

    def beyond_exp(self, x: Any, gain: Any, cost: Any, order: Order) -> Any:
        """Sum x exp(gain - own cost) over the members whose key is larger."""
        found = self._beyond(self._joined, self._parts(x, gain, order), order, (-inf, 0.0))
        return self._paid(found, cost, order)

    def other_ties_exp(self, x: Any, gain: Any, cost: Any, order: Order) -> Any:
        """Sum x exp(gain - own cost) over the other members with the same key."""
        return self._masses(x, gain, cost, order, order.ties_before, order.ties_after)

    # How they are computed.

    def _neighbours(self, index: Any, as_before: Any, as_after: Any) -> tuple[Any, Any]:
        """Return how many like a member stand right before it, and how many right after."""
        last = self.like(self.count(index)[-1], index)
        first, end = (index == 0) | ~as_before, (index == last) | ~as_after
        zero = index - index
        (start,) = self._running(_larger(self), (self.where(first, index, zero),), index, 1)
        (turn,) = self._running(
            _larger(self), (self.where(end, last - index, zero),), last - index, -1
        )
        return index - start, last - turn - index

    def _running(self, combine: Combine, parts: State, reach: Any, way: int) -> State:
        """Combine each member with as many before it, or after it, as it may reach."""

        def step(distance: Any, state: State) -> State:
            far = tuple(self.roll(x, way * distance) for x in state)
            return self._chosen(reach >= distance, combine(far, state), state)

        return self.doubling(reach, step, parts)

    def _chosen(self, condition: Any, yes: State, no: State) -> State:
        return tuple(self.where(condition, x, y) for x, y in zip(yes, no, strict=True))

    def _without_own(
        self, combine: Combine, parts: State, reach: Any, way: int, nothing: State
    ) -> State:
        """Combine those that a member may reach, without its own part."""
        found = self._running(combine, parts, reach, way)
        moved = tuple(self.roll(x, way) for x in found)
        empty = tuple(self.real(x, y) for x, y in zip(nothing, moved, strict=True))
        return self._chosen(reach >= 1, moved, empty)

    def _beyond(self, combine: Combine, parts: State, order: Order, nothing: State) -> State:
        """Combine all before the ties of each member."""
        found = self._running(combine, parts, order.before, 1)
        start = order.before - order.ties_before
        first = self.like(self.count(start), start) - order.ties_before
        far = tuple(self.take(x, self.where(start > 0, first - 1, first)) for x in found)
        empty = tuple(self.real(x, y) for x, y in zip(nothing, far, strict=True))
        return self._chosen(start > 0, far, empty)

    def _along(self, x: Any, order: Order) -> Any:
        x = self.real(x, order.like) if isinstance(x, (int, float)) else x
        return self.take(self.like(x, order.members), order.members)

    def _sum(self, x: Any, order: Order, before: Any, after: Any) -> Any:
        along = (self._along(x, order),)
        (ahead,) = self._without_own(_add, along, before, 1, (0.0,))
        (behind,) = self._without_own(_add, along, after, -1, (0.0,))
        return self.take(ahead + behind, order.places)

    def _parts(self, x: Any, gain: Any, order: Order) -> State:
        """Return exponents and factors along the order; what has no factor has no exponent."""
        gain = self._along(gain, order)
        factor = self.real(self._along(x, order), gain)
        counts = (factor != 0) & (gain > -inf)
        nothing = self.real(-inf, gain)
        return self.where(counts, gain, nothing), self.where(counts, factor, factor - factor)

    def _joined(self, one: State, other: State) -> State:
        """Add sums of exponentials, each relative to its own peak."""
        (high, left), (top, right) = one, other
        above = high > top
        gap = self.where(above, top - high, high - top)
        less = self.exp(self.where(high == top, self.real(0.0, gap), gap))
        added = self.where(above, left + right * less, left * less + right)
        return self.maximum(high, top), added

    def _masses(self, x: Any, gain: Any, cost: Any, order: Order, before: Any, after: Any) -> Any:
        parts = self._parts(x, gain, order)
        ahead = self._without_own(self._joined, parts, before, 1, (-inf, 0.0))
        behind = self._without_own(self._joined, parts, after, -1, (-inf, 0.0))
        return self._paid(self._joined(ahead, behind), cost, order)

    def _paid(self, found: State, cost: Any, order: Order) -> Any:
        """Return the sums less each member's own cost; the rounding of exponents is made good."""
        peak, total = (self.take(x, order.places) for x in found)
        cost = self.real(cost, peak)
        some = total != 0
        zero = self.real(0.0, peak)
        peak = self.where(some, peak, zero)
        power = peak - cost
        back = power - peak
        lost = (peak - (power - back)) - (cost + back)
        sound = (power > -1000.0) & (power < 1000.0)
        factor = self.exp(power) * (1.0 + self.where(sound, lost, zero))
        return self.where(some, total * factor, zero)


def _add(one: State, other: State) -> State:
    return tuple(x + y for x, y in zip(one, other, strict=True))


def _larger(words: Ordered) -> Combine:
    return lambda one, other: tuple(words.maximum(x, y) for x, y in zip(one, other, strict=True))


def below(length: int, step: Callable[[Any, State], State], state: State) -> State:
    """Do the step with 1, 2, 4, ... below a length that is known."""
    distance = 1
    while distance < length:
        state = step(distance, state)
        distance *= 2
    return state
