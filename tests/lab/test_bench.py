"""The benchmark: turns, agreement, statistics, limits, work and data. Never how fast it is."""

# pyflakes does not see that fixtures are used
# ruff: noqa: F401, F811

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import platform
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import lossary as L
from bench_runs import HUBER, clock, little_runs, turns
from lossary.bench import (
    CONTESTANTS,
    SIZES,
    Case,
    Settings,
    agreement,
    cases,
    chosen,
    digits,
    limits,
    machine,
    measure,
    memory,
    targets,
    timing,
    trees,
)
from lossary.bench.contestant import Contestant, Prepared, UnavailableError
from lossary.bench.contestants import boosters, ours, plain, pytorch
from lossary.bench.crossover import crossovers
from lossary.bench.data import draw
from lossary.bench.limits import Limit
from lossary.bench.pairs import PAIRS
from lossary.bench.results import Absent, Crossover
from lossary.bench.work import (
    BOOSTING,
    CLASS_WEIGHT,
    IGNORED,
    MASK,
    SEQUENCES,
    TRAINING,
    VALUE,
    WEIGHT,
    WHOLE,
)

# Turns.


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
    options = {case.option for case in cases("everyday") if case.kind != BOOSTING}
    assert options == {"", WEIGHT, MASK, CLASS_WEIGHT}
    kinds = {"gradient", VALUE, TRAINING, BOOSTING, SEQUENCES}
    assert {case.kind for case in cases("everyday")} == kinds


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


LITTLE = [c for c in cases("full") if c.numbers <= 1000 and c.kind not in WHOLE]


@pytest.mark.parametrize("case", LITTLE, ids=str)
def test_data_are_the_same_each_time_and_inside_their_sets(case):
    one, two = draw(case, seed=3), draw(case, seed=3)
    assert np.array_equal(one.prediction, two.prediction)
    assert np.array_equal(one.target, two.target)
    assert not np.array_equal(one.prediction, draw(case, seed=4).prediction)
    assert np.isfinite(L.catalogue[case.loss](one.prediction, one.target))


def test_large_data_repeat_what_was_drawn(monkeypatch):
    monkeypatch.setattr("lossary.bench.data.DRAWN", 64)
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


def test_the_first_call_of_a_training_is_never_the_only_one(clock):
    slow = clock.contestant("slow", 4.0, first=9.0)
    work = [Case("half_squared_error", (64,), option="xgboost", kind=BOOSTING)]
    (found,) = clock.measure(replace(slow, boost=slow.prepare), work=work).outcomes
    row = found.row("slow")
    assert (row.first, row.seconds, row.rounds) == (9.0, 4.0, 3)


def test_trees_do_not_depend_on_rows_that_are_drawn_anew(monkeypatch):
    """Of more than 200,000 rows scikit-learn draws those that it chooses its bins by."""
    pytest.importorskip("sklearn")
    monkeypatch.setattr("lossary.bench.trees.TREES", 1)
    work = [Case("half_squared_error", (210_000,), option="hist_gradient_boosting", kind=BOOSTING)]
    (found,) = measure(work, Settings(rounds=1, crossovers=False), boosters.BOOSTERS).outcomes
    assert [row.disagrees for row in found.rows] == ["", ""]


def test_a_booster_is_asked_for_its_own_trainings_only():
    work = [t.work for t in targets.TARGETS if t.ours == boosters.door("LightGBM")]
    assert work == ["*/10^6/float32/lightgbm/boosting"]


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


def test_the_collector_leaves_libraries_alone_until_the_end(clock):
    """Keras and what is between cases collect garbage: seconds for each, among all libraries."""
    frozen, before = [], gc.get_freeze_count()
    gc.unfreeze()

    def prepare(case, data, threads):
        frozen.append(gc.get_freeze_count())

    work = [HUBER, Case("huber", (65,)), Case("huber", (66,))]
    try:
        clock.measure(Contestant("a", "", (), prepare), work=work)
        assert frozen[0] == 0 < frozen[1] == frozen[2]
        assert gc.get_freeze_count() == 0
    finally:
        if before:
            gc.freeze()


def test_progress_says_what_is_done(clock):
    seen = []
    clock.measure(clock.contestant("a", 0.1), progress=lambda *now: seen.append(now))
    assert seen == [
        (0, 1, "huber/64/float32, a"), (0, 1, "huber/64/float32, in turns"), (1, 1, ""),
    ]  # fmt: skip


