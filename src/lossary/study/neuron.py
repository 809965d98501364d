"""One sigmoid neuron unlearns a wrong answer: quadratic cost against cross-entropy.

Nielsen 2015, "Neural Networks and Deep Learning", chapter 3, from which article [C] takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

import lossary as L
from lossary.study.experiment import Progress, Study
from lossary.study.report import Axis, Claims, Curve, Findings, Mark, Measured, Panel
from lossary.tables import Column, Table

TARGET = np.array([0.0])
INPUT = 1.0


@dataclass(frozen=True)
class Settings:
    """Learning rate, number of steps, and the two starts as (weight, bias)."""

    rate: float = 0.15
    steps: int = 300
    good_start: tuple[float, float] = (0.6, 0.9)
    bad_start: tuple[float, float] = (2.0, 2.0)


@dataclass(frozen=True)
class Run:
    """Output, cost and slope dC/dz, before each step and after the last."""

    output: np.ndarray
    cost: np.ndarray
    slope: np.ndarray

    def first_below(self, level: float) -> int | None:
        """Return the first step at which the output is at most ``level``."""
        below = np.flatnonzero(self.output <= level)
        return int(below[0]) if below.size else None


Cost = Callable[[np.ndarray], tuple[np.ndarray, float, float]]
"""From the weighted input z to the neuron's output, its cost and dC/dz."""


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-z)); the study stays far from overflow."""
    return 1.0 / (1.0 + np.exp(-z))


def quadratic(z: np.ndarray) -> tuple[np.ndarray, float, float]:
    """(y - a)^2 / 2 of a sigmoid neuron, with the chain rule dC/dz = dC/da a (1 - a)."""
    output = sigmoid(z)
    value, gradient = L.half_squared_error.value_and_gradient(output, TARGET)
    return output, float(value), float((gradient * output * (1 - output))[0])


def cross_entropy(z: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Cross-entropy of a sigmoid neuron, on the logit."""
    value, gradient = L.binary_cross_entropy.value_and_gradient(z, TARGET)
    return sigmoid(z), float(value), float(gradient[0])


def linear_quadratic(z: np.ndarray) -> tuple[np.ndarray, float, float]:
    """(y - z)^2 / 2 of a linear neuron."""
    value, gradient = L.half_squared_error.value_and_gradient(z, TARGET)
    return z, float(value), float(gradient[0])


COSTS: Mapping[str, Cost] = {"quadratic": quadratic, "cross-entropy": cross_entropy}


def train(cost: Cost, start: tuple[float, float], rate: float, steps: int) -> Run:
    """Train weight and bias by gradient descent on the one example x = 1, y = 0."""
    weight, bias = start
    records = []
    for _ in range(steps + 1):
        output, value, slope = cost(np.array([weight * INPUT + bias]))
        records.append((float(output[0]), value, slope))
        weight -= rate * slope * INPUT
        bias -= rate * slope
    outputs, values, slopes = np.array(records).T
    return Run(outputs, values, slopes)


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Findings:
    """Train from both starts with both costs; nothing is random, so ``seed`` changes nothing."""
    starts = {"good start": settings.good_start, "bad start": settings.bad_start}
    runs: dict[tuple[str, str], Run] = {}
    for cost_name, cost in COSTS.items():
        for start_name, start in starts.items():
            runs[cost_name, start_name] = train(cost, start, settings.rate, settings.steps)
            progress(len(runs), 6, f"{cost_name}, {start_name}")
    linear = tuple(
        train(linear_quadratic, start, settings.rate, settings.steps) for start in starts.values()
    )
    progress(6, 6, "linear neuron")
    quadratic, entropy = (tuple(runs[cost, start] for start in starts) for cost in COSTS)
    return Findings(
        tables=(summary(settings, starts, runs),),
        learned=learned(runs),
        claims=CLAIMS.against(Evidence(quadratic, entropy, linear)),
        series=panels(settings, starts, runs),
    )


