"""The vocabulary of formulas: primitives, and named functions built from them.

A primitive is spelled once per target in ``render/``, and once in mpmath by the oracle. A named
function is two facts: what it *means*, a formula in textbook words, which the oracle evaluates and
readers see, and how it is *computed*, stable, in primitives. Its *slope* is the derivative of the
meaning, never of the stable form.

Each function that a module of this folder names is a word here; what is imported below has no name
in the table of functions. ``docs/stubs.py`` writes all of them down for type checkers.
"""

from importlib import import_module
from pkgutil import iter_modules

from lossary.functions.aggregates import mean
from lossary.functions.chains import paired
from lossary.functions.error_function import normal_density
from lossary.functions.groups import placed
from lossary.functions.ordered import (
    ALONG_AN_ORDER,
    ORDERED,
    ORDERED_SLOPES,
    beyond,
    earlier_ties,
    next_above,
)
from lossary.functions.pairs import of_twins, other, parts_of, total_of_others
from lossary.functions.tempered import SOLVED
from lossary.functions.vectors import common_scale
from lossary.functions.vocabulary import (
    FUNCTIONS,
    PRIMITIVES,
    Function,
    Jacobian,
    NoSlope,
    Slope,
    absolute,
    argpeak,
    class_count,
    class_index,
    cos,
    exp,
    expm1,
    floor,
    held,
    is_class,
    log,
    log1p,
    maximum,
    minimum,
    peak,
    pi,
    pick,
    sign,
    sin,
    sqrt,
    tanh,
    total,
    weighted,
    where,
)

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

globals().update(
    {name: vars(import_module(f.computed.__module__))[name] for name, f in FUNCTIONS.items()}
)
