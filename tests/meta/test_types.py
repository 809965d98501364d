"""What editors and type checkers are told: the stubs, and a user's code as pyright reads it."""

import ast
import importlib.util
import inspect
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import lossary as L
from lossary.engine.options import options_of
from lossary.typing import Options

TREE = Path(__file__).parents[2]
sys.path.insert(0, str(TREE / "docs"))

import stubs  # noqa: E402


@cache
def code(name):
    """Return a stub as a tree; a syntax error fails."""
    return ast.parse(stubs.STUBS[name]())


def names_of(tree):
    """Return the public names that a stub gives its module."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            found |= {a.asname for a in node.names if a.asname}
        elif isinstance(node, ast.AnnAssign):
            found.add(node.target.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    return {name for name in found if not name.startswith("_")}


def test_the_front_page_has_what_is_there_and_nothing_else():
    there = {*L.__all__, *L._ROOMS, *L._DOORS, "bind"}
    assert names_of(code("__init__.pyi")) == there


@pytest.mark.parametrize("loss", L.catalogue.values(), ids=lambda loss: loss.name)
def test_every_overload_has_the_arguments_of_its_loss(loss):
    body = code("__init__.pyi").body
    classes = {n.name: n for n in body if isinstance(n, ast.ClassDef)}
    losses = {n.target.id: n.annotation for n in body if isinstance(n, ast.AnnAssign)}
    kind = losses[loss.name].id
    methods = {n.name for n in classes[kind].body}
    assert methods == {
        "__call__", "gradient", "value_and_gradient", "hessian", "gradient_and_hessian"
    }  # fmt: skip
    own, derived = inspect.signature(loss).parameters, {"wrt", "out"}
    for method in classes[kind].body:
        told = {a.arg for a in (*method.args.args[1:], *method.args.kwonlyargs)}
        assert told - derived | Options.__annotations__.keys() == own.keys(), method.name
        assert [a.arg for a in method.args.args[1:]] == [a.name for a in loss.inputs]


def test_the_words_for_options_are_those_of_the_engine():
    shared = set.intersection(*(set(options_of(loss)) for loss in L.catalogue.values()))
    assert shared == {*Options.__annotations__, "reduction"}


@pytest.mark.parametrize("door", ["torch", "keras"])
def test_a_door_has_the_classes_of_its_stub(door):
    pytest.importorskip(door)
    for name in stubs.STUBS:
        folder, _, file = name.partition("/")
        if folder == door:
            inside = file.removesuffix(".pyi").removeprefix("__init__")
            module = importlib.import_module(f"lossary.{door}.{inside}".rstrip("."))
            told = {n.name for n in code(name).body if isinstance(n, ast.ClassDef)}
            assert {n for n in told if not hasattr(module, n)} == set(), name
            assert told >= {n for n in module.__all__ if inspect.isclass(getattr(module, n))}, name


def test_constructors_are_told_as_keras_has_them():
    keras = pytest.importorskip("keras")
    from lossary.keras.tables import CLASSES

    for name in CLASSES:
        told = stubs.KERAS.get(name, stubs.KERAS_PLAIN).split(", ")
        there = inspect.signature(getattr(keras.losses, name)).parameters.values()
        shared = set(stubs.KERAS_PLAIN.split(", "))
        assert told == [p.name if p.name in shared else f"{p.name}={p.default}" for p in there]


def test_a_users_code_is_judged_line_by_line(tmp_path):
    """Wrong lines are objected to by the rule that stands at their end, and right ones by none."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed")
    path = TREE / "tests" / "typed_user_code.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [line.rpartition("  # report")[2] if "  # report" in line else "" for line in lines]
    wanted = {number: f"report{mark}" for number, mark in enumerate(marks, 1) if mark}
    assert len(wanted) > 20

    stubs.write()
    source = TREE / "src"
    project = {
        "include": [path.name],
        "extraPaths": [str(source)],
        "pythonVersion": "3.11",
        "typeCheckingMode": "standard",
        "reportInvalidTypeForm": "none",  # as in the project: annotations are sets of numbers
        "reportMissingImports": "none",
    }
    shutil.copy(path, tmp_path)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(project), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "-p", str(tmp_path), "--outputjson",
               "--pythonpath", sys.executable]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(run.stdout)["generalDiagnostics"]
    rules: dict[int, set[str]] = {}
    for one in found:
        rules.setdefault(one["range"]["start"]["line"] + 1, set()).add(one["rule"])
    assert {n: lines[n - 1] for n in rules} == {n: lines[n - 1] for n in wanted}
    assert {n: rule for n, rule in wanted.items() if rule not in rules[n]} == {}
