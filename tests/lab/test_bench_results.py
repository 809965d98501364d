"""The benchmark's results: whether they are worth keeping, targets, pairs, files, the command."""

# pyflakes does not see that fixtures are used
# ruff: noqa: F401, F811

from __future__ import annotations

import importlib
import itertools
import json
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench_runs import BIG, HUBER, clock, little_runs, results_of, row
from lossary.bench import (
    CONTESTANTS,
    BusyError,
    Case,
    ResultsError,
    Settings,
    cases,
    from_json,
    load,
    machine,
    measure,
    quiet,
    report,
    save,
    to_json,
    units,
)
from lossary.bench.contestants import ours, plain, pytorch
from lossary.bench.pairs import PAIRS, ratios
from lossary.bench.picture import draw_ratios, name, ordered
from lossary.bench.results import Absent
from lossary.bench.start import STARTING, starting
from lossary.bench.targets import CLOCK, GRADIENT, LIMIT, START, TARGETS, Target, judge
from lossary.bench.work import MASK, TRAINING, VALUE, WEIGHT
from lossary.cli import main

# A quiet machine.

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's counters")


def counts(clock, everybody, own):
    return quiet.Counts(clock, everybody, own)


def test_the_work_of_others_is_what_neither_this_process_nor_its_children_did():
    assert counts(12.0, 103.0, 51.0).others(counts(10.0, 100.0, 50.0)) == pytest.approx(1.0)
    assert counts(12.0, 100.9, 51.0).others(counts(10.0, 100.0, 50.0)) == 0.0
    assert counts(10.01, 103.0, 51.0).others(counts(10.0, 100.0, 50.0)) is None


@pytest.fixture
def busy(monkeypatch):
    """Let others have a number of processors from now on."""

    def make(processors):
        ticks = itertools.count()

        def count():
            passed = float(next(ticks))
            return counts(passed, passed * processors, 0.0)

        monkeypatch.setattr("lossary.bench.quiet.count", count)

    return make


def test_a_busy_machine_is_refused_unless_it_is_to_be_measured_anyway(clock, busy):
    busy(1.5)
    with pytest.raises(BusyError, match=r"1\.50 of \d+ processors\nhint: wait .*--anyway"):
        clock.measure(clock.contestant("a", 0.1), anyway=False)
    assert "a" not in clock.log
    results = clock.measure(clock.contestant("a", 0.1))
    assert [words.split()[0] for words in results.disturbed] == ["before", "during"]


def test_a_quiet_machine_is_measured(clock, busy):
    busy(0.01)
    assert clock.measure(clock.contestant("a", 0.1), anyway=False).disturbed == ()


def test_without_counters_the_load_average_stands_in(monkeypatch):
    monkeypatch.setattr("lossary.bench.quiet.count", lambda: None)
    monkeypatch.setattr("lossary.bench.machine.load", lambda: 0.9 * machine.cores())
    assert quiet.others(lambda seconds: None)[0].startswith("before the run the load average")
    monkeypatch.setattr("lossary.bench.machine.load", lambda: 0.1 * machine.cores())
    assert quiet.others(lambda seconds: None) == ()
    monkeypatch.setattr("lossary.bench.machine.load", lambda: None)
    assert quiet.others(lambda seconds: None) == ()
    assert quiet.Watch().others() == ()


def test_times_that_are_spread_are_a_disturbance():
    still, shaken = (replace(row("a", 1.0), low=1 - half, high=1 + half) for half in (0.05, 0.2))
    assert quiet.spread(results_of(BIG, still, still, shaken).outcomes) == ()
    assert "spans 40%" in quiet.spread(results_of(BIG, still, shaken, shaken).outcomes)[0]
    once = replace(shaken, rounds=1)
    assert quiet.spread(results_of(BIG, once).outcomes) == ()


@linux
def test_what_a_child_works_is_our_own():
    def spin(seconds):
        code = f"import time\nwhile time.process_time() < {seconds}: pass"
        return subprocess.Popen([sys.executable, "-c", code])

    before = quiet.count()
    with spin(0.5) as child:
        while child.poll() is None and quiet.count().own - before.own < 0.3:
            time.sleep(0.02)
        assert child.poll() is None  # it is seen while it runs
    assert quiet.count().own - before.own >= 0.5  # and when it has ended
    assert quiet.count().all - before.all >= 0.4


