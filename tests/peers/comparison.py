"""Losses beside the same losses of installed packages: what both answer, and what is exact.

    python -m tests.peers.comparison monai

prints the answers for the package of ``comparisons/monai.toml`` as JSON; ``docs/peers.py`` keeps
those of all packages and makes a page of them. A file has a row for each loss of the package:

* ``name`` is the package's public name, ``theirs`` the call as Python, ``loss`` the loss here with
  its ``settings``, ``reduction`` (the mean) and ``times``, a factor if theirs has one;
* ``on`` names its ordinary input in the file's ``data``; where the loss takes what is computed from
  that, such as probabilities from logits, ``through`` says how (``through.py``);
* each ``case`` changes some of the input to what is hard, and says why they differ.

The exact numbers are those of the oracle (``lossary.accuracy``), which evaluates the definition as
it is written, with as many digits as it takes, and knows neither our stable forms nor our slopes.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import math
import sys
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import lossary as L
from lossary.accuracy.oracle import Kink, Meaning

from . import as_called
from .difference import shown
from .through import THROUGH, Through

FOLDER = Path(__file__).with_name("comparisons")
DIGITS = {"float32": 7, "float64": 16}
TYPES = tuple(DIGITS)
ENDLESS = 1e30  # a one-sided difference quotient that grows beyond this has no limit
NEAR = 64  # units of the last place in which an answer counts as right: the digits that are shown
GENEROUS = {"float32": NEAR * 2.0**-24, "float64": NEAR * 2.0**-53}


@dataclass(frozen=True)
class Answer:
    """A value and a gradient, or the exception in their place."""

    value: Any
    gradient: Any = ()

    @property
    def shown(self) -> str:
        """Both in six digits."""
        if isinstance(self.value, BaseException):
            return shown(self.value)
        words = [_entry(x) for x in np.ravel(self.gradient).tolist()]
        return f"{shown(float(self.value))}; {', '.join(words)}"

    def errors(self, exact: Answer, dtype: str) -> tuple[float, float]:
        """Distances of value and gradient from the exact ones, in parts of their size."""
        if isinstance(self.value, BaseException):
            return np.inf, np.inf
        return (
            _distance([self.value], [exact.value], dtype),
            _distance(self.gradient, exact.gradient, dtype),
        )


def _ends(x: Kink) -> tuple[float, float]:
    """Return the lower and the upper derivative; those of a difference quotient without limit."""
    low, high = sorted((float(x.below), float(x.above)))
    return -np.inf if low < -ENDLESS else low, np.inf if high > ENDLESS else high


def _entry(x: Any) -> str:
    if isinstance(x, Kink):
        low, high = _ends(x)
        return f"{low:.6g} to {high:.6g}"
    return "no limit" if x is None else shown(float(x))


def _distance(found: Any, true: Any, dtype: str) -> float:
    """Return the largest difference over the largest size; anything between the ends of a kink."""
    rounded = np.dtype(dtype).type
    worst = size = 0.0
    for a, t in zip(np.ravel(found).tolist(), np.ravel(np.array(true, object)), strict=True):
        if isinstance(t, Kink):
            low, high = _ends(t)
            miss = max(low - a, a - high, 0.0) if np.isfinite(a) else np.inf
            size = max([size, *(abs(x) for x in (low, high) if np.isfinite(x))])
        elif t is None:
            continue
        else:
            nearest = float(rounded(float(t)))
            miss = 0.0 if a == nearest else abs(float(a - t)) if np.isfinite(a) else np.inf
            size = max(size, abs(float(t))) if np.isfinite(float(t)) else size
        worst = max(worst, miss)
    return worst / size if size else (0.0 if worst == 0 else np.inf)


def digits(error: float, dtype: str) -> int:
    """Return how many digits are right.

    >>> digits(3e-7, "float32"), digits(0.0, "float64")
    (6, 16)
    """
    if not error:
        return DIGITS[dtype]
    return int(np.clip(np.floor(-np.log10(error)), 0, DIGITS[dtype])) if error < np.inf else 0


@dataclass(frozen=True)
class Case:
    """An input of a comparison, with the reason why the answers differ on it."""

    name: str
    data: Mapping[str, Any]
    changed: Mapping[str, Any]
    why: str = ""
    dtype: str = "float32"

    def tensors(self, dtype: str) -> dict[str, torch.Tensor]:
        """Return the arrays, those with a decimal point in this type."""
        found = {name: torch.tensor(x, dtype=torch.float64) for name, x in self.data.items()}
        return {
            name: x.to(getattr(torch, dtype)) if _real(self.data[name]) else x.to(torch.int64)
            for name, x in found.items()
        }


def _real(x: Any) -> bool:
    return any(map(_real, x)) if isinstance(x, list) else isinstance(x, float)


@dataclass(frozen=True)
class Comparison:
    """A loss here and there, and the inputs on which they are compared; the file's row."""

    package: Package
    row: Mapping[str, Any]

    @property
    def loss(self) -> Any:
        """The loss of the catalogue."""
        return L.catalogue[self.row["loss"]]

    @property
    def settings(self) -> dict[str, Any]:
        """The hyper-parameters here."""
        return dict(self.row.get("settings", {}))

    @property
    def through(self) -> Through | None:
        """How what the loss takes is computed from the data."""
        return THROUGH[self.row["through"]] if "through" in self.row else None

    @property
    def times(self) -> float:
        """The factor that theirs has."""
        return self.row.get("times", 1)

    @cached_property
    def ordinary(self) -> Case:
        """The input that has nothing hard."""
        return Case("ordinary", self.package.data[self.row["on"]], {})

    @property
    def by(self) -> str:
        """The argument by which both are differentiated."""
        return self.row.get("by", next(iter(self.ordinary.data)))

    def cases(self) -> Iterator[Case]:
        """Yield the inputs that are hard."""
        for row in self.row.get("case", ()):
            changed = {k: x for k, x in row.items() if k in self.ordinary.data}
            data = {**self.ordinary.data, **changed}
            yield Case(row["name"], data, changed, row["why"], row.get("dtype", "float32"))

    @property
    def call(self) -> str:
        """The call here, as one would write it."""
        first, *others = self.ordinary.data
        words = [f"{k}={x!r}" for k, x in self.settings.items()]
        words += [f'reduction="{self.row["reduction"]}"'] if "reduction" in self.row else []
        if self.through is not None:
            text = self.through.call(self.row["loss"], self.ordinary.data, words)
        else:
            text = f"L.{self.row['loss']}({', '.join([first, *others, *words])})"
        text = text if self.times == 1 else f"{self.times:g} * {text}"
        return f"{text} + {self.row['plus']}" if "plus" in self.row else text

    @property
    def plus(self) -> float:
        """The constant that theirs has in addition, from an expression such as log(2 * pi) / 2."""
        return eval(self.row.get("plus", "0.0"), {"log": math.log, "pi": math.pi})

    def ours(self, case: Case, dtype: str) -> Answer:
        """Return what Lossary answers."""

        def call(data: dict[str, torch.Tensor]) -> Any:
            options = {**self.settings, "reduction": self.row.get("reduction", "mean")}
            if self.through is not None:
                return self.times * self.through.ours(self.loss, data, options) + self.plus
            return self.times * self.loss(*data.values(), **options) + self.plus

        return self._answer(call, case, dtype)

    def theirs(self, case: Case, dtype: str) -> Answer:
        """Return what the package answers."""
        text = self.row["theirs"]
        return self._answer(
            lambda data: eval(text, {**self.package.names(), **data}), case, dtype
        )

    def _answer(self, call: Any, case: Case, dtype: str) -> Answer:
        data = case.tensors(dtype)
        moving = data[self.by].requires_grad_()
        quiet = contextlib.redirect_stderr(io.StringIO())
        with warnings.catch_warnings(), quiet:
            warnings.simplefilter("ignore")
            try:
                value = call(data)
                (slope,) = torch.autograd.grad(value, moving, allow_unused=True)
            except Exception as error:  # noqa: BLE001  (an error is an answer)
                return Answer(error)
        slope = torch.zeros_like(moving) if slope is None else slope
        return Answer(value.item(), slope.detach().double().numpy())

    def exact(self, case: Case, dtype: str) -> Answer:
        """Return what the oracle says of the definition."""
        data = {name: x.double().tolist() for name, x in case.tensors(dtype).items()}
        usual = {a.name: a.default for a in self.loss.parameters}
        fixed = {**usual, **self.settings}
        meaning = Meaning.of(self.loss, frozenset(n for n, x in fixed.items() if x is None))
        if self.through is not None:
            first, rows = self.through.rows(self.loss, data)
        else:
            first, rows = self.by, _rows(self.loss, data)
        points = [row | fixed for row in rows]
        share = self.times / (1 if self.row.get("reduction") == "sum" else len(points))
        value = share * sum(meaning.value(point) for point in points) + self.plus
        slopes = [_scaled(meaning.gradient(point, first), share) for point in points]
        if self.through is not None:
            slopes = self.through.back(data, slopes)
        shape = np.shape(data[self.by])
        flat = np.empty(int(np.prod(shape)), object)
        flat[:] = _flat(slopes)
        return Answer(value, flat.reshape(shape))


