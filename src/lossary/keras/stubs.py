"""Spell out the classes that are made from tables, for editors and type checkers.

    python -m lossary.keras.stubs

writes ``losses.pyi`` and ``catalogue.pyi`` beside this file.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

import keras

from lossary.definition import Argument
from lossary.keras.catalogue import class_name, offered
from lossary.keras.losses import CLASSES

_HEAD = """# Written by `python -m lossary.keras.stubs`.
# ruff: noqa: RUF022  (names stand in the order of the tables)
"""

_REDUCTION = [
    "_Reduction: TypeAlias = (",
    '    Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"] | None',
    ")",
]

_TYPES = {
    "reduction": "_Reduction",
    "name": "str | None",
    "dtype": "Any",
    "alpha": "Any",
    "delta": "Any",
    "ignore_class": "int | None",
    "axis": "int | tuple[int, ...] | None",
    "label_smoothing": "float",
}

_CALL = "    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ..."
_WIDTH = 100


def text_of_losses() -> str:
    """Return the stub of Keras' classes: each is a subclass of Keras', with its signature."""
    lines = [
        _HEAD,
        "from typing import Any, Literal, TypeAlias",
        "",
        "import keras",
        "",
        *_names(["Loss", "Reduction", *CLASSES]),
        "",
        "CLASSES: dict[str, str]",
        "MEAN: str",
        "",
        *_REDUCTION,
        "",
        "class Reduction:",
        *(f"    {n}: str" for n in ("AUTO", "NONE", "SUM", "SUM_OVER_BATCH_SIZE")),
        "",
        "def reduction_of(reduction: str | None) -> str | None: ...",
        "def saved(value: Any) -> Any: ...",
        "def tensor(x: Any, dtype: str | None) -> Any: ...",
        "",
        "class Loss(keras.losses.Loss):",
        "    _keeps_labels: bool",
        *_method(["name: str | None = None", "reduction: str | None = ...", "dtype: Any = None"]),
        _CALL,
    ]
    for name in CLASSES:
        parameters = inspect.signature(getattr(keras.losses, name)).parameters.values()
        lines += ["", f"class {name}(keras.losses.{name}):"]
        lines += [*_method([_parameter(p) for p in parameters]), _CALL]
    return "\n".join(lines) + "\n"


def text_of_catalogue() -> str:
    """Return the stub of the catalogue's classes: the constructor of each."""
    lines = [
        _HEAD,
        "import inspect",
        "from typing import Any, Literal, TypeAlias, TypedDict, Unpack",
        "",
        "from lossary.engine import Loss as CoreLoss",
        "from lossary.keras import losses",
        "",
        *_names(["CatalogueLoss", "class_of", *map(class_name, offered())]),
        "",
        *_REDUCTION,
        "",
        "class _Options(TypedDict, total=False):",
        "    reduction: _Reduction",
        "    name: str | None",
        "    dtype: Any",
        "",
        "class _Rows(_Options, total=False):",
        "    axis: int",
        "",
        "RENAMED: dict[str, str]",
        "",
        "class CatalogueLoss(losses.Loss):",
        "    loss: CoreLoss",
        "    settings: dict[str, Any]",
        "    axis: int",
        "    def __init__(self, **settings: Any) -> None: ...",
        "",
        "def class_name(loss: CoreLoss) -> str: ...",
        "def class_of(loss: CoreLoss) -> type[CatalogueLoss]: ...",
        "def folded(name: str) -> str: ...",
        "def constructor(loss: CoreLoss) -> inspect.Signature: ...",
        "def offered() -> list[CoreLoss]: ...",
    ]
    for loss in offered():
        own = [_keyword(a) for a in loss.parameters]
        shared = "_Rows" if loss.class_axis else "_Options"
        own = [*(["*", *own] if own else []), f"**options: Unpack[{shared}]"]
        lines += ["", f"class {class_name(loss)}(CatalogueLoss):", *_method(own)]
    return "\n".join(lines) + "\n"


def _names(names: Iterable[str]) -> list[str]:
    return ["__all__ = [", *(f'    "{name}",' for name in names), "]"]


def _method(parameters: list[str]) -> list[str]:
    line = f"    def __init__({', '.join(['self', *parameters])}) -> None: ..."
    if len(line) <= _WIDTH:
        return [line]
    inside = [f"        {', '.join(['self', *parameters])}"]
    if len(inside[0]) > _WIDTH:
        inside = [f"        {p}," for p in ["self", *parameters]]
    return ["    def __init__(", *inside, "    ) -> None: ..."]


def _parameter(parameter: inspect.Parameter) -> str:
    given = type(parameter.default).__name__
    kind = _TYPES.get(parameter.name, given if given in {"bool", "float", "int"} else "Any")
    if parameter.default is None and kind == "int":
        kind = "int | None"
    return f"{parameter.name}: {kind} = {_shown(parameter.default)}"


def _keyword(argument: Argument) -> str:
    kind = "Any | None" if argument.optional else "Any"
    return f"{argument.name}: {kind}" + ("" if argument.required else f" = {argument.default!r}")


def _shown(default: object) -> str:
    return f'"{default}"' if isinstance(default, str) else repr(default)


def main() -> None:
    """Write both stubs."""
    here = Path(__file__).parent
    (here / "losses.pyi").write_text(text_of_losses(), encoding="utf-8")
    (here / "catalogue.pyi").write_text(text_of_catalogue(), encoding="utf-8")


if __name__ == "__main__":
    main()
