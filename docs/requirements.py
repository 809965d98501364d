"""Write the pages of what is asked of Lossary, and where each item is shown.

docs/seeds.md and docs/traps.md: the items of the seed articles, which stand in ``seeds.toml``;
tests name theirs by ``@pytest.mark.seed(4, 7)`` (errata by ``@pytest.mark.seed("E1")``).
docs/failures.md: what bug reports ask (``failures.py``). With ``--check`` nothing is written: the
script fails when an item has no test and no study, when a test names an item that does not exist,
or when a page is stale.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import failures
import pytest

from lossary.tables import Column, Table

HERE = Path(__file__).parent
ROOT = HERE.parent
COLUMNS = (Column("", numbers=True), Column("item"), Column("shown by"))
LISTED = 2  # tests beyond these are counted only, so that a row stays readable

Item = int | str
Places = dict[Item, list[str]]


class MarkerCollector:
    """A pytest plugin that notes which test carries which mark of an item, and runs none."""

    def __init__(self) -> None:
        self.places: dict[str, Places] = {"seed": defaultdict(list), "failure": defaultdict(list)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note the marks; a mark on one parameter keeps the parameter in the name."""
        for item in items:
            callspec = getattr(item, "callspec", None)
            of_parameter = list(callspec.marks) if callspec else []
            for mark in item.iter_markers():
                name = item.nodeid if mark in of_parameter else item.nodeid.partition("[")[0]
                for number in mark.args if mark.name in self.places else ():
                    if name not in self.places[mark.name][number]:
                        self.places[mark.name][number].append(name)


def collect() -> dict[str, Places]:
    """Tests by mark and item, in the order of the files."""
    collector = MarkerCollector()
    captured = io.StringIO()
    arguments = ["--collect-only", "-qq", "-p", "no:cacheprovider", str(ROOT / "tests")]
    with contextlib.redirect_stdout(captured):
        status = pytest.main([f"--rootdir={ROOT}", *arguments], plugins=[collector])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        errors = captured.getvalue().partition("= ERRORS =")[2]
        sys.exit(f"docs/requirements.py: the tests cannot be collected:\n{errors}")
    return collector.places


def where(places: Places, number: Item, studies: list[str]) -> str:
    """Studies and tests that show an item, as Markdown."""
    shown = [f"[`lossary study {study}`](studies/{study}.md)" for study in studies]
    tests = places.get(number, [])
    shown += [f"`{test}`" for test in tests[:LISTED]]
    if len(tests) > LISTED:
        shown.append(f"and {len(tests) - LISTED} more tests")
    return "<br>".join(shown)


def seeds_page(seeds: dict[str, Any], places: Places) -> str:
    """The checklist as a page."""
    lines = [
        "<!-- Written by docs/requirements.py from docs/seeds.toml and the marks of the tests. -->",
        "",
        "# Where the seed articles are shown",
        "",
        "Lossary grew from five articles on loss functions.",
        "Everything concrete that they describe has a number here,",
        "and a study or a test that shows it.",
        "What they got wrong stands under [](traps.md).",
    ]
    for section in seeds["section"]:
        rows = [
            (item["number"], item["title"], where(places, item["number"], item.get("studies", [])))
            for item in section["items"]
        ]
        lines += ["", f"## {section['title']}", "", *Table(COLUMNS, rows).markdown()]
    errata = []
    for erratum in seeds["erratum"]:
        key = f"E{erratum['number']}"
        link = f"[{erratum['title']}](traps.md#{key.lower()})"
        errata.append((key, link, where(places, key, erratum.get("studies", []))))
    lines += ["", "## Errata", "", *Table(COLUMNS, errata).markdown()]
    return "\n".join(lines) + "\n"


def traps_page(seeds: dict[str, Any], places: Places) -> str:
    """The errata as a page of traps."""
    lines = [
        "<!-- Written by docs/requirements.py from docs/seeds.toml and the marks of the tests. -->",
        "",
        "# Traps",
        "",
        "Twenty-two statements that readers of articles on loss functions meet,",
        "and what is true instead.",
    ]
    for erratum in seeds["erratum"]:
        key = f"E{erratum['number']}"
        lines += ["", f"({key.lower()})=", f"## {erratum['number']}. {erratum['title']}", ""]
        lines += [f"*Said:* {erratum['said']}", "", f"*True:* {erratum['truth'].strip()}"]
        if erratum["losses"]:
            links = ", ".join(f"[`{name}`](losses/{name}.md)" for name in erratum["losses"])
            lines += ["", f"*Losses:* {links}"]
        shown = where(places, key, erratum.get("studies", [])).replace("<br>", ", ")
        if shown:
            lines += ["", f"*Shown by:* {shown}"]
    return "\n".join(lines) + "\n"


def problems(seeds: dict[str, Any], places: Places) -> list[str]:
    """Items that nothing shows, and marks that name no item."""
    items = [item for section in seeds["section"] for item in section["items"]]
    known = {item["number"] for item in items} | {f"E{e['number']}" for e in seeds["erratum"]}
    found = [
        f"item {item['number']} ({item['title']}) is shown by no test and no study"
        for item in items
        if not item.get("studies") and not places.get(item["number"])
    ]
    return found + [
        f"{places[mark][0]} is marked seed({mark!r}); known are 1 to {len(items)} and 'E1' to "
        f"'E{len(seeds['erratum'])}'"
        for mark in places
        if mark not in known
    ]


PAGES = (
    ("seeds.md", "seed", seeds_page),
    ("traps.md", "seed", traps_page),
    ("failures.md", "failure", failures.page),
)


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them under ``--check``; 1 when something is wrong."""
    items = {
        mark: tomllib.loads((HERE / f"{mark}s.toml").read_text(encoding="utf-8"))
        for mark in ("seed", "failure")
    }
    places = collect()
    found = problems(items["seed"], places["seed"])
    found += failures.problems(items["failure"], places["failure"])
    for name, mark, page in PAGES:
        path, text = HERE / name, page(items[mark], places[mark])
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(f"docs/{name} is stale: run `python docs/requirements.py` and commit it")
    for problem in found:
        print(f"docs/requirements.py: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
