"""Bring every committed generated text up to date; with ``--check`` only say what is stale.

These are the README's catalogue, the tables of docs/boosters.md and docs/architecture.md with its
picture, docs/seeds.md, docs/traps.md, docs/failures.md, docs/benchmarks.md, docs/peers.md and
docs/accuracy.md; the type stubs, which are not committed, are written too. What takes minutes is
made on demand: the pages of the studies and of the differences (``--studies``, ``--differences``),
the measured accuracy (``--accuracy``) and the answers of other packages (``--peers``). The pages of
losses are made when the documentation is built.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import benchmarks
import differences
import exactness
import requirements
import rooms
import side_by_side
import stubs
import studies

import lossary
from lossary.lookup import built_ins
from lossary.show.pages import catalogue_table
from lossary.tables import Column, Table

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BOOSTERS = HERE / "boosters.md"


def between_marks(path: Path, mark: str, table: str) -> str:
    """The text of a page with a table between its marks."""
    start, end = f"<!-- {mark} -->\n", f"<!-- {mark} end -->\n"
    before, _, rest = path.read_text(encoding="utf-8").partition(start)
    _, found, after = rest.partition(end)
    if not found:
        sys.exit(f"docs/generate.py: {path.name} lacks {start.strip()} and {end.strip()}")
    return f"{before}{start}\n{table}\n\n{end}{after}"


def readme() -> str:
    """The README with the present catalogue between its marks."""
    return between_marks(README, "catalogue", catalogue_table(lossary.catalogue.values()))


def boosters() -> str:
    """The page of the boosters with how near each built-in objective is reached."""
    columns = [
        Column(name) for name in ("host", "objective", "loss", "margins differ at most by", "")
    ]
    rows = []
    for row in built_ins():
        near = (
            row.same if isinstance(row.same, str) else f"{row.same:g}" if row.same else "0, equal"
        )
        rows.append((row.host, f"`{row.name}`", f"`{row.loss}`", near, row.why))
    return between_marks(BOOSTERS, "objectives", "\n".join(Table(columns, rows).markdown()))


def architecture() -> str:
    """The page of the architecture with the rooms that there are."""
    return between_marks(rooms.PAGE, "rooms", "\n".join(rooms.table()))


def main() -> int:
    """Write or check; 1 when something is stale or missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on stale files")
    parser.add_argument("--studies", nargs="*", metavar="NAME", help="run these, or all")
    parser.add_argument("--accuracy", nargs="*", metavar="LOSS", help="what changed, these, or all")
    parser.add_argument("--differences", action="store_true", help="ask the doors anew")
    parser.add_argument("--peers", nargs="*", metavar="PACKAGE", help="ask these, or all, anew")
    parser.add_argument("--data", type=Path, metavar="DIRECTORY", help="MNIST's files, for mnist")
    options = parser.parse_args()

    if options.studies is not None:
        for name in options.studies or studies.studies:
            print(f"running {name}", file=sys.stderr)
            studies.write(name, options.data)
    if options.accuracy is not None:
        exactness.measure(options.accuracy)
    if options.differences:
        differences.write()
    if options.peers is not None:
        side_by_side.measure(options.peers)
    if not options.check:
        stubs.write()
    status = requirements.main(["--check"] if options.check else [])
    pages = {
        README: readme(),
        BOOSTERS: boosters(),
        rooms.PAGE: architecture(),
        rooms.PICTURE: rooms.picture(),
        benchmarks.PAGE: benchmarks.page(),
        side_by_side.PAGE: side_by_side.page(),
        exactness.PAGE: exactness.page(),
    }
    for path, text in pages.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.name} is stale: run `python docs/generate.py`", file=sys.stderr)
            status = 1
    if not options.check:
        benchmarks.draw()
    for name in studies.stale():
        command = f"python docs/generate.py --studies {name}"
        print(f"docs/studies/{name}.md is stale: run `{command}`", file=sys.stderr)
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