@linux
def test_work_in_the_background_is_awaited(monkeypatch):
    worked = iter([0.0, 0.1, 0.1, 0.2, 0.2, 0.201])  # twice it is at work, then at rest
    passed = itertools.count(step=0.1)
    monkeypatch.setattr("lossary.bench.quiet.count", lambda: counts(next(passed), 0, next(worked)))
    pauses = []
    quiet.settle(pauses.append)
    assert len(pauses) == 3


# Targets.


FASTER = Target(BIG.name, ours.FUSED, pytorch.EAGER, 1 / 8)


@pytest.mark.parametrize(("eager", "met"), [(0.081, True), (0.079, False)])
def test_a_target_is_met_or_missed_by_a_ratio(eager, met):
    results = results_of(BIG, row(ours.FUSED, 0.01), row(pytorch.EAGER, eager))
    (verdict,) = judge(results, (FASTER,))
    assert verdict.met is met
    assert verdict.ratio == pytest.approx(0.01 / eager)
    assert (verdict.target.asked, verdict.found) == (
        "≥ 8× faster", "8.1×" if met else "7.9×"
    )  # fmt: skip


def test_targets_of_time_over_the_limit_and_of_memory():
    results = results_of(BIG, row(ours.FUSED, 0.00125, memory=42_400_000))
    limit, gradient = (Target(BIG.name, ours.FUSED, *t) for t in ((LIMIT, 1.3), (GRADIENT, 1.05)))
    one, two = judge(results, (limit, gradient))
    assert (one.met, one.found, limit.asked) == (True, "1.25×", "≤ 1.3×")
    assert (two.met, two.found) == (False, "1.06×")


def test_a_target_without_its_work_or_people_is_not_judged():
    missing = Absent(pytorch.EAGER, "not installed: torch")
    results = results_of(BIG, row(ours.FUSED, 0.01), absent=(missing,))
    assert judge(results, (replace(FASTER, work="focal/*"),)) == ()
    (verdict,) = judge(results, (FASTER,))
    assert (verdict.met, verdict.word) == (None, "not judged")
    assert verdict.reason == "torch eager: not installed: torch"
    (verdict,) = judge(results, (replace(FASTER, ours=ours.FUSED_OUT),))
    assert verdict.reason == "Lossary fused, out= was not measured"


def test_a_target_by_the_clock():
    target = Target("huber/10/float32/value", ours.AUTO, CLOCK, 1e-5)
    results = results_of(Case("huber", (10,), kind=VALUE), row(ours.AUTO, 8e-6))
    (verdict,) = judge(results, (target,))
    assert (verdict.met, verdict.found, target.asked) == (True, "8 µs", "≤ 10 µs")


def test_a_call_with_options_is_compared_with_the_peer_or_with_itself_without_them():
    weighed = Case("huber", (64,), option=WEIGHT)
    target = Target("*/float32/weight", ours.DOOR, pytorch.EAGER, 1.2, or_plain=True)
    results = results_of(weighed, row(ours.DOOR, 2.2), row(pytorch.EAGER, 1.0))
    assert judge(results, (target,))[0].ratio == pytest.approx(2.2)
    (without,) = results_of(HUBER, row(ours.DOOR, 2.0)).outcomes
    (verdict,) = judge(replace(results, outcomes=(*results.outcomes, without)), (target,))
    assert (verdict.ratio, verdict.met) == (pytest.approx(1.1), True)


def test_targets_of_a_new_process():
    results = replace(results_of(BIG), start=dict.fromkeys(STARTING, 0.2))
    verdicts = judge(results, tuple(t for t in TARGETS if t.against == START))
    assert {v.case: v.met for v in verdicts} == {
        "import": False, "first call, kernels on disk": True, "first call, no kernels": True,
        "files of ours that a call visits": True,
    }  # fmt: skip
    assert judge(results_of(BIG), tuple(t for t in TARGETS if t.against == START)) == ()


def test_a_new_process_is_measured(monkeypatch):
    monkeypatch.setattr("lossary.bench.start.fill", lambda folder: None)  # it compiles for long
    found = starting(1)
    assert found.keys() == STARTING.keys()
    assert all(value > 0 for value in found.values())


