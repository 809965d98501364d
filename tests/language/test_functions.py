"""The vocabulary at its ends: 0, 1, tiny, huge, infinite and NaN, where slips hide.

`test_calculus.py` checks meanings, slopes and NumPy's spellings at ordinary numbers; here stand the
extraordinary ones, in ulps of the meaning, and the spellings of the other libraries.
"""

import math
import warnings
from inspect import signature
from itertools import product

import numpy as np
import pytest

from libraries import NAMES, Library
from lossary.accuracy.exact import _ALONG
from lossary.accuracy.exact import IN_MPMATH as MEANINGS
from lossary.accuracy.oracle import Meaning
from lossary.accuracy.ulps import FORMATS, ulps
from lossary.formula import apply, constant, variable, walk
from lossary.functions import (
    FUNCTIONS,
    PRIMITIVES,
    Function,
    argpeak,
    class_count,
    is_class,
    pick,
    where,
)
from lossary.render import Program, render
from lossary.render.latex import WORDS, latex
from lossary.render.textbook import CALLS, CLASS_CALLS, RANKED, ROW_CALLS, textbook
from lossary.render.unicode import plain

INF, NAN = math.inf, math.nan
FLOAT64 = FORMATS["float64"]

REAL = (0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e-9, -1e-9, 40.0, -40.0, 1e30, -1e30)
SIZE = tuple(x for x in REAL if x > 0 or math.copysign(1, x) > 0)
SHARE = (0.0, 1e-300, 1e-9, 0.5, 1.0)
ENDLESS = (INF, -INF)
AMOUNT = (1e-300, 1e-9, 0.5, 1.0, 40.0, 1e30)
POWERS = (0.5, 0.3, 0.0, 1.0, 2.0**-40, 1.0 - 2.0**-30, -0.5, 2.0)


def compiled(name, arguments, results, target="numpy"):
    """A function of arrays: the rendered text, run."""
    text = render(Program(name, arguments, results), target)
    namespace = {}
    exec(text, namespace)
    return namespace[name]


def quietly(function, *arrays):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*arrays)


# --------------------------------------------------------------- functions of single numbers

