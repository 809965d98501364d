"""lgamma for values that have digits to spare, see ``spare``; the form is that of ``gamma``."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from lossary.kernels.elementary.gamma import (
    HALF_LOG_2PI_LESS_HALF,
    HALF_ZETA,
    LARGE,
    ONE_LESS_EULER,
    steps_down,
)

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *


def lgamma(x: float) -> float:
    """Return log gamma(x) to 2^-42 of itself for x >= 0; NaN below."""
    large, small, tiny = x >= LARGE, x < 1.5, x < 0.5
    y, product = steps_down(x)
    w = select(small, select(tiny, x, x - 1.0), y - 2.0)
    product = select(small, select(tiny, x * (x + 1.0), x), product)
    base = select(large, x, product)
    logarithm = precise_log(base)
    inverse = 1.0 / base
    factor = select(large, x - 0.5, select(small, -1.0, 1.0))
    logarithm = select(large, logarithm - 1.0, logarithm)
    value = w * fused(w, fused(w, around_two(w), HALF_ZETA), ONE_LESS_EULER)
    shift = fused(inverse, stirling(inverse * inverse), HALF_LOG_2PI_LESS_HALF)
    result = fused(factor, logarithm, select(large, shift, value))
    beyond = select(x >= 0.0, inf, inf - inf)
    return select((x > 0.0) & (x < inf), result, beyond)
