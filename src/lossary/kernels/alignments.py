"""Connectionist temporal classification on a CPU, a sequence at a time.

Place 2j of a lattice is the blank after j labels, place 2j - 1 the j-th label. A path stays, takes
one place, or two from a label to another one. ``reached`` is the probability of the beginnings of
paths that end at a place, ``open`` that of their ends; both are sums and products of probabilities
(``scaled``), and so are exact to a few units in the last place for each frame.
"""

from __future__ import annotations

from math import inf, log1p, nan
from typing import Any

import numpy as np
from numba import njit

from lossary.kernels.scaled import (
    LEAST,
    LN2,
    log_of,
    mantissa_of,
    power_of,
    power_of_two,
    scaled_exp,
    surprise_of_rest,
)
from lossary.kernels.sums import lane_sum
from lossary.kernels.vector_math import FUNCTIONS
from lossary.kernels.vector_math.machine import select

add: Any = FUNCTIONS["add"]
exp: Any = FUNCTIONS["exp"]
Array = np.ndarray


@njit(nogil=True, error_model="numpy", cache=True)
def ctc(
    first: int,
    last: int,
    logits: Array,
    classes: int,
    stored: int,
    far: int,
    near: int,
    labels: Array,
    frames: Array,
    counts: Array,
    blank: int,
    normalized: bool,
    wanted: bool,
    values: Array,
    slopes: Array,
) -> None:
    """Fill values, and slopes if ``wanted``, of the sequences from ``first`` up to ``last``.

    ``logits`` and ``slopes`` are flat, with so many ``classes`` and ``stored`` frames: ``far`` is
    the way from a sequence to the next, ``near`` that from a frame to the next. ``normalized``
    logits are log-probabilities as they are, whose slopes are those of PyTorch's operator. Where a
    frame is no distribution, the value is NaN, and so are the slopes.
    """
    longest = most = 0
    for b in range(first, last):
        longest, most = max(longest, frames[b]), max(most, counts[b])
    places = 2 * most + 1
    mass = np.empty((longest, classes))
    shift, spread = np.empty(longest), np.empty(longest + 1)
    reached, powers = np.empty((longest + 1, places + 2)), np.empty((longest + 1, places + 2))
    weight = np.empty((8, places + 2))
    held = np.empty(classes)
    for b in range(first, last):
        end, count, own, row = frames[b], counts[b], labels[b], logits[far * b :]
        good = _masses(row, near, end, normalized, mass, shift, spread)
        if good:
            _reach(row, near, own, end, count, blank, shift, reached, powers, weight)
            m, p = _ended(reached, powers, end, count)
            values[b] = spread[end] - log_of(m, p)
            if values[b] < 0.7 and not normalized:
                rest = _missed(own, end, count, blank, mass, spread, reached, powers)
                values[b] = surprise_of_rest(rest) if rest < 0.5 else values[b]
        else:
            values[b] = nan
        if wanted:
            slope = slopes[far * b :]
            written = end if values[b] < inf else 0
            if written:
                _slopes(
                    row, near, own, end, count, blank, mass, shift, reached, powers, weight,
                    held, normalized, slope,
                )  # fmt: skip
            for t in range(written, stored):
                slope[near * t : near * t + classes] = 0.0 if good else nan


@njit(nogil=True, error_model="numpy", cache=True)
def _masses(
    logits: Array,
    near: int,
    end: int,
    normalized: bool,
    mass: Array,
    shift: Array,
    spread: Array,
) -> bool:
    """Fill the probability of each class; return whether each frame has one.

    ``shift`` gets the largest logit of each frame, and ``spread`` how far log-sum-exp of all frames
    before one lies above theirs. That is kept apart: in a product of a thousand probabilities near
    1 each rounding would be seen.
    """
    classes = mass.shape[1]
    sum_ = lost = 0.0
    spread[0] = 0.0
    for t in range(end):
        peak, first = -inf, 0
        for k in range(classes):
            x = float(logits[near * t + k])
            mass[t, k] = x
            peak = max(peak, x)
        low = 0.0
        for k in range(classes):
            low = lane_sum(low, mass[t, k] * 0.0 if mass[t, k] != -inf else 0.0)
        if low != 0.0 or (peak == -inf and not normalized):  # NaN, or infinity
            return False
        shift[t] = 0.0 if normalized else peak
        for k in range(classes):
            mass[t, k] = exp(mass[t, k] - shift[t])
        if not normalized:
            while mass[t, first] != 1.0:
                first += 1
            mass[t, first] = 0.0
            others = 0.0
            for k in range(classes):
                others = lane_sum(others, mass[t, k])
            mass[t, first] = 1.0
            for k in range(classes):
                mass[t, k] /= 1.0 + others
            sum_, lost = add(sum_, lost, log1p(others))
        spread[t + 1] = sum_ + lost
    return True


