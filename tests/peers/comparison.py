"""A loss here beside the same loss of an installed package: what both answer, and what is exact.

Each is a row of ``comparisons/<package>.toml``:

* ``name`` is the package's public name, ``theirs`` the call as Python, ``shown`` what the page
  prints if the call is long; ``raises`` says why it does, if it does in some type;
* ``loss`` is the loss here, with its ``settings``, its ``reduction`` (the mean), and what theirs
  has beside it: a factor ``times``, a constant ``plus``;
* ``on`` names its ordinary input in the file's ``data``; where the loss takes what is computed from
  that, such as probabilities from logits, ``through`` says how (``through.py``);
* ``still`` names arguments that theirs has not got, and that are not drawn (``drawn.py``);
* each ``case`` changes some of the input to what is hard, and says why the answers differ; it is a
  ``convention`` where the two define the loss differently.

The exact numbers are those of the oracle (``lossary.accuracy``), which evaluates the definition as
it is written, with as many digits as it takes, and knows neither our stable forms nor our slopes.
"""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

import lossary as L
from lossary.accuracy.oracle import Kink, Meaning

from .answer import Answer
from .through import THROUGH, Through


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

    row: Mapping[str, Any]
    data: Mapping[str, Mapping[str, Any]]
    names: Callable[[], dict[str, Any]]

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
        return Case("ordinary", self.data[self.row["on"]], {})

    @property
    def by(self) -> str:
        """The argument by which both are differentiated."""
        return self.row.get("by", next(iter(self.ordinary.data)))

    @property
    def kinds(self) -> dict[str, str]:
        """The sets in which the arguments lie by which the loss has a slope."""
        if self.through is not None:
            return {self.by: "Real"}
        return {
            a.name: a.domain.name for a in self.loss.inputs if a.name in self.loss.differentiable
        }

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
        return self._answer(lambda data: eval(text, {**self.names(), **data}), case, dtype)

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
