"""What a target is: each primitive's spelling, and what is spelled alike in several languages."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from lossary.formula import Expression
from lossary.functions import ORDERED, PRIMITIVES

# Targets by name; each module holds one table, and is imported when it is asked for.
TARGETS = ("numpy", "torch", "jax", "tensorflow")

# Tables for doubles whose results are rounded to float32 or less, beside the one of that name.
SPARE = ("jax spare",)

# How tightly an operator binds: Python's order, for as few parentheses as possible.
ATOM, POWER, UNARY, PRODUCT, SUM, BITS, COMPARE = 9, 8, 7, 6, 5, 4, 3

# Words along an order, which array libraries have and kernels have not, and the order itself.
ALONG_AN_ORDER = ORDERED | {"order", "order_within"}

# Pairs of members, which array libraries lay out as matrices.
IN_PAIRS = {
    "own": (ATOM, "paired.own({0})"),
    "other": (ATOM, "paired.other({0})"),
    "total_of_others": (ATOM, "paired.total({0}, {like})"),
}

# Words that array libraries have in modules beside their texts, by one that tells that they do.
BESIDE = {
    "order": ("orders", "ordered"),
    "order_within": ("orders", "ordered"),
    "total_of_others": ("pairs", "paired"),
}

IN_ORDER = {
    "order": (ATOM, "ordered.by({0}, {like})"),
    "order_within": (ATOM, "ordered.within({0}, {1}, {like})"),
    **{
        word: (ATOM, f"ordered.{word}({'{0}, {1}, {2}, {3}' if '_exp' in word else '{0}, {1}'})")
        for word in sorted(ORDERED)
    },
}

# What is spelled alike wherever the text is Python.
OPERATORS = {
    "add": (SUM, "{0} + {1}"),
    "subtract": (SUM, "{0} - {1}"),
    "multiply": (PRODUCT, "{0} * {1}"),
    "divide": (PRODUCT, "{0} / {1}"),
    "negative": (UNARY, "-{0}"),
    "less": (COMPARE, "{0} < {1}"),
    "less_equal": (COMPARE, "{0} <= {1}"),
    "equal": (COMPARE, "{0} == {1}"),
}


Relax = Callable[[Sequence[Expression]], tuple[Expression, ...]]


@dataclass(frozen=True)
class Target:
    """A language to print: each primitive's spelling and how tightly it binds.

    In a spelling ``{0}`` and ``{1}`` are the arguments, ``{like}`` an array whose dtype and number
    of classes the text may ask for.
    """

    name: str
    imports: str
    spellings: Mapping[str, tuple[int, str]]
    cast: str
    bounds: Mapping[str, str] = field(default_factory=dict)
    constant: str = "{0}"
    number: str = 'float("{0}")'  # an infinity or NaN
    typed: str = "{0}"  # a number in the dtype of the data, where the library would round it
    count: str = "{0}"  # what is made of the number of classes alone, in a call
    condition: str = "{0}"  # whether something holds of the number of classes, in a call
    own: frozenset[str] = frozenset()  # words beyond the primitives, from the target's own rules
    of_data: Mapping[str, str] = field(default_factory=dict)  # of arguments of the text themselves
    mixes: bool = True  # whether a sum of whole numbers and others has the dtype of these
    relax: Relax | None = None  # cheaper forms, where it computes with precision to spare

    def __post_init__(self) -> None:
        known = PRIMITIVES | self.own
        if "order" in self.spellings:
            known |= ALONG_AN_ORDER | IN_PAIRS.keys()
        known |= {"held"} & self.spellings.keys()
        missing, extra = known - self.spellings.keys(), self.spellings.keys() - known
        if missing or extra:
            raise ValueError(f"{self.name}: missing {sorted(missing)}, unknown {sorted(extra)}")


@cache
def target(name: str) -> Target:
    """Return the table of a target."""
    if name not in (*TARGETS, *SPARE):
        raise ValueError(f"no target is called {name!r}; choose from {', '.join(TARGETS)}")
    module, _, spare = name.partition(" ")
    tables = importlib.import_module(f"lossary.render.{module}")
    return tables.SPARE if spare else tables.TARGET
