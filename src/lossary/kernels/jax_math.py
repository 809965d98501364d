"""Elementary functions for XLA on a CPU, of doubles whose results are rounded to float32 or less.

XLA calls the C library once per element for a float64 logarithm and keeps every exponential in
memory. These are the algorithms of ``elementary``, in operations that XLA fuses and makes vector
instructions of. They are right to a few ulp of float64, since a difference of two may be far
smaller than each; they keep every infinity and NaN, and take a subnormal double for 0, as XLA does.

No form here adds a constant only to subtract it again: XLA would add the two up. Each ends with a
choice or with bits, which XLA does not carry into the loop of a following sum, where it would keep
an array for every constant of a polynomial.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf, nan
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lossary.kernels.elementary.coefficients import COEFFICIENTS

LOG2_E = 1.4426950408889634
LN2 = 0.6931471805599453
# ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
LN2_HIGH, LN2_LOW = 0.6931471805598903, 5.497923018708371e-14
ROOT_TWO_LESS_ONE = 0.41421356237309503
ROOT_HALF_LESS_ONE = -0.29289321881345254
SIGNIFICAND = (1 << 52) - 1
BITS_OF_ROOT_HALF = 0x3FE6A09E667F3BCD
CENTRING = 0x3FF0000000000000 - BITS_OF_ROOT_HALF
BITS_OF_TWO_POW_52 = 0x4330000000000000

TAIL, SERIES = COEFFICIENTS["exponential"], COEFFICIENTS["logarithm"]


in_one = partial(jax.jit, inline=True)
"""Compile a function as one outside a graph, where JAX sends every operation on its own."""


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """Return the polynomial at x by Estrin's order, in which few steps wait for each other."""
    terms: list[Any] = list(coefficients)
    while len(terms) > 1:
        pairs = [terms[i : i + 2] for i in range(0, len(terms), 2)]
        terms = [pair[0] + pair[1] * x if pair[1:] else pair[0] for pair in pairs]
        x = x * x
    return terms[0]


def bits_of(x: Any) -> Any:
    """Return the 64 bits of a double."""
    return lax.bitcast_convert_type(x, jnp.int64)


def from_bits(bits: Any) -> Any:
    """Return the double with these bits."""
    return lax.bitcast_convert_type(bits, jnp.float64)


def shifted_exponent(k: Any) -> Any:
    """Return k, a whole number, where a double has its exponent."""
    return k.astype(jnp.int32).astype(jnp.int64) << 52  # AVX2 has no step from double to int64


def reduced(x: Any) -> tuple[Any, Any]:
    """Return k and e^r - 1, where x = k ln 2 + r with k whole and |r| <= ln(2)/2."""
    k = lax.round(x * LOG2_E, lax.RoundingMethod.TO_NEAREST_EVEN)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    return k, r + r * r * polynomial(TAIL, r)


@in_one
def exp(x: Any) -> Any:
    """Return e^x; 0 below -708, inf above 709.7."""
    x = jnp.asarray(x)
    k, rest = reduced(x)
    result = from_bits(bits_of(1.0 + rest) + shifted_exponent(k))
    return jnp.where(x < -708.0, 0.0, jnp.where(x > 709.7, inf, result))


@in_one
def expm1(x: Any) -> Any:
    """Return e^x - 1; inf above 709."""
    x = jnp.asarray(x)
    k, rest = reduced(x)
    power = from_bits(bits_of(jnp.ones_like(x)) + shifted_exponent(k))
    result = power * rest + (power - 1.0)
    return jnp.where(x < -40.0, -1.0, jnp.where(x > 709.0, inf, result))


@in_one
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    # With t = e^(-2|x|) - 1: tanh |x| = -t / (2 + t), whose parts have no cancellation.
    t = expm1(-2.0 * jnp.abs(x))
    size = t / (2.0 + t)
    return jnp.where(x < 0.0, size, -size)


def parts(x: Any) -> tuple[Any, Any]:
    """Return f and k such that x = 2^k (1 + f), with 1 + f from sqrt(1/2) to sqrt(2)."""
    centred = bits_of(x) + CENTRING
    f = from_bits((centred & SIGNIFICAND) + BITS_OF_ROOT_HALF) - 1.0
    exponent = lax.shift_right_logical(centred, jnp.full_like(centred, 52))
    return f, from_bits(exponent | BITS_OF_TWO_POW_52) - (2.0**52 + 1023)


def log_of_parts(f: Any, k: Any) -> Any:
    """Return log(2^k (1 + f)); the leading terms f and k ln 2 are exact."""
    s = f / (2.0 + f)
    z = s * s
    half_square = 0.5 * f * f
    small = s * (half_square + z * polynomial(SERIES, z)) + k * LN2_LOW
    return k * LN2_HIGH - ((half_square - small) - f)


@in_one
def log(x: Any) -> Any:
    """Return the natural logarithm; -inf at 0, NaN below."""
    x = jnp.asarray(x)
    finite = jnp.where(x < inf, log_of_parts(*parts(x)), x)
    return jnp.where(x > 0.0, finite, jnp.where(x == 0.0, -inf, nan))