def test_who_was_not_asked_to_take_part_is_not_judged_aloud():
    results = results_of(BIG, row(ours.DOOR, 0.01), row(pytorch.EAGER, 0.1))
    assert {v.target.ours for v in judge(results)} == {ours.DOOR, ours.AUTO_TORCH}
    assert {v.target.ours for v in report.verdicts(results)} == {ours.DOOR}
    there = replace(results, contestants={**results.contestants, ours.AUTO_TORCH: ""})
    assert {v.target.ours for v in report.verdicts(there)} == {ours.DOOR, ours.AUTO_TORCH}


def test_speed_with_wrong_outputs_meets_no_target():
    wrong = row(ours.FUSED, 0.001, disagrees="value 2, others have 1")
    (verdict,) = judge(results_of(BIG, wrong, row(pytorch.EAGER, 1.0)), (FASTER,))
    assert (verdict.met, verdict.reason) == (False, "value 2, others have 1")


def test_each_target_speaks_of_work_and_people_that_exist():
    names = {c.name for c in CONTESTANTS} | {LIMIT, GRADIENT, CLOCK}
    work = [*cases("full"), *cases("full", "cuda")]
    for target in TARGETS:
        if target.against == START:
            assert target.work in STARTING
            continue
        assert {target.ours, target.against} <= names
        found = judge(
            replace(results_of(BIG), outcomes=tuple(results_of(c).outcomes[0] for c in work)),
            (target,),
        )
        assert found


# Pairs and their picture.


def test_each_way_is_compared_with_the_peer_in_whose_place_it_stands():
    people = {c.name for c in CONTESTANTS}
    assert {one for pair in PAIRS for one in (pair.ours, pair.peer)} <= people
    rows = row(ours.AUTO_TORCH, 0.3), row(ours.DOOR, 0.05), row(pytorch.EAGER, 0.1)
    found = ratios(results_of(BIG, *rows, row("JAX jit", 1.0)))
    assert [(one.pair.ours, one.word, one.lost) for one in found] == [
        (ours.AUTO_TORCH, "3.0×", True), (ours.DOOR, "0.50×", False),
    ]  # fmt: skip
    wrong = results_of(BIG, row(ours.DOOR, 0.05, disagrees="value"), row(pytorch.EAGER, 0.1))
    assert ratios(wrong) == ()


def test_the_page_begins_with_the_picture_and_the_ratios_lost_ones_in_red():
    rows = row(ours.AUTO_TORCH, 0.3), row(ours.DOOR, 0.05), row(pytorch.EAGER, 0.1)
    text = report.markdown(results_of(BIG, *rows), picture="figures/a.svg")
    parts = "](figures/a.svg)", "| work | Lossary auto, torch", "## Targets"
    picture, table, targets = map(text.index, parts)
    assert picture < table < targets
    assert '| `huber/10^7/float32` | <span style="color:#c00">**3.0×**</span> | 0.50× |' in text


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_picture_has_a_line_for_each_case_and_red_for_what_is_lost(kind, tmp_path):
    pytest.importorskip("matplotlib")
    results = results_of(BIG, row(ours.AUTO_TORCH, 0.3), row(pytorch.EAGER, 0.1))
    path = tmp_path / f"p.{kind}"
    draw_ratios(results, path)
    assert path.stat().st_size > 5000
    if kind == "svg":
        red = "#c40233"
        assert red in path.read_text().lower()
        draw_ratios(results_of(BIG, row(ours.AUTO_TORCH, 0.05), row(pytorch.EAGER, 0.1)), path)
        assert red not in path.read_text().lower()


def test_lines_of_the_picture_go_from_small_to_large_options_after():
    training = Case("digits", (64,), kind=TRAINING)
    work = [Case("huber", (100,)), Case("huber", (64,), option=MASK), training, HUBER, HUBER]
    assert [name(case) for case in ordered(work)] == [
        "huber 64", "huber 100", "huber 64, mask", "training on digits, batch 64",
    ]  # fmt: skip


# Files.


@pytest.fixture
def some():
    return results_of(
        BIG,
        row(ours.FUSED, 0.01, memory=40_000_000),
        row(ours.AUTO_TORCH, 0.01),
        row(ours.ARRAY, 0.5),
        row(pytorch.EAGER, 0.09),
        row("JAX jit", 0.005),
        row("scikit-learn", 0.2, disagrees="value 2, others have 1"),
        absent=(Absent("Keras", "no backend"), Absent("torch.compile", "no backend")),
    )


