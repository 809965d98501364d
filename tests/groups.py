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
        """Forgets what is done, and knows where each test stands.

        xdist counts all that a worker was ever given at the end of each test, and looks each name
        up in the list of all: of 37,600 tests in 8,500 groups that took 37 s, and takes 2.
        """

        def _split_scope(self, nodeid):
            return group_of(nodeid, config.rootpath)

        def add_node_collection(self, node, collection):
            super().add_node_collection(node, collection)
            if node in self.registered_collections:
                self.registered_collections[node] = Numbered(collection)

        def mark_test_complete(self, node, item_index, duration=0):
            nodeid = self.registered_collections[node][item_index]
            group, given = self._split_scope(nodeid), self.assigned_work[node]
            given[group][nodeid] = True
            if all(given[group].values()):
                del given[group]
            self._reschedule(node)

    config.option.loadscopereorder = False
    return ByGroup(config, log)


class Numbered(list):
    """Names that know their places."""

    def __init__(self, names):
        super().__init__(names)
        self.places = {name: place for place, name in enumerate(self)}

    def index(self, name):
        return self.places[name]