# The numbers that each argument may be; where differences of large parts are meant, pairs that do
# not nearly cancel (what nearly cancels is measured in ulps by test_oracle.py).
LOG_PROBABILITIES = ((-1e-9, -0.5, -40.0, -1e30), (-1e-300, -1e-9, -0.5, -40.0, -900.0))
GRADES, WHOLE = (0.0, 1e-300, 1e-9, 0.3, 1.0, 7.5, 1023.75, 2000.25), (0.0, 7.0, 1024.0, 2000.0)
RATES, COUNTS = (1e-300, 1e-9, 0.1, 0.3, 1.5, 20.0, 1e3), (0.0, 1.0, 7.0, 1100.0)
LOCATIONS, AMOUNTS_LOGGED = (0.0, 0.5, -1.0, -20.0), (1e-3, 0.3, 1.0, 40.0, 1e9)
SCALES = (1e-3, 0.25, 1.0, 1.99, 2.01, 10.0, 38.0)
PARAMETERS, FREEDOMS = (0.1, 0.5, 1.0, 2.5, 17.0, 40.0), (1.5, 2.0, 5.0, 30.0, 1e4)
SHARES_INSIDE = (1e-3, 0.1, 0.3, 0.5, 0.7, 0.99)
SHAPES = (1e-9, 0.25, 1.0, 4.0, 15.5, 17.0, 1e4)
AMOUNTS_BESIDE = (1e-3, 0.5, 1.0, 3.75, 15.9, 16.1, 40.0, 9.9e3)
ARGUMENTS = {
    "sum_of_three": (REAL, REAL, (0.0, 1.0)),
    "exp_difference": ((*REAL, -INF), REAL),
    "exp_product": (REAL, SIZE),
    "beta_nll": ((0.25, 1.5, 1e9), (0.5, 3.0, 40.0), (0.1, 0.5, 0.9)),
    "beta_nll_slope": ((0.25, 1.5, 1e9), (0.5, 3.0, 40.0), (0.1, 0.5, 0.9)),
    "beta_nll_share_slope": ((0.25, 1.5, 1e9), (0.5, 3.0, 40.0), (1e-300, 0.1, 0.5, 0.9)),
    "trigamma_difference": ((1e-300, 1e-9, 0.25, 1.5, 1e9), (0.5, 40.0, 1e9)),
    "share_power": ((1e-300, 0.1, 1.0), (1.0, 3.0, 1e9), (0.0, 0.5, 1.0, 2.0)),
    "nearer_bound": ((0.0, -1.0, 40.0), (0.5, -3.0, -INF), (0.75, 20.0, INF), (0.25, 1.5, 1e9)),
    "negative_log_between": (
        (0.0, -1.0, 40.0),
        (0.5, -3.0, -INF),
        (0.75, 20.0, INF),
        (0.25, 1.5, 1e9),
    ),
    **dict.fromkeys(
        ("negative_log_between_normal", "nearer_normal_bound"),
        (
            (0.0, -1.0, 40.0),
            (0.5, -3.0, -INF),
            (0.75, 20.0, INF),
            (0.25, 1.5, 1e9),
        ),
    ),
    "normal_bound_density": ((0.0, -1.0, 2.0), (0.5, -3.0), (0.75, 2.5), (0.25, 1.5, 1e9)),
    "angular_spread": ((0.0, 1e-9, 0.5, 7.5, 8.5, 1e9),),
    "von_mises_nll": ((0.0, -1.0, 3.0), (0.5, 3.0, -2.0), (0.25, 1.5, 1e9)),
    "von_mises_concentration_slope": ((0.0, -1.0, 3.0), (0.5, 3.0, -2.0), (0.25, 1.5, 1e9)),
    "fourfold_angle": ((1.0, 0.9, 0.75, 0.5, 0.0, -0.25, -0.75, -1.0),),
    "gumbel_nll": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9)),
    "gumbel_nll_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9)),
    "gumbel_nll_scale_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9)),
    "logistic_nll": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9)),
    "logistic_nll_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9)),
    "logistic_nll_scale_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9)),
    "log_normal_nll": ((0.0, -1.0, 40.0), (0.5, 3.0, 1e-300), (0.25, 1.5, 1e9)),
    "log_normal_nll_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, 1e-300), (0.25, 1.5, 1e9)),
    "log_normal_nll_target_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, 1e-300), (0.25, 1.5, 1e9)),
    "log_normal_nll_scale_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, 1e-300), (0.25, 1.5, 1e9)),
    "student_t_nll": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9), (0.5, 5.0, 1e9)),
    "student_t_slope": ((0.0, -1.0, 40.0), (0.5, 3.0, -20.0), (0.25, 1.5, 1e9), (0.5, 5.0, 1e9)),
    "student_t_scale_slope": (
        (0.0, -1.0, 40.0),
        (0.5, 3.0, -20.0),
        (0.25, 1.5, 1e9),
        (0.5, 5.0, 1e9),
    ),
    "student_t_constant": ((1e-9, 0.5, 1.0, 5.0, 1e9, 1e30),),
    "shifted_focal": (REAL, (0.0, 0.5, 1.0, 4.0), (0.0, 0.25, 1.0)),
    "jeffreys_term": ((0.0, *AMOUNT), AMOUNT),
    "jeffreys_slope": (AMOUNT, AMOUNT),
    "size_power": (REAL, (1.0, 1.5, 2.0)),
    "size_power_slope": (REAL, (1.0, 1.5, 2.0)),
    "inverse_difference": (AMOUNT, AMOUNT),
    "ratio_gap": (AMOUNT, AMOUNT),
    "ratio_gap_slope": (AMOUNT, AMOUNT),
    "rate_divergence": ((0.0, *AMOUNT), AMOUNT),
    "hellinger_of": (SIZE,),
    "alpha_gap": (AMOUNT, AMOUNT, POWERS),
    "power_of_ratio": (AMOUNT, AMOUNT, POWERS),
    "exp_minus": ((0.0, 1e-9, -1e-9, -40.0, 40.0, -1e30), (0.0, 0.5, 1e9)),
    "softplus": ((*REAL, *ENDLESS),),
    "sigmoid": ((*REAL, *ENDLESS),),
    "log_sigmoid": ((*REAL, *ENDLESS),),
    "sigmoid_power": ((*REAL, *ENDLESS), (0.0, 0.5, 1.0, 2.0, 7.0)),
    "sigmoid_cross_entropy": ((*REAL, *ENDLESS), SHARE, (1.0, 0.25), (1.0, 3.0)),
    "sigmoid_cross_entropy_slope": ((*REAL, *ENDLESS), SHARE, (1.0, 0.25), (1.0,)),
    "bernoulli_cross_entropy": (SHARE, SHARE),
    "bernoulli_cross_entropy_slope": (SHARE, (0.0, 0.25, 1.0)),
    "poisson_nll": ((0.0, 1e-9, -1e-9, -40.0, 40.0), (0.0, 0.5, 1e9)),
    "poisson_rate_nll": (SIZE, (0.0, 0.5, 1e9)),
    "poisson_rate_nll_slope": (SIZE, (0.0, 0.5, 1e9)),
    "gaussian_nll_variance_slope": (REAL, (0.0, 2.0), (1e-300, 1e-9, 0.5, 40.0, 1e300)),
    "gaussian_nll": (REAL, (0.0, 1.0), (1e-300, 1e-9, 0.5, 40.0, 1e300)),
    "sigmoid_focal": ((*REAL, *ENDLESS), SHARE, (0.0, 0.5, 1.0, 2.0)),
    "sigmoid_quality_focal": (REAL, SHARE, (0.5, 1.0, 2.0)),
    "sigmoid_quality_focal_slope": (REAL, SHARE, (0.5, 1.0, 2.0)),
    "sigmoid_quality_focal_target_slope": (REAL, SHARE, (0.5, 1.0, 2.0)),
    "power_complement": (SHARE, (0.5, 1e-9, 0.75)),
    "power_below": (SHARE, (0.5, 1e-9, 0.75)),
    "relative_error": (REAL, (0.5, -3.0, 1e-300)),
    "relative_entropy_term": (SHARE, (0.0, -1e-9, -40.0, -1e30, -INF)),
    "log_relative_entropy": ((0.0, -1e-9, -40.0, -1e30, -INF), (0.0, -1e-9, -40.0, -1e30, -INF)),
    "log_cosh_difference": (REAL, REAL),
    "sech_squared": ((*REAL, *ENDLESS),),
    "log1p_difference": ((-0.5, *SIZE), (-0.5, *SIZE)),
    "log_ratio": (SIZE, SIZE),
    "log_to_middle": (SHARE, SHARE),
    "jensen_gap": (SHARE, SHARE),
    "asinh": ((*REAL, 1e-9, -0.4, 2.6e8, -2.7e8, 1e150, *ENDLESS),),
    "cosh": ((*REAL[:10], 710.25, *ENDLESS),),
    "sinh": ((*REAL[:10], 0.5, 1.9, 2.1, -710.25, *ENDLESS),),
    "log_softplus": ((*REAL, -39.9, -40.1),),
    "log1mexp": ((1e-300, 1e-9, 0.5, 0.69, 0.7, 40.0, 1e30),),
    "exp_minus_exp": (REAL[:10], (0.5, 1.0, -41.0)),
    "difference_of_squares": ((*REAL[:8], 40.0), (0.0, 1.0, 0.5)),
    "hypot": (REAL, (*REAL, 1e300)),
    "pseudo_huber": (REAL, (0.0, 1e-300, 1e-9, 1.0, 1e30)),
    "log1p_square": ((*REAL, 1e200), (1e-9, 1.0, 1e30)),
    "exp_of_rounded": (REAL[:10],),
    "softplus_of_rounded": (REAL,),
    "sigmoid_of_rounded": (REAL,),
    "expm1_of_rounded": (REAL[:10],),
    "sigmoid_cross_entropy_of_rounded": (REAL, SHARE, (1.0, 0.25), (1.0, 3.0)),
    "sigmoid_cross_entropy_slope_of_rounded": (REAL, SHARE, (1.0, 0.25), (1.0,)),
    "sum_of_four": (REAL[:8], REAL[:8], (0.0, 1.0), (0.5, -1.0)),
    "sum_of_five": (REAL[:8], REAL[:8], (0.0, 1.0), (0.5, -1.0), (0.0, 3.0)),
    "log1p_gap": ((*SIZE, -1e-9, -0.25, -0.5, -0.75, 0.99, 1.01),),
    "exp_gap": ((0.0, 1e-300, 1e-9, -1e-9, 0.5, -0.5, 0.99, -1.01, 40.0, -40.0, -1e30),),
    "exp_gap_of_rounded": ((0.0, 1e-300, 1e-9, -1e-9, 0.5, -0.5, 0.99, -1.01, 41.0, -40.0, -1e30),),
    "log_gap": ((1e-300, 1e-9, 0.5, 0.75, 1.0, 1.0 + 2**-52, 1.25, 40.0, 1e30),),
    "log_odds": ((-1e-300, -1e-9, -0.5, -40.0, -1e30),),
    "log1p_odds_ratio": LOG_PROBABILITIES,
    "log1p_odds_ratio_slope": LOG_PROBABILITIES,
    "log1p_odds_ratio_second_slope": (
        (-1e-9, -0.5, -40.0, -1e30),
        (-1e-300, -1e-9, -0.5, -40.0, -900.0),
    ),
    "scaled_softplus": ((0.0, 1e-9, -1e-9, -40.0, 40.0, 900.0, -900.0), (1e-9, 1.0, 1e30)),
    "excess": (REAL[:8], REAL[:8], (0.0, 0.5, 1.0)),
    "square_share": ((*REAL, 1e200, -1e200), (1e-9, 1.0, 4.0)),
    "square_share_slope": ((*REAL[:10], 1e30), (1e-9, 1.0, 4.0)),
    "log1p_square_slope": ((*REAL, 1e200), (1e-9, 1.0, 1e30)),
    "one_minus_gaussian": ((*REAL, 5.0), (0.0, 4.0), (0.3, 1.0, 1e30)),
    "one_minus_gaussian_slope": ((*REAL, 5.0), (0.0, 4.0), (0.3, 1.0, 1e30)),
    "fair_error": (REAL, (1e-9, 1.0, 1e30)),
    "fair_slope": (REAL, (1e-9, 1.0, 1e30)),
    "biweight": ((0.0, 1e-300, 1e-9, -0.5, 0.99, 1.0),),
    "symmetric_error": ((*REAL[:8], 5e-324, 1e308), (0.0, 5e-324, 1.0, -1e308, 1e308)),
    "gamma_nll": ((0.0, 1e-9, -1e-9, -40.0, 40.0), (1e-300, 0.5, 1e9)),
    "gamma_nll_slope": ((1e-9, -1e-9, -40.0, 40.0, 800.0), (1e-300, 0.5, 1e9)),
    "tweedie_nll": ((0.0, 1e-9, -40.0, 40.0, -400.0, 400.0), (0.0, 0.5, 1e9), (1.25, 1.5)),
    "tweedie_nll_slope": ((1e-9, -40.0, 40.0, -400.0, 400.0), (0.0, 0.5, 1e9), (1.25, 1.5)),
    "negative_binomial_nll": ((0.0, -1e-9, -40.0, 40.0, 1e30), (0.0, 0.5, 1e9), (1e-3, 1.0, 40.0)),
    "negative_binomial_nll_slope": ((1e-9, -40.0, 40.0, 800.0), (0.0, 0.5, 1e9), (1e-3, 1.0, 40.0)),
    "laplace_nll": (REAL[:8], (0.0, 1.0), (1e-9, 1.0, 40.0)),
    "laplace_nll_scale_slope": (REAL[:8], (0.0, 1.0), (1e-9, 1.0, 40.0)),
    "laplace_crps": (REAL, (1e-9, 1.0, 40.0)),
    "laplace_crps_slope": (REAL, (1e-9, 1.0, 40.0)),
    "laplace_crps_scale_slope": (REAL, (3e-9, 3.0, 1e3)),
    "logistic_crps": (REAL, (1e-9, 1.0, 40.0)),
    "logistic_crps_slope": (REAL, (1e-9, 1.0, 40.0)),
    "logistic_crps_scale_slope": (REAL, (1e-9, 1.0, 40.0)),
    "rest_share": ((0.0, 1e-300, 1e-9, 40.0), (1e-300, 1.0, 1e30)),
    "share": ((0.0, 1e-300, 1e-9, 40.0), (0.0, 1e-300, 1.0, 1e30)),
    "log_share": ((1e-300, 1.0, 1e30), (0.0, 1e-300, 1e-9, 40.0)),
    "root": ((0.0, 1e-9, 0.5, 1.0, 40.0), (0.5, 1.0, 3.0)),
    "erf": ((*REAL, 0.99, -1.01, 5.9, *ENDLESS),),
    "erfc": ((*REAL[:10], 0.49, 0.51, -0.9, 3.0, 26.0, *ENDLESS),),
    "ndtr": ((*REAL[:8], 0.69, -0.71, 3.0, -37.0, 40.0, *ENDLESS),),
    "log_ndtr": ((*REAL, 0.5, 3.0, -37.0),),
    "normal_hazard": ((*REAL, 0.5, -3.0, 37.0),),
    "normal_hazard_of_rounded": ((*REAL, 0.5, -3.0, 37.0),),
    "log_ndtr_of_rounded": ((*REAL, 0.5, -3.0, 37.0),),
    "weighed_gaussian_nll": (REAL, (0.0, 1.0), (1e-300, 1e-9, 0.5, 40.0, 1e300), (0.0, 0.5, 1.0)),
    "general_robust": ((*REAL, 1e200), (2.0, 1.0, 0.0, -0.5, -2.0, 1.0 - 2.0**-30, 2.0**-40)),
    "general_robust_slope": (
        (*REAL, 1e200),
        (2.0, 1.0, 0.0, -0.5, -2.0, 1.0 - 2.0**-30, 2.0 - 2.0**-30),
    ),
    "angle_of_gaps": ((0.0, 1.0, 2.0, 0.5, 2.0**-40, 1e-300), (1.0, 2.0, 0.25, 2.0**-40)),
    "sine_of_cosine": ((0.0, 1.0, -1.0, 0.5, -0.75, 1.0 - 2.0**-40),),
    "hazard_excess": ((*REAL, 0.5, -3.0, 37.0),),
    "lgamma": ((1e-60, 1e-9, 0.5, 1.0, 1.0 + 2**-52, 2.0, 2.49, 2.51, 40.0, 1e30),),
    "digamma": ((1e-60, 1e-9, 0.5, 1.0, 1.4616321449683622, 2.49, 2.51, 40.0, 1e30),),
    "trigamma": ((1e-60, 1e-9, 0.49, 0.51, 1.0, 40.0, 1e30),),
    "stirling_gap": ((1e-60, 1e-9, 0.25, 0.51, 1.0, 40.0, 1e30),),
    "stirling_slope": ((1e-60, 1e-9, 0.25, 0.51, 1.0, 40.0, 1e30),),
    "stirling_bend": ((1e-60, 1e-9, 0.49, 0.51, 1.0, 40.0, 1e30),),
    "betainc": (PARAMETERS, PARAMETERS, SHARES_INSIDE),
    "beta_density": (PARAMETERS, PARAMETERS, (0.0, *SHARES_INSIDE, 1.0)),
    "student_t_crps": (REAL, (0.0, 0.75), (1e-9, 1.0, 40.0), FREEDOMS),
    "student_t_crps_slope": (REAL, (0.0, 0.75), (1e-9, 1.0, 40.0), FREEDOMS),
    "student_t_crps_scale_slope": (REAL, (0.0, 0.75), (1e-9, 1.0, 40.0), FREEDOMS),
    "distance_power_slope": (REAL, (0.0, 0.75), (0.5, 1.0, 1.5, 2.0, 3.0)),
    "gammainc": (SHAPES, (*AMOUNTS_BESIDE, 0.0)),
    "gammaincc": (SHAPES[1:], (*AMOUNTS_BESIDE, 0.0)),
    "gamma_density": (SHAPES, AMOUNTS_BESIDE),
    "i0e": ((*REAL, 7.9, -8.1),),
    "i1e": ((*REAL, 7.9, -8.1),),
    "atan": ((*REAL, 0.43, 0.44, -0.68, 0.69, 1.2, 2.4, -2.5, *ENDLESS),),
    "acos": ((0.0, 1.0, -1.0, 1e-9, 0.5, -0.5, 1.0 - 2**-53, -1.0 + 2**-53),),
    "normal_crps": (REAL, (0.0, 0.75), (1e-9, 1.0, 40.0)),
    "normal_crps_slope": (REAL, (0.0, 0.75), (1e-9, 1.0, 40.0)),
    "normal_crps_scale_slope": (REAL, (0.0, 0.75), (1e-9, 1.0, 40.0)),
    "exponential_crps": ((1e-9, 0.7, 40.0, 1e30), SIZE),
    "exponential_crps_rate_slope": ((1e-9, 0.7, 40.0, 1e30), SIZE),
    "exponential_crps_slope": ((1e-9, 0.7, 40.0, 1e30), SIZE),
    "log_normal_crps": (LOCATIONS, AMOUNTS_LOGGED, SCALES),
    "log_normal_crps_slope": (LOCATIONS, AMOUNTS_LOGGED, SCALES),
    "log_normal_crps_scale_slope": (LOCATIONS, AMOUNTS_LOGGED, SCALES),
    "log_normal_crps_target_slope": (LOCATIONS, AMOUNTS_LOGGED, SCALES),
    "poisson_crps": (RATES, COUNTS),
    "poisson_crps_slope": (RATES, COUNTS),
    "gamma_crps": ((0.3, 1.0, 40.0), (0.0, 1e-3, 0.5, 3.0, 1e4), (0.25, 1.0, 100.0)),
    "gamma_crps_rate_slope": ((0.3, 1.0, 40.0), (0.0, 1e-3, 0.5, 3.0, 1e4), (0.25, 1.0, 100.0)),
    "matthews_gap": ((1e-9, 0.5, 40.0),) * 4,
    "exp2_over": (GRADES, WHOLE),
    "gain_over": (GRADES, WHOLE),
    "gain_difference_over": (GRADES, GRADES, (1024.0, 2000.0)),
    "times_exp": ((*REAL[:8], 1e30), (0.0, 1e-9, -40.0, 40.0, 650.0, -650.0)),
    "square_times_exp": ((*REAL[:4], 1e-9, 40.0), (0.0, 1e-9, -40.0, 40.0, 650.0, -650.0)),
    "over_softplus": (REAL, (0.0, 1e-9, -39.9, -40.1, 40.0, 650.0, -650.0)),
    "square_over_softplus": ((*REAL[:4], 1e-9, 40.0), (0.0, -39.9, -40.1, 40.0, 650.0, -300.0)),
    "sigmoid_difference": (REAL[:10], (0.0, 1e-9, -0.5, 39.0)),
    "sigmoid_divergence": ((0.0, 0.5, -3.0, 20.0, -20.0), (0.25, -4.0, 19.0, -18.0, 1e-9)),
    "log_cloglog": ((0.0, 1e-9, -1e-9, 1.5, -39.9, -40.1, -700.0),),
    "log_part": ((1e-300, 1.0, 1e30, 1e300), (1e-300, 1e-9, 40.0, 1e300)),
    "geometric_mean": (SIZE, SIZE),
    "weighted_geometric_mean": ((*AMOUNT, 1e300), (*AMOUNT, 1e300), (0.25, 0.5, 0.875, 2.0)),
    "square_over": ((0.0, 1e-9, -40.0, 1e30), (1e-300, 1e-9, 1.0, 1e30)),
    "log_inflated": (REAL[:10], (0.0, -1e-300, -1e-9, -0.5, -40.0, -800.0, -1e30)),
    "langevin": ((1e-300, 1e-9, 0.5, -1.99, 2.01, 40.0, -1e30),),
    "log_sinh_over": ((1e-9, 0.5, -1.99, 2.01, 40.0, -300.0),),
    "log1p_square_times_exp": (
        (0.0, 1e-9, -0.5, 40.0, 1e200),
        (0.0, -40.0, 40.0, 650.0, -650.0),
        (1.0, 4.0, 1e-9),
    ),
    "factorial_gap": ((0.0, 1.0, 2.0, 40.0, 1e9),),
    "root_difference": (SIZE, (0.0, 1e-300, 0.25, 1.0, 1e30)),
    "squared_root_difference": (SIZE[:4], (0.0, 1e-9, 0.25, 1.0)),
    "discount_distance": ((1.0, 2.0, 3.0, 1e3, 1e6),) * 2,
}
# Functions of logarithms and squares have the errors of their parts, larger ones those of powers.
ALLOWED = {
    "sigmoid_power": 32, "jensen_gap": 16, "shifted_focal": 32, "beta_nll": 16,
    "negative_log_between": 16, "von_mises_concentration_slope": 32,
    "gamma_density": 160, "gammainc": 160, "gammaincc": 160, "poisson_crps": 32,
    "log_normal_crps_slope": 32, "log_normal_crps_scale_slope": 64, "betainc": 512,
    "beta_density": 512, "student_t_crps": 16, "student_t_crps_slope": 32,
    "student_t_crps_scale_slope": 64,
    "negative_log_between_normal": 512, "nearer_normal_bound": 512,
    "normal_bound_density": 64,
    "poisson_crps_slope": 64, "gamma_crps": 32, "gamma_crps_rate_slope": 64,
}  # fmt: skip

