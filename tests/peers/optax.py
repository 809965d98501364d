"""Run optax' own tests of its losses with the doors of ``lossary.optax`` in their place.

    python -m tests.peers.optax [--filter NAME] [--spoil 0.01 [--each]] [--verbose]

The tests (``optax/losses/*_test.py``) come out of the installed wheel. Before they are collected,
optax' modules get the doors for their functions. A test counts when it called one; a failure needs
a reason in ``optax.toml``, and an entry that no failure uses fails the run.
"""

# ruff: noqa: T201  (a command that talks to a terminal)

from __future__ import annotations

import argparse
import importlib
import re
import sys
import tomllib
import unittest
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
from optax import losses

from lossary import optax as doors

LEDGER = Path(__file__).with_suffix(".toml")
PACKAGE = Path(losses.__file__).parent


@dataclass
class Outcome:
    """What one test showed: the doors it called, and its trouble, if any."""

    test: str
    called: Counter[str]
    trouble: str = ""
    reason: str = ""

    @property
    def state(self) -> str:
        """In which column it counts."""
        if not self.called:
            return "no door"
        return "explained" if self.reason else "failed" if self.trouble else "passed"


@dataclass
class Doors:
    """The doors with a counter around them.

    They are made anew for each test: ``jit`` remembers functions and would not call them again.
    ``only`` names the one door to spoil; none for all.
    """

    spoil: float
    only: str = ""
    called: Counter[str] = field(default_factory=Counter)

    def wrapped(self, name: str) -> Callable[..., Any]:
        """Return a door that counts its calls and whose results are off by the share ``spoil``."""
        door = getattr(doors, name)

        @wraps(door)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.called[name] += 1
            result = door(*args, **kwargs)
            return result * (1 + self.spoil) if self.spoil and self.only in {"", name} else result

        return counted

    def install(self) -> None:
        """Put all doors in the place of optax' functions, wherever those are found by name."""
        self.called.clear()
        for name in doors.DOORS:
            peer, door = _peers[name], self.wrapped(name)
            for module in _modules():
                if hasattr(module, name):
                    _originals.setdefault((module, name), peer)
                    setattr(module, name, door)


_peers = {name: getattr(losses, name) for name in doors.DOORS}
_originals: dict[tuple[Any, str], Any] = {}


def _modules() -> list[Any]:
    """Return the modules that hold optax' losses."""
    files = [p.stem for p in sorted(PACKAGE.glob("_*.py")) if not p.stem.endswith("_test")]
    own = [importlib.import_module(f"optax.losses.{n}") for n in files if n != "__init__"]
    return [optax, losses, *own]


@contextmanager
def in_place(spoil: float, only: str = "") -> Iterator[Doors]:
    """Put the doors in place, and everything back afterwards."""
    installed = Doors(spoil, only)
    installed.install()
    try:
        yield installed
    finally:
        for (module, name), peer in _originals.items():
            setattr(module, name, peer)
        _originals.clear()


