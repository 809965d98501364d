"""Sums along an order: what ranks at least as high as a member of a row.

``cumulate(x, by=key)`` is, for member i, the sum of x_j over all j with key_j >= key_i. So the
order in which the members stand does not matter, and ties need no rule of their own: they have one
sum. The key is a constant, as orders are, and the way back is the same sum with the order turned
round. With ``within=`` only members of the same group compare, each group as if it were alone.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from lossary.domain import Axis
from lossary.formula import Expression, apply, constant
from lossary.functions.chains import RELATIONS, linked, sums
from lossary.functions.compensated import exp_difference
from lossary.functions.groups import placed
from lossary.functions.pairs import of_one
from lossary.functions.vocabulary import (
    FUNCTIONS,
    Function,
    Jacobian,
    Slope,
    exp,
    has_axis,
    held,
    log,
    log1p,
    named,
    weighted,
    where,
)

_ONE = constant(1)

# What the text of a target has along an order: sums over the members in a relation to each, sums
# of x_j exp(gain_j - cost_i), the largest, and the ties that stand earlier in the row.
_WITH_MASSES = tuple(relation for relation in RELATIONS if relation != "next_above")
EXPONENTIAL = frozenset(f"{relation}_exp" for relation in _WITH_MASSES)
ORDERED = frozenset(RELATIONS) | EXPONENTIAL | {"peak_from", "earlier_ties"}

ALONG_AN_ORDER = ORDERED | {
    "cumulate", "tied", "rank", "excess_from", "share_from", "logsumexp_from", "efron_excess",
    "group_peak", "sparsemax", "sparsemax_loss_at", "entmax_root", "entmax_loss_at",
}  # fmt: skip
"""The words whose value at one member depends on the order of all."""


def _sum(relation: str) -> Callable[..., tuple[Slope, ...]]:
    return lambda x, key: (Jacobian(None, chains=(sums(relation, key),)), None)


def _exponential_sum(relation: str) -> Callable[..., tuple[Slope, ...]]:
    def slope(x: Expression, gain: Expression, cost: Expression, key: Expression) -> Any:
        link = linked(relation, key, gain, cost)
        found = apply(f"{relation}_exp", x, gain, cost, key, class_axis=True)
        return (
            Jacobian(None, chains=(link,)),
            Jacobian(None, chains=(link.after(x),)),
            Jacobian(-found),
            None,
        )

    return slope


ORDERED_SLOPES: dict[str, Callable[..., tuple[Slope, ...]]] = {
    **{relation: _sum(relation) for relation in RELATIONS},
    **{f"{relation}_exp": _exponential_sum(relation) for relation in _WITH_MASSES},
}


def _along(word: str, x: Any, by: Any, over: Axis | None, within: Any) -> Expression:
    if over is not None:
        has_axis(word, over, (x, by))
    of_one(word, x, by)
    by = by if within is None else placed(by, within)
    return apply(word, x, by, class_axis=True)


def cumulate(x: Any, by: Any, over: Axis | None = None, within: Any = None) -> Expression:
    """Sum over the members whose key is at least as large, for each member."""
    return _along("cumulate", x, by, over, within)


def beyond(x: Any, by: Any, over: Axis | None = None, within: Any = None) -> Expression:
    """Sum over the members whose key is larger, for each member."""
    return _along("beyond", x, by, over, within)


def tied(x: Any, by: Any, over: Axis | None = None, within: Any = None) -> Expression:
    """Sum over the members with the same key, for each member."""
    return _along("tied", x, by, over, within)


def next_above(x: Any, by: Any, over: Axis | None = None, within: Any = None) -> Expression:
    """Sum over the members whose key is larger by 1, for each member: neighbours, by their places.

    >>> from lossary.formula import variable
    >>> from lossary.functions import class_index
    >>> next_above(variable("signal", class_axis=True), by=class_index())
    next_above(signal, class_index())
    """
    return _along("next_above", x, by, over, within)


def earlier_ties(x: Any, by: Any, over: Axis | None = None, within: Any = None) -> Expression:
    """Sum over the members with the same key that stand before a member in the row: a constant.

    Where positions have weights, nothing stands before anything.
    """
    return _along("earlier_ties", x, by, over, within)


@named(
    means=lambda by: 1 + beyond(1, by) + earlier_ties(1, by),
    shape="class",
)
def rank(by: Expression) -> Expression:
    """The place of each member from the largest on: 1, 2, ...; ties stand as they do in the row."""
    return 1 + beyond(1, by) + earlier_ties(1, by)


def _and_own(relation: str) -> Callable[..., tuple[Slope, ...]]:
    return lambda x, by: (Jacobian(_ONE, chains=(sums(relation, by),)), None)


def _others(relation: str) -> Callable[..., Expression]:
    def computed(x: Expression, by: Expression) -> Expression:
        return x + apply(relation, x, by, class_axis=True)

    return computed


# To the oracle and to readers they are sums by their keys, for which textbooks have no word.
FUNCTIONS["cumulate"] = Function(
    "cumulate", _others("others_from"), None, _and_own("others_from"), "class"
)
FUNCTIONS["tied"] = Function("tied", _others("other_ties"), None, _and_own("other_ties"), "class")


def _masses(
    x: Expression, weight: Expression, by: Expression
) -> tuple[Expression, Expression, Expression]:
    """Return the peak of the members from each one on, its own mass below that, and the others'.

    Masses are exp(x - peak) times the weight; a member without weight takes no part. The peak is
    held: it cancels in what is made of the masses, so derivatives need not know of it.
    """
    peak = apply("peak_from", _counting(weight, x, -inf), by, class_axis=True)
    peak = held(where(peak == -inf, 0, peak))
    own = _counting(weight, where(x > -inf, weight * exp_difference(x, peak), 0), 0)
    others = apply("others_from_exp", where(x > -inf, weight, 0), x, peak, by, class_axis=True)
    return peak, own, others


def _counting(weight: Expression, x: Any, otherwise: Any) -> Expression:
    """Return x where a member has weight."""
    return x if weight is _ONE else where(weight > 0, x, otherwise)


def _or_one(x: Expression) -> Expression:
    return where(x > 0, x, 1)


def _excess_slope(x: Expression, weight: Expression, by: Expression) -> tuple[Slope, ...]:
    peak, own, others = _masses(x, weight, by)
    whole = _or_one(own + others)
    chain = linked("others_from", by, x, peak).before(1 / whole)
    alone = own / _or_one(weight) / whole
    return (
        Jacobian(-others / whole, chains=(chain.after(weight),)),
        Jacobian(alone, chains=(chain,)),
        None,
    )


@named(
    means=lambda x, weight, by: log(cumulate(weighted(weight, exp(x)), by)) - x,
    # Exponentials may overflow, and what a member has of the whole is near 1 where it leads.
    slope=_excess_slope,
    shape="class",
)
def excess_from(x: Expression, weight: Expression, by: Expression) -> Expression:
    """Logarithm of the weighted sum of exponentials from a member on, above the member's own."""
    peak, own, others = _masses(x, weight, by)
    whole = own + others
    plain = (peak - x) + log(_or_one(whole))
    leads = (x == peak) & (whole > 0.5)
    below = _below_own(others, x, peak)
    return where(leads, _counting(weight, log1p(below + (weight - 1)), plain), plain)


