"""Integrals of what falls from 1 to nothing: Gauss and Legendre's rule, written out.

A rule with fixed places is a straight line of steps in every language, and right for whole ranges
of parameters where a series or a continued fraction needs ever more terms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossary.formula import Expression
from lossary.functions.vocabulary import exp, sqrt

NATS = 37.5
"""Beyond a height of exp(-37.5) no digit of a float64 is left."""

# The first half of 26 places in (0, 1) and their weights: zeros of the Legendre polynomial.
PLACES = (
    (0.0020571494271915355, 0.005275686308671503),
    (0.010807277021764504, 0.012208925546315955),
    (0.026420466669142877, 0.018981191647181383),
    (0.04868106900784646, 0.025487912648573904),
    (0.07727702860575099, 0.03163702316478742),
    (0.11180702558966057, 0.037342074882829875),
    (0.15178636979002136, 0.04252294715674262),
    (0.19665385349119097, 0.04710690017795707),
    (0.24577964258774715, 0.05102958054721271),
    (0.29847412243825683, 0.05423592026428829),
    (0.35399758025702155, 0.05668090827315983),
    (0.4115705898215549, 0.05833022174264829),
    (0.4703849532853434, 0.05916070763963114),
)
_BOTH = (*PLACES, *((1 - place, weight) for place, weight in reversed(PLACES)))


def integral(
    fall: Callable[[Expression], Expression], length: Expression, power: int = 0
) -> Expression:
    """Return the integral of (s / length)^power exp(-fall(s)) from 0 to a length.

    That is how far it goes, or where the fall has reached NATS. Small heights are added first.
    """
    found: Any = None
    for place, weight in reversed(_BOTH):
        part = weight * place**power * exp(-fall(length * place))
        found = part if found is None else found + part
    return length * found


def average(part: Callable[[float], Expression]) -> Expression:
    """Return the integral of a function of a share of the way, from 0 to 1."""
    found: Any = None
    for place, weight in _BOTH:
        found = weight * part(place) if found is None else found + weight * part(place)
    return found


def root(half: Expression, linear: Expression, height: float) -> Expression:
    """Return the s > 0 where half s^2 + linear s = height."""
    return 2 * height / (linear + sqrt(linear * linear + (4 * height) * half))
