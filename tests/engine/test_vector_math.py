"""The vector mathematics of the kernels: errors, special values, half types, vector code.

Errors are in units in the last place against mpmath, with no absolute tolerance. The bounds below
are the promise; what was measured stands in each function's docstring.
"""

import functools
import math
import platform
import re
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import remez
from lossary.accuracy.ulps import FORMATS, ulps

numba = pytest.importorskip("numba")

import llvmlite.binding  # noqa: E402

from lossary.functions.coefficients import COEFFICIENTS as OF_FUNCTIONS  # noqa: E402
from lossary.kernels import vector_math  # noqa: E402
from lossary.kernels.apart import Apart  # noqa: E402
from lossary.kernels.elementary import formats  # noqa: E402
from lossary.kernels.elementary.coefficients import COEFFICIENTS as OF_KERNELS  # noqa: E402
from lossary.kernels.vector_math import single, spare  # noqa: E402

COEFFICIENTS = OF_KERNELS | OF_FUNCTIONS

exact = mpmath.mp.clone()
exact.prec = 240
COUNT = 150
UNARY = ("exp", "expm1", "tanh", "log", "log1p", "erf", "lgamma")
PLAIN = ("sqrt", "floor", "absolute", "sign")
BINARY = ("power", "power_plain", "maximum", "minimum")
# Units in the last place.
BOUNDS = {
    "exp": 0.8,
    "expm1": 1.0,
    "tanh": 0.8,
    "log": 0.8,
    "log1p": 0.9,
    "erf": 1.3,
    "lgamma": 1.2,
    "power": 0.8,
}
CONVERSIONS = {name for name in vector_math.__all__ if "_to_" in name}
SPARE_ERROR = 2.0**-42


@functools.cache
def over_array(function, arguments=1):
    """Compile a loop over arrays, as a kernel has it."""
    if arguments == 1:

        def run(x, out):
            for i in range(x.size):
                out[i] = function(x[i])

    else:

        def run(x, y, out):
            for i in range(x.size):
                out[i] = function(x[i], y[i])

    return numba.njit(error_model="numpy")(run)


def results(function, *arrays, dtype=np.float64):
    """Run a function over arrays inside a compiled loop."""
    out = np.empty(arrays[0].size, dtype)
    over_array(function, len(arrays))(*arrays, out)
    return out


def magnitudes(random, low, high):
    """Return both signs of numbers whose exponents are spread evenly."""
    sizes = 10.0 ** random.uniform(low, high, COUNT)
    return np.concatenate([sizes, -sizes])


def samples(name):
    """Return points where a function is used and where it is hard."""
    random = np.random.default_rng(20)
    parts = [
        random.normal(size=COUNT),
        random.uniform(-1, 1, COUNT),
        magnitudes(random, -323, 0),
        magnitudes(random, -20, 2),
        magnitudes(random, -3, 3),
        # Where the range reduction changes its mind: odd multiples of ln(2)/2, and near sqrt(2).
        (2 * np.arange(-30, 31) + 1) * (math.log(2) / 2) * (1 + 1e-15),
        math.sqrt(2) * (1 + random.normal(size=COUNT) * 1e-3),
    ]
    ends = {
        "exp": [(-746, 710), (-745.2, -708), (708, 709.79)],
        "expm1": [(-40, -30), (-1.1, 0.6), (708, 709.79)],
        "tanh": [(-22, 22), (15, 20)],
        "log": [(0, 1), (0.5, 2)],
        "log1p": [(-1, 0), (0, 1), (-0.6, 0.6)],
        "erf": [(-1.2, 1.2), (0.9, 1.1), (1, 2), (-7, 7)],
        "lgamma": [(0, 0.6), (0.5, 1.5), (1.2, 1.6), (1.5, 2.5), (1.99, 2.01), (2.5, 9), (7, 50)],
    }
    parts += [random.uniform(low, high, COUNT) for low, high in ends[name]]
    if name in {"log", "log1p", "lgamma"}:
        parts.append(np.exp(random.uniform(-745, 709.7, COUNT)))
    if name in {"log", "lgamma"}:
        parts += [1 + random.normal(size=COUNT) * 10.0**-k for k in (3, 9, 15)]
        parts.append(2 + random.normal(size=COUNT) * 1e-9)
        points = np.abs(np.concatenate(parts))
        return points[points < 2.5e305] if name == "lgamma" else points
    if name == "log1p":
        parts.append(-1 + 10.0 ** random.uniform(-16, 0, COUNT))
        return np.concatenate(parts)[np.concatenate(parts) > -1]
    return np.concatenate(parts)


