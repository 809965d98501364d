"""Write the type stubs: of the front page, where losses are made, of words, and of two doors.

    python docs/stubs.py

writes them beside their modules. The build does the same, wherever it runs, so that they are in
every wheel and beside the sources of an editable install; they are not kept in the repository. No
framework is needed: what the doors offer stands in their ``tables.py``.

How the methods of a loss are typed stands in ``lossary/engine/calls.py``. Here its overloads are
written out with the arguments of each loss in the place of ``x``, ``*data`` and ``**settings``.
"""

from __future__ import annotations

import ast
import inspect
import runpy
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "lossary"
sys.path.insert(0, str(PACKAGE.parent))

import lossary  # noqa: E402
from lossary.definition import Argument, pascal_case  # noqa: E402
from lossary.engine import Loss  # noqa: E402
from lossary.engine.options import options_of  # noqa: E402
from lossary.functions import FUNCTIONS  # noqa: E402
from lossary.typing import Options  # noqa: E402

MARK = "# Written by the build, or by `python docs/stubs.py`."

# What is special to some losses: the options that `Options` has not, with their types.
SPECIAL = {
    "axis": "int",
    "class_weight": "Data | None",
    "ignore_index": "int | None",
    "position_weight": "Data | None",
}
BATCH = {"position_weight"}
"""Those of them that belong to the data of a call, so that a module is not made with them."""


def front() -> str:
    """The package itself: every loss with its own arguments, the doors, and nothing else."""
    shown = [*lossary._ROOMS, *lossary._DOORS, "functions"]  # noqa: SLF001
    moved = lossary._ELSEWHERE  # noqa: SLF001
    lines = [
        MARK,
        "# A loss of the catalogue takes fewer things than losses in general.",
        "# pyright: reportIncompatibleMethodOverride=false",
        f'"""{(lossary.__doc__ or "").partition(chr(10))[0]}"""',
        "from types import MappingProxyType",
        "from typing import Any, Literal, Unpack, overload",
        "from numpy.typing import NDArray",
        *(f"from lossary import {name} as {name}" for name in sorted(shown)),
        *(f"from {module} import {name} as {name}" for name, module in moved.items()),
        *(f"from lossary.engine import {name} as {name}" for name in _public(lossary.engine)),
        *(f"from lossary.errors import {name} as {name}" for name in _public(lossary.errors)),
        "from lossary.typing import A, Array, Data, F, Listed, Number, Options, Reduced, Reduction",
        "",
        *_all(lossary.__all__),
        "__version__: str",
        "catalogue: MappingProxyType[str, Loss]",
        '"""Every loss by name."""',
        "def find(name: str) -> Loss:",
        f"    {inspect.getdoc(lossary.find)!r}",
        *(line for loss in lossary.catalogue.values() for line in _typed(loss)),
    ]
    return "\n".join(lines) + "\n"


def _public(module: Any) -> list[str]:
    return [name for name in module.__all__ if getattr(lossary, name, None) is not None]


def _all(names: Iterable[str]) -> list[str]:
    return ["__all__ = [", *(f'    "{name}",' for name in names), "]"]


def _typed(loss: Loss) -> list[str]:
    """Return the class that a loss of the catalogue is to a type checker, and the loss."""
    name = f"_{pascal_case(loss.name)}"
    methods = [ast.unparse(_of(loss, method)) for method in METHODS]
    body = "\n".join(methods).replace("\n", "\n    ")
    asked = f"{loss.name}{inspect.signature(loss)}"
    return ["", f"class {name}(Loss):", f"    {body}", f"{loss.name}: {name}",
            repr(f"{loss.summary}\n\n``{asked}``")]  # fmt: skip


