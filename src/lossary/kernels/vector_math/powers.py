"""power for two doubles, without branches: x^y = e^(y log|x|) with the logarithm in two doubles.

A relative error d of the logarithm is a relative error |y log x| d <= 745 d of the power, so the
logarithm needs about 11 bits more than a double has. With s = f / (2 + f) as in ``log``,
log m = 2 s + (2/3) s^3 + s^5 p(s^2): the first two terms are sums of two doubles, the last is one.
``python -m tests.remez powers`` prints p.
"""

from math import inf, nan

from lossary.kernels.vector_math.exponential import (
    HIGHEST,
    LN2_HIGH,
    LN2_LOW,
    LOWEST,
    exp,
    exp_of_sum,
)
from lossary.kernels.vector_math.logarithm import log, split
from lossary.kernels.vector_math.machine import (
    fused,
    magnitude,
    polynomial,
    rounded_down,
    select,
    vectorisable,
    with_sign_of,
)

TWO_THIRDS, TWO_THIRDS_LOW = 2 / 3, 3.700743415417188e-17
# Beyond this every power of a double other than 1 over- or underflows; finite, so that 1^inf is 1.
LARGEST_EXPONENT = 2.0**1000

# ((2 atanh(s)/s - 2)/s^2 - 2/3)/s^2 in z = s^2 for |s| <= 1.0001 (3 - sqrt(8)), degree 7: error of
# the logarithm below 2^-66.3 of itself.
SERIES = (
    0.3999999999999998,
    0.28571428571445123,
    0.222222222175337,
    0.1818181887066797,
    0.15384556846301037,
    0.13336318384919915,
    0.11674798660698399,
    0.11989180039044557,
)

series_of_power = polynomial(SERIES)


@vectorisable
def two_word_logarithm(x: float) -> tuple[float, float]:
    """Return log(x) as a sum of two doubles, for finite x > 0."""
    f, k = split(x)
    # s = f / (2 + f) in two doubles.
    below = 2.0 + f
    below_low = f - (below - 2.0)
    reciprocal = 1.0 / below
    s = f * reciprocal
    s_low = fused(-s, below_low, fused(-s, below, f)) * reciprocal
    # z = s^2, t = s^3, c = 2/3 + z p(z), each in two doubles.
    z = s * s
    z_low = fused(s + s, s_low, fused(s, s, -z))
    t = s * z
    t_low = fused(s_low, z, fused(s, z_low, fused(s, z, -t)))
    tail = z * series_of_power(z)
    c = TWO_THIRDS + tail
    c_low = TWO_THIRDS_LOW + (tail - (c - TWO_THIRDS))
    # log m = 2 s + t c
    cube = t * c
    cube_low = fused(t_low, c, fused(t, c_low, fused(t, c, -cube)))
    twice = s + s
    first = twice + cube
    first_low = fused(2.0, s_low, cube_low + (cube - (first - twice)))
    # log x = k ln 2 + log m
    from_power = k * LN2_HIGH
    second = from_power + first
    second_low = fused(k, LN2_LOW, first_low + (first - (second - from_power)))
    high = second + second_low
    return high, second_low - (high - second)


@vectorisable
def times_logarithm(a: float, y: float) -> tuple[float, float]:
    """Return y log(a) as a sum of two doubles, for a >= 0 and finite y; the second may be NaN."""
    high, low = two_word_logarithm(a)
    finite = select(a < inf, high, a)
    logarithm = select(a > 0.0, finite, select(a == 0.0, -inf, a))
    product = y * logarithm
    return product, fused(y, low, fused(y, logarithm, -product))


@vectorisable
def with_cases_of_power(x: float, y: float, size: float) -> float:
    """Give |x|^y the sign of x^y, and the values of C's pow where e^(y log|x|) says nothing."""
    whole = rounded_down(y) == y
    half = 0.5 * y
    odd = whole & (rounded_down(half) != half)
    signed = with_sign_of(size, select(odd, x, 1.0))
    outside = (x < 0.0) & (x > -inf)
    real = select(outside, select(whole, signed, nan), signed)
    return select((x == 1.0) | (y == 0.0), 1.0, real)


@vectorisable
def bounded_exponent(y: float) -> float:
    """Return y moved into +-LARGEST_EXPONENT; NaN stays."""
    bounded = select(y > LARGEST_EXPONENT, LARGEST_EXPONENT, y)
    return select(bounded < -LARGEST_EXPONENT, -LARGEST_EXPONENT, bounded)


@vectorisable
def power(x: float, y: float) -> float:
    """Return x^y as C's pow does: 0.8 ulp; NaN for x < 0 and y not whole, 1 for y = 0."""
    exponent = bounded_exponent(y)
    product, low = times_logarithm(magnitude(x), exponent)
    bounded = select(product > HIGHEST, HIGHEST, product)
    bounded = select(bounded < LOWEST, LOWEST, bounded)
    size = exp_of_sum(bounded, select(bounded == product, low, 0.0))
    return with_cases_of_power(x, exponent, size)


@vectorisable
def power_plain(x: float, y: float) -> float:
    """Return x^y as ``power`` does, to 2^-44 of itself where the result is in float32's range."""
    exponent = bounded_exponent(y)
    return with_cases_of_power(x, exponent, exp(exponent * log(magnitude(x))))
