"""Value and gradient of every loss, on every library and type, in ulps of the true value.

The truth is mpmath's (`lossary.accuracy`); nothing has an absolute tolerance. What misses its bar
stands in `gaps.toml` with the worst error measured and a reason; a gap that closes or widens fails
the run until its line is brought up to date.
"""

import math
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.accuracy.measure import errors
from lossary.accuracy.oracle import Kink
from lossary.accuracy.samples import CANCELLING, RANGE, SUBNORMAL
from lossary.accuracy.truth import measured, truths
from lossary.accuracy.ulps import FORMATS
from samples import REPRESENTATIVE

SOURCES = (*NAMES, "fused")  # the last is NumPy through the kernels

LEDGER = tomllib.loads((Path(__file__).parent / "gaps.toml").read_text())
SIZE = 60
STEP = 4  # without --thorough every so many of the points are measured
TYPES = ("float64", "float32", "float16", "bfloat16")
EVERY = "all"  # the ledger's word for a gap of a whole library


def key(gap):
    return gap["loss"], gap["library"], gap["dtype"], gap["what"]


GAPS = {key(gap): gap for gap in LEDGER["gaps"]}

# Half precision is widened on the way in and rounded on the way out, by the library and not by
# the loss: NumPy and PyTorch show it for every loss, others for one of each family and the gaps.
ONE_OF_EACH = {loss.family: name for name, loss in reversed(L.catalogue.items())}.values()
WIDENED = {("jax", "float16"), ("jax", "bfloat16"), ("torch", "float16")} | {
    ("tensorflow", "float16"), ("tensorflow", "bfloat16"),
}  # fmt: skip


def is_measured(name, library, dtype):
    if library == "fused":
        return dtype in {"float64", "float32"}
    if (library, dtype) in WIDENED:
        return name in ONE_OF_EACH or any(k[:3] == (name, library, dtype) for k in GAPS)
    return (library, dtype) != ("numpy", "bfloat16")


IN_FULL = {("numpy", "float64"), ("numpy", "float32"), ("fused", "float32")}


def mark(library, dtype):
    """Measure all losses by NumPy and the kernels; the other texts are the same expressions."""
    return () if (library, dtype) in IN_FULL else pytest.mark.representative


CASES = [
    pytest.param(name, library, dtype, id=f"{name}-{library}-{dtype}", marks=mark(library, dtype))
    for name in L.catalogue
    for library in SOURCES
    for dtype in TYPES
    if is_measured(name, library, dtype)
]


@pytest.fixture(scope="session")
def step(request):
    return 1 if request.config.option.thorough else STEP


@cache
def parts(name, library, dtype, step):
    """The errors of a case; float16 and bfloat16 have fewer numbers."""
    size = SIZE if dtype in {"float64", "float32"} else SIZE // 3
    truth = truths(L.catalogue[name], dtype, size, step=step)
    if library == "fused":
        pytest.importorskip("numba")
        if step > 1 and (name not in REPRESENTATIVE or dtype != "float32"):
            truth = at_usual_parameters(truth)
        return errors(L.catalogue[name], "numpy", dtype, truth, "fused")
    assert Library(library).module  # skips without the library
    return errors(L.catalogue[name], library, dtype, truth)


def at_usual_parameters(truth):
    """The batches at the defaults, which come first.

    Each other setting is a kernel to compile, a second or more, of expressions that NumPy is
    measured with at that setting; what a kernel adds is the loop around them, and its own is at
    the defaults.
    """
    usual = {name: x for name, x in truth[0].batch.parameters.items() if np.ndim(x) == 0}
    return [t for t in truth if all(t.batch.parameters[name] is x for name, x in usual.items())]


def worst(found, what, kind):
    """The largest error, and the largest in units of the bar."""
    chosen = [p for p in found if (p.what, p.kind) == (what, kind) and p.errors.size]
    return (
        max((float(p.errors.max()) for p in chosen), default=0.0),
        max((float(p.errors.max()) / p.bar for p in chosen), default=0.0),
    )


