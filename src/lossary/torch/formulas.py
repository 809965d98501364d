"""The losses behind the door: the catalogue's, some of them with PyTorch's answer to infinity.

Mixed precision reads from the gradient whether a step has overflowed: ``GradScaler`` skips it then.
A logit of +inf is such an overflow, and so is a row of nothing but -inf; in the catalogue both have
a value. A single -inf excludes its class here too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from math import inf, nan
from types import MappingProxyType
from typing import Any

from lossary import catalogue
from lossary.engine import Loss
from lossary.formula import constant
from lossary.functions import absolute, maximum, peak, where

# What must be finite, in each element or row, for PyTorch's gradient to be so.
_FINITE = {
    "cross_entropy": lambda logits, **_: peak(logits),
    "soft_cross_entropy": lambda logits, **_: peak(logits),
    "cosine_embedding": lambda first, second, **_: _largest(first) + _largest(second),
    "triplet_margin": lambda anchor, positive, negative, **_: (
        _largest(anchor) + _largest(positive) + _largest(negative)
    ),
    "soft_margin": lambda score, sign: maximum(-sign * score, 0),
}


def _largest(row: Any) -> Any:
    return peak(absolute(row))


def _overflowing(own: Loss, number: Any) -> Loss:
    """Return the loss times NaN, gradient and all, where a number is not finite."""

    @wraps(own.formula)
    def formula(**arguments: Any) -> Any:
        within = absolute(number(**arguments)) < inf
        return own.formula(**arguments) * where(within, constant(1), constant(nan))

    made = replace(own, formula=formula)
    made.expression(made.absent_by_default)
    # Looked at once: a compiler cannot trace what is computed at the first look.
    assert made.class_axis == own.class_axis  # noqa: S101
    assert made.differentiable == own.differentiable  # noqa: S101
    return made


FORMULAS = MappingProxyType(
    {
        **catalogue,
        **{name: _overflowing(catalogue[name], number) for name, number in _FINITE.items()},
    }
)
"""By the names of the catalogue."""

LOGITS = ("cross_entropy", "soft_cross_entropy")
"""Losses that the catalogue gives a finite value though the largest logit is infinite."""

TOLD = MappingProxyType(
    {name: FORMULAS[name] if name == "triplet_margin" else catalogue[name] for name in catalogue}
)
"""The same for a host that looks itself: at the result, and at the largest of the logits."""