KNOWN = {*CALLS, *ROW_CALLS, *CLASS_CALLS, *RANKED, "within"}
"""Functions that textbooks call by a name."""

ELEMENTWISE = [name for name, function in FUNCTIONS.items() if function.shape == "elementwise"]


def names_of(name):
    return tuple(signature(FUNCTIONS[name].computed).parameters)


def node_of(name):
    return apply(name, *(variable(argument) for argument in names_of(name)))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_stable_form_means_the_same_at_the_ends(name):
    assert name in ARGUMENTS, f"say in ARGUMENTS which numbers {name} takes"
    names, node = names_of(name), node_of(name)
    points = list(product(*ARGUMENTS[name]))
    arrays = [np.array(column) for column in zip(*points, strict=True)]
    found = quietly(compiled(name, names, (node,)), *arrays)
    meaning = Meaning(node)
    for point, value in zip(points, np.broadcast_to(found, arrays[0].shape), strict=True):
        truth = meaning.value(dict(zip(names, point, strict=True)))
        if truth == truth:  # noqa: PLR0124  (some infinite points mean nothing)
            distance = ulps(float(value), truth, FLOAT64)
            assert distance <= ALLOWED.get(name, 8), f"{name}{point}: {value} for {truth}"


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_stays_nan(name):
    names = names_of(name)
    function = compiled(name, names, (node_of(name),))
    for place in range(len(names)):
        point = [np.array([0.5 - i / 64]) for i in range(len(names))]  # 1 to the power NaN is 1
        point[place] = np.array([NAN])
        assert np.isnan(quietly(function, *point)).all(), f"{names[place]} of {name}"