def bases_and_exponents():
    """Return pairs whose powers fill the range of doubles, also from bases near 1."""
    random = np.random.default_rng(21)
    pairs = [
        (random.uniform(0, 1, COUNT), random.uniform(0, 5, COUNT)),
        (random.uniform(-3, 3, COUNT), random.integers(-300, 300, COUNT)),
        (np.exp(random.uniform(-700, 700, COUNT)), random.uniform(-1, 1, COUNT)),
        (np.abs(random.normal(size=COUNT)) * 1e-310, random.uniform(-0.99, 0.99, COUNT)),
    ]
    for spread in (1.0, 1e-3, 1e-8, 1e-13):
        base = np.exp(random.normal(size=COUNT) * spread)
        reach = random.uniform(-745, 709.7, COUNT)
        pairs.append((base, reach / np.where(base == 1, 1, np.log(base))))
    return (np.concatenate(part).astype(np.float64) for part in zip(*pairs, strict=True))


def truth_of(name, x):
    """Return the exact value at a double."""
    function = getattr(exact, {"lgamma": "loggamma"}.get(name, name))
    return exact.re(function(exact.mpf(float(x))))


def expected_of(name, points):
    """Return what NumPy, or else mpmath, gives at the special points."""
    if hasattr(np, name):
        with np.errstate(all="ignore"):
            return getattr(np, name)(points)
    if name == "erf":
        return np.array([math.erf(x) for x in points])
    poles = np.isinf(points) | ((points <= 0) & (np.floor(points) == points))
    infinite = poles | (points > 2.55e305)
    pairs = zip(points, infinite, strict=True)
    return np.array([math.inf if end else float(truth_of(name, x)) for x, end in pairs])


@pytest.mark.parametrize("name", UNARY)
def test_errors_stay_below_their_bound(name):
    x = samples(name)
    actual = results(getattr(vector_math, name), x)
    errors = [
        ulps(float(a), truth_of(name, v), FORMATS["float64"])
        for a, v in zip(actual, x, strict=True)
    ]
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS[name], (x[worst], actual[worst])


