"""The error function, without branches.

For |x| <= 1, erf(x) = x + x e(x^2); beyond, erf|x| = 1 - e^l(|x| - 1), where only the absolute
error of the small second term counts. Both sides are computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossary.kernels.elementary.exponential import exp_of_sum

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *


def erf(x: float) -> float:
    """Return the error function: 1.2 ulp, or to 2^-42 of itself with digits to spare."""
    size = magnitude(x)
    bounded = select(size > 6.0, 6.0, size)  # beyond it is 1 to the last place
    outer = 1.0 - exp_of_sum(log_of_complement(bounded - 1.0), 0.0)
    inner = fused(size, near_zero(bounded * bounded), size)
    return with_sign_of(select(size < 1.0, inner, outer), x)
