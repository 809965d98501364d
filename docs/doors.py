"""Write the API pages of the doors, and of what else stands beside the losses, from docstrings.

Each module is imported in a process of its own, because frameworks disagree about what else is
loaded; where a framework is not installed, its page says so. ``python docs/doors.py MODULE`` prints
the page of one.
"""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lossary.tables import Column, Table

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import docstrings  # noqa: E402  (stands beside this file)

# Module: the guide that goes with it, and the parts of it that have functions of their own.
PAGES = {
    "lossary.torch": ("pytorch.md", ("functional",)),
    "lossary.keras": ("keras.md", ()),
    "lossary.tensorflow": ("tensorflow.md", ("nn",)),
    "lossary.optax": ("optax.md", ()),
    "lossary.sklearn": ("sklearn.md", ()),
    "lossary.huggingface": ("huggingface.md", ()),
    "lossary.patching": ("patching.md", ()),
    "lossary.class_weights": ("", ()),
    "lossary.pairs": ("", ()),
    "lossary.ensembles": ("", ()),
    "lossary.sequences": ("sequences.md", ()),
}


def name_of(module: str) -> str:
    """Return the name of the page of a module."""
    return module.removeprefix("lossary.")


def write(folder: Path) -> None:
    """Write all pages; those whose sources are older than they are left alone."""
    folder.mkdir(exist_ok=True)
    for module in PAGES:
        path = folder / f"{name_of(module)}.md"
        if not path.exists() or path.stat().st_mtime < _newest(module):
            path.write_text(_printed(module), encoding="utf-8")


def _newest(module: str) -> float:
    root = HERE.parent / "src" / module.replace(".", "/")
    files = [*root.glob("*.py"), Path(f"{root}.py"), Path(__file__), HERE / "docstrings.py"]
    return max(file.stat().st_mtime for file in files if file.exists())


def _printed(module: str) -> str:
    run = subprocess.run(
        [sys.executable, __file__, module],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(f"docs/doors.py: {module} failed\n{run.stderr[-2000:]}")
    return run.stdout


def page(module: str) -> str:
    """Return the page of a module: what it is, its functions and classes, the losses in it."""
    guide, parts = PAGES[module]
    head = [f"# {module}", ""]
    if guide:
        head += [f"The guide is [here](../{guide}).", ""]
    try:
        door = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = f"This page is written where {error.name} is installed; it was not."
        return "\n".join([*head, missing, ""])
    lines = [*head, *_rst(["", *_documented(door, 0)])]
    for place in [door, *(importlib.import_module(f"{module}.{part}") for part in parts)]:
        if place is not door:
            lines += ["", f"## {place.__name__}", ""]
        lines += _members(place)
    return "\n".join(lines) + "\n"


def _members(module: Any) -> list[str]:
    """Describe functions, then classes; what has a page elsewhere is listed by name."""
    ours, short, foreign = objects(module)
    lines = []
    for name, item in ours:
        kind = "class" if inspect.isclass(item) else "function"
        call = f".. py:{kind}:: {module.__name__}.{name}{_signature(item)}"
        lines += [*_rst([call, "", *_documented(item, 3), *_methods(item)]), ""]
    if short:
        columns = Column("class", code=True), Column()
        rows = [(name, _summary(item)) for name, item in short]
        lines += [*Table(columns, rows).markdown(), ""]
    if foreign:
        names = ", ".join(f"`{name}`" for name in foreign)
        lines += [f"The framework's own, under the same names: {names}.", ""]
    return lines


def objects(module: Any) -> tuple[list[Any], list[Any], list[str]]:
    """Return (name, object) to describe, those that one line tells all about, and foreign names."""
    ours: list[tuple[str, Any]] = []
    short: list[tuple[str, Any]] = []
    foreign = []
    for name in module.__all__:
        item = getattr(module, name)
        if not callable(item) or any(item is other for _, other in ours):
            continue  # a table, or a second name
        if not getattr(item, "__module__", "").startswith("lossary."):
            foreign.append(name)
        elif inspect.isclass(item) and not _methods(item) and ">>>" not in str(item.__doc__):
            short.append((name, item))
        else:
            ours.append((name, item))
    return ours, short, foreign


def _methods(item: Any) -> list[str]:
    """Describe what a class of ours can do, unless a framework's base class says that."""
    if not inspect.isclass(item) or item.__bases__ != (object,):
        return []
    lines = []
    for name, method in vars(item).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            call = f"   .. py:method:: {name}{_signature(method).replace('(self, ', '(')}"
            lines += ["", call.replace("(self)", "()"), "", *_documented(method, 6)]
    return lines


def _rst(lines: list[str]) -> list[str]:
    return ["```{eval-rst}", *lines, "```"]


def _documented(item: Any, indent: int) -> list[str]:
    text = docstrings.restructure((inspect.getdoc(item) or "").splitlines())
    return [" " * indent + line if line else "" for line in text]


def _signature(item: Any) -> str:
    """Return names and defaults; annotations are sets of numbers or Any."""
    try:
        signature = inspect.signature(item)
    except ValueError:
        return "(...)"
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    text = str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    return text if "<" not in text else "(...)"


def _summary(item: Any) -> str:
    """Return the first paragraph for a cell of a Markdown table."""
    paragraph = (inspect.getdoc(item) or "").partition("\n\n")[0]
    text = " ".join(paragraph.split()).replace("``", "`")
    for role in (":class:", ":func:", ":mod:"):
        text = text.replace(role, "")
    return text


if __name__ == "__main__":
    sys.stdout.write(page(sys.argv[1]))
