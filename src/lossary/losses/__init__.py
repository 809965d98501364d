"""The catalogue by family, a module each: definitions only."""

from importlib import import_module
from pkgutil import iter_modules

from lossary.definition import Definition, gather

# The order of the pages; a family that is not named comes after those that are.
_ORDER = ("regression", "classification", "margin", "divergence", "similarity", "overlap")

_found = sorted(module.name for module in iter_modules(__path__))
FAMILIES = (*_ORDER, *(name for name in _found if name not in _ORDER))

definitions: dict[str, Definition] = gather(
    *(import_module(f"{__name__}.{family}") for family in FAMILIES)
)
