"""Runs of the benchmark for its tests: on a clock of their own, and made up."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lossary.bench import (
    Case,
    Results,
    Settings,
    limits,
    measure,
)
from lossary.bench.contestant import Contestant, Prepared
from lossary.bench.limits import Limit
from lossary.bench.results import Absent, Crossover, Measured, Outcome

HUBER = Case("huber", (64,))
BIG = Case("huber", (10**7,))


@pytest.fixture(autouse=True)
def little_runs(monkeypatch):
    """Move arrays of 4 kB to see what the machine can; leave to other tests what was compiled.

    Nor is there a glance of half a second at what others do, or a wait for them.
    """
    monkeypatch.setattr("lossary.bench.run.HEADLINE", 4096)
    monkeypatch.setattr("lossary.bench.run.tidy", lambda: None)
    monkeypatch.setattr("lossary.bench.quiet.GLANCE", 0.02)
    monkeypatch.setattr("lossary.bench.quiet.PATIENT", 1.0)


@pytest.fixture
def clock():
    return Clock()


class Clock:
    """A clock that moves when a contestant works, and writes down who did."""

    def __init__(self):
        self.now = 0.0
        self.log = []

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.log.append("pause")

    def contestant(self, name, seconds, outcome=None, *, first=None, **facts):
        """Someone who takes ``seconds`` a call, ``first`` for the first."""

        def prepare(case, data, threads):
            answer = outcome or (1.0, np.ones(case.shape, np.float32))
            times = itertools.chain([first or seconds], itertools.repeat(seconds))

            def step():
                self.log.append(name)
                self.now += next(times)
                return answer

            return Prepared(step, lambda result: result)

        return Contestant(name, f"{name} works", (), prepare, **facts)

    def steps(self, **seconds):
        made = {name: self.contestant(name, s) for name, s in seconds.items()}
        return {name: one.prepare(HUBER, None, 1) for name, one in made.items()}

    def measure(self, *contestants, work=(HUBER,), say=None, progress=None, **settings):
        """Run the benchmark on this clock; the limits do real, small work."""
        settings = {"rounds": 4, "threads": 1, "crossovers": False} | settings
        return measure(
            work, Settings(**settings), contestants, progress, say, self, self.pause
        )  # fmt: skip


def turns(log):
    """Who was called, with repeats of one turn taken together."""
    return [name for name, _ in itertools.groupby(log) if name != "pause"]


def row(name, seconds, *, memory=None, disagrees=""):
    is_ours = "ossary" in name
    low, high = 0.9 * seconds, 1.1 * seconds
    return Measured(name, is_ours, seconds, low, high, 15, 1, 2 * seconds, memory, disagrees)


def results_of(case, *rows, limit_seconds=0.001, absent=()):
    moved = case.gradient_bytes * case.arrays
    limit = Limit(limits.pattern(case), "NumPy", limit_seconds, limit_seconds, limit_seconds, moved)
    return Results(
        lossary="0.1.0",
        date="2026-11-20",
        settings={"size": "full", "threads": 2, "rounds": 15, "seconds": None, "seed": 0},
        machine={
            "processor": "A Processor", "architecture": "x86_64", "cores": 2, "memory_gib": 8.0,
            "simd": ["AVX2"], "cache": {"L2": "1M"}, "system": "Linux 6", "python": "3.11.7",
            "load_before": 0.1, "load_after": 2.0,
        },
        versions={"numpy": "2.4.6"},
        bandwidth={"copy": limit},
        contestants={r.contestant: "" for r in rows},
        outcomes=(Outcome(case, limit, tuple(sorted(rows, key=lambda r: r.seconds)), absent),),
        crossovers=(Crossover("huber", "numpy", (16, 64), (1.0, 2.0), (1.5, 1.5)),),
        absent=(Absent("Liger", "not installed: liger_kernel"),),
        skipped=("focal/10^7/float32",),
    )  # fmt: skip