def test_results_survive_a_file(some, tmp_path):
    path = tmp_path / "r.json"
    save(some, path)
    assert load(path) == some
    assert [file.name for file in tmp_path.iterdir()] == ["r.json"]
    data = json.loads(path.read_text())
    assert data["schema"] == 2
    first = data["outcomes"][0]
    assert (first["name"], first["bytes"]) == ("huber/10^7/float32", 120_000_000)
    assert first["rows"][0]["times_limit"] == pytest.approx(5.0)
    assert data["crossovers"][0]["above"] == 64
    assert {target["met"] for target in data["targets"]} == {True, False, None}


def test_what_is_known_of_a_run_survives_too(some, tmp_path):
    (training,) = results_of(Case("digits", (64,), kind=TRAINING), row(ours.DOOR, 1.0)).outcomes
    changed = replace(
        some,
        outcomes=(*some.outcomes, replace(training, limit=None)),
        disturbed=("others were at work",),
        start={"import": 0.08},
    )
    save(changed, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == changed


def test_files_of_before_are_read(some):
    data = to_json(some) | {"schema": 1}
    del data["disturbed"], data["start"], data["outcomes"][0]["case"]["option"]
    assert from_json(data) == some


def test_measured_results_survive_json():
    settings = Settings(rounds=1, threads=1, crossovers=False)
    results = measure([HUBER], settings, [c for c in CONTESTANTS if c.name == ours.ARRAY])
    assert from_json(json.loads(json.dumps(to_json(results)))) == results


def test_a_file_is_whole_or_not_there(some, tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    path.write_text("old")
    monkeypatch.setattr("lossary.bench.storage.to_json", lambda results: {"bad": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        save(some, path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Expecting"),
        ("[]", "schema 2, got list"),
        ('{"schema": 3}', "schema 2, got 3"),
        ('{"schema": 1}', "lack or misplace"),
    ],
)
def test_other_files_are_refused(tmp_path, text, words):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ResultsError, match=words):
        load(path)


def test_no_page_is_made_from_a_disturbed_run(some, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "docs")
    page = importlib.import_module("benchmarks")
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    save(some, tmp_path / "r.json")
    assert "](figures/benchmarks-r.svg)" in page.page()
    save(replace(some, disturbed=("others were at work",)), tmp_path / "r.json")
    for make in (page.page, page.draw):
        with pytest.raises(SystemExit, match=r"r.json is marked .*: others were at work\nhint: "):
            make()


# Tables.


def test_markdown_shows_all_rows_the_losing_ones_and_who_is_missing(some):
    text = report.markdown(some)
    assert "| **Lossary fused** | 10 ms | 9–11 ms | 10× | 12 | 40 MB | 20 ms |" in text
    assert "huber, 10 000 000, float32: JAX jit 5 ms, Lossary fused 10 ms, 2×" in text.replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    )
    assert "scikit-learn disagrees: value 2, others have 1" in text
    assert "Keras; torch.compile: no backend" in text
    assert "Liger: not installed: liger_kernel" in text
    assert "no time was left for focal/10^7/float32" in text
    assert "| huber | numpy | 64 numbers |" in text
    assert "≥ 8× faster | 9× | met" in text
    assert "A Processor; 2 cores (x86_64); 2 threads; 8 GiB" in text
    widths = {}
    for line in text.splitlines():
        if line.startswith("| ---"):
            widths[line.count("|")] = True
    assert set(widths) == {3, 4, 7, 8}


def test_a_busy_machine_is_told(some):
    assert report.doubts(some) == []
    busy = replace(some, disturbed=("others were at work", "times were spread"))
    words = "**Not to be published: others were at work; times were spread.**"
    assert words in report.markdown(busy)
    before = replace(some, machine={**some.machine, "load_before": 3.5})
    assert "load 3.5" in report.markdown(before)


def test_disagreeing_peers_are_not_counted_as_faster(some):
    wrong = row("JAX jit", 0.005, disagrees="value 2, others have 1")
    changed = replace(some.outcomes[0], rows=(wrong, *some.outcomes[0].rows[1:]))
    assert report.losing(replace(some, outcomes=(changed,))) == []


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (9.996e-7, "1 µs"),
        (9.99e-4, "999 µs"),
        (0.0123456, "12.3 ms"),
        (100.4, "100 s"),
        (0, "0 ns"),
    ],
)
def test_times_have_three_digits(x, text):
    assert units.seconds(x) == text


# The command.


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def command(line):
        code = main(shlex.split(f"bench {line}"))
        return code, *capsys.readouterr()

    return command


