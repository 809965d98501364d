"""Run Keras' own tests of its losses against ``lossary.keras``.

    python -m tests.peers.keras [--backend torch] [--filter NAME] [--spoil 0.01] [--verbose]

The tests lie in Keras' wheel (``keras/src/losses/*_test.py``). Before they are collected, the
doors' classes, functions and string names take the places of Keras'. A test counts as passed only
if it called a door: "by the core" if lossary computed the loss, else it is about a config, the base
class, or a loss for which the door calls Keras. Failures need a reason in ``keras.toml``, and a
reason that nothing needs fails the run. Without ``--backend`` the three run one after the other.
"""

# ruff: noqa: T201  (a command that talks to a terminal)

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

LEDGER = Path(__file__).with_suffix(".toml")
BACKENDS = ("torch", "jax", "tensorflow")


class Doors:
    """Puts the doors in Keras' places, counts their calls, and scales what they return."""

    def __init__(self, spoil: float) -> None:
        self.core, self.classes, self.factor = 0, 0, 1 + spoil

    def install(self) -> None:
        """Replace classes, functions, names and the base class, for all that comes after."""
        import keras
        from keras.src import losses as package
        from keras.src.losses import loss, losses

        import lossary.keras as door
        from lossary.keras import computing
        from lossary.keras import losses as doors

        base: Any = doors.Loss
        evaluate, compute = computing._evaluate, base._compute

        def counted(*args: Any) -> Any:
            self.core += 1
            found = evaluate(*args)
            return found if self.factor == 1 else found * self.factor

        def computed(*args: Any) -> Any:
            # Keras' tests of the base class have losses of their own.
            self.classes += 1
            return compute(*args)

        computing._evaluate = counted
        base._compute = computed
        loss.Loss = base
        for name, found in door.names().items():
            if isinstance(found, type):
                self._count_configs(found)
            for place in (losses, package, keras.losses):
                if hasattr(place, name):
                    setattr(place, name, found)
        door.register()

    def _count_configs(self, kind: Any) -> None:
        """Let the config of a class count as a call: it is what some tests are about."""
        config = kind.get_config

        def counted(loss: Any) -> Any:
            self.classes += 1
            return config(loss)

        kind.get_config = counted


class Recorder:
    """Notes for each test how it ended and whether it called a door."""

    def __init__(self, doors: Doors) -> None:
        self.doors, self.before = doors, (0, 0)
        self.states: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def pytest_runtest_setup(self, item: Any) -> None:
        """Remember the counts before the test."""
        self.before = self.doors.core, self.doors.classes

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the outcome of each phase; the worst one stays."""
        name = report.nodeid.partition("::")[2]
        if report.failed:
            self.states[name] = "failed"
            self.reasons[name] = str(report.longrepr).strip().splitlines()[-1]
        elif report.skipped:
            self.states.setdefault(name, "skipped by Keras")
        elif report.when == "call":
            core, classes = self.before
            state = "passed" if self.doors.classes > classes else "touched no door"
            self.states.setdefault(name, "passed by the core" if self.doors.core > core else state)

    def pytest_collectreport(self, report: Any) -> None:
        """A file that cannot be collected is a failure."""
        if report.failed:
            self.states[report.nodeid] = "failed"
            self.reasons[report.nodeid] = str(report.longrepr)


def run(backend: str, filter_: str, spoil: float) -> tuple[dict[str, str], dict[str, str]]:
    """Return state and last line of each test."""
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import pytest

    doors = Doors(spoil)
    doors.install()
    recorder = Recorder(doors)
    folder = Path(keras.__file__).parent / "src" / "losses"
    options = ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-c", os.devnull]
    # Our own conftest, above a .venv in this repository, would import Triton after TensorFlow.
    options += ["--rootdir", str(folder), "--confcutdir", str(folder)]
    options += ["-k", filter_] if filter_ else []
    with open(os.devnull, "w") as silence:  # noqa: PTH123
        out, sys.stdout = sys.stdout, silence
        try:
            pytest.main([*options, *map(str, sorted(folder.glob("*_test.py")))], [recorder])
        finally:
            sys.stdout = out
    return recorder.states, recorder.reasons


def explained(backend: str, states: dict[str, str]) -> list[str]:
    """Mark the failures that the ledger explains; return the entries that nothing needs."""
    entries = tomllib.loads(LEDGER.read_text(encoding="utf-8")).get("failure", [])
    stale = []
    for entry in entries:
        if backend not in entry["backends"]:
            continue
        if states.get(entry["test"]) == "failed":
            states[entry["test"]] = "explained"
        else:
            stale.append(entry["test"])
    return stale


def report(backend: str, states: dict[str, str], reasons: dict[str, str], verbose: bool) -> bool:
    """Print counts and failures; return whether none was left unexplained."""
    counts = Counter(states.values())
    ran = sum(counts.values()) - counts["skipped by Keras"]
    share = f"{(ran - counts['failed'] - counts['explained']) / ran:.1%}" if ran else "nothing ran"
    order = (
        "passed by the core",
        "passed",
        "touched no door",
        "explained",
        "failed",
        "skipped by Keras",
    )
    print(f"{backend:12}" + ", ".join(f"{counts[s]} {s}" for s in order) + f": {share}")
    for name, state in states.items():
        if state == "failed" or (verbose and not state.startswith("passed")):
            print(f"    {state}: {name}" + (f": {reasons[name]}" if name in reasons else ""))
    return not counts["failed"] and counts["passed by the core"] > 0


def main(argv: list[str] | None = None) -> int:
    """Run the harness from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", choices=BACKENDS, help="default: one after the other")
    parser.add_argument("--filter", default="", help="only tests whose name matches, as pytest -k")
    parser.add_argument("--spoil", type=float, default=0.0, help="scale every door; must fail")
    parser.add_argument("--verbose", action="store_true", help="list what did not simply pass")
    options = parser.parse_args(argv)
    if options.backend is None:
        given = sys.argv[1:] if argv is None else argv
        command = [sys.executable, "-m", "tests.peers.keras", *given, "--backend"]
        return max(subprocess.run([*command, b], check=False).returncode for b in BACKENDS)
    states, reasons = run(options.backend, options.filter, options.spoil)
    stale = explained(options.backend, states) if not options.spoil else []
    good = report(options.backend, states, reasons, options.verbose)
    stale = [] if options.filter else stale
    for test in stale:
        print(f"    STALE: {test} passes; its entry in the ledger is no longer needed")
    return 0 if good and not stale else 1


if __name__ == "__main__":
    sys.exit(main())
