"""A loss as curves: value, gradient and second derivative along one line through its inputs.

The line runs along the prediction (for rows, along its first entry with the others held), along the
margin (how far the prediction is on the right side), or along the probability of the true class.
Derivatives are always those of the loss itself, with respect to its own first argument.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lossary.errors import LossaryError

if TYPE_CHECKING:
    from lossary.definition import Argument
    from lossary.engine import Loss

Over = Literal["prediction", "margin", "probability"]
PANELS = ("loss", "gradient", "second derivative")

POINTS = 1001  # odd, so that the middle of a symmetric range, often a kink, is one of them


class PlotError(LossaryError, ValueError):
    """A loss cannot be drawn as it was asked for."""


@dataclass(frozen=True)
class Request:
    """A loss to draw, with arguments held at other than their usual values."""

    loss: Loss
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name for the legend: the loss, and what was set or has no default."""
        required = {a.name: _held(a) for a in self.loss.parameters if a.required}
        shown = {**required, **self.settings}
        words = ", ".join(f"{name} = {value:g}" for name, value in shown.items())
        return f"{self.loss.name} ({words})" if words else self.loss.name


@dataclass(frozen=True)
class Curve:
    """One loss along the line; NaN where the line leaves the domain."""

    label: str
    loss: str
    argument: str
    held: Mapping[str, float]
    x: np.ndarray
    panels: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Curves:
    """Curves over a common axis."""

    over: Over
    axis: str
    span: tuple[float, float]
    curves: tuple[Curve, ...]

    @property
    def arguments(self) -> list[str]:
        """The arguments that the derivatives are taken with respect to."""
        return list(dict.fromkeys(curve.argument for curve in self.curves))


# First arguments that know a right side, by name: scores, log-odds, and probabilities.
SCORES = {"score", "scores", "first"}
LOGITS = {"logit", "logits"}
CHANCES = {"probability", "probabilities", "log_probabilities"}

# Where a line along the prediction is interesting, by domain.
SPANS = {
    "NonNegative": (0.0, 5.0), "Positive": (0.25, 5.0), "AboveMinusOne": (-0.95, 5.0),
    "Unit": (0.0, 1.0), "Units": (0.0, 1.0), "Simplex": (0.0, 1.0), "LogSimplex": (-5.0, 0.0),
    "Negative": (-5.0, -0.01), "Cosines": (-1.0, 1.0), "Angle": (-math.pi, math.pi),
}  # fmt: skip
USUAL_SPAN = (-5.0, 5.0)

# Targets that make the usual picture: the right class, a count of 1. Others are 0.
TARGETS: dict[str, float] = dict.fromkeys(
    ("Binary", "Sign", "Unit", "NonNegative", "NonZero", "Positive"), 1.0
)

# Beside a 0 these have nothing to show: the advantage multiplies all, all errors are 200 %, and two
# members on both sides of the target pay nothing, and equal bounds hold nothing.
BESIDE_ONE = {
    "clipped_policy": {"advantage": 1.0},
    "decoupled_clip_policy": {"advantage": 1.0},
    "clipped_importance_policy": {"advantage": 1.0},
    "policy_gradient": {"advantage": 1.0},
    "fair_crps_ensemble": {"target": 1.0},
    "symmetric_absolute_percentage_error": {"target": 1.0},
    "logistic_interval": {"upper": 1.0},
    "normal_interval": {"upper": 1.0},
    "variogram_score": {"target": 1.0},
}

# What a target distribution gives to class 0 where it is no label: the least loss is not at an end.
SOFT_SHARE = 0.7

# What the classes beside the true one are, by domain or by name, where it is not 0.
RIVALS = {"Roles": -1.0, "time": 2.0, "times": 2.0, "Group": 1.0, "Groups": 1.0, "Positive": 1.0}

# Vectors for losses of embeddings: the first entry of the first argument runs.
FIRST_ROWS: Mapping[str, Sequence[float]] = {
    "Embedding": (0.0, 1.0, 0.0),
    "Box": (0.0, 0.0, 6.0, 3.0),
    "RotatedBox": (0.0, 0.0, 6.0, 3.0, 0.0),
}
OTHER_ROWS: Mapping[str, Sequence[float]] = {"negative": (-1.0, 0.0, 0.0)}
OTHER_ROW: Mapping[str, Sequence[float]] = {
    "Embedding": (1.0, 0.0, 0.0),
    "Box": (-1.0, 1.0, 6.0, 4.0),
    "RotatedBox": (0.0, 1.0, 6.0, 4.0, 0.5),
}


def _held(argument: Argument) -> float:
    """Return the usual value of an argument that does not run."""
    if argument.default is not None and not argument.required:
        return float(argument.default)
    return TARGETS.get(argument.domain.name, argument.domain.neutral)


