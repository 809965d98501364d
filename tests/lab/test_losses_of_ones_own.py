"""A loss in a file of one's own, on the command line: every command takes it, and errors help."""

import json
import shlex
import sys

import pytest

import lossary as L
from lossary.cli import main

GOOD = '''
import lossary as L
from lossary.domain import Positive, Real
from lossary.functions import log, sqrt
from beside import FACTOR
print("hello")
with open(__file__ + ".runs", "a") as file:
    file.write(__name__)

@L.loss
def hellinger(prediction: Positive, target: Positive):
    """The roots' squared difference."""
    return (sqrt(2 * prediction) - sqrt(2 * target)) ** 2 / 2

@L.loss()
def cauchy(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """A heavy tail."""
    return FACTOR * log(1 + abs(prediction - target) / scale)

huber = L.huber

def plain(x):
    return x

if __name__ == "__main__":
    raise SystemExit("it ran as a script")
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a good file, in which the command runs; what is imported there is forgotten."""
    (tmp_path / "mine.py").write_text(GOOD)
    (tmp_path / "beside.py").write_text("FACTOR = 2.0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("mine", "beside", "broken"):  # another test's
        monkeypatch.delitem(sys.modules, name, raising=False)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def run(capsys, folder):
    """Run a command line and return (exit code, stdout, stderr)."""

    def command(line):
        code = main(shlex.split(line))
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def refused(run, folder):
    """What a command says of a broken file: the error and its hint, with the folder left out."""

    def command(line, source=None):
        if source is not None:
            (folder / "broken.py").write_text(source)
        code, out, err = run(line)
        assert (code, out) == (2, ""), err
        assert "Traceback" not in err
        problem, hint = err.replace(f"{folder}/", "").strip().rsplit("\nhint: ", 1)
        return problem.rpartition("error: ")[2], hint

    return command


def test_every_command_takes_it(run, folder):
    assert "The roots' squared difference." in run("show mine.py:hellinger")[1]
    assert run("eval mine.py:cauchy 1 0 --scale 1")[1].splitlines()[0] == "cauchy  scale = 1"
    _code, out, _ = run("plot huber mine.py:cauchy:scale=2 --json")
    drawn = json.loads(out)["curves"]
    assert [curve["loss"] for curve in drawn] == ["huber", "cauchy"]
    assert drawn[1]["held"]["scale"] == 2
    assert run(f"show {folder}/mine.py:cauchy --latex")[0] == 0
    assert "hellinger" in run("show mine:hellinger")[1]


def test_its_help_spells_the_command_as_it_was_called(run):
    assert "lossary eval mine.py:cauchy 3 1" in run("eval mine.py:cauchy --help")[1]
    assert "for example lossary eval mine:cauchy 3 1" in run("eval mine:cauchy 3")[2]


def test_a_file_runs_once_and_never_as_a_script(run, folder):
    for place in ("mine.py", f"{folder}/mine.py", "./mine.py", "mine"):
        assert run(f"show {place}:cauchy")[0] == 0
    assert (folder / "mine.py.runs").read_text() == "mine"


def test_what_a_file_prints_stays_out_of_the_result(run):
    _, out, err = run("show mine.py:cauchy --json")
    assert json.loads(out)["name"] == "cauchy"
    assert err == "hello\n"


def test_a_file_in_a_package_is_a_module_of_it(run, folder):
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("")
    (folder / "pack" / "parts.py").write_text("OFFSET = 1.0\n")
    (folder / "pack" / "losses.py").write_text(
        "import lossary as L\nfrom lossary.domain import Real\nfrom .parts import OFFSET\n"
        "@L.loss\ndef shifted(prediction: Real, target: Real):\n"
        "    return abs(prediction - target - OFFSET)\n"
    )
    assert run("eval pack/losses.py 3 0 --json")[0] == 0
    assert run("show pack.losses:shifted")[0] == 0
    assert "pack.losses" in sys.modules


def test_a_file_whose_name_is_taken(run, folder):
    """A file called as a module of Python's own is read without standing in its way."""
    (folder / "random.py").write_text(GOOD.replace("from beside import FACTOR", "FACTOR = 2"))
    before = sys.modules["random"]
    assert run("show random.py:cauchy")[0] == 0
    assert sys.modules["random"] is before


def test_names_that_lead_nowhere(refused):
    assert refused("show min.py:cauchy") == (
        "the file min.py is not there", "did you mean mine.py?"
    )  # fmt: skip
    assert refused("show mine.py:cauchi") == (
        "mine.py has no cauchi", "did you mean mine.py:cauchy?"
    )  # fmt: skip
    assert refused("show mine.py") == (
        "mine.py has 2 losses", "choose mine.py:hellinger or mine.py:cauchy"
    )  # fmt: skip
    problem, hint = refused("show mine.py:plain")
    assert problem == "plain in mine.py is a plain function, not a loss"
    assert "@lossary.loss" in hint
    problem, hint = refused("show mina:cauchy")
    assert problem == "there is no module mina"
    assert "mina.py:NAME" in hint
    assert refused("show pack.losses:cauchy")[0] == "there is no module pack.losses"
    assert "is a notebook" in refused("show mine.ipynb:cauchy")[0]
    problem, hint = refused("show beside.py")
    assert problem == "beside.py has no loss"
    assert "@lossary.loss" in hint


@pytest.mark.parametrize(
    ("source", "problem", "hint"),
    [
        ("x = 1\ndef f(:\n", "broken.py:2: invalid syntax: def f(:", "mend the line"),
        ("import nothing_like_it\n", "broken.py:1: No module named 'nothing_like_it'", "install"),
        ("x = 1\nx / 0\n", "broken.py:2: ZeroDivisionError: division by zero", "python "),
        ("import sys\nsys.exit(3)\n", "broken.py:2: the file ends the program", "__main__"),
        (
            "import lossary as L\nfrom lossary.domain import Real\n@L.loss\n"
            "def f(prediction: Real):\n    return prediction.exp()\n",
            "broken.py:5: return prediction.exp()\na formula has no method 'exp'",
            "write exp(prediction)",
        ),
    ],
)
def test_broken_files(refused, source, problem, hint):
    said, advice = refused("show broken.py:f", source)
    assert said == problem
    assert hint in advice


def test_the_table_of_the_catalogue_is_not_for_it(refused):
    problem, hint = refused("accuracy mine.py:cauchy --library numpy")
    assert "belong to the table of the catalogue" in problem
    assert "--dtype and --json" in hint


def test_accuracy_says_where_digits_are_lost(run):
    code, out, _ = run("accuracy mine.py:hellinger")
    assert code == 1
    assert out.startswith("hellinger in float64: digits are lost\n")
    assert "sqrt(2 * prediction) - sqrt(2 * target)" in out
    assert all(len(line) <= 88 for line in out.splitlines())
    code, out, _err = run("accuracy mine.py:hellinger --json --dtype float32")
    (report,) = json.loads(out)["losses"]
    assert (code, report["dtype"], report["good"]) == (0, "float32", True)


def test_accuracy_of_the_catalogues_own(run):
    code, out, _ = run("accuracy huber --where")
    assert code == 0
    assert out.startswith("huber in float64: no digits are lost")
    assert run("accuracy --where")[0] == 2


def test_accuracy_without_mpmath(run, monkeypatch):
    from lossary.accuracy import oracle

    oracle.context.cache_clear()
    monkeypatch.setitem(sys.modules, "mpmath", None)
    code, out, err = run("accuracy mine.py:hellinger")
    assert (code, out) == (3, "")
    assert "[accuracy]" in err
    with pytest.raises(L.MissingExtraError, match="accuracy"):
        L.huber.accuracy()
    oracle.context.cache_clear()
