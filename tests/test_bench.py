"""The benchmark: turns, agreement, statistics, limits, targets and files. Never how fast it is."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import lossary as L
from lossary.bench import (
    CONTESTANTS,
    SIZES,
    BusyError,
    Case,
    Results,
    ResultsError,
    Settings,
    agreement,
    cases,
    chosen,
    digits,
    from_json,
    limits,
    load,
    machine,
    measure,
    memory,
    quiet,
    report,
    save,
    timing,
    to_json,
    units,
)
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import ours, plain, pytorch
from lossary.bench.crossover import crossovers
from lossary.bench.data import draw
from lossary.bench.limits import Limit
from lossary.bench.pairs import PAIRS, lost, ratios
from lossary.bench.picture import draw_ratios, name, ordered
from lossary.bench.results import Absent, Crossover, Measured, Outcome
from lossary.bench.start import STARTING, starting
from lossary.bench.targets import CLOCK, GRADIENT, LIMIT, START, TARGETS, Target, judge
from lossary.bench.work import CLASS_WEIGHT, IGNORED, MASK, TRAINING, VALUE, WEIGHT
from lossary.cli import main

HUBER = Case("huber", (64,))


class Clock:
    """A clock that moves when a contestant works, and writes down who did."""

    def __init__(self):
        self.now = 0.0
        self.log = []

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.log.append("pause")

    def contestant(self, name, seconds, outcome=None, *, first=None, **facts):
        """Someone who takes ``seconds`` a call, ``first`` for the first."""

        def prepare(case, data, threads):
            answer = outcome or (1.0, np.ones(case.shape, np.float32))
            times = itertools.chain([first or seconds], itertools.repeat(seconds))

            def step():
                self.log.append(name)
                self.now += next(times)
                return answer

            return Prepared(step, lambda result: result)

        return Contestant(name, f"{name} works", (), prepare, **facts)

    def steps(self, **seconds):
        made = {name: self.contestant(name, s) for name, s in seconds.items()}
        return {name: one.prepare(HUBER, None, 1) for name, one in made.items()}

    def measure(self, *contestants, work=(HUBER,), say=None, progress=None, **settings):
        """Run the benchmark on this clock; the limits do real, small work."""
        settings = {"rounds": 4, "threads": 1, "crossovers": False} | settings
        return measure(
            work, Settings(**settings), contestants, progress, say, self, self.pause
        )  # fmt: skip


@pytest.fixture(autouse=True)
def little_arrays(monkeypatch):
    """What the machine moves is measured with arrays of 4 kB here."""
    monkeypatch.setattr("lossary.bench.run.HEADLINE", 4096)


@pytest.fixture
def clock():
    return Clock()


# Turns.


def turns(log):
    """Who was called, with repeats of one turn taken together."""
    return [name for name, _ in itertools.groupby(log) if name != "pause"]


def test_contestants_take_turns_and_none_always_follows_the_same_one(clock):
    steps = clock.steps(a=1.0, b=1.0, c=1.0)
    timing.alternate(steps, dict.fromkeys(steps, 1.0), 4, 100.0, clock, clock.pause)
    assert turns(clock.log) == list("abc" + "bca" + "cab" + "abc")


def test_a_pause_follows_each_turn(clock):
    steps = clock.steps(a=1.0, b=1.0)
    timing.alternate(steps, dict.fromkeys(steps, 1.0), 2, 100.0, clock, clock.pause)
    assert clock.log.count("pause") == 4
    assert all(one == "pause" or two == "pause" for one, two in itertools.pairwise(clock.log))


def test_a_slow_contestant_plays_less_often_but_from_beginning_to_end(clock):
    steps = clock.steps(fast=0.03, slow=0.4)
    estimates = {"fast": 0.03, "slow": 0.4}
    times = timing.alternate(steps, estimates, 20, 4.0, clock, clock.pause)
    assert (len(times["fast"].seconds), len(times["slow"].seconds)) == (20, 5)
    places = [place for place, name in enumerate(turns(clock.log)) if name == "slow"]
    gaps = [b - a for a, b in itertools.pairwise(places)]
    assert min(gaps) >= 4
    assert places[-1] >= 20


def test_short_steps_are_repeated_within_a_sample_after_one_that_does_not_count(clock):
    steps = clock.steps(a=0.0001)
    times = timing.alternate(steps, {"a": 0.0001}, 3, 1.0, clock, clock.pause)
    assert times["a"].calls == 20
    assert times["a"].seconds == pytest.approx([0.0001] * 3)
    assert clock.log.count("a") == 3 * (1 + 20)


def test_what_surrounds_a_step_is_not_timed(clock):
    @contextlib.contextmanager
    def around():
        clock.now += 1000.0
        yield
        clock.now += 1000.0

    steps = {"a": replace(clock.steps(a=2.0)["a"], around=around)}
    times = timing.alternate(steps, {"a": 2.0}, 2, 10.0, clock, clock.pause)
    assert times["a"].seconds == (2.0, 2.0)


def test_waiting_for_a_device_is_timed(clock):
    def wait():
        clock.now += 5.0

    steps = {"a": replace(clock.steps(a=2.0)["a"], wait=wait)}
    times = timing.alternate(steps, {"a": 2.0}, 1, 10.0, clock, clock.pause)
    assert times["a"].seconds == (7.0,)


def test_garbage_is_not_collected_inside_a_turn_and_is_again_afterwards(clock):
    seen = []
    steps = {"a": replace(clock.steps(a=1.0)["a"], wait=lambda: seen.append(gc.isenabled()))}
    assert gc.isenabled()
    timing.alternate(steps, {"a": 1.0}, 1, 10.0, clock, clock.pause)
    assert gc.isenabled()
    assert seen == [False]


def test_median_and_quartiles_ignore_one_bad_sample():
    assert timing.Timing((1.0, 2.0, 3.0, 4.0, 500.0), 1).quartiles == (2.0, 3.0, 4.0)
    assert timing.Timing((7.0,), 1).quartiles == (7.0, 7.0, 7.0)


# Agreement.


def outcome(value=1.0, size=1000, **changed):
    gradient = np.linspace(-1, 1, size, dtype=np.float32)
    for place, entry in changed.items():
        gradient[int(place[1:])] = entry
    return agreement.summary(value, gradient)


FLOAT32 = agreement.TOLERANCES["float32"]


def test_equal_outcomes_agree():
    assert agreement.disagreements({n: outcome() for n in "abc"}, FLOAT32) == {}
    assert agreement.disagreements({"a": outcome()}, FLOAT32) == {}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (outcome(value=1.01), "value 1.01, others have 1"),
        (outcome(value=float("nan")), "value nan, others have 1"),
        (outcome(_7=3.0), "gradient 3 at index (7,), others have -0.985986"),
        (outcome(_7=float("nan")), "gradient nan at index (7,)"),
        (outcome(size=999), "gradient of shape (999,), others have (1000,)"),
    ],
)
def test_who_differs_from_the_majority_is_named_with_both_numbers(wrong, words):
    found = agreement.disagreements({"a": wrong, "b": outcome(), "c": outcome()}, FLOAT32)
    assert list(found) == ["a"]
    assert found["a"].startswith(words)


def test_a_part_between_the_samples_cannot_hide():
    right = np.ones(1_000_003, np.float32)
    wrong = right.copy()
    sampled = set(agreement.summary(1.0, right).places.tolist())
    gap = [place for place in range(5000, 5100) if place not in sampled]
    wrong[gap] = 0
    found = agreement.disagreements(
        {"a": agreement.summary(1.0, right), "b": agreement.summary(1.0, right),
         "c": agreement.summary(1.0, wrong)}, FLOAT32,
    )  # fmt: skip
    assert "sum to" in found["c"]
    assert list(found) == ["c"]


def test_two_who_differ_are_both_named():
    found = agreement.disagreements({"a": outcome(), "b": outcome(value=2.0)}, FLOAT32)
    assert set(found) == {"a", "b"}
    assert all(words.endswith("no two agree") for words in found.values())


def test_rounding_is_no_disagreement():
    near = outcome(value=1.00002, _7=-0.98598)
    assert agreement.disagreements({"a": near, "b": outcome(), "c": outcome()}, FLOAT32) == {}
    coarse = {"a": outcome(value=1.01), "b": outcome(), "c": outcome()}
    assert agreement.disagreements(coarse, agreement.TOLERANCES["bfloat16"]) == {}


# Work and data.


def test_names_tell_cases_apart_and_filters_find_them():
    for size, device in itertools.product(SIZES, ("cpu", "cuda")):
        work = cases(size, device)
        assert len({case.name for case in work}) == len(work)
    found = chosen(cases("full"), ["huber/*/bfloat16", "36x10/float32/ignored"])
    assert [case.name for case in found] == [
        "cross_entropy/65536x10/float32/ignored", "soft_cross_entropy/65536x10/float32/ignored",
        "huber/10^3/bfloat16", "huber/10^5/bfloat16", "huber/10^7/bfloat16",
    ]  # fmt: skip
    assert chosen(cases("full"), ["no such"]) == ()
    options = {case.option for case in cases("everyday")}
    assert options == {"", WEIGHT, MASK, CLASS_WEIGHT}
    assert {case.kind for case in cases("everyday")} == {"gradient", VALUE, TRAINING}


@pytest.mark.parametrize(
    ("case", "count"),
    [
        (Case("huber", (10**7,)), 120_000_000),
        (Case("huber", (10**7,), "bfloat16"), 60_000_000),
        (Case("cross_entropy", (100, 10)), 8_000),
        (Case("soft_cross_entropy", (100, 10)), 12_000),
        (Case("cross_entropy", (100, 10), ignored=0.5), 6_000),
        (Case("soft_cross_entropy", (100, 10), ignored=0.5), 8_000),
    ],
)
def test_bytes_that_must_move(case, count):
    assert case.bytes == count


LITTLE = [c for c in cases("full") if c.numbers <= 1000 and c.kind != TRAINING]


@pytest.mark.parametrize("case", LITTLE, ids=str)
def test_data_are_the_same_each_time_and_inside_their_sets(case):
    one, two = draw(case, seed=3), draw(case, seed=3)
    assert np.array_equal(one.prediction, two.prediction)
    assert np.array_equal(one.target, two.target)
    assert not np.array_equal(one.prediction, draw(case, seed=4).prediction)
    assert np.isfinite(L.catalogue[case.loss](one.prediction, one.target))


def test_large_data_repeat_what_was_drawn(monkeypatch):
    monkeypatch.setattr("lossary.bench.work.DRAWN", 64)
    data = draw(Case("soft_cross_entropy", (20, 10)))
    assert data.prediction.shape == (20, 10)
    assert np.array_equal(data.prediction.reshape(-1)[:64], data.prediction.reshape(-1)[64:128])
    assert np.allclose(data.target.sum(-1), 1)


def test_options_have_an_array_of_their_shape():
    by_element = draw(Case("huber", (30,), option=WEIGHT)).extra
    assert (by_element.shape, by_element.dtype) == ((30,), np.float32)
    rows = draw(Case("cross_entropy", (30, 4), option=MASK)).extra
    assert (rows.shape, rows.dtype, 0 < rows.sum() < 30) == ((30,), bool, True)
    assert draw(Case("cross_entropy", (30, 4), option=CLASS_WEIGHT)).extra.shape == (4,)
    assert draw(Case("cross_entropy", (30, 4))).extra is None


def test_a_case_without_its_options_is_the_plain_one():
    plain_case = Case("cross_entropy", (8, 4))
    assert Case("cross_entropy", (8, 4), option=MASK).plain == plain_case
    assert Case("cross_entropy", (8, 4), ignored=0.5).plain == plain_case


def test_a_training_sees_every_image_once_an_epoch_and_ends_with_the_weights_of_its_layers():
    data = draw(Case("digits", (64,), kind=TRAINING), seed=1)
    parts = list(digits.batches(len(data.prediction), 64))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(
        range(len(data.prediction))
    )
    assert 0 < parts[-1].stop - parts[-1].start < 64  # the last batch is a smaller one
    shapes = [part.shape for part in digits.first(data)]
    assert shapes == [(64, 64), (64,), (64, 10), (10,)]
    value, weights = digits.outcome(data, digits.first(data))
    assert np.array_equal(weights, data.weight)
    assert 1 < value < 6


def test_ignored_rows_are_those_that_are_not_kept():
    hard = draw(Case("cross_entropy", (400, 5), ignored=0.5))
    assert 100 < hard.keep.sum() < 300
    assert np.array_equal(hard.target == IGNORED, ~hard.keep)
    assert draw(Case("soft_cross_entropy", (400, 5), ignored=0.5)).keep is not None
    assert draw(Case("soft_cross_entropy", (400, 5))).keep is None


def test_bfloat16_data_are_bfloat16_numbers():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    data = draw(Case("huber", (1000,), "bfloat16"))
    plain_data = draw(Case("huber", (1000,)))
    expected = plain_data.prediction.astype(ml_dtypes.bfloat16)
    assert np.array_equal(data.prediction, expected.astype(np.float32))
    assert data.bfloat16[0].dtype == ml_dtypes.bfloat16


# The run.


def test_rows_are_sorted_by_median_and_hold_the_times(clock):
    slow, fast = clock.contestant("slow", 0.2), clock.contestant("fast", 0.1, ours=True)
    found = clock.measure(slow, fast).outcomes[0]
    assert [row.contestant for row in found.rows] == ["fast", "slow"]
    assert found.row("fast").seconds == pytest.approx(0.1)
    assert found.row("fast").ours
    assert found.row("nobody") is None


def test_outputs_are_compared_before_anyone_is_timed(clock):
    said = []
    odd = clock.contestant("odd", 0.1, (2.0, np.ones(64, np.float32)), ours=True)
    results = clock.measure(
        odd, clock.contestant("b", 0.1), clock.contestant("c", 0.1), say=said.append
    )
    assert results.outcomes[0].row("odd").disagrees == "value 2, others have 1"
    assert results.outcomes[0].row("b").disagrees == ""
    assert said == ["huber/64/float32: odd disagrees: value 2, others have 1"]
    assert results.problems == ("huber/64/float32: odd: value 2, others have 1",)


def test_who_cannot_take_part_is_listed_with_the_reason(clock):
    def unavailable(case, data, threads):
        raise UnavailableError("no compiler")

    def broken(case, data, threads):
        raise RuntimeError("it broke\nat length")

    results = clock.measure(
        clock.contestant("a", 0.1),
        Contestant("absent", "", ("no_such_module",), unavailable),
        Contestant("unavailable", "", (), unavailable),
        Contestant("Lossary broken", "", (), broken, ours=True),
        Contestant("without", "", (), lambda *_: None),
    )
    assert results.absent == (Absent("absent", "not installed: no_such_module"),)
    assert results.outcomes[0].absent == (
        Absent("unavailable", "no compiler"),
        Absent("Lossary broken", "RuntimeError: it broke", failed=True),
    )
    assert [row.contestant for row in results.outcomes[0].rows] == ["a"]
    assert results.problems == ("huber/64/float32: Lossary broken: RuntimeError: it broke",)


def test_a_first_call_of_many_seconds_is_the_only_one_unless_it_compiles(clock):
    found = clock.measure(
        clock.contestant("slow", 9.0),
        clock.contestant("compiled", 0.1, first=9.0, compiles=True),
    ).outcomes[0]
    assert clock.log.count("slow") == 1
    assert (found.row("slow").seconds, found.row("slow").rounds) == (9.0, 1)
    assert found.row("compiled").seconds == pytest.approx(0.1)
    assert found.row("compiled").first == 9.0


def test_no_case_begins_after_the_budget_is_spent(clock):
    said = []
    work = [HUBER, Case("huber", (65,)), Case("huber", (66,))]
    results = clock.measure(clock.contestant("a", 1.0), work=work, say=said.append, seconds=1.5)
    assert [outcome.case for outcome in results.outcomes] == [HUBER]
    assert results.skipped == ("huber/65/float32", "huber/66/float32")
    assert said == ["time was up: 2 of 3 cases were not measured"]


def test_an_interrupt_keeps_what_is_done(clock):
    def interrupt(case, data, threads):
        if case is not HUBER:
            raise KeyboardInterrupt
        return clock.contestant("", 0.1).prepare(case, data, threads)

    said = []
    work = [HUBER, Case("huber", (65,)), Case("huber", (66,))]
    results = clock.measure(Contestant("a", "", (), interrupt), work=work, say=said.append)
    assert results.interrupted
    assert [outcome.case for outcome in results.outcomes] == [HUBER]
    assert results.skipped == ("huber/65/float32", "huber/66/float32")
    assert said == ["interrupted: 2 of 3 cases were not measured"]


def test_progress_says_what_is_done(clock):
    seen = []
    clock.measure(clock.contestant("a", 0.1), progress=lambda *now: seen.append(now))
    assert seen == [
        (0, 1, "huber/64/float32, a"), (0, 1, "huber/64/float32, in turns"), (1, 1, ""),
    ]  # fmt: skip


TINY = [
    *(Case(loss, (64,)) for loss in ("squared_error", "huber", "binary_cross_entropy", "focal",
      "poisson")),
    *(Case(loss, (16, 8), ignored=share) for loss in ("cross_entropy", "soft_cross_entropy")
      for share in (0.0, 0.5)),
    Case("huber", (64,), "bfloat16"),
    Case("cross_entropy", (16, 8), "bfloat16", 0.5),
    *(Case("cross_entropy", (16, 8), option=option) for option in (WEIGHT, MASK, CLASS_WEIGHT)),
    *(Case(loss, (64,), option=option) for loss in ("squared_error", "binary_cross_entropy")
      for option in (WEIGHT, MASK)),
    Case("huber", (10,), kind=VALUE),
]  # fmt: skip


def test_all_that_are_installed_agree_on_all_work():
    everyone = [c for c in CONTESTANTS if c.name != pytorch.COMPILED]
    results = measure(TINY, Settings(rounds=1, threads=1, crossovers=False), everyone)
    assert results.problems == ()
    for found in results.outcomes:
        assert [row for row in found.rows if row.disagrees] == []
        assert [one for one in found.absent if one.failed] == []
        assert found.row(ours.AUTO)
    names = {row.contestant for found in results.outcomes for row in found.rows}
    assert {one for pair in PAIRS for one in (pair.ours, pair.peer)} <= names
    assert len(names) + len({one.contestant for one in results.absent}) >= len(everyone) - 3


def test_trainings_end_with_the_same_weights(monkeypatch):
    monkeypatch.setattr("lossary.bench.digits.EPOCHS", 1)
    work = [Case("digits", (256,), kind=TRAINING)]
    (found,) = measure(work, Settings(rounds=1, crossovers=False), CONTESTANTS).outcomes
    assert found.absent == ()
    assert [row for row in found.rows if row.disagrees] == []
    names = {row.contestant for row in found.rows}
    assert names == {one for pair in PAIRS[:-1] for one in (pair.ours, pair.peer)}
    assert found.limit is None


def test_a_training_with_another_loss_is_noticed(monkeypatch):
    import torch

    monkeypatch.setattr("lossary.bench.digits.EPOCHS", 1)
    half = lambda x, t: torch.nn.functional.cross_entropy(x, t) * 1.01  # noqa: E731
    odd = Contestant(
        "odd", "", (), HUBER, train=lambda case, data, n: pytorch.training(half, case, data)
    )
    others = [c for c in CONTESTANTS if c.name in {pytorch.EAGER, ours.DOOR}]
    work = [Case("digits", (256,), kind=TRAINING)]
    (found,) = measure(work, Settings(rounds=1, crossovers=False), [odd, *others]).outcomes
    assert [row.contestant for row in found.rows if row.disagrees] == ["odd"]


def test_losses_from_hidden_states_agree():
    names = {pytorch.EAGER, ours.ARRAY_TORCH, ours.DOOR, "JAX jit", plain.SCIPY}
    case = Case("linear_cross_entropy", (16, 8, 12))
    everyone = [c for c in CONTESTANTS if c.name in names]
    (found,) = measure([case], Settings(rounds=1, threads=1, crossovers=False), everyone).outcomes
    assert {row.contestant for row in found.rows} == {pytorch.EAGER, ours.ARRAY_TORCH, ours.DOOR}
    assert [row for row in found.rows if row.disagrees] == []
    assert case.bytes == 2 * 4 * (16 * 8 + 12 * 8)


def test_compiled_code_agrees_too():
    everyone = [c for c in CONTESTANTS if c.name in {pytorch.COMPILED, pytorch.EAGER}]
    results = measure([HUBER], Settings(rounds=1, threads=1, crossovers=False), everyone)
    found = results.outcomes[0]
    assert found.row(pytorch.COMPILED).disagrees == "" if found.rows[1:] else found.absent[0].reason


def test_compiling_needs_a_compiler(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    compiled = next(c for c in CONTESTANTS if c.name == pytorch.COMPILED)
    with pytest.raises(UnavailableError, match=r"C\+\+ compiler"):
        compiled.prepare(HUBER, draw(HUBER), 1)


def test_a_gpu_that_is_not_there_is_a_reason():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is one")
    eager = next(c for c in CONTESTANTS if c.name == pytorch.EAGER)
    with pytest.raises(UnavailableError, match="no GPU"):
        eager.prepare(Case("huber", (64,), device="cuda"), draw(HUBER), 1)


# A quiet machine.


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
            return counts(passed, passed * (processors + 1), passed)

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


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's counters")


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


def test_ours_are_called_before_the_clock_starts_and_estimated_anew(clock):
    times = itertools.chain([0.01] * 20, itertools.repeat(0.001))

    def step():
        clock.log.append("ours")
        clock.now += next(times)
        return 1.0, np.ones(64, np.float32)

    kernel = Contestant("Lossary", "", (), lambda *_: Prepared(step, lambda x: x), ours=True)
    (found,) = clock.measure(kernel, clock.contestant("peer", 0.01)).outcomes
    assert found.row("Lossary").seconds == pytest.approx(0.001)
    assert found.row("Lossary").calls == 2  # of a millisecond, not of ten
    assert turns(clock.log).index("peer") > 0


# Limits, memory, machine.


@pytest.mark.parametrize("kind", [limits.COPY, limits.TRIAD])
@pytest.mark.parametrize("size", [4, 4096, 1 << 20])
def test_movers_move_everything(kind, size, monkeypatch):
    made = []
    full = np.full

    def note(*arguments):
        made.append(full(*arguments))
        return made[-1]

    monkeypatch.setattr(np, "full", note)
    with ThreadPoolExecutor(2) as pool:
        found = dict(limits.movers(kind, size, 2, pool))
        assert ("NumPy threads" in found) == (size >= 1 << 18)
        written, *read = made
        assert [array.nbytes for array in made] == [size] * 3
        for by, prepared in found.items():
            written[:] = 0
            prepared.step()
            factor = 3 if by == "torch" else 1
            expected = read[0] if kind == limits.COPY else read[0] + factor * read[1]
            assert np.array_equal(written, expected)


def test_a_limit_scales_with_the_bytes():
    limit = Limit("copy", "NumPy", 2.0, 1.9, 2.1, 100)
    assert limit.bandwidth == 50
    assert limit.time_for(25) == 0.5
    assert limits.pattern(Case("cross_entropy", (8, 8))) == limits.COPY
    assert limits.pattern(Case("soft_cross_entropy", (8, 8))) == limits.TRIAD
    assert limits.pattern(HUBER) == limits.TRIAD


@linux
def test_memory_is_counted_at_its_peak():
    size = 1 << 26
    with memory.Watch(size) as watch:
        held = np.ones(size, np.int8)
        more = np.ones(size, np.int8)
        del more
    del held
    assert watch.found == pytest.approx(2 * size, rel=0.1)


@linux
def test_memory_that_cannot_be_seen_is_not_reported():
    with memory.Watch(1 << 26) as watch:
        pass
    assert watch.found is None
    with memory.Watch(0) as watch:
        pass
    assert watch.found == pytest.approx(0, abs=1 << 22)


def test_threads_are_the_same_for_all_and_put_back():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads(), dict(os.environ), machine.cores()
    with machine.limited(1):
        assert torch.get_num_threads() == 1
        assert os.environ["LOSSARY_NUM_THREADS"] == "1"
        assert machine.cores() == 1 or not hasattr(os, "sched_setaffinity")
    assert (torch.get_num_threads(), dict(os.environ), machine.cores()) == before


def test_the_machine_is_described_without_its_name():
    facts = machine.facts()
    assert facts["cores"] >= 1
    assert facts["processor"]
    assert machine.versions()["numpy"] == np.__version__
    text = json.dumps([facts, machine.versions()])
    assert not re.search(rf"\b{re.escape(platform.node())}\b", text)
    assert "/" not in text.replace("CPU @", "")


# Where the kernel begins to win.


def test_crossover_is_the_size_from_which_the_kernel_is_never_slower():
    sizes = (16, 64, 256, 1024)
    array, fused = (1.0, 2.0, 3.0, 9.0), (2.0, 1.0, 4.0, 5.0)
    assert Crossover("huber", "numpy", sizes, array, fused).above == 1024
    assert Crossover("huber", "numpy", sizes, fused, array).above is None
    assert Crossover("huber", "numpy", sizes, array, array).above == 16


def test_crossovers_compare_array_text_and_kernel_of_one_library(clock):
    people = {
        ours.ARRAY: clock.contestant(ours.ARRAY, 0.1), ours.FUSED: clock.contestant(ours.FUSED, 0.2)
    }  # fmt: skip
    found = crossovers(people, 1, ["huber", "cross_entropy"], [16, 64], 0, clock, clock.pause)
    assert [(c.loss, c.library, c.above) for c in found] == [
        ("huber", "numpy", None), ("cross_entropy", "numpy", None),
    ]  # fmt: skip
    assert found[0].array == pytest.approx((0.1, 0.1))


def test_crossovers_need_a_kernel(clock):
    def without(case, data, threads):
        raise UnavailableError("no kernel")

    people = {
        ours.ARRAY: clock.contestant(ours.ARRAY, 0.1),
        ours.FUSED: Contestant(ours.FUSED, "", (), without),
    }
    assert crossovers(people, 1, ["huber"], [16], 0, clock, clock.pause) == ()


# Targets.


def row(name, seconds, *, memory=None, disagrees=""):
    is_ours = "ossary" in name
    low, high = 0.9 * seconds, 1.1 * seconds
    return Measured(name, is_ours, seconds, low, high, 15, 1, 2 * seconds, memory, disagrees)


def results_of(case, *rows, limit_seconds=0.001, absent=()):
    moved = case.gradient_bytes * case.arrays
    limit = Limit(limits.pattern(case), "NumPy", limit_seconds, limit_seconds, limit_seconds, moved)
    return Results(
        lossary="0.1.0",
        date="2026-11-20",
        settings={"size": "full", "threads": 2, "rounds": 15, "seconds": None, "seed": 0},
        machine={
            "processor": "A Processor", "architecture": "x86_64", "cores": 2, "memory_gib": 8.0,
            "simd": ["AVX2"], "cache": {"L2": "1M"}, "system": "Linux 6", "python": "3.11.7",
            "load_before": 0.1, "load_after": 2.0,
        },
        versions={"numpy": "2.4.6"},
        bandwidth={"copy": limit},
        contestants={r.contestant: "" for r in rows},
        outcomes=(Outcome(case, limit, tuple(sorted(rows, key=lambda r: r.seconds)), absent),),
        crossovers=(Crossover("huber", "numpy", (16, 64), (1.0, 2.0), (1.5, 1.5)),),
        absent=(Absent("Liger", "not installed: liger_kernel"),),
        skipped=("focal/10^7/float32",),
    )  # fmt: skip


BIG = Case("huber", (10**7,))
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


def test_a_new_process_is_measured():
    found = starting(1)
    assert found.keys() == STARTING.keys()
    assert all(value > 0 for value in found.values())


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
    assert {one for pair in PAIRS for one in (pair.ours, pair.peer)} <= {
        c.name for c in CONTESTANTS
    }
    results = results_of(
        BIG,
        row(ours.AUTO_TORCH, 0.3),
        row(ours.DOOR, 0.05),
        row(pytorch.EAGER, 0.1),
        row("JAX jit", 1),
    )
    found = ratios(results)
    assert [(one.pair.ours, one.word, one.lost) for one in found] == [
        (ours.AUTO_TORCH, "3.0×", True), (ours.DOOR, "0.50×", False),
    ]  # fmt: skip
    assert [one.pair.ours for one in lost(found)] == [ours.AUTO_TORCH]
    wrong = results_of(BIG, row(ours.DOOR, 0.05, disagrees="value"), row(pytorch.EAGER, 0.1))
    assert ratios(wrong) == ()


def test_the_page_begins_with_the_picture_and_the_ratios_lost_ones_in_red():
    results = results_of(
        BIG, row(ours.AUTO_TORCH, 0.3), row(ours.DOOR, 0.05), row(pytorch.EAGER, 0.1)
    )
    text = report.markdown(results, picture="figures/a.svg")
    picture, table, targets = (
        text.index(part)
        for part in ("](figures/a.svg)", "| work | Lossary auto, torch", "## Targets")
    )
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
    work = [Case("huber", (100,)), Case("huber", (64,), option=MASK), Case("digits", (64,), kind=TRAINING),
            Case("huber", (64,)), Case("huber", (100,))]  # fmt: skip
    assert [name(case) for case in ordered(work)] == [
        "huber 64", "huber 100", "huber 64, mask", "training on digits, batch 64",
    ]  # fmt: skip


# Files.


@pytest.fixture
def some():
    return results_of(
        BIG,
        row(ours.FUSED, 0.01, memory=40_000_000),
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
    assert set(widths) == {4, 7, 8}


def test_a_busy_machine_is_told(some):
    assert report.doubts(some) == []
    busy = replace(some, disturbed=("others were at work", "times were spread"))
    assert "**Not to be published: others were at work; times were spread.**" in report.markdown(
        busy
    )
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
    code, again, err = run(f"--read {path}")
    assert (code, again, err) == (0, out, "")
    code, text, _ = run(f"--read {path} --markdown")
    assert text == report.markdown(found)
    code, text, _ = run(f"--read {path} --json")
    assert from_json(json.loads(text)) == found


def test_a_file_is_not_begun_on_a_busy_machine_and_marked_where_it_is_asked_for(
    run, tmp_path, busy
):
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
        ("--contestant nobody", "no contestant is called nobody", "there are Lossary array"),
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
