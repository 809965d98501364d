"""Whatever the width of a terminal: no line is wider, no word is lost, and no number is broken."""

from __future__ import annotations

import re
import shlex
import sys
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

import lossary as L
from lossary.accuracy.samples import CANCELLING, RANGE, SUBNORMAL
from lossary.accuracy.table import Error, Row
from lossary.accuracy.table import Table as Measured
from lossary.cli import main, program
from lossary.study import print_report, run
from lossary.tables import Column, Table
from lossary.terminal import import_tensorflow

RESULTS = Path(__file__).parents[2] / "benchmarks/results/cpu-2-cores-large.json"
WIDTHS = (60, 80, 120)


def examples(command):
    """The command lines that a command's help shows and that take no time."""
    lines = [line.strip() for line in (command.help or "").splitlines()]
    shown = [re.split(r"\s{3,}", line)[0] for line in lines if line.startswith("lossary ")]
    slow = r"[|>]|-o |--latex|--text|study \w|accuracy|bench(?! --list)|warm|plot|mine"
    return [line.removeprefix("lossary ") for line in shown if not re.search(slow, line)]


LINES = [
    *(line for command in program.commands.values() for line in examples(command)),
    *(f"show {name}" for name in L.catalogue),
    "eval huber 1.23456789123456789,2,3 0,0,0 --weight 0.1,2,0",
    "eval focal '0.1,0.2;0.3,0.4' '1,0;0,1' --gamma 1.7",
    "eval cross_entropy '0.1,0.2;0.3,0.4' 0,1 --class-weight 1,3",
    "eval gaussian 1.1,2 0,0 1.3,1.7 --wrt variance",
    f"bench --read {shlex.quote(str(RESULTS))}",
]


MINE = """
import lossary as L
from lossary.domain import Real

@L.loss
def my_loss(prediction: Real, target: Real):
    return (prediction - target) ** 2
"""


@pytest.fixture
def shown(capsys, monkeypatch, tmp_path):
    """What a command line prints at a width, where a file has the loss that the help speaks of."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)

    def command(line, width):
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(shlex.split(line)) == 0
        return capsys.readouterr().out

    return command


def words(text):
    """The words and numbers of a print; a call may break after its bracket."""
    return {word.removesuffix(":") for word in text.replace("(", "( ").split()}


def complete(narrow, wide, width):
    """Assert that a print has no long line, and every word and number of a wider one."""
    long = [line for line in narrow.splitlines() if cell_len(line) > width]
    assert not long
    lost = words(wide) - words(narrow)
    assert not {word for word in lost if word.isascii()}  # Chinese breaks anywhere


@pytest.mark.parametrize("line", LINES)
def test_commands_lose_nothing(shown, line):
    wide = shown(line, 300)
    assert wide
    for width in WIDTHS:
        complete(shown(line, width), wide, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_curves_fit(shown, width):
    out = shown("plot generalized_cross_entropy_from_probabilities huber:delta=0.25", width)
    assert max(map(cell_len, out.splitlines())) <= width


def printed(thing, width):
    """What is printed of a thing at a width: ``thing`` is given the console."""
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        thing(console)
    return capture.get()


def test_a_study_loses_nothing():
    report = run("neuron")  # the others print the same way; test_studies.py has them
    for width in WIDTHS:
        complete(*(printed(partial(print_report, report), w) for w in (width, 400)), width)


def test_accuracy_loses_nothing():
    kinds = product(("value", "gradient"), (RANGE, CANCELLING, SUBNORMAL))
    errors = {f"{what} {kind}": Error(1234567.0, 0.123, 9) for what, kind in kinds}
    who = [("torch", None), ("torch", "torch binary_cross_entropy_with_logits")]
    rows = [Row("huber", a, b, "float32", "4 (1 + γ)", errors, tuple(errors)) for a, b in who]
    table = Measured(tuple(rows), 9, 0)
    for width in WIDTHS:
        complete(printed(table.print, width), printed(table.print, 300), width)


ROWS = [["a long name of a loss", "12345678.9", "many words that can stand below each other"]]
COLUMNS = [Column("name"), Column("the number", numbers=True), Column("words")]


@pytest.mark.parametrize("width", [*range(24, 80), 200])
def test_a_table_of_any_width_is_whole(width):
    console = Console(width=width)
    with console.capture() as capture:
        Table(COLUMNS, ROWS).print(console)
    complete(capture.get(), "12345678.9 the number " + " ".join(ROWS[0]), width)


def test_a_wide_table_is_one_line_for_each_row():
    console = Console(width=100)
    with console.capture() as capture:
        Table(COLUMNS, ROWS).print(console)
    assert capture.get().count("\n") == 2


def test_only_the_notes_of_tensorflow_are_dropped(tmp_path, monkeypatch, capfd):
    (tmp_path / "tensorflow.py").write_text(
        "import os\n"
        "os.write(2, b'WARNING: All log messages before absl::InitializeLog() is called ...\\n')\n"
        "os.write(2, b'I0000 00:00:1.2  34 port.cc:153] oneDNN custom operations are on.\\n')\n"
        "os.write(2, b'a real problem\\n')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    import_tensorflow()
    del sys.modules["tensorflow"]
    assert capfd.readouterr().err == "a real problem\n"
