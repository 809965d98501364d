"""Identities of differences: what cancels is computed from the difference."""

from __future__ import annotations

from lossary.functions import (
    absolute,
    difference_of_squares,
    hypot,
    maximum,
    pseudo_huber,
    relative_error,
    size_power,
    sqrt,
    where,
)
from lossary.identities.rules import POSITIVE, identity, square

DIFFERENCES = (
    identity("relative error", lambda x, y: (x - y) / y, lambda x, y: relative_error(x, y)),
    identity("ratio less one", lambda x, y: x / y - 1, lambda x, y: relative_error(x, y), y="any"),
    identity(
        "square of a ratio less one",
        lambda x, y: x * x / (y * y) - 1,
        lambda x, y: relative_error(x, y) * (1 + x / y),
    ),
    identity(
        "ratio of sizes", lambda x, y: absolute(x) / absolute(y), lambda x, y: absolute(x / y)
    ),
    identity(
        "difference of squares",
        lambda x, y: x * x - y * y,
        lambda x, y: difference_of_squares(x, y),
    ),
    # A square may overflow, or vanish, where a quotient of roots does not.
    identity(
        "square of a difference",
        lambda x, y: x * x + y * y - 2 * x * y,
        lambda x, y: (x - y) * (x - y),
    ),
    identity(
        "squares over a square",
        lambda x, y, z: (x * x + y * y) / (z * z),
        lambda x, y, z: square(hypot(x, y) / z),
    ),
    identity(
        "square over squares",
        lambda x, y, z: x * x / (y * y + z * z),
        lambda x, y, z: square(x / hypot(y, z)),
    ),
    identity("hypot", lambda x, y: sqrt(x * x + y * y), lambda x, y: hypot(x, y)),
    identity("hypot of 1", lambda x: sqrt(1 + x * x), lambda x: hypot(x, 1)),
    identity(
        "hypot of a scaled error",
        lambda x, c: sqrt(1 + c * (x * x)),
        lambda x, c: hypot(sqrt(c) * x, 1),
        c=POSITIVE,
    ),
    identity(
        "hypot of a number",
        lambda x, c: sqrt(x * x + c),
        lambda x, c: hypot(x, sqrt(c)),
        c=POSITIVE,
    ),
    identity(
        "Charbonnier", lambda x, y: hypot(x, y) - y, lambda x, y: pseudo_huber(x, y), y=POSITIVE
    ),
    identity(
        "far part of Huber",
        lambda x, d: d * absolute(x) - d * d / 2,
        lambda x, d: d * (absolute(x) - d / 2),
    ),
    identity("square of a size", lambda x: absolute(x) * absolute(x), lambda x: x * x),
    identity(
        "power of a size",
        lambda x, p: absolute(x) ** p,
        lambda x, p: size_power(x, p),
        p="Exponent",
    ),
    identity("size of a positive number", lambda x: absolute(x), lambda x: x, x=POSITIVE),
    identity("root of a square", lambda x: sqrt(x * x), lambda x: absolute(x)),
    identity("root", lambda x: x**0.5, lambda x: sqrt(x)),
    identity("size by cases", lambda x: where(x < 0, -x, x), lambda x: absolute(x)),
    identity("positive part", lambda x: where(0 < x, x, 0), lambda x: maximum(x, 0)),
    identity(
        "pinball",
        lambda x, q: maximum(q * x, x * (q - 1)),
        lambda x, q: where(x >= 0, q * x, (1 - q) * -x),
        q="OpenUnit Unit",
    ),
)
