"""Arithmetic with derivatives along the class axis: sums, products, contractions, diagonals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import add, mul, truediv
from typing import Any

from lossary.calculus.rules import REDUCTIONS
from lossary.formula import Expression
from lossary.functions import Jacobian, total
from lossary.rewriting import ONE, ZERO, simplify

Tangent = Expression | Jacobian | None


def diagonal(tangent: Tangent) -> Expression:
    """Return the entries ``d e_k / d x_k`` of a derivative."""
    if tangent is None:
        return ZERO
    if isinstance(tangent, Expression):
        return tangent
    result = ZERO if tangent.diagonal is None else tangent.diagonal
    for column, row in tangent.outer:
        result = result + column * row
    for chain in tangent.chains:
        result = result + chain.diagonal
    return simplify(scaled(result, tangent))


def scaled(whole: Expression, matrix: Jacobian) -> Expression:
    """Multiply and divide by one number after the other: their product may over- or underflow."""
    return reduce(truediv, matrix.over, reduce(mul, matrix.by, whole))


def unsigned(tangent: Tangent) -> Tangent:
    """Two signs of an outer product are none."""
    if not isinstance(tangent, Jacobian):
        return tangent
    outer = (
        (c.arguments[0], r.arguments[0]) if c.operator == r.operator == "negative" else (c, r)
        for c, r in tangent.outer
    )
    return replace(tangent, outer=tuple(outer))


def each(tangent: Tangent, change: Callable[[Expression], Expression]) -> Tangent:
    """Change each expression that a derivative consists of."""
    if not isinstance(tangent, Jacobian):
        return None if tangent is None else change(tangent)
    own = None if tangent.diagonal is None else change(tangent.diagonal)
    outer = tuple((change(column), change(row)) for column, row in tangent.outer)
    chains = tuple(chain.each(change) for chain in tangent.chains)
    over, by = (tuple(map(change, numbers)) for numbers in (tangent.over, tangent.by))
    return Jacobian(own, outer, chains, over, by)


def times(matrix: Jacobian, vector: Expression) -> Expression:
    """Return the product of a matrix with a vector."""
    result = ZERO if matrix.diagonal is None else matrix.diagonal * vector
    for column, row in matrix.outer:
        result = result + column * total(row * vector)
    for chain in matrix.chains:
        result = result + chain.times(vector)
    return scaled(result, matrix)


def plain(tangent: Tangent) -> Expression:
    """Return a derivative that has one number per entry."""
    if not isinstance(tangent, Expression):
        raise TypeError(f"expected one number per entry, got {tangent!r}")
    return tangent


def contracted(slope: Expression, inner: Jacobian) -> Expression:
    """Return slope^T J for a row-shaped function of a class-shaped argument."""
    result = ZERO if inner.diagonal is None else slope * inner.diagonal
    for column, row in inner.outer:
        result = result + total(slope * column) * row
    for chain in inner.chains:
        result = result + chain.transposed.times(slope)
    return scaled(result, inner)


def product(left: Jacobian, right: Jacobian) -> Jacobian:
    """Return the product of two matrices: one function after another."""
    outer: list[tuple[Expression, Expression]] = []
    if right.diagonal is not None:
        outer += [(column, row * right.diagonal) for column, row in left.outer]
    whole = replace(left, over=(), by=())
    outer += [(times(whole, column), row) for column, row in right.outer]
    outer += [(c, chain.transposed.times(row)) for c, row in left.outer for chain in right.chains]
    chains = [one.then(other) for one in left.chains for other in right.chains]
    own = None
    if left.diagonal is not None:
        chains += [chain.before(left.diagonal) for chain in right.chains]
    if right.diagonal is not None:
        chains += [chain.after(right.diagonal) for chain in left.chains]
    if left.diagonal is not None and right.diagonal is not None:
        own = left.diagonal * right.diagonal
    over, by = left.over + right.over, left.by + right.by
    return Jacobian(own, tuple(outer), tuple(chains), over, by)


def reduced(node: Expression, tangent: Tangent) -> Tangent:
    """Return the derivative of a reduction, from that of what it reduces."""
    if not isinstance(tangent, Jacobian):
        raise TypeError(f"{node} reduces what has no class axis, and should have been simplified")
    narrow, keep = REDUCTIONS[node.operator]
    result = ZERO if tangent.diagonal is None else keep(tangent.diagonal, *node.arguments)
    for column, row in tangent.outer:
        result = result + narrow(column, *node.arguments) * row
    for chain in tangent.chains:
        result = result + chain.transposed.times(keep(ONE, *node.arguments))
    return scaled(result, tangent)


def summed(tangents: Any) -> Tangent:
    """Return the sum of derivatives, of which some may be none."""
    kept = [t for t in tangents if t is not None]
    if not kept:
        return None
    if all(isinstance(t, Expression) for t in kept):
        return reduce(add, kept)
    jacobians = [t if isinstance(t, Jacobian) else Jacobian(t) for t in kept]
    over, by = jacobians[0].over, jacobians[0].by
    if len({(*map(id, j.over), None, *map(id, j.by)) for j in jacobians}) > 1:
        jacobians, over, by = [spread(j) for j in jacobians], (), ()
    diagonals = [j.diagonal for j in jacobians if j.diagonal is not None]
    outer = tuple(term for j in jacobians for term in j.outer)
    chains = tuple(chain for j in jacobians for chain in j.chains)
    return Jacobian(reduce(add, diagonals) if diagonals else None, outer, chains, over, by)


def spread(matrix: Jacobian) -> Jacobian:
    """Scale each part of a derivative by itself, so that it can be added to others."""
    per = scaled(ONE, matrix)
    own = None if matrix.diagonal is None else scaled(matrix.diagonal, matrix)
    outer = ((scaled(column, matrix), row) for column, row in matrix.outer)
    return Jacobian(own, tuple(outer), tuple(chain.before(per) for chain in matrix.chains))


def tidied(tangent: Tangent) -> Tangent:
    """Simplify, and gather the columns that share a row."""
    if isinstance(tangent, Expression):
        tangent = simplify(tangent)
        return None if tangent is ZERO else tangent
    if tangent is None:
        return None
    own = None if tangent.diagonal is None else simplify(tangent.diagonal)
    columns: dict[Expression, Expression] = {}
    for column, row in tangent.outer:
        tidy = simplify(row)
        columns[tidy] = columns[tidy] + column if tidy in columns else column
    outer = tuple((simplify(column), row) for row, column in columns.items())
    outer = tuple((c, r) for c, r in outer if c is not ZERO and r is not ZERO)
    own = None if own is ZERO else own
    chains = (chain.each(simplify) for chain in tangent.chains)
    chains = tuple(chain for chain in chains if all(f is not ZERO for f in chain.factors))
    if own is None and not outer and not chains:
        return None
    over, by = (tuple(map(simplify, numbers)) for numbers in (tangent.over, tangent.by))
    return Jacobian(own, outer, chains, over, by)
