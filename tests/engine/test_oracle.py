"""Value and gradient of every loss, on every library and type, in ulps of the true value.

The truth is mpmath's (`lossary.accuracy`); nothing has an absolute tolerance. What misses its bar
stands in `gaps.toml` with the worst error measured and a reason; a gap that closes or widens fails
the run until its line is brought up to date.
"""

import math

import mpmath
import numpy as np
import pytest

import lossary as L
from libraries import NAMES, Library
from lossary.accuracy.exact import IN_MPMATH, context
from lossary.accuracy.oracle import Kink, Meaning
from lossary.accuracy.samples import CANCELLING, RANGE, SUBNORMAL
from lossary.accuracy.truth import measured
from lossary.accuracy.ulps import FORMATS
from oracle_cases import (
    CASES,
    EVERY,
    GAPS,
    LEDGER,
    SOURCES,
    STEP,
    TYPES,
    has_subnormal_numbers,
    parts,
    true_values,
    worst,
)


@pytest.fixture(scope="session")
def step(request):
    return 1 if request.config.option.thorough else STEP


def check(case, kind, step):
    """Pass within the bars, expect what the ledger lists, and fail on anything else."""
    found, end = parts(*case, step), "" if kind == RANGE else f" {kind}"
    reasons = [
        settle((*case, what + end), *worst(found, what, kind), step)
        for what in ("value", "gradient")
    ]
    if any(reasons):
        pytest.xfail("; ".join(filter(None, reasons)))


def settle(case, size, share, step):
    """Return why the ledger has a case, or nothing for one within its bar.

    Only all the points together tell that a gap has closed, and only far below the bar: NumPy's
    exponential differs from one processor to the next.
    """
    gap = GAPS.get(case)
    line = '{{loss = "{}", library = "{}", dtype = "{}", what = "{}", worst = {}, because = "?"}},'
    if share <= 1:
        still = step > 1 or share > 0.75
        assert gap is None or still, f"a gap has closed: take its line out of gaps.toml\n{gap}"
        return None
    assert gap, "above its bar; mend it, or add to gaps.toml:\n" + line.format(*case, f"{size:.2g}")
    limit = 2 * gap["worst"]
    assert size <= limit, f"a gap has widened: {size:.3g} ulp, where the ledger says {gap['worst']}"
    return f"{case[-1]}: {LEDGER['reasons'][gap['because']]}"


@pytest.mark.parametrize("case", CASES)
def test_over_the_range(case, step):
    check(case, RANGE, step)


@pytest.mark.parametrize("case", CASES)
def test_where_parts_cancel(case, step):
    check(case, CANCELLING, step)


@pytest.mark.parametrize("case", [c for c in CASES if has_subnormal_numbers(*c.values[0][1:])])
def test_at_subnormal_numbers(case, step):
    check(case, SUBNORMAL, step)


def test_a_case_is_measured_once_for_all_its_tests():
    case = "squared_error", "numpy", "float64", STEP
    assert parts(*case) is parts(*case)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("library", [name for name in NAMES if name != "numpy"])
def test_a_library_that_flushes_subnormal_numbers_is_in_the_ledger(library, dtype):
    library = Library(library)
    with library.wide(), L.using(engine="array"):  # as the errors are measured
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

# Where the derivative jumps, it follows KINKS of calculus/rules.py: |x|' = 0 at 0, a tie of a
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
    for truth in true_values(loss, "float64", step):
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


def test_a_part_that_two_precisions_miss_counts():
    """With 80 and 120 bits half of this sum is lost: exp(-90) beside 1 needs 130."""
    logit, target = [200.0, 90.0, -200.0, -90.0], [1.0, 1.0, 0.0, 0.0]
    meaning = Meaning.of(L.catalogue["dice_binary_cross_entropy"])
    point = {"logit": logit, "target": target, "smooth": 0.0}
    assert abs(meaning.value(point) / mpmath.exp(-90) - 1) < 1e-20
    slope = meaning.gradient(point, "logit")[1]
    assert abs(slope / mpmath.exp(-90) + 0.5) < 1e-20


@pytest.mark.parametrize("rate", [1e-308, 0.5, 6.99, 7.01, 300.0])
def test_what_a_gamma_of_whole_shape_has_above_is_a_sum_of_poissons(rate):
    """Below the shape it is what the other side leaves; mpmath's own way takes seconds."""
    m, x = context(), context().mpf(rate)
    with m.workprec(4000):
        found = IN_MPMATH["gammaincc"](m, m.mpf(7), x)
        true = m.exp(-x) * m.fsum(x**k / m.factorial(k) for k in range(7))
        assert abs(found - true) <= m.ldexp(true, -3900)