def summary(
    settings: Settings,
    starts: Mapping[str, tuple[float, float]],
    runs: Mapping[tuple[str, str], Run],
) -> Table:
    """One row for each cost and start."""
    rows = tuple(
        (
            cost,
            "({:g}, {:g})".format(*starts[start]),
            one.output[0],
            one.slope[0],
            one.output[-1],
            one.first_below(0.2),
        )
        for (cost, start), one in runs.items()
    )
    columns = (
        Column("cost"),
        Column("(w, b)"),
        Column("first output", ".4f"),
        Column("first slope dC/dz", ".4f"),
        Column("last output", ".4f"),
        Column("steps to output 0.2", "d", missing="never"),
    )
    note = f"Input 1, wanted output 0, rate {settings.rate:g}, {settings.steps} steps."
    return Table(columns, rows, "Two costs from two starts", note)


def learned(runs: Mapping[tuple[str, str], Run]) -> str:
    """Say in numbers what saturation costs."""
    slow, fast = runs["quadratic", "bad start"], runs["cross-entropy", "bad start"]
    good = runs["quadratic", "good start"]
    return (
        "The worse the answer, the slower the quadratic cost learns: from output"
        f" {slow.output[0]:.2f} its first slope is {slow.slope[0]:.4f}, from {good.output[0]:.2f}"
        f" it is {good.slope[0]:.4f}, because the slope carries the factor a(1 - a) of the"
        " saturated sigmoid. Cross-entropy loses that factor; its first slope from"
        f" {fast.output[0]:.2f} is {fast.slope[0]:.4f}, {fast.slope[0] / slow.slope[0]:.0f} times"
        f" larger. After {len(slow.output) - 1} steps the quadratic cost has reached"
        f" {good.output[-1]:.4f} and {slow.output[-1]:.4f}, cross-entropy"
        f" {runs['cross-entropy', 'good start'].output[-1]:.4f} and {fast.output[-1]:.4f}: its"
        " start hardly matters."
    )


# What the articles claim, each beside the runs.

Pair = tuple[Run, ...]


class Evidence(NamedTuple):
    """The runs from the good and from the bad start: of each cost, and of a linear neuron."""

    quadratic: Pair
    entropy: Pair
    linear: Pair


CLAIMS = Claims[Evidence]()


@CLAIMS.says("57", "C", "quadratic cost: output 0.82 becomes 0.09, output 0.98 becomes 0.20")
def first_and_last_outputs(seen: Evidence) -> Measured:
    """Where the quadratic cost arrives."""
    good, bad = seen.quadratic
    return (
        f"{good.output[0]:.4f} becomes {good.output[-1]:.4f}, "
        f"{bad.output[0]:.4f} becomes {bad.output[-1]:.4f}"
    ), rounds(good, 0.82, 0.09) and rounds(bad, 0.98, 0.20)


@CLAIMS.says("57, 60", "C", "from 0.98 the quadratic cost curve is flat at first")
def flat_at_first(seen: Evidence) -> Measured:
    """How far the cost falls early."""
    good, bad = seen.quadratic
    early = min(50, len(bad.cost) - 1)
    fallen = [1 - one.cost[early] / one.cost[0] for one in (bad, good)]
    return (
        f"in {early} steps the cost falls by {fallen[0]:.1%} from the bad start, "
        f"by {fallen[1]:.1%} from the good one"
    ), fallen[0] < 0.1 < fallen[1]


@CLAIMS.says("14, 57", "C", "with cross-entropy both starts learn equally fast")
def equally_fast(seen: Evidence) -> Measured:
    """Whether the start matters to cross-entropy."""
    good, bad = seen.quadratic
    ours, theirs = (run.output[-1] for run in seen.entropy)
    gap = abs(ours - theirs)
    return (
        f"{ours:.4f} and {theirs:.4f}, {gap:.4f} apart "
        f"(quadratic cost: {abs(good.output[-1] - bad.output[-1]):.4f} apart)"
    ), gap < 0.001


