"""Identities of vectors: norms, directions, cosines and distances."""

from __future__ import annotations

from lossary.formula import constant
from lossary.functions import (
    absolute,
    acos,
    affinity_gap,
    angle_of_gaps,
    centred,
    class_count,
    cos,
    cosine,
    cosine_gap,
    distance_difference,
    floor,
    fourfold_angle,
    geometric_mean,
    gromov_product,
    hypot,
    length_ratio,
    log,
    log_length_over,
    log_length_ratio,
    log_ratio,
    norm,
    pi,
    sin,
    sine_of_cosine,
    sqrt,
    squared_deviations,
    squared_length_ratio,
    tanimoto_gap,
    total,
    unit,
    variogram_gap,
)
from lossary.identities.rules import POSITIVE, identity, square

VECTORS = (
    identity("norm", lambda X: sqrt(total(X * X)), lambda X: norm(X)),
    identity("square of a norm", lambda X: norm(X) * norm(X), lambda X: total(X * X)),
    identity("unit", lambda X: X / norm(X), lambda X: unit(X)),
    identity("cosine", lambda X, Y: total(X * Y) / (norm(X) * norm(Y)), lambda X, Y: cosine(X, Y)),
    identity(
        "cosine in one root",
        lambda X, Y: total(X * Y) / sqrt(total(X * X) * total(Y * Y)),
        lambda X, Y: cosine(X, Y),
    ),
    identity("cosine of units", lambda X, Y: total(unit(X) * unit(Y)), lambda X, Y: cosine(X, Y)),
    identity(
        "cosine of an angle and a margin",
        lambda x, m: cos(acos(x) + m),
        lambda x, m: x * cos(m) - sine_of_cosine(x) * sin(m),
    ),
    identity(
        "four angles",
        lambda x: (
            cos(pi * floor(4 * acos(x) / pi)) * cos(4 * acos(x)) - 2 * floor(4 * acos(x) / pi)
        ),
        lambda x: fourfold_angle(x),
    ),
    identity("cosine distance", lambda X, Y: 1 - cosine(X, Y), lambda X, Y: cosine_gap(X, Y)),
    identity(
        "squared cosine",
        lambda X, Y: total(X * Y) * total(X * Y) / (total(X * X) * total(Y * Y)),
        lambda X, Y: cosine(X, Y) * cosine(X, Y),
    ),
    identity(
        "squared sine",
        lambda X, Y: 1 - cosine(X, Y) * cosine(X, Y),
        lambda X, Y: cosine_gap(X, Y) * cosine_gap(X, -Y),
    ),
    identity(
        "squared distance of units",
        lambda X, Y: total((unit(X) - unit(Y)) * (unit(X) - unit(Y))),
        lambda X, Y: 2 * cosine_gap(X, Y),
    ),
    identity(
        "root of a squared length over a square",
        lambda X, y: sqrt(total(X * X) / (y * y)),
        lambda X, y: norm(X) / absolute(y),
    ),
    identity(
        "squared length over another and a number",
        lambda X, Y, c: total(X * X) / (total(Y * Y) + c),
        lambda X, Y, c: square(norm(X) / hypot(norm(Y), sqrt(c))),
        c=POSITIVE,
    ),
    identity(
        "angle of two",
        lambda X, Y: acos(cosine(X, Y)),
        lambda X, Y: angle_of_gaps(cosine_gap(X, Y), cosine_gap(X, -Y)),
    ),
    identity(
        "angle of two distributions",
        lambda P, Q: acos(total(geometric_mean(P, Q))),
        lambda P, Q: angle_of_gaps(affinity_gap(P, Q), 2 - affinity_gap(P, Q)),
        P="Simplex",
        Q="Simplex",
    ),
    identity(
        "ratio of squared lengths",
        lambda X, Y: total(X * X) / total(Y * Y),
        lambda X, Y: squared_length_ratio(X, Y),
    ),
    identity(
        "root of a ratio of squared lengths",
        lambda X, Y: sqrt(squared_length_ratio(X, Y)),
        lambda X, Y: length_ratio(X, Y),
    ),
    identity("ratio of lengths", lambda X, Y: norm(X) / norm(Y), lambda X, Y: length_ratio(X, Y)),
    identity(
        "logarithm of a ratio of lengths",
        lambda X, Y: log(squared_length_ratio(X, Y)),
        lambda X, Y: 2 * log_length_ratio(X, Y),
    ),
    identity("log of a length", lambda X: log(norm(X)), lambda X: log_length_over(X, 1)),
    identity(
        "log of a squared length", lambda X: log(total(X * X)), lambda X: 2 * log_length_over(X, 1)
    ),
    identity(
        "log of a squared length over a number",
        lambda X, y: log_ratio(total(X * X), y),
        lambda X, y: 2 * log_length_over(X, sqrt(y)),
        y=POSITIVE,
    ),
    identity("centred", lambda X: X - total(X) / class_count(), lambda X: centred(X)),
    identity(
        "squared deviations",
        lambda X: total(centred(X) * centred(X)),
        lambda X: squared_deviations(X),
    ),
    # Textbooks' moments: they are large where the numbers are, and differ by what is left of both.
    identity(
        "squares less the square of a sum",
        lambda X: total(X * X) - total(X) * total(X) / class_count(),
        lambda X: squared_deviations(X),
    ),
    identity(
        "products less the product of sums",
        lambda X, Y: total(X * Y) - total(X) * total(Y) / class_count(),
        lambda X, Y: total(centred(X) * centred(Y)),
    ),
    identity(
        "Gromov product",
        lambda X, Y, Z: norm(X - Z) + norm(Y - Z) - norm(X - Y),
        lambda X, Y, Z: 2 * gromov_product(X, Y, Z),
    ),
    identity(
        "difference of distances",
        lambda X, Y, Z: norm(X - Y) - norm(X - Z),
        lambda X, Y, Z: distance_difference(X, Y, Z),
    ),
    identity(
        "variogram",
        lambda X, Y, t, u, p: square(
            absolute(t - u) ** p - total(absolute(X - Y) ** p) / class_count()
        ),
        lambda X, Y, t, u, p: variogram_gap(X, Y, constant(1), t, u, p),
    ),
    identity(
        "Tanimoto",
        lambda X, Y: 1 - total(X * Y) / total(X * X + Y * Y - X * Y),
        lambda X, Y: tanimoto_gap(X, Y),
    ),
    identity(
        "Tanimoto by distance",
        lambda X, Y: total((X - Y) * (X - Y)) / total(X * X + Y * Y - X * Y),
        lambda X, Y: tanimoto_gap(X, Y),
    ),
)