def settle(case, size, share, step):
    """Pass within the bar, expect what the ledger lists, and fail on anything else.

    Only all the points together tell that a gap has closed.
    """
    gap = GAPS.get(case)
    line = '{{loss = "{}", library = "{}", dtype = "{}", what = "{}", worst = {}, because = "?"}},'
    if share <= 1:
        assert gap is None or step > 1, f"a gap has closed: take its line out of gaps.toml\n{gap}"
        return
    assert gap, "above its bar; mend it, or add to gaps.toml:\n" + line.format(*case, f"{size:.2g}")
    limit = 2 * gap["worst"]
    assert size <= limit, f"a gap has widened: {size:.3g} ulp, where the ledger says {gap['worst']}"
    pytest.xfail(LEDGER["reasons"][gap["because"]])


@pytest.mark.parametrize("what", ["value", "gradient"])
@pytest.mark.parametrize(("name", "library", "dtype"), CASES)
def test_over_the_range(name, library, dtype, what, step):
    size, share = worst(parts(name, library, dtype, step), what, RANGE)
    settle((name, library, dtype, what), size, share, step)


@pytest.mark.parametrize("what", ["value", "gradient"])
@pytest.mark.parametrize(("name", "library", "dtype"), CASES)
def test_where_parts_cancel(name, library, dtype, what, step):
    size, share = worst(parts(name, library, dtype, step), what, CANCELLING)
    settle((name, library, dtype, f"{what} {CANCELLING}"), size, share, step)


def has_subnormal_numbers(library, dtype):
    """Whether the library computes with them; the values of half precision are float32."""
    kind = "float32" if dtype == "float16" else dtype
    return (EVERY, library, kind, SUBNORMAL) not in GAPS


@pytest.mark.parametrize("what", ["value", "gradient"])
@pytest.mark.parametrize(
    ("name", "library", "dtype"), [c for c in CASES if has_subnormal_numbers(*c.values[1:])]
)
def test_at_subnormal_numbers(name, library, dtype, what, step):
    size, share = worst(parts(name, library, dtype, step), what, SUBNORMAL)
    settle((name, library, dtype, f"{what} {SUBNORMAL}"), size, share, step)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("library", [name for name in NAMES if name != "numpy"])
def test_a_library_that_flushes_subnormal_numbers_is_in_the_ledger(library, dtype):
    library = Library(library)
    with library.wide():
        tiny = library.array([2.0 ** (FORMATS[dtype].smallest + 3)], dtype)
        size = library.plain(L.absolute_error(tiny, library.array([0.0], dtype), reduction="none"))
    assert (float(size[0]) != 0) == has_subnormal_numbers(library.name, dtype)


def test_the_ledger_names_what_exists():
    ends = ("", f" {CANCELLING}", f" {SUBNORMAL}")
    kinds = {f"{what}{end}" for what in ("value", "gradient") for end in ends}
    for gap in LEDGER["gaps"]:
        assert set(gap) == {"loss", "library", "dtype", "what", "worst", "because"}
        assert gap["loss"] in {*L.catalogue, EVERY}
        assert gap["library"] in SOURCES
        assert gap["dtype"] in TYPES
        assert gap["what"] in {*kinds, SUBNORMAL}
        assert gap["because"] in LEDGER["reasons"]
    assert len(GAPS) == len(LEDGER["gaps"]), "a gap is listed twice"
    unused = set(LEDGER["reasons"]) - {gap["because"] for gap in LEDGER["gaps"]}
    assert not unused


# --------------------------------------------------------------------------------- corners

