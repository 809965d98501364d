"""``lossary warm``: what it compiles is what a call needs, and its cache can be looked after."""

import json
import os
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

import lossary as L
from lossary.cli import main
from lossary.engine.forms import SHORT
from lossary.errors import install_line
from lossary.kernels import modules
from samples import by, of_each_loss

pytest.importorskip("numba")

warm = import_module("lossary.cli.warm")  # in the package the command itself is called so


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for kernels that only this test has."""
    folder = tmp_path / "kernels" / "0123456789ab"
    folder.mkdir(parents=True)
    monkeypatch.setattr(modules, "directory", lambda: folder)
    return folder


def in_a_process(arguments, cache):
    ran = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "LOSSARY_CACHE_DIR": str(cache)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout


def test_what_is_warm_needs_no_compiling(tmp_path):
    command = ["-m", "lossary", "warm", "torch.nn.HuberLoss", "--dtype", "float32", "--json"]
    first = json.loads(in_a_process(command, tmp_path))
    assert first["losses"] == ["huber"]
    assert (first["compiled"], first["kernels"]) == (2, 2)
    assert first["directory"].startswith(str(tmp_path))
    assert first["bytes"] > 10_000
    assert json.loads(in_a_process(command, tmp_path))["compiled"] == 0

    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    call = "x = np.ones((3, 5), 'f4'); L.huber(x, x); L.huber.value_and_gradient(x, x)"
    program = f"import numpy as np, lossary as L\nwith L.using(engine='fused'):\n    {call}"
    in_a_process(["-c", program], tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == files


def test_rows_of_both_kinds_are_warmed():
    assert min(warm.CLASSES) <= min(SHORT.values())
    assert max(warm.CLASSES) > max(SHORT.values())
    tasks = list(warm._work([L.cross_entropy], ["float32"], hessian=True))
    assert len(tasks) == 6
    assert {task.method for task in tasks} == {"__call__", "value_and_gradient", "hessian"}


@of_each_loss(by(warm.DTYPES))
def test_the_data_that_warm_a_loss_lie_in_their_sets(loss, dtype):
    for task in warm._work([loss], [dtype], hessian=False):
        arrays = [warm._array(a.domain, dtype, task.classes) for a in loss.inputs]
        required = {a.name: warm._number(a.domain.inside) for a in loss.parameters if a.required}
        assert all(number not in {0, 1, 2} for number in required.values())
        assert not np.isnan(loss(*arrays, **required))  # infinite for bounds that are equal


def test_clear_removes_the_kernels_of_other_versions(place, capsys):
    old, foreign = place.parent / "ba9876543210", place.parent / "notes"
    for folder in (place, old, foreign):
        folder.mkdir(exist_ok=True)
        (folder / "huber_1.py").write_text("a kernel")
    assert main(["warm", "--clear"]) == 0
    out, err = capsys.readouterr()
    assert err == "removed 1 kernels of other versions, 0.0 MB\n"
    assert out == f"1 kernels, 0.0 MB, in\n{place}\n"
    assert not old.exists()
    assert (place / "huber_1.py").exists()
    assert (foreign / "huber_1.py").exists()
    assert main(["warm", "--clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed_kernels"] == 0


def test_clear_stands_alone(place, capsys):
    assert main(["warm", "huber", "--clear"]) == 2
    assert "--clear stands alone" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, capsys):
    monkeypatch.setattr(modules, "directory", lambda: None)
    assert main(["warm", "huber"]) != 0
    assert "set LOSSARY_CACHE_DIR to one that can" in capsys.readouterr().err


def test_without_numba_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(warm, "find_spec", lambda name: None)
    assert main(["warm", "huber"]) == 3
    assert install_line("cpu") in capsys.readouterr().err


def test_an_unknown_loss_has_a_neighbour(capsys):
    assert main(["warm", "hubre"]) == 2
    assert "huber" in capsys.readouterr().err