def _overloads() -> list[ast.FunctionDef]:
    """Return the overloads of losses in general whose data have a place."""
    tree = ast.parse((PACKAGE / "engine" / "calls.py").read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [node for node in found if node.args.vararg and node.args.posonlyargs]


METHODS = _overloads()


def _of(loss: Loss, general: ast.FunctionDef) -> ast.FunctionDef:
    """Return an overload with the arguments of a loss."""
    first, rest = general.args.posonlyargs[1].annotation, general.args.vararg
    assert first is not None  # noqa: S101  (they are annotated)
    assert rest is not None  # noqa: S101
    assert rest.annotation is not None  # noqa: S101
    kinds = [ast.unparse(first), *[ast.unparse(rest.annotation)] * (len(loss.inputs) - 1)]
    data = [f"{a.name}: {kind}" for a, kind in zip(loss.inputs, kinds, strict=True)]
    chosen = []
    for kept, default in zip(general.args.kwonlyargs, general.args.kw_defaults, strict=True):
        kind = ast.unparse(kept.annotation) if kept.annotation else "Any"
        if kept.arg == "wrt":
            kind = kind.replace("str", f"Literal[{', '.join(map(repr, loss.differentiable))}]")
        chosen.append(f"{kept.arg}: {kind}" + (f" = {ast.unparse(default)}" if default else ""))
    keywords = [*map(_keyword, loss.parameters), *_special(loss), *chosen]
    text = f"def f({', '.join(['self', *data, '*', *keywords, '**options: Unpack[Options]'])}): ..."
    made = ast.parse(text).body[0]
    assert isinstance(made, ast.FunctionDef)  # noqa: S101  (the text says so)
    several = sum(method.name == general.name for method in METHODS) > 1
    made.name, made.returns = general.name, general.returns
    made.decorator_list = [ast.Name("overload")] if several else []
    return made


def _keyword(argument: Argument) -> str:
    kind = "Data" if argument.domain.class_axis else "Number"
    kind += " | None" if argument.optional else ""
    return f"{argument.name}: {kind}" + ("" if argument.required else f" = {argument.default!r}")


def _special(loss: Loss, left_out: Iterable[str] = ()) -> list[str]:
    """Return the options of a loss that not all losses have; the others are the same for all."""
    own = options_of(loss)
    if missing := Options.__annotations__.keys() - own.keys():
        raise ValueError(f"{loss.name} has an argument called like an option: {sorted(missing)}")
    positions = {"axis": "int | tuple[int, ...] | None"} if loss.over_positions else {}
    types = {n: kind for n, kind in (SPECIAL | positions).items() if n in own.keys() - {*left_out}}
    return [f"{name}: {kind} = {own[name]!r}" for name, kind in types.items()]


def words() -> str:
    """The words of formulas: what their front page imports, and all named functions."""
    tree = ast.parse((PACKAGE / "functions" / "__init__.py").read_text(encoding="utf-8"))
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    places = {a.name: node.module for node in imported for a in node.names}
    places |= {name: f.computed.__module__ for name, f in FUNCTIONS.items()}
    own = (item for item in places.items() if str(item[1]).startswith("lossary."))
    return "\n".join(
        [MARK, *(f"from {module} import {name} as {name}" for name, module in own), ""]
    )


def torch_modules() -> str:
    """The criteria: each is a subclass of PyTorch's, with its signatures."""
    criteria = runpy.run_path(str(PACKAGE / "torch" / "tables.py"))["CRITERIA"]
    lines = [
        MARK,
        "from collections.abc import Callable",
        "from torch import Tensor, nn",
        *_all(criteria),
        "CRITERIA: dict[str, Callable[..., Tensor]]",
        *(f"class {name}(nn.{name}): ..." for name in criteria),
    ]
    return "\n".join(lines) + "\n"


def torch_catalogue() -> str:
    """The catalogue as modules: constructor and call of each loss."""
    losses = list(lossary.catalogue.values())
    lines = [
        MARK,
        "import inspect",
        "from typing import Any, Unpack",
        "from torch import Tensor, nn",
        "from lossary.engine import Loss",
        "from lossary.typing import Batch, Data, Kept, Number, Reduction",
        *_all(["LossModule", "module_of", *(pascal_case(loss.name) for loss in losses)]),
        "class LossModule(nn.Module):",
        "    loss: Loss",
        "    def __init__(self, **settings: Any) -> None: ...",
        "    def forward(self, *args: Tensor, **kwargs: Any) -> Tensor: ...",
        "def blank(loss: Loss) -> LossModule: ...",
        "def class_name(loss: Loss) -> str: ...",
        "def constructor(loss: Loss) -> inspect.Signature: ...",
        "def module_of(loss: Loss) -> type[LossModule]: ...",
    ]
    for loss in losses:
        made = [*map(_keyword, loss.parameters), *_special(loss, BATCH)]
        made += ['reduction: Reduction = "mean"', "**kept: Unpack[Kept]"]
        weights = ["*, position_weight: Data | None = None"] if loss.over_positions else []
        called = [*(f"{a.name}: Tensor" for a in loss.inputs), *weights, "**batch: Unpack[Batch]"]
        lines += [
            f"class {pascal_case(loss.name)}(LossModule):",
            f"    def __init__(self, *, {', '.join(made)}) -> None: ...",
            f"    def __call__(self, {', '.join(called)}) -> Tensor: ...",
        ]
    return "\n".join(lines) + "\n"


# What Keras' constructors take, where it is more than these three; a test compares them with Keras.
KERAS_PLAIN = "reduction, name, dtype"
_LOGITS = "from_logits=False, label_smoothing=0.0, axis=-1"
KERAS = {
    "CosineSimilarity": f"axis=-1, {KERAS_PLAIN}",
    "Huber": f"delta=1.0, {KERAS_PLAIN}",
    "BinaryCrossentropy": f"{_LOGITS}, {KERAS_PLAIN}",
    "BinaryFocalCrossentropy":
        f"apply_class_balancing=False, alpha=0.25, gamma=2.0, {_LOGITS}, {KERAS_PLAIN}",
    "CategoricalCrossentropy": f"{_LOGITS}, {KERAS_PLAIN}",
    "CategoricalFocalCrossentropy": f"alpha=0.25, gamma=2.0, {_LOGITS}, {KERAS_PLAIN}",
    "SparseCategoricalCrossentropy":
        "from_logits=False, ignore_class=None, reduction, axis=-1, name, dtype",
    "Dice": "reduction, name, axis=None, dtype",
    "Tversky": "alpha=0.5, beta=0.5, reduction, name, axis=None, dtype",
    "Circle": f"gamma=80.0, margin=0.4, remove_diagonal=True, {KERAS_PLAIN}",
    "CategoricalGeneralizedCrossEntropy": f"q=0.5, {KERAS_PLAIN}",
}  # fmt: skip
KERAS_TYPES = {
    "reduction": "Reduction_ | None = ...",
    "name": "str | None = ...",
    "dtype": "Any = None",
    "alpha": "Any = ...",
    "delta": "Any = ...",
    "ignore_class": "int | None = None",
    "axis": "int | tuple[int, ...] | None = ...",
}
KERAS_REDUCTION = (
    "Reduction_: TypeAlias = "
    'Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", "auto"]'
)
KERAS_NAMES = ("deserialize", "get", "names", "register", "serialize", "unregister")


def keras_door() -> str:
    """Keras' door: Keras' classes with their signatures, then those of the catalogue.

    Each stands where users find it, and nowhere else.
    """
    tables = _keras()
    named = {tables["class_name"](loss): loss for loss in tables["offered"]()}
    lines = [
        MARK,
        "from typing import Any, Literal, TypeAlias",
        "import keras",
        "from lossary.engine import Loss as CoreLoss",
        "from lossary.keras.functions import *",
        *(f"from lossary.keras.names import {name} as {name}" for name in KERAS_NAMES),
        "from lossary.typing import Data, Number",
        KERAS_REDUCTION,
        "class Reduction:",
        *(f"    {name}: str" for name in ("AUTO", "NONE", "SUM", "SUM_OVER_BATCH_SIZE")),
        "class Loss(keras.losses.Loss):",
        "    def __init__(self, name: str | None = None, reduction: str | None = ...,"
        " dtype: Any = None) -> None: ...",
        "    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...",
    ]
    for name in tables["CLASSES"]:
        own = ", ".join(map(_keras_typed, KERAS.get(name, KERAS_PLAIN).split(", ")))
        lines += [f"class {name}(Loss, keras.losses.{name}):"]
        lines += [f"    def __init__(self, {own}) -> None: ..."]
    lines += [
        "class CatalogueLoss(Loss):",
        "    loss: CoreLoss",
        "    settings: dict[str, Any]",
        "    axis: int",
        "    def __init__(self, **settings: Any) -> None: ...",
        "def class_of(loss: CoreLoss) -> type[CatalogueLoss]: ...",
    ]
    for name, loss in named.items():
        own = [*map(_keyword, loss.parameters), *(["axis: int = -1"] if loss.class_axis else [])]
        own += [
            "reduction: Reduction_ | None = ...",
            "name: str | None = None",
            "dtype: Any = None",
        ]
        lines += [f"class {name}(CatalogueLoss):"]
        lines += [f"    def __init__(self, *, {', '.join(own)}) -> None: ..."]
    return "\n".join(lines) + "\n"


def _keras() -> dict[str, Any]:
    return runpy.run_path(str(PACKAGE / "keras" / "tables.py"))


def _keras_typed(parameter: str) -> str:
    name, _, default = parameter.partition("=")
    plain = f"{type(ast.literal_eval(default)).__name__} = {default}" if default else ""
    return f"{name}: {KERAS_TYPES.get(name, plain)}"


STUBS = {
    "__init__.pyi": front,
    "functions/__init__.pyi": words,
    "torch/modules.pyi": torch_modules,
    "torch/catalogue.pyi": torch_catalogue,
    "keras/__init__.pyi": keras_door,
}


def write() -> list[Path]:
    """Write all stubs, and return where they are; those of another day go."""
    for old in PACKAGE.rglob("*.pyi"):
        old.unlink()
    for name, text in STUBS.items():
        (PACKAGE / name).write_text(text(), encoding="utf-8")
    return [PACKAGE / name for name in STUBS]


if __name__ == "__main__":
    write()