# -------------------------------------------------------------------------------- what they mean


@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if f.means])
def test_a_meaning_is_a_formula_in_the_words_of_textbooks(name):
    """The oracle evaluates it and readers see it: there is no other text of it."""
    rows = FUNCTIONS[name].shape != "elementwise"
    symbols = [variable(n, class_axis=rows and n not in {"label", "power"}) for n in names_of(name)]
    meaning = FUNCTIONS[name].means(*symbols)
    assert meaning.operator != name
    words = {node.operator for node in walk(textbook(meaning))}
    assert words <= PRIMITIVES - {"log1p", "expm1"} | {"variable", "constant", "weighted", *KNOWN}
    assert latex(meaning)
    assert plain(meaning)


def test_what_has_no_other_words_is_known_to_the_oracle_and_to_readers():
    bare = {name for name, function in FUNCTIONS.items() if function.means is None}
    assert bare <= set(MEANINGS) | set(_ALONG)
    assert bare <= set(KNOWN)
    assert bare <= set(WORDS) | set(RANKED)
    assert not set(MEANINGS) & (set(FUNCTIONS) - bare), "two texts of one meaning"


def test_a_function_has_a_meaning_or_a_slope():
    with pytest.raises(TypeError, match="half needs means=, or slope="):
        Function("half", lambda x: 0.5 * x)


