"""A gain beside a penalty: exponentials of one number, which overflow together."""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.carried import (
    exp_gap_of_rounded,
    exp_of_rounded,
    expm1_of_rounded,
    is_rounded,
)
from lossary.functions.gaps import exp_gap
from lossary.functions.normal import times_exp
from lossary.functions.vocabulary import exp, expm1, named, weighted, where

_FAR = 3
"""From here on neither 1 nor x is near the exponential of x."""


@named(
    means=lambda x, b, z: b * (exp(x) - 1) + z * exp(x),
    # The two are one multiple of the exponential.
    slope=lambda x, b, z: (times_exp(b + z, x), expm1(x), exp(x)),
)
def expm1_and_exp(x: Expression, penalty: Expression, gain: Expression) -> Expression:
    """The slope of exp_gap_and_exp."""
    less, whole = (expm1_of_rounded, exp_of_rounded) if is_rounded(x) else (expm1, exp)
    near = weighted(penalty, less(x)) + weighted(gain, whole(x))
    return where(x > _FAR, times_exp(penalty + gain, x) - penalty, near)


@named(
    means=lambda x, b, z: b * (exp(x) - 1 - x) + z * exp(x),
)
def exp_gap_and_exp(x: Expression, penalty: Expression, gain: Expression) -> Expression:
    """Penalty (exp(x) - 1 - x) + gain exp(x), a policy's gain and how far it has gone."""
    gap, whole = (exp_gap_of_rounded, exp_of_rounded) if is_rounded(x) else (exp_gap, exp)
    near = weighted(penalty, gap(x)) + weighted(gain, whole(x))
    return where(x > _FAR, times_exp(penalty + gain, x) - penalty * (1 + x), near)