TINY = [
    Case("binary_cross_entropy", (64,)),
    Case("soft_cross_entropy", (16, 8), ignored=0.5),
    Case("cross_entropy", (16, 8), option=CLASS_WEIGHT),
    Case("huber", (10,), kind=VALUE),
]  # fmt: skip
"""Of each kind of work one case: every contestant compiles each of them."""

NOT_COMPILED = [one for one in CONTESTANTS if one.name != pytorch.COMPILED]


def test_all_that_are_installed_agree_on_all_work(monkeypatch):
    monkeypatch.setattr("lossary.bench.run.WARM_CALLS", 1)
    results = measure(TINY, Settings(rounds=1, threads=1, crossovers=False), NOT_COMPILED)
    assert results.problems == ()
    for found in results.outcomes:
        assert [row for row in found.rows if row.disagrees] == []
        assert [one for one in found.absent if one.failed] == []
        assert found.row(ours.AUTO)
    names = {row.contestant for found in results.outcomes for row in found.rows}
    losses = [pair for pair in PAIRS if pair.framework != "Boosters"]
    assert {one for pair in losses for one in (pair.ours, pair.peer)} <= names
    absent = {one.contestant for one in results.absent}
    assert len(names) + len(absent) >= len(NOT_COMPILED) - len(boosters.BOOSTERS) - 3


def test_trainings_end_with_the_same_weights(monkeypatch):
    monkeypatch.setattr("lossary.bench.digits.EPOCHS", 1)
    work = [Case("digits", (256,), kind=TRAINING)]
    (found,) = measure(work, Settings(rounds=1, crossovers=False), NOT_COMPILED).outcomes
    assert found.absent == ()
    assert [row for row in found.rows if row.disagrees] == []
    names = {row.contestant for row in found.rows}
    networks = [pair for pair in PAIRS if pair.framework not in {"NumPy", "Boosters"}]
    assert names == {one for pair in networks for one in (pair.ours, pair.peer)}
    assert found.limit is None


def test_a_training_with_another_loss_is_noticed(monkeypatch):
    import torch

    monkeypatch.setattr("lossary.bench.digits.EPOCHS", 1)
    near = lambda x, t: torch.nn.functional.cross_entropy(x, t) * 1.01  # noqa: E731
    train = lambda case, data, threads: pytorch.training(near, case, data)  # noqa: E731
    odd = Contestant("odd", "", (), lambda *_: None, train=train)
    others = [c for c in CONTESTANTS if c.name in {pytorch.EAGER, ours.DOOR}]
    work = [Case("digits", (256,), kind=TRAINING)]
    (found,) = measure(work, Settings(rounds=1, crossovers=False), [odd, *others]).outcomes
    assert [row.contestant for row in found.rows if row.disagrees] == ["odd"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("host", "loss"), trees.OBJECTIVES)
def test_boosters_with_their_own_objective_and_with_ours_give_one_model(host, loss, monkeypatch):
    pytest.importorskip("sklearn" if host == "hist_gradient_boosting" else host)
    monkeypatch.setattr("lossary.bench.trees.TREES", 3)
    work = [Case(loss, (500,), option=host, kind=BOOSTING)]
    settings = Settings(rounds=1, threads=1, crossovers=False)
    (found,) = measure(work, settings, boosters.BOOSTERS).outcomes
    assert found.absent == ()
    (pair,) = [pair for pair in PAIRS if found.row(pair.ours) and found.row(pair.peer)]
    assert pair.framework == "Boosters"
    assert [row for row in found.rows if row.disagrees] == []


def test_a_booster_with_another_loss_is_noticed(monkeypatch):
    pytest.importorskip("xgboost")
    monkeypatch.setattr("lossary.bench.trees.TREES", 3)
    other = trees.BuiltIn("reg:absoluteerror")
    monkeypatch.setitem(trees.OBJECTIVES, ("xgboost", "half_squared_error"), other)
    work = [Case("half_squared_error", (500,), option="xgboost", kind=BOOSTING)]
    (found,) = measure(work, Settings(rounds=1, crossovers=False), boosters.BOOSTERS).outcomes
    assert len([row for row in found.rows if row.disagrees]) == 2


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


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's counters")


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


def test_who_computes_sequences_agrees():
    case = Case("ctc", (3, 16, 5), kind=SEQUENCES)
    data = draw(case)
    found = {}
    for one in CONTESTANTS:
        if not one.missing() and (ready := one.prepared(case, data, 1)) is not None:
            with ready.around():
                found[one.name] = agreement.summary(*ready.outcome(ready.step()))
    assert ours.AUTO in found
    assert agreement.disagreements(found, agreement.tolerance(case)) == {}
