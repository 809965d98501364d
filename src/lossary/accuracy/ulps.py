"""Distance from the truth in units of the last place, with no absolute tolerance.

One unit is the spacing of the type's numbers around the *true* value, down to the smallest
subnormal. Infinity is right only where the true value overflows; NaN is infinitely wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Format:
    """A binary floating-point type: digits, and the exponents of its smallest and largest powers.

    ``smallest`` is that of the least subnormal; numbers from ``2 ** largest`` overflow.
    """

    name: str
    digits: int
    smallest: int
    largest: int


FORMATS = {
    "float64": Format("float64", 53, -1074, 1024),
    "float32": Format("float32", 24, -149, 128),
    "float16": Format("float16", 11, -24, 16),
    "bfloat16": Format("bfloat16", 8, -133, 128),
}


def ulps(actual: float, truth: Any, form: Format) -> float:
    """Return the distance of a number from an mpmath truth in units of the last place.

    >>> import mpmath
    >>> ulps(1.0 + 2**-52, mpmath.mpf(1), FORMATS["float64"])
    1.0
    >>> ulps(0.0, mpmath.mpf(2) ** -149, FORMATS["float32"])
    1.0
    >>> ulps(float("inf"), mpmath.mpf(10) ** 39, FORMATS["float32"])
    0.0
    """
    if math.isnan(actual) or truth != truth:  # noqa: PLR0124  (NaN of mpmath)
        return math.inf
    sign = -1.0 if truth < 0 else 1.0
    if _overflows(truth, form):
        if actual == sign * math.inf:
            return 0.0
        if not _finite(truth):
            return math.inf
    if math.isinf(actual):
        return math.inf
    context = truth.context
    with context.workprec(160 + max(0, _exponent(truth) - form.smallest)):
        unit = max(min(_exponent(truth), form.largest) - form.digits, form.smallest)
        return float(abs(context.ldexp(context.mpf(actual) - truth, -unit)))


def _finite(truth: Any) -> bool:
    return bool(truth.context.isfinite(truth))


def _exponent(truth: Any) -> int:
    """Return e with 2^(e - 1) <= |truth| < 2^e; far below any type's numbers for 0."""
    _, mantissa, exponent, count = truth._mpf_
    return exponent + count if mantissa else -(10**6)


def _overflows(truth: Any, form: Format) -> bool:
    if not _finite(truth):
        return True
    if _exponent(truth) != form.largest:
        return _exponent(truth) > form.largest
    context = truth.context
    with context.workprec(200):
        top = context.ldexp(2**form.digits - context.mpf(0.5), form.largest - form.digits)
        return bool(abs(truth) >= top)
