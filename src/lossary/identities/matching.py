"""Finding the left side of an identity in a formula, in whatever order and scale it stands there.

Symbols of an identity are variables whose name starts with ``?``. A symbol that stands alone as a
factor of one term only takes all that is left of that term (a weight, if it is there), and one
that stands alone as a term takes the rest of its sum. Where a pattern is the whole of a sum, what
is left of a term goes to the last symbol of it, numbers and divisors included; a symbol that is
squared takes the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import sqrt

from lossary.formula import Expression, constant
from lossary.identities.terms import (
    ARITHMETIC,
    ONE,
    Term,
    as_factor,
    ordered,
    positive,
    spell,
    terms_of,
    without,
)

Bound = Mapping[Expression, Expression]

EVEN = {
    **dict.fromkeys(("absolute", "cosh", "norm", "hypot"), (0, 1)),
    **dict.fromkeys(("pseudo_huber", "log1p_square", "square_share", "biweight"), (0,)),
}
"""The arguments whose sign a function does not see."""


def is_symbol(node: Expression) -> bool:
    """Whether a node stands for any expression."""
    return node.operator == "variable" and str(node.payload).startswith("?")


def matched(pattern: Expression, subject: Expression, bound: Bound) -> Iterator[Bound]:
    """Yield the ways in which a pattern is the whole of an expression."""
    if is_symbol(pattern):
        yield from _taken(pattern, subject, bound)
    elif pattern.operator in ARITHMETIC:
        terms = terms_of(pattern)
        product = len(terms) == 1 and _alone(terms[0]) is None
        subjects = (as_factor(subject),) if product else terms_of(subject)
        yield from _same_sum(terms, subjects, bound)
    elif pattern.operator == subject.operator and pattern.payload == subject.payload:
        yield from _all(pattern.arguments, subject.arguments, bound)
        if pattern.operator in EVEN and len(terms := terms_of(subject.arguments[0])) > 1:
            turned = spell([-term for term in terms])  # of two signs the names chose one
            yield from _all(pattern.arguments, (turned, *subject.arguments[1:]), bound)


def _taken(symbol: Expression, subject: Expression, bound: Bound) -> Iterator[Bound]:
    known = bound.get(symbol)
    fits = subject.class_axis or not symbol.class_axis  # a row, where the symbol is one
    if known is None and fits:
        yield {**bound, symbol: subject}
    elif known is subject:
        yield bound


def _all(
    patterns: Sequence[Expression], subjects: Sequence[Expression], bound: Bound
) -> Iterator[Bound]:
    if len(patterns) != len(subjects):
        return
    if not patterns:
        yield bound
        return
    # What has structure binds the symbols that what has none is compared with.
    first = min(range(len(patterns)), key=lambda i: is_symbol(patterns[i]))
    left, right = ([*side[:first], *side[first + 1 :]] for side in (patterns, subjects))
    for more in matched(patterns[first], subjects[first], bound):
        yield from _all(left, right, more)


def _alone(term: Term) -> Expression | None:
    """Return the symbol that a term consists of, but for its number."""
    single = len(term.above) == 1 and not term.below and is_symbol(term.above[0])
    return term.above[0] if single else None


def _same_sum(patterns: Sequence[Term], subjects: Sequence[Term], bound: Bound) -> Iterator[Bound]:
    """Match each term of a pattern with one of a sum, and no term is left over."""
    if not patterns:
        if not subjects:
            yield bound
        return
    first = min(range(len(patterns)), key=lambda i: (_alone(patterns[i]) is not None, i))
    pattern, others = patterns[first], [*patterns[:first], *patterns[first + 1 :]]
    symbol = _alone(pattern)
    if symbol is not None and symbol not in bound and not others:
        if subjects:
            rest = spell([replace(t, number=t.number / pattern.number) for t in subjects])
            yield from _taken(symbol, rest, bound)
        return
    if symbol is not None and symbol in bound:
        left = _removed(terms_of(bound[symbol]), pattern.number, subjects)
        if left is not None:
            yield from _same_sum(others, left, bound)
        return
    for place, subject in enumerate(subjects):
        left = [*subjects[:place], *subjects[place + 1 :]]
        for more in _scaled_by(ONE, pattern, subject, bound):
            yield from _same_sum(others, left, more)
        if symbol is not None and subject.number == pattern.number and is_number(subject):
            for more in _taken(symbol, constant(1), bound):
                yield from _same_sum(others, left, more)


def _removed(taken: Sequence[Term], number: float, subjects: Sequence[Term]) -> list[Term] | None:
    left = list(subjects)
    for term in taken:
        scaled = replace(term, number=term.number * number)
        place = next((i for i, s in enumerate(left) if _is_same(s, scaled)), None)
        if place is None:
            return None
        left.pop(place)
    return left


def _is_same(x: Term, y: Term) -> bool:
    rest = without(x, y)
    if rest is None and x.number * y.number < 0:  # -(a - b) is b - a
        rest = without(_with_one_sign(x), _with_one_sign(y))
    return rest is not None and _is_one(rest)


def _with_one_sign(term: Term) -> Term:
    """Give each difference among the factors the sign that both of its ways to be written share."""
    factors = [f for side in term.factors for f in side]
    turned = sum(f.operator == "subtract" and positive(f) is not f for f in factors)
    sides = [[positive(f) if f.operator == "subtract" else f for f in s] for s in term.factors]
    return Term(term.number * (-1) ** turned, *map(ordered, sides))


def _is_one(term: Term) -> bool:
    return term.number == 1 and is_number(term)


def is_number(term: Term) -> bool:
    """Whether a term has no factors but a number."""
    return not term.above and not term.below


def _in_term(
    pattern: Term,
    subject: Term,
    bound: Bound,
    weights: frozenset[Expression] = frozenset(),
    *,
    whole: bool = False,
) -> Iterator[tuple[Bound, Term]]:
    """Yield the ways to find a pattern's factors in a term, with what is left of the term.

    The symbols that are ``weights`` are not looked for. The pattern may have to be the ``whole``.
    """
    start = replace(subject, number=subject.number / pattern.number)
    above = [factor for factor in pattern.above if factor not in weights]
    yield from _factors(above, list(pattern.below), start, bound, whole=whole)


def _factors(
    above: list[Expression], below: list[Expression], subject: Term, bound: Bound, *, whole: bool
) -> Iterator[tuple[Bound, Term]]:
    if not above and not below:
        yield bound, subject
        return
    if whole:
        for more in _rest_taken(above, below, subject, bound):
            yield more, ONE
    pool = [(factor, True) for factor in above] + [(factor, False) for factor in below]
    pattern, upper = min(pool, key=lambda each: _looseness(each[0], bound))
    side = above if upper else below
    place = next(i for i, factor in enumerate(side) if factor is pattern)
    rest = [*side[:place], *side[place + 1 :]]
    others = (rest, below) if upper else (above, rest)
    if is_symbol(pattern) and pattern in bound:
        part = as_factor(bound[pattern])
        left = without(subject, part if upper else ONE / part)
        # A number is a factor of everything.
        if left is not None and (whole or part.above or part.below):
            yield from _factors(*others, left, bound, whole=whole)
        elif bound[pattern].operator == "subtract":
            turned = as_factor(spell([-term for term in terms_of(bound[pattern])]))
            left = without(subject, turned if upper else ONE / turned)
            if left is not None:
                yield from _factors(*others, -left, bound, whole=whole)
        return
    if whole and is_symbol(pattern) and upper and subject.number > 0 and subject.number != 1:
        for more in _taken(pattern, constant(subject.number), bound):
            yield from _factors(*others, replace(subject, number=1.0), more, whole=whole)
    for candidate in dict.fromkeys(subject.above if upper else subject.below):
        part = Term(1.0, (candidate,))
        left = without(subject, part if upper else ONE / part)
        if left is None:
            continue
        for more in matched(pattern, candidate, bound):
            yield from _factors(*others, left, more, whole=whole)
        if pattern.operator in ARITHMETIC and candidate.operator in ARITHMETIC:
            turned = spell([-term for term in terms_of(candidate)])
            for more in matched(pattern, turned, bound):
                yield from _factors(*others, -left, more, whole=whole)
    last = is_symbol(pattern) and len(pool) == 1 and upper
    # All that is left, as one factor.
    if last and not whole and len(subject.above) > 1 and not subject.below:
        for more in _taken(pattern, spell([replace(subject, number=1.0)]), bound):
            yield more, Term(subject.number)


def _rest_taken(
    above: list[Expression], below: list[Expression], subject: Term, bound: Bound
) -> Iterator[Bound]:
    """Yield what the last symbols of a term stand for, where they take all that is left."""
    symbols = dict.fromkeys((*above, *below))
    unknown = all(is_symbol(each) and each not in bound for each in symbols)
    if not unknown or subject.number <= 0:  # x + y is no difference of x and -y
        return
    over, under = _halves(subject)
    match above, below:
        case [symbol], [] if not _is_one(subject):
            yield from _taken(symbol, spell([subject]), bound)
        case [], [symbol] if _is_one(over) and not _is_one(under):
            yield from _taken(symbol, spell([under]), bound)
        case [symbol], [divisor] if symbol is not divisor and not _is_one(under):
            for more in _taken(symbol, spell([over]), bound):
                yield from _taken(divisor, spell([under]), more)
        case [symbol, same], [] if symbol is same and (root := _root(subject)):
            yield from _taken(symbol, spell([root]), bound)
        case [], [symbol, same] if symbol is same and (root := _root(ONE / subject)):
            yield from _taken(symbol, spell([root]), bound)


def _halves(term: Term) -> tuple[Term, Term]:
    """Return what is above and below a stroke; a number under 1 has been a divisor."""
    if term.number < 1:
        return Term(1.0, term.above), Term(1 / term.number, term.below)
    return Term(term.number, term.above), Term(1.0, term.below)


def _root(term: Term) -> Term | None:
    """Return what a term is the square of, None where that is 1 or has a number that is rounded."""
    number = sqrt(term.number)
    halves = [side[::2] for side in term.factors]
    whole = replace(term, above=ordered(2 * halves[0]), below=ordered(2 * halves[1]))
    root = Term(number, *halves)
    exact = number * number == term.number and not _is_one(root)
    return root if exact and _is_same(whole, term) else None


def _looseness(pattern: Expression, bound: Bound) -> int:
    """Functions are looked for first, then sums, then symbols: what is bound, then rows."""
    if is_symbol(pattern):
        return 2 if pattern in bound else 5 - pattern.class_axis
    return 3 if pattern.operator in ARITHMETIC else 1


def weights_of(patterns: Sequence[Term]) -> frozenset[Expression]:
    """Return the symbols that stand in a sum once, alone as a factor: they take what is left."""
    counts: dict[Expression, int] = {}
    for term in patterns:
        for factor in (*term.above, *term.below):
            for symbol in _symbols(factor):
                counts[symbol] = counts.get(symbol, 0) + 1
    bare = {f for t in patterns for f in t.above if is_symbol(f) and len(t.above) > 1}
    return frozenset(symbol for symbol in bare if counts[symbol] == 1 and len(patterns) > 1)


def _symbols(node: Expression) -> Iterator[Expression]:
    if is_symbol(node):
        yield node
    for argument in node.arguments:
        yield from _symbols(argument)


def found_in_sum(
    patterns: Sequence[Term], subjects: Sequence[Term], weights: frozenset[Expression]
) -> Iterator[tuple[Bound, Term, list[Term]]]:
    """Yield the ways to find a pattern in a sum, with its common factor and the other terms."""
    order = sorted(
        patterns,
        key=lambda t: (not weights.isdisjoint(t.above), _alone(t) is not None, _is_loose(t)),
    )
    yield from _some(order, list(subjects), {}, None, weights)


def _some(
    patterns: Sequence[Term],
    subjects: list[Term],
    bound: Bound,
    common: Term | None,
    weights: frozenset[Expression],
) -> Iterator[tuple[Bound, Term, list[Term]]]:
    if not patterns:
        yield bound, common or ONE, subjects
        return
    pattern, *others = patterns
    symbol = _alone(pattern)
    if (
        symbol is not None and symbol in bound and common is not None
    ):  # it may stand for several terms
        parts = [common * term for term in terms_of(bound[symbol])]
        left = _removed(parts, pattern.number, subjects)
        if left is not None:
            yield from _some(others, left, bound, common, weights)
        return
    own = next((factor for factor in pattern.above if factor in weights), None)
    for place, subject in enumerate(subjects):
        left = [*subjects[:place], *subjects[place + 1 :]]
        if own is None and common is not None:
            for more in _scaled_by(common, pattern, subject, bound):
                yield from _some(others, left, more, common, weights)
            continue
        for more, rest in _in_term(pattern, subject, bound, weights):
            if own is None:
                yield from _some(others, left, more, rest, weights)
                continue
            scale = common or Term(1.0 if rest.number > 0 else -1.0)
            weight = without(rest, scale)
            if weight is not None:
                for most in _taken(own, spell([weight]), more):
                    yield from _some(others, left, most, scale, weights)
        # What scales a symbol is no common factor.
        if own is None and others and _is_loose(pattern):
            for more in _scaled_by(ONE, pattern, subject, bound):
                yield from _some(others, left, more, ONE, weights)


def _scaled_by(common: Term, pattern: Term, subject: Term, bound: Bound) -> Iterator[Bound]:
    """Yield the ways in which a term is a pattern times a known factor."""
    start = without(subject, common)
    if start is not None:
        for more, rest in _in_term(pattern, start, bound, whole=True):
            if _is_one(rest):
                yield more


def _is_loose(term: Term) -> bool:
    """Whether a symbol is a factor of a term: it can take a part of what scales the whole."""
    return any(map(is_symbol, (*term.above, *term.below)))
