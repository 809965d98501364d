"""Workers share the tests by groups: what one case of a loss has compiled serves the others."""

import ast
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

import lossary as L
from groups import group_of, pytest_xdist_make_scheduler
from samples import of_each_loss

pytest.importorskip("xdist")

CONFTEST = """
import json, sys
sys.path.insert(0, {tests!r})
from groups import pytest_collection_modifyitems, pytest_xdist_make_scheduler

def pytest_runtest_logreport(report):
    if report.when == "call" and hasattr(report, "node"):
        with open("who.txt", "a") as file:
            print(json.dumps([report.nodeid, report.node.gateway.id]), file=file)
"""
CASES = """
import pytest

@pytest.mark.parametrize("what", range(5))
@pytest.mark.parametrize("name", ["huber", "focal"])
def test_of_a_loss(name, what):
    pass

@pytest.mark.parametrize("what", range(5))
def test_of_all(what):
    pass
"""


TOGETHER = "pytestmark = pytest.mark.together\n"


def test_a_group_runs_in_one_worker(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST.format(tests=str(Path(__file__).parents[1])))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    together\n")
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(CASES)
    (tmp_path / "test_whole.py").write_text(CASES + TOGETHER)
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = defaultdict(set)
    for line in (tmp_path / "who.txt").read_text().splitlines():
        test, worker = json.loads(line)
        workers[group_of(test, tmp_path)].add(worker)
    assert len(workers) == 7
    assert all(len(each) == 1 for each in workers.values())
    assert len(set.union(*workers.values())) == 2


def test_a_group_is_a_loss_or_a_function_of_a_file(tmp_path):
    for name, text in {"a.py": CASES, "b.py": CASES + TOGETHER}.items():
        (tmp_path / name).write_text(text)
    assert group_of("a.py::test_y[numpy-huber-mean]", tmp_path) == ("a.py", "", "huber")
    assert group_of("a.py::TestA::test_y[numpy]", tmp_path) == ("a.py", "TestA", "")
    assert group_of("a.py::a", tmp_path) == ("a.py", "a", "")
    assert group_of("b.py::test_y[huber]", tmp_path) == ("b.py", "", "")


class Worker:
    """What the scheduler asks of a worker, without a process."""

    shutting_down, gateway = False, SimpleNamespace(id="a worker")

    def __init__(self):
        self.given = []

    def send_runtest_some(self, places):
        self.given += places

    def shutdown(self):
        self.shutting_down = True


def test_what_a_worker_has_done_is_forgotten_and_the_rest_is_not(tmp_path):
    (tmp_path / "a.py").touch()
    names = [f"a.py::test_{i}[{loss}]" for loss in ("huber", "focal", "dice") for i in range(4)]
    config = SimpleNamespace(
        rootpath=tmp_path, option=SimpleNamespace(), getvalue=lambda option: ["popen", "popen"]
    )
    log = SimpleNamespace(loadscopesched=lambda *words: None)
    scheduler = pytest_xdist_make_scheduler(config, log)
    one, two = Worker(), Worker()
    for worker in (one, two):
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, names)
    scheduler.schedule()
    assert (one.given, two.given) == ([0, 1, 2, 3], [4, 5, 6, 7])
    for place in range(5):
        scheduler.mark_test_complete(two if place == 4 else one, place)
    assert one.given[4:] == [8, 9, 10, 11]
    assert [*scheduler.assigned_work[one]] == [("a.py", "", "dice")]
    assert scheduler.remove_node(one) == names[8]  # where it ended before its time
    assert [*scheduler.workqueue] == [("a.py", "", "dice")]


def test_a_file_with_a_fixture_for_all_is_together():
    for path in Path(__file__).parents[1].glob("*/test_*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "test_groups.py" and 'scope="module"' in text:
            assert "pytest.mark.together" in text, path.name


WHOLE = {"LOSSES", *(f"L.catalogue{part}" for part in ("", ".keys()", ".values()", ".items()"))}


def loops_over_all(tree):
    """The names of the tests that go through all losses themselves."""
    return {
        test.name
        for test in ast.walk(tree)
        if isinstance(test, ast.FunctionDef) and test.name.startswith(("test_", "check_"))
        for node in ast.walk(test)
        if isinstance(node, ast.For) and ast.unparse(node.iter) in WHOLE
    }


def test_no_test_hides_the_losses_that_it_goes_through():
    """A new loss is tried with ``-k`` and its name, which chooses only what is named after it."""
    for path in Path(__file__).parents[1].glob("*/test_*.py"):
        text = path.read_text(encoding="utf-8")
        if any(f" in {whole}:" in text for whole in WHOLE):
            assert not loops_over_all(ast.parse(text)), path.name
    assert loops_over_all(ast.parse("def test_all():\n    for loss in LOSSES:\n        pass"))


def test_cases_of_one_loss_are_one_item_and_the_one_that_fails_is_named():
    cases = [
        pytest.param(loss, n, id=f"{loss.name}-{n}") for loss in (L.huber, L.dice) for n in (1, 2)
    ]

    def small(loss, n):
        assert n == 1

    through_all = of_each_loss(cases)(small)
    (mark,) = through_all.pytestmark
    assert [[case.id for case in its] for its in mark.args[1]] == [
        ["huber-1", "huber-2"],
        ["dice-1", "dice-2"],
    ]
    with pytest.raises(AssertionError) as caught:
        through_all(cases[:2])
    assert caught.value.__notes__ == ["case: huber-2"]
