"""What is said of a loss stands beside its formula, and its formula reads as it was published."""

import ast
import inspect
import subprocess
import sys
import textwrap
from importlib.resources import files

import pytest

import lossary as L
from lossary import functions, handbook
from lossary.domain import Real
from samples import LOSSES, each_loss

FAMILIES = sorted({loss.family for loss in LOSSES})


@pytest.mark.parametrize("family", FAMILIES)
def test_the_handbook_speaks_of_the_losses_of_its_family(family):
    assert set(handbook.advice(family)) <= {x.name for x in LOSSES if x.family == family}


def test_each_file_belongs_to_a_family():
    folder = files("lossary.losses") / "handbook"
    assert {file.name for file in folder.iterdir()} == {f"{family}.toml" for family in FAMILIES}


@each_loss
def test_a_sentence_that_is_named_is_there(loss):
    assert not [trap for trap in loss.traps if trap.startswith("{")]


def test_a_loss_of_ones_own_has_no_advice():
    @L.loss
    def huber(prediction: Real, target: Real):
        return abs(prediction - target)

    assert not huber.choose + "".join(huber.traps) + "".join(huber.elsewhere)


def body_of(loss):
    """The statements of a definition, without its docstring."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(loss.formula))).body
    assert isinstance(function, ast.FunctionDef)
    return function.body[1:]


@each_loss
def test_a_definition_does_not_hand_its_arguments_to_a_function(loss):
    (*_, last) = body_of(loss)
    assert isinstance(last, ast.Return)
    call = last.value
    if isinstance(call, ast.Call) and len(loss.arguments) > 1:
        handed = {a.id for a in call.args if isinstance(a, ast.Name)}
        assert not handed >= set(loss.domains), f"{loss.name} is what {ast.unparse(call)} hides"


NO_WORDS = ("nats", "faded", "miss", "residual", "_at", "_with", "gap")


@each_loss
def test_a_definition_is_written_in_words_of_the_field(loss):
    used = [n for n in loss.formula.__code__.co_names if n in vars(functions)]
    assert not [name for name in used if any(part in name for part in NO_WORDS)]


def test_importing_does_not_read_the_handbook():
    code = "import lossary; print(lossary.handbook.advice.cache_info().currsize)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0"
