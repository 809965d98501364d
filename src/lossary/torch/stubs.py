"""Spell out the classes that are made from tables, for editors and type checkers.

    python -m lossary.torch.stubs

writes ``modules.pyi`` and ``catalogue.pyi`` beside this file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lossary import catalogue
from lossary.definition import Argument
from lossary.engine import Loss
from lossary.torch.catalogue import class_name, constructor
from lossary.torch.modules import CRITERIA

_HEAD = """# Written by `python -m lossary.torch.stubs`.
# ruff: noqa: RUF022  (names stand in the order of the tables)
"""

# Class, base and keywords of the options that losses share.
_SHARED = (
    ("_Options", "TypedDict, total=False", ("reduction", "empty", "check", "inplace")),
    ("_Weighed", "_Options, total=False", ("class_weight",)),
    ("_Rows", "_Options, total=False", ("axis",)),
    ("_WeighedRows", "_Rows, total=False", ("class_weight",)),
    ("_Labelled", "_WeighedRows, total=False", ("ignore_index",)),
    ("_Positions", "_Options, total=False", ("axis",)),
    ("_Batch", "TypedDict, total=False", ("weight", "mask", "denominator")),
    ("_PositionsBatch", "_Batch, total=False", ("position_weight",)),
)

_TYPES = {
    "reduction": 'Literal["mean", "sum", "none"]',
    "empty": 'Literal["zero", "nan", "raise"]',
    "check": "bool",
    "inplace": "bool",
    "axis": "int",
    "class_weight": "Tensor | Sequence[float] | None",
    "ignore_index": "int | None",
    "weight": "Tensor | float | None",
    "mask": "Tensor | None",
    "denominator": "Tensor | float | None",
    "position_weight": "Tensor | float | None",
    "_Positions.axis": "int | tuple[int, ...] | None",
}

_WIDTH = 100


def text_of_modules() -> str:
    """Return the stub of the criteria: each is a subclass of PyTorch's, with its signatures."""
    lines = [_HEAD, "from collections.abc import Callable", "", "from torch import Tensor, nn", ""]
    lines += [*_names(CRITERIA), "", "CRITERIA: dict[str, Callable[..., Tensor]]", ""]
    lines += [f"class {name}(nn.{name}): ..." for name in CRITERIA]
    return "\n".join(lines) + "\n"


def text_of_catalogue() -> str:
    """Return the stub of the catalogue's modules: constructor and call of each loss."""
    lines = [
        _HEAD,
        "import inspect",
        "from collections.abc import Sequence",
        "from typing import Any, Literal, TypedDict, Unpack",
        "",
        "from torch import Tensor, nn",
        "",
        "from lossary.engine import Loss",
        "",
        *_names(["LossModule", "module_of", *map(class_name, catalogue.values())]),
        "",
    ]
    for name, bases, options in _SHARED:
        types = [(o, _TYPES.get(f"{name}.{o}") or _TYPES[o]) for o in options]
        lines += [f"class {name}({bases}):", *(f"    {o}: {kind}" for o, kind in types), ""]
    lines += [
        "class LossModule(nn.Module):",
        "    loss: Loss",
        "    def __init__(self, **settings: Any) -> None: ...",
        "    def forward(self, *args: Tensor, **kwargs: Any) -> Tensor: ...",
        "",
        "def class_name(loss: Loss) -> str: ...",
        "def constructor(loss: Loss) -> inspect.Signature: ...",
        "def module_of(loss: Loss) -> type[LossModule]: ...",
    ]
    for loss in catalogue.values():
        lines += ["", *_class(loss)]
    return "\n".join(lines) + "\n"


def _names(names: Iterable[str]) -> list[str]:
    return ["__all__ = [", *(f'    "{name}",' for name in names), "]"]


def _class(loss: Loss) -> list[str]:
    options = set(constructor(loss).parameters) - {a.name for a in loss.parameters}
    made = [_keyword(a) for a in loss.parameters]
    made = ["*", *made] if made else made
    shared, batch = _shared(options), "_Batch"
    if loss.over_positions:
        shared, batch = "_Positions", "_PositionsBatch"
    return [
        f"class {class_name(loss)}(LossModule):",
        *_method("__init__", [*made, f"**options: Unpack[{shared}]"], "None"),
        *_method(
            "__call__",
            [*(f"{a.name}: Tensor" for a in loss.inputs), f"**batch: Unpack[{batch}]"],
            "Tensor",
        ),
    ]


def _shared(options: set[str]) -> str:
    """Return the class of the options that these are."""
    found: dict[str, set[str]] = {}
    for name, bases, own in _SHARED:
        found[name] = set(own) | found.get(bases.partition(",")[0], set())
        if found[name] == options:
            return name
    raise ValueError(f"no class of options holds {sorted(options)}")


def _method(name: str, parameters: list[str], result: str) -> list[str]:
    inner = ", ".join(["self", *parameters])
    line = f"    def {name}({inner}) -> {result}: ..."
    if len(line) <= _WIDTH:
        return [line]
    inside = [f"        {inner}"]
    if len(inside[0]) > _WIDTH:
        inside = [f"        {p}," for p in ["self", *parameters]]
    return [f"    def {name}(", *inside, f"    ) -> {result}: ..."]


def _keyword(argument: Argument) -> str:
    kind = "Tensor | float | None" if argument.optional else "Tensor | float"
    return f"{argument.name}: {kind}" + ("" if argument.required else f" = {argument.default!r}")


def main() -> None:
    """Write both stubs."""
    here = Path(__file__).parent
    (here / "modules.pyi").write_text(text_of_modules(), encoding="utf-8")
    (here / "catalogue.pyi").write_text(text_of_catalogue(), encoding="utf-8")


if __name__ == "__main__":
    main()
