"""Curvature policies: what a host is given in place of a Hessian that does not serve.

A booster divides gradients by Hessians. A Hessian that is 0 (absolute error), fades (log-cosh far
out) or is negative (focal) trains nothing or goes astray, mostly without a word. Four policies:

* ``host``: what the host's built-in objective does for this loss;
* ``exact``: the second derivative, which must be positive wherever the gradient is not 0;
* ``majorise``: the curvature of a parabola that touches the loss and lies above it;
* ``expected``: the mean second derivative, were the prediction true (Fisher's information).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossary.boosters.probes import (
    is_affine_in_target,
    is_of_residual,
    is_positive,
    largest,
    odd_part_is_linear,
)
from lossary.boosters.rules import Data, Rule
from lossary.errors import DomainError
from lossary.lookup import BuiltIn

Numbers = NDArray[Any]
Fill = Callable[[Rule, Numbers, Data, Any, Numbers, Numbers], None]
"""Called as (rule, margin, data, weight, gradient, hessian): fills the last two."""


POLICIES = ("host", "exact", "majorise", "expected")


@dataclass(frozen=True)
class Curvature:
    """A policy as it is carried out for one loss on one host."""

    policy: str
    fill: Fill
    about: str
    renews_leaves: bool = False
    """Whether the host puts the best constant of each leaf in the place of the Newton step."""
    longest_step: float | None = None
    """XGBoost's ``max_delta_step`` that belongs to it."""


def _exact(
    rule: Rule, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
) -> None:
    rule.derivatives(margin, data, weight, gradient, hessian)


EXACT = Curvature("exact", _exact, "the second derivative")


def _weighted(x: Any, weight: Any, hessian: Numbers) -> None:
    """Write x, times the weight of each row, into the Hessian."""
    if weight is None:
        hessian[...] = x
    else:
        np.multiply(x, weight if hessian.ndim == 1 else weight[:, None], out=hessian,
                    casting="same_kind")  # fmt: skip


def _replaced(by: Callable[[Numbers], Any]) -> Fill:
    """Return a policy whose Hessian is a function of the margin alone."""

    def fill(
        rule: Rule, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
    ) -> None:
        rule.gradient(margin, data, weight, gradient)
        _weighted(by(margin), weight, hessian)

    return fill


def _scaled(by: Callable[[int], float]) -> Fill:
    """Return a policy whose Hessian is the exact one times a function of the number of margins."""

    def fill(
        rule: Rule, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
    ) -> None:
        rule.derivatives(margin, data, weight, gradient, hessian)
        hessian *= hessian.dtype.type(by(hessian.shape[-1]))

    return fill


_AHEAD = Curvature(
    "host", _scaled(lambda k: np.exp(0.7)),  # the exact one is exp(f)
    "exp(f + 0.7): the Hessian at the end of the longest step, max_delta_step = 0.7",
    longest_step=0.7,
)  # fmt: skip
_ONE = Curvature("host", _replaced(lambda margin: 1.0), "1 for every row")
_LEAVES = Curvature(
    "host", _replaced(lambda margin: 1.0), "1 for every row, and leaves of best constants", True
)


def _beyond_the_margin(
    rule: Rule, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
) -> None:
    """Take 1 for rows that are lost on, and next to nothing for others: no leaf divides by 0."""
    rule.gradient(margin, data, weight, gradient)
    np.maximum(np.abs(gradient), np.finfo(np.float32).tiny, out=hessian)


_TWICE = Curvature("host", _scaled(lambda k: 2.0), "2 p (1 - p), which bounds the whole matrix")

_HOST: dict[tuple[str, str], Curvature] = {
    ("xgboost", "cross_entropy"): _TWICE,
    ("xgboost", "poisson"): _AHEAD,
    ("xgboost", "hinge"): Curvature(
        "host", _beyond_the_margin, "1 where there is a loss, and 1e-38 where there is none"
    ),
    ("lightgbm", "poisson"): _AHEAD,
    ("lightgbm", "huber"): _ONE,
    ("lightgbm", "cross_entropy"): Curvature(
        "host", _scaled(lambda k: k / (k - 1)), "K / (K - 1) p (1 - p) for K classes"
    ),
    ("hist_gradient_boosting", "absolute_error"): _LEAVES,
    ("hist_gradient_boosting", "quantile"): _LEAVES,
}
"""What the built-in of a host does where that is not the exact Hessian."""


def curvature_of(rule: Rule, host: str, own: BuiltIn | None, policy: str | None) -> Curvature:
    """Return the curvature for a loss; DomainError where the policy has none.

    ``own`` is the host's own objective, if it has one. Without a policy it is the host's, else the
    first of majorise (for losses of the error), expected (for those of a mean's logarithm), exact,
    expected and majorise that serves.
    """
    if policy is not None and policy not in POLICIES:
        raise ValueError(f"curvature must be one of {', '.join(POLICIES)}, got {policy!r}")
    makers = {
        "host": partial(_as_host, host, own),
        "exact": _as_it_is,
        "majorise": _majorise,
        "expected": _expected,
    }
    if policy is not None:
        found = makers[policy](rule)
        if isinstance(found, str):
            raise DomainError(f"{rule.name}: curvature={policy!r} is not possible: {found}")
        return found
    if own and own.same == "impossible":
        raise DomainError(
            f"{rule.name} has no curvature, and {host} trains it in a way that no objective can\n"
            "hint: curvature='majorise' trains it by parabolas that lie above it"
        )
    order = ["host"] if own else []
    order += ["majorise"] if is_of_residual(rule) else []
    order += ["expected"] if _is_of_log_mean(rule) else []
    tried = (makers[name](rule) for name in [*order, "exact", "expected", "majorise"])
    found = next((x for x in tried if not isinstance(x, str)), None)
    if found is None:
        raise DomainError(
            f"{rule.name} has a Hessian that is not positive where its gradient is not 0, and no "
            "policy serves\nhint: curvature='exact' with floor=0.01 gives every row at least that"
        )
    return found