def _flat(slopes: Any) -> list[Any]:
    return [x for row in slopes for x in _flat(row)] if isinstance(slopes, list) else [slopes]


def _scaled(slope: Any, share: Any) -> Any:
    if isinstance(slope, list):
        return [_scaled(x, share) for x in slope]
    if isinstance(slope, Kink):
        return Kink(slope.below * share, slope.above * share)
    return None if slope is None else slope * share


def _rows(loss: Any, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the elements or rows of a batch as points of the oracle."""
    if not any(a.domain.class_axis for a in loss.inputs):
        data = {name: np.ravel(x).tolist() for name, x in data.items()}
    names, columns = [a.name for a in loss.inputs], list(data.values())
    depth = 2 if loss.inputs[0].domain.class_axis else 1
    if np.ndim(columns[0]) < depth:  # one row by itself
        return [dict(zip(names, columns, strict=True))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


@dataclass(frozen=True)
class Package:
    """A package beside which Lossary stands; ``key`` is the name of its file."""

    key: str

    @cached_property
    def content(self) -> dict[str, Any]:
        """What stands in the file."""
        return tomllib.loads((FOLDER / f"{self.key}.toml").read_text(encoding="utf-8"))

    @property
    def title(self) -> str:
        """Its name in words."""
        return self.content["title"]

    @property
    def data(self) -> Mapping[str, Any]:
        """The ordinary inputs by name."""
        return self.content["data"]

    @property
    def distribution(self) -> str:
        """Its name for pip."""
        return self.content["distribution"]

    def installed(self) -> bool:
        """Whether it can be imported here."""
        return all(importlib.util.find_spec(m.partition(".")[0]) for m in self.content["modules"])

    @property
    def version(self) -> str:
        """The version that is installed."""
        return version(self.distribution)

    def comparisons(self) -> list[Comparison]:
        """Return the rows of the file."""
        return [Comparison(self, row) for row in self.content["comparison"]]

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


def packages() -> list[Package]:
    """Return all packages that there is a file of."""
    return [Package(path.stem) for path in sorted(FOLDER.glob("*.toml"))]


def right(answer: Answer, exact: Answer, dtype: str) -> bool:
    """Whether an answer is the exact one, but for its last digits."""
    return max(answer.errors(exact, dtype)) <= GENEROUS[dtype]


def own(comparison: Comparison) -> dict[str, Any]:
    """Return what needs no peer: our answers and the exact ones."""
    found: dict[str, Any] = {"loss": comparison.row["loss"], "ours": comparison.call, "digits": {}}
    for dtype in TYPES:
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
    for dtype in TYPES:
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


def main(key: str) -> None:
    """Print the answers for one package."""
    package = Package(key)
    rows = [{"own": own(c), "beside": beside(c)} for c in package.comparisons()]
    found = {"title": package.title, "version": package.version, "rows": rows}
    print(json.dumps({"torch": torch.__version__, **found}, indent=1))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
