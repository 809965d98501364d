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
    """Return a file's cases of one loss, or else of one function or class; or all of a file.

    Read from the name, which is all that the process that deals out the tests knows of them: xdist
    3.8 writes marks of a group into names, and pytest 9.2 does not let it.
    """
    path, _, rest = nodeid.partition("[")[0].partition("::")
    if is_together(root / path):
        return path, "", ""
    loss = word_of(nodeid, L.catalogue)
    return path, "" if loss else rest.partition("::")[0], loss or ""


@cache
def is_together(path: Path):
    """Whether the file is marked: what one of its tests sets up or computes serves the others."""
    return "pytest.mark.together" in path.read_text(encoding="utf-8")


def pytest_collection_modifyitems(config, items):
    """Begin with whole files, then functions; the many small groups of losses come at the end."""
    if hasattr(config, "workerinput"):
        groups = {item: group_of(item.nodeid, config.rootpath) for item in items}
        items.sort(key=lambda item: (bool(groups[item][2]), bool(groups[item][1])))


@pytest.hookimpl(optionalhook=True)  # without xdist there are no workers
def pytest_xdist_make_scheduler(config, log):
    """Deal out the tests by their groups."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid, config.rootpath)

    config.option.loadscopereorder = False
    return ByGroup(config, log)
