"""What an objective needs of a loss: its derivatives at margins, its value, the way to predictions.

A rule is made of a definition and hyper-parameters, one set for all outputs or one for each. It
knows nothing of hosts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossary.boosters.margins import Link
from lossary.boosters.targets import check_weight, in_shape, target_of, times_of
from lossary.engine import Loss
from lossary.errors import DomainError, ShapeError

Numbers = NDArray[Any]
Data = tuple[Numbers, ...]
"""The arguments of a loss behind its prediction."""


@dataclass
class Rule:
    """The rule of a loss of one response and one target."""

    loss: Loss
    settings: tuple[Mapping[str, float], ...]
    link: Link

    in_groups = False
    """Whether rows belong to lists, as in ranking."""

    @property
    def name(self) -> str:
        """The name of the loss."""
        return self.loss.name

    @property
    def metric(self) -> str:
        """The name of its metric."""
        return self.loss.name

    @property
    def higher_is_better(self) -> bool:
        """The direction of the metric."""
        return False

    @property
    def outputs(self) -> int | None:
        """How many outputs its hyper-parameters say there are; None if they say nothing."""
        return len(self.settings) if len(self.settings) > 1 else None

    def prepare(self, labels: Any, weight: Any, outputs: int, group: Any = None) -> None:
        """Look at all labels and weights before training; raise for what cannot be trained on."""
        rows = len(np.asarray(labels))
        check_weight(weight, rows)
        self.data(labels, (rows,) if outputs == 1 and not self.loss.class_axis else (rows, outputs))

    def data(self, labels: Any, shape: tuple[int, ...]) -> Data:
        """Return what the loss takes behind margins of this shape."""
        if self.outputs and (len(shape) < 2 or shape[1] != self.outputs):
            raise ShapeError(
                f"{self.name}: there are hyper-parameters for {self.outputs} outputs, and margins "
                f"of shape {shape}\nhint: give the host its number of outputs"
            )
        return (target_of(self.loss, labels, shape),)

    @property
    def takes_labels_as_they_are(self) -> bool:
        """Whether margins and labels of one output go to the loss without another word."""
        domain, plain = self.loss.inputs[1].domain, self.link.name != "above_minus_one"
        return plain and not (self.loss.class_axis or domain.integer or domain.name == "Sign")

    def gradient(self, margin: Numbers, data: Data, weight: Any, out: Numbers) -> None:
        """Write the derivative of the weighted sum into ``out``."""
        margin = self._inside(margin)
        for x, y, settings, part in self._parts(margin, data, out):
            w = self._per_output(weight, x)
            self.loss.gradient(x, *y, weight=w, reduction="sum", out=part, **settings)

    def derivatives(
        self, margin: Numbers, data: Data, weight: Any, gradient: Numbers, hessian: Numbers
    ) -> None:
        """Write both derivatives of the weighted sum; the second is the diagonal."""
        margin = self._inside(margin)
        for x, y, settings, first, second in self._parts(margin, data, gradient, hessian):
            self.loss.gradient_and_hessian(
                x, *y, weight=self._per_output(weight, x), reduction="sum", out=(first, second),
                **settings,
            )  # fmt: skip

    def value(self, margin: Numbers, data: Data, weight: Any, group: Any = None) -> float:
        """Return the weighted mean over rows; of several outputs the mean of their means."""
        margin = self._inside(margin)
        found = [
            float(self.loss(x, *y, weight=self._per_output(weight, x), **settings))
            for x, y, settings in self._parts(margin, data)
        ]
        return sum(found) / len(found)

    def values(self, margin: Numbers, data: Data) -> Numbers:
        """Return the loss of each row."""
        settings = self.settings[0]
        return self.loss(self._inside(margin), *data, reduction="none", **settings)

    def inverse(self, margin: Numbers) -> Numbers:
        """Return the predictions that margins stand for."""
        return self.link.inverse(margin)

    def _inside(self, margin: Numbers) -> Numbers:
        """Return margins moved into the set of the loss, where that is not all numbers."""
        return self.link.inverse(margin) if self.link.name == "above_minus_one" else margin

    def _parts(self, margin: Numbers, data: Data, *outs: Numbers) -> Sequence[tuple[Any, ...]]:
        """Return margins, data, settings and buffers: all at once, or output by output."""
        if len(self.settings) == 1:
            return [(margin, data, self.settings[0], *outs)]
        return [
            (margin[:, k], tuple(x[:, k] for x in data), settings, *(out[:, k] for out in outs))
            for k, settings in enumerate(self.settings)
        ]

    def _per_output(self, weight: Any, margin: Numbers) -> Any:
        """Return the weight of a row beside each of its outputs."""
        if weight is None or margin.ndim == 1:
            return weight
        if self.loss.class_axis:  # as many rows as classes: said to be of rows
            return weight[:, None] if len(weight) == margin.shape[1] else weight
        return np.broadcast_to(weight[:, None], margin.shape)


@dataclass
class Censored(Rule):
    """The rule of times of which some are only known to be longer.

    A label is the time of an event, or minus the time up to which there was none.
    """

    inputs: tuple[str, ...] = ("location", "log_time", "event")
    """The arguments of a loss of such times: its margin is a place among their logarithms."""

    def data(self, labels: Any, shape: tuple[int, ...]) -> Data:
        """Return the logarithm of each time, and 1 where it is that of an event."""
        time, event = times_of(self.name, in_shape(self.loss, np.asarray(labels), shape))
        return np.log(time), event.astype(time.dtype)


@dataclass
class Ordinal(Rule):
    """The rule of grades in an order: one score, between thresholds that training does not move.

    Unless they are given, the thresholds are those at which the score 0 gives every grade its
    share of the weighted labels.
    """

    thresholds: tuple[float, ...] | None = None

    def prepare(self, labels: Any, weight: Any, outputs: int, group: Any = None) -> None:
        """Set the thresholds."""
        y = np.asarray(labels)
        weight = check_weight(weight, len(y))
        if self.thresholds is None:
            self.thresholds = _shares(y, weight)
        self.data(y, y.shape)

    def data(self, labels: Any, shape: tuple[int, ...]) -> Data:
        """Return the thresholds below and above each grade."""
        y, edges = np.asarray(labels), self._edges
        inside = (y >= 0) & (y < len(edges) - 1) & (y % 1 == 0)
        if not inside.all():
            place = int(np.argmin(inside))
            raise DomainError(
                f"{self.name}: labels must be grades, whole numbers from 0 to {len(edges) - 2}, "
                f"got {y[place]!s} at index ({place},)"
            )
        grade = y.astype(np.intp).reshape(shape)
        return edges[grade], edges[grade + 1]

    def inverse(self, margin: Numbers) -> Numbers:
        """Return a probability for each grade."""
        below = 1 / (1 + np.exp(margin[:, None] - self._edges))
        return np.diff(below, axis=1)

    @property
    def _edges(self) -> Numbers:
        if self.thresholds is None:
            raise ValueError(
                f"{self.name} has no thresholds before it has seen labels\n"
                "hint: train with it, call prepare(labels), or give thresholds=[...]"
            )
        return np.array([-np.inf, *self.thresholds, np.inf])


def _shares(y: Numbers, weight: Any) -> tuple[float, ...]:
    if (y < 0).any() or (y % 1 != 0).any() or y.max() < 1:
        raise DomainError(
            "cumulative_link: labels must be grades, whole numbers from 0 on, of which there are "
            f"two or more; got numbers from {y.min()} to {y.max()}"
        )
    counts = np.bincount(y.astype(np.intp), weights=weight)
    if not counts.all():
        raise DomainError(
            f"cumulative_link: no label is {int(np.argmin(counts))}, so that its thresholds are "
            "unknown\nhint: number the grades from 0 without a gap, or give thresholds=[...]"
        )
    below = np.cumsum(counts)[:-1] / counts.sum()
    return tuple(np.log(below / (1 - below)).tolist())
