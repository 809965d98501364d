"""The command line: results on stdout, talk on stderr, exit codes, and help that is true."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

import lossary as L
from lossary.cli import lab, main, program
from lossary.definition import PROMISES
from lossary.errors import install_line

COLOUR = re.compile(r"\x1b\[(?:\d+;)*3\d(?:;\d+)*m")


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    """80 columns without colours, as in a pipe."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys):
    """Run a command line and return (exit code, stdout, stderr)."""

    def command(line):
        code = main(shlex.split(line))
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def result(run):
    """Run a command line that must succeed and return what its --json says."""

    def command(line):
        code, out, err = run(f"{line} --json")
        assert (code, err) == (0, "")
        data = json.loads(out)
        assert data["schema"] == 1
        return data

    return command


@pytest.fixture
def refused(run):
    """Run a command line that must be refused, and return its error and its hint."""

    def command(line, code=2):
        status, out, err = run(line)
        assert (status, out) == (code, "")
        problem, hint = err.strip().rsplit("\nhint: ", 1)
        assert problem.startswith("error: ")
        assert "Traceback" not in err
        return problem.removeprefix("error: "), hint

    return command


def examples(help_text):
    """The command lines that a help text shows, without their explanations."""
    lines = (line.strip() for line in help_text.splitlines())
    return [re.split(r"\s{3,}", line)[0] for line in lines if line.startswith("lossary ")]


# Help.


def test_without_arguments_it_introduces_itself(run):
    code, out, err = run("")
    assert (code, err) == (0, "")
    assert all(name in out for name in program.commands)


def test_version(run):
    assert run("--version") == (0, f"lossary {L.__version__}\n", "")


@pytest.mark.parametrize("name", program.commands)
def test_each_help_teaches_with_examples(run, name):
    code, out, _ = run(f"{name} --help")
    assert code == 0
    assert len(examples(out)) >= 2
    assert max(map(len, out.splitlines())) <= 88


CHEAP = [
    line
    for command in (program, *program.commands.values())
    for line in examples(command.help)
    if not re.search(r"[|>]|-o |study|accuracy|bench|warm", line)
]


MINE = """
import lossary as L
from lossary.domain import Positive, Real

@L.loss
def my_loss(prediction: Real, target: Real, *, scale: Positive = 1.0):
    return abs(prediction - target) / scale
"""