def _below_own(others: Expression, x: Expression, peak: Expression) -> Expression:
    """Return the others' mass below that of a member that is the peak itself.

    The number is the same; but a framework that differentiates the text must see the own score,
    which it does not in a peak that is held.
    """
    return others * exp(where(x == peak, peak - x, 0))


def _shares(
    x: Expression, weight: Expression, by: Expression
) -> tuple[Expression, Expression, Expression, Expression]:
    """Return the peak, what a member has of the whole, what the others have, and the whole."""
    peak, own, others = _masses(x, weight, by)
    whole = _or_one(own + others)
    return peak, own / _or_one(weight) / whole, others / whole, whole


def _share_slope(x: Expression, weight: Expression, by: Expression) -> tuple[Slope, ...]:
    peak, share, rest, whole = _shares(x, weight, by)
    chain = linked("others_from", by, x, peak).before(-share / whole)
    return (
        Jacobian(share * rest, chains=(chain.after(weight),)),
        Jacobian(-share * share, chains=(chain,)),
        None,
    )


@named(
    means=lambda x, weight, by: exp(x) / cumulate(weighted(weight, exp(x)), by),
    # Exponentials may overflow, and the share of a member that leads is near 1.
    slope=_share_slope,
    shape="class",
)
def share_from(x: Expression, weight: Expression, by: Expression) -> Expression:
    """What a member has of the weighted sum of exponentials from it on: a softmax of these."""
    _, share, _, _ = _shares(x, weight, by)
    return share


