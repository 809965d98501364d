"""The error function of one double, without branches.

For |x| <= 1, erf(x) = x + x e(x^2); beyond, erf|x| = 1 - e^l(|x| - 1), where only the absolute
error of the small second term counts. Both sides are computed. ``python -m tests.remez "erf near
zero" "erf complement"`` prints e and l.
"""

from lossary.kernels.vector_math.exponential import exp_of_sum
from lossary.kernels.vector_math.machine import (
    fused,
    magnitude,
    polynomial,
    select,
    vectorisable,
    with_sign_of,
)

# erf(sqrt z)/sqrt z - 1 for z in [0, 1], degree 12: error of erf below 2^-56.30 of itself.
NEAR_ZERO = (
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954857,
    -0.02686617064507291,
    0.005223977624781007,
    -0.0008548326978749733,
    0.00012055331037156047,
    -1.4925593512642418e-05,
    1.6460972903308296e-06,
    -1.635002608052991e-07,
    1.4657885273255793e-08,
    -1.1365685796253296e-09,
    5.945293570044454e-11,
)
# log erfc(1 + t) for t in [0, 5], degree 18: error of erf below 2^-57.65 of itself.
COMPLEMENT = (
    -1.8496055099332482,
    -2.6389675142347886,
    -0.8431072563586588,
    -0.04156109804218592,
    0.010033825378496432,
    -0.001977902594273811,
    0.00023732259166953562,
    2.6277559626162244e-05,
    -2.715847102989804e-05,
    9.607951966823836e-06,
    -2.0587352764667867e-06,
    1.420309142637663e-07,
    9.80603259171649e-08,
    -5.22686514867384e-08,
    1.4987089314140786e-08,
    -2.881552607166431e-09,
    3.709565210717085e-10,
    -2.9066164195361315e-11,
    1.0495727725167464e-12,
)
# Beyond this erf is 1 to the last place.
LARGEST = 6.0

near_zero, log_of_complement = polynomial(NEAR_ZERO), polynomial(COMPLEMENT)


@vectorisable
def erf(x: float) -> float:
    """Return the error function: 1.2 ulp."""
    size = magnitude(x)
    bounded = select(size > LARGEST, LARGEST, size)
    outer = 1.0 - exp_of_sum(log_of_complement(bounded - 1.0), 0.0)
    inner = fused(size, near_zero(bounded * bounded), size)
    return with_sign_of(select(size < 1.0, inner, outer), x)
