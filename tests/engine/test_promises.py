"""Each promise of a record holds: for data and hyper-parameters that Hypothesis chooses."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import lossary as L
from lossary.definition import PROMISES
from lossary.domain import Simplex
from lossary.functions import log, total
from samples import (
    CLASSES,
    LOSSES,
    WIDE,
    arrays,
    distributions,
    inputs,
    interval,
    settings_of,
    values,
)

EPSILON = np.finfo(np.float64).eps

# A failure is shrunk and printed as a call; the same examples run everywhere.
thorough = settings(
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


# It ends at the first failure. Hypothesis also draws constants of the modules that are loaded, so
# that what comes first depends on the tests before; of so many examples one always fails.
unshrunk = settings(thorough, phases=(Phase.generate,), max_examples=1000)

CHECKS = {}
LOGARITHMS = ("sum of exponentials", "sum")


def keeps(promise):
    """Enter a check that raises AssertionError for a loss that breaks the promise."""

    def enter(check):
        CHECKS[promise] = check
        return check

    return enter


def value(loss, arrays, parameters, **options):
    return float(loss(*arrays, reduction="none", **parameters, **options))


@keeps("non_negative")
def non_negative(loss, how):
    @how
    @given(inputs(loss), settings_of(loss))
    def check(arrays, parameters):
        assert value(loss, arrays, parameters) >= 0

    check()


@keeps("non_negative_if_normalised")
def non_negative_if_normalised(loss, how):
    """At least T log(T / P) for rows of sums T and P, which is 0 where both are 1 (Gibbs)."""

    def mass(array, domain):
        return math.fsum(np.exp(array) if domain.mass == LOGARITHMS[0] else array)

    @how
    @given(inputs(loss))
    def check(arrays):
        P, T = (mass(x, a.domain) for x, a in zip(arrays, loss.inputs, strict=True))
        assert value(loss, arrays, {}) >= T * math.log(T / P) - 32 * EPSILON

    check()


@keeps("zero_at_target")
def zero_at_target(loss, how):
    """Exactly 0, without allowance; log-probabilities equal a target if they are its logarithms."""
    target = loss.inputs[1].domain
    as_written = np.log if (loss.inputs[0].domain.mass, target.mass) == LOGARITHMS else np.asarray

    @how
    @given(values(target), settings_of(loss))
    def check(array, parameters):
        with np.errstate(divide="ignore"):
            prediction = as_written(array)
        assume(bool(np.all(loss.inputs[0].domain.contains(prediction))))
        if "scale_invariant" in loss.promises:  # the zero vector has no direction
            assume(np.any(array))
        assert value(loss, (prediction, array), parameters) == 0

    check()


@keeps("symmetric")
def symmetric(loss, how):
    @how
    @given(inputs(loss), settings_of(loss))
    def check(arrays, parameters):
        forth = value(loss, arrays, parameters)
        back = value(loss, arrays[::-1], parameters)
        assert back == pytest.approx(forth, rel=1e-14, abs=0)

    check()


# Between two predictions a convex function lies below its chord and above its tangents. The middle
# point, the values and the gradient are rounded: 32 units of the last place of everything added up.


def allowance(*terms):
    return 32 * EPSILON * sum(abs(float(np.sum(np.abs(t)))) for t in terms)


@keeps("convex")
def convex(loss, how):
    @how
    @given(inputs(loss), values(loss.inputs[0].domain), st.floats(0, 1), settings_of(loss))
    def check(arrays, other, share, parameters):
        here, *rest = arrays
        middle = share * here + (1 - share) * other
        # The middle of two rows of log-probabilities need not be one.
        options = parameters | {"check": False}
        f = [value(loss, (x, *rest), options) for x in (here, middle, other)]
        slope = loss.gradient(here, *rest, **options)
        steep = loss.gradient(middle, *rest, **options)
        assume(np.all(np.isfinite([*f, *np.ravel(slope), *np.ravel(steep)])))
        size = np.abs(here) + np.abs(other)
        # Where the slope is 0, the rounding of the middle shows in the second order.
        curvature = loss.hessian(middle, *rest, **options)
        bend = np.where(np.isfinite(curvature), curvature, 0.0) * EPSILON * size**2
        chord = share * f[0] + (1 - share) * f[2]
        assert f[1] <= chord + allowance(f[0], f[2], steep * size, bend)
        tangent = f[0] + np.sum(slope * (other - here))
        assert f[2] >= tangent - allowance(*f, slope * size)

    check()


# Multiples of 1/64, whose sums are exact.
dyadic = st.integers(-6400, 6400).map(lambda n: n / 64)
rows = st.lists(dyadic, min_size=CLASSES, max_size=CLASSES).map(np.asarray)


@keeps("even")
def even(loss, how):
    """The same bits for an error and its negative."""

    @how
    @given(dyadic, dyadic, settings_of(loss))
    def check(target, error, parameters):
        above = value(loss, (np.asarray(target + error), np.asarray(target)), parameters)
        below = value(loss, (np.asarray(target - error), np.asarray(target)), parameters)
        assert above == below

    check()


@keeps("bounded_gradient")
def bounded_gradient(loss, how):
    """No steeper at a distance of 1e8 or 1e150 than at 1e6.

    A slope that nears its bound like 1 / distance, as that of `fair`, has reached it there.
    """
    low, high = interval(loss.inputs[0].domain, WIDE)
    assert (low, high) == WIDE[0], "a bound on a bounded set needs a test of its own"

    @settings(how, max_examples=10)
    @given(st.integers(0, 10**6), settings_of(loss))
    def check(seed, parameters):
        first, *rest = arrays(loss, np.random.default_rng(seed), (400,))
        steepest = [
            np.max(np.abs(loss.gradient(first * scale, *rest, reduction="sum", **parameters)))
            for scale in (1.0, 1e2, 1e6, 1e8, 1e150)
        ]
        assert max(steepest[3:]) <= 1.001 * max(steepest[:3])

    check()


@keeps("shift_invariant")
def shift_invariant(loss, how):
    """Shifts are exact here; only a mean of the row (Pearson) adds rounding."""

    @how
    @given(rows, dyadic, inputs(loss), settings_of(loss))
    def check(row, shift, arrays, parameters):
        rest = arrays[1:]
        still = value(loss, (row, *rest), parameters)
        moved = value(loss, (row + shift, *rest), parameters)
        assert moved == pytest.approx(still, rel=1e-12, abs=1e-10)

    check()


@keeps("scale_invariant")
def scale_invariant(loss, how):
    """The same bits for a power of two; rounding for any other factor."""

    @how
    @given(st.integers(-200, 200), st.floats(1e-3, 1e3), inputs(loss), settings_of(loss))
    def check(exponent, factor, arrays, parameters):
        first, *rest = arrays
        assume(not np.any((first != 0) & (np.abs(first) < 1e-100)))  # 2^-200 x stays normal
        still = value(loss, arrays, parameters)
        assert value(loss, (first * 2.0**exponent, *rest), parameters) == still
        scaled = value(loss, (first * factor, *rest), parameters)
        assert scaled == pytest.approx(still, rel=1e-9, abs=1e-12)

    check()


# How a prediction writes down a distribution (for `poisson` its mean), by the domain of the loss.
WRITTEN = {
    "Logit": lambda p, o: np.log(p[1]) - np.log(p[0]),
    "Unit": lambda p, o: p[1],
    "Real": lambda p, o: np.log(p @ np.asarray(o)),
    "NonNegative": lambda p, o: p @ np.asarray(o),
    "Logits": lambda p, o: np.log(p),
    "Simplex": lambda p, o: p,
}
# The outcomes that such a distribution is over, as targets.
OUTCOMES = {
    "Unit": (0.0, 1.0),
    "NonNegative": tuple(map(float, range(CLASSES))),
    "Positive": tuple(map(float, range(1, CLASSES + 1))),
    "Label": tuple(range(CLASSES)),
    "Simplex": tuple(np.eye(CLASSES)),
}


@keeps("needs_rivals")
def needs_rivals(loss, how):
    @how
    @given(inputs(loss), settings_of(loss))
    def check(arrays, parameters):
        alone = [np.asarray(x)[..., :1] if np.ndim(x) else x - x for x in arrays]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nothing is learned
            assert value(loss, alone, parameters) == 0

    check()


@keeps("proper")
def proper(loss, how):
    """No prediction has a smaller expected loss than the one that tells the truth."""
    prediction, target = (a.domain.name for a in loss.inputs)
    outcomes = [np.asarray(outcome) for outcome in OUTCOMES[target]]

    @how
    @given(distributions(len(outcomes)), distributions(len(outcomes)))
    def check(truth, other):
        assume(np.all(truth > 0) and np.all(other > 0))
        told, lie = (np.asarray(WRITTEN[prediction](p, outcomes)) for p in (truth, other))

        def expected(p):
            return sum(t * value(loss, (p, o), {}) for t, o in zip(truth, outcomes, strict=True))

        best = expected(told)
        assert best <= expected(lie) + 32 * EPSILON * (1 + abs(best))

    check()


DECLARED = [
    pytest.param(promise, loss, id=f"{promise}-{loss.name}")
    for promise in PROMISES
    for loss in LOSSES
    if promise in loss.promises
]


@pytest.mark.parametrize(("promise", "loss"), DECLARED)
def test_the_promise_holds(promise, loss):
    CHECKS[promise](loss, thorough)


def test_every_promise_has_a_check():
    assert set(CHECKS) == set(PROMISES)


@L.loss
def relative_entropy_with_the_wrong_sign(probabilities: Simplex, target: Simplex):
    return total(target * log(probabilities / target))


# Losses that do not make the promise, and would break it.
BREAKERS = {
    "non_negative": L.poisson,
    "non_negative_if_normalised": relative_entropy_with_the_wrong_sign,
    "zero_at_target": L.soft_cross_entropy_from_probabilities,
    "symmetric": L.quantile,
    "convex": L.squared_log_error,
    "even": L.quantile,
    "bounded_gradient": L.squared_error,
    "shift_invariant": L.categorical_hinge,
    "scale_invariant": L.euclidean_distance,
    "needs_rivals": L.multi_similarity,
    "proper": L.categorical_focal,
}


@pytest.mark.parametrize("promise", PROMISES)
def test_the_check_refuses_a_loss_without_the_promise(promise):
    breaker = BREAKERS[promise]
    assert promise not in breaker.promises
    with pytest.raises(AssertionError):
        CHECKS[promise](breaker, unshrunk)