def test_what_has_no_other_words_is_evaluated_by_its_row_in_the_oracle(monkeypatch):
    half = Function("half", lambda x: 0.5 * x, slope=lambda x: (constant(0.5),))
    monkeypatch.setitem(FUNCTIONS, "half", half)
    x = variable("x")
    with pytest.raises(TypeError, match="half has no means="):
        Meaning(apply("half", x)).value({"x": 3.0})
    monkeypatch.setitem(MEANINGS, "half", lambda m, x: x / 2)
    assert Meaning(apply("half", x) + 1).value({"x": 3.0}) == 2.5


# ------------------------------------------------------------ functions along the class axis

ROWS = (
    (0.0, 0.0, 0.0),
    (17.0, 0.0, -3.0),
    (1e4, 1e4, -1e4),
    (-INF, 2.0, 2.0),
    (0.0, -INF, -INF),
    (1e300, 0.0, -1e300),
    (5e-324, 0.0, 1e-300),
    (-745.0, 0.0, 709.0),
)
LOGIT_FUNCTIONS = (
    "logsumexp", "softmax", "softmax_complement", "log_softmax", "cross_entropy_at",
    "softmax_minus_one_hot", "mean_cross_entropy", "log1p_total_exp", "softmax_beside_one",
)  # fmt: skip
RIVALS = "lossary.functions.rivals"
VECTORS = ((0.0, 0.0), (3.0, 4.0), (-1e200, 1e200), (1e-200, 0.0), (5e-324, 0.0), (1e300, 1.0))


