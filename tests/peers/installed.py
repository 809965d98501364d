"""Packages beside whose losses ours stand: what they answer today, printed as JSON.

    PYTHONPATH=tests python -m tests.peers.installed monai               both, and what is exact
    PYTHONPATH=tests python -m tests.peers.installed monai kornia --own  without the packages

``comparisons/<package>.toml`` says what is compared (``comparison.py``); ``docs/side_by_side.py``
keeps the answers and makes a page of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from . import as_called
from .answer import DIGITS, digits, right
from .comparison import Comparison
from .drawn import drawn
from .of_sequences import OfSequences

FOLDER = Path(__file__).with_name("comparisons")
ALONE = "--own"


@dataclass(frozen=True)
class Package:
    """A package beside which Lossary stands; ``key`` is the name of its file."""

    key: str

    @cached_property
    def content(self) -> dict[str, Any]:
        """What stands in the file."""
        return tomllib.loads((FOLDER / f"{self.key}.toml").read_text(encoding="utf-8"))

    @property
    def data(self) -> Mapping[str, Any]:
        """The ordinary inputs by name."""
        return self.content["data"]

    @property
    def distribution(self) -> str:
        """Its name for pip."""
        return self.content["distribution"]

    @property
    def version(self) -> str:
        """The version that is installed."""
        return version(self.distribution).partition("+")[0]  # +cpu is a build

    def comparisons(self) -> list[Comparison]:
        """Return the rows of the file."""
        return [
            (OfSequences if row["loss"].startswith("sequences.") else Comparison)(
                row, self.data, self.names
            )
            for row in self.content["comparison"]
        ]

    def names(self) -> dict[str, Any]:
        """Return what the calls of the file may name."""
        load_torchvision()
        found: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
        found |= {name: getattr(as_called, name) for name in as_called.__all__}
        for module in self.content["modules"]:
            loaded, root = importlib.import_module(module), module.partition(".")[0]
            found[root] = sys.modules[root]
            if module in self.content.get("alias", {}):
                found[self.content["alias"][module]] = loaded
        return found


@cache
def load_torchvision() -> None:
    """Import torchvision, without its operators if they are for another PyTorch.

    The wheel on PyPI is built for CUDA and does not load beside a PyTorch for CPUs. Its losses are
    written in Python and call no operator; two have to be declared before it can be imported, by
    itself or by timm and torchsurv.
    """
    if importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for operator in ("nms", "qnms"):
            signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{operator}", signature)


def own(comparison: Comparison) -> dict[str, Any]:
    """Return what needs no peer: our answers and the exact ones."""
    found: dict[str, Any] = {"loss": comparison.row["loss"], "ours": comparison.call, "digits": {}}
    for dtype in DIGITS:
        exact = comparison.exact(comparison.ordinary, dtype)
        errors = comparison.ours(comparison.ordinary, dtype).errors(exact, dtype)
        found["digits"][dtype] = [digits(e, dtype) for e in errors]
    found["cases"] = []
    for case in comparison.cases():
        exact, ours = comparison.exact(case, case.dtype), comparison.ours(case, case.dtype)
        found["cases"].append(
            {
                "name": case.name,
                "dtype": case.dtype,
                "input": ", ".join(f"{k}={_short(x)}" for k, x in case.changed.items()),
                "ours": ours.shown,
                "exact": exact.shown,
                "ours is right": right(ours, exact, case.dtype),
            }
        )
    return found


def _short(x: Any) -> str:
    return f"[{', '.join(map(_short, x))}]" if isinstance(x, list) else f"{x:g}"


def beside(comparison: Comparison) -> dict[str, Any]:
    """Return the answers of the peer to the same questions."""
    found: dict[str, Any] = {"name": comparison.row["name"], "digits": {}, "cases": []}
    for dtype in DIGITS:
        exact = comparison.exact(comparison.ordinary, dtype)
        theirs = comparison.theirs(comparison.ordinary, dtype)
        failed = isinstance(theirs.value, BaseException)
        errors = theirs.errors(exact, dtype)
        found["digits"][dtype] = None if failed else [digits(e, dtype) for e in errors]
    for case in comparison.cases():
        exact, theirs = comparison.exact(case, case.dtype), comparison.theirs(case, case.dtype)
        found["cases"].append(
            {"theirs": theirs.shown, "theirs is right": right(theirs, exact, case.dtype)}
        )
    return found


def judged(comparison: Comparison) -> dict[str, int]:
    """Return how often who is right on inputs that are drawn."""
    found: dict[str, int] = {"both": 0, "ours": 0, "theirs": 0, "neither": 0}
    words = {(True, True): "both", (True, False): "ours", (False, True): "theirs"}
    for case in drawn(comparison):
        try:
            exact = comparison.exact(case, case.dtype)
        except ArithmeticError:  # the oracle has no digits for it
            continue
        ours, theirs = (side(case, case.dtype) for side in (comparison.ours, comparison.theirs))
        verdict = right(ours, exact, case.dtype), right(theirs, exact, case.dtype)
        found[words.get(verdict, "neither")] += 1
    return found


def answers(key: str, *, alone: bool) -> dict[str, Any]:
    """Return the answers for one package, or ours only."""
    package = Package(key)
    rows = [{"own": own(each)} for each in package.comparisons()]
    found: dict[str, Any] = {"torch": torch.__version__, "rows": rows}
    if not alone:
        found["version"] = package.version
        for row, each in zip(rows, package.comparisons(), strict=True):
            row["beside"] = beside(each) | {"drawn": judged(each)}
    return found


def main(arguments: list[str]) -> None:
    """Print the answers by the names of the packages."""
    keys = [key for key in arguments if key != ALONE]
    found = {key: answers(key, alone=ALONE in arguments) for key in keys}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
