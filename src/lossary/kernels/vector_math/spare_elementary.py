"""exp, expm1, tanh, log, log1p and power for values that have digits to spare: see ``spare``.

``python -m tests.remez "spare exponential" "spare logarithm"`` prints the polynomials.
"""

from math import inf, nan

from lossary.kernels.vector_math.exponential import BIASED_ROUNDER, LOG2_E
from lossary.kernels.vector_math.logarithm import (
    BITS_OF_ROOT_HALF,
    BITS_OF_TWO_POW_52,
    CENTRING,
    REFLECTION,
    SIGNIFICAND,
)
from lossary.kernels.vector_math.machine import (
    bits_of,
    from_bits,
    fused,
    magnitude,
    polynomial,
    select,
    shifted_down,
    vectorisable,
    with_sign_of,
)

LN2 = 0.6931471805599453
HALVED_ROUNDER = BIASED_ROUNDER - 1.0
ROOT_TWO_LESS_ONE = 0.41421356237309503

# (e^r - 1 - r) / r^2 on |r| <= 1.0001 ln(2)/2, degree 7: error of expm1(r) below 2^-43.5 of itself.
TAIL = (
    0.49999999999812506,
    0.16666666666869037,
    0.04166666688346527,
    0.008333333246331873,
    0.0013888822766600906,
    0.00019841359755006874,
    2.487568857349882e-05,
    2.756053856388681e-06,
)

# (2 atanh(s)/s - 2)/s^2 in z = s^2 for |s| <= 1.0001 (3 - sqrt(8)), degree 4: error of
# the logarithm below 2^-44.9 of itself.
SERIES = (
    0.6666666667581037,
    0.39999995618295253,
    0.28572109550732444,
    0.22176171838333347,
    0.1958439948121935,
)

tail_of_exp, series_of_log = polynomial(TAIL), polynomial(SERIES)


@vectorisable
def expm1_of_rest(r: float) -> float:
    """Return e^r - 1 for |r| <= ln(2)/2."""
    return fused(tail_of_exp(r), r * r, r)


@vectorisable
def halved_exponential(x: float) -> tuple[float, float]:
    """Return 2^(k-1) and e^r - 1, so that e^x is twice 2^(k-1) e^r: 2^1024 is no double.

    exp and expm1 of one argument share this; the compiler computes it once.
    """
    bounded = select(x > 710.0, 710.0, x)
    bounded = select(bounded < -708.4, -708.4, bounded)  # there k = -1022 and 2^(k-1) reads 0
    shifted = fused(bounded, LOG2_E, HALVED_ROUNDER)
    rest = expm1_of_rest(fused(shifted - HALVED_ROUNDER, -LN2, bounded))
    return from_bits(bits_of(shifted) << 52), rest


@vectorisable
def exp(x: float) -> float:
    """Return e^x to 2^-42."""
    scale, rest = halved_exponential(x)
    half = fused(scale, rest, scale)
    return half + half


@vectorisable
def expm1(x: float) -> float:
    """Return e^x - 1 to 2^-42 of itself."""
    scale, rest = halved_exponential(x)
    half = fused(scale, rest, scale - 0.5)
    return half + half


@vectorisable
def tanh(x: float) -> float:
    """Return the hyperbolic tangent to 2^-42 of itself."""
    # With t = e^(-2|x|) - 1: tanh |x| = -t / (2 + t), whose parts have no cancellation.
    bounded = select(magnitude(x) > 20.0, 20.0, magnitude(x))
    shifted = fused(bounded, -2.0 * LOG2_E, BIASED_ROUNDER)
    rest = expm1_of_rest(fused(shifted - BIASED_ROUNDER, -LN2, -2.0 * bounded))
    scale = from_bits(bits_of(shifted) << 52)
    t = fused(scale, rest, scale - 1.0)
    return with_sign_of(t / (2.0 + t), x)


@vectorisable
def log_of_parts(f: float, k: float) -> float:
    """Return log(2^k (1 + f)) for f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = f / (2.0 + f)
    z = s * s
    return fused(k, LN2, s * fused(z, series_of_log(z), 2.0))


@vectorisable
def log(x: float) -> float:
    """Return the natural logarithm to 2^-42 of itself, for x that is no subnormal double."""
    centred = bits_of(x) + CENTRING
    m = from_bits((centred & SIGNIFICAND) + BITS_OF_ROOT_HALF)
    k = from_bits(shifted_down(centred, 52) | BITS_OF_TWO_POW_52) - (2.0**52 + 1023)
    finite = select(x < inf, log_of_parts(m - 1.0, k), x)
    return select(x > 0.0, finite, select(x == 0.0, -inf, nan))


@vectorisable
def log1p(x: float) -> float:
    """Return log(1 + x) to 2^-42 of itself, for x below 2^1022."""
    u = 1.0 + x
    centred = bits_of(u) + CENTRING
    k = from_bits(shifted_down(centred, 52) | BITS_OF_TWO_POW_52) - (2.0**52 + 1023)
    # 1 + f = 2^-k (1 + x), from x rather than from u, which has lost the last digits of a small x.
    down = from_bits(REFLECTION - (centred & ~SIGNIFICAND))
    f = fused(x, down, down - 1.0)
    finite = select(x < inf, log_of_parts(f, k), x)
    return select(x > -1.0, finite, select(x == -1.0, -inf, nan))


@vectorisable
def log1p_unit(x: float) -> float:
    """Return log(1 + x) to 2^-42 of itself for 0 <= x <= 1, such as e^-|z|; NaN stays."""
    upper = x > ROOT_TWO_LESS_ONE
    f = select(upper, fused(0.5, x, -0.5), x)
    return log_of_parts(f, select(upper, 1.0, 0.0))


@vectorisable
def power(x: float, y: float) -> float:
    """Return x^y for x >= 0, to 2^-42 (1 + |y log x|): C's pow for 0, 1 and inf; NaN for x < 0."""
    return select((x == 1.0) | (y == 0.0), 1.0, exp(y * log(x)))
