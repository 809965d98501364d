"""The coefficients of all polynomials, from the lowest power, by ``python -m tests.remez``.

The names are those of its fits. Those without a prefix serve doubles; ``spare`` serves doubles that
stand for fewer digits, and ``single`` serves float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

COEFFICIENTS: Mapping[str, tuple[float, ...]] = {
    # (e^r - 1 - r) / r^2 on |r| <= 1.0001 ln(2)/2, degree 10: error of
    # expm1(r) below 2^-59.9 of itself.
    "exponential": (
        0.5, 0.16666666666666677, 0.04166666666666651, 0.008333333333321691, 0.001388888888896242,
        0.00019841269885965157, 2.4801587172396634e-05, 2.755724437506242e-06,
        2.755740278788795e-07, 2.5108978577669386e-08, 2.0875279975745012e-09,
    ),
    # Degree 7: error of expm1(r) below 2^-43.5 of itself.
    "spare exponential": (
        0.49999999999812506, 0.16666666666869037, 0.04166666688346527, 0.008333333246331873,
        0.0013888822766600906, 0.00019841359755006874, 2.487568857349882e-05, 2.756053856388681e-06,
    ),
    # Degree 5: error of expm1(r) below 2^-28.78 of itself.
    "single exponential": (
        0.5, 0.1666666567325592, 0.041666362434625626, 0.008333389647305012, 0.001394062303006649,
        0.00019845907809212804,
    ),
    # (2 atanh(s)/s - 2)/s^2 in z = s^2 for |s| <= 1.0001 (3 - sqrt(8)), degree 6: error of
    # the logarithm below 2^-58.8 of itself.
    "logarithm": (
        0.6666666666666734, 0.3999999999941384, 0.28571428742592064, 0.2222219855075209,
        0.18183565559870568, 0.15314017361424206, 0.14796297310088835,
    ),
    # Degree 4: error of the logarithm below 2^-44.9 of itself.
    "spare logarithm": (
        0.6666666667581037, 0.39999995618295253, 0.28572109550732444, 0.22176171838333347,
        0.1958439948121935,
    ),
    # Degree 2: error of the logarithm below 2^-30.08 of itself.
    "single logarithm": (
        0.6666677594184875, 0.39977532625198364, 0.29872027039527893,
    ),
    # ((2 atanh(s)/s - 2)/s^2 - 2/3)/s^2 in z = s^2 for the same s, degree 7: error of the logarithm
    # below 2^-66.3 of itself.
    "powers": (
        0.3999999999999998, 0.28571428571445123, 0.222222222175337, 0.1818181887066797,
        0.15384556846301037, 0.13336318384919915, 0.11674798660698399, 0.11989180039044557,
    ),
    # Degree 2: error of the logarithm below 2^-36.61 of itself.
    "single powers": (
        0.40000152587890625, 0.28547123074531555, 0.23418836295604706,
    ),
    # erf(sqrt z)/sqrt z - 1 for z in [0, 1], degree 12: error of erf below 2^-56.30 of itself.
    "erf near zero": (
        0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.02686617064507291,
        0.005223977624781007, -0.0008548326978749733, 0.00012055331037156047,
        -1.4925593512642418e-05, 1.6460972903308296e-06, -1.635002608052991e-07,
        1.4657885273255793e-08, -1.1365685796253296e-09, 5.945293570044454e-11,
    ),
    # Degree 9: error of erf below 2^-45.62 of itself.
    "spare erf near zero": (
        0.12837916709549171, -0.3761263890277513, 0.11283791657673713, -0.026866168962230687,
        0.0052239667452016044, -0.0008547920930900729, 0.0001204604605334182,
        -1.479292052352113e-05, 1.5295196337393133e-06, -1.0444430271575274e-07,
    ),
    # log erfc(1 + t) for t in [0, 5], degree 18: error of erf below 2^-57.65 of itself.
    "erf complement": (
        -1.8496055099332482, -2.6389675142347886, -0.8431072563586588, -0.04156109804218592,
        0.010033825378496432, -0.001977902594273811, 0.00023732259166953562, 2.6277559626162244e-05,
        -2.715847102989804e-05, 9.607951966823836e-06, -2.0587352764667867e-06,
        1.420309142637663e-07, 9.80603259171649e-08, -5.22686514867384e-08, 1.4987089314140786e-08,
        -2.881552607166431e-09, 3.709565210717085e-10, -2.9066164195361315e-11,
        1.0495727725167464e-12,
    ),
    # Degree 12: error of erf below 2^-45.86 of itself.
    "spare erf complement": (
        -1.8496055099331652, -2.6389675142550577, -0.8431072555811052, -0.041561109239641306,
        0.010033905603112467, -0.001978230361025275, 0.00023814472293581487, 2.496522751671074e-05,
        -2.5824519943876537e-05, 8.798128209245894e-06, -1.8570294611839993e-06,
        2.364997760602464e-07, -1.3880558753313579e-08,
    ),
    # ((log gamma(2 + w)/w - (1 - euler))/w - (zeta(2) - 1)/2)/w for |w| <= 1/2, degree 15: error of
    # log gamma below 2^-55.98 of itself.
    "gamma around two": (
        -0.06735230105319694, 0.020580808427775737, -0.007385551028846932, 0.002890510331481474,
        -0.0011927539034838049, 0.0005096695015931272, -0.00022315494186708558,
        9.945787940296975e-05, -4.492401098209189e-05, 2.0503921670291997e-05,
        -9.455018969262144e-06, 4.392246277919976e-06, -1.9773037799654684e-06,
        9.022022201121754e-07, -5.782387041135836e-07, 2.9599415859136107e-07,
    ),
    # Degree 12: error of log gamma below 2^-46.92 of itself.
    "spare gamma around two": (
        -0.06735230105353156, 0.02058080842326404, -0.007385550997532355, 0.0028905106128156027,
        -0.0011927548406059187, 0.0005096632284021465, -0.00022314197289071062,
        9.952451638891671e-05, -4.501834146531863e-05, 2.014068606492268e-05,
        -9.084463631248292e-06, 5.357104916748705e-06, -2.715623964988812e-06,
    ),
    # Degree 4 in 1/x^2 for x >= 8: error of log gamma below 2^-56.73 of itself.
    "gamma stirling": (
        0.08333333333328095, -0.0027777777353245477, 0.0007936391255184069, -0.0005937981356486394,
        0.0007586460367057561,
    ),
    # Degree 3: error of log gamma below 2^-49.77 of itself.
    "spare gamma stirling": (
        0.08333333332911727, -0.0027777754234758804, 0.0007932238758434001, -0.0005637649142835964,
    ),
    # sin(pi r)/r in r^2 for |r| <= 1/2, degree 8: error below 2^-54.48 of itself.
    "gamma sine": (
        3.141592653589793, -5.167712780049969, 2.550164039877294, -0.5992645293187382,
        0.08214588656989184, -0.007370430478751877, 0.00046629968871011914, -2.190318524269029e-05,
        7.694725379733384e-07,
    ),
}  # fmt: skip

# What the functions call their polynomials.
_WORDS = {
    "tail_of_exp": "exponential",
    "series_of_log": "logarithm",
    "series_of_power": "powers",
    "near_zero": "erf near zero",
    "log_of_complement": "erf complement",
    "around_two": "gamma around two",
    "stirling": "gamma stirling",
    "sine": "gamma sine",
}


def polynomials(prefix: str = "") -> dict[str, tuple[float, ...]]:
    """Return the coefficients by the words that the functions use, as far as there are any."""
    names = {word: prefix + name for word, name in _WORDS.items()}
    return {word: COEFFICIENTS[name] for word, name in names.items() if name in COEFFICIENTS}


def evaluated(
    coefficients: Sequence[Any],
    x: Any,
    fused: Callable[[Any, Any, Any], Any],
    times: Callable[[Any, Any], Any],
    doublings: int = 2,
) -> Any:
    """Return a polynomial, whatever its numbers are and however they are multiplied and added.

    Estrin's order within groups of 2^doublings and Horner's over the groups: a multiplication or
    two more than Horner alone, in a fraction of the steps that wait for each other.
    """
    terms = list(coefficients)
    for _ in range(doublings):
        pairs = [terms[i : i + 2] for i in range(0, len(terms), 2)]
        terms = [fused(p[1], x, p[0]) if p[1:] else p[0] for p in pairs]
        x = times(x, x)
    result = terms.pop()
    while terms:
        result = fused(result, x, terms.pop())
    return result