@pytest.mark.parametrize("line", CHEAP)
def test_examples_of_the_help_work(run, line, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(line.removeprefix("lossary "))
    assert code == 0
    assert out


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", L.catalogue)
def test_each_loss_has_help_whose_examples_work(run, name):
    code, out, _ = run(f"eval {name} --help")
    assert code == 0
    lines = examples(out)
    assert len(lines) == 2
    assert all(f"--{a.name.replace('_', '-')} " in out for a in L.catalogue[name].arguments)
    for line in lines:
        code, out, err = run(line.removeprefix("lossary "))
        assert (code, err) == (0, "")
        assert out.startswith(name)


# list


def test_list_names_every_loss_once(run):
    code, out, err = run("list")
    assert (code, err) == (0, "")
    assert re.findall(r"^  (\w+)", out, flags=re.MULTILINE) == list(L.catalogue)


def test_list_of_a_task(result):
    names = [loss["name"] for loss in result("list --task regression")["losses"]]
    assert names == [n for n, loss in L.catalogue.items() if loss.family == "regression"]
    assert "huber" in names


@pytest.mark.parametrize("promise", PROMISES)
def test_list_of_a_promise(result, promise):
    names = {loss["name"] for loss in result(f"list --promise {promise}")["losses"]}
    assert names == {n for n, loss in L.catalogue.items() if promise in loss.promises}


def test_several_promises_must_all_hold(result):
    found = result("list --promise convex --promise bounded-gradient")["losses"]
    assert "absolute_error" in [loss["name"] for loss in found]
    assert all({"convex", "bounded_gradient"} <= set(loss["promises"]) for loss in found)


def test_unknown_promise_names_the_known_ones(refused):
    problem, _ = refused("list --promise convx")
    assert all(promise in problem for promise in PROMISES)


# show


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", L.catalogue)
def test_show_tells_what_the_record_has(run, name):
    loss = L.catalogue[name]
    code, out, err = run(f"show {name}")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    for text in (loss.choose, *loss.traps, *map(str, loss.domains.values())):
        assert " ".join(text.split()) in words.replace("* ", "") or _wrapped(text, out)
    assert all(alias in words for alias in loss.elsewhere)
    assert max(map(len, out.splitlines())) <= 80
    assert not re.search(r"[ \t]+$|\x1b", out, flags=re.MULTILINE)


def _wrapped(text, out):
    """Whether a text stands in a column beside another one, broken into lines."""
    return all(word in out for word in text.split())


def test_show_prints_the_textbook_formula(run):
    _, out, _ = run("show huber")
    assert "½ (ŷ - y)²         if |ŷ - y| ≤ δ" in out
    assert "δ (|ŷ - y| - ½ δ)  otherwise" in out
    assert "δ sgn(ŷ - y)  otherwise" in out


def test_show_understands_names_of_other_libraries(run):
    code, out, err = run("show tf.keras.losses.MSLE")
    assert (code, err) == (0, "tf.keras.losses.MSLE is squared_log_error here\n")
    assert out.startswith("squared_log_error")


def test_show_latex(run):
    loss = L.huber
    assert run("show huber --latex")[1].splitlines() == [
        loss.latex,
        loss.gradient_latex,
        loss.hessian_latex,
    ]
    assert run("show huber --latex --order 1")[1] == loss.gradient_latex + "\n"


@pytest.mark.parametrize("target", ["numpy", "torch", "jax", "tensorflow"])
def test_show_text_is_one_module(run, target):
    code, out, _ = run(f"show focal --text {target}")
    assert code == 0
    compile(out, target, "exec")
    assert out.count("def focal") == 3
    assert len(re.findall(r"^import ", out, flags=re.MULTILINE)) == 1


def test_the_shown_text_computes_the_loss(run):
    space = {}
    exec(run("show huber --text numpy --order 1")[1], space)
    x, y = np.array([3.0, 0.5]), np.array([0.0, 0.0])
    assert space["huber_gradient_prediction"](x, y, 1.0).tolist() == [1.0, 0.5]


def test_show_json(result):
    data = result("show huber")
    assert data["formulas"]["value"]["latex"] == L.huber.latex
    assert [a["name"] for a in data["arguments"]] == ["prediction", "target", "delta"]
    assert data["arguments"][2]["default"] == 1.0


def test_unknown_name_gets_the_nearest(refused):
    assert refused("show hubr") == (
        "no loss is called 'hubr' here or elsewhere",
        "did you mean huber?",
    )


def test_order_alone_is_refused(refused):
    assert "--latex or --text" in refused("show huber --order 1")[0]


# eval


def test_eval_with_options(result):
    data = result("eval huber --prediction 3 --target 0 --delta 1")
    assert (data["value"], data["gradient"], data["second_derivative"]) == (2.5, 1.0, 0.0)
    assert data["arguments"] == {"prediction": 3.0, "target": 0.0, "delta": 1.0}


def test_eval_of_the_confident_class(result):
    data = result("eval cross_entropy 17,0 0")
    assert data["value"] == pytest.approx(4.139938e-08, rel=1e-6)
    assert data["gradient"] == pytest.approx([-4.139938e-08, 4.139938e-08], rel=1e-6)


def test_eval_of_rows(result):
    data = result("eval cross_entropy '1,2;3,4' 0,1 --reduction none")
    assert data["value"] == pytest.approx([1.3132616875182228, 0.31326168751822286], rel=1e-15)
    assert np.shape(data["gradient"]) == (2, 2)


@pytest.mark.parametrize("line", ["-3 -1", "--prediction -3 --target -1", "-3 --target=-1"])
def test_negative_numbers_are_not_options(result, line):
    data = result(f"eval huber {line} --delta 5")
    assert data["arguments"]["prediction"] == -3.0
    assert (data["value"], data["gradient"]) == (2.0, -2.0)


@pytest.mark.parametrize("text", ["'[[1, 2], [3, 4]]'", "'1,2;3,4'", "'1 2; 3 4'", "'1, 2;3, 4'"])
def test_ways_to_write_rows(result, text):
    data = result(f"eval squared_error {text} 0,0;0,0 --reduction sum")
    assert data["value"] == 30.0


def test_options_of_the_contract(result):
    line = "eval squared_error 1,2,3 0,0,0"
    assert result(f"{line} --weight 1,0,1")["value"] == 5.0
    assert result(f"{line} --mask 1,yes,0")["value"] == 2.5
    assert result(f"{line} --denominator 7")["value"] == 2.0
    assert result(f"{line} --reduction sum")["gradient"] == [2.0, 4.0, 6.0]
    weighted = result("eval cross_entropy 0,0 1 --class-weight 1,3 --reduction sum")
    assert weighted["value"] == pytest.approx(3 * math.log(2), rel=1e-15)
    assert result("eval cross_entropy '1,2;3,4' 0,9 --ignore_index 9")["gradient"][1] == [0.0, 0.0]
    assert result("eval cross_entropy '1,2;3,4' 0,1 --axis 0")["arguments"]["label"] == [0, 1]


def test_derivatives_by_another_argument(result):
    line = "eval margin_ranking 1 2 1 --margin 0.5"
    assert result(line)["gradient"] == -1.0
    assert result(f"{line} --wrt second")["gradient"] == 1.0


def test_float32_computes_in_float32(result):
    single = result("eval log_cosh 0.1 0 --dtype float32")["value"]
    assert single == float(L.log_cosh(np.float32(0.1), np.float32(0)))
    assert single != result("eval log_cosh 0.1 0")["value"]


def test_infinity_survives_json(result):
    data = result("eval binary_cross_entropy -inf 1")
    assert data["value"] == "inf"
    assert data["arguments"]["logit"] == "-inf"


def test_eval_prints_every_digit(run):
    _, out, _ = run("eval cross_entropy 17,0 0")
    assert repr(float(L.cross_entropy([17.0, 0.0], 0))) in out


def test_eval_prints_a_line_per_element(run):
    _, out, _ = run("eval squared_error 1,-2 0,0")
    assert "mean of 2: 2.5" in out
    assert [line.split() for line in out.splitlines()[-2:]] == [
        ["1", "0", "1", "1", "1"],
        ["-2", "0", "4", "-2", "1"],
    ]


@pytest.mark.parametrize(
    ("options", "words", "last"),
    [
        (
            "--weight 1,2,0",
            "mean of 2 (1 left out), with weights that add up to 3: 3",
            "3 0 0 – 0 0",
        ),
        ("--mask 0,1,1", "mean of 2 (1 left out): 6.5", "3 0 1 9 3 1"),
        (
            "--weight 2 --reduction sum",
            "sum of 3, with weights that add up to 6: 28",
            "3 0 2 9 12 4",
        ),
        ("--denominator 7", "sum of 3, divided by 7: 2", "3 0 9 0.8571428571428571 "),
        ("--mask 0,0,0", "mean of 0 (3 left out): 0", "3 0 0 – 0 0"),
    ],
)
def test_eval_counts_what_counts_and_keeps_the_weight_apart(run, options, words, last):
    _, out, _ = run(f"eval squared_error 1,2,3 0,0,0 {options}")
    assert words in out.splitlines()
    assert " ".join(out.splitlines()[-1].split()).startswith(last)


def test_eval_weighs_rows_by_their_class(run):
    _, out, _ = run("eval cross_entropy '0,0;0,0;5,nan' 0,1,7 --class-weight 1,3 --ignore-index 7")
    assert "mean of 2 (1 left out), with weights that add up to 4: 0.6931471805599453" in out
    assert "row 1: label = 1, weight = 3, loss = 0.6931471805599453" in out
    assert "row 2: label = 7, weight = 0, loss = –" in out


def test_eval_by_a_foreign_name(run):
    code, out, err = run("eval torch.nn.HuberLoss 3 0")
    assert (code, err) == (0, "torch.nn.HuberLoss is huber here\n")
    assert "2.5" in out


@pytest.mark.parametrize(
    ("line", "problem", "hint"),
    [
        ("eval", "NAME is missing", "lossary eval --help"),
        ("eval hubr 1 2", "no loss is called 'hubr'", "did you mean huber?"),
        ("eval huber 3", "huber needs --target (a finite number)", "lossary eval huber 3 1"),
        ("eval huber 1 2 -3", "huber has no place for -3", "lossary eval huber 3 1"),
        ("eval huber a 1", "prediction: 'a' is not a number", "1e-3"),
        ("eval huber '[1,' 1", "prediction: cannot read '[1,'", "JSON"),
        ("eval huber ', ' 1", "prediction: there is no number", "1,2,3"),
        ("eval huber '1,2;3' 0", "rows of '1,2;3' differ in length", "same length"),
        ("eval huber 1,2 1", "target must have the shape of prediction", "never broadcast"),
        ("eval huber 1 0 --mask 2", "mask: '2' is not a mask", "0 and 1"),
        ("eval huber 1 0 --dela 2", "there is no option --dela", "did you mean --delta?"),
        ("eval huber --delta", "--delta", "lossary eval huber --help"),
        ("eval huber 1 0 --delta -1", "delta must be a finite number above 0", "eval huber --help"),
        ("eval focal 0.3 0.3", "focal: target must be 0 or 1, got 0.3", "binary_cross_entropy"),
        ("eval cross_entropy 1,2 2", "a class index from 0 to 1, got 2", "count from 0"),
        ("eval cross_entropy 1,2 0.5", "label must be integers", "integer cast"),
        ("eval balanced_cross_entropy 1 1", "--positives (a finite number above 0)", "eval"),
        ("eval huber nan 1", "prediction must be a finite number, got nan", "mask="),
        ("lst", "there is no command lst", "did you mean list?"),
        ("list --tsk margin", "there is no option --tsk", "did you mean --task?"),
        ("show", "NAME is missing", "lossary show --help"),
    ],
)
def test_wrong_use_says_what_and_what_to_do(refused, line, problem, hint):
    said, fix = refused(line)
    assert problem in said
    assert hint in fix


# study


def test_study_lists_the_studies(run, result):
    from lossary.study import studies

    assert [item["name"] for item in result("study")["studies"]] == list(studies)
    assert all(name in run("study")[1] for name in studies)


def test_study_runs(result, run):
    data = result("study neuron --set steps=3")
    assert data["study"] == "neuron"
    assert data["settings"]["steps"] == 3
    code, out, err = run("study neuron --set steps=3")
    assert (code, err) == (0, "")
    assert "What was learned" in out


def test_study_draws(run, tmp_path):
    path = tmp_path / "neuron.svg"
    code, _, err = run(f"study neuron --set steps=3 -o {path}")
    assert (code, err) == (0, f"wrote {path}\n")
    assert "<svg" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "problem", "hint"),
    [
        ("study nuron", "no study is called 'nuron'", "did you mean neuron?"),
        ("study neuron --set stps=1", "study neuron has no setting 'stps'", "steps="),
        (
            "study neuron --set steps=many",
            "steps must be a positive whole number, got 'many'",
            "default",
        ),
        ("study neuron -o a.pdf", "a picture ends in .png or .svg", "a.png"),
        ("study neuron -o no/such/a.png", "there is no folder", "create it"),
        ("study neuron --seed -1", "--seed", "lossary study --help"),
        ("study mnist --data nowhere", "--data", "lossary study --help"),
    ],
)
def test_wrong_use_of_study(refused, line, problem, hint):
    said, fix = refused(line)
    assert problem in said
    assert hint in fix


