"""``docs/architecture.md`` tells the truth: its places exist, and a call goes where it says."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import lossary as L

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src/lossary"
sys.path.insert(0, str(ROOT / "docs"))

import rooms  # noqa: E402  (a script of the documentation)

PAGES = [
    rooms.PAGE,
    ROOT / "CONTRIBUTING.md",
    ROOT / "tests/README.md",
    *sorted(SOURCES.rglob("README.md")),
]
# `engine/loss.py: Loss.__call__`, `engine/loss.py` or `engine/`
PLACE = re.compile(r"`((?:\w+/)*(?:\w+\.py|\w+/))(?:: ([\w.]+))?`")


@cache
def names(path):
    """The names that a module defines, those of classes' methods with their class."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        found |= _names(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for item in node.body for name in _names(item)}
    return found


def _names(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return {target.id for target in targets if isinstance(target, ast.Name)}


def places(page):
    """The files and names that a page speaks of."""
    return PLACE.findall(page.read_text(encoding="utf-8"))


def missing(page):
    """What a page speaks of and is not there; a README's places lie beside it, or in any room."""
    lost = []
    for where, name in places(page):
        paths = [home / where for home in (SOURCES, page.parent) if (home / where).exists()]
        if not any(not name or name in names(path) for path in paths):
            lost.append(f"{where}: {name}")
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_place_that_a_page_names_exists(page):
    assert places(page)
    assert not missing(page)


def test_a_place_that_does_not_exist_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`engine/loss.py: Loss.call`, `engine/nowhere.py` and `engine/loss.py: Loss`")
    assert missing(page) == ["engine/loss.py: Loss.call", "engine/nowhere.py: "]


def steps(mark):
    """The places that a list on the page leads through."""
    text = rooms.PAGE.read_text(encoding="utf-8")
    return PLACE.findall(text.partition(f"<!-- {mark} -->")[2].partition(f"<!-- {mark} end -->")[0])


def entered(call):
    """The functions that a call enters, in the order in which it does first."""
    seen = {}

    def note(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(SOURCES):
            seen.setdefault((str(path.relative_to(SOURCES)), frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return list(seen)


PREDICTION, TARGET, MASK = np.array([0.5, 3.0, 1.0]), np.zeros(3), np.array([True, True, False])


@pytest.mark.parametrize(
    ("mark", "call"),
    [
        ("value", lambda loss: loss(PREDICTION, TARGET, mask=MASK)),
        ("gradient", lambda loss: loss.gradient(PREDICTION, TARGET, mask=MASK)),
    ],
)
def test_a_call_goes_where_the_page_says_in_that_order(mark, call):
    loss = L.loss(L.huber.formula)  # whose texts nobody has compiled yet
    taken = entered(lambda: call(loss))
    told = steps(mark)
    places = [taken.index(place) for place in told if place in taken]
    assert [place for place in told if place not in taken] == []
    assert places == sorted(places)


def test_every_room_stands_on_the_page_and_in_the_picture():
    text, picture = rooms.PAGE.read_text(encoding="utf-8"), rooms.PICTURE.read_text("utf-8")
    assert "\n".join(rooms.table()) in text, "run `python docs/generate.py`"
    assert picture == rooms.picture(), "run `python docs/generate.py`"
    assert set(rooms.DOORS) | set(rooms.LAB) <= set(rooms.rooms())


def test_rooms_only_rest_on_rooms_below():
    order = rooms.ranks(rooms.imports())
    assert all(order[a] > order[b] for a, found in rooms.imports().items() for b in found)
