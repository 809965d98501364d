"""The normal form of a formula: one object for all the ways in which it can be written.

A formula is taken apart into sums of products, identities replace what stands in them, and the
result is spelled in one order. Larger identities go first, so that the order of the table does not
matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import truediv

from lossary.formula import Expression, apply, constant, walk
from lossary.functions import FUNCTIONS, ORDERED, log, maximum, pick, total, total_of_others, where
from lossary.identities.matching import EVEN, found_in_sum, is_number, matched, weights_of
from lossary.identities.rules import Identity
from lossary.identities.sets import Known, count
from lossary.identities.terms import (
    ARITHMETIC,
    ONE,
    SUMS,
    Term,
    as_factor,
    positive,
    spell,
    structure,
    terms_of,
    without,
)
from lossary.rewriting import rebuild

_ODD = frozenset({"log1p_difference", "log_ratio", "difference_of_squares", "exp_minus_exp"})
_SYMMETRIC = frozenset({"cosine", "cosine_gap", "tanimoto_gap", "jensen_gap", "discount_distance"})
# Functions that change their sign when their two arguments change places, and that do not see such
# a change.
_LOGS = frozenset({"log", "log_ratio", "log1p"})
_STEEP = frozenset(
    [
        "exp", "expm1", "exp_minus_exp", "power", "power_complement", "size_power", "cosh", "sinh",
        "sigmoid", "sigmoid_power", "softplus", "softmax", "normal_density", "square_times_exp",
    ]
)  # fmt: skip
# Functions that may be infinite, or 0, where their logarithm is an ordinary number.


class Normal:
    """Brings formulas to normal form; ``sets`` names the set that each argument lies in."""

    def __init__(self, identities: Sequence[Identity], sets: Mapping[str, str]) -> None:
        self.identities = identities
        self.candidates: dict[frozenset[str], Sequence[Identity]] = {}
        self.known: Known = Known(sets)
        self.done: dict[Expression, Expression] = {}

    def __call__(self, expression: Expression) -> Expression:
        """Return the normal form."""
        found = self.done.get(expression)
        if found is None:
            if expression.operator in ARITHMETIC or _power(expression):
                found = self._sum(self._terms(expression))
            else:
                found = self._call(expression)
            self.done[expression] = self.done[found] = found
        return found

    def _holding(self, words: frozenset[str]) -> Sequence[Identity]:
        """Return the identities of these functions, the largest first; others stay untraced."""
        found = self.candidates.get(words)
        if found is None:
            found = sorted((i for i in self.identities if i.words <= words), key=lambda i: i.size)
            self.candidates[words] = found
        return found

    # Sums and products.

    def _terms(self, node: Expression) -> list[Term]:
        """Return the terms of a sum whose parts are in normal form."""
        operator, arguments = node.operator, node.arguments
        if operator in {"add", *SUMS}:
            return [term for a in arguments for term in self._terms(a)]
        if operator == "subtract":
            return self._terms(arguments[0]) + [-term for term in self._terms(arguments[1])]
        if operator == "negative":
            return [-term for term in self._terms(arguments[0])]
        product = self._product(node)
        sums = [f for f in product.above if f.operator in ARITHMETIC]
        if len(product.above) == 1 and not product.below and sums:  # a number times a sum
            return [Term(product.number) * term for term in terms_of(sums[0])]
        others = [f for f in product.above if f.operator not in ARITHMETIC]
        if len(sums) == 1 and not product.below and all(map(self._is_sign, others)):
            sign = Term(product.number, tuple(others))  # exact, where a difference is rounded
            return [sign * term for term in terms_of(sums[0])]
        return [product]

    def _is_sign(self, node: Expression) -> bool:
        return self.known.set_of(node) == "Sign"

    def _product(self, node: Expression) -> Term:
        operator, arguments = node.operator, node.arguments
        if operator in {"multiply", "weighted"}:
            return _evened(self._product(arguments[0]) * self._product(arguments[1]))
        if operator == "divide":
            return _evened(self._product(arguments[0]) / self._product(arguments[1]))
        if operator == "negative":
            return -self._product(arguments[0])
        if times := _power(node):
            factor = self._product(arguments[0])
            return _evened(factor * factor) if times == 2 else ONE / factor
        return as_factor(node if node.operator == "constant" else self(node))

    def _sum(self, terms: Sequence[Term]) -> Expression:
        """Spell a sum to which no identity applies any more."""
        terms = _collected(terms)
        while (better := self._better(terms)) is not None:
            terms = _collected(better)
        return spell(self._merged(terms))

    def _better(self, terms: Sequence[Term]) -> list[Term] | None:
        words = _operators(f for t in terms for f in (*t.above, *t.below))
        for rule in self._holding(words):
            if rule.left.operator not in ARITHMETIC:
                continue
            patterns = terms_of(rule.left)
            for bound, common, rest in found_in_sum(patterns, terms, weights_of(patterns)):
                if self.known.allows(rule, bound):
                    found = self(rule.instance(bound))
                    made = (
                        [common * t for t in terms_of(found)]
                        if is_number(common)
                        else [common * as_factor(found)]
                    )
                    return [*rest, *made]
        return None

    def _merged(self, terms: Sequence[Term]) -> list[Term]:
        """Sums along the class axis with one factor become one sum."""
        groups: dict[tuple[tuple[Expression, ...], ...], list[tuple[Term, Expression]]] = {}
        found: list[Term] = []
        for term in terms:
            summed = _summed(term)
            if summed is None:
                found.append(term)
            else:
                outside = tuple(f for f in term.above if f is not summed)
                groups.setdefault((outside, term.below), []).append((term, summed))
        for (outside, below), group in groups.items():
            if len(group) == 1:
                found.append(group[0][0])
                continue
            inner = [Term(t.number) * part for t, s in group for part in terms_of(s.arguments[0])]
            found.append(Term(1.0, outside, below) * as_factor(self(total(self._sum(inner)))))
        return found

    # Functions.

    def _call(self, node: Expression) -> Expression:
        if not node.arguments:
            return node
        arguments = tuple(self(a) for a in node.arguments)
        even = EVEN.get(node.operator, ())
        arguments = tuple(positive(a) if i in even else a for i, a in enumerate(arguments))
        if node.operator in _SYMMETRIC:
            arguments = _sorted(arguments)
        node = rebuild(node, arguments)
        moved = self._moved(node)
        if moved is not None:
            return moved
        self.done[node] = node  # while it is looked at: an identity may hand it back
        for rule in self._holding(_operators([node])):
            if rule.left.operator != node.operator:
                continue
            for bound in matched(rule.left, node, {}):
                if self.known.allows(rule, bound):
                    found = rule.instance(bound)
                    if found is not node and (better := self(found)) is not node:
                        return better
        parts = self._split(node)
        return node if parts is None else parts

    def _split(self, node: Expression) -> Expression | None:
        """Take out of a logarithm the factors that overflow, or vanish, long before it does."""
        if node.operator not in {"log", "log_ratio"}:  # log1p is of a sum
            return None
        whole, found = reduce(truediv, map(as_factor, node.arguments)), list[Term]()
        left: tuple[list[Expression], list[Expression]] = ([], [])
        for side, others, sign in zip(whole.factors, left, (1.0, -1.0), strict=True):
            for factor in side:
                known = self(log(factor)) if _operators([factor]) & _STEEP else node
                if known.operator in _LOGS:
                    others.append(factor)
                else:
                    found += [Term(sign) * term for term in terms_of(known)]
        rest = spell([Term(whole.number, tuple(left[0]), tuple(left[1]))])
        if not found or not self.known.is_positive(rest):
            return None
        return self._sum(found if rest is constant(1) else [*found, as_factor(self(log(rest)))])

    def _moved(self, node: Expression) -> Expression | None:
        """Move what a function lets through: numbers out of sums, choices into functions."""
        operator, arguments = node.operator, node.arguments
        if operator == "total":
            return self._scaled(arguments[0])
        if operator == "total_of_others":
            return self._scaled_for_each(arguments[0])
        if operator == "absolute":
            term = as_factor(arguments[0])
            if term.number != 1:
                return self(abs(term.number) * abs(spell([replace(term, number=1.0)])))
        if operator == "pick":
            return self._picked(*arguments)
        if operator == "other":
            return self._of_other(arguments[0])
        if operator == "where":
            return self._chosen(*arguments)
        if operator == "maximum" and arguments[0].operator == "constant":
            return maximum(arguments[1], arguments[0])  # at a tie, the slope is the number's
        return None

    def _scaled(self, inside: Expression) -> Expression | None:
        """Take out of a sum along the class axis what is one number for all classes."""
        term = as_factor(inside)
        own = Term(1.0, *(tuple(f for f in side if f.class_axis) for side in term.factors))
        shared = without(term, own) or ONE
        if not inside.class_axis or (shared.number == 1 and not any(shared.factors)):
            return None
        return self._sum([shared * as_factor(self(total(spell([own]))))])

    def _scaled_for_each(self, inside: Expression) -> Expression | None:
        """Take out of a sum over others what is the same for all, and the sign of a choice."""
        whole = as_factor(inside)
        own = Term(1.0, *(tuple(f for f in side if f.paired) for side in whole.factors))
        shared = without(whole, own) or ONE
        rest = spell([own])
        if rest.operator == "where" and rest.arguments[2].operator == "constant":
            condition, x, nothing = rest.arguments
            if not nothing.payload and as_factor(x).number < 0:
                shared, rest = -shared, where(condition, spell([-as_factor(x)]), nothing)
        if not rest.paired or (shared.number == 1 and not any(shared.factors)):
            return None
        return self._sum([shared * as_factor(self(total_of_others(rest)))])

    def _picked(self, values: Expression, label: Expression) -> Expression | None:
        """The entry of f(x) is f of the entry of x."""
        if not values.class_axis:
            return values
        if values.operator in {"variable", "class_index"} or _goes_along(values):
            return None
        parts = (pick(a, label) if a.class_axis else a for a in values.arguments)
        return self(apply(values.operator, *parts))

    def _of_other(self, own: Expression) -> Expression | None:
        """What f(x) is at the other member of a pair is f of x there."""
        if not own.arguments or _goes_along(own) or own.operator == "total_of_others":
            return None
        parts = (apply("other", a) if a.class_axis else a for a in own.arguments)
        return self(apply(own.operator, *parts))

    def _chosen(self, condition: Expression, x: Expression, y: Expression) -> Expression | None:
        """A choice between values of one function is the function of a choice."""
        if x.operator == y.operator == "negative":
            return self._sum([-as_factor(where(condition, *x.arguments, *y.arguments))])
        left, right = as_factor(x), as_factor(y)
        pairs = list(_pairs(left, right))
        if not pairs or left.number * right.number <= 0 or left.below or right.below:
            return None
        for one, other, _ in pairs:
            left, right = _less(left, one), _less(right, other)
        if any(f.operator not in ARITHMETIC | {"variable"} for f in left.above + right.above):
            return None
        made = Term(1.0)
        for one, other, place in pairs:
            made *= as_factor(self(_choice(condition, one, other, place)))
        weight = where(condition, spell([left]), spell([right]))
        made *= as_factor(weight.arguments[1] if spell([left]) is spell([right]) else weight)
        return self._sum([made])


def _power(node: Expression) -> int:
    """Return 2 for a square and -1 for an inverse, 0 for any other expression."""
    if node.operator != "power" or node.arguments[1].operator != "constant":
        return 0
    return {2.0: 2, -1.0: -1}.get(float(node.arguments[1].payload or 0.0), 0)


def _evened(term: Term) -> Term:
    """Give the differences of a product one sign: in a square, and where a number is taken away."""
    made = Term(term.number)
    for factor in term.above:
        if _taken_from(factor):
            made *= -Term(1.0, (spell([-part for part in terms_of(factor)]),))
        elif count(factor, term.above) % 2 == 0 and _has_a_sign(factor):
            made *= Term(1.0, (_one_sign(factor),))
        else:
            made *= Term(1.0, (factor,))
    return made / Term(1.0, term.below)


def _taken_from(factor: Expression) -> bool:
    """Whether a factor is x - 1 rather than 1 - x."""
    return factor.operator == "subtract" and factor.arguments[1].operator == "constant"


def _has_a_sign(factor: Expression) -> bool:
    """Whether it is a difference, an odd function of one, or a sum of such."""
    if factor.operator == "total":
        return _has_a_sign(factor.arguments[0])
    return factor.operator in {"subtract", *_ODD}


def _one_sign(factor: Expression) -> Expression:
    if factor.operator == "total":
        return rebuild(factor, (_one_sign(factor.arguments[0]), *factor.arguments[1:]))
    if factor.operator == "subtract":
        return positive(factor)
    return rebuild(factor, _sorted(factor.arguments))


def _sorted(arguments: Sequence[Expression]) -> tuple[Expression, ...]:
    return tuple(sorted(arguments, key=structure))


def _operators(nodes: Iterable[Expression]) -> frozenset[str]:
    return frozenset(found.operator for node in nodes for found in walk(node))


def _collected(terms: Sequence[Term]) -> list[Term]:
    """Add up terms with the same factors, then those with the same functions."""
    numbers: dict[tuple[tuple[Expression, ...], ...], float] = {}
    for term in terms:
        numbers[term.factors] = numbers.get(term.factors, 0.0) + term.number
    same = [Term(number, *factors) for factors, number in numbers.items() if number]
    groups: dict[tuple[tuple[Expression, ...], ...], list[Term]] = {}
    for term in same:
        called = tuple(f for f in term.above if _is_call(f))
        groups.setdefault((called, term.below), []).append(term)
    found: list[Term] = []
    for (called, below), group in groups.items():
        if len(group) == 1 or not called:
            found += group
            continue
        weights = [Term(t.number, tuple(f for f in t.above if not _is_call(f))) for t in group]
        found.append(Term(1.0, called, below) * as_factor(spell(weights)))
    return found


def _is_call(node: Expression) -> bool:
    return node.operator not in ARITHMETIC | {"variable", "where"}


def _goes_along(node: Expression) -> bool:
    """Whether an entry of a function depends on other entries of its arguments."""
    named = FUNCTIONS.get(node.operator)
    return node.operator in ORDERED or (named is not None and named.shape != "elementwise")


def _summed(term: Term) -> Expression | None:
    """Return the one sum along the class axis among the factors."""
    sums = [f for f in term.above if f.operator == "total"]
    return sums[0] if len(sums) == 1 else None


def _pairs(left: Term, right: Term) -> Iterator[tuple[Expression, Expression, int]]:
    """Yield functions of both terms that differ in one argument at most, and which."""
    others = list(right.above)
    for one in left.above:
        for other in others:
            if not _is_call(one) or one.operator != other.operator:
                continue
            if _goes_along(one):
                continue
            differing = [
                i
                for i, (a, b) in enumerate(zip(one.arguments, other.arguments, strict=True))
                if a is not b
            ]
            if len(differing) <= 1 and one.operator not in {"maximum", "minimum", "pick", "total"}:
                others.pop(_place(others, other))
                yield one, other, differing[0] if differing else -1
                break


def _place(factors: Sequence[Expression], factor: Expression) -> int:
    return next(i for i, other in enumerate(factors) if other is factor)


def _less(term: Term, factor: Expression) -> Term:
    place = _place(term.above, factor)
    return replace(term, above=(*term.above[:place], *term.above[place + 1 :]))


def _choice(condition: Expression, one: Expression, other: Expression, place: int) -> Expression:
    if place < 0:
        return one
    inside = list(one.arguments)
    inside[place] = where(condition, inside[place], other.arguments[place])
    return rebuild(one, tuple(inside))
