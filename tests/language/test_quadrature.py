"""The places of the written-out integrals are those of Gauss and Legendre."""

import mpmath
import pytest

from lossary.functions.quadrature import PLACES


def test_the_places_and_weights_are_the_zeros_of_the_legendre_polynomial():
    mp = mpmath.mp.clone()
    mp.dps = 40
    count = 2 * len(PLACES)
    for place, weight in PLACES:
        x = mp.findroot(lambda t: mp.legendre(count, t), 2 * mp.mpf(place) - 1)
        slope = mp.diff(lambda t: mp.legendre(count, t), x)
        assert float((1 + x) / 2) == pytest.approx(place, rel=1e-15, abs=0)
        assert float(1 / ((1 - x * x) * slope * slope)) == pytest.approx(weight, rel=1e-15, abs=0)