def logsumexp_from(x: Any, by: Any, over: Axis | None = None, within: Any = None) -> Expression:
    """Logarithm of the sum of exponentials of all whose key is at least as large, for each."""
    return _along("logsumexp_from", x, by, over, within)


def _logsumexp_slope(x: Expression, by: Expression) -> tuple[Slope, ...]:
    peak, own, others = _masses(x, _ONE, by)
    whole = _or_one(own + others)
    chain = linked("others_from", by, x, peak).before(1 / whole)
    return Jacobian(own / whole, chains=(chain,)), None


def _logsumexp(x: Expression, by: Expression) -> Expression:
    peak, own, others = _masses(x, _ONE, by)
    whole = own + others
    rest = where(x == peak, log1p(others), log(_or_one(whole)))
    return where(whole > 0, peak + rest, -inf)


FUNCTIONS["logsumexp_from"] = Function(
    "logsumexp_from",
    _logsumexp,
    lambda x, by: log(cumulate(exp(x), by)),
    _logsumexp_slope,  # exponentials may overflow
    "class",
)


def _efron(
    x: Expression, event: Expression, by: Expression
) -> tuple[Expression, Expression, Expression, Expression]:
    """Return the peak, the share of tied events that is gone, the own mass, and the others'."""
    gone = where(event > 0, earlier_ties(event, by) / _or_one(tied(event, by)), 0)
    peak = held(apply("peak_from", x, by, class_axis=True))
    later = apply("beyond_exp", _ONE, x, peak, by, class_axis=True)
    unharmed = apply("other_ties_exp", 1 - event, x, peak, by, class_axis=True)
    harmed = apply("other_ties_exp", event, x, peak, by, class_axis=True)
    own = (1 - gone * event) * exp_difference(x, peak)
    return peak, gone, own, later + unharmed + (1 - gone) * harmed


def _efron_slope(x: Expression, event: Expression, by: Expression) -> tuple[Slope, ...]:
    peak, gone, own, others = _efron(x, event, by)
    whole = own + others
    later = linked("beyond", by, x, peak).before(1 / whole)
    ties = linked("other_ties", by, x, peak)
    unharmed = ties.before(1 / whole).after(1 - event)
    harmed = ties.before((1 - gone) / whole).after(event)
    return Jacobian(-others / whole, chains=(later, unharmed, harmed)), None, None


@named(
    means=lambda x, event, by: (
        log(
            cumulate(exp(x), by)
            - where(event > 0, earlier_ties(event, by) / tied(event, by), 0)
            * tied(weighted(event, exp(x)), by)
        )
        - x
    ),
    # Exponentials may overflow.
    slope=_efron_slope,
    shape="class",
)
def efron_excess(x: Expression, event: Expression, by: Expression) -> Expression:
    """As excess_from, of which a part of the tied events is taken, more with each of them."""
    peak, gone, own, others = _efron(x, event, by)
    plain = (peak - x) + log(own + others)
    below = _below_own(others, x, peak)
    return where(x == peak, log1p(below - gone * event), plain)


def _leads(x: Expression, group: Expression) -> Expression:
    """Return 1 for the first of the largest of each group, else 0."""
    key = placed(x, group)
    above = beyond(1, key) + earlier_ties(1, key)
    return where(above == 0, 1, 0)


def _group_peak_slope(x: Expression, group: Expression) -> tuple[Slope, ...]:
    leads = _leads(x, group)
    return Jacobian(leads, chains=(sums("others_from", placed(0, group)).after(leads),)), None


@named(
    means=lambda x, group: apply("peak_from", x, placed(0, group), class_axis=True),
    # Of several that are largest the first has it, as along a whole row.
    slope=_group_peak_slope,
    shape="class",
)
def group_peak(x: Expression, group: Expression) -> Expression:
    """The largest of the members of the same group, for each member."""
    return apply("peak_from", x, placed(0, group), class_axis=True)
