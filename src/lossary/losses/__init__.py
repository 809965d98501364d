"""The catalogue by family: definitions only. A module of this folder is a family."""

from importlib import import_module
from pkgutil import iter_modules

from lossary.definition import Definition, gather

__all__ = ["FAMILIES", "definitions"]

_FIRST = ("regression", "classification", "margin", "divergence", "similarity", "overlap")
_found = sorted(
    (module.name for module in iter_modules(__path__)),
    key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name),
)
_modules = {name: import_module(f"{__name__}.{name}") for name in _found}

FAMILIES: dict[str, str] = {
    name: (m.__doc__ or "").partition(".")[0] for name, m in _modules.items()
}
"""What each family is about, in the words of its module."""

definitions: dict[str, Definition] = gather(*_modules.values())