def along(name, rows, label=False):
    """The named function on rows, and its meaning for each of them."""
    names = names_of(name)
    symbols = [variable(n, class_axis=n not in {"label", "power"}) for n in names]
    shape = FUNCTIONS[name].shape
    node = apply(name, *symbols, class_axis=shape == "class")
    arrays = [np.array(rows)]
    points = [{names[0]: list(row)} for row in rows]
    if "label" in names:
        label = np.arange(len(rows))[:, None] % len(rows[0])
        arrays.append(label)
        points = [p | {"label": int(k[0])} for p, k in zip(points, label, strict=True)]
    found = quietly(compiled(name, names, (node,)), *arrays)
    entries = node if shape == "row" else [apply("pick", node, float(k), class_axis=False)
                                           for k in range(len(rows[0]))]  # fmt: skip
    for point, value in zip(points, found, strict=True):
        for k, entry in enumerate(entries if isinstance(entries, list) else [entries]):
            yield point, float(value[k]), Meaning(entry).value(point)


@pytest.mark.parametrize("name", LOGIT_FUNCTIONS)
def test_functions_of_logits_hold_at_the_ends(name):
    for point, value, truth in along(name, ROWS):
        assert ulps(value, truth, FLOAT64) <= 8, f"{name} at {point}: {value} for {truth}"