def trace(
    requests: Sequence[Request],
    *,
    over: Over | None = None,
    span: tuple[float, float] | None = None,
    classes: int = 2,
) -> Curves:
    """Compute the curves of some losses over one axis.

    Raises ``PlotError`` where a loss has no such axis, and the errors of the loss for a setting
    outside its set.

    >>> import lossary as L
    >>> curves = trace([Request(L.huber, {"delta": 2.0})], span=(-4.0, 4.0))
    >>> curves.axis, curves.curves[0].label, float(curves.curves[0].panels[0][0])
    ('prediction, target = 0', 'huber (delta = 2)', 6.0)
    """
    over = over or _usual_axis(requests)
    for request in requests:
        _refuse(request, over)
    span = span or _usual_span(requests, over)
    if not (math.isfinite(span[0]) and math.isfinite(span[1]) and span[0] < span[1]):
        raise PlotError(f"a range goes from a number to a larger one, got {span[0]:g}:{span[1]:g}")
    if classes < 2:
        raise PlotError(f"there must be at least 2 classes, got {classes}")
    x = np.linspace(*span, POINTS)
    share = _share(requests, over)
    curves = tuple(_curve(request, x, over, classes, share) for request in requests)
    return Curves(over, _axis_label(requests, over, curves, share), span, curves)


def _share(requests: Sequence[Request], over: Over) -> float:
    """Return what class 0 has of a target distribution: all, if it is the true class."""
    soft = [r.loss.family == "divergence" or r.loss.name.startswith("soft_") for r in requests]
    rows = [r.loss.inputs[-1].domain.mass for r in requests]
    return SOFT_SHARE if over == "prediction" and all(soft) and all(rows) else 1.0


def _embeds(loss: Loss) -> bool:
    return loss.inputs[0].domain.name in FIRST_ROWS


def _usual_axis(requests: Sequence[Request]) -> Over:
    """Take the prediction, unless logits, scores and probabilities of classes meet."""
    first = {(request.loss.inputs[0].name, _embeds(request.loss)) for request in requests}
    if len(first) > 1 and all(n in SCORES | LOGITS | CHANCES and not vector for n, vector in first):
        return "margin"
    return "prediction"


def _usual_span(requests: Sequence[Request], over: Over) -> tuple[float, float]:
    if over == "probability":
        return 0.0, 1.0
    if over == "margin":
        return USUAL_SPAN
    spans = {SPANS.get(r.loss.inputs[0].domain.name, USUAL_SPAN) for r in requests}
    return spans.pop() if len(spans) == 1 else USUAL_SPAN


def _refuse(request: Request, over: Over) -> None:
    """Raise for a setting that cannot be held, and for an axis that the loss does not have."""
    loss, first = request.loss, request.loss.inputs[0]
    free = [a.name for a in loss.arguments[1:] if not a.domain.class_axis]
    for name in request.settings:
        if name not in free:
            known = f"it can hold {', '.join(free)}" if free else "it has nothing to hold"
            raise PlotError(f"{loss.name} cannot hold {name!r}\nhint: {known}")
    if over == "margin" and (_embeds(loss) or first.name not in SCORES | LOGITS | CHANCES):
        raise PlotError(
            f"{loss.name} has no margin: its {first.name} has no right side\n"
            "hint: --over prediction draws it"
        )
    likely = first.name in LOGITS | CHANCES or first.domain.name == "Logit"
    if over == "probability" and not likely:
        way = "margin" if first.name in SCORES and not _embeds(loss) else "prediction"
        raise PlotError(
            f"{loss.name} has no probability: its {first.name} is not a log-odds\n"
            f"hint: --over {way} draws it"
        )


def _curve(request: Request, x: np.ndarray, over: Over, classes: int, share: float) -> Curve:
    loss = request.loss
    first = loss.inputs[0]
    numbers = [a for a in loss.inputs[1:] if not (a.domain.class_axis or a.domain.integer)]
    usual = {a.name: _held(a) for a in numbers} | BESIDE_ONE.get(loss.name, {})
    held = usual | dict(request.settings)
    row = _place(request, x, over, classes, held)
    target = (share, *[(1 - share) / (classes - 1)] * (classes - 1))
    others = {a.name: _others(a, len(x), target, held, rows=_embeds(loss)) for a in loss.inputs[1:]}
    chosen = [a for a in loss.parameters if not a.optional or a.name in held]
    parameters = {a.name: held.get(a.name, _held(a)) for a in chosen}
    inside = _inside(first, row)
    usable = np.where(inside[:, None] if row.ndim == 2 else inside, row, _harmless(first, row))
    arguments = {first.name: usable, **others, **parameters}
    with np.errstate(all="ignore"):
        value = loss(**arguments, reduction="none")
        gradient = loss.gradient(**arguments, reduction="sum")
        hessian = loss.hessian(**arguments, reduction="sum")
    panels = [np.asarray(value), _running(gradient), _running(hessian)]
    value, gradient, hessian = (np.where(inside & np.isfinite(y), y, np.nan) for y in panels)
    argument = f"{first.name}[0]" if first.domain.class_axis else first.name
    return Curve(request.label, loss.name, argument, held, x, (value, gradient, hessian))


