"""How many gradient steps squared, Huber and absolute error need at equal learning rates.

Article [B] says that MSE converges faster than MAE, article [E] that L2 converges more slowly than
L1. The gradients 2r and sign(r) cross at |r| = 1/2, so both can be right; this study counts where.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossary.study.convergence_steps import (
    ABSOLUTE,
    LOSSES,
    SQUARED,
    Outcome,
    Settings,
    descend_all,
    gradient_crossing,
    trajectory,
)
from lossary.study.experiment import Progress, Study
from lossary.study.report import Axis, Claims, Curve, Findings, Level, Measured, Panel
from lossary.tables import Cell, Column, Table


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Findings:
    """Measure, then report."""
    outcome = descend_all(settings, seed, progress)
    return Findings(
        tables=(single_table(outcome), batch_table(outcome)),
        learned=learned(outcome),
        claims=CLAIMS.against(outcome),
        series=panels(outcome),
    )


def single_table(outcome: Outcome) -> Table:
    """Steps by rate and start, one column for each loss."""
    settings = outcome.settings
    rows: list[tuple[Cell, ...]] = [
        (rate, distance, *outcome.steps(rate, place))
        for rate in settings.rates
        for place, distance in enumerate(settings.distances)
    ]
    columns = (
        Column("rate", "g"),
        Column("start", "g"),
        *(Column(name, ",d", missing="never") for name in LOSSES),
    )
    note = (
        f"One prediction, gradient descent until it is within {settings.tolerance:g} of its target;"
        f" never: not within {settings.limit:,} steps."
    )
    return Table(columns, rows, "Steps of a single prediction", note)


def batch_table(outcome: Outcome) -> Table:
    """Steps of a linear regression, where the gradient averages over many residuals."""
    settings = outcome.settings
    rows = tuple((noise, far, *steps.values()) for (far, noise), steps in outcome.batch.items())
    columns = (
        Column("noise", "g"),
        Column("start", "g"),
        *(Column(name, ",d", missing="never") for name in LOSSES),
    )
    note = (
        f"{settings.samples:,} examples, {settings.features} coefficients that start so far from"
        f" the truth; full-batch steps at rate {settings.rates[0]:g} until within a tenth of that"
        " distance of the loss's own minimum."
    )
    return Table(columns, rows, "Steps of a linear regression", note)


def words(steps: list[int | None]) -> str:
    """Write counts in the order squared, Huber, absolute."""
    return ", ".join("never" if count is None else f"{count:,}" for count in steps)


def learned(outcome: Outcome) -> str:
    """Say who wins where."""
    settings = outcome.settings
    rate, large = settings.rates[0], settings.rates[-1]
    lead = outcome.last_lead(SQUARED)
    border = f"up to a start {lead:.2f} away" if lead else "from no start"
    arrived = [
        sum(count is not None for count in outcome.single[name, large].known()) for name in LOSSES
    ]
    noisy = settings.batch_noises[-1]
    batch = outcome.batch[settings.batch_distances[0], noisy]
    return (
        "Squared error pulls harder than absolute error only beyond a residual of"
        f" {gradient_crossing():.4f}, where 2r passes 1. At rate {rate:g} absolute error therefore"
        f" arrives first {border}, squared error from farther away: from {settings.distances[0]:g}"
        f" the steps are {words(outcome.steps(rate, 0))} (squared, Huber, absolute), from"
        f" {settings.distances[-1]:g} {words(outcome.steps(rate, -1))}. Squared error shrinks the"
        " residual by a constant factor, absolute error by a constant amount, and so it stops half"
        f" a step away if the rate exceeds the tolerance. At rate {large:g} squared error arrives"
        f" from {arrived[0]} of {len(settings.distances)} starts, Huber from {arrived[1]}, absolute"
        f" from {arrived[2]}. On a batch with noise {noisy:g} the signs average out:"
        f" from {settings.batch_distances[0]:g} the steps are"
        f" {words(list(batch.values()))}."
    )


def fewer(left: int | None, right: int | None) -> bool:
    """Whether ``left`` steps are fewer than ``right``; never is more than any number."""
    return left is not None and (right is None or left < right)


def split(verdicts: list[bool]) -> bool | None:
    """Return the common verdict, or ``None`` when it depends on the regime."""
    return verdicts[0] if len(set(verdicts)) == 1 else None


# What the articles claim, each beside the steps.


CLAIMS = Claims[Outcome]()


@CLAIMS.says("68, E12", "B", "MSE converges faster than MAE")
def squared_is_faster(outcome: Outcome) -> Measured:
    """Article B's side of the contradiction."""
    settings = outcome.settings
    rate, near, far = settings.rates[0], settings.distances[1], settings.distances[-1]
    steps = starts(outcome)
    return (
        f"at rate {rate:g} from {far:g}: {words(steps[-1][::2])} steps; from {near:g}: "
        f"{words(steps[1][::2])}"
    ), split([fewer(s, a) for s, _, a in steps])


