"""Which tests run in one worker, so that kernels, traces and runs are paid once."""

from functools import cache
from pathlib import Path

import pytest

import lossary as L


def word_of(nodeid, known):
    """Return the first word of a case's name that is known: its loss, or its library."""
    words = nodeid.partition("[")[2].removesuffix("]").split("-")
    return next((word for word in words if word in known), None)


def group_of(nodeid, root):
    """Return a file's cases of one loss, or its tests that are not about one loss.

    Read from the name, which is all that the process that deals out the tests knows of them: xdist
    3.8 writes marks of a group into names, and pytest 9.2 does not let it.
    """
    path = nodeid.partition("::")[0]
    return path, None if has_a_fixture_for_all(root / path) else word_of(nodeid, L.catalogue)


@cache
def has_a_fixture_for_all(path: Path):
    """Whether the tests of a file share what one of them sets up."""
    return 'scope="module"' in path.read_text(encoding="utf-8")


def pytest_collection_modifyitems(config, items):
    """Begin with what whole files have; the many small groups of losses come at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: group_of(item.nodeid, config.rootpath)[1] is not None)


@pytest.hookimpl(optionalhook=True)  # without xdist there are no workers
def pytest_xdist_make_scheduler(config, log):
    """Deal out the tests by their groups."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid, config.rootpath)

    config.option.loadscopereorder = False
    return ByGroup(config, log)