@CLAIMS.says("18", "E", "cross-entropy: the farther the prediction, the larger the update")
def farther_is_faster(seen: Evidence) -> Measured:
    """First slopes from both starts."""
    (good, bad), (near, far) = seen.quadratic, seen.entropy
    return (
        f"first slope {near.slope[0]:.4f} at {near.output[0]:.2f}, "
        f"{far.slope[0]:.4f} at {far.output[0]:.2f}; quadratic cost the other way round, "
        f"{good.slope[0]:.4f} and {bad.slope[0]:.4f}"
    ), far.slope[0] > near.slope[0] and bad.slope[0] < good.slope[0]


@CLAIMS.says("63", "C", "sigmoid output: cross-entropy; linear output: the quadratic cost is fine")
def linear_output(seen: Evidence) -> Measured:
    """Where no sigmoid saturates, the start does not matter."""
    one, other = (run.cost / run.cost[0] for run in seen.linear)
    spread = float(np.max(np.abs(one - other)))
    return (
        "a linear neuron with the quadratic cost loses the same share of its cost in every"
        f" step from both starts (largest difference {spread:.0e})"
    ), spread < 1e-12


@CLAIMS.says("E19", "C", "quadratic cost: the adjustment speed stays constant")
def constant_speed(seen: Evidence) -> Measured:
    """How much the slope grows on the way."""
    _, bad = seen.quadratic
    swing = float(np.max(bad.slope) / bad.slope[0])
    return (
        f"from the bad start the slope grows to {swing:.1f} times its first value before it falls",
        swing < 1.1,
    )


def rounds(one: Run, first: float, last: float) -> bool:
    """Whether first and last output round to the printed two decimals."""
    return round(float(one.output[0]), 2) == first and round(float(one.output[-1]), 2) == last


def panels(
    settings: Settings,
    starts: Mapping[str, tuple[float, float]],
    runs: Mapping[tuple[str, str], Run],
) -> tuple[Panel, ...]:
    """Cost curves for each cost (item 60) and the sigmoid with both starts."""
    steps = [float(step) for step in range(settings.steps + 1)]
    names = {
        name: f"start {letter}, output {runs['quadratic', name].output[0]:.2f}"
        for letter, name in zip("AB", starts, strict=True)
    }
    costs = tuple(
        Panel(
            f"{cost} cost".capitalize(),
            Axis("step"),
            Axis("cost" if cost == "quadratic" else "cost (nats)", limits=limits),
            tuple(Curve(names[start], steps, runs[cost, start].cost.tolist()) for start in starts),
        )
        for cost, limits in (("quadratic", (0.0, 0.52)), ("cross-entropy", (0.0, 4.2)))
    )
    z = np.linspace(-6, 6, 241)
    points = [(w * INPUT + b, float(sigmoid(np.array(w * INPUT + b)))) for w, b in starts.values()]
    marks = tuple(
        Mark(f"{letter} ({output:.2f})", weighted, output)
        for letter, (weighted, output) in zip("AB", points, strict=True)
    )
    curve = Curve("output a", z.tolist(), sigmoid(z).tolist(), style="solid")
    slope = Curve(
        "slope a(1 - a)", z.tolist(), (sigmoid(z) * (1 - sigmoid(z))).tolist(), style="dashed"
    )
    picture = Panel(
        "The sigmoid and the two starts",
        Axis("weighted input z = wx + b"),
        Axis("output", limits=(0.0, 1.08)),
        (curve, slope),
        marks,
    )
    return (*costs, picture)


study: Study = Study(
    "neuron",
    "One sigmoid neuron unlearns a wrong answer",
    "One sigmoid neuron: why the quadratic cost starts slowly and cross-entropy does not.",
    Settings(),
    run,
)
