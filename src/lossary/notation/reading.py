"""Derivatives as a reader would write them: fractions cancelled, sums collected and carried out.

Nothing here is computed with: at the edge of a domain, where a factor that cancels is 0 or
infinite, the engine's expression knows more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product as pairs

from lossary.formula import Expression, apply, constant, walk
from lossary.functions import (
    FUNCTIONS,
    ORDERED,
    class_count,
    norm,
    pick,
    sigmoid,
    sinh,
    tanh,
    total,
    where,
)
from lossary.identities.terms import positive, terms_of
from lossary.notation.products import Product, joined, number_of, ordered_sum, times
from lossary.render.textbook import TOLD, meaning_of
from lossary.rewriting import is_bracket, rebuild

_SUMS = frozenset({"add", "subtract", "sum_of_three"})
_PRODUCTS = frozenset({"multiply", "weighted", "divide", "negative", "power", "constant"})
_DISTRIBUTIONS = frozenset({"Simplex"})
_REDUCE = frozenset({"total", "peak", "argpeak", "pick"})
MOST_TERMS = 8
MOST_CASES = 5


class Reader:
    """Rewrites expressions for reading; ``sets`` names the set that each argument lies in."""

    def __init__(self, sets: Mapping[str, str]) -> None:
        self.sets = sets
        self.done: dict[Expression, Expression] = {}

    def __call__(self, node: Expression) -> Expression:
        """Return the expression as a reader would write it."""
        found = self.done.get(node)
        if found is None:
            found = self._read(node)
            self.done[node] = self.done[found] = found
        return found

    def in_cases(self, node: Expression, known: frozenset[Expression] = frozenset()) -> Expression:
        """Return the expression for reading, split by a condition where that makes it shorter."""
        plain = self(node)
        best, found = plain, {n.arguments[0]: None for n in walk(node, plain) if _is_choice(n)}
        if len(found) > MOST_CASES:  # each by each they are too many to try, and to read
            return plain
        for condition in [c for c in found if c not in known]:
            seen = known | {condition}
            left, right = (self.in_cases(_chosen(node, condition, i), seen) for i in (1, 2))
            split = left if left is right else where(condition, left, right)
            best = min(best, split, key=size)
        return best

    def _read(self, node: Expression) -> Expression:
        operator, arguments = node.operator, node.arguments
        if not arguments:
            return node
        if operator in _SUMS | _PRODUCTS:
            return self._sum(self._terms(node))
        if operator in TOLD or (operator in FUNCTIONS and FUNCTIONS[operator].told):
            return node
        if (meaning := meaning_of(operator, arguments)) is not None:
            return self(meaning)
        if operator == "total":
            return self._sum(list(self._totals(self._terms(arguments[0]))))
        if operator == "where":
            return self._where(*arguments)
        if operator == "pick":
            return self._picked(self(arguments[0]), arguments[1])
        read = tuple(self(a) for a in arguments)
        if operator == "sigmoid" and _starts_negative(read[0]):
            return self(1 - sigmoid(self(-read[0])))
        if operator == "sqrt" and read[0].operator == "power" and _is_norm(read[0].arguments[0]):
            return read[0].arguments[0]
        if operator in {"sign", "absolute", "norm"} and operator != "sign":
            read = (positive(read[0]),)
        fixed = operator in FUNCTIONS and FUNCTIONS[operator].shape != "elementwise"
        along = fixed or operator in ORDERED | {
            "peak", "argpeak", "class_index", "class_count", "total_of_others",
        }  # fmt: skip
        return apply(operator, *read, class_axis=node.class_axis if along else None)

    # Sums and products.

    def _terms(self, node: Expression) -> list[Product]:
        operator, arguments = node.operator, node.arguments
        if operator in {"add", "sum_of_three"}:
            return [term for a in arguments for term in self._terms(a)]
        if operator == "subtract":
            return self._terms(arguments[0]) + [-term for term in self._terms(arguments[1])]
        if operator == "negative":
            return [-term for term in self._terms(arguments[0])]
        if operator == "constant" and not node.payload:
            return []
        if operator not in _PRODUCTS and (read := self(node)) is not node:
            return self._terms(read)
        return [self._product(node)]

    def _product(self, node: Expression) -> Product:
        operator, arguments = node.operator, node.arguments
        if operator in {"multiply", "weighted"}:
            return self._tidy(self._product(arguments[0]) * self._product(arguments[1]))
        if operator == "divide":
            return self._tidy(self._product(arguments[0]) / self._product(arguments[1]))
        if operator == "negative":
            return -self._product(arguments[0])
        if operator == "power":
            return self._power(*arguments)
        if (number := number_of(node)) is not None:
            return Product(number)
        return self._factor(node)

    def _factor(self, node: Expression) -> Product:
        read = self(node)
        if read.operator in _PRODUCTS and read is not node:
            return self._product(read)
        if read.operator in _SUMS:
            terms = terms_of(read)
            sizes = {abs(term.number) for term in terms}
            base = positive(read)
            sign = 1.0 if base is read else -1.0
            if len(sizes) == 1 and sizes != {1.0}:
                number = sizes.pop()
                return Product(sign * number, {self(base / number): constant(1)})
            return Product(sign, {self(base): constant(1)})
        return Product(1.0, {read: constant(1)})

    def _power(self, base: Expression, exponent: Expression) -> Product:
        inner, power = self._product(base), self(exponent)
        number = number_of(power)
        if number is not None and number == int(number):
            return self._tidy(inner.to(power))
        if inner.number == 1 and len(inner.powers) == 1:
            return inner.to(power)
        return Product(1.0, {self(base): power})

    def _tidy(self, product: Product) -> Product:
        """Let what is known of signs, brackets and quotients of functions meet."""
        for base, exponent in list(product.powers.items()):
            power = number_of(exponent)
            if base.operator == "variable" and self.sets.get(str(base.payload)) == "Sign":
                if power is not None and power % 2 == 0:
                    product = product.without([base])
            elif base.operator == "sign" and power is not None:
                product = _signed(product, base, power)
            elif is_bracket(base):
                product = self._at(product, base)
            elif power is not None and power < 0:
                product = self._quotient(product, base, int(power))
        return product

    def _quotient(self, product: Product, base: Expression, power: int) -> Product:
        """Return sinh x / cosh x as tanh x, exp x / (1 + exp x) as sigmoid x."""
        above, found = None, None
        if base.operator == "cosh":
            above, found = sinh(*base.arguments), tanh(*base.arguments)
        elif base.operator == "add" and number_of(base.arguments[0]) == 1:
            above = base.arguments[1]
            found = self(sigmoid(*above.arguments)) if above.operator == "exp" else None
        if above is None or found is None:
            return product
        both = min(number_of(product.powers.get(above, constant(0))) or 0, -power)
        rest = Product(1.0, {above: constant(-both), base: constant(both)})
        if base.operator == "cosh":
            return product * rest * self._factor(found).to(constant(both))
        left = self._factor(self(1 - found)).to(constant(-power - both))
        rest *= Product(1.0, {base: constant(-power - both)})
        return product * rest * self._factor(found).to(constant(both)) * left

    def _at(self, product: Product, bracket: Expression) -> Product:
        """Beside the bracket of a class every entry is that of the class."""
        label = bracket.arguments[0].arguments[1]
        found = Product(product.number, {bracket: constant(1)})
        for base, exponent in product.powers.items():
            if base is not bracket:
                entry = self._picked(base, label) if base.class_axis else base
                found *= self._product(entry).to(exponent)
        return found

    def _sum(self, terms: Sequence[Product]) -> Expression:
        """Write down the shortest of a sum's forms."""
        plain = _collected(terms)
        forms = [plain]
        expanded = _collected([part for term in plain for part in self._expanded(term)])
        if len(expanded) <= MOST_TERMS:
            forms.append(expanded)
        written = [found for form in forms if (found := self._factored(form)) is not None]
        written += [ordered_sum(form) for form in forms]
        return min(written, key=size)

    def _expanded(self, term: Product) -> Iterator[Product]:
        sums = [b for b, e in term.powers.items() if b.operator in _SUMS and number_of(e) == 1]
        rest = term.without(sums)
        for chosen in pairs(*(self._terms(b) for b in sums)):
            found = rest
            for part in chosen:
                found = self._tidy(found * part)
            yield found

    def _factored(self, terms: Sequence[Product]) -> Expression | None:
        """Take out of a sum what all terms share."""
        if len(terms) < 2:
            return None
        shared: dict[Expression, Expression] = {}
        for base, exponent in terms[0].powers.items():
            exponents = [t.powers[base] for t in terms if base in t.powers]
            more = [number_of(joined(e, times(exponent, constant(-1)))) for e in exponents]
            least = [n for n in more if n is not None]
            if len(least) == len(terms):
                shared[base] = joined(exponent, constant(min(least)))
        sizes = {abs(t.number) for t in terms}
        number = sizes.pop() if len(sizes) == 1 else 1.0
        if not shared and number == 1:
            return None
        common = Product(number, shared)
        inner = self._sum([term / common for term in terms])
        return ordered_sum([common * self._factor_of(inner)])

    def _factor_of(self, read: Expression) -> Product:
        if read.operator in _SUMS:
            base = positive(read)
            return Product(1.0 if base is read else -1.0, {base: constant(1)})
        return self._product(read)

    # Sums over classes, entries, choices.

    def _totals(self, terms: Sequence[Product]) -> Iterator[Product]:
        for term in _collected(terms):
            outside = Product(
                term.number, {b: e for b, e in term.powers.items() if not b.class_axis}
            )
            inside = {b: e for b, e in term.powers.items() if b.class_axis}
            if not inside:
                yield outside * Product(1.0, {class_count(): constant(1)})
                continue
            if all(is_bracket(b) for b in inside) or self._is_distribution(inside):
                yield outside
                continue
            (base, exponent), *more = inside.items()
            if not more and number_of(exponent) == 2:
                yield outside * Product(1.0, {norm(base): constant(2)})
            else:
                row = ordered_sum([Product(1.0, inside)])
                yield outside * Product(1.0, {total(row): constant(1)})

    def _is_distribution(self, inside: Mapping[Expression, Expression]) -> bool:
        (base, exponent), *more = inside.items()
        if more or number_of(exponent) != 1:
            return False
        known = base.operator == "variable" and self.sets.get(str(base.payload)) in _DISTRIBUTIONS
        return known or base.operator == "softmax"

    def _picked(self, values: Expression, label: Expression) -> Expression:
        if not values.class_axis:
            return values
        if is_bracket(values) and values.arguments[0].arguments[1] is label:
            return constant(1)
        if values.operator == "class_index":
            return label
        named = FUNCTIONS.get(values.operator)
        if values.operator == "variable" or (named is not None and named.shape != "elementwise"):
            return pick(values, label)
        parts = [self._picked(a, label) if a.class_axis else a for a in values.arguments]
        return self(apply(values.operator, *parts))

    def _where(self, condition: Expression, x: Expression, y: Expression) -> Expression:
        left, right = self(_chosen(x, condition, 1)), self(_chosen(y, condition, 2))
        condition = self(condition)
        if left is right:
            return left
        is_class = (
            condition.operator == "equal" and condition.arguments[0].operator == "class_index"
        )
        if is_class and number_of(right) == 0:
            bracket = where(condition, 1, 0)
            if left is constant(1):
                return bracket
            return self._sum(
                [self._at(self._product(bracket) * t, bracket) for t in self._terms(left)]
            )
        if number_of(right) == 0 or number_of(left) == 0:
            return where(condition, left, right)
        if left.operator in _SUMS or right.operator in _SUMS:
            return where(condition, left, right)
        one, other = self._product(left), self._product(right)
        shared = {b: e for b, e in one.powers.items() if other.powers.get(b) is e}
        if not shared:
            return where(condition, left, right)
        rest = [
            self._sum([Product(p.number, {b: e for b, e in p.powers.items() if b not in shared})])
            for p in (one, other)
        ]
        return self._sum(
            [
                Product(1.0, {**shared})
                * self._product(where(condition, *rest) if rest[0] is not rest[1] else rest[0])
            ]
        )


