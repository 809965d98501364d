"""The measurement itself: units in the last place, inputs, the table, and the peers beside it."""

import io
import json
import math

import mpmath
import numpy as np
import pytest
from rich.console import Console

import lossary as L
from libraries import imported
from lossary.accuracy import measure
from lossary.accuracy.bars import bar
from lossary.accuracy.oracle import Meaning
from lossary.accuracy.peers import PEERS
from lossary.accuracy.samples import CANCELLING, SUBNORMAL, batches
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.formula import variable
from lossary.functions import exp, log
from samples import each_loss

exact = mpmath.mp.clone()
exact.prec = 4000


def power(exponent):
    return exact.mpf(2) ** exponent


@pytest.mark.parametrize(
    ("actual", "truth", "dtype", "distance"),
    [
        (1.0, 1, "float64", 0.0),
        (1.0 + 2**-52, 1, "float64", 1.0),
        (1.0 - 2**-53, 1, "float64", 0.5),
        (1.0, 1 + power(-54), "float64", 0.25),
        (0.0, power(-1074), "float64", 1.0),
        (0.0, power(-1080), "float64", 2**-6),
        (2.0**-149, 0, "float32", 1.0),
        (math.inf, power(128), "float32", 0.0),
        (math.inf, power(127), "float32", math.inf),
        (-math.inf, power(128), "float32", math.inf),
        (float(np.finfo(np.float32).max), power(128), "float32", 1.0),
        (math.inf, exact.inf, "float64", 0.0),
        (1e300, exact.inf, "float64", math.inf),
        (math.nan, 1, "float64", math.inf),
        (1.0 + 2**-7, 1, "bfloat16", 1.0),
    ],
)
def test_a_distance_counts_units_of_the_true_value(actual, truth, dtype, distance):
    assert ulps(actual, exact.mpf(truth), FORMATS[dtype]) == distance


@each_loss
def test_inputs_lie_in_their_sets_and_follow_from_the_seed(loss):
    for dtype in ("float64", "float32", "float16"):
        found = batches(loss, dtype, 60)
        again = batches(loss, dtype, 60)
        for batch, same in zip(found, again, strict=True):
            assert batch.parameters.keys() == {a.name for a in loss.parameters}
            for argument in loss.inputs:
                x = batch.arrays[argument.name]
                np.testing.assert_array_equal(x, same.arrays[argument.name])
                assert np.all(argument.domain.contains(x))
                if batch.kind != SUBNORMAL and x.dtype.kind == "f":
                    tiny = np.finfo(dtype).tiny
                    assert not np.any((x != 0) & (abs(x) < tiny))
        assert {b.kind for b in found} >= {SUBNORMAL}
        if loss.name in {"huber", "binary_cross_entropy", "cosine_distance"}:
            assert CANCELLING in {b.kind for b in found}


def test_the_bar_is_the_rule():
    def of(name, dtype, **parameters):
        return bar(L.catalogue[name], dtype, parameters)

    assert (of("huber", "float64"), of("huber", "float32")) == (2, 4)
    assert (of("cross_entropy", "float64"), of("cosine_distance", "float32")) == (8, 8)
    assert (of("focal", "float64", gamma=0.0), of("focal", "float32", gamma=5.0)) == (4, 24)


def test_the_table_has_libraries_and_peers_and_three_forms():
    imported("torch")
    seen = []
    table = measure(
        ["huber"], ["numpy", "torch"], ["float32"], lambda *words: seen.append(words), size=30
    )
    own = {row.library: row for row in table.rows if row.peer is None}
    assert set(own) == {"numpy", "torch"}
    assert all(row.met for row in own.values())
    assert "torch huber_loss" in {row.peer for row in table.rows}
    assert seen[-1] == (1, 1, "")

    plain = json.loads(json.dumps(table.to_json(), allow_nan=False))
    assert len(plain["rows"]) == len(table.rows)
    assert plain["rows"][0]["errors"]["value over the range"]["worst"] <= 4
    assert "| `huber` | lossary numpy | 4 |" in table.markdown()
    written = io.StringIO()
    table.print(Console(width=100, file=written))
    assert "lossary torch" in written.getvalue()
    assert max(map(len, written.getvalue().splitlines())) <= 100


def test_processes_share_the_work_and_find_the_same():
    seen = []
    asked = {"names": ["huber", "dice"], "libraries": ["numpy"], "size": 30}
    alone = measure(**asked)
    together = measure(**asked, processes=2, progress=lambda *words: seen.append(words))
    assert together == alone
    assert [done for done, *_ in seen] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="processes must be at least 1, got 0"):
        measure(processes=0)


def test_a_wrong_answer_shows_in_the_table():
    """torch's own soft margin overflows; if it looked right, nothing here could be believed."""
    imported("torch")
    table = measure(["soft_margin"], ["torch"], ["float32"], size=100)
    peer = next(row for row in table.rows if row.peer)
    assert peer.errors["value over the range"].worst == math.inf


def test_unknown_names_are_refused_with_what_there_is():
    with pytest.raises(ValueError, match="choose from numpy, torch, jax, tensorflow"):
        measure(["huber"], ["pytorch"])
    with pytest.raises(ValueError, match="choose from float64, float32"):
        measure(["huber"], ["numpy"], ["double"])


def test_every_peer_belongs_to_a_loss_and_takes_its_arguments():
    from inspect import signature

    for name, peers in PEERS.items():
        loss = L.catalogue[name]
        for peer in peers:
            _, *arguments = signature(peer.call).parameters
            assert set(arguments) <= set(loss.domains)
            assert {a.name for a in loss.inputs} <= set(arguments)


@pytest.mark.parametrize(("scale", "x"), [(64.0, 8.0), (200.0, 3.0), (1.0, 500.0)])
def test_the_oracle_sees_what_an_exponential_of_a_product_hides(scale, x):
    """Beside e^(s x) a 1 needs as many bits as the product has: here no form but the meaning."""
    s, y = variable("s"), variable("x")
    meaning = Meaning(-log(1 - 1 / (1 + exp(-s * y))))
    point = {"s": scale, "x": x}
    assert abs(meaning.value(point) - scale * x) < 1e-15
    assert abs(meaning.gradient(point, "x") - scale) < 1e-15
