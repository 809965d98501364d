"""What all tests share: which libraries are here, and a count of cases per library at the end."""

import gc
import os
import sys
import zlib
from collections import Counter, defaultdict

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings

import groups
import lossary as L
import memory
from covering import covering
from groups import word_of
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


def pytest_configure(config):
    """Keep compiled kernels beside the other caches of the tests, for all workers and runs.

    Kernels are compiled where a test needs them, and those of short calls where it asks for them.
    """
    # Four array libraries are many objects: looking through all of them took a tenth of the time.
    gc.set_threshold(50_000, 20, 100)
    config.pluginmanager.register(groups)
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


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path):
    """Tests show no examples, and their modules are large: none are looked for there."""
    found = yield
    if file_path.name.startswith("test_"):
        return [collector for collector in found if not isinstance(collector, DoctestModule)]
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Choose cases, and write down their library for the closing count."""
    if not config.option.thorough:
        left_out = {*filter(is_left_out, items), *between_samples(items)}
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if library := word_of(item.nodeid, NAMES):
            item.user_properties.append(("library", library))


def pytest_collection_finish(session):
    """Begin without looking through the tests themselves."""
    leave_alone()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """At the end of a file, drop its graphs and look through what it brought for the last time."""
    if nextitem is None or nextitem.path != item.path:
        memory.release()
        leave_alone()


def leave_alone():
    """Let the collector of garbage no longer look at what is here now.

    Modules of four array libraries and tens of thousands of tests stay until the end; each
    collection, of which the benchmark and the tests of memory do thousands, took half a second.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure():
    """Leave the process as it began: libraries complain of what nobody collects in the end."""
    gc.unfreeze()


def is_left_out(item):
    """Tell cases for which another loss stands; who asks for a loss by name (-k) gets it.

    NumPy computes all losses: what other libraries run is the same text in other words.
    """
    library, loss = word_of(item.nodeid, NAMES), word_of(item.nodeid, L.catalogue)
    if item.get_closest_marker("covering"):
        chosen = covering()
    elif item.get_closest_marker("representative") or library not in {None, "numpy"}:
        chosen = REPRESENTATIVE
    else:
        return False
    return bool(loss) and loss not in chosen and loss not in item.config.option.keyword


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
    recipe.plans.clear()
    yield met
    recipe.plans.clear()


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
