"""No module of the package leads back to itself by imports, wherever in a module they stand.

The layers in pyproject.toml keep rooms apart. This looks at single modules: at imports inside
functions, at those for annotations alone, and at ``import_module("lossary...")`` too.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import lossary

ROOT = Path(lossary.__file__).parent

# An import that may close a circle, and why. One that closes none any more fails the test.
ALLOWED = {
    ("lossary.definition.mistakes", "lossary.definition"): "it annotates with the record it reads",
    ("lossary.engine.ambiguity", "lossary.engine.arguments"): "it annotates with the call it reads",
    ("lossary.engine.inside", "lossary.engine.arguments"): "it annotates with the call it lays out",
    ("lossary.engine.loss", "lossary"): "a pickled loss is looked up when it comes back",
    ("lossary.engine.loss", "lossary.accuracy.diagnosis"): "accuracy() asks the room that measures",
}


def modules(root):
    """The text of each module below a package's folder, by its dotted name."""
    found = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        found[".".join(parts)] = path.read_text(encoding="utf-8")
    return found


def imported(node):
    """The names that one statement or call imports; each may be a module, or something in one."""
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [f"{module}.{name.name}" for name in names]
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []


@cache
def package():
    """The imports of this package, read once."""
    return imports(modules(ROOT))


def imports(texts):
    """Which modules of a package each of them imports."""
    found = {}
    for module, text in texts.items():
        names = [name for node in ast.walk(ast.parse(text)) for name in imported(node)]
        places = (n if n in texts else n.rpartition(".")[0] for n in names)
        found[module] = {place for place in places if place in texts and place != module}
    return found


def circle(graph):
    """One way from a module back to itself, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1][::-1]
    return []


def without(graph, edges):
    return {one: {to for to in some if (one, to) not in edges} for one, some in graph.items()}


def test_no_module_leads_back_to_itself():
    found = circle(without(package(), ALLOWED))
    assert found == [], f"a circle of imports: {' -> '.join(found)}"


@pytest.mark.parametrize("edge", ALLOWED, ids=" to ".join)
def test_what_is_allowed_still_closes_a_circle(edge):
    assert circle(without(package(), ALLOWED.keys() - {edge}))


FORMS = (
    "import own.b",
    "from own import b",
    "from own.b import something",
    "def f():\n    from own.b import something",
    "if TYPE_CHECKING:\n    from own.b import Something",
    "importlib.import_module('own.b')",
    "def f():\n    return import_module('own.b').something",
)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_import_is_seen(form):
    texts = {"own": "", "own.a": form, "own.b": "import own.c", "own.c": "from own.a import x"}
    assert sorted(set(circle(imports(texts)))) == ["own.a", "own.b", "own.c"]
    assert circle(imports(texts | {"own.c": ""})) == []
