"""What the losses of sequences mean, by mpmath: all paths one by one, and recursions.

The recursions here add probabilities, not logarithms, and are themselves compared with the sums
over paths in ``engine/test_sequences.py``.
"""

from itertools import pairwise, product

import mpmath
import numpy as np

from lossary.accuracy.ulps import FORMATS, ulps

DIGITS = 60


def numbers(x):
    """An array of floats as one of mpmath's numbers, exactly."""
    return np.vectorize(mpmath.mpf, otypes=[object])(np.asarray(x, np.float64))


def softmax(row):
    peak = max(row)
    masses = [mpmath.exp(x - peak) if x != -mpmath.inf else mpmath.mpf(0) for x in row]
    total = mpmath.fsum(masses)
    return [x / total for x in masses]


def spelled(path, blank):
    """What a path of classes spells: classes that repeat joined, then blanks dropped."""
    joined = [k for t, k in enumerate(path) if t == 0 or path[t - 1] != k]
    return [k for k in joined if k != blank]


def ctc_of_paths(logits, label, blank=0):
    """The loss as the sum over all paths that spell the label, and its slopes."""
    with mpmath.workdps(DIGITS):
        masses = [softmax(row) for row in numbers(logits)]
        classes = len(masses[0])
        total, held = mpmath.mpf(0), [[mpmath.mpf(0)] * classes for _ in masses]
        for path in product(range(classes), repeat=len(masses)):
            if spelled(path, blank) == list(label):
                mass = mpmath.fprod(row[k] for row, k in zip(masses, path, strict=True))
                total += mass
                for t, k in enumerate(path):
                    held[t][k] += mass
        return _finished(masses, held, total)


def ctc(logits, label, blank=0):
    """The same by Graves' recursion over the labels with blanks around them."""
    with mpmath.workdps(DIGITS):
        masses = [softmax(row) for row in numbers(logits)]
        own = [blank]
        for k in label:
            own += [int(k), blank]
        frames, places = len(masses), len(own)
        zero = mpmath.mpf(0)

        def comes(s):
            """The places from which a path comes to place s."""
            skips = s > 1 and own[s] != blank and own[s] != own[s - 2]
            return [s - d for d in range(3 if skips else 2) if s >= d]

        first = [masses[0][own[s]] if s < 2 else zero for s in range(places)]
        reached = [first]
        for t in range(1, frames):
            reached.append([
                masses[t][own[s]] * mpmath.fsum(reached[-1][r] for r in comes(s))
                for s in range(places)
            ])  # fmt: skip
        behind = [[mpmath.mpf(int(s >= places - 2)) for s in range(places)]]
        for t in range(frames - 1, 0, -1):
            before = [zero] * places
            for s in range(places):
                for r in comes(s):
                    before[r] += masses[t][own[s]] * behind[0][s]
            behind.insert(0, before)
        total = mpmath.fsum(reached[-1][max(0, places - 2) :])
        held = [[zero] * len(masses[0]) for _ in masses]
        for t in range(frames):
            for s in range(places):
                held[t][own[s]] += reached[t][s] * behind[t][s]
        return _finished(masses, held, total)


def _finished(masses, held, total):
    if not total:
        return mpmath.inf, None
    # What is left of 1 keeps its digits where the sum is near 1: there are enough of them.
    slopes = [
        [p - h / total for p, h in zip(row, own, strict=True)]
        for row, own in zip(masses, held, strict=True)
    ]
    return -mpmath.log(total), slopes


def transducer(logits, label, blank=0):
    """The loss as the sum over all ways to put the labels into frames, and its slopes."""
    with mpmath.workdps(DIGITS):
        grid = numbers(logits)
        frames, before = grid.shape[:2]
        masses = [[softmax(grid[t, u]) for u in range(before)] for t in range(frames)]
        held = np.full(grid.shape, mpmath.mpf(0), object)
        total = mpmath.mpf(0)

        def walk(t, u, path, mass):
            nonlocal total
            if t == frames:
                if u == len(label):
                    total += mass
                    for step in path:
                        held[step] += mass
                return
            walk(t + 1, u, [*path, (t, u, blank)], mass * masses[t][u][blank])
            if u < len(label):
                k = int(label[u])
                walk(t, u + 1, [*path, (t, u, k)], mass * masses[t][u][k])

        walk(0, 0, [], mpmath.mpf(1))
        taken = held.sum(-1)
        slopes = [
            [p * taken[t, u] / total - held[t, u, k] / total for k, p in enumerate(masses[t][u])]
            for t in range(frames) for u in range(before)
        ]  # fmt: skip
        return -mpmath.log(total), slopes


def warping(x, y, gamma):
    """The soft minimum over all alignments one by one, and its slopes in both series."""
    with mpmath.workdps(DIGITS):
        x, y, gamma = numbers(x), numbers(y), mpmath.mpf(gamma)
        cost = ((x[:, None] - y[None]) ** 2).sum(-1)
        total, held = mpmath.mpf(0), np.full(cost.shape, mpmath.mpf(0), object)

        def walk(i, j, path, sum_):
            nonlocal total
            path, sum_ = [*path, (i, j)], sum_ + cost[i, j]
            if (i, j) == (len(x) - 1, len(y) - 1):
                mass = mpmath.exp(-sum_ / gamma)
                total += mass
                for step in path:
                    held[step] += mass
                return
            for down, right in ((1, 0), (0, 1), (1, 1)):
                if i + down < len(x) and j + right < len(y):
                    walk(i + down, j + right, path, sum_)

        walk(0, 0, [], mpmath.mpf(0))
        apart = 2 * (x[:, None] - y[None]) * (held / total)[..., None]
        return -gamma * mpmath.log(total), (apart.sum(1), -apart.sum(0))


def chain(emissions, tags, transitions, start, end):
    """The loss as the sum over all sequences of tags, and its slopes in all scores."""
    with mpmath.workdps(DIGITS):
        scores = [numbers(x) for x in (emissions, transitions, start, end)]
        emitted, _, begins, _ = scores
        total, held = mpmath.mpf(0), [np.full(x.shape, mpmath.mpf(0), object) for x in scores]

        def places(path):
            yield from ((0, (t, k)) for t, k in enumerate(path))
            yield from ((1, pair) for pair in pairwise(path))
            yield from ((2, (path[0],)), (3, (path[-1],)))

        def mass_of(path):
            return mpmath.exp(mpmath.fsum(scores[n][place] for n, place in places(path)))

        for path in product(range(len(begins)), repeat=len(emitted)):
            mass = mass_of(path)
            total += mass
            for n, place in places(path):
                held[n][place] += mass
        slopes = [x / total for x in held]
        tags = [int(k) for k in tags]
        for n, place in places(tags):
            slopes[n][place] -= 1
        return mpmath.log(total / mass_of(tags)), slopes


def off(found, truth, form="float64"):
    """How many units in the last place a number is off."""
    return ulps(float(found), mpmath.mpf(truth), FORMATS[form])


def rows_off(found, truth, form="float64"):
    """The same of rows: the largest error, in units of the largest number of its row."""
    worst = 0.0
    with mpmath.workdps(DIGITS):
        for row, exact in zip(found, truth, strict=True):
            largest = max(abs(x) for x in exact)
            unit = mpmath.mpf(2) ** (mpmath.frexp(largest)[1] - FORMATS[form].digits)
            error = max(abs(float(x) - y) for x, y in zip(row, exact, strict=True))
            worst = max(worst, float(error / unit) if largest else float(error > 0))
    return worst
