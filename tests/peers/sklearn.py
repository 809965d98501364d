"""Run scikit-learn's own tests with the doors of ``lossary.sklearn`` in place of its metrics.

    python -m tests.peers.sklearn [-k EXPRESSION] [--module test_regression] [--spoil 0.01]

The tests lie in scikit-learn's wheel. The doors take their places before the tests are imported,
also inside scikit-learn's scorers. A test counts as passed only if it reached the core; those that
called a door for an error, a warning or a name count apart. One that fails needs a reason in
``sklearn.toml``, and an entry that nothing uses fails the run.
"""

# ruff: noqa: T201  (a command that talks to a terminal)

from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
import tomllib
from collections import Counter
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from sklearn import metrics
from sklearn.metrics import _classification, _regression, _scorer

import lossary.sklearn as doors
from lossary.engine import evaluate
from lossary.sklearn.contract import PEERS

LEDGER = Path(__file__).with_suffix(".toml")
MODULES = ("test_regression", "test_classification", "test_score_objects", "test_common")


class Harness:
    """Puts the doors in place, counts the calls of the core in each test, and scales results."""

    def __init__(self, spoil: float) -> None:
        self.factor = 1 + spoil
        self.calls: Counter[str] = Counter()
        self.before: Counter[str] = Counter()
        self.outcomes: dict[str, tuple[str, str, str]] = {}
        self.skipped = 0

    def install(self) -> None:
        """Put each door wherever scikit-learn holds its own function, and watch the core."""
        for name, peer in PEERS.items():
            door = self.watched(getattr(doors, name))
            for module in (metrics, _classification, _regression, _scorer):
                if getattr(module, name, None) is peer:
                    setattr(module, name, door)
            for scorer in _scorer._SCORERS.values():
                if scorer._score_func is peer:
                    scorer._score_func = door
        for name in ("value", "sums"):
            setattr(evaluate, name, self.spoiled(getattr(evaluate, name)))

    def watched(self, door: Any) -> Any:
        """Return the door that counts its calls."""

        @wraps(door)
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls["door"] += 1
            return door(*args, **kwargs)

        return call

    def spoiled(self, function: Any) -> Any:
        """Return the function of the core that counts, and scales the loss."""

        def call(*args: Any) -> Any:
            self.calls["core"] += 1
            result = function(*args)
            if isinstance(result, tuple):
                return result[0] * self.factor, result[1]
            return result * self.factor

        return call

    def pytest_runtest_setup(self) -> None:
        """Remember how many calls came before this test."""
        self.before = self.calls.copy()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any):
        """Write down the outcome of each test, and whether it reached the core."""
        report = (yield).get_result()
        if report.skipped:
            self.skipped += report.when in {"setup", "call"}
        elif report.when == "call" or report.failed:
            name = f"{item.path.stem}::{item.name}"
            words = str(call.excinfo.value).partition("\n")[0] if call.excinfo else ""
            called = self.calls - self.before
            road = "core" if called["core"] else "door" if called["door"] else ""
            self.outcomes[name] = (report.outcome, road, words)


def explained(outcomes: dict[str, tuple[str, str, str]]) -> tuple[dict[str, str], list[str]]:
    """Return the reason of each failure that has one, and the reasons that nothing needs."""
    ledger = tomllib.loads(LEDGER.read_text(encoding="utf-8")).get("difference", [])
    used: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for name, (outcome, _, _) in outcomes.items():
        for entry in ledger:
            if outcome == "failed" and re.search(entry["test"], name):
                reasons[name] = entry["reason"]
                used[entry["reason"]] += 1
    return reasons, [e["reason"] for e in ledger if not used[e["reason"]]]


def main(argv: list[str] | None = None) -> int:
    """Run the tests; 0 if every failure is explained and some test reached the core."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-k", default="", help="pytest's selection by name")
    parser.add_argument("--module", action="append", choices=MODULES, help="default: all")
    parser.add_argument("--spoil", type=float, default=0.0, help="scale every loss; must fail")
    options = parser.parse_args(argv)
    harness = Harness(options.spoil)
    harness.install()
    for module in options.module or MODULES:
        chosen = options.k
        if module == "test_common":
            common = " or ".join(doors.METRICS)
            chosen = f"({common})" + (f" and ({chosen})" if chosen else "")
        command = ["--pyargs", f"sklearn.metrics.tests.{module}", "-q", "--no-header", "--tb=no"]
        command += ["-p", "no:cacheprovider", "-c", "/dev/null"]
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main([*command, *(["-k", chosen] if chosen else [])], plugins=[harness])
    return report(harness, whole=not (options.k or options.module or options.spoil))


def report(harness: Harness, whole: bool) -> int:
    """Print counts and failures; return the exit code."""
    reasons, stale = explained(harness.outcomes)
    counts: Counter[str] = Counter()
    passed = {"core": "passed", "door": "passed outside the core", "": "of other metrics"}
    for name, (outcome, road, words) in harness.outcomes.items():
        if outcome == "passed":
            counts[passed[road]] += 1
            continue
        state = "explained" if name in reasons else "failed"
        counts[state] += 1
        print(f"{state.upper()}: {name}: {reasons.get(name) or words}")
    counts["skipped by scikit-learn"] = harness.skipped
    print(", ".join(f"{number} {word}" for word, number in counts.items()))
    for reason in stale if whole else ():
        print(f"STALE: nothing needs this entry of the ledger any more: {reason}")
    bad = counts["failed"] or (whole and stale) or not counts["passed"]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
