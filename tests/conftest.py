"""What all tests share: which libraries are here, and a count of cases per library at the end."""

import contextlib
import gc
import os
import sys
import zlib
from collections import Counter, defaultdict

# Triton and TensorFlow each bring LLVM; a process lives only if Triton comes first.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401

import pytest
from hypothesis import settings

import lossary as L
from libraries import NAMES
from lossary.accuracy.arrays import available
from lossary.engine.recipes import recipe
from samples import REPRESENTATIVE

collect_ignore = ["typed_user_code.py"]  # wrong on purpose: it is read by a type checker only

OUTCOMES = ("passed", "failed", "error", "xfailed", "xpassed", "skipped")


def pytest_addoption(parser):
    parser.addoption(
        "--thorough",
        action="store_true",
        help="all losses in all modes, all points, all spoiled rules: three times as long",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Let workers take the tests by groups: what one loss has cost is not paid by each of them.

    ``--dist loadgroup`` stands in pyproject.toml, since workers read their own options; without
    workers it asks for something that is not there.
    """
    if not getattr(config.option, "numprocesses", None):
        config.option.dist = "no"


def pytest_configure(config):
    """Keep compiled kernels beside the other caches of the tests, for all workers and runs.

    Kernels are compiled where a test needs them, and those of short calls where it asks for them.
    """
    # Four array libraries are many objects: looking through all of them took a tenth of the time.
    gc.set_threshold(50_000, 20, 100)
    os.environ.setdefault("LOSSARY_CACHE_DIR", str(config.rootpath / ".pytest_cache"))
    os.environ.setdefault("LOSSARY_COMPILE", "now")
    recipe.PATIENCE = sys.maxsize
    settings.register_profile("lane", max_examples=60 if config.option.thorough else 20)
    settings.load_profile("lane")


@pytest.fixture(scope="session")
def lane(request):
    """The options that let a process of tests choose its cases as this one does."""
    return ["--thorough"] if request.config.option.thorough else []


@pytest.fixture(scope="session")
def installed():
    """The array libraries that can be imported here; NumPy always."""
    return available()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Choose cases, group them by loss, and write down their library for the closing count."""
    if not config.option.thorough:
        left_out = {*filter(is_left_out, items), *between_samples(items)}
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        grouped = item.get_closest_marker("xdist_group")
        if (loss := word_of(item, L.catalogue)) and not grouped:
            item.add_marker(pytest.mark.xdist_group(f"{item.path.name} {loss}"))
        if library := word_of(item, NAMES):
            item.user_properties.append(("library", library))


def word_of(item, known):
    """Return the first word of a case's name that is known: its loss, or its library."""
    words = item.callspec.id.split("-") if hasattr(item, "callspec") else ()
    return next((word for word in words if word in known), None)


def is_left_out(item):
    """Tell cases for which another loss stands; who asks for a loss by name (-k) gets it.

    NumPy computes all losses: what other libraries run is the same text in other words.
    """
    if not item.get_closest_marker("representative") and word_of(item, NAMES) in {None, "numpy"}:
        return False
    loss = word_of(item, L.catalogue)
    return bool(loss) and loss not in REPRESENTATIVE and loss not in item.config.option.keyword


def between_samples(items):
    """Return what 'sampled' leaves out of the cases of a test; who asks by name gets all."""
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled") and not is_asked_for(item.config):
            cases[item.path, item.originalname].append(item)
    for found in cases.values():
        (step,) = found[0].get_closest_marker("sampled").args
        # By a number that has nothing to do with their order, in which modes and losses alternate.
        found.sort(key=lambda item: zlib.crc32(item.nodeid.encode()))
        yield from found[-(-len(found) // step) :]


def is_asked_for(config):
    """Whether the caller chose among the cases by their names."""
    return bool(config.option.keyword) or any("::" in argument for argument in config.args)


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
