"""erf and lgamma for values that have digits to spare; ``spare`` offers them with the others.

The forms are those of ``error_function`` and ``gamma``. ``python -m tests.remez "spare erf near
zero" "spare erf complement" "spare gamma around two" "spare gamma stirling"`` prints the
polynomials.
"""

from math import inf, isnan, nan

from lossary.kernels.vector_math.error_function import LARGEST
from lossary.kernels.vector_math.gamma import (
    HALF_LOG_2PI_LESS_HALF,
    HALF_ZETA,
    LARGE,
    ONE_LESS_EULER,
    steps_down,
)
from lossary.kernels.vector_math.logarithm import log
from lossary.kernels.vector_math.machine import (
    fused,
    magnitude,
    polynomial,
    select,
    vectorisable,
    with_sign_of,
)
from lossary.kernels.vector_math.spare_elementary import exp

# Degree 9: error of erf below 2^-45.62 of itself.
NEAR_ZERO = (
    0.12837916709549171,
    -0.3761263890277513,
    0.11283791657673713,
    -0.026866168962230687,
    0.0052239667452016044,
    -0.0008547920930900729,
    0.0001204604605334182,
    -1.479292052352113e-05,
    1.5295196337393133e-06,
    -1.0444430271575274e-07,
)
# Degree 12: error of erf below 2^-45.86 of itself.
COMPLEMENT = (
    -1.8496055099331652,
    -2.6389675142550577,
    -0.8431072555811052,
    -0.041561109239641306,
    0.010033905603112467,
    -0.001978230361025275,
    0.00023814472293581487,
    2.496522751671074e-05,
    -2.5824519943876537e-05,
    8.798128209245894e-06,
    -1.8570294611839993e-06,
    2.364997760602464e-07,
    -1.3880558753313579e-08,
)
# Degree 12: error of log gamma below 2^-46.92 of itself.
AROUND_TWO = (
    -0.06735230105353156,
    0.02058080842326404,
    -0.007385550997532355,
    0.0028905106128156027,
    -0.0011927548406059187,
    0.0005096632284021465,
    -0.00022314197289071062,
    9.952451638891671e-05,
    -4.501834146531863e-05,
    2.014068606492268e-05,
    -9.084463631248292e-06,
    5.357104916748705e-06,
    -2.715623964988812e-06,
)
# Degree 3: error of log gamma below 2^-49.77 of itself.
STIRLING = (
    0.08333333332911727,
    -0.0027777754234758804,
    0.0007932238758434001,
    -0.0005637649142835964,
)

near_zero, log_of_complement = polynomial(NEAR_ZERO), polynomial(COMPLEMENT)
around_two, stirling = polynomial(AROUND_TWO), polynomial(STIRLING)


@vectorisable
def erf(x: float) -> float:
    """Return the error function to 2^-42 of itself."""
    size = magnitude(x)
    bounded = select(size > LARGEST, LARGEST, size)
    outer = 1.0 - exp(log_of_complement(bounded - 1.0))
    inner = fused(size, near_zero(bounded * bounded), size)
    return with_sign_of(select(size < 1.0, inner, outer), x)


@vectorisable
def lgamma(x: float) -> float:
    """Return log gamma(x) to 2^-42 of itself for x >= 0; NaN below."""
    large, small, tiny = x >= LARGE, x < 1.5, x < 0.5
    y, product = steps_down(x)
    w = select(small, select(tiny, x, x - 1.0), y - 2.0)
    product = select(small, select(tiny, x * (x + 1.0), x), product)
    base = select(large, x, product)
    logarithm = log(base)
    inverse = 1.0 / base
    factor = select(large, x - 0.5, select(small, -1.0, 1.0))
    logarithm = select(large, logarithm - 1.0, logarithm)
    value = w * fused(w, fused(w, around_two(w), HALF_ZETA), ONE_LESS_EULER)
    shift = fused(inverse, stirling(inverse * inverse), HALF_LOG_2PI_LESS_HALF)
    result = fused(factor, logarithm, select(large, shift, value))
    beyond = select(isnan(x) | (x < 0.0), nan, inf)
    return select((x > 0.0) & (x < inf), result, beyond)