class _Result(unittest.TestResult):
    """Takes down what each test called and how it ended."""

    def __init__(self, installed: Doors) -> None:
        super().__init__()
        self.installed = installed
        self.outcomes: list[Outcome] = []

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802  (unittest's own)
        super().startTest(test)
        self.installed.install()
        np.random.seed(0)  # noqa: NPY002  (optax' tests draw from the global generator)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802  (unittest's own)
        super().stopTest(test)
        trouble = next((text for case, text in self.failures + self.errors if case is test), "")
        words = trouble.strip().splitlines()[-1] if trouble else ""
        self.outcomes.append(Outcome(_name(test), self.installed.called.copy(), words))


def _name(test: unittest.TestCase) -> str:
    """Return file, class and method; absl appends the parameters of a case to its string."""
    module, _, rest = test.id().rpartition("losses.")
    return f"{rest or module}".replace("_test.", ".", 1)


def tests(filter_: str, chosen: set[str] | None) -> unittest.TestSuite:
    """Return optax' tests whose name contains the filter; the doors must be in place already.

    ``chosen`` are the only names that count, None for all.
    """
    loader = unittest.TestLoader()
    whole = unittest.TestSuite()
    for path in sorted(PACKAGE.glob("*_test.py")):
        name = f"optax.losses.{path.stem}"
        sys.modules.pop(name, None)  # decorators keep the functions of the first import
        found = loader.loadTestsFromModule(importlib.import_module(name))
        whole.addTests(
            t
            for t in _flat(found)
            if filter_ in _name(t) and (chosen is None or _name(t) in chosen)
        )
    return whole


def _flat(suite: Any) -> Iterator[Any]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


def outcomes_of(
    filter_: str = "", spoil: float = 0.0, only: str = "", chosen: set[str] | None = None
) -> list[Outcome]:
    """Return the outcome of every test."""
    with in_place(spoil, only) as installed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = _Result(installed)
        tests(filter_, chosen).run(result)
    return result.outcomes


def run(filter_: str = "", spoil: float = 0.0) -> tuple[list[Outcome], list[str]]:
    """Return the outcome of every test, and the reasons that no failure needed."""
    ledger = tomllib.loads(LEDGER.read_text(encoding="utf-8")).get("difference", [])
    used: Counter[int] = Counter()
    outcomes = outcomes_of(filter_, spoil)
    for outcome in outcomes:
        for i, entry in enumerate(ledger):
            if outcome.trouble and not spoil and re.search(entry["test"], outcome.test):
                outcome.reason = entry["reason"]
                used[i] += 1
    stale = [e["reason"] for i, e in enumerate(ledger) if not (filter_ or spoil or used[i])]
    return outcomes, stale


def unnoticed(filter_: str, spoil: float) -> int:
    """Spoil one door after the other; return how many of those that are called no test noticed."""
    callers: dict[str, set[str]] = {name: set() for name in doors.DOORS}
    for o in outcomes_of(filter_):
        for name in o.called:
            callers[name].add(o.test)
    missed = 0
    print(f"{'spoiled alone':44}{'called by':>11}{'noticed by':>11}")
    for name, chosen in callers.items():
        noticed = sum(bool(o.trouble) for o in outcomes_of(filter_, spoil, name, chosen))
        print(f"{name:44}{len(chosen):>11}{noticed:>11}", flush=True)
        missed += bool(chosen) and not noticed
    return missed


def report(outcomes: list[Outcome], stale: list[str], verbose: bool = False) -> int:
    """Print counts and failures; return the exit code."""
    by_door: dict[str, Counter[str]] = {name: Counter() for name in doors.DOORS}
    for o in outcomes:
        for name in o.called:
            by_door[name][o.state] += 1
    head = ("passed", "explained", "failed")
    print(f"{'tests that called':44}" + "".join(f"{h:>11}" for h in head))
    for name, counts in by_door.items():
        print(f"{name:44}" + "".join(f"{counts[h]:>11}" for h in head))
    total = Counter(o.state for o in outcomes)
    print(f"{'any door':44}" + "".join(f"{total[h]:>11}" for h in head))
    print(f"{'none: ' + ', '.join(doors.DELEGATED[:3]) + ' ...':44}{total['no door']:>11}")
    for o in outcomes:
        lost = o.trouble and not o.called  # a test of optax' own functions has to pass as well
        if o.state == "failed" or lost or (verbose and o.trouble):
            print(f"{o.state.upper()}: {o.test}: {o.trouble}")
            print(f"    {o.reason}" if o.reason else "")
    for reason in stale:
        print(f"STALE: nothing needs this entry of the ledger any more: {reason}")
    if not any(o.called for o in outcomes):
        print("no test called a door")
        return 1
    return 1 if any(o.trouble and not o.reason for o in outcomes) or stale else 0


def main(argv: list[str] | None = None) -> int:
    """Run the harness from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--filter", default="", help="only tests whose name contains this")
    parser.add_argument("--spoil", type=float, default=0.0, help="scale every door; must fail")
    parser.add_argument("--each", action="store_true", help="with --spoil: one door at a time")
    parser.add_argument("--verbose", action="store_true", help="list explained failures too")
    options = parser.parse_args(argv)
    jax.config.update("jax_platforms", "cpu")
    if options.each:
        return min(unnoticed(options.filter, options.spoil or 0.01), 1)
    return report(*run(options.filter, options.spoil), options.verbose)


if __name__ == "__main__":
    sys.exit(main())