def test_list_shows_work_and_people(run):
    code, out, err = run("--list --filter huber")
    assert (code, err) == (0, "")
    assert "huber/10^5/float32" in out
    assert "focal" not in out.split("Lossary array")[0]
    code, out, _ = run("--list --size full --contestant numpy --json")
    data = json.loads(out)
    assert len(data["cases"]) == len(cases("full"))
    assert [c["name"] for c in data["contestants"]] == [plain.SCIPY]


def test_a_run_prints_tables_and_writes_a_file(run, tmp_path):
    path = tmp_path / "r.json"
    line = f"--filter huber/64 --contestant 'lossary array' --rounds 2 --threads 1 --json {path}"
    line += " --anyway"
    code, out, err = run(line)
    assert code == 0
    assert err.endswith(f"wrote {path}\n")
    assert "Lossary array " in out
    assert "triad" in out
    found = load(path)
    assert found.settings["rounds"] == 2
    assert found.settings["size"] == "chosen"
    code, again, err = run(f"--read {path}")
    assert (code, again, err) == (0, out, "")
    code, text, _ = run(f"--read {path} --markdown")
    assert text == report.markdown(found)
    code, text, _ = run(f"--read {path} --json")
    assert from_json(json.loads(text)) == found


def test_a_file_is_not_begun_on_a_busy_machine_unless_it_is_asked_for(run, tmp_path, busy):
    path = tmp_path / "r.json"
    line = f"--filter huber/64 --contestant 'lossary array' --rounds 1 --threads 1 --json {path}"
    busy(1.0)
    code, out, err = run(line)
    assert (code, out, path.exists()) == (2, "", False)
    assert "the machine is busy" in err
    busy(1.0)
    code, out, _ = run(f"{line} --anyway")
    assert code == 0
    assert "Not to be published: before the run" in out
    assert len(load(path).disturbed) >= 2


def test_a_run_that_is_disturbed_later_marks_its_file_and_says_so(run, tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    monkeypatch.setattr("lossary.bench.quiet.others", lambda pause: ())
    monkeypatch.setattr("lossary.bench.quiet.Watch.others", lambda self: ("others were at work",))
    line = f"--filter huber/64 --contestant 'lossary array' --rounds 1 --threads 1 --json {path}"
    code, _, err = run(line)
    assert code == 1
    assert f"{path} is marked as not to be published: others were at work" in err
    assert load(path).disturbed[0] == "others were at work"


def test_a_picture_is_drawn(run, tmp_path, some):
    pytest.importorskip("matplotlib")
    save(some, tmp_path / "r.json")
    code, _, _ = run(f"--read {tmp_path / 'r.json'} -o {tmp_path / 'p.svg'}")
    assert (code, (tmp_path / "p.svg").exists()) == (0, True)
    code, _, err = run(f"-o {tmp_path / 'p.gif'}")
    assert (code, "a picture ends in" in err) == (2, True)


def test_a_lossary_that_disagrees_is_a_problem(run, monkeypatch, clock):
    odd = clock.contestant("Lossary odd", 0.1, (2.0, np.ones(64, np.float32)), ours=True)
    others = [clock.contestant(name, 0.1) for name in "bc"]
    monkeypatch.setattr("lossary.bench.CONTESTANTS", (odd, *others))
    code, out, err = run("--filter huber/64 --rounds 1 --threads 1")
    assert code == 1
    assert "Lossary odd*" in out
    assert "huber/64/float32: Lossary odd disagrees: value 2, others have 1" in err


@pytest.mark.parametrize(
    ("line", "problem", "hint"),
    [
        ("--filter hubber", "no case is called like hubber", "--size small --list"),
        ("--contestant nobody", "no contestant is called nobody", "there are Lossary auto"),
        ("--markdown --json", "exclude each other", "choose one"),
        ("--json no/such/r.json", "there is no folder no/such", "create it first"),
        ("--read setup.cfg.none", "does not exist", "--help"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(run, line, problem, hint):
    code, out, err = run(line)
    assert (code, out) == (2, "")
    assert problem in err
    assert hint in err


def test_a_file_of_something_else_is_refused(run, tmp_path):
    path = tmp_path / "r.json"
    path.write_text("{}")
    code, out, err = run(f"--read {path}")
    assert (code, out) == (2, "")
    assert "hint: write them with lossary bench --json FILE" in err