def _as_host(host: str, own: BuiltIn | None, rule: Rule) -> Curvature | str:
    if own is None or own.same == "impossible":
        return (
            f"{host} has no objective for it that could be followed\n"
            "hint: curvature='majorise', 'expected' or 'exact'"
        )
    return _HOST.get((host, rule.name), replace(EXACT, policy="host"))


def _as_it_is(rule: Rule) -> Curvature | str:
    if is_positive(rule, _exact):
        return EXACT
    return (
        "the second derivative is not positive where the gradient is not 0\n"
        "hint: curvature='majorise' or 'expected', or floor=0.01 to give every row at least that"
    )


def _majorise(rule: Rule) -> Curvature | str:
    """Return a bound: for losses of the error a parabola at each row, else one for all rows."""
    if is_of_residual(rule):
        if not odd_part_is_linear(rule):
            return (
                "its two sides differ by more than a slope, so that no parabola through the "
                "mirror image lies above it\nhint: curvature='exact'"
            )
        return Curvature("majorise", _parabola, "slope over error, both of the even part")
    if rule.name == "cross_entropy":
        return Curvature("majorise", _TWICE.fill, _TWICE.about)
    if not rule.loss.class_axis and (bound := largest(rule)) is not None:
        fill = _replaced(lambda margin: bound)
        return Curvature("majorise", fill, f"{bound:.6g}, the largest second derivative there is")
    return "no bound of its curvature is known\nhint: curvature='exact' or 'expected'"


def _parabola(
    rule: Rule, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
) -> None:
    """Divide the slope of the even part by the error (de Leeuw and Lange 2009, sec. 4).

    A kink would make the parabola infinitely steep: errors below half the typical size in their
    output, (mean of square roots)², count as that. A tenth takes twice the trees to the same loss
    of held-out rows, the whole of it ends above.
    """
    error = margin - data[0]
    size = np.abs(error)
    least = (np.sqrt(size).mean(axis=0, dtype=np.float64) ** 2 / 2).astype(size.dtype)
    np.maximum(size, least, out=size)
    np.copysign(size, error, out=size)
    rule.gradient(data[0] + size, data, weight, hessian)
    if "even" not in rule.loss.promises:
        rule.gradient(data[0] - size, data, weight, gradient)
        hessian -= gradient
        hessian /= 2
    if np.all(least > 0):
        hessian /= size
    else:  # all errors of an output are 0
        hessian[...] = np.divide(hessian, size, out=np.ones_like(hessian), where=size != 0)
    rule.gradient(margin, data, weight, gradient)


def _expected(rule: Rule) -> Curvature | str:
    domain = rule.loss.inputs[1].domain if len(rule.loss.inputs) == 2 else None
    name = domain.name if domain else ""
    fill: Fill | None = None
    if rule.link.name == "sigmoid" and name in {"Binary", "Unit"}:
        fill = partial(_over_outcomes, (0.0, 1.0))
    elif rule.link.name == "softmax" and name == "Label":
        fill = _over_classes
    elif _is_of_log_mean(rule):
        fill = _at_mean
    if fill is None:
        return "it is the likelihood of no distribution\nhint: curvature='majorise' or 'exact'"
    if not is_positive(rule, fill):
        return "the mean second derivative is not positive either\nhint: curvature='majorise'"
    about = "mean second derivative if the prediction were true"
    about += ", and no row's step above 1" if fill is _at_mean else ""
    return Curvature("expected", fill, about)


def _is_of_log_mean(rule: Rule) -> bool:
    """Whether the margin is the logarithm of a mean, at which the curvature is the expected one."""
    return len(rule.loss.inputs) == 2 and rule.link.name == "exp" and is_affine_in_target(rule)


def _over_outcomes(
    outcomes: tuple[float, float], rule: Rule, margin: Numbers, data: Data, weight: Any,
    gradient: Numbers, hessian: Numbers,
) -> None:  # fmt: skip
    probability = rule.inverse(margin)
    mean = np.zeros_like(hessian)
    for outcome, share in zip(outcomes, (1 - probability, probability), strict=True):
        rule.derivatives(margin, (np.full_like(margin, outcome),), weight, gradient, hessian)
        mean += share * hessian
    rule.gradient(margin, data, weight, gradient)
    hessian[...] = mean


def _over_classes(
    rule: Rule, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
) -> None:
    probability = rule.inverse(margin)
    mean = np.zeros_like(hessian)
    for k in range(margin.shape[1]):
        label = np.full(len(margin), k, np.int32)
        rule.derivatives(margin, (label,), weight, gradient, hessian)
        mean += probability[:, k : k + 1] * hessian
    rule.gradient(margin, data, weight, gradient)
    hessian[...] = mean


def _at_mean(
    rule: Rule, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
) -> None:
    """Take the curvature at the mean, and no step of a row longer than 1, a factor of e.

    Where a mean is far too small, it divides what is counted: one leaf would go to e^20. The exact
    second derivative does the same, of gamma also where the mean is too large.
    """
    rule.derivatives(margin, (rule.inverse(margin),), weight, gradient, hessian)
    rule.gradient(margin, data, weight, gradient)
    np.maximum(hessian, np.abs(gradient), out=hessian)