@CLAIMS.says("70, E12", "E", "L2 converges more slowly than L1")
def absolute_is_faster(outcome: Outcome) -> Measured:
    """Article E's side."""
    lead = outcome.last_lead(SQUARED)
    return (
        f"the same numbers: true from starts up to {f'{lead:.2f}' if lead else 'none'}, false"
        f" beyond; the gradients cross at a residual of {gradient_crossing():.4f}"
    ), split([fewer(a, s) for s, _, a in starts(outcome)])


@CLAIMS.says("68", "B", "convergence speed MSE > Huber > MAE")
def in_order(outcome: Outcome) -> Measured:
    """Three losses, one order."""
    settings = outcome.settings
    rate, middle, places = *settings.rates[:2], range(len(settings.distances))
    found = [outcome.steps(each, place) for each in settings.rates[:2] for place in places]
    ordered = [fewer(s, h) and fewer(h, a) for s, h, a in found]
    return (
        f"in this order in {float(np.mean(ordered)):.0%} of the runs at rates {rate:g} and"
        f" {middle:g}; Huber pulls with r where squared pulls with 2r, and with at most 1, as"
        " absolute does"
    ), split(ordered)


@CLAIMS.says("68", "B", "convergence speed MSE > Huber > MAE (here on a noisy batch)")
def in_order_on_a_batch(outcome: Outcome) -> Measured:
    """The same where the signs average out."""
    settings = outcome.settings
    noise = settings.batch_noises[-1]
    noisy = {far: list(outcome.batch[far, noise].values()) for far in settings.batch_distances}
    return (
        "; ".join(f"from {far:g}: {words(steps)}" for far, steps in noisy.items())
        + " (squared, Huber, absolute)"
    ), split([fewer(s, h) and fewer(h, a) for s, h, a in noisy.values()])


@CLAIMS.says("69", "B", "MAE has a constant gradient and may miss the minimum")
def misses_the_minimum(outcome: Outcome) -> Measured:
    """What a constant gradient does at the end."""
    settings = outcome.settings
    middle = settings.rates[1]
    least = float(outcome.single[ABSOLUTE, middle].least.min())
    slowest = max(count or settings.limit for count in outcome.single[SQUARED, middle].known())
    return (
        f"at rate {middle:g} absolute error comes no nearer than {least:.4f} from any start;"
        f" squared error arrives from all in at most {slowest:,} steps"
    ), least > settings.tolerance


@CLAIMS.says("69", "B", "MSE: the gradient shrinks near the minimum, but can explode")
def can_explode(outcome: Outcome) -> Measured:
    """What too large a rate does."""
    settings = outcome.settings
    rate, near = settings.rates[-1], settings.distances[1]
    unstable = outcome.steps(rate, 1)
    return (
        f"at rate {rate:g} steps from {near:g}: {words(unstable)} (squared, Huber, absolute)",
        unstable[0] is None,
    )


def starts(outcome: Outcome) -> list[list[int | None]]:
    """Return the steps at the smallest rate, by start."""
    settings = outcome.settings
    return [outcome.steps(settings.rates[0], place) for place in range(len(settings.distances))]


def panels(outcome: Outcome) -> tuple[Panel, ...]:
    """Gradients, steps by start, and two trajectories (item 61)."""
    settings = outcome.settings
    rate, crossing, lead = settings.rates[0], gradient_crossing(), outcome.last_lead(SQUARED)
    size = np.geomspace(0.01, 100, 161)
    zero = np.zeros_like(size)
    pulls = tuple(
        Curve(name, size.tolist(), np.asarray(loss.gradient(size, zero, reduction="sum")).tolist())
        for name, loss in LOSSES.items()
    )
    counts = tuple(
        Curve(name, outcome.grid.tolist(), [None if n is None else float(n) for n in one.known()])
        for name, one in outcome.fine.items()
    )
    levels = (Level(f"equal at {lead:.2f}", lead, vertical=True),) if lead else ()
    return (
        Panel(
            "How hard a residual pulls",
            Axis("|residual|", "log"),
            Axis("|gradient|", "log"),
            pulls,
            levels=(Level(f"equal at {crossing:.2f}", crossing, vertical=True),),
        ),
        Panel(
            f"Steps to within {settings.tolerance:g} at rate {rate:g}",
            Axis("distance at the start", "log"),
            Axis("steps", "log"),
            counts,
            levels=levels,
            legend="none",
        ),
        *(trajectories(settings, start, count) for start, count in ((0.5, 150), (10.0, 1200))),
    )


def trajectories(settings: Settings, start: float, count: int) -> Panel:
    """|residual| by step from one start."""
    steps, rate = [float(step) for step in range(count + 1)], settings.rates[0]
    made = tuple(
        Curve(name, steps, trajectory(loss, start, rate, count)) for name, loss in LOSSES.items()
    )
    title = f"From {start:g} away, rate {rate:g}"
    return Panel(title, Axis("step"), Axis("|residual|"), made, legend="none")


study: Study = Study(
    "convergence",
    "Which loss converges faster?",
    "Steps to a given error: does squared or absolute error converge faster? Both, it depends.",
    Settings(),
    run,
)