def _collected(terms: Sequence[Product]) -> list[Product]:
    """Add up the terms that differ in their numbers only."""
    found: dict[tuple[tuple[int, int], ...], Product] = {}
    for term in terms:
        known = found.get(term.key)
        before = known.number if known else 0.0
        number = term.number + before
        # Numbers such as sqrt(2 / pi) are rounded: parts that cancel leave a last digit.
        cancels = abs(number) < 1e-12 * abs(before)
        found[term.key] = Product(0.0 if cancels else number, term.powers)
    return [term for term in found.values() if term.number]


def _signed(product: Product, base: Expression, power: float) -> Product:
    """Sgn x times sgn x is 1, and sgn x times the size of x is x."""
    if power % 2 == 0:
        return product.without([base])
    x, size = base.arguments[0], abs(base.arguments[0])
    exponent = product.powers.get(size, constant(-1))
    if (number_of(exponent) or 1) < 0:
        return product
    return product.without([base]) * Product(1.0, {x: constant(1), size: constant(-1)})


def _is_choice(node: Expression) -> bool:
    """Whether a node is a choice by what is the same for all classes."""
    return node.operator == "where" and not any(
        n.operator in {"class_index", "where"} for n in walk(node.arguments[0])
    )


def _mixes_classes(node: Expression) -> bool:
    named = FUNCTIONS.get(node.operator)
    along = _REDUCE | ORDERED | {"other", "total_of_others"}
    return node.operator in along or (named is not None and named.shape != "elementwise")


def _chosen(expression: Expression, condition: Expression, branch: int) -> Expression:
    """Return what an expression is where a condition holds (1) or does not (2)."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        if condition.class_axis and _mixes_classes(node):  # another class is meant inside
            done[node] = node
        elif node.operator == "where" and node.arguments[0] is condition:
            done[node] = done[node.arguments[branch]]
        else:
            done[node] = rebuild(node, tuple(done[a] for a in node.arguments))
    return done[expression]


def _is_norm(node: Expression) -> bool:
    return node.operator == "norm"


def _starts_negative(node: Expression) -> bool:
    return node.operator == "negative" or any(t.number < 0 for t in terms_of(node)[:1])


def size(node: Expression) -> int:
    """Count what a reader reads: every node, as often as it is printed."""
    known: dict[Expression, int] = {}
    for part in walk(node):
        quiet = part.operator in {"multiply", "negative"}
        inside = sum(known[a] for a in part.arguments)
        known[part] = 2 if is_bracket(part) else inside + (0 if quiet else 1)
    return known[node]