FIRST = (
    (0.0, 0.0, 0.0),
    (17.0, 0.0, -3.0),
    (1e4, 1e4, -1e4),
    (-INF, 2.0, 2.0),
    (-745.0, 0.0, 709.0),
)
OTHER = (
    (0.0, -INF, 1e-9),
    (-INF, -INF, -INF),
    (-1e4, 1e4, 1.0),
    (40.0, -INF, -INF),
    (3.0, 0.5, -2.0),
)
CHOSEN = ((1.0, 1.0, 1.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    "name", [n for n, f in FUNCTIONS.items() if f.computed.__module__ == RIVALS]
)
def test_functions_of_some_entries_hold_at_the_ends(name):
    names, shape = names_of(name), FUNCTIONS[name].shape
    node = apply(name, *(variable(n, class_axis=True) for n in names), class_axis=shape == "class")
    points = list(product(*({"x": FIRST, "y": OTHER, "t": CHOSEN}[n] for n in names)))
    columns = [np.array(column) for column in zip(*points, strict=True)]
    found = quietly(compiled(name, names, (node,)), *columns)
    count = 1 if shape == "row" else 3
    entries = (
        [node] if shape == "row" else [apply("pick", node, k, class_axis=False) for k in range(3)]
    )
    for point, value in zip(points, np.broadcast_to(found, (len(points), count)), strict=True):
        named = {n: list(row) for n, row in zip(names, point, strict=True)}
        for entry, number in zip(entries, value, strict=True):
            truth = Meaning(entry).value(named)
            if truth == truth:  # noqa: PLR0124  (nothing beside nothing means nothing)
                assert ulps(float(number), truth, FLOAT64) <= 8, f"{name} at {named}: {number}"


@pytest.mark.parametrize("name", ["norm", "unit"])
def test_functions_of_a_vector_hold_at_the_ends(name):
    for point, value, truth in along(name, VECTORS):
        assert ulps(value, truth, FLOAT64) <= 8, f"{name} at {point}: {value} for {truth}"


# ------------------------------------------------------------------ spellings in each library

POINTS = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, INF, -INF, NAN)
PAIRS = np.array(list(product(POINTS, POINTS)))
MATRIX = np.array([(0.0, 1.0, -1.0), (2.0, 2.0, -INF), (-INF, -INF, -INF), (4.0, INF, 1.0)])
LABELS = np.array([[0], [2], [1], [1]])
ALONG = {"total", "peak", "argpeak", "pick", "class_index", "class_count"}
CONDITIONS = {"less", "less_equal", "equal", "logical_and", "logical_or", "logical_not"}
# What the libraries compute themselves differs in the last places.
ROUNDED = {"exp", "expm1", "log", "log1p", "tanh", "power", "sqrt", "sin", "cos"}

