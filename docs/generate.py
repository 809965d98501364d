"""Bring every committed generated text up to date; with ``--check`` only say what is stale.

These are the README's catalogue, docs/seeds.md, docs/traps.md docs/benchmarks.md and the stubs of
``lossary.torch`` and ``lossary.keras``.
The pages of the studies, of the accuracy and of the differences take minutes and are made on demand
(``--studies``, ``--accuracy``, ``--differences``). The pages of
losses are made when the documentation is built.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

import benchmarks
import differences
import seeds
import studies

import lossary
from lossary.show.pages import catalogue_table

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
START, END = "<!-- catalogue -->\n", "<!-- catalogue end -->\n"


def readme() -> str:
    """The README with the present catalogue between its marks."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f"docs/generate.py: README.md lacks {START.strip()} and {END.strip()}")
    return f"{before}{START}\n{catalogue_table(lossary.catalogue.values())}\n\n{END}{after}"


def accuracy() -> str:
    """The measured table of ``lossary accuracy`` under a heading; it takes minutes."""
    engines = ["--engine", "array", "--engine", "fused"]
    command = [sys.executable, "-m", "lossary", "accuracy", *engines, "--markdown"]
    # The exit code says whether every bar is met; the page shows what is not.
    measured = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not measured.stdout:
        sys.exit("docs/generate.py: the accuracy could not be measured")
    wide = "---\nhide-toc: true\n---\n\n"
    shown = " ".join(["lossary", *command[3:]])
    return f"{wide}# Accuracy\n\n`{shown}` measured:\n\n{measured.stdout}"


def main() -> int:
    """Write or check; 1 when something is stale or missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on stale files")
    parser.add_argument("--studies", nargs="*", metavar="NAME", help="run these, or all")
    parser.add_argument("--accuracy", action="store_true", help="measure docs/accuracy.md anew")
    parser.add_argument("--differences", action="store_true", help="ask the doors anew")
    parser.add_argument("--data", type=Path, metavar="DIRECTORY", help="MNIST's files, for mnist")
    options = parser.parse_args()

    if options.studies is not None:
        for name in options.studies or studies.studies:
            print(f"running {name}", file=sys.stderr)
            studies.write(name, options.data)
    if options.accuracy:
        (HERE / "accuracy.md").write_text(accuracy(), encoding="utf-8")
    if options.differences:
        differences.write()
    for door in ("torch", "keras"):
        if not options.check and importlib.util.find_spec(door):
            # The tests compare these stubs with the catalogue.
            subprocess.run([sys.executable, "-m", f"lossary.{door}.stubs"], check=True)
    status = seeds.main(["--check"] if options.check else [])
    for path, text in ((README, readme()), (benchmarks.PAGE, benchmarks.page())):
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