@njit(nogil=True, error_model="numpy", cache=True)
def _emitted(
    logits: Array,
    near: int,
    own: Array,
    t: int,
    count: int,
    blank: int,
    shift: Array,
    weight: Array,
) -> None:
    """Fill rows 0 and 1 with e^(logit - peak) of each place's class, and its power."""
    m, p = scaled_exp(float(logits[near * t + blank]) - shift[t])
    for s in range(0, 2 * count + 1, 2):
        weight[0, s], weight[1, s] = m, p
    for j in range(count):
        m, p = scaled_exp(float(logits[near * t + own[j]]) - shift[t])
        weight[0, 2 * j + 1], weight[1, 2 * j + 1] = m, p


@njit(nogil=True, error_model="numpy", cache=True)
def _reach(
    logits: Array,
    near: int,
    own: Array,
    end: int,
    count: int,
    blank: int,
    shift: Array,
    reached: Array,
    powers: Array,
    weight: Array,
) -> None:
    """Fill what is reached after each frame; row 0 is before the first, in two spare places."""
    places = 2 * count + 1
    reached[0, :] = 0.0
    powers[0, :] = -inf
    if end == 0:
        return
    # Before the first frame stands a blank, from which both first places are one or no step away.
    reached[0, 2], powers[0, 2] = 1.0, 0.0
    for s in range(places):
        skips = s % 2 == 1 and s > 1 and own[s // 2] != own[s // 2 - 1]
        weight[2, s] = 1.0 if skips else 0.0
    for t in range(end):
        _emitted(logits, near, own, t, count, blank, shift, weight)
        old, high = reached[t], powers[t]
        new, highs = reached[t + 1], powers[t + 1]
        emitted, steps, skip = weight[0], weight[1], weight[2]
        new[0] = new[1] = 0.0
        highs[0] = highs[1] = -inf
        for s in range(places):
            two = select(skip[s] > 0.0, high[s], -inf)
            top = max(high[s + 2], high[s + 1], two, LEAST)
            x = old[s + 2] * power_of_two(high[s + 2] - top)
            x += old[s + 1] * power_of_two(high[s + 1] - top)
            x += old[s] * power_of_two(two - top)
            x *= emitted[s]
            new[s + 2] = mantissa_of(x)
            highs[s + 2] = power_of(x) + (top + steps[s])


@njit(nogil=True, error_model="numpy", cache=True)
def _ended(
    reached: Array,
    powers: Array,
    end: int,
    count: int,
) -> tuple[float, float]:
    """Return the probability of all paths, and its power."""
    if end == 0:
        return (1.0, 0.0) if count == 0 else (0.0, -inf)
    s = 2 * count + 2
    top = max(powers[end, s], powers[end, s - 1], LEAST)
    x = reached[end, s] * power_of_two(powers[end, s] - top)
    x += reached[end, s - 1] * power_of_two(powers[end, s - 1] - top)
    return mantissa_of(x), power_of(x) + top


@njit(nogil=True, error_model="numpy", cache=True)
def _once(mantissa: float, power: float, spread: float) -> float:
    """Return a probability as one number; a negative power is exact, and so is not rounded."""
    return mantissa * power_of_two(min(power, 0.0)) * exp(max(power, 0.0) * LN2 - spread)


@njit(nogil=True, error_model="numpy", cache=True)
def _missed(
    own: Array,
    end: int,
    count: int,
    blank: int,
    mass: Array,
    spread: Array,
    reached: Array,
    powers: Array,
) -> float:
    """Return the probability of all other label sequences, for a sequence that is likely.

    1 minus that of the paths would keep no digit of it where it is small. Here it is summed up:
    what leaves the lattice at each frame, and what ends too early.
    """
    rest = 0.0
    for t in range(end):
        for s in range(2 * count + 1):
            here = _once(reached[t, s + 2], powers[t, s + 2], spread[t])
            if here <= rest * 2.0**-60:
                continue
            left = 0.0
            now = own[s // 2] if s % 2 else blank
            after = own[(s + 1) // 2] if (s + 1) // 2 < count else blank
            for k in range(mass.shape[1]):
                if k != blank and k != now and k != after:  # noqa: PLR1714  (a set would be built)
                    left += mass[t, k]
            rest += here * left
    for s in range(2 * count - 1):
        rest += _once(reached[end, s + 2], powers[end, s + 2], spread[end])
    return rest


@njit(nogil=True, error_model="numpy", cache=True)
def _slopes(
    logits: Array,
    near: int,
    own: Array,
    end: int,
    count: int,
    blank: int,
    mass: Array,
    shift: Array,
    reached: Array,
    powers: Array,
    weight: Array,
    held: Array,
    normalized: bool,
    slopes: Array,
) -> None:
    """Fill the probability of each class less the share of the paths that take it.

    That is the slope in the logits: the slope of a path's probability in its log-probabilities is
    the share of the path, and what log-softmax sends back of minus the shares is this difference.
    """
    places = 2 * count + 1
    open_, high, ahead, highs, share = weight[3], weight[4], weight[5], weight[6], weight[7]
    open_[:] = 0.0
    high[:] = -inf
    open_[places - 1], high[places - 1] = 1.0, 0.0
    if count:
        open_[places - 2], high[places - 2] = 1.0, 0.0
    emitted, steps, skip = weight[0], weight[1], weight[2]
    for t in range(end - 1, -1, -1):
        total, top = 0.0, LEAST
        for s in range(places):
            top = max(top, powers[t + 1, s + 2] + high[s])
        for s in range(places):
            both = powers[t + 1, s + 2] + high[s]
            share[s] = reached[t + 1, s + 2] * open_[s] * power_of_two(both - top)
            total = lane_sum(total, share[s])
        held[:] = 0.0
        for s in range(places):
            held[own[s // 2] if s % 2 else blank] += share[s] / total
        _difference(mass[t], held, normalized, slopes[near * t :])
        if t == 0:
            break
        _emitted(logits, near, own, t, count, blank, shift, weight)
        for s in range(places):
            x = open_[s] * emitted[s]
            ahead[s], highs[s] = mantissa_of(x), power_of(x) + max(high[s] + steps[s], LEAST)
        for s in range(places, places + 2):
            ahead[s], highs[s] = 0.0, -inf
            skip[s] = 0.0
        for s in range(places):
            two = select(skip[s + 2] > 0.0, highs[s + 2], -inf) if s + 2 < places else -inf
            top = max(highs[s], highs[s + 1], two, LEAST)
            x = ahead[s] * power_of_two(highs[s] - top)
            x += ahead[s + 1] * power_of_two(highs[s + 1] - top)
            if two > -inf:
                x += ahead[s + 2] * power_of_two(two - top)
            open_[s], high[s] = mantissa_of(x), power_of(x) + top


@njit(nogil=True, error_model="numpy", cache=True)
def _difference(
    mass: Array,
    held: Array,
    normalized: bool,
    slope: Array,
) -> None:
    """Fill mass minus held; of what is nearly all of both, the rests are subtracted instead."""
    classes = len(held)
    for k in range(classes):
        slope[k] = mass[k] - held[k]
    if normalized:
        return
    for k in range(classes):
        if mass[k] > 0.5 and held[k] > 0.5:
            rest = 0.0
            for j in range(classes):
                if j != k:
                    rest += held[j] - mass[j]
            slope[k] = rest