def test_a_study_asks_for_all_that_it_lacks_at_once(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert refused("study neuron -o a.png", code=3)[1] == install_line("study")


def test_a_missing_extra_prints_the_line_that_installs_it(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    _, hint = refused("study digits", code=3)
    assert hint == install_line("study")


# accuracy


@pytest.fixture
def measured(monkeypatch):
    """Two measurements in place of the real one, which takes seconds; returns what was asked."""
    from lossary.accuracy.table import Error, Row, Table

    errors = {"value over the range": Error(0.5, 0.0, 10)}
    asked = {"met": True}

    def measure(names, libraries, dtypes, progress=None, engines=(), processes=1):
        asked.update(names=list(names), libraries=list(libraries), dtypes=list(dtypes))
        progress(1, 1, "huber")
        missed = () if asked["met"] else tuple(errors)
        own = Row("huber", "numpy", None, "float64", "2", errors, missed)
        peer = Row("huber", "numpy", "peer", "float64", "", errors, tuple(errors))
        return Table((own, peer), 10, 0)

    monkeypatch.setattr("lossary.accuracy.measure", measure)
    return asked


def test_accuracy_measures_what_is_asked(measured):
    line = "accuracy torch.nn.HuberLoss focal --library numpy --library jax --dtype float32"
    code = main(shlex.split(line))
    assert code == 0
    assert measured["names"] == ["huber", "focal"]
    assert measured["libraries"] == ["numpy", "jax"]
    assert measured["dtypes"] == ["float32"]


def test_a_log_shows_what_is_measured(measured, run, monkeypatch):
    """Where there is no terminal, a line now and then; of short work, none."""
    assert "accuracy:" not in run("accuracy huber")[2]
    monkeypatch.setattr("lossary.cli.lab.BETWEEN", 0)
    assert "accuracy: 1 of 1 after 0 s, now huber\n" in run("accuracy huber")[2]


def test_accuracy_in_three_forms(measured, run, result):
    assert "Of 1 cases these meet their bar: 1 over the range" in run("accuracy huber")[1]
    assert run("accuracy huber --markdown")[1].count("| `huber` |") == 1
    assert [row["missed"] for row in result("accuracy huber")["rows"]] == [[], []]


def test_a_missed_bar_is_a_problem(measured, run):
    measured["met"] = False
    code, out, err = run("accuracy huber")
    assert (code, err) == (1, "1 of 1 cases miss their bar\n")
    assert out


def test_one_form_at_a_time(measured, refused):
    assert "exclude each other" in refused("accuracy huber --json --markdown")[0]


# Manners.


def test_interruption_is_quiet(run, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("lossary.study.run", interrupted)
    code, out, err = run("study neuron")
    assert (code, out, err.strip()) == (130, "", "interrupted")


def test_a_full_disk_is_a_problem_not_a_usage_error(refused, monkeypatch, tmp_path):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", "a.svg")

    monkeypatch.setattr("lossary.picture.save", full)
    problem, _ = refused(f"plot huber -o {tmp_path / 'a.svg'}", code=1)
    assert problem == "a.svg: No space left on device"


def fresh(*arguments, **environment):
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "lossary", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def test_a_reader_that_has_seen_enough_is_no_error():
    with fresh("plot", "huber", "focal", "--json") as process:  # more than a pipe holds
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_terminal_without_unicode_still_shows_the_formula():
    out, err = fresh("show", "huber", PYTHONIOENCODING="ascii").communicate()
    assert err == b""
    assert b"otherwise" in out


def test_colours_when_asked_and_none_with_no_color(run, monkeypatch):
    assert "\x1b" not in run("list")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert COLOUR.search(run("list")[1])
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOUR.search(run("list")[1])


def test_module_and_script_are_one_command():
    out, _ = fresh("--version").communicate()
    assert out.decode().split() == ["lossary", L.__version__]


def test_progress_off_a_terminal_is_a_line_now_and_then(monkeypatch, capsys):
    """In the log of a machine, half an hour without a word looks like a machine that hangs."""
    now = [100.0]
    monkeypatch.setattr(lab.time, "monotonic", lambda: now[0])
    with lab.progress("bench") as report:
        for done in range(40):
            report(done, 40, f"case {done}")
            now[0] += 1.0
    assert capsys.readouterr().err.splitlines() == [
        "bench: 15 of 40 after 15 s, now case 15",
        "bench: 30 of 40 after 30 s, now case 30",
    ]
