"""Every identity as users write it: scaled, divided, beside others, of scaled arguments.

A variant is what its two sides have in common: where the left one comes to another formula than
the right one, that formula is computed at numbers of every size and compared with the meaning.
"""

import numpy as np
import pytest
from test_identities import TABLE, points_of, value

from expressions import exact
from lossary import identities
from lossary.accuracy.local import floats
from lossary.formula import variable
from lossary.identities.normal import Normal
from lossary.rewriting import substitute

SCALE, OTHER = variable("?scale"), variable("?other")
AROUND = {
    "three times": lambda e: 3 * e,
    "a seventh": lambda e: e / 7,
    "negated": lambda e: -e,
    "times a hyper-parameter": lambda e: SCALE * e,
    "over a hyper-parameter": lambda e: e / SCALE,
    "times a reciprocal": lambda e: e * SCALE**-1,
    "beside another": lambda e: e + OTHER,
    "less than another": lambda e: OTHER - e,
}
INSIDE = {
    "of the double": lambda x: 2 * x,
    "of a third": lambda x: x / 3,
    "of a multiple": lambda x: SCALE * x,
    "of a share": lambda x: x / SCALE,
}
SCALES = (2.0, 0.3)

_TARGET = "a target that is a quotient has no plain 1 - t beside it"
_QUOTIENT = "the logarithm of a quotient is taken apart before the sum that it stands in is seen"
_ROW = "the scale of one row stands outside its sum, and inside another"
SHORT = {
    "softplus of a scaled difference": "a common scale is looked for, not one that each term has",
    "complement of a target": _TARGET,
    "cross-entropy of a probability": _TARGET,
    "soft focal": _TARGET,
    "soft focal by p_t": _TARGET,
    "exp of a scaled log": _QUOTIENT,
    "difference of logarithms": _QUOTIENT,
    "log-normal": _QUOTIENT,
    "score of a log-normal distribution": _QUOTIENT,
    "Gumbel": _QUOTIENT,
    "general robust": "the scale of the shape cancels in one of its cases",
    "Amari's divergence": "the scale of alpha cancels in one of its cases",
    "log between two sigmoids of one scale": "a part of the scale stands before the quotient",
    "weighted geometric mean": "a scaled share is no longer 1 less the other",
    "Tweedie": "a scaled power is no longer 1 and 2 apart from itself",
    "relative entropy at a temperature": _ROW,
    "Dice with smoothing": _ROW,
    "Dice of squares with smoothing": _ROW,
    "Jaccard with smoothing": _ROW,
    "F measure by sizes": _ROW,
    "logarithm of Dice with smoothing": _ROW,
    "entmax loss": _ROW,
    "sparsemax loss": _ROW,
    "bi-tempered loss": "a scaled temperature is no longer 1 and 2 apart from itself",
    "Tsallis loss": _ROW,
    "score of a gamma distribution": "a scaled target is a product in one place and a factor of it "
    "in others",
}
"""Identities of which a scaled argument loses digits, and why."""
ULP = 2.0**-52


def lowered(rule, expression):
    """The normal form, where the symbols stand for what the identity asks for."""
    sets = {f"?{name}": min(of) for name, of in rule.sets.items()} | {"?scale": "Positive"}
    return Normal(TABLE, sets)(expression)


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.name)
def test_an_identity_is_found_in_whatever_stands_around_it(rule):
    for name, around in AROUND.items():
        assert lowered(rule, around(rule.left)) is lowered(rule, around(rule.right)), name


def inside(rule):
    """The two sides of an identity with one of its arguments scaled."""
    for symbol in rule.symbols.values():
        if str(symbol.payload)[1:] in rule.sets or str(symbol.payload) == "?k":
            continue
        for name, change in INSIDE.items():
            known = {symbol: change(symbol)}
            yield f"{symbol} {name}", *(substitute(side, known) for side in (rule.left, rule.right))


def error(expression, point, truth):
    """The error of what is computed, relative to the truth."""
    kinds = {name: int if name == "?k" else float for name in point}
    arrays = {name[1:]: np.asarray(x, dtype=kinds[name]) for name, x in point.items()}
    plain = {
        variable(name, class_axis=name.isupper()): variable(name[1:], class_axis=name.isupper())
        for name in point
    }
    found = floats(substitute(expression, plain), arrays, 4)
    gaps = [
        0 if x == t else abs(x - t) / abs(t) if t else exact.inf
        for x, t in zip(np.broadcast_to(found, (1, 4)).ravel(), truth, strict=True)
    ]
    return max(exact.inf if exact.isnan(gap) else gap for gap in gaps)


def check_variants(name):
    (rule,) = (pair for pair in identities.table() if pair.name == name)
    for what, left, right in inside(rule):
        one, other = lowered(rule, left), lowered(rule, right)
        if one is other:
            continue
        for place, point in enumerate(points_of(rule)):
            scaled = point | {"?scale": np.array([[exact.mpf(SCALES[place % 2])]])}
            with exact.workdps(400):
                truth = value(left, scaled)
                if truth is None or not all(t == 0 or 1e-280 < abs(t) < 1e280 for t in truth):
                    continue
                found, best = (error(e, scaled, truth) for e in (one, other))
            assert found <= 8 * max(best, ULP), f"{name}, {what} at {point}: {one}, not {other}"


@pytest.mark.parametrize("name", [rule.name for rule in TABLE if rule.name not in SHORT])
def test_scaled_arguments_lose_no_more_than_what_is_computed_of_them(name):
    check_variants(name)


@pytest.mark.parametrize("name", SHORT)
def test_what_falls_short_still_does(name):
    """A strict list: an identity that is found in every scale belongs to those above."""
    with pytest.raises(AssertionError, match="not"):
        check_variants(name)
