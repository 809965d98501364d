"""What is asked of a loss before training, by its derivatives at a table of margins and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossary.boosters.rules import Censored, Data, Ordinal, Rule

Numbers = NDArray[Any]

_MARGINS = np.concatenate([-(2.0 ** np.arange(-4, 5))[::-1], [0.0], 2.0 ** np.arange(-4, 5)])
_CLASSES = 3
_SMALL = 1e-9
"""Derivatives that differ by less, relative to their size, are the same."""


def table(rule: Rule) -> tuple[Numbers, Data]:
    """Return margins and targets, every one of some against every one of others."""
    domain = rule.loss.inputs[1].domain
    if isinstance(rule, Ordinal):
        lower, upper = [-np.inf, -1.0, 0.5], [-1.0, 0.5, np.inf]
        margin, place = _crossed(_MARGINS, np.arange(3.0))
        place = place.astype(int)
        return margin, (np.array(lower)[place], np.array(upper)[place])
    if isinstance(rule, Censored):
        margin, label = _crossed(_MARGINS, np.array([0.25, 1.0, 8.0, -0.25, -1.0, -8.0]))
        return margin, rule.data(label, label.shape)
    if rule.loss.class_axis:
        rng = np.random.default_rng(0)
        margin = rng.normal(scale=2, size=(60, _CLASSES))
        return margin, (_rows(domain, rng, len(margin)),)
    inside = np.array([x for x in domain.inside if np.isfinite(x)])
    margin, target = _crossed(_MARGINS, inside)
    return margin, (target,)


def _rows(domain: Any, rng: np.random.Generator, rows: int) -> Numbers:
    if domain.integer:
        return rng.integers(0, _CLASSES, rows)
    if domain.mass:
        share = rng.dirichlet(np.ones(_CLASSES), rows)
        return share if domain.mass == "sum" else np.log(share)
    return rng.choice(np.array(domain.inside), (rows, _CLASSES))


def _crossed(first: Numbers, second: Numbers) -> tuple[Numbers, Numbers]:
    a, b = np.meshgrid(first, second)
    return a.ravel(), b.ravel()


def is_positive(rule: Rule, fill: Callable[..., None]) -> bool:
    """Whether a policy's curvature is above 0 wherever the gradient is not 0."""
    margin, data = table(rule)
    if rule.outputs:
        rule = Rule(rule.loss, rule.settings[:1], rule.link)
    gradient, hessian = np.empty_like(margin), np.empty_like(margin)
    fill(rule, margin, data, None, gradient, hessian)
    return bool((hessian[abs(gradient) > _SMALL] > 0).all())


def is_of_residual(rule: Rule) -> bool:
    """Whether the loss is one of prediction minus target."""
    names = [a.domain.name for a in rule.loss.inputs]
    if names != ["Real", "Real"] or rule.link.name != "identity":
        return False
    rule = Rule(rule.loss, rule.settings[:1], rule.link)
    margin, (target,) = table(rule)
    return all(
        np.allclose(rule.values(margin, (target,)), rule.values(margin + c, (target + c,)),
                    rtol=_SMALL, atol=_SMALL)
        for c in (0.25, -3.0, 8.0)
    )  # fmt: skip


def _halves(rule: Rule) -> tuple[Numbers, Numbers, Numbers]:
    """Return errors above 0, and the slopes of the loss there and at their mirror images."""
    rule = Rule(rule.loss, rule.settings[:1], rule.link)
    error = 2.0 ** np.arange(-8, 9)
    zero = (np.zeros_like(error),)
    above, below = np.empty_like(error), np.empty_like(error)
    rule.gradient(error, zero, None, above)
    rule.gradient(-error, zero, None, below)
    return error, above, below


def odd_part_is_linear(rule: Rule) -> bool:
    """Whether the loss is a slope plus an even part whose slope over error never grows.

    A parabola through an error and its mirror image then lies above it (de Leeuw and Lange 2009).
    """
    error, above, below = _halves(rule)
    odd, even = above + below, (above - below) / error
    return bool(np.allclose(odd, odd[0], rtol=_SMALL, atol=_SMALL)
                and (np.diff(even) <= _SMALL * abs(even[:-1])).all())  # fmt: skip


def is_affine_in_target(rule: Rule) -> bool:
    """Whether the second derivative at a mean target is the mean of the second derivatives."""
    targets, margin = (1.0, 2.0, 3.0), _MARGINS
    if rule.loss.class_axis or not rule.loss.inputs[1].domain.contains(np.array(targets)).all():
        return False
    found = []
    for target in targets:
        gradient, hessian = np.empty_like(margin), np.empty_like(margin)
        rule.derivatives(margin, (np.full_like(margin, target),), None, gradient, hessian)
        found.append(hessian)
    return bool(np.allclose(found[0] + found[2], 2 * found[1], rtol=_SMALL, atol=0))


def largest(rule: Rule) -> float | None:
    """Return the largest second derivative of a loss of two outcomes; None for other losses.

    Rounded up: between the margins of the grid it is larger by less than a thousandth.
    """
    domain = rule.loss.inputs[1].domain
    if domain.name not in {"Binary", "Unit", "Sign"}:
        return None
    targets = np.linspace(0, 1, 11) if domain.name == "Unit" else np.array(domain.inside)
    margin, target = _crossed(np.linspace(-40, 40, 8001), targets)
    gradient, hessian = np.empty_like(margin), np.empty_like(margin)
    Rule(rule.loss, rule.settings[:1], rule.link).derivatives(
        margin, (target,), None, gradient, hessian
    )
    return float(hessian.max()) * 1.001 if hessian.max() > 0 else None
