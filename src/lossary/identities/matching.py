"""Finding the left side of an identity in a formula, in whatever order and scale it stands there.

Symbols of an identity are variables whose name starts with ``?``. A symbol that stands alone as a
factor of one term only takes all that is left of that term (a weight, if it is there), and one
that stands alone as a term takes the rest of its sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lossary.formula import Expression
from lossary.identities.terms import ARITHMETIC, ONE, Term, as_factor, spell, terms_of, without

Bound = Mapping[Expression, Expression]


def is_symbol(node: Expression) -> bool:
    """Whether a node stands for any expression."""
    return node.operator == "variable" and str(node.payload).startswith("?")


def matched(pattern: Expression, subject: Expression, bound: Bound) -> Iterator[Bound]:
    """Yield the ways in which a pattern is the whole of an expression."""
    if is_symbol(pattern):
        yield from _taken(pattern, subject, bound)
    elif pattern.operator in ARITHMETIC:
        yield from _same_sum(terms_of(pattern), terms_of(subject), bound)
    elif pattern.operator == subject.operator and pattern.payload == subject.payload:
        yield from _all(pattern.arguments, subject.arguments, bound)


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
        for more, rest in _in_term(pattern, subject, bound):
            if rest.number == 1 and not rest.above and not rest.below:
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
    return rest is not None and rest.number == 1 and not rest.above and not rest.below


def _in_term(
    pattern: Term, subject: Term, bound: Bound, weights: frozenset[Expression] = frozenset()
) -> Iterator[tuple[Bound, Term]]:
    """Yield the ways to find a pattern's factors in a term, with what is left of the term.

    The symbols that are ``weights`` are not looked for.
    """
    start = replace(subject, number=subject.number / pattern.number)
    above = [factor for factor in pattern.above if factor not in weights]
    yield from _factors(above, list(pattern.below), start, bound)


def _factors(
    above: list[Expression], below: list[Expression], subject: Term, bound: Bound
) -> Iterator[tuple[Bound, Term]]:
    if not above and not below:
        yield bound, subject
        return
    pool = [(factor, True) for factor in above] + [(factor, False) for factor in below]
    pattern, upper = min(pool, key=lambda each: _looseness(each[0], bound))
    side = above if upper else below
    place = next(i for i, factor in enumerate(side) if factor is pattern)
    rest = [*side[:place], *side[place + 1 :]]
    others = (rest, below) if upper else (above, rest)
    if is_symbol(pattern) and pattern in bound:
        part = as_factor(bound[pattern])
        left = without(subject, part if upper else ONE / part)
        if left is not None and (part.above or part.below):  # a number is a factor of everything
            yield from _factors(*others, left, bound)
        elif bound[pattern].operator == "subtract":
            turned = as_factor(spell([-term for term in terms_of(bound[pattern])]))
            left = without(subject, turned if upper else ONE / turned)
            if left is not None:
                yield from _factors(*others, -left, bound)
        return
    for candidate in dict.fromkeys(subject.above if upper else subject.below):
        part = Term(1.0, (candidate,))
        left = without(subject, part if upper else ONE / part)
        if left is None:
            continue
        for more in matched(pattern, candidate, bound):
            yield from _factors(*others, left, more)
        if pattern.operator in ARITHMETIC and candidate.operator in ARITHMETIC:
            turned = spell([-term for term in terms_of(candidate)])
            for more in matched(pattern, turned, bound):
                yield from _factors(*others, -left, more)
    last = is_symbol(pattern) and len(pool) == 1 and upper
    if last and len(subject.above) > 1 and not subject.below:  # all that is left, as one factor
        for more in _taken(pattern, spell([replace(subject, number=1.0)]), bound):
            yield more, Term(subject.number)


def _looseness(pattern: Expression, bound: Bound) -> int:
    """Functions are looked for first, then sums, then symbols: what is bound before what is not."""
    if is_symbol(pattern):
        return 2 if pattern in bound else 4
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
    order = sorted(patterns, key=lambda t: (not weights.isdisjoint(t.above), _alone(t) is not None))
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
        for more, rest in _in_term(pattern, subject, bound, weights):
            if own is None:
                if common is None:
                    yield from _some(others, left, more, rest, weights)
                elif _is_same(rest, common):
                    yield from _some(others, left, more, common, weights)
                continue
            scale = common or Term(1.0 if rest.number > 0 else -1.0)
            weight = without(rest, scale)
            if weight is not None:
                for most in _taken(own, spell([weight]), more):
                    yield from _some(others, left, most, scale, weights)
