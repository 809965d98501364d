"""What all tests share: which libraries are here, and a count of cases per library at the end."""

import contextlib
import os
import sys
from collections import Counter

# Triton and TensorFlow each bring LLVM; a process lives only if Triton comes first.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401

import pytest

import lossary as L
from libraries import NAMES
from lossary.accuracy.arrays import available
from lossary.engine.recipes import recipe

OUTCOMES = ("passed", "failed", "error", "xfailed", "xpassed", "skipped")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Let workers take the tests by groups: what one loss has cost is not paid by each of them."""
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "loadgroup"


def pytest_configure(config):
    """Keep compiled kernels beside the other caches of the tests, for all workers and runs.

    Kernels are compiled where a test needs them, and those of short calls where it asks for them.
    """
    os.environ.setdefault("LOSSARY_CACHE_DIR", str(config.rootpath / ".pytest_cache"))
    os.environ.setdefault("LOSSARY_COMPILE", "now")
    recipe.PATIENCE = sys.maxsize


@pytest.fixture(scope="session")
def installed():
    """The array libraries that can be imported here; NumPy always."""
    return available()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Write down the library of each case, so that the closing count can see it; group by loss."""
    for item in items:
        words = item.callspec.id.split("-") if hasattr(item, "callspec") else ()
        if loss := next((word for word in words if word in L.catalogue), None):
            item.add_marker(pytest.mark.xdist_group(f"{item.path.name} {loss}"))
        library = next((word for word in words if word in NAMES), None)
        if library:
            item.user_properties.append(("library", library))


@pytest.fixture
def recipes_at_once(monkeypatch):
    """Short calls go by their recipes from the first on; returns what has been met, by kind."""
    pytest.importorskip("numba")
    met = {}
    monkeypatch.setattr(recipe, "PATIENCE", 1)
    monkeypatch.setattr(recipe, "_kinds", met)
    return met


def pytest_terminal_summary(terminalreporter):
    """Count cases per library and outcome: skipped everywhere must not look like passed."""
    counts = {name: Counter() for name in NAMES}
    for outcome in OUTCOMES:
        for report in terminalreporter.stats.get(outcome, ()):
            for key, value in getattr(report, "user_properties", ()):
                if key == "library":
                    counts[value][outcome] += 1
    if not any(counts.values()):
        return
    terminalreporter.section("cases per library (cpu)")
    for name, found in counts.items():
        words = ", ".join(f"{found[outcome]} {outcome}" for outcome in OUTCOMES if found[outcome])
        terminalreporter.write_line(f"{name:<12}{words or 'NONE RAN'}")
