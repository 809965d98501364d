"""log and log1p for one double, without branches.

x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f); then
log m = log((1+s)/(1-s)) = 2 s + s R = f - (f^2/2 - s (f^2/2 + R)), R = z p(z), z = s^2: in the last
form the leading term f is exact. ``python -m tests.remez logarithm`` prints p.
"""

from math import inf, nan

from lossary.kernels.vector_math.exponential import LN2_HIGH, LN2_LOW
from lossary.kernels.vector_math.machine import (
    bits_of,
    from_bits,
    fused,
    polynomial,
    select,
    shifted_down,
    vectorisable,
    with_sign_of,
)

SIGNIFICAND = (1 << 52) - 1
BITS_OF_ONE = 0x3FF0000000000000
BITS_OF_ROOT_HALF = 0x3FE6A09E667F3BCD
CENTRING = BITS_OF_ONE - BITS_OF_ROOT_HALF
BITS_OF_TWO_POW_52 = 0x4330000000000000
# The bits of 2^-e are those of REFLECTION minus the exponent field of 2^e.
REFLECTION = 0x7FE0000000000000
SMALLEST_NORMAL = 2.0**-1022

# (2 atanh(s)/s - 2)/s^2 in z = s^2 for |s| <= 1.0001 (3 - sqrt(8)), degree 6: error of
# the logarithm below 2^-58.8 of itself.
SERIES = (
    0.6666666666666734,
    0.3999999999941384,
    0.28571428742592064,
    0.2222219855075209,
    0.18183565559870568,
    0.15314017361424206,
    0.14796297310088835,
)
series_of_log = polynomial(SERIES)


@vectorisable
def beyond_first_order(f: float) -> float:
    """Return log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = f / (2.0 + f)
    z = s * s
    series = z * series_of_log(z)
    half_square = 0.5 * f * f
    return fused(s, half_square + series, -half_square)


@vectorisable
def split(x: float) -> tuple[float, float]:
    """Return f and k such that x = 2^k (1 + f), for finite x > 0, subnormal ones too."""
    subnormal = x < SMALLEST_NORMAL
    scaled = select(subnormal, x * 2.0**54, x)
    centred = bits_of(scaled) + CENTRING
    m = from_bits((centred & SIGNIFICAND) + BITS_OF_ROOT_HALF)
    biased = from_bits(shifted_down(centred, 52) | BITS_OF_TWO_POW_52)
    return m - 1.0, biased - select(subnormal, 2.0**52 + 1023 + 54, 2.0**52 + 1023)


@vectorisable
def log(x: float) -> float:
    """Return the natural logarithm: 0.75 ulp; -inf at 0, NaN below."""
    f, k = split(x)
    from_power = k * LN2_HIGH
    high = from_power + f
    low = fused(k, LN2_LOW, f - (high - from_power)) + beyond_first_order(f)
    finite = select(x < inf, high + low, x)
    return select(x > 0.0, finite, select(x == 0.0, -inf, nan))


@vectorisable
def log1p(x: float) -> float:
    """Return log(1 + x): 0.85 ulp, also near 0; -inf at -1, NaN below."""
    u = 1.0 + x
    # 1 + x = u + lost exactly (the two-sum of Knuth, which needs no order of the two).
    part = u - x
    lost = (1.0 - part) + (x - (u - part))
    centred = bits_of(u) + CENTRING
    m = from_bits((centred & SIGNIFICAND) + BITS_OF_ROOT_HALF)
    # 2^(1-k): 2^-k would not do for k = 1024.
    down = from_bits(REFLECTION + (1 << 52) - (centred & ~SIGNIFICAND))
    biased = from_bits(shifted_down(centred, 52) | BITS_OF_TWO_POW_52)
    k = biased - (2.0**52 + 1023)
    coarse, fine = m - 1.0, lost * (0.5 * down)
    f = coarse + fine
    rest = (coarse - f) + fine
    from_power = k * LN2_HIGH
    high = from_power + f
    low = fused(k, LN2_LOW, (f - (high - from_power)) + rest) + beyond_first_order(f)
    finite = with_sign_of(select(x < inf, high + low, x), x)
    return select(u > 0.0, finite, select(u == 0.0, -inf, nan))
