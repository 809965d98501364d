"""Formulas of one's own at ten million points: no NaN, from the smallest to the largest number.

    python tests/whole_range.py [--points 10000000] [--dtype float64] [NAME ...]

Each formula that is not in the catalogue (`language/test_identities.py`, `written.toml`) is
computed by NumPy, its value and its gradients, in chunks; some of the points are compared with
mpmath, in units of the last place.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import lossary as L

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "language")]

from test_identities import OWN, SHORT  # noqa: E402
from test_written import WRITTEN, as_written  # noqa: E402

from lossary.accuracy.measure import errors  # noqa: E402
from lossary.accuracy.samples import SUBNORMAL  # noqa: E402
from lossary.accuracy.truth import measured, truths  # noqa: E402

CHUNK = 250_000
CLASSES = 4
SAMPLE = 200


def numbers(domain, dtype, rng, shape, before):
    """Numbers of a set over the whole range of a type; a tenth are those of the argument before."""
    if domain.name == "Label":
        return rng.integers(0, CLASSES, shape[0])
    form = np.finfo(dtype)
    low, high = np.log10(np.float64(form.smallest_subnormal)), np.log10(form.max)
    size = 10.0 ** rng.uniform(low, high, shape)
    special = rng.choice([0.0, form.smallest_subnormal, form.tiny, form.eps, 1.0, form.max], shape)
    usual = rng.uniform(0, 110, shape)
    kinds = rng.random(shape)
    x = np.where(kinds < 0.5, size, np.where(kinds < 0.9, usual, special))
    x = x * rng.choice([-1.0, 1.0], shape)
    if before is not None and before.shape == x.shape:
        x = np.where(rng.random(shape) < 0.1, before, x)
    if domain.name == "Simplex":
        x = np.abs(x) / np.maximum(np.abs(x).max(-1, keepdims=True), form.tiny)
        x = np.where(x.max(-1, keepdims=True) > 0, x, 1.0)
        x = x / x.sum(-1, keepdims=True)
    elif domain.name in {"Unit", "OpenUnit"}:
        x = np.abs(x) / np.maximum(np.abs(x).max(), 1)
    elif domain.name in {"Positive", "NonNegative"}:
        x = np.abs(x)
    x = x.astype(dtype)
    fits = np.asarray(domain.contains(x.astype(np.float64))) & np.isfinite(x)
    inside = np.array([v for v in domain.inside if np.ndim(v) == 0] or [0.5], dtype=dtype)
    return np.where(fits, x, rng.choice(inside, shape))


def drawn(loss, dtype, rng, rows):
    """Arguments of so many rows."""
    found = []
    for argument in loss.inputs:
        shape = (rows, CLASSES) if argument.domain.class_axis else (rows,)
        found.append(numbers(argument.domain, dtype, rng, shape, found[-1] if found else None))
    return found


def undefined(loss, dtype, points, seed=0):
    """How many numbers were computed and how many of them are NaN, with a first example."""
    rng, done, bad, example = np.random.default_rng(seed), 0, 0, None
    width = CLASSES if loss.class_axis else 1
    while done < points:
        rows = min(CHUNK, points - done) // width or 1
        data = drawn(loss, dtype, rng, rows)
        with np.errstate(all="ignore"), L.using(engine="array"):
            value, gradient = loss.value_and_gradient(*data, reduction="none", wrt=measured(loss))
        parts = (value, *gradient)
        for part in parts:
            nan = np.isnan(part).reshape(rows, -1).any(axis=-1)
            bad += int(nan.sum())
            if example is None and nan.any():
                example = [x[np.flatnonzero(nan)[0]].tolist() for x in data]
        done += rows * width
    return done, bad, example


def worst(loss, dtype):
    """The largest error at some points, in units of the last place."""
    parts = errors(loss, "numpy", dtype, truths(loss, dtype, SAMPLE))
    return max(p.errors.max() for p in parts if p.kind != SUBNORMAL and p.errors.size)


def say(text):
    """Print at once: a run takes minutes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments=None):
    """Print a line for each formula and type."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--points", type=float, default=1e7)
    parser.add_argument("--dtype", nargs="*", default=["float64", "float32"])
    options = parser.parse_args(arguments)
    known = OWN | SHORT
    say("| formula | type | points | NaN | worst ulp | seconds | first NaN |")
    say("|---|---|---|---|---|---|---|")
    for name in options.names or [*known, *WRITTEN]:
        loss = known[name] if name in known else as_written(name)
        for dtype in options.dtype:
            start = time.monotonic()
            done, bad, example = undefined(loss, np.dtype(dtype), int(options.points))
            seconds, error = time.monotonic() - start, worst(loss, dtype)
            cells = name, dtype, f"{done:,}", bad, f"{error:.1f}", f"{seconds:.0f}", example or ""
            say("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
