"""Losses whose kernels hold all that kernels are made of, chosen anew from the catalogue.

Machine code takes seconds to make, and is a loop around an expression that NumPy is measured with
for every loss. What a kernel adds stands in its text: functions that it calls, operators inside
each other, one loop after another. Whatever the text of some loss has of these, that of a loss
named here has too. All texts are looked at (`engine/test_kernel_texts.py`); ``-k`` and
``--thorough`` compile the others.
"""

import ast
from functools import cache

import lossary as L
from lossary.render.loops import kernel_text
from made_kernels import kernel
from samples import LOSSES, REPRESENTATIVE, has_kernels

OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.Compare)


@cache
def covering():
    """The representative losses, and others that hold every part of a text in little text."""
    parts = {loss.name: parts_of(loss) for loss in LOSSES if has_kernels(loss)}
    price = {name: price_of(L.catalogue[name]) for name in parts}
    others, missing = [], set().union(*parts.values()).difference(*map(parts.get, REPRESENTATIVE))
    while missing:
        most = max(parts, key=lambda name: len(parts[name] & missing) / price[name])
        others.append(most)
        missing -= parts[most]
    chosen = set(REPRESENTATIVE) | set(others)
    for name in sorted(others, key=price.get, reverse=True):  # what smaller ones hold by now
        if parts[name] <= set().union(*(parts[other] for other in chosen - {name})):
            chosen.remove(name)
    return frozenset(chosen)


def parts_of(loss):
    """What the text of value and gradient is made of, for elements or for short rows."""
    return made_of(loss)[0]


def price_of(loss):
    """How long it is, and as much again as a small kernel costs whatever it holds."""
    return made_of(loss)[1] + 1000


@cache
def made_of(loss):
    """The parts of a text and how many nodes it has."""
    own, _ = kernel(loss)
    nodes = list(ast.walk(ast.parse(kernel_text(own, cached=True, short=loss.class_axis))))
    found = {f"{sum(isinstance(node, ast.For) for node in nodes)} loops"}
    for node in nodes:
        if isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
        elif isinstance(node, OPERATIONS):
            found |= {f"{named(node)} {place} {named(x)}" for place, x in operands(node)}
    return {(loss.class_axis, part) for part in found}, len(nodes)


def operands(node):
    """What stands in an operation by its place, where that is an operation itself."""
    inner = ((place, x) for place, x in ast.iter_fields(node) if not isinstance(x, list))
    return [(place, x) for place, x in inner if isinstance(x, OPERATIONS)]


def named(node):
    """The sign of an operation."""
    return "compare" if isinstance(node, ast.Compare) else type(node.op).__name__