@in_one
def log1p(x: Any) -> Any:
    """Return log(1 + x), also near 0; -inf at -1, NaN below."""
    x = jnp.asarray(x)
    f, k = parts(1.0 + x)
    near = (x > ROOT_HALF_LESS_ONE) & (x < ROOT_TWO_LESS_ONE)
    found = log_of_parts(jnp.where(near, x, f), jnp.where(near, 0.0, k))
    finite = jnp.where(x < inf, found, x)
    return jnp.where(x > -1.0, finite, jnp.where(x == -1.0, -inf, nan))


@in_one
def log1p_unit(x: Any) -> Any:
    """Return log(1 + x) for 0 <= x <= 1, such as e^-|z|; NaN stays."""
    upper = x > ROOT_TWO_LESS_ONE
    f = jnp.where(upper, 0.5 * x - 0.5, x)
    return settled(log_of_parts(f, jnp.where(upper, 1.0, 0.0)))


@in_one
def power_of_positive(x: Any, y: Any) -> Any:
    """Return x^y for x >= 0, to 2^-50 (1 + |y log x|): C's pow for 0, 1 and inf; NaN for x < 0."""
    return jnp.where((x == 1.0) | (y == 0.0), 1.0, exp(y * log(x)))


@in_one
def peak_of_singles(x: Any) -> Any:
    """Return the largest along the last axis of doubles that are float32 in truth."""
    return jnp.max(x.astype(jnp.float32), axis=-1, keepdims=True).astype(x.dtype)


@in_one
def argpeak(x: Any) -> Any:
    """Return the first place of the largest along the last axis.

    XLA has a fast maximum, and a slow argmax, whose index type is chosen again when it is lowered,
    outside the local enable_x64.
    """
    count = x.shape[-1]
    exact = isinstance(count, int) and count <= 1 << 24
    place = jnp.arange(count, dtype=jnp.float32 if exact else jnp.float64)
    found = jnp.where(x == jnp.max(x, axis=-1, keepdims=True), -place, -inf)
    first = -jnp.max(found, axis=-1, keepdims=True)
    return jnp.minimum(first, count).astype(jnp.int32)


def argpeak_of_singles(x: Any) -> Any:
    """Return the first place of the largest of doubles that are float32 in truth."""
    return argpeak(x.astype(jnp.float32))


@in_one
def total_of_singles(x: Any) -> Any:
    """Return the sum along the last axis of doubles that are float32 in truth."""
    single = apart(x.astype(jnp.float32))
    return settled(jnp.sum(single.astype(x.dtype), axis=-1, keepdims=True))


@in_one
def total_of_some(x: Any) -> Any:
    """Return the sum along the last axis of doubles that are 0 or float32 in truth."""
    return total_of_singles(settled(x.astype(jnp.float32)).astype(x.dtype))


@in_one
def masses(x: Any, peak: Any) -> Any:
    """Return exp(x - peak), for a peak exactly 1; 0 for what is -inf, peak or not."""
    none = peak == -inf
    away = x - jnp.where(none, 0.0, peak)
    k, rest = reduced(away)
    mass = jnp.where(away < -708.0, 0.0, from_bits(bits_of(1.0 + rest) + shifted_exponent(k)))
    return jnp.where(x == peak, jnp.where(none, 0.0, 1.0), mass)


@in_one
def rest_of_masses(x: Any, peak: Any) -> Any:
    """Return the sum of exp(x - peak) along the last axis, without the peak's own 1.

    The masses of a gradient, which XLA would keep in memory as well, are computed anew.
    """
    mass = settled(masses(apart(x), peak))
    whole = settled(jnp.sum(mass, axis=-1, keepdims=True))
    return lax.cond(jnp.any(confident(whole)), beside_one, beyond_one, mass, whole)


def confident(whole: Any) -> Any:
    """Whether the largest of a row outweighs the others, whose sum a sum from 1 on would round."""
    return (whole > 0.0) & (whole < 1.5)


def beyond_one(mass: Any, whole: Any) -> Any:
    """Return the sum without a 1, where it is not small."""
    return jnp.maximum(whole - 1.0, 0.0)


def beside_one(mass: Any, whole: Any) -> Any:
    """Return the sum without a 1; that of a confident row leaves the 1 out from the start."""
    small = jnp.sum(mass - jnp.floor(mass), axis=-1, keepdims=True)
    return jnp.where(confident(whole), small, beyond_one(mass, whole))


def apart(x: Any) -> Any:
    """Return x, as something that XLA does not know to be x: what is made of it is made anew."""
    return lax.optimization_barrier(x)


@in_one
def settled(x: Any) -> Any:
    """Return x, at which XLA stops when it takes arithmetic along into the loop of a sum.

    It would keep an array for each of the parts that x is made of, or for all that follow.
    """
    return jnp.where(x == x, x, nan)  # noqa: PLR0124  (false only for NaN)