def _running(derivative: Any) -> np.ndarray:
    """Take the entry that runs out of a row."""
    derivative = np.asarray(derivative)
    return derivative[:, 0] if derivative.ndim == 2 else derivative


def _place(
    request: Request, x: np.ndarray, over: Over, classes: int, held: Mapping[str, float]
) -> np.ndarray:
    """Return the first argument along the line."""
    first = request.loss.inputs[0]
    if _embeds(request.loss):
        rest = FIRST_ROWS[first.domain.name][1:]
        return np.column_stack([x, *(np.full_like(x, v) for v in rest)])
    if first.name in CHANCES:
        return _chances(request, x, over, classes, held)
    with np.errstate(divide="ignore"):
        odds = np.log(x) - np.log1p(-x) if over == "probability" else x
    if first.domain.class_axis:
        # With the others at 0 the probability of the first class has log-odds z - log(C - 1).
        shift = math.log(classes - 1) if over == "probability" else 0.0
        rival = np.full_like(x, RIVALS.get(first.domain.name, 0.0))
        return np.column_stack([odds + shift, *[rival] * (classes - 1)])
    side = 1.0 if over == "prediction" else _side(request, held)
    return side * odds + (held.get("second", 0.0) if first.name == "first" else 0.0)


def _chances(
    request: Request, x: np.ndarray, over: Over, classes: int, held: Mapping[str, float]
) -> np.ndarray:
    """Return probabilities, or their logarithms, of the true class and of the others."""
    first = request.loss.inputs[0]
    logarithm = first.name == "log_probabilities"
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-x)) if over == "margin" else x
        if logarithm and over == "prediction":
            p = np.exp(x)
        if not first.domain.class_axis:
            return p if over == "prediction" or _side(request, held) > 0 else 1 - p
        row = np.column_stack([p, *[(1 - p) / (classes - 1)] * (classes - 1)])
        return np.log(row) if logarithm else row


def _side(request: Request, held: Mapping[str, float]) -> float:
    """Return 1 or -1: which way is right, given the target."""
    target = request.loss.inputs[-1]
    value = held.get(target.name, 1.0)
    if target.domain.name == "Sign":
        return value
    if value not in {0, 1}:
        raise PlotError(
            f"{request.loss.name}: a target of {value:g} has no right side\n"
            "hint: use target=0 or target=1, or --over prediction"
        )
    return 2 * value - 1


def _others(
    argument: Argument,
    points: int,
    target: Sequence[float],
    held: Mapping[str, float],
    *,
    rows: bool,
) -> np.ndarray:
    """Return what an argument that does not run is at each point."""
    if argument.domain.class_axis:
        usual = OTHER_ROW.get(argument.domain.name, OTHER_ROW["Embedding"])
        row = list(OTHER_ROWS.get(argument.name, usual)) if rows else list(target)
        rival = RIVALS.get(argument.name, RIVALS.get(argument.domain.name, 0.0))
        row = [x or rival for x in row]
        if argument.domain.mass == "sum of exponentials":
            row = [math.log(mass) if mass else -math.inf for mass in row]
        return np.tile(np.array(row), (points, 1))
    if argument.domain.integer:
        label = held.get(argument.name, 0)
        return np.full(points, int(label))
    return np.full(points, float(held[argument.name]))


def _inside(first: Argument, row: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        ok = np.asarray(first.domain.contains(row))
        if first.domain.mass:
            ok = ok & ~np.isnan(row)
        for i, j in first.domain.ascending:
            ok = ok & (row[:, i] <= row[:, j])[:, None]
    return np.all(ok, axis=-1) if row.ndim == 2 else ok  # pyright: ignore[reportReturnType]


def _harmless(first: Argument, row: np.ndarray) -> np.ndarray | float:
    """Return a point of the domain to compute with where the line is outside."""
    if row.ndim == 1:
        return first.domain.neutral
    even = np.full_like(row, 1 / row.shape[1])
    return np.log(even) if first.domain.mass == "sum of exponentials" else even


# Words for the axis.


def _axis_label(
    requests: Sequence[Request], over: Over, curves: Sequence[Curve], share: float
) -> str:
    if over == "probability":
        return "probability of the true class"
    if over == "margin":
        return "margin: positive on the right side"
    first = {request.loss.inputs[0].name for request in requests}
    name = first.pop() if len(first) == 1 else "first argument"
    words = name.replace("_", " ")
    if all(request.loss.class_axis for request in requests):
        vectors = _embeds(requests[0].loss)
        if vectors:
            return f"entry 0 of {words}"
        which = "the true one" if share == 1 else f"whose target is {share:g}"
        return f"{words}: that of class 0, {which}"
    held = {
        tuple((key, curve.held[key]) for key in ("target", "second", "sign") if key in curve.held)
        for curve in curves
    }
    if len(held) > 1:
        return words
    return ", ".join([words, *(f"{key} = {value:g}" for key, value in held.pop())])
