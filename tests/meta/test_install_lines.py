"""What a newcomer copies to install: every line works from a clone, and every extra is told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from lossary.errors import MissingExtraError, _line, install_line

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
TEXTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")]
TEXTS += [p for p in sorted((ROOT / "docs").glob("*.md")) if p.name != "changelog.md"]


def installs(text):
    """What the lines of a text give to pip, without its options."""
    return re.findall(r"pip install (?:-\S+ )*(\"[^\"]+\"|[^\s`]+)", text)


def test_the_readme_tells_of_every_extra_what_it_is_for():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## Install\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, flags=re.MULTILINE)
    assert {name for name, _ in rows} == set(EXTRAS)
    assert len(rows) == len(EXTRAS)
    assert all(len(words) > 10 for _, words in rows)


def test_all_has_every_extra_of_a_user():
    (everything,) = EXTRAS["all"]
    named = set(re.findall(r"\w+", everything.partition("[")[2]))
    # Triton is for machines with a GPU, and comes with PyTorch there.
    assert named == set(EXTRAS) - {"all", "gpu", "peers", "test", "docs"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_lines_install_from_a_clone(path):
    for what in installs(path.read_text(encoding="utf-8")):
        place, _, extras = what.strip('"').partition("[")
        assert place == ".", f"{path.name}: pip install {what}: Lossary is on no index of packages"
        assert set(filter(None, re.split(r"[],]", extras))) <= set(EXTRAS)


def test_the_first_guides_say_how_to_install():
    for name in ("README.md", "docs/start.md"):
        assert installs((ROOT / name).read_text(encoding="utf-8"))


def test_a_missing_extra_names_where_this_copy_came_from():
    line = install_line("plot")
    assert str(MissingExtraError("plot", "a picture")) == f"a picture needs an extra: {line}"
    place = re.fullmatch(r'pip install (?:-e )?"(.+)\[plot\]"', line)
    assert place
    assert (Path(place[1]) / "pyproject.toml").is_file() or place[1] == "lossary"


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        ({}, 'pip install "lossary[cpu]"'),
        ({"url": "file:///a%20b/c", "dir_info": {}}, 'pip install "/a b/c[cpu]"'),
        (
            {"url": "file:///a/c", "dir_info": {"editable": True}},
            'pip install -e "/a/c[cpu]"',
        ),
        (
            {"url": "https://a.org/l.git", "vcs_info": {"vcs": "git", "commit_id": "1"}},
            'pip install "lossary[cpu] @ git+https://a.org/l.git"',
        ),
        (
            {"url": "file:///a/l.tar.gz", "archive_info": {}},
            'pip install "lossary[cpu] @ file:///a/l.tar.gz"',
        ),
    ],
)
def test_lines_for_each_kind_of_origin(origin, line):
    assert _line("cpu", origin) == line


NEEDS = {"accuracy": "accuracy", "study": "study", "plot": "plot"}


def test_commands_of_the_readme_name_the_extra_that_they_need():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.partition("\n## The catalogue\n")[2]
    for line in re.findall(r"^lossary .*$", shown, flags=re.MULTILINE):
        command = line.split()[1]
        needs = NEEDS.get(command) if command != "plot" or "-o" in line else None
        assert not needs or f"[{needs}]" in line, f"{line}: says nothing of the extra {needs}"
