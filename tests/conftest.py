"""What all tests share: which libraries are here, and a count of cases per library at the end."""

import contextlib
import os
from collections import Counter

# Triton and TensorFlow each bring LLVM; a process lives only if Triton comes first.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401

import pytest

from libraries import NAMES
from lossary.accuracy.arrays import available

OUTCOMES = ("passed", "failed", "error", "xfailed", "xpassed", "skipped")


def pytest_configure(config):
    """Keep compiled kernels beside the other caches of the tests, for all workers and runs."""
    os.environ.setdefault("LOSSARY_CACHE_DIR", str(config.rootpath / ".pytest_cache"))


@pytest.fixture(scope="session")
def installed():
    """The array libraries that can be imported here; NumPy always."""
    return available()


def pytest_collection_modifyitems(items):
    """Write down the library of each case, so that the closing count can see it."""
    for item in items:
        words = item.callspec.id.split("-") if hasattr(item, "callspec") else ()
        library = next((word for word in words if word in NAMES), None)
        if library:
            item.user_properties.append(("library", library))


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