def test_powers_stay_below_their_bound():
    x, y = bases_and_exponents()
    truth = [exact.power(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    actual = results(vector_math.power, x, y)
    errors = [ulps(float(a), t, FORMATS["float64"]) for a, t in zip(actual, truth, strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS["power"], (x[worst], y[worst], actual[worst])
    plain = results(vector_math.power_plain, x, y)
    for a, t in zip(plain, truth, strict=True):
        if 2.0**-149 <= abs(t) < 2.0**128:
            assert abs(a - t) <= 2.0**-44 * abs(t)


@pytest.mark.parametrize("name", UNARY)
def test_spare_errors_are_relative(name):
    x = samples(name)
    valid = {"exp": (-708, 709.4), "expm1": (-np.inf, 709.4), "log1p": (-1, 2.0**1022)}
    low, high = valid.get(name, (-np.inf, np.inf))
    x = x[(x > low) & (x < high) & (np.abs(x) >= 2.0**-1021)]
    assert x.size > 5 * COUNT
    for a, v in zip(results(getattr(spare, name), x), x, strict=True):
        truth = truth_of(name, v)
        assert abs(float(a) - truth) <= SPARE_ERROR * abs(truth), v


def test_log1p_of_a_unit():
    x = np.abs(samples("log1p"))
    x = np.append(x[x <= 1], [0, 2.0**-149, math.sqrt(2) - 1, 1])
    for a, v in zip(results(spare.log1p_unit, x), x, strict=True):
        truth = truth_of("log1p", v)
        assert abs(float(a) - truth) <= max(SPARE_ERROR * truth, 2.0**-1074), v
    assert np.isnan(results(spare.log1p_unit, np.array([math.nan]))).all()


def test_spare_powers_are_as_good_as_their_logarithm():
    x, y = bases_and_exponents()
    x, y = np.abs(x), np.clip(y, -80, 80)
    fine = x >= 2.0**-1021
    x, y = x[fine], y[fine]
    for a, b, c in zip(x, y, results(spare.power, x, y), strict=True):
        truth = exact.power(float(a), float(b))
        if 2.0**-149 <= truth < 2.0**128:
            growth = 1 + abs(float(b) * math.log(a))
            assert abs(float(c) - truth) <= SPARE_ERROR * growth * truth, (a, b)


SPECIAL = np.concatenate(
    [
        [0.0, -0.0, math.inf, -math.inf, math.nan, 1, -1, 0.5, 2, -2, 3, -3, 1.5, -1.5],
        [2.0**53, 2.0**53 - 1, -(2.0**60), 1 - 2.0**-53, 709.79, -745.2, 800, -800],
        [5e-324, -5e-324, 1e-310, 1.7e308, -1.7e308],
    ]
)


def same(actual, expected, relative=0.0):
    """Equal bit for bit in sign, infinity and NaN, and within a relative error elsewhere."""
    with np.errstate(all="ignore"):
        close = np.abs(actual - expected) <= relative * np.abs(expected)
    equal = (actual == expected) & (np.signbit(actual) == np.signbit(expected))
    return equal | (np.isnan(actual) & np.isnan(expected)) | close


@pytest.mark.parametrize("name", UNARY + PLAIN)
def test_special_values_are_those_of_the_references(name):
    actual = results(getattr(vector_math, name), SPECIAL)
    expected = expected_of(name, SPECIAL)
    wrong = ~same(actual, expected, 4e-16)
    assert not wrong.any(), (SPECIAL[wrong], actual[wrong], expected[wrong])


@pytest.mark.parametrize("name", BINARY)
def test_special_pairs_are_those_of_numpy(name):
    x, y = (a.ravel() for a in np.meshgrid(SPECIAL, SPECIAL))
    actual = results(getattr(vector_math, name), x, y)
    with np.errstate(all="ignore"):
        expected = getattr(np, name.removesuffix("_plain"))(x, y)
    if name in {"maximum", "minimum"}:
        wrong = ~((actual == expected) | (np.isnan(actual) & np.isnan(expected)))
    else:
        wrong = ~same(actual, expected, 4e-16 if name == "power" else 2e-13)
    assert not wrong.any(), (x[wrong], y[wrong], actual[wrong], expected[wrong])


@pytest.mark.parametrize("name", UNARY)
def test_spare_special_values(name):
    x = SPECIAL[(np.abs(SPECIAL) > 1e-300) | (SPECIAL == 0) | np.isnan(SPECIAL)]
    x = x[np.isinf(x) | ~(np.abs(x) > 1e300)]
    actual = results(getattr(spare, name), x)
    expected = expected_of(name, x)
    if name == "lgamma":
        expected[x < 0] = math.nan
    right = same(actual, expected, SPARE_ERROR) | ((actual == 0) & (expected == 0))
    assert right.all(), (x[~right], actual[~right], expected[~right])


def test_spare_special_powers():
    x, y = (a.ravel() for a in np.meshgrid(SPECIAL[SPECIAL >= 0], SPECIAL))
    x, y = x[(x == 0) | (x > 1e-300)], y[(x == 0) | (x > 1e-300)]
    actual = results(spare.power, x, y)
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    seen = ~((expected != 0) & (np.abs(expected) < 2.0**-1020)) & ~np.signbit(x)
    wrong = seen & ~same(actual, expected, 1e-9)
    wrong &= ~((expected > 2.0**1000) & (actual > 2.0**1000))
    assert not wrong.any(), (x[wrong], y[wrong], actual[wrong], expected[wrong])


HALVES = ("float16", "bfloat16")


def values_of_halves(name):
    """Return the value of each of the 65536 patterns, by NumPy or ml_dtypes."""
    patterns = np.arange(65536, dtype=np.uint16)
    if name == "float16":
        return patterns, patterns.view(np.float16).astype(np.float64)
    ml_dtypes = pytest.importorskip("ml_dtypes")
    with np.errstate(invalid="ignore"):
        return patterns, patterns.view(ml_dtypes.bfloat16).astype(np.float64)


@pytest.mark.parametrize("name", HALVES)
def test_every_half_is_read_and_written_back(name):
    patterns, values = values_of_halves(name)
    read = results(getattr(vector_math, f"{name}_to_float64"), patterns)
    assert np.array_equal(read, values, equal_nan=True)
    assert np.array_equal(np.signbit(read), np.signbit(values))
    written = results(getattr(vector_math, f"float64_to_{name}"), values, dtype=np.uint16)
    number = ~np.isnan(values)
    assert np.array_equal(written[number], patterns[number])
    assert np.isnan(values[written[~number]]).all()
    assert np.array_equal(written[~number] >> 15, patterns[~number] >> 15)


@pytest.mark.parametrize("name", HALVES)
def test_halves_are_rounded_once_to_nearest_even(name):
    _, values = values_of_halves(name)
    sizes = values[: np.flatnonzero(np.isinf(values))[0]]  # patterns of positive numbers, in order
    half_step = (sizes[-1] - sizes[-2]) / 2
    middle = np.append((sizes[1:] + sizes[:-1]) / 2, sizes[-1] + half_step)
    lower = np.arange(middle.size)
    x = np.concatenate([middle, np.nextafter(middle, 0), np.nextafter(middle, np.inf)])
    expected = np.concatenate([lower + lower % 2, lower, lower + 1])
    beyond = np.array([sizes[-1] * 4, 1.7e308, math.inf, 5e-324, 1e-310])
    x = np.concatenate([x, beyond])
    expected = np.concatenate([expected, [sizes.size] * 3, [0] * 2])
    convert = getattr(vector_math, f"float64_to_{name}")
    assert np.array_equal(results(convert, x, dtype=np.uint16), expected)
    assert np.array_equal(results(convert, -x, dtype=np.uint16), expected | 0x8000)


# Packed instructions of each machine: any arithmetic, and fused multiply-adds of doubles.
PACKED = {
    "x86_64": (r"\bv?\w+(p[ds]|dq|q)\s.*%[xyz]mm", r"\bvfn?m\w+pd\s.*%[xyz]mm"),
    "aarch64": (r"\bv\d+\.2d", r"\bfml[as]\s+v\d+\.2d"),
}
NAMES = {"amd64": "x86_64", "arm64": "aarch64"}
CALLED = re.compile(r"^[ \t]*(?:movabsq[ \t]+\$(\w+)|(?:bl|callq?)[ \t]+(\w+))", re.MULTILINE)
OF_NUMBA = re.compile(r"_*(Py|NRT_|numba_|ZN|ZNSt)|\d|\.|memset$|memcpy$")


def assembly(function, *types):
    """Return the machine code of a loop over arrays of these types, the last one the output."""
    arguments = len(types) - 1
    loop = over_array(function, arguments)
    loop.compile(tuple(numba.types.Array(t, 1, "C") for t in types))
    return "\n".join(loop.inspect_asm().values())


def loops_over_arrays():
    """Return each function with the element types of its loop."""
    double, half = numba.float64, numba.uint16
    for module in (vector_math, spare):
        for name in sorted(
            {*UNARY, *PLAIN, *BINARY, *CONVERSIONS, "log1p_unit"} & vars(module).keys()
        ):
            types = [double] * (3 if name in {*BINARY, "power"} else 2)
            if "_to_" in name:
                types = [half, double] if name.endswith("_to_float64") else [double, half]
            yield pytest.param(
                getattr(module, name), types, id=f"{module.__name__.rpartition('.')[2]}.{name}"
            )


@pytest.mark.parametrize(("function", "types"), list(loops_over_arrays()))
def test_a_loop_over_it_uses_vectors_and_calls_nothing(function, types):
    machine = platform.machine().lower()
    machine = NAMES.get(machine, machine)
    if machine not in PACKED:
        pytest.skip(f"the vector instructions of {machine} are not known here")
    if machine == "x86_64" and not llvmlite.binding.get_host_cpu_features().get("fma"):
        pytest.skip("this processor has no fused multiply-add: the C library's is called")
    text = assembly(function, *types)
    called = {"".join(name) for name in CALLED.findall(text)}
    assert not {name for name in called if not OF_NUMBA.match(name)}
    arithmetic, fused = PACKED[machine]
    assert len(re.findall(arithmetic, text)) >= 3
    name = function.py_func.__name__
    if name in {*UNARY, "power", "power_plain"}:
        assert len(re.findall(fused, text)) >= 5


def test_an_exponential_below_a_peak():
    """Of float32, with what the difference loses, down to the smallest number."""
    rng = np.random.default_rng(29)
    peak = np.float32(rng.normal() * 5)
    x = (peak - np.concatenate([rng.exponential(8, 400), np.arange(84, 106, 0.25)])).astype("f")
    x = np.append(np.minimum(x, peak), [peak, np.float32(-1e30), np.float32(-np.inf)])
    run = over_array(lambda_of(single.exp_difference, peak))
    found = np.empty_like(x)
    run(x, found)
    truth = [exact.exp(exact.mpf(float(v)) - float(peak)) for v in x]
    errors = [ulps(float(a), t, FORMATS["float32"]) for a, t in zip(found, truth, strict=True)]
    assert max(errors) < 0.8
    assert [*found[-3:]] == [1, 0, 0]


def lambda_of(function, second):
    return numba.njit(lambda x: function(x, second))


def test_a_kernel_computes_several_vectors_side_by_side():
    """A loop that waits for one exponential would leave most of the processor idle."""

    def run(x, out):
        for i in range(x.size):
            out[i] = vector_math.exp(x[i])

    array = numba.types.Array(numba.float64, 1, "C")
    fused = {"x86_64": r"vfn?m\w+pd", "aarch64": r"fml[as]\s+v\d+\.2d"}
    machine = platform.machine().lower()
    machine = NAMES.get(machine, machine)
    if machine not in fused:
        pytest.skip(f"the vector instructions of {machine} are not known here")
    counts = []
    for options in ({}, {"pipeline_class": Apart}):
        loop = numba.njit(error_model="numpy", **options)(run)
        loop.compile((array, array))
        counts.append(len(re.findall(fused[machine], "\n".join(loop.inspect_asm().values()))))
    assert counts[1] >= 2 * counts[0] > 0


@pytest.mark.parametrize("module", [vector_math, spare], ids=["exact", "spare"])
def test_an_element_does_not_depend_on_its_lane(module):
    """The vector part of a loop and its scalar end give the same bits: any split of work agrees."""
    x = np.random.default_rng(23).uniform(0, 3, 67)
    for name in UNARY:
        run = over_array(getattr(module, name))
        together, alone = np.empty_like(x), np.empty_like(x)
        run(x, together)
        for i in range(x.size):
            run(x[i : i + 1], alone[i : i + 1])
        assert np.array_equal(together, alone), name


def test_the_vector_test_sees_a_call_to_the_c_library():
    text = assembly(numba.njit(lambda x: math.exp(x) + 1.0), numba.float64, numba.float64)
    assert re.search(r"\bexp\b", text)


@pytest.mark.parametrize("name", remez.FITS)
def test_coefficients_come_from_the_script(name):
    assert tuple(float(c) for c in remez.rounded(remez.FITS[name])) == COEFFICIENTS[name]


def test_every_coefficient_has_a_fit():
    assert COEFFICIENTS.keys() == remez.FITS.keys()


def test_lgamma_of_negative_numbers():
    """Errors relative to the larger term of the reflection: the zeros there are not resolved."""
    random = np.random.default_rng(22)
    x = -np.concatenate([random.uniform(0, 6, COUNT), 10.0 ** random.uniform(0, 9, COUNT)])
    for a, v in zip(results(vector_math.lgamma, x), x, strict=True):
        error = abs(float(a) - truth_of("lgamma", v))
        assert error <= 4 * 2.0**-53 * max(abs(a), abs(truth_of("lgamma", -v)), 1)


@pytest.mark.parametrize(
    ("constants", "bits", "error"), [(formats.DOUBLE, 42, -101), (formats.SINGLE, 16, -39)]
)
def test_ln2_is_split_so_that_its_multiples_are_exact(constants, bits, error):
    assert Fraction(constants["LN2_HIGH"]).denominator <= 2**bits
    with exact.workprec(400):
        rest = exact.log(2) - constants["LN2_HIGH"] - exact.mpf(constants["LN2_LOW"])
        assert abs(rest) < exact.mpf(2) ** error
