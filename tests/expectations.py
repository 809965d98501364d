"""What a test may ask of a call: exact, finite, or refused with certain words."""

import math

import numpy as np

from foreign import textbook, ulps

INF, NAN = math.inf, math.nan


def is_exact(actual, name, limit=4, **arguments):
    """Within `limit` units in the last place of the textbook's value, in the actual's own type."""
    distance = ulps(actual, textbook(name, arguments))
    assert distance <= limit, f"{name}{arguments} is {actual!r}, {distance} ulp off"


def is_finite(*arrays):
    assert all(np.isfinite(a).all() for a in arrays)