# Where the derivative jumps, it follows the table in calculus.KINKS: |x|' = 0 at 0, a tie of a
# maximum belongs to its second argument, `where` takes its branch, `peak` the first largest class.
CORNERS = [
    ("absolute_error", ([2.0], [2.0]), {}, [0.0]),
    ("absolute_percentage_error", ([2.0], [2.0]), {}, [0.0]),
    ("smooth_l1", ([2.0], [2.0]), {"beta": 0.0}, [0.0]),
    ("quantile", ([2.0], [2.0]), {"quantile": 0.25}, [-0.25]),
    ("hinge", ([1.0, -1.0], [1.0, -1.0]), {}, [0.0, 0.0]),
    ("hinge_embedding", ([1.0], [-1.0]), {}, [0.0]),
    ("margin_ranking", ([3.0], [3.0], [1.0]), {}, [0.0]),
    ("crammer_singer", ([[5.0, 5.0, 0.0]], [2]), {}, [[1.0, 0.0, -1.0]]),
    ("crammer_singer", ([[1.0, 0.0]], [0]), {}, [[0.0, 0.0]]),
    ("categorical_hinge", ([[1.0, 0.0]], [[1.0, 0.0]]), {}, [[0.0, 0.0]]),
    ("multi_margin", ([[1.0, 0.0, 0.5]], [0]), {}, [[-1 / 3, 0.0, 1 / 3]]),
    ("euclidean_distance", ([[1.0, 2.0]], [[1.0, 2.0]]), {}, [[0.0, 0.0]]),
    ("cosine_similarity", ([[0.0, 0.0]], [[1.0, 2.0]]), {}, [[0.0, 0.0]]),
    ("cosine_distance", ([[0.0, 0.0]], [[1.0, 2.0]]), {}, [[0.0, 0.0]]),
    ("cosine_embedding", ([[1.0, 0.0]], [[0.0, 1.0]], [-1.0]), {}, [[0.0, 0.0]]),
    ("pearson_distance", ([[3.0, 3.0]], [[1.0, 2.0]]), {}, [[0.0, 0.0]]),
    ("triplet_margin", ([[0.0]], [[1.0]], [[2.0]]), {}, [[0.0]]),
    ("triplet_margin", ([[1.0]], [[1.0]], [[3.0]]), {"margin": 3.0}, [[1.0]]),
]


@pytest.mark.parametrize(("name", "data", "options", "slope"), CORNERS)
def test_a_corner_has_its_documented_slope(name, data, options, slope):
    arrays = [np.asarray(x) for x in data]
    found = L.catalogue[name].gradient(*arrays, reduction="sum", **options)
    np.testing.assert_array_equal(found, slope)


@pytest.mark.parametrize("name", L.catalogue)
def test_the_slope_at_a_corner_lies_between_those_beside_it(name, step):
    loss = L.catalogue[name]
    for truth in truths(loss, "float64", SIZE, step=step):
        for argument in measured(loss):
            xs, more = list(truth.batch.arrays.values()), truth.batch.parameters
            found = loss.gradient(*xs, wrt=argument, reduction="sum", **more).ravel()
            flat = truth.gradients[argument]
            flat = [x for row in flat for x in (row if isinstance(row, list) else [row])]
            for slope, kink in zip(found, flat, strict=True):
                if isinstance(kink, Kink):
                    low, high = sorted((float(kink.below), float(kink.above)))
                    room = 1e-12 * max(abs(low), abs(high))
                    assert low - room <= slope <= high + room


# ------------------------------------------------------------------- the oracle by itself


def test_the_oracle_tells_apart_what_only_many_digits_show():
    from lossary.accuracy.oracle import Meaning

    entropy = Meaning.of(L.catalogue["cross_entropy"])
    point = {"logits": [700.0, 0.0], "label": 0, "label_smoothing": 0.0}
    assert float(entropy.value(point)) == pytest.approx(math.exp(-700), rel=1e-15)
    slopes = [float(x) for x in entropy.gradient(point, "logits")]
    assert slopes == pytest.approx([-math.exp(-700), math.exp(-700)], rel=1e-15)


def test_the_oracle_finds_corners_and_infinite_slopes():
    from lossary.accuracy.oracle import Meaning

    corner = Meaning.of(L.catalogue["absolute_error"]).gradient(
        {"prediction": 1.0, "target": 1.0}, "prediction"
    )
    assert (float(corner.below), float(corner.above)) == (-1.0, 1.0)
    steep = Meaning.of(L.catalogue["jensen_shannon"]).gradient(
        {"probabilities": [0.0, 1.0], "target": [0.5, 0.5]}, "probabilities"
    )
    assert float(steep[0]) == -math.inf