a, b = variable("a"), variable("b")


def spelled(operator):
    """An expression of a and b that shows the operator; conditions choose between numbers."""
    if operator in {"logical_and", "logical_or"}:
        return apply("where", apply(operator, a < 1, b < 1), 1, a + 2)
    if operator == "logical_not":
        return apply("where", apply(operator, a < b), 1, a + 2)
    if operator in CONDITIONS:
        return apply("where", apply(operator, a, b), 1, a + 2)
    if operator == "where":
        return apply("where", a < b, a, b)
    return apply(operator, *(a, b)[: MEANINGS[operator].__code__.co_argcount - 1])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [n for n in NAMES if n != "numpy"])
@pytest.mark.parametrize("operator", sorted(PRIMITIVES - ALONG))
def test_each_spelling_says_in_each_library_what_it_says_in_numpy(operator, name, dtype):
    library = Library(name)
    node = spelled(operator)
    arrays = [PAIRS[:, k].astype(dtype) for k in range(2)]
    here = quietly(compiled("f", ("a", "b"), (node,)), *arrays)
    with library.wide():
        there = [library.array(x, dtype) for x in arrays]
        found = library.plain(quietly(compiled("f", ("a", "b"), (node,), name), *there))
    found, here = np.broadcast_to(found, here.shape), np.asarray(here, dtype)
    if (operator, name) == ("sign", "torch"):
        # torch.sign(NaN) is 0. A NaN never reaches it unseen: it is refused, or the element is
        # made NaN before it is returned.
        assert np.isnan(here).any()
        assert (found[np.isnan(here)] == 0).all()
        found = np.where(np.isnan(here), here, found)
    if operator in ROUNDED:
        np.testing.assert_allclose(found, here, rtol=8 * float(np.finfo(dtype).eps))
    else:
        np.testing.assert_array_equal(found, here)


def spelled_along(operator):
    """A row of numbers that shows the operator; indices and counts have no dtype of their own."""
    x, label = variable("x", class_axis=True), variable("label")
    if operator == "pick":
        return pick(x, label)
    if operator == "argpeak":
        return where(is_class(argpeak(x)), x + 7, x)
    if operator == "class_index":
        return where(is_class(label), x + 7, x)
    if operator == "class_count":
        return x / class_count()
    return apply(operator, x, class_axis=False)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "numpy"])
@pytest.mark.parametrize("operator", sorted(ALONG))
def test_each_spelling_along_the_classes_says_what_it_says_in_numpy(operator, name):
    library = Library(name)
    node = spelled_along(operator)
    here = quietly(compiled("f", ("x", "label"), (node,)), MATRIX, LABELS)
    with library.wide():
        there = library.array(MATRIX, "float64"), library.labels(LABELS)
        found = library.plain(quietly(compiled("f", ("x", "label"), (node,), name), *there))
    np.testing.assert_array_equal(found, here)


def test_every_primitive_means_something_to_the_oracle():
    assert PRIMITIVES - ALONG - {"weighted"} <= set(MEANINGS)
