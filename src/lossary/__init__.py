"""Lossary: the handbook of loss functions that runs.

>>> import lossary as L
>>> print(L.huber([1.0, 3.0], [1.0, 0.0], delta=1.0))
1.25
"""

from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from lossary import functions
from lossary.engine import Loss, bind, loss, release_memory, using
from lossary.errors import (
    DeviceError,
    DomainError,
    DtypeError,
    FormulaError,
    LossaryError,
    MissingExtraError,
    ShapeError,
    UnknownLossError,
)
from lossary.losses import definitions as _definitions

__version__ = "0.1.0"

catalogue = MappingProxyType({name: bind(record) for name, record in _definitions.items()})
"""Every loss by name."""

globals().update(catalogue)  # a name that Python has to ask __getattr__ for costs a call

_ROOMS = ("class_weights", "ensembles", "information", "lookup", "pairs", "sequences")
"""Modules that are imported when they are first asked for."""

_DOORS = ("torch", "keras", "tensorflow", "optax", "sklearn", "boosters")
"""The same, with the framework that each of them belongs to."""

_ELSEWHERE = {
    "hf": "lossary.huggingface",
    "patch": "lossary.patching",
    "patched": "lossary.patching",
}
"""Functions that need a framework, and the modules they are imported from."""

__all__ = [  # noqa: PLE0604  (the names of the catalogue are strings)
    "DomainError",
    "DeviceError",
    "DtypeError",
    "FormulaError",
    "Loss",
    "LossaryError",
    "MissingExtraError",
    "ShapeError",
    "UnknownLossError",
    "catalogue",
    "find",
    "functions",
    "loss",
    "release_memory",
    "using",
    *_ELSEWHERE,
    *catalogue,
]  # pyright: ignore[reportUnsupportedDunderAll]


def find(name: str) -> Loss:
    """Return the loss of that name, here or in another library.

    >>> find("torch.nn.SmoothL1Loss").name
    'smooth_l1'

    Objectives of boosters are known too, also those whose loss stands in ``lossary.boosters``:

    >>> find("reg:pseudohubererror").name
    'pseudo_huber'

    Losses that stand beside the catalogue, because they take whole sequences, are found as well:

    >>> find("torch.nn.CTCLoss")
    <loss of sequences lossary.sequences.ctc>
    """
    from lossary import lookup

    try:
        return lookup.find(catalogue, name)
    except UnknownLossError:
        if beside := lookup.look_up(catalogue, name).beside:
            module, _, loss = beside.place.rpartition(".")
            return getattr(import_module(module), loss)
        row = lookup.built_in(name) if ":" in name or "." in name else None
        more = import_module("lossary.boosters.definitions").LOSSES if row else {}
        if row is None or row.loss not in more:
            raise
        return more[row.loss]


def __getattr__(name: str) -> Any:
    if name in _ROOMS or name in _DOORS:
        return import_module(f"lossary.{name}")
    if name in _ELSEWHERE:
        return getattr(import_module(_ELSEWHERE[name]), name)
    problem = f"module 'lossary' has no attribute {name!r}"
    # Python and its tools ask for names with underscores, and an import for modules, before it
    # looks for their files; people ask for losses.
    asked_by_python = name.startswith("_") or (name.isidentifier() and find_spec(f"lossary.{name}"))
    raise AttributeError(problem if asked_by_python else f"{problem}{_meant(name)}")


def _meant(name: str) -> str:
    """Say which loss a foreign name means here."""
    from lossary import lookup

    answer = lookup.look_up(catalogue, name)
    if answer.loss is None:
        return f"\n{answer.problem}"
    classes = "; classes are in lossary.torch and lossary.keras" if name[:1].isupper() else ""
    return f"\nhint: here it is lossary.{answer.loss.name}{classes}"


def __dir__() -> list[str]:
    return sorted(__all__)
